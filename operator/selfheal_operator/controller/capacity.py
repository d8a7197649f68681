"""Keeps the number of active Jobs within the platform team's limits."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.capacity import Limits, WaitingRoom

_NO_LIMITS: Final = Limits()


@dataclass(slots=True)
class Capacity:
    """Hands out turns to start a Job.

    A turn that was given counts as an active Job until the store knows the Job, or the turn is given back:
    thirty workers that ask at the same time do not all see the same last place.

    Args:
        store: Knows the active Jobs.
        limits: By purpose; a purpose without limits is never held.
        call: Is told whose turn has come, after they were told to wait.
    """

    store: Store
    limits: Mapping[Purpose, Limits]
    call: Callable[[Key], None]
    _rooms: dict[Purpose, WaitingRoom[Key]] = field(
        default_factory=lambda: {purpose: WaitingRoom() for purpose in Purpose}
    )
    _turns: dict[Purpose, set[Key]] = field(default_factory=lambda: {purpose: set() for purpose in Purpose})

    def admits(self, key: Key, purpose: Purpose, slot: datetime) -> bool:
        """Say whether the monitor may start a Job now; if not, it is called when it may."""
        if self._limits(purpose) == _NO_LIMITS or key in self._turns[purpose]:
            return True
        self._rooms[purpose].enter(key, key.namespace, slot)
        self._give_turns(purpose, but_do_not_call=key)
        return key in self._turns[purpose]

    def settle(self, key: Key, *wanted: Purpose) -> None:
        """Take back the turns of a monitor that has used them, or wants nothing but `wanted` any more."""
        for purpose in Purpose:
            if purpose not in wanted:
                self._rooms[purpose].leave(key)
                if key in self._turns[purpose]:
                    self._turns[purpose].discard(key)
                    self._give_turns(purpose)

    def give_turns(self) -> None:
        """Call those for whom there is room now: a Job has ended."""
        for purpose in Purpose:
            self._give_turns(purpose)

    def waiting(self, purpose: Purpose) -> int:
        """Return how many monitors wait for their turn."""
        return len(self._rooms[purpose])

    def _limits(self, purpose: Purpose) -> Limits:
        return self.limits.get(purpose, _NO_LIMITS)

    def _give_turns(self, purpose: Purpose, but_do_not_call: Key | None = None) -> None:
        room, turns = self._rooms[purpose], self._turns[purpose]
        while len(room):
            active = self.store.active(purpose) + Counter(key.namespace for key in turns)
            key = room.call(self._limits(purpose), active)
            if key is None:
                return
            turns.add(key)
            if key != but_do_not_call:
                self.call(key)
