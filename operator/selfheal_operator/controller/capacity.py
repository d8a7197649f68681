"""Enforces the platform team's limits on active Jobs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.capacity import Limits, WaitingRoom
from selfheal_operator.core.plan import CreateJob, Plan

NOTHING: Final = Plan()
_NO_LIMITS: Final = Limits()


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
        active = self._active(purpose)
        return not limits.leave_room(active.total(), active[key.namespace])

    def _active(self, purpose: Purpose) -> Counter[str]:
        return self.store.active(purpose) + Counter(key.namespace for key in self._turns[purpose])

    def _take_turn(self, key: Key, purpose: Purpose) -> None:
        self._rooms[purpose].leave(key)
        if self._limits(purpose) != _NO_LIMITS:
            self._turns[purpose].add(key)

    def _forget(self, key: Key, purpose: Purpose) -> None:
        self._rooms[purpose].leave(key)
        if key in self._turns[purpose]:
            self._turns[purpose].discard(key)
            self._give_turns(purpose)

    def _give_turns(self, purpose: Purpose) -> None:
        room, turns = self._rooms[purpose], self._turns[purpose]
        while len(room) and (key := room.call(self._limits(purpose), self._active(purpose))) is not None:
            turns.add(key)
            self.call(key)
