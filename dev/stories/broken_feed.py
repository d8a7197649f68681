"""A feed that broke and was repaired: a scanner drops nine of ten measurements for a day."""

from pathlib import Path

import numpy as np

from stories import telling
from stories.monitor import Monitor
from stories.parcels import TARGET, mostly_unmeasured, parcels
from stories.scores import error


def tell(folder: Path, mlflow_uri: str) -> None:
    """Run the story in a folder, and print it."""
    rng = np.random.default_rng(1)
    monitor = Monitor(name="broken-feed", target=TARGET, folder=folder, mlflow_uri=mlflow_uri)
    reference = monitor.table("reference", parcels(rng, 1000))
    broken = monitor.table("broken", mostly_unmeasured(rng, parcels(rng, 1000)))
    after = parcels(rng, 1000)
    repaired = monitor.table("repaired", after)

    telling.retraining(monitor.first_version(reference), "version 1")
    telling.check(monitor.check(reference, broken))
    telling.retraining(monitor.retrain(reference, broken))
    telling.retraining(monitor.retrain(reference, broken, force=True), "retraining with force")
    careless = monitor.retrain(reference, broken, force=True, ignore_champion=True)
    telling.retraining(careless, "retraining with force and ignoreChampion")
    telling.check(monitor.check(reference, repaired))
    for version in ("1", str(careless.version)):
        telling.said("afterwards", f"version {version} has an error of {error(monitor, version, after):.2f}")
