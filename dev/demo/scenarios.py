"""The three monitors of the demo, and what is expected of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from demo.datasets import synthetic
from demo.datasets.flights import read_seasons
from demo.datasets.nycflights13 import fetch_nycflights13
from demo.datasets.tables import Tables
from localcluster.binaries import cache_dir
from selfheal_operator.api.reasons import Task

THRESHOLD: Final = 0.3


@dataclass(frozen=True)
class Scenario:
    """One monitor."""

    name: str
    target: str
    task: Task
    """The task that the demo scores by; the monitor is left to infer it."""
    primary_metric: str
    """The one score in which the retrained model must be better; a name from `scores`."""
    drifts: bool
    """Whether drift and a retraining are expected, or else silence."""
    retraining: Mapping[str, Any] = field(default_factory=dict)
    """What spec.retraining says beyond the defaults."""


SYNTHETIC: Final = Scenario(
    name="synthetic",
    target=synthetic.TARGET,
    task=Task.CLASSIFICATION,
    primary_metric="accuracy",
    drifts=False,
    # Flat trees: there is nothing to find, and 80,000 rows are many for a demo.
    retraining={
        "candidates": [
            {"name": "linear", "estimator": "sklearn.linear_model.LogisticRegression"},
            {
                "name": "forest",
                "estimator": "sklearn.ensemble.RandomForestClassifier",
                "params": {"n_estimators": "20", "max_depth": "8"},
            },
        ]
    },
)
FLIGHTS_DELAY: Final = Scenario(
    name="flights-delay", target="late", task=Task.CLASSIFICATION, primary_metric="f1_macro", drifts=True
)
FLIGHTS_AIRTIME: Final = Scenario(
    name="flights-airtime",
    target="air_time",
    task=Task.REGRESSION,
    primary_metric="root_mean_squared_error",
    drifts=True,
)
SCENARIOS: Final = (SYNTHETIC, FLIGHTS_DELAY, FLIGHTS_AIRTIME)


def write_tables(folder: Path, say: Callable[[str], None]) -> None:
    """Write each scenario's tables into a folder of its name; the same bytes of data every time."""
    Tables(*synthetic.synthetic()).write(folder / SYNTHETIC.name)
    seasons = read_seasons(fetch_nycflights13(cache_dir(), say))
    for scenario in (FLIGHTS_DELAY, FLIGHTS_AIRTIME):
        seasons.tables(scenario.target).write(folder / scenario.name)
