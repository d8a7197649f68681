"""What Evidently registers with a method."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfheal_jobs.columns.kind import Kind


class Criterion(StrEnum):
    """Which scores are drift, as Evidently compares them with the threshold."""

    P_BELOW = "p < threshold"
    P_AT_MOST = "p <= threshold"
    DISTANCE_AT_LEAST = "distance >= threshold"
    DISTANCE_ABOVE = "distance > threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A statistic, and what Evidently makes of it."""

    name: str
    """Evidently's id."""
    kinds: frozenset[Kind]
    default_threshold: float
    drift: Criterion
    score: Callable[[Any], float]
    """From `Numbers` or `Counts`, by kind, or from `CodedRows` if it needs the rows."""
    needs_rows: bool = False
    """Whether counts of categories are not enough, and the column must be read row by row."""

    @property
    def is_p_value(self) -> bool:
        """Return whether the score is a probability; else it is a distance."""
        return self.drift in (Criterion.P_BELOW, Criterion.P_AT_MOST)

    def says_drift(self, score: float, threshold: float) -> bool:
        """Return Evidently's verdict on a score; a score that is not a number is no drift."""
        match self.drift:
            case Criterion.P_BELOW:
                return bool(score < threshold)
            case Criterion.P_AT_MOST:
                return bool(score <= threshold)
            case Criterion.DISTANCE_AT_LEAST:
                return bool(score >= threshold)
            case Criterion.DISTANCE_ABOVE:
                return bool(score > threshold)


class UnfitMethodError(ValueError):
    """The method says nothing about this pair; the sentence begins with what it needs."""


NUMERICAL_ONLY = frozenset({Kind.NUMERICAL})
CATEGORICAL_ONLY = frozenset({Kind.CATEGORICAL})
BOTH_KINDS = frozenset(Kind)
