"""With a profile and without one a check says the same, down to the last digit."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_jobs.check.run import look
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.drift.methods.pair import Numbers
from selfheal_jobs.drift.methods.wasserstein import deviation
from selfheal_jobs.reference_profile import opening
from support.builders.profiled_checks import by_profile, checked, profiles, request_in, stored, told

Random = np.random.Generator


def gaps(random: Random, values: Any) -> list[Any]:
    """Leave out a fifth of the values."""
    return [None if random.random() < 0.2 else value for value in values]


COLUMNS: dict[str, Any] = {
    "measured": lambda random, rows: random.normal(random.random(), size=rows),
    "measured with gaps": lambda random, rows: gaps(random, random.normal(size=rows)),
    "measured, some infinite": lambda random, rows: np.where(
        random.random(rows) < 0.1, -np.inf, random.normal(size=rows)
    ),
    "halves": lambda random, rows: random.integers(-3, 3, size=rows) / 2,
    "counted": lambda random, rows: random.poisson(30, size=rows),
    "counted with gaps": lambda random, rows: gaps(random, random.poisson(5, size=rows)),
    "small integers": lambda random, rows: random.integers(0, 100, size=rows).astype("int8"),
    "unsigned": lambda random, rows: random.integers(2**63, 2**63 + 30, size=rows, dtype="uint64"),
    "float32": lambda random, rows: random.integers(0, 9, size=rows).astype("float32") / 7,
    "far from zero": lambda random, rows: 1e12 + random.integers(0, 50, size=rows) / 8,
    "huge": lambda random, rows: random.integers(-9, 9, size=rows) * 1e307,
    "decimals": lambda random, rows: [Decimal(int(each)) / 4 for each in random.integers(0, 9, size=rows)],
    "codes": lambda random, rows: random.integers(0, 4, size=rows),
    "flags": lambda random, rows: gaps(random, random.integers(0, 2, size=rows).astype(bool)),
    "words": lambda random, rows: gaps(random, random.choice(["a", "b", "", "ä"], size=rows)),
    "one word": lambda random, rows: ["a"] * rows,
    "category": lambda random, rows: pd.Series(random.choice(["x", "y"], size=rows), dtype="category"),
    "category of numbers": lambda random, rows: pd.Series(
        random.choice([1.5, 2.5], size=rows), dtype="category"
    ),
    "identifiers": lambda random, rows: [f"id-{each}" for each in random.integers(0, 10**9, size=rows)],
    "dates as text": lambda random, rows: [
        f"2026-01-{each:02}" for each in random.integers(1, 28, size=rows)
    ],
    "dates": lambda random, rows: [
        datetime(2026, 1, 1) + timedelta(days=int(each))  # noqa: DTZ001  as files hold them
        for each in random.integers(0, 99, size=rows)
    ],
    "lists": lambda random, rows: [[int(each)] for each in random.integers(0, 9, size=rows)],
    "nothing": lambda random, rows: [None] * rows,
}
"""Makes a column from a source of random numbers and the number of rows."""
SIGNALS = [
    {"name": "predictions", "type": "PredictionDrift"},
    {"name": "labels", "type": "TargetDrift"},
    {"name": "new", "type": "DataQuality", "dataQuality": {"metric": "new_categories", "maxValue": 0.1}},
    {"name": "outside", "type": "DataQuality", "dataQuality": {"metric": "out_of_range", "maxValue": 0.1}},
    {"name": "constant", "type": "DataQuality", "dataQuality": {"metric": "constant_columns", "maxValue": 0}},
    {"name": "f1", "type": "Performance", "performance": {"metric": "f1_macro", "minValue": 0.5}},
]
NUMERICAL = [each.id for each in METHODS.values() if Kind.NUMERICAL in each.kinds]
SLOW, FEW_ROWS = "empirical_mmd", 60
"""Its permutations of a thousand rows take seconds a column."""
CATEGORICAL = [each.id for each in METHODS.values() if Kind.CATEGORICAL in each.kinds]


def table(kinds: list[str], label: str, random: Random, rows: int) -> pd.DataFrame:
    """Return a table with these columns."""
    columns = {f"{number} {kind}": COLUMNS[kind](random, rows) for number, kind in enumerate(kinds)}
    return pd.DataFrame(
        columns | {"label": COLUMNS[label](random, rows), "score": COLUMNS[label](random, rows)}
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_the_profile_changes_nothing_in_a_report(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever the columns hold, and whatever is asked of them."""
    folder = tmp_path_factory.mktemp("same")
    kinds = data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=6))
    label = data.draw(
        st.sampled_from(["codes", "words", "measured", "counted", "dates as text", "identifiers"])
    )
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    sizes = st.integers(1, FEW_ROWS) | st.integers(1001, 1100)
    before, now = (table(kinds, label, random, data.draw(sizes)) for _ in range(2))
    numerical = [name for name in NUMERICAL if name != SLOW or max(len(before), len(now)) <= FEW_ROWS]
    stored(before, folder / "reference.parquet")
    if data.draw(st.booleans()):
        now = now.drop(columns=now.columns[0])
    stored(now, folder / "current.parquet")
    policy = {
        "empty": data.draw(st.sampled_from(["Skip", "CountAsDrift", "Fail"])),
        "missing": data.draw(st.sampled_from(["Skip", "CountAsDrift", "Fail"])),
    }
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    drift = {
        "rule": data.draw(st.sampled_from(["Calibrated", "Evidently"])),
        "numericalMethod": data.draw(st.none() | st.sampled_from(numerical)),
        "categoricalMethod": data.draw(st.none() | st.sampled_from(CATEGORICAL)),
    }
    request = request_in(
        folder,
        dataset=sides | {"minRows": 1, "columnPolicy": policy, "columns": {"prediction": "score"}},
        drift={name: value for name, value in drift.items() if value},
        signals=data.draw(st.sampled_from([[], SIGNALS])),
    )

    with patch.object(opening, "LEAST_BYTES", 1 << 62):
        without = look(request)
    learning = checked(request)
    after = checked(request)

    assert without.profile_cache is None
    assert by_profile(after) == bool(profiles(folder)) == (without.comparison is not None)
    assert told(request, after) == told(request, learning) == told(request, without)


