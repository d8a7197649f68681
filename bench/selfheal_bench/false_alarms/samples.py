"""What is compared: columns drawn at random, on both sides from one distribution, or moved on one of them.

Drift is half a standard deviation in half of the columns, picked anew for each check.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demo.datasets.flights import FEATURES, read_seasons

Array = NDArray[Any]
Random = np.random.Generator

SHIFT: Final = 0.5
"""Standard deviations."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one side."""

    values: Array
    """Numbers; for categories, whole numbers from 0."""
    deviation: float | None
    """Of its distribution, by which it is moved; None for categories."""


Side = Sequence[Column]
Draw = Callable[[Random, int], list[Column]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of table."""

    name: str
    told: str
    draw: Draw
    """Draws so many rows."""


def plain(random: Random, rows: int) -> list[Column]:
    """Draw five normal columns and a binary one, independent of each other."""
    return [*(Column(each, 1.0) for each in random.standard_normal((5, rows))), _flag(random, rows, 0.5)]


def correlated(random: Random, rows: int) -> list[Column]:
    """Draw the same, but any two normal columns correlated by 0.8."""
    common = random.standard_normal(rows)
    normal = np.sqrt(0.8) * common + np.sqrt(0.2) * random.standard_normal((5, rows))
    return [*(Column(each, 1.0) for each in normal), _flag(random, rows, 0.5)]


def awkward(random: Random, rows: int) -> list[Column]:
    """Draw what real tables hold: skewed, heavy tails, mostly zero, rounded, rare and many categories."""
    return [
        Column(np.exp(random.standard_normal(rows)), 2.16),
        Column(random.standard_t(3, rows), 1.73),
        Column(np.where(random.random(rows) < 0.6, 0.0, random.exponential(size=rows)), 0.8),
        Column(np.round(random.standard_normal(rows), 1), 1.0),
        _flag(random, rows, 0.03),
        Column(random.choice(40, rows, p=_MANY), None),
    ]


_MANY: Final = np.arange(1, 41) / np.arange(1, 41).sum()


def _flag(random: Random, rows: int, share: float) -> Column:
    return Column((random.random(rows) < share).astype(np.int64), None)


def moved(random: Random, side: Side) -> list[Column]:
    """Move half of the columns: numbers by half a standard deviation, categories by as much of a share."""
    chosen = set(random.choice(len(side), len(side) // 2, replace=False).tolist())
    return [_moved(random, column) if number in chosen else column for number, column in enumerate(side)]


def _moved(random: Random, column: Column) -> Column:
    if column.deviation is not None:
        return Column(column.values + SHIFT * column.deviation, column.deviation)  # noqa: PD011 - no pandas here
    # Half of the rows of the commonest category become another one: of two even ones, half a deviation.
    values = column.values.copy()  # noqa: PD011 - no pandas here
    commonest = np.bincount(values).argmax()
    movers = (values == commonest) & (random.random(len(values)) < SHIFT)
    values[movers] = (commonest + 1) % (values.max() + 1)
    return Column(values, None)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws rows of a table, without putting them back."""

    columns: Side

    def __call__(self, random: Random, rows: int) -> list[Column]:
        """Draw so many."""
        chosen = random.choice(len(self.columns[0].values), rows, replace=False)
        return [Column(each.values[chosen], each.deviation) for each in self.columns]  # noqa: PD011 - no pandas here


def flights(folder: Path) -> Kind:
    """Return a draw of real rows: flights of January to March 2013 with the weather at their departure.

    Both sides come from the same season, so that there is no drift; columns hang together, and have gaps.
    """
    winter = read_seasons(folder).winter[FEATURES]
    columns = [_coded(winter[name]) for name in FEATURES]
    return Kind("flights", f"{len(columns)} real columns of flights and weather, both sides from one season",
                Drawn(columns))  # fmt: skip


def _coded(values: pd.Series) -> Column:
    if values.dtype.kind in "if":
        return Column(values.to_numpy(dtype=np.float64), float(values.std()))
    return Column(pd.factorize(values)[0], None)


DRAWN: Final = (
    Kind("correlated", "5 normal columns, any two correlated by 0.8, and a binary one", correlated),
    Kind("awkward", "skewed, heavy tails, mostly zero, rounded, a rare category, 40 categories", awkward),
)
PLAIN: Final = Kind("plain", "5 normal columns and a binary one, independent", plain)
