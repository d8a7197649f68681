"""A drift method: a test statistic or distance, and the properties that the other modules use."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.methods.effect_size import rows_to_compare_means


class Criterion(StrEnum):
    """How Evidently compares a score with the threshold to declare drift."""

    P_BELOW = "p < threshold"
    P_AT_MOST = "p <= threshold"
    DISTANCE_AT_LEAST = "distance >= threshold"
    DISTANCE_ABOVE = "distance > threshold"


class Method(Struct, frozen=True, kw_only=True):
    """A statistic and its properties. The docstring of `score` has a worked example, which a test runs."""

    id: str
    """The name in `spec.drift`: Evidently's id, if Evidently has the method."""
    kinds: frozenset[Kind]
    """The kinds of columns that it compares."""
    threshold: float
    """Evidently's default."""
    criterion: Criterion
    score: Callable[[Any], float]
    """Takes `Numbers` or `Counts`, by the column's kind; `CodedRows` for categories whose order matters."""
    order_matters: bool = False
    """Whether the score depends on the order of the rows: because the method permutes rows at random, or adds
    up fractions, whose last digit depends on the order. Such a column is read from the data even if the
    reference's profile has its counts."""
    calibrated: bool = False
    """Whether the score is a p-value that the rule Calibrated uses directly: valid for all sample sizes, and
    not clipped. For other methods the rule computes a p-value itself."""
    rows_needed: Callable[[float], float] = rows_to_compare_means
    """Return the effective rows, n1 n2 / (n1 + n2), that the required power takes at a significance level."""
    in_evidently: bool = True
    """Whether Evidently has a method of this id: its report then shows Evidently's name for it."""

    @property
    def is_p_value(self) -> bool:
        """Return whether the score is a p-value; otherwise it is a distance."""
        return self.criterion in (Criterion.P_BELOW, Criterion.P_AT_MOST)

    def says_drift(self, score: float, threshold: float) -> bool:
        """Return Evidently's verdict on a score; NaN means no drift."""
        match self.criterion:
            case Criterion.P_BELOW:
                return bool(score < threshold)
            case Criterion.P_AT_MOST:
                return bool(score <= threshold)
            case Criterion.DISTANCE_AT_LEAST:
                return bool(score >= threshold)
            case Criterion.DISTANCE_ABOVE:
                return bool(score > threshold)


class UnfitMethodError(ValueError):
    """The method cannot be applied to this pair; the message begins with what the method needs."""


NUMERICAL_ONLY = frozenset({Kind.NUMERICAL})
CATEGORICAL_ONLY = frozenset({Kind.CATEGORICAL})
BOTH_KINDS = frozenset(Kind)
