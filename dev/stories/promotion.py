"""A promotion: prices rise, and customers mind the price more than before."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from stories import telling
from stories.customers import TARGET, customers
from stories.monitor import Monitor
from stories.scores import f1_macro

SENSITIVITY: Final = 0.3
"""Since May."""


def tell(folder: Path, mlflow_uri: str) -> None:
    """Run the story in a folder, and print it."""
    rng = np.random.default_rng(1)
    monitor = Monitor(
        name="promotion",
        target=TARGET,
        folder=folder,
        mlflow_uri=mlflow_uri,
        dataset={"columns": {"timestamp": "observed"}},
    )
    before = customers(rng, 1600, months=(1, 4))
    since = customers(rng, 800, months=(5, 6), price=36, sensitivity=SENSITIVITY)
    later = customers(rng, 4000, months=(7, 8), price=36, sensitivity=SENSITIVITY)
    reference = monitor.table("january-to-april", before)
    current = monitor.table("january-to-june", pd.concat([before, since], ignore_index=True))

    telling.retraining(monitor.first_version(reference), "version 1")
    telling.check(monitor.check(reference, current))
    found = monitor.retrain(reference, current)
    telling.retraining(found)
    for version in ("1", str(found.version)):
        telling.said(
            "afterwards",
            f"version {version} has f1_macro {f1_macro(monitor, version, later):.4f} in July and August",
        )
