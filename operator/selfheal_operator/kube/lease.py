"""Leader election: acquires, renews and releases a Lease."""

import asyncio
import contextlib
import logging
import math
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from selfheal_operator.core.errors import ConflictError, RejectedError, SelfhealError, UnavailableError
from selfheal_operator.core.leadership import (
    Durations,
    Lease,
    Sighting,
    claim,
    lease_from,
    release,
    sighting,
)
from selfheal_operator.kube.client import ApiClient, NotFoundError
from selfheal_operator.kube.collection import Collection

logger = logging.getLogger(__name__)

_LEASES: Final = Collection("coordination.k8s.io/v1", "leases")
_METHODS: Final = {"get": "GET", "create": "POST", "update": "PUT"}
CALL_SECONDS: Final = 3.0
"""The timeout of a call; it is retried over another connection."""
_BREATH_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.5
"""A standby reads the Lease this often, so it takes over within half a second after a release."""


class Leadership(Protocol):
    """Leadership among replicas: only the leader may write."""

    acquired: float
    """When it was acquired (monotonic clock). A read after that sees all writes of the previous leader."""

    def seconds_left(self) -> float:
        """Return for how many more seconds this replica is certain to lead."""

    async def acquire(self) -> None:
        """Wait until this replica leads."""

    async def keep(self) -> None:
        """Keep the leadership; return when it is lost."""

    async def give_back(self) -> None:
        """Release the leadership."""


class AlwaysLeading:
    """No election: for a single operator, or for several that rely on Job names as locks."""

    acquired = -math.inf

    def seconds_left(self) -> float:
        """Return infinity."""
        return math.inf

    async def acquire(self) -> None:
        """Return at once."""

    async def keep(self) -> None:
        """Never return."""
        await asyncio.Event().wait()

    async def give_back(self) -> None:
        """Do nothing."""


class Elector:
    """Leads while it holds a Lease.

    Args:
        client: A separate client without throttle and validity check, so that renewals are never delayed.
        namespace: The Lease's namespace.
        name: The Lease's name.
        identity: An identity that no other process has ever had.
        durations: The Lease's timing.
        clock: The wall clock, for the Lease's timestamps.
    """

    def __init__(  # noqa: PLR0913 - all of them named by the one caller
        self,
        *,
        client: ApiClient,
        namespace: str,
        name: str,
        identity: str,
        durations: Durations,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._path = _LEASES.path(namespace)
        self._name = name
        self._identity = identity
        self._durations = durations
        self._clock = clock
        self._lease: Lease | None = None
        """The Lease as last read; None if there was none."""
        self._sighting: Sighting | None = None
        self._valid_until = -math.inf
        self._in_trouble = False
        self._told = ""
        self.acquired = -math.inf

    def seconds_left(self) -> float:
        """Return for how many more seconds this replica is certain to lead.

        The monotonic clock advances while the process is stopped, so a resumed process sees the loss at once.
        """
        return self._valid_until - time.monotonic()

    async def acquire(self) -> None:
        """Wait until this replica holds the Lease."""
        while True:
            try:
                left = await self._look()
                if left <= 0 and await self._claim():
                    self.acquired = time.monotonic()
                    return
                # Wake exactly when the Lease expires, or poll before that.
                pause = min(max(left, _BREATH_SECONDS), LOOK_SECONDS)
            except SelfhealError as error:
                self._complain("Cannot read or take the Lease; will try again", error)
                pause = self._durations.retry
            await asyncio.sleep(pause)

    async def keep(self) -> None:
        """Renew the Lease; return when no renewal succeeded in time or another replica holds it."""
        tried = time.monotonic()
        while (left := self.seconds_left()) > 0:
            due = tried + self._durations.retry - time.monotonic()
            if due > 0:
                await asyncio.sleep(min(due, left))
                continue
            tried = time.monotonic()
            try:
                if not await self._claim() and await self._look() > 0:
                    break
            except SelfhealError as error:
                self._complain("Lease not renewed; will try again", error)
        self._valid_until = -math.inf

    async def give_back(self) -> None:
        """Release the Lease. The caller must have stopped writing."""
        led, self._valid_until = self.seconds_left() > 0, -math.inf
        for _ in range(2 if led else 0):  # twice: a renewal in flight may cause a conflict
            with contextlib.suppress(SelfhealError):  # the Lease expires anyway
                await self._look()
                if self._lease is not None and self._lease.holder == self._identity:
                    await self._put(self._lease, release(self._lease, self._clock()))
                return

    async def _look(self) -> float:
        """Read the Lease; return for how many seconds another replica may still hold it."""
        try:
            self._lease = self._read(await self._send("get", f"{self._path}/{self._name}"))
        except NotFoundError:
            self._lease = None
        now = time.monotonic()
        self._sighting = sighting(self._sighting, self._lease, now)
        self._tell_leader()
        return self._sighting.seconds_left(self._identity, now) if self._sighting else 0

    async def _claim(self) -> bool:
        """Acquire or renew the Lease; return False if it has changed since it was read."""
        # Count from the start of the call: the API server may commit at once and respond late.
        begun = time.monotonic()
        spec = claim(self._lease, self._identity, self._durations, self._clock())
        try:
            body = await (self._put(self._lease, spec) if self._lease else self._create(spec))
        except ConflictError:  # changed, taken, or deleted
            return False
        self._lease = self._read(body)
        self._sighting = Sighting(self._lease, time.monotonic())
        self._valid_until = begun + self._durations.renew_deadline
        return True

    def _read(self, body: Mapping[str, Any]) -> Lease:
        try:
            return lease_from(body, self._durations)
        except (KeyError, TypeError, AttributeError) as error:
            raise UnavailableError(f"Lease {self._name}: the answer is no Lease") from error

    async def _create(self, spec: dict[str, Any]) -> dict[str, Any]:
        return await self._send("create", self._path, self._document(spec))

    async def _put(self, known: Lease, spec: dict[str, Any]) -> dict[str, Any]:
        document = self._document(spec, resourceVersion=known.resource_version)
        return await self._send("update", f"{self._path}/{self._name}", document)

    async def _send(self, verb: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self._client.request(
            _METHODS[verb], path, document, timeout_seconds=CALL_SECONDS, call=_LEASES.call(verb)
        )
        self._in_trouble = False
        return answer

    def _document(self, spec: dict[str, Any], **metadata: str) -> dict[str, Any]:
        metadata = {"name": self._name, **metadata}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    def _tell_leader(self) -> None:
        leader = self._lease.holder if self._lease is not None else ""
        if leader not in {"", self._identity, self._told}:
            logger.info("Standing by", extra={"leader": leader, "lease": self._name})
        self._told = leader

    def _complain(self, what: str, error: SelfhealError) -> None:
        """Log once per outage, not once per attempt."""
        if not self._in_trouble:
            hint = (
                "may the operator get, create and update Leases?" if isinstance(error, RejectedError) else ""
            )
            logger.warning(what, extra={"lease": self._name, "error": str(error), "hint": hint})
        self._in_trouble = True


def own_identity(pod_name: str | None) -> str:
    """Return an identity that no other process has, nor an earlier process of this pod."""
    return f"{pod_name or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
