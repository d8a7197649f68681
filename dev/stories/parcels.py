"""Parcels, and what it costs to send them. Seeded."""

from typing import Final

import numpy as np
import pandas as pd

TARGET: Final = "cost"
MEASURED: Final = ("length", "width", "height", "weight")


def parcels(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return parcels whose cost depends on four measures of one size, and a little on the zone."""
    size = rng.gamma(4, 1, rows)
    measures = {name: size * rng.normal(1, 0.05, rows) for name in MEASURED}
    zone = rng.choice(list("abcd"), rows)
    others = {"distance": rng.gamma(3, 100, rows), "insured": rng.normal(50, 9, rows)}
    cost = 9 * size + 1.5 * (zone == "a") + rng.normal(0, 1.5, rows)
    return pd.DataFrame(measures | {"zone": zone} | others | {TARGET: cost})


def mostly_unmeasured(rng: np.random.Generator, made: pd.DataFrame) -> pd.DataFrame:
    """Return parcels of which nine in ten lack each measure, as where a scanner drops most messages."""
    measured = made[list(MEASURED)]
    return made.assign(**measured.where(rng.random(measured.shape) < 0.1))
