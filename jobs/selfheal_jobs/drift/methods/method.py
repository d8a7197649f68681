"""A drift method: everything that the rest of selfheal has to know of one statistic."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.methods.effect_size import rows_to_compare_means


class Criterion(StrEnum):
    """Which scores are drift, as Evidently compares them with the threshold."""

    P_BELOW = "p < threshold"
    P_AT_MOST = "p <= threshold"
    DISTANCE_AT_LEAST = "distance >= threshold"
    DISTANCE_ABOVE = "distance > threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A statistic and its properties. The docstring of `score` has a worked example, which a test runs."""

    id: str
    """By which `spec.drift` names it: Evidently's id, where Evidently has the method."""
    kinds: frozenset[Kind]
    """The kinds of columns that it compares."""
    threshold: float
    """Evidently's default."""
    criterion: Criterion
    score: Callable[[Any], float]
    """Takes `Numbers` or `Counts`, by the column's kind; `CodedRows` for categories whose order matters."""
    order_matters: bool = False
    """Whether another order of the same rows has another score: because rows are exchanged at random, or
    fractions are added up, whose last digit depends on the order. Such a column is read from the data even if
    the reference's profile has counts of it."""
    calibrated: bool = False
    """Whether the score is a p-value that the rule Calibrated takes as it is: valid for samples of all sizes,
    and not cut off. Of other methods the rule computes a p-value itself."""
    rows_needed: Callable[[float], float] = rows_to_compare_means
    """Return the effective rows, n1 n2 / (n1 + n2), with the power to see a shift of numbers at a level."""
    in_evidently: bool = True
    """Whether Evidently has a method of this id: its report then shows Evidently's name for it."""

    @property
    def is_p_value(self) -> bool:
        """Return whether the score is a p-value; else it is a distance."""
        return self.criterion in (Criterion.P_BELOW, Criterion.P_AT_MOST)

    def says_drift(self, score: float, threshold: float) -> bool:
        """Return Evidently's verdict on a score; a score that is not a number is no drift."""
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
    """The method says nothing about this pair; the sentence begins with what it needs."""


NUMERICAL_ONLY = frozenset({Kind.NUMERICAL})
CATEGORICAL_ONLY = frozenset({Kind.CATEGORICAL})
BOTH_KINDS = frozenset(Kind)
