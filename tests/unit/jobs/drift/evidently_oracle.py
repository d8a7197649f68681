"""Asks the real Evidently about two columns: what ours must agree with."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from evidently.legacy.calculations import stattests
from evidently.legacy.core import ColumnType

from selfheal_jobs.columns.kind import Kind

REGISTERED = {each.name: each for each in vars(stattests).values() if isinstance(each, stattests.StatTest)}
_TYPES = {Kind.NUMERICAL: ColumnType.Numerical, Kind.CATEGORICAL: ColumnType.Categorical}


@dataclass(frozen=True)
class Judged:
    """What Evidently says of a column."""

    score: float
    drifted: bool


def judged(method: str, reference: Any, current: Any, kind: Kind) -> Judged | Exception:
    """Return Evidently's judgement, or the error in which it ends."""
    sides = cleaned(reference), cleaned(current)
    np.random.seed(0)  # noqa: NPY002  it draws from this generator, and mostly does not seed it
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        try:
            result = REGISTERED[method](*sides, _TYPES[kind], None)
        except Exception as error:  # noqa: BLE001  its functions share no base class
            return error
    return Judged(float(result.drift_score), bool(result.drifted))


def chosen(reference: Any, current: Any, kind: Kind) -> str:
    """Return the method that Evidently takes where none is named."""
    name: str = stattests.get_stattest(cleaned(reference), cleaned(current), _TYPES[kind], None).name
    return name


def cleaned(values: Any) -> Any:
    """Return a column as Evidently hands it to its methods: a copy without gaps and infinite numbers."""
    return pd.Series(values).replace([-np.inf, np.inf], np.nan).dropna().reset_index(drop=True)


Closeness = Callable[[float, float], bool]


def agree(ours: float, theirs: float) -> bool:
    """Return whether two scores are one: within 1e-9 of each other, or both not a number."""
    return (math.isnan(ours) and math.isnan(theirs)) or math.isclose(
        ours, theirs, rel_tol=1e-9, abs_tol=1e-15
    )


def squares_agree(ours: float, theirs: float) -> bool:
    """Return whether two roots of a difference from one, or of sums that cancel, are one.

    Both are exact to 1e-15 before the root is drawn: 1e-9 of a distance from 1e-3 on, and less of a smaller
    one.
    """
    return agree(ours, theirs) or math.isclose(ours**2, theirs**2, rel_tol=2e-9, abs_tol=4e-15)
