"""Kubernetes Events, which `kubectl describe` shows on the monitor."""

import uuid
from datetime import datetime
from typing import Final

from selfheal_operator.api.names import API_VERSION, KIND, OPERATOR_MANAGER
from selfheal_operator.core.observed import Monitor
from selfheal_operator.core.plan import Event
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.collection import Collection

_EVENTS: Final = Collection("v1", "events")
_MESSAGE_LIMIT: Final = 1024


class KubernetesEvents:
    """The default sink."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def tell(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Record an Event on the monitor."""
        time = now.isoformat(timespec="seconds").replace("+00:00", "Z")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{monitor.name}.{uuid.uuid4().hex[:16]}", "namespace": monitor.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": monitor.name,
                "namespace": monitor.namespace,
                "uid": monitor.uid,
                "resourceVersion": monitor.resource_version,
            },
            "type": event.type,
            "reason": str(event.reason),
            "message": event.message[:_MESSAGE_LIMIT],
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "source": {"component": OPERATOR_MANAGER},
            "reportingComponent": OPERATOR_MANAGER,
            "reportingInstance": "",
        }
        path, call = _EVENTS.path(monitor.namespace), _EVENTS.call("create")
        await self._client.request("POST", path, body, call=call)
