"""Enforces the platform team's limits on active Jobs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.capacity import Limits, Tally, WaitingRoom
from selfheal_operator.core.plan import CreateJob, Plan

NOTHING: Final = Plan()
_NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class _Load:
    """The active Jobs of a purpose, and the granted turns whose Jobs are not among them yet."""

    active: Tally
    turns: Tally = field(default_factory=Tally)

    def total(self) -> int:
        return self.active.total() + self.turns.total()

    def __getitem__(self, namespace: str) -> int:
        return self.active[namespace] + self.turns[namespace]

    @property
    def changes(self) -> int:
        return self.active.changes + self.turns.changes


@dataclass(slots=True)
class Capacity:
    """Grants turns to start a Job.

    A granted turn counts as an active Job until the store contains the Job or the turn is returned.
    Otherwise thirty concurrent workers could all start a Job in the last free place.

    Args:
        store: Contains the active Jobs.
        limits: By purpose; a purpose without limits is never held.
        call: Called with the key of a waiting monitor when its turn comes.
    """

    store: Store
    limits: Mapping[Purpose, Limits]
    call: Callable[[Key], None]
    _rooms: dict[Purpose, WaitingRoom[Key]] = field(
        default_factory=lambda: {purpose: WaitingRoom() for purpose in Purpose}
    )
    _turns: dict[Purpose, set[Key]] = field(default_factory=lambda: {purpose: set() for purpose in Purpose})
    _loads: dict[Purpose, _Load] = field(init=False)
    _given: dict[Purpose, tuple[int, int]] = field(default_factory=dict)
    """Changes of the room and of the load when the last turn was granted: since then there is no other."""

    def __post_init__(self) -> None:
        """Count from the store's active Jobs."""
        self._loads = {purpose: _Load(self.store.active(purpose)) for purpose in Purpose}

    def held(self, key: Key) -> frozenset[Purpose]:
        """Return the purposes for which the monitor may not start a Job now."""
        self.give_turns()  # waiting monitors go first; those that still wait are blocked by a limit
        return frozenset(purpose for purpose in Purpose if self._holds(key, purpose))

    def settle(self, key: Key, plan: Plan = NOTHING) -> None:
        """Record which Jobs the monitor starts and waits for; drop its other turns and waits."""
        starts = plan.step.purpose if isinstance(plan.step, CreateJob) else None
        for purpose in Purpose:
            if purpose in plan.waiting:
                self._rooms[purpose].enter(key, key.namespace, plan.waiting[purpose])
            elif purpose == starts:
                self._take_turn(key, purpose)
            else:
                self._forget(key, purpose)

    def give_turns(self) -> None:
        """Grant turns to waiting monitors while the limits allow it, for example when a Job has ended."""
        for purpose in Purpose:
            self._give_turns(purpose)

    def waiting(self, purpose: Purpose) -> int:
        """Return how many monitors wait for their turn."""
        return len(self._rooms[purpose])

    def _limits(self, purpose: Purpose) -> Limits:
        return self.limits.get(purpose, _NO_LIMITS)

    def _holds(self, key: Key, purpose: Purpose) -> bool:
        limits = self._limits(purpose)
        if limits == _NO_LIMITS or key in self._turns[purpose]:
            return False
        load = self._loads[purpose]
        return not limits.leave_room(load.total(), load[key.namespace])

    def _take_turn(self, key: Key, purpose: Purpose) -> None:
        self._rooms[purpose].leave(key)
        if self._limits(purpose) != _NO_LIMITS and key not in self._turns[purpose]:
            self._grant(key, purpose)

    def _grant(self, key: Key, purpose: Purpose) -> None:
        self._turns[purpose].add(key)
        self._loads[purpose].turns.add(key.namespace, 1)

    def _forget(self, key: Key, purpose: Purpose) -> None:
        self._rooms[purpose].leave(key)
        if key in self._turns[purpose]:
            self._turns[purpose].discard(key)
            self._loads[purpose].turns.add(key.namespace, -1)
            self._give_turns(purpose)

    def _give_turns(self, purpose: Purpose) -> None:
        room, load = self._rooms[purpose], self._loads[purpose]
        # Asked at each reconciliation: with a thousand namespaces that wait, an answer takes 0.3 ms.
        if not len(room) or self._given.get(purpose) == (room.changes, load.changes):
            return
        while (key := room.call(self._limits(purpose), load)) is not None:
            self._grant(key, purpose)
            self.call(key)
        self._given[purpose] = (room.changes, load.changes)
