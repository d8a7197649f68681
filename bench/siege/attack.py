"""An attack as a value, and what came of it."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from siege.ground import Ground


class UntriedError(Exception):
    """The attack could not be tried: its positive control failed, or nobody could have seen its effect."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an attack saw."""

    got: str
    succeeded: bool
    """Whether it had the effect that it is for."""


class Verdict(Enum):
    """What came of an attack."""

    HELD = "held"
    SUCCEEDED = "SUCCEEDED"
    UNCLEAR = "UNCLEAR"
    """It had no effect, but not for the expected reason: another guard may hide that this one is missing."""
    UNTRIED = "NOT TRIED"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Args:
        name: What it tries, as a short phrase.
        section: What it is about: 1 the API, 2 the status, 3 rights, 4 models and MLflow, 5 data and reports.
        identity: Whose credentials it uses, or what it may write to.
        do: Tries it, and returns what it saw. Raises UntriedError if the legitimate counterpart fails.
        expected: A part of what is seen when it is held.
    """

    name: str
    section: int
    identity: str
    do: "Callable[[Ground], Seen]"
    expected: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attack that was tried, or could not be."""

    attack: Attack
    got: str
    verdict: Verdict


def attempt(attack: Attack, ground: "Ground") -> Outcome:
    """Try an attack. What goes wrong on the way is no answer, whatever it is."""
    try:
        seen = attack.do(ground)
    except Exception as error:  # noqa: BLE001 - a benchmark goes on with the next attack
        return Outcome(attack, f"{type(error).__name__}: {error}", Verdict.UNTRIED)
    return Outcome(attack, seen.got, judged(attack, seen))


def judged(attack: Attack, seen: Seen) -> Verdict:
    """Return the verdict on what an attack saw."""
    if seen.succeeded:
        return Verdict.SUCCEEDED
    return Verdict.HELD if attack.expected in seen.got else Verdict.UNCLEAR
