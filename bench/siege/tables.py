"""Small tables for runs, drawn by a seeded generator: without drift, and learnable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from siege.ground import Ground

ROWS: Final = 300
LINEAR: Final = {
    "name": "linear",
    "estimator": "sklearn.linear_model.LogisticRegression",
    "params": {"max_iter": "200"},
}


def table(seed: int) -> pd.DataFrame:
    """Return rows whose x tells the label but for some noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS)
    label = np.where(x + rng.normal(0, 0.5, ROWS) > 0, "yes", "no")
    return pd.DataFrame({"x": x, "z": rng.normal(size=ROWS), "label": label})


def side(ground: Ground, name: str) -> Path:
    """Return the file of a side, which is on a volume that runs may read."""
    path = ground.data / f"{name}.csv"
    if not path.exists():
        table(len(name)).to_csv(path, index=False)
    return path


def plain_spec(ground: Ground, **sides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a usual monitor; sides may come from elsewhere."""
    usual = {name: {"uri": str(side(ground, name))} for name in ("reference", "current")}
    return {
        "dataset": {**usual, **sides},
        "target": "label",
        "threshold": 0.9,
        "retraining": {"candidates": [LINEAR]},
    }
