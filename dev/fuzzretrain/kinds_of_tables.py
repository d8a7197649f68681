"""Hostile numbers of rows, copies of rows, and times."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fuzzretrain.inputs import (
    NOT_REGISTERED,
    ROWS,
    TARGET,
    Input,
    Kind,
    Random,
    arrow,
    classes,
    is_chance,
    pair,
    quantities,
    with_column,
)

_START: Final = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def _sized(*sizes: tuple[int, int]) -> Callable[[Random], Input]:
    def make(random: Random) -> Input:
        before, now = sizes[int(random.integers(0, len(sizes)))]
        base = quantities if is_chance(random, 2) else classes
        whole = str(random.choice(["Auto", "Current", "Reference", "ReferenceAndCurrent"]))
        return Input(
            reference=arrow(base(random, before)),
            current=arrow(base(random, now)),
            spec={"retraining": {"trainingData": whole}},
            as_csv=is_chance(random, 3),
        )

    return make


def _copied(random: Random) -> Input:
    """Rows that are delivered several times, or the reference itself."""
    rows = arrow(classes(random))
    times = int(random.integers(1, 6))
    parts = [rows, *([arrow(classes(random, 50))] if is_chance(random, 2) else [])]
    return Input(reference=rows, current=pa.concat_tables([rows] * times + parts))


def _one_row_only(random: Random) -> Input:
    row = arrow(classes(random, 1))
    return Input(reference=arrow(classes(random)), current=pa.concat_tables([row] * ROWS))


def _wide(random: Random) -> Input:
    """More columns than rows."""

    def change(table: pa.Table) -> pa.Table:
        for number in range(120):
            table = with_column(table, f"c{number}", pa.array(random.normal(size=len(table))))
        return table

    reference, current = pair(random, change, rows=100)
    return Input(reference=reference, current=current)


def _without_features(random: Random) -> Input:
    reference, current = pair(random, lambda table: table.select([TARGET]))
    return Input(reference=reference, current=current)


def _emptied(random: Random) -> Input:
    """A feed that broke: its columns are constant or empty now."""
    reference, current = pair(random, lambda table: table)
    broken = random.choice([pa.nulls(ROWS, pa.float64()), pa.array(np.zeros(ROWS))])
    return Input(reference=reference, current=with_column(current, "x", pa.array(broken)))


Times = Callable[[Random, int], pa.Array]


def _days(random: Random, rows: int) -> list[dt.datetime]:
    return [_START + dt.timedelta(minutes=int(m)) for m in random.integers(0, 30_000, rows)]


TIMES: Final[dict[str, Times]] = {
    "of one zone": lambda random, rows: pa.array(_days(random, rows), pa.timestamp("ms", "Europe/Berlin")),
    "without a zone": lambda random, rows: pa.array(
        [each.replace(tzinfo=None) for each in _days(random, rows)]
    ),
    "all equal": lambda _, rows: pa.array([_START] * rows),
    "as words": lambda random, rows: pa.array([each.isoformat() for each in _days(random, rows)]),
    "half unreadable": lambda random, rows: pa.array(
        [each.isoformat() if place % 2 else "soon" for place, each in enumerate(_days(random, rows))]
    ),
    "unreadable": lambda _, rows: pa.array(["soon"] * rows),
    "empty": lambda _, rows: pa.nulls(rows, pa.timestamp("us", "UTC")),
    "as seconds": lambda random, rows: pa.array([int(each.timestamp()) for each in _days(random, rows)]),
    "as days": lambda random, rows: pa.array([int(f"{each:%Y%m%d}") for each in _days(random, rows)]),
    "of the year 9999": lambda _, rows: pa.array([dt.datetime(9999, 12, 31)] * rows, pa.timestamp("us")),  # noqa: DTZ001
    "negative": lambda random, rows: pa.array(-random.integers(0, 10**18, rows)),
    "infinite": lambda random, rows: pa.array(np.where(random.random(rows) < 0.1, np.inf, 1e9)),
    "truth": lambda random, rows: pa.array(random.random(rows) < 0.5),
    "dates": lambda random, rows: pa.array([each.date() for each in _days(random, rows)]),
}


def _timed(times: Times) -> Callable[[Random], Input]:
    def make(random: Random) -> Input:
        reference, current = pair(
            random,
            lambda table: with_column(table, "when", times(random, len(table))),
            quantity=is_chance(random, 2),
        )
        columns: dict[str, Any] = {"columns": {"timestamp": "when"}}
        window = {"window": {"timestampColumn": "when", "lookbackSeconds": 315_360_000}}
        return Input(
            reference=reference,
            current=current,
            spec={"dataset": window if is_chance(random, 3) else columns},
            as_csv=is_chance(random, 4),
        )

    return make


KINDS: Final = (
    Kind(name="size: no rows", make=_sized((0, 0), (ROWS, 0), (0, ROWS))),
    Kind(name="size: one row", make=_sized((1, 1), (ROWS, 1), (1, ROWS))),
    Kind(name="size: too few rows", make=_sized((20, 20), (39, 39), (10, 39))),
    Kind(name="size: just enough rows", make=_sized((40, 40), (41, 45), (60, 60), (2, 41))),
    Kind(name="size: one side much larger", make=_sized((50, 2000), (2000, 50))),
    Kind(name="rows: delivered several times", make=_copied),
    Kind(name="rows: one, many times", make=_one_row_only, may=NOT_REGISTERED),
    Kind(name="columns: more than rows", make=_wide),
    Kind(name="columns: none but the target", make=_without_features, may=NOT_REGISTERED),
    Kind(name="columns: broken now", make=_emptied, may=NOT_REGISTERED),
    *(Kind(name=f"times: {name}", make=_timed(times)) for name, times in TIMES.items()),
)
