"""An administrator who forges statuses, and who stores objects that operators cannot read."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, Final

from chaos.admin import MERGE, Admin, Document
from chaos.faults import Fault, Kind
from chaos.forgeries import Forgery, line_of
from chaos.testbed import CRD_PATH, Testbed
from chaos.users import MonitorName, smallest_spec
from selfheal_operator.api.names import API_VERSION, KIND
from selfheal_operator.core.errors import ConflictError, RejectedError
from testbed.large_spec import with_all_to_the_bounds, with_much_to_read

_DEPTH: Final = 1200
"""Deeper than Python 3.11 reads by default."""
_PAUSE: Final = 0.2
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Poison(Enum):
    """What operators cannot read, or hardly."""

    UNREADABLE = "a spec of another shape, stored under a loosened CRD"
    TOO_LARGE = "a spec that no run can be given"
    LARGEST = "a spec as large as a run can be given"
    DEEP = "managedFields that nest deep"


class Forger:
    """Acts while the API server is up: `undisturbed` keeps it from being killed, so that each write is known.

    Args:
        admin: The administrator.
        testbed: Gets what was forged into the record.
        monitors: All monitors that promises were made to.
        now: The operators' clock.
    """

    def __init__(
        self, admin: Admin, testbed: Testbed, monitors: list[MonitorName], now: Callable[[], datetime]
    ) -> None:
        self._admin, self._testbed, self._monitors, self._now = admin, testbed, monitors, now
        self.undisturbed = asyncio.Lock()

    async def act(self, fault: Fault) -> str:
        """Forge a status or store an object; return a description of it."""
        name = self._monitors[fault.choice % len(self._monitors)]
        async with self.undisturbed:
            if fault.kind is Kind.FORGED_STATUS:
                return await self._forge(name, _one_of(Forgery, fault))
            return await self._poison(name, _one_of(Poison, fault), fault.number)

    async def _forge(self, name: MonitorName, forgery: Forgery) -> str:
        while True:
            before = await self._admin.request("GET", name.path)
            patch = forgery.patch(before, self._now())
            # What the forgery replaces has to be known: missedChecks is counted from there.
            unchanged = {"resourceVersion": before["metadata"]["resourceVersion"]}
            body = {"metadata": unchanged, "status": patch}
            try:
                after = await self._admin.request("PATCH", f"{name.path}/status", body, content_type=MERGE)
            except ConflictError:
                continue
            self._testbed.note_forgery(line_of(before, after, patch), after)
            return f"{name.path}: {forgery.value}"

    async def _poison(self, name: MonitorName, poison: Poison, number: int) -> str:
        match poison:
            case Poison.DEEP:
                await asyncio.to_thread(self._testbed.nest_deep, name.namespace, name.name, _DEPTH)
                return f"{name.path}: {poison.value}"
            case Poison.UNREADABLE:
                document = _monitor(name.namespace, f"poison-{number}", _unreadable())
                await self._under_a_loosened_crd(name.collection, document)
            case Poison.TOO_LARGE:
                spec = with_all_to_the_bounds(smallest_spec() | {"intervalSeconds": 60})
                await self._admin.create(name.collection, _monitor(name.namespace, f"poison-{number}", spec))
            case Poison.LARGEST:
                spec = with_much_to_read(smallest_spec() | {"intervalSeconds": 300})
                await self._admin.create(name.collection, _monitor(name.namespace, "largest", spec))
        return f"{name.collection}: {poison.value}"

    async def _under_a_loosened_crd(self, collection: str, document: Document) -> None:
        """Store what the CRD refuses. Only the schema of the spec changes meanwhile."""
        crd = await self._admin.request("GET", CRD_PATH)
        versions = crd["spec"]["versions"]
        await self._set_versions([_loosened(each) for each in versions])
        while True:
            try:
                await self._admin.create(collection, document)
            except RejectedError:  # the API server takes a moment to know
                await asyncio.sleep(_PAUSE)
            else:
                break
        await self._set_versions(versions)

    async def _set_versions(self, versions: list[Any]) -> None:
        body = {"spec": {"versions": versions}}
        await self._admin.request("PATCH", CRD_PATH, body, content_type=MERGE)


def _loosened(version: Document) -> Document:
    """Return a version of the CRD that takes any spec; rules about fields of the spec have to go, too."""
    schema = version["schema"]["openAPIV3Schema"]
    kept = {name: part for name, part in schema.items() if name != "x-kubernetes-validations"}
    properties = schema["properties"] | {"spec": _ANYTHING}
    return version | {"schema": {"openAPIV3Schema": kept | {"properties": properties}}}


def _one_of(kinds: type[Forgery] | type[Poison], fault: Fault) -> Any:
    """Return one that does not depend on the monitor: both are chosen by the same number."""
    each = list(kinds)
    return each[fault.choice // 7 % len(each)]


def _monitor(namespace: str, name: str, spec: Document) -> Document:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def _unreadable() -> Document:
    return {"dataset": "none", "threshold": {"a": [None]}, "intervalSeconds": "often"}
