"""Storage and arithmetic make no drift: other precisions, and noise on a constant or on a few values."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from selfheal_jobs.columns.scan import Compared, TablePair, read_column
from selfheal_jobs.drift.compare import compare
from selfheal_jobs.drift.storage_noise import without_storage_noise
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy
from selfheal_operator.api.v1alpha1.drift import Drift

RANDOM = np.random.default_rng(4)
ROWS = 800
RATES = [0.1, 0.2, 0.3, 0.7]


def column_of(reference: Any, current: Any) -> Any:
    """Return a column as a check reads it."""
    before, now = (ArrowTable(pa.table({"x": side})) for side in (reference, current))
    return read_column("x", before, now, ColumnPolicy())


def outcome_of(reference: Any, current: Any) -> tuple[bool, bool]:
    """Return whether a column drifts, and whether its numbers had to be rounded for it."""
    column = column_of(reference, current)
    rows = TablePair(*(ArrowTable(pa.table({"x": side})) for side in (reference, current)))
    found = compare([column], Drift(), 0.3, rows).columns[0]
    return found.drifted, bool(without_storage_noise(column).compared_in)


def drawn(values: Any, width: str = "float64", rows: int = ROWS) -> Any:
    """Return rows that hold any of these values."""
    return RANDOM.choice(values, rows).astype(width)


def noise(rows: int = ROWS, size: float = 1e-7) -> Any:
    """Return what arithmetic leaves."""
    return RANDOM.normal(0, size, rows)


def decimals(values: Any, scale: int) -> Any:
    """Return numbers as a database stores money."""
    return pa.array([Decimal(f"{value:.{scale}f}") for value in values], pa.decimal128(12, scale))


GRID = np.arange(1, 60) / 10

SAME: dict[str, tuple[Any, Any]] = {
    "float32 and float64": (drawn(RATES, "float32"), drawn(RATES)),
    "float64 and float32": (drawn(RATES), drawn(RATES, "float32")),
    "float16 and float64": (drawn(RATES, "float16"), drawn(RATES)),
    "float16 and float32": (drawn(RATES, "float16"), drawn(RATES, "float32")),
    "many values": (drawn(GRID, "float32"), drawn(GRID)),
    "of a large reference": (drawn(RATES, "float32", 1500), drawn(RATES, rows=1500)),
    "decimals and float32": (decimals(drawn(RATES), 2), drawn(RATES, "float32")),
    "decimals and unrounded": (decimals(drawn(RATES), 2), drawn(RATES) + noise(size=1e-5)),
    "decimals of two scales": (decimals(drawn(RATES), 2), decimals(drawn(RATES) + noise(size=1e-5), 6)),
    "noise on a constant": (np.full(ROWS, 0.5), 0.5 + noise()),
    "noise on a small constant": (np.full(ROWS, 0.01), 0.01 + noise()),
    "noise on zero": (np.zeros(ROWS), noise()),
    "noise on a large constant": (np.full(ROWS, 4e6), 4e6 + noise(size=0.1)),
    "noise in the reference": (0.5 + noise(), np.full(ROWS, 0.5)),
    "noise on few values": (drawn(RATES), drawn(RATES) + noise()),
    "noise on zero and one": (drawn([0.0, 1.0], rows=1500), drawn([0.0, 1.0], rows=1500) + noise(1500)),
    "noise on a whole constant": (np.full(ROWS, 7), 7 + noise()),
    "float32 that went through CSV": (
        drawn([0.1, 0.2], "float32").astype("float64"), drawn([0.1, 0.2])
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_differences_of_storage_are_no_drift(case: str) -> None:
    """Both sides are compared in the coarser precision, and the facts say so."""
    assert outcome_of(*SAME[case]) == (False, True), case


DIFFERENT: dict[str, tuple[Any, Any, bool]] = {
    "other rates of another width": (drawn(RATES, "float32"), drawn([0.1, 0.2, 0.5, 0.7]), True),
    "other shares under noise": (drawn(RATES), drawn([0.1, 0.1, 0.1, 0.7]) + noise(), True),
    "a constant that moved": (np.full(ROWS, 0.5), np.full(ROWS, 0.51), False),
    "a constant that moved a little": (np.full(ROWS, 5e-8), np.full(ROWS, 9e-8), False),
    "a constant that varies": (np.full(ROWS, 0.5), 0.5 + noise(size=0.01), False),
    "a small scale": (noise(), 1e-7 + noise(), False),
    "far from zero": (5e6 + noise(size=1), 5e6 + noise(size=1) + 1, False),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_real_differences_remain(case: str) -> None:
    """Also beside a difference of precision, and where all numbers are tiny or close together."""
    reference, current, rounded = DIFFERENT[case]

    assert outcome_of(reference, current) == (True, rounded), case


@pytest.mark.parametrize("width", ["float32", "float64"])
def test_columns_of_one_precision_are_compared_as_they_are(width: str) -> None:
    """Measurements, few values and integers: nothing is even copied."""
    for reference, current in (
        (RANDOM.normal(size=ROWS), RANDOM.normal(size=ROWS)),
        (drawn(RATES), drawn(RATES)),
        (drawn(RATES), drawn([*RATES, 0.9])),
        (np.zeros(ROWS), np.maximum(0, RANDOM.normal(size=ROWS))),
        (RANDOM.integers(0, 99, ROWS), RANDOM.integers(0, 99, ROWS)),
    ):
        column = column_of(reference.astype(width), current.astype(width))

        assert isinstance(column, Compared)
        assert without_storage_noise(column) is column


def test_numbers_that_the_coarser_precision_cannot_hold_stay() -> None:
    """float16 ends at 65,504: greater numbers would be infinite."""
    found = without_storage_noise(column_of(drawn(RATES, "float16"), np.append(drawn(RATES), [70_000.0])))

    assert found.current.numbers is not None
    assert found.current.numbers.max() == 70_000
