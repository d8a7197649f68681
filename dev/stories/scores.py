"""Scores of registered versions on rows that came later: independent of what a retraining says."""

import pandas as pd
from sklearn import metrics

from stories.monitor import Monitor


def f1_macro(monitor: Monitor, version: str, rows: pd.DataFrame) -> float:
    """Return the mean F1 of the classes."""
    return float(metrics.f1_score(rows[monitor.target], _answers(monitor, version, rows), average="macro"))


def error(monitor: Monitor, version: str, rows: pd.DataFrame) -> float:
    """Return the root mean squared error."""
    return float(metrics.root_mean_squared_error(rows[monitor.target], _answers(monitor, version, rows)))


def _answers(monitor: Monitor, version: str, rows: pd.DataFrame) -> list[object]:
    return list(monitor.answers(version, rows.drop(columns=monitor.target)))
