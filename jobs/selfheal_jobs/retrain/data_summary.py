"""A summary of the training data, logged with the models that were trained on it. Pure."""

from typing import Any, Final

import pandas as pd

from selfheal_jobs.retrain.splitting import Split
from selfheal_operator.api.reasons import Task

_CLASSES_SHOWN: Final = 50


def summarize(split: Split, *, target: str, task: Task) -> dict[str, Any]:
    """Return rows, columns (type, nulls, distinct values) and the class balance, ready for JSON."""
    table = pd.concat([split.train, split.test], ignore_index=True)
    return {
        "rows": {"train": len(split.train), "test": len(split.test), "withoutTarget": split.dropped}
        | {"copies": split.copies, "alreadyLearnt": split.already_learnt},
        "columns": [_column(name, table[name]) for name in table.columns],
        "target": {"name": target} | _balance(table[target], task),
    }


def _column(name: str, values: pd.Series) -> dict[str, Any]:
    nulls = int(values.isna().sum())
    return {
        "name": name,
        "type": str(values.dtype),
        "nulls": nulls,
        "nullShare": round(nulls / max(len(values), 1), 4),
        "distinct": _distinct(values),
    }


def _distinct(values: pd.Series) -> int:
    """Return the number of distinct values, gaps among them as one."""
    if values.dtype == object:  # as text: lists are not hashable
        values = values.map(str)
    return int(values.nunique(dropna=False))


def _balance(target: pd.Series, task: Task) -> dict[str, Any]:
    if task is Task.CLASSIFICATION:
        counts = target.value_counts()
        return {"classes": len(counts), "rowsPerClass": _shown(counts)}
    levels = {"min": 0.0, "p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}
    quantiles = {name: float(target.quantile(level)) for name, level in levels.items()}
    return {"mean": float(target.mean()), "std": float(target.std()), "quantiles": quantiles}


def _shown(counts: "pd.Series[int]") -> dict[str, int]:
    return {str(name): int(count) for name, count in list(counts.items())[:_CLASSES_SHOWN]}
