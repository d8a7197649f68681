"""Becoming the leader by a Lease, staying it, and giving it back."""

import asyncio
import contextlib
import logging
import math
import socket
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from selfheal_operator.core.errors import ConflictError, RejectedError, SelfhealError
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
"""A call that has no answer by then is made anew, over another connection."""
_BREATH_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.5
"""A standby looks this often: half a second after a leader has given the Lease back, the next one has it."""


class Leadership(Protocol):
    """A turn at writing."""

    acquired: float
    """When it was acquired, by the monotonic clock: what was read later, the leader before has finished."""

    def seconds_left(self) -> float:
        """Return for how many seconds more this operator surely leads."""

    async def acquire(self) -> None:
        """Return when it leads."""

    async def keep(self) -> None:
        """Return when it leads no longer."""

    async def give_back(self) -> None:
        """Let somebody else lead."""


class AlwaysLeading:
    """Where there is only one operator, or where names of Jobs are trusted to keep several apart."""

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
        client: A connection of its own: renewals wait for nobody, and are the writes that need no permit.
        namespace: Where the Lease is.
        name: Its name.
        identity: What no other process has ever been called.
        durations: How long a leader is believed to live.
        clock: The wall clock, for those who read the Lease.
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
        """As it is now, or None if there is none."""
        self._sighting: Sighting | None = None
        self._valid_until = -math.inf
        self._in_trouble = False
        self._told = ""
        self.acquired = -math.inf

    def seconds_left(self) -> float:
        """Return for how many seconds more this operator surely leads.

        The monotonic clock goes on while the process is stopped: one that wakes up knows at once.
        """
        return self._valid_until - time.monotonic()

    async def acquire(self) -> None:
        """Return when it leads."""
        while True:
            try:
                left = await self._look()
                if left <= 0 and await self._claim():
                    self.acquired = time.monotonic()
                    return
                # The moment at which what was seen runs out is known, and worth being awake for.
                pause = min(max(left, _BREATH_SECONDS), LOOK_SECONDS)
            except SelfhealError as error:
                self._complain("Cannot read or take the Lease; will try again", error)
                pause = self._durations.retry
            await asyncio.sleep(pause)

    async def keep(self) -> None:
        """Return when it leads no longer: no renewal succeeded in time, or somebody else has the Lease."""
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
        """Let somebody else lead; the caller has stopped writing."""
        led, self._valid_until = self.seconds_left() > 0, -math.inf
        for _ in range(2 if led else 0):  # twice: a renewal may be on its way still, and overtake
            with contextlib.suppress(SelfhealError):  # it runs out by itself
                await self._look()
                if self._lease is not None and self._lease.holder == self._identity:
                    await self._put(self._lease, release(self._lease, self._clock()))
                return

    async def _look(self) -> float:
        """Look at the Lease; return for how many seconds it is somebody else's."""
        try:
            self._lease = lease_from(await self._send("get", f"{self._path}/{self._name}"), self._durations)
        except NotFoundError:
            self._lease = None
        now = time.monotonic()
        self._sighting = sighting(self._sighting, self._lease, now)
        self._tell_leader()
        return self._sighting.seconds_left(self._identity, now) if self._sighting else 0

    async def _claim(self) -> bool:
        """Take or renew the Lease; return False if it is not as it was seen."""
        # From the start of the call: the API server may carry it out at once, and answer late.
        begun = time.monotonic()
        spec = claim(self._lease, self._identity, self._durations, self._clock())
        try:
            body = await (self._put(self._lease, spec) if self._lease else self._create(spec))
        except ConflictError:  # changed, taken, or deleted
            return False
        self._lease = lease_from(body, self._durations)
        self._sighting = Sighting(self._lease, time.monotonic())
        self._valid_until = begun + self._durations.renew_deadline
        return True

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
        """Say it once: an outage of ten minutes is one line."""
        if not self._in_trouble:
            hint = (
                "may the operator get, create and update Leases?" if isinstance(error, RejectedError) else ""
            )
            logger.warning(what, extra={"lease": self._name, "error": str(error), "hint": hint})
        self._in_trouble = True


def own_identity(pod_name: str | None) -> str:
    """Return a name that no other process has, nor an earlier one of this pod."""
    return f"{pod_name or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
