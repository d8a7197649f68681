"""The tables of one monitor, as files."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

REFERENCE = "reference.parquet"
CURRENT = "current.parquet"
HELD_OUT = "held-out.parquet"


@dataclass(frozen=True)
class Tables:
    """What a monitor compares, and rows of a later time that no model ever learns from."""

    reference: pd.DataFrame
    current: pd.DataFrame
    held_out: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write each table as Parquet."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in ((REFERENCE, self.reference), (CURRENT, self.current), (HELD_OUT, self.held_out)):
            table.to_parquet(folder / name, index=False)
