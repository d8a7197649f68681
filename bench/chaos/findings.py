"""The results of an audit."""

from dataclasses import dataclass, field
from enum import Enum


class Odd(Enum):
    """What may happen while several operators lead, without a lost or doubled slot."""

    MISCOUNTED = "slots counted as missed although they had their Job, by an operator that did not know of it"
    LATE = "slots started after they had been given up and counted, by a call that came through late"
    OVERTAKEN = "aliases moved by a person between a promotion's last look and its set"
    OVERLAPPING = "checks started while another of their monitor ran, by an operator that did not know"


@dataclass(frozen=True, slots=True)
class Oddity:
    """One of these."""

    odd: Odd
    version: int
    """The revision at which it happened."""
    sentence: str


@dataclass(slots=True)
class Findings:
    """What the audit found; one sentence for each thing that is wrong."""

    monitors: int = 0
    slots: int = 0
    """Slots that were due and are accounted for: started or missed."""
    started: int = 0
    """Checks that were started for a slot."""
    missed: int = 0
    """Slots that were skipped and counted as missed."""
    retrainings: int = 0
    promotions: int = 0
    moved: int = 0
    """Aliases that a promotion has moved."""
    requested: int = 0
    """Requested runs."""
    orphans: int = 0
    """Jobs created after their monitor was deleted, by an operator with a stale read; garbage collection
    deletes them."""
    oddities: list[Oddity] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Violations of other invariants: retrainings run one at a time and are numbered, the status never goes
    back, no Job has a time that is not a slot, and operators recover by themselves."""

    dead: list[str] = field(default_factory=list)
    """Operator processes that ended by themselves."""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.broken or self.dead)
