"""The base of every input: an ordinary table, with a secret among its values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from selfheal_operator.api.report import CheckReport

CANARY: Final = "hunter2-canary-in-a-cell"
"""A cell value that must not leak: tables hold private data, which must never reach a log."""
ROWS: Final = 150

Random = np.random.Generator
Write = Callable[[Path, Random], str]
"""Writes the current data into a folder, and returns the name of the file, or of the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A way for data to be wrong."""

    name: str
    write: Write
    is_garbage: bool
    """Nothing in it supports a verdict: the result has to be Error or Inconclusive."""
    spec: Callable[[Path], dict[str, Any]] | None = None
    """Returns what the spec says beside the two sides, for what was written into a folder."""
    wrong: Callable[[Path, CheckReport], Iterable[str]] | None = None
    """Yields what is wrong with the report on what was written into a folder."""


def table(random: Random, rows: int = ROWS) -> pd.DataFrame:
    """Return a table as any other."""
    return pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "n": random.integers(0, 1000, size=rows),
            "plan": random.choice(["a", "b", CANARY], size=rows),
            "flag": random.integers(0, 2, size=rows).astype(bool),
            "score": random.integers(0, 2, size=rows),
            "label": random.integers(0, 2, size=rows),
        }
    )


def csv(random: Random) -> bytes:
    """Return the table as CSV."""
    return table(random).to_csv(index=False).encode()
