"""The plan of faults: deterministic for a seed."""

import random
from collections.abc import Sequence
from typing import Final

from chaos.faults import Fault, Kind, targets_of
from testbed.call_kind import CallKind

_CALLS: Final = {CallKind.CREATE_JOB: 8, CallKind.WRITE_STATUS: 8, CallKind.WRITE: 3, CallKind.CALL: 3}
_LATEST_LATE_CALL: Final = 4.0


def plan_faults(seed: int, count: int, of: Sequence[Kind] = tuple(Kind)) -> list[Fault]:
    """Return `count` faults of these kinds: each at least once if possible, the rest by their shares."""
    dice = random.Random(seed)  # noqa: S311 - runs must be repeatable
    kinds = dice.sample(of, min(count, len(of)))
    kinds += dice.choices(of, [kind.share for kind in of], k=count - len(kinds))
    dice.shuffle(kinds)
    return [_fault(dice, number, kind) for number, kind in enumerate(kinds, 1)]


def _fault(dice: random.Random, number: int, kind: Kind) -> Fault:
    return Fault(
        number=number,
        kind=kind,
        target=targets_of(kind)[number % len(targets_of(kind))],
        pause=round(dice.uniform(0, 0.8), 3),
        calls=dice.choices(list(_CALLS), list(_CALLS.values()))[0],
        spared=dice.choice((0, 0, 0, 1, 2, 3)),
        seconds=_seconds(dice, kind),
        down=round(dice.choice((0.0, 0.1, 0.5, 2.0)), 3),
        choice=dice.randrange(10_000),
    )


def _seconds(dice: random.Random, kind: Kind) -> float:
    """Return its duration in seconds. Requests time out after 10 s, and a slot may come every 6 s."""
    longest = {
        Kind.LATE_CALL: _LATEST_LATE_CALL,
        Kind.SLOW_ANSWER: 6,
        Kind.STALLED_ANSWER: 12,
        Kind.PARTITION: 8,
        Kind.BLACK_HOLE: 13,
        Kind.FREEZE: 14,
        Kind.WATCH_STALL: 15,
    }.get(kind, 5)
    return round(dice.uniform(0.2, 1) * longest, 3)
