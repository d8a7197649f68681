"""The parameters that a search tries, and their ranges, by estimator.

The ranges are bounded so that no trial takes much longer than the estimator's defaults do: the number of
trees and the depth of a tree are not searched upwards.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import optuna
from msgspec import Struct


class Range(Protocol):
    """The values of a parameter."""

    def suggest(self, trial: optuna.Trial, name: str) -> str:
        """Return the trial's value as a manifest writes it."""


class Reals(Struct, frozen=True):
    """Numbers between two bounds, on a logarithmic scale."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, name: str) -> str:
        """Return the trial's value as a manifest writes it."""
        return repr(trial.suggest_float(name, self.low, self.high, log=True))


class Integers(Struct, frozen=True):
    """Integers between two bounds, on a logarithmic scale."""

    low: int
    high: int

    def suggest(self, trial: optuna.Trial, name: str) -> str:
        """Return the trial's value as a manifest writes it."""
        return str(trial.suggest_int(name, self.low, self.high, log=True))


_FOREST: Final[Mapping[str, Range]] = {
    "min_samples_leaf": Reals(1e-4, 5e-2),
    "max_features": Reals(0.1, 1.0),
}
_HIST: Final[Mapping[str, Range]] = {
    "learning_rate": Reals(0.02, 0.3),
    "max_leaf_nodes": Integers(7, 63),
    "min_samples_leaf": Integers(5, 200),
    "l2_regularization": Reals(1e-4, 10),
}
_LIGHTGBM: Final[Mapping[str, Range]] = {
    "learning_rate": Reals(0.02, 0.3),
    "num_leaves": Integers(7, 63),
    "min_child_samples": Integers(5, 200),
    "reg_lambda": Reals(1e-4, 10),
}
_NEIGHBORS: Final[Mapping[str, Range]] = {"n_neighbors": Integers(1, 100)}

SPACES: Final[Mapping[str, Mapping[str, Range]]] = {
    "sklearn.linear_model.LogisticRegression": {"C": Reals(1e-3, 1e2)},
    "sklearn.linear_model.Ridge": {"alpha": Reals(1e-3, 1e3)},
    "sklearn.linear_model.RidgeClassifier": {"alpha": Reals(1e-3, 1e3)},
    "sklearn.linear_model.Lasso": {"alpha": Reals(1e-3, 1e2)},
    "sklearn.linear_model.ElasticNet": {"alpha": Reals(1e-3, 1e2), "l1_ratio": Reals(0.05, 1.0)},
    "sklearn.ensemble.RandomForestClassifier": _FOREST,
    "sklearn.ensemble.RandomForestRegressor": _FOREST,
    "sklearn.ensemble.ExtraTreesClassifier": _FOREST,
    "sklearn.ensemble.ExtraTreesRegressor": _FOREST,
    "sklearn.ensemble.HistGradientBoostingClassifier": _HIST,
    "sklearn.ensemble.HistGradientBoostingRegressor": _HIST,
    "lightgbm.LGBMClassifier": _LIGHTGBM,
    "lightgbm.LGBMRegressor": _LIGHTGBM,
    "sklearn.neighbors.KNeighborsClassifier": _NEIGHBORS,
    "sklearn.neighbors.KNeighborsRegressor": _NEIGHBORS,
}
"""A candidate of another estimator is tried as the manifest has it."""