@pytest.mark.parametrize("reference", ["reference.parquet", "reference.csv"])
def test_correlations_are_the_same_though_no_row_is_kept(tmp_path: Path, reference: str) -> None:
    """Of a reference of more rows than are looked at for them, with columns that move together and drift."""
    random = np.random.default_rng(5)
    level = random.normal(size=30_000)
    frame = pd.DataFrame(
        {f"c{each}": np.round(level + random.normal(size=30_000) / 9, 1) for each in range(6)}
        | {"plan": random.choice(["a", "b", "c"], size=30_000), "label": 1}
    )
    stored(frame, tmp_path / reference)
    stored(frame[:400] + frame[:400], tmp_path / "current.parquet")
    request = request_in(tmp_path, reference=reference, drift={"rule": "Calibrated"})

    before, after = checked(request), checked(request)

    assert by_profile(after)
    assert before.comparison is not None
    assert before.comparison.columns_drifted > 0
    assert told(request, after) == told(request, before)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), sizes=st.tuples(st.integers(2, 300), st.integers(2, 300)))
def test_no_other_method_depends_on_the_order_of_rows(seed: int, sizes: tuple[int, int]) -> None:
    """Counts are enough for a method only if every order of the same rows has the same score."""
    random = np.random.default_rng(seed)
    before, now = (np.round(random.normal(size=size), 1) for size in sizes)
    shuffled = random.permutation(before)
    with np.errstate(all="ignore"):
        for method in METHODS.values():
            if not method.order_matters and Kind.NUMERICAL in method.kinds and len(set(before)) > 1:
                score = method.score(Numbers(before, now))
                pair = Numbers(shuffled, now, deviation(before))
                assert repr(method.score(pair)) == repr(score), method.id
