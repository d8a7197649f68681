"""Data in which there is nothing to find: normal features, a label by the toss of a coin, and no drift.

The negative control: a monitor must stay quiet on it, and honest scores are those of guessing.
`python synthetic.py FOLDER` writes the tables where nothing but NumPy, pandas and PyArrow is installed.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

TARGET: Final = "label"
FEATURES: Final = 5
REFERENCE_ROWS: Final = 100_000
CURRENT_ROWS: Final = 500
HELD_OUT_ROWS: Final = 5_000
NOISE: Final = 0.1
"""Standard deviation of what is added to the current rows, whose features have one of 1."""
SEED: Final = 2013


def synthetic(seed: int = SEED) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return reference, current (a noisy sample of the reference) and held-out rows."""
    random = np.random.default_rng(seed)
    reference = _coin_tosses(REFERENCE_ROWS, random)
    rows = random.choice(REFERENCE_ROWS, size=CURRENT_ROWS, replace=False)
    current = reference.iloc[rows].reset_index(drop=True)
    features = current.columns.drop(TARGET)
    current[features] += random.normal(0, NOISE, size=(CURRENT_ROWS, FEATURES))
    return reference, current, _coin_tosses(HELD_OUT_ROWS, random)


def _coin_tosses(rows: int, random: np.random.Generator) -> pd.DataFrame:
    columns = [f"feature_{number}" for number in range(1, FEATURES + 1)]
    table = pd.DataFrame(random.normal(size=(rows, FEATURES)), columns=columns)
    table[TARGET] = random.integers(0, 2, size=rows)
    return table


def main(folder: Path) -> None:
    """Write reference and current as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    reference, current, _ = synthetic()
    reference.to_parquet(folder / "reference.parquet", index=False)
    current.to_parquet(folder / "current.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
