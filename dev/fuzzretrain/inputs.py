"""The base of every input: an ordinary pair of tables whose target can be learnt, and small candidates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from fuzzdata.inputs import CANARY, Random
from selfheal_operator.api.reasons import Reason, RetrainResult, Task

if TYPE_CHECKING:
    from fuzzretrain.monitor import FuzzMonitor

ROWS: Final = 240
"""Of the base: 48 are held out, enough to beat the baseline with a target that is nearly told by x."""
TARGET: Final = "label"
Spec = dict[str, Any]

ANY_RESULT: Final = frozenset(RetrainResult)
NOT_REGISTERED: Final = ANY_RESULT - {RetrainResult.REGISTERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What one retraining is given."""

    reference: pa.Table
    current: pa.Table
    spec: Spec = field(default_factory=dict)
    """Sections of the spec, merged over those of the base."""
    champion: "Callable[[FuzzMonitor], object] | None" = None
    """Registers a present version before the retraining."""
    labels: pa.Table | None = None
    """Labels that are joined by the column `key`."""
    as_csv: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A way for a retraining to be led astray, and how it may end."""

    name: str
    make: Callable[[Random], Input]
    may: frozenset[RetrainResult] = ANY_RESULT
    reasons: frozenset[Reason] = frozenset()
    """The only reasons that are right; empty: any but that of a defect."""


def classes(random: Random, rows: int = ROWS) -> pd.DataFrame:
    """Return a table whose label is nearly told by x."""
    x = random.normal(size=rows)
    return pd.DataFrame(
        {
            "x": x,
            "n": random.integers(0, 50, size=rows),
            "plan": random.choice(["a", "b", CANARY], size=rows),
            TARGET: (x + random.normal(scale=0.2, size=rows) > 0).astype("int64"),
        }
    )


def quantities(random: Random, rows: int = ROWS) -> pd.DataFrame:
    """Return a table whose label is a line of x with noise."""
    made = classes(random, rows)
    return made.assign(**{TARGET: 3 * made["x"] + random.normal(scale=0.5, size=rows)})


def arrow(frame: pd.DataFrame) -> pa.Table:
    """Return a table without pandas' index."""
    return pa.Table.from_pandas(frame, preserve_index=False)


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return the table with a column more, or in the place of its own."""
    if name in table.schema.names:
        return table.set_column(table.schema.names.index(name), name, values)
    return table.append_column(name, values)


_SMALL: Final[Mapping[Task, tuple[tuple[str, Mapping[str, str]], ...]]] = {
    Task.CLASSIFICATION: (
        ("sklearn.linear_model.LogisticRegression", {}),
        ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": "8"}),
        ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": "8"}),
        ("lightgbm.LGBMClassifier", {"n_estimators": "8"}),
        ("sklearn.neighbors.KNeighborsClassifier", {}),
        ("sklearn.naive_bayes.GaussianNB", {}),
        ("sklearn.tree.DecisionTreeClassifier", {"max_depth": "4"}),
    ),
    Task.REGRESSION: (
        ("sklearn.linear_model.LinearRegression", {}),
        ("sklearn.ensemble.RandomForestRegressor", {"n_estimators": "8"}),
        ("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": "30"}),
        ("lightgbm.LGBMRegressor", {"n_estimators": "30"}),
        ("sklearn.neighbors.KNeighborsRegressor", {}),
        ("sklearn.tree.DecisionTreeRegressor", {"max_depth": "6"}),
    ),
}


def small_candidates(random: Random, task: Task) -> list[Spec]:
    """Return two candidates that are fitted in some hundredths of a second."""
    chosen = random.choice(len(_SMALL[task]), size=2, replace=False)
    return [
        {"name": f"candidate-{number}", "estimator": path, "params": dict(params)}
        for number, (path, params) in enumerate(_SMALL[task][place] for place in chosen)
    ]


def gaps(random: Random, rows: int) -> Any:
    """Return a mask of no, a few or many gaps."""
    return random.random(rows) < random.choice([0, 0.05, 0.4])


def pair(
    random: Random, change: Callable[[pa.Table], pa.Table], *, quantity: bool = False, rows: int = ROWS
) -> tuple[pa.Table, pa.Table]:
    """Return both sides, each changed by itself."""
    base = quantities if quantity else classes
    return change(arrow(base(random, rows))), change(arrow(base(random, rows)))


def is_chance(random: Random, one_of: int) -> bool:
    """Return True once in so many times."""
    return bool(random.integers(0, one_of) == 0)


__all__ = [
    "ANY_RESULT",
    "CANARY",
    "NOT_REGISTERED",
    "ROWS",
    "TARGET",
    "Input",
    "Kind",
    "Random",
    "Spec",
    "arrow",
    "classes",
    "gaps",
    "is_chance",
    "np",
    "pair",
    "quantities",
    "small_candidates",
    "with_column",
]
