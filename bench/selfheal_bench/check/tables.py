"""The tables that are compared: both sides drawn from the same distributions, or all columns drifted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

LEVELS: Final = (5, 3, 12, 40)
"""How many values a categorical column has; the columns take turns."""
SHIFT: Final = 0.5
"""Of a numerical column that has drifted, in its standard deviations. Categories swap their frequencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large both sides are, and how often they are compared by default."""

    name: str
    rows: int
    """Of each side."""
    numerical: int
    categorical: int
    runs: int

    @property
    def columns(self) -> int:
        """How many there are."""
        return self.numerical + self.categorical


SIZES: Final = {
    size.name: size
    for size in (
        Size(name="S", rows=500, numerical=5, categorical=1, runs=7),
        Size(name="M", rows=100_000, numerical=5, categorical=1, runs=7),
        Size(name="L", rows=1_000_000, numerical=16, categorical=4, runs=3),
        Size(name="W", rows=100_000, numerical=80, categorical=20, runs=3),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Both sides of one size, as Parquet files."""

    size: Size
    reference: Path
    current: Path
    drifted: bool = False
    """Whether every column has drifted; if not, none has."""


def write_tables(folder: Path, size: Size, *, drifted: bool = False) -> Tables:
    """Draw both sides, the same ones in every run of the benchmark."""
    tables = Tables(
        size=size,
        drifted=drifted,
        reference=folder / f"{size.name}-reference.parquet",
        current=folder / f"{size.name}-current.parquet",
    )
    for seed, path in enumerate((tables.reference, tables.current)):
        columns = _columns(size, np.random.default_rng(seed), drifted=drifted and path == tables.current)
        pq.write_table(pa.table(dict(columns)), path)
    return tables


def _columns(size: Size, random: np.random.Generator, *, drifted: bool) -> Iterator[tuple[str, Any]]:
    for number in range(size.numerical):
        numbers = _numbers(number, size.rows, random)
        yield f"n{number}", numbers + drifted * SHIFT * numbers.std()
    for number in range(size.categorical):
        yield f"c{number}", _words(LEVELS[number % len(LEVELS)], size.rows, random, drifted=drifted)


def _numbers(number: int, rows: int, random: np.random.Generator) -> NDArray[np.float64]:
    match number % 4:
        case 0:
            return random.normal(size=rows)
        case 1:
            return random.lognormal(size=rows)
        case 2:
            return np.round(random.gamma(2.0, 50.0, size=rows), 2)  # as amounts of money are
        case _:
            return random.standard_t(5, size=rows)


def _words(levels: int, rows: int, random: np.random.Generator, *, drifted: bool) -> pa.Array:
    """Draw words, the first ones more often than the last; the other way round if they have drifted."""
    share = 1 / np.arange(1, levels + 1)[:: -1 if drifted else 1]
    codes = random.choice(levels, rows, p=share / share.sum())
    words = pa.array([f"level-{number:02}" for number in range(levels)])
    return words.take(pa.array(codes))
