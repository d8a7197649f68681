"""A refusal that was right: other customers, who leave for the same reasons, and few of them."""

from pathlib import Path
from typing import Final

import numpy as np

from stories import telling
from stories.customers import TARGET, customers
from stories.monitor import Monitor
from stories.scores import f1_macro

POINT_ESTIMATE_ALONE: Final = {"confidence": 0.5, "margin": 1}
"""Better on the held-out rows is enough, by however little."""


def tell(folder: Path, mlflow_uri: str) -> None:
    """Run the story in a folder, and print it."""
    rng = np.random.default_rng(1)
    monitor = Monitor(name="refusal", target=TARGET, folder=folder, mlflow_uri=mlflow_uri)
    monitor.dataset = {"columns": {"timestamp": "observed"}}
    reference = monitor.table("spring", customers(rng, 1600, months=(1, 4)))
    current = monitor.table("may", customers(rng, 300, months=(5, 5), price=38))
    later = customers(rng, 20_000, months=(6, 7), price=38)

    telling.retraining(monitor.first_version(reference), "version 1")
    telling.check(monitor.check(reference, current))
    telling.retraining(monitor.retrain(reference, current))
    lax = monitor.retrain(reference, current, promotion=POINT_ESTIMATE_ALONE)
    telling.retraining(lax, "the same by the point estimate alone")
    for version in ("1", str(lax.version)):
        telling.said("afterwards", f"version {version} has f1_macro {f1_macro(monitor, version, later):.4f}")
