from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.columns.infer_kind import Column, Skipped
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import plan
from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.content import text_columns
from selfheal_operator.api.reasons import Reason
from support.builders.arrow_tables import arrow_table

NUMERICAL, CATEGORICAL = Kind.NUMERICAL, Kind.CATEGORICAL


def plan_of(reference: pd.DataFrame, current: pd.DataFrame) -> Any:
    """Return the plan for two frames."""
    return plan(arrow_table(reference), arrow_table(current), left_out=["label"])


def planned(values: Any, current: Any = None) -> Any:
    """Return what becomes of a column `x`."""
    reference = pd.DataFrame({"x": values})
    now = reference if current is None else pd.DataFrame({"x": current})
    found = plan_of(reference, now)
    return (*found.compared, *found.skipped)[0]


@pytest.mark.parametrize(
    ("case", "values", "kind"),
    [
        ("floats, even few", [1.0, 2.0, 2.0], NUMERICAL),
        ("ten distinct integers", list(range(10)) * 2, CATEGORICAL),
        ("eleven distinct integers", list(range(11)) * 2, NUMERICAL),
        ("booleans", [True, False, True], CATEGORICAL),
        ("booleans with a gap", [True, False, None], CATEGORICAL),
        ("decimals", [Decimal("1.5"), Decimal("2.5"), None], NUMERICAL),
        ("unsigned integers", np.arange(20, dtype="uint8"), NUMERICAL),
        ("text, half of it distinct", ["a", "a", "b", "b"], CATEGORICAL),
        ("a category of numbers", pd.Series([1.5, 2.5, 1.5], dtype="category"), CATEGORICAL),
        ("a category of text", pd.Series(["a", "a", "b"] * 2, dtype="category"), CATEGORICAL),
    ],
)
def test_a_column_is_compared_as_its_reference_says(case: str, values: Any, kind: Kind) -> None:
    """The rules are Evidently's, at their boundaries."""
    column = planned(values)

    assert isinstance(column, Column), case
    assert column.kind is kind, case


@pytest.mark.parametrize(
    ("case", "values", "reason"),
    [
        ("text, just over half of it distinct", ["a", "b", "c", "c", "c"], "nearly every value differs"),
        (
            "the same as a category",
            pd.Series(["a", "b", "c", "c", "c"], dtype="category"),
            "nearly every value",
        ),
        ("dates", pd.date_range("2024-01-01", periods=3), "dates"),
        ("dates as text", ["2024-01-01 05:00:00"] * 3, "dates"),
        ("days as text", ["2024-01-01", None, "2024-01-02"], "dates"),
        ("nothing", [None, None], "no values in the reference"),
        ("only infinite numbers", [np.inf, -np.inf, np.nan], "no values in the reference"),
        ("lists", [[1], [2]], "neither numbers"),
        ("durations", pd.to_timedelta([1, 2], unit="s"), "neither numbers"),
    ],
)
def test_a_column_that_no_test_fits_is_skipped_with_its_reason(case: str, values: Any, reason: Any) -> None:
    """What would always alarm, or never mean anything, is left out and listed."""
    column = planned(values)

    assert isinstance(column, Skipped), case
    assert reason in column.reason, case


def test_text_that_only_begins_like_a_date_is_text() -> None:
    """All values must be dates before a column counts as one."""
    assert isinstance(planned(["2024-01-01", "2024-01-01", "soon", "soon"]), Column)


@pytest.mark.parametrize("empty", [[None, None], [np.nan, np.inf]])
def test_a_column_without_values_now_is_skipped(empty: Any) -> None:
    """Missing values are no drift of the values: they are told of, not counted."""
    column = planned([1.5, 2.5], current=empty)

    assert column == Skipped("x", "no values in the current data", reference_null_share=0.0)


def test_the_target_is_left_out() -> None:
    """Drift of the target is another question than drift of what a model is given."""
    table = pd.DataFrame({"x": [1.5, 2.5], "label": [0, 1]})

    assert plan_of(table, table).names == ["x"]


def test_a_column_that_only_the_current_data_has_is_ignored() -> None:
    """There is nothing to compare it with."""
    reference = pd.DataFrame({"x": [1.5, 2.5]})

    assert plan_of(reference, reference.assign(new=1)).names == ["x"]


def test_missing_columns_are_named_up_to_five() -> None:
    """A person can act on the sentence; a thousand names would not help."""
    reference = pd.DataFrame({f"c{number}": [1.5, 2.5] for number in range(7)})

    with pytest.raises(
        DataError, match=r"lacks the columns 'c0', 'c1', 'c2', 'c3', 'c4' and 2 more"
    ) as caught:
        plan_of(reference, pd.DataFrame({"y": [1]}))

    assert caught.value.reason is Reason.COLUMN_MISSING


@pytest.mark.parametrize(
    ("reference", "current", "said"),
    [
        (["caf\u00e9"], ["cafe\u0301"], r"'café' (it has 'cafe\u0301', in another Unicode form) of"),
        (["amount"], ["Amount "], "'amount' (it has 'Amount ') of"),
        (["stra\u00dfe"], ["STRASSE"], "'straße' (it has 'STRASSE') of"),
        (["amount"], ["amounts"], "'amount' of"),
        (["amount", "Amount"], ["Amount"], "'amount' of"),
    ],
)
def test_a_column_that_is_only_spelt_otherwise_is_told(
    reference: list[str], current: list[str], said: str
) -> None:
    """Two names may look the same. One that the reference has too is not meant."""
    before, now = (pd.DataFrame({name: [1.5, 2.5] for name in names}) for names in (reference, current))

    with pytest.raises(DataError) as caught:
        plan_of(before, now)

    assert f"The current data lacks the column {said} the reference." in str(caught.value)


def test_a_missing_column_that_would_be_skipped_anyway_is_no_error() -> None:
    """Nobody compares identifiers, so nobody misses them."""
    reference = pd.DataFrame({"x": [1.5, 2.5, 3.5], "id": ["a", "b", "c"]})

    assert plan_of(reference, reference[["x"]]).names == ["x"]


@pytest.mark.parametrize(
    ("values", "current", "types"),
    [
        ([1.5, 2.5], ["a", "b"], "numbers in the reference, text in current"),
        (["a", "a"], [1, 2], "text in the reference, numbers in current"),
        ([True, False], [1, 0], "booleans in the reference, numbers in current"),
        ([1.5, 2.5], [[1], [2]], "numbers in the reference, values of another type in current"),
    ],
)
def test_a_column_that_changed_its_type_is_an_error(values: Any, current: Any, types: str) -> None:
    """Numbers cannot be compared with words: no verdict, and the column's name."""
    with pytest.raises(DataError, match=types) as caught:
        planned(values, current=current)

    assert caught.value.reason is Reason.COLUMN_TYPE_CHANGED
    assert "'x'" in str(caught.value)


columns_of_numbers = st.lists(st.integers(0, 50) | st.floats(allow_nan=False), min_size=1, max_size=60)


@given(reference=columns_of_numbers, current=columns_of_numbers)
def test_the_kind_never_depends_on_the_current_data(reference: Any, current: Any) -> None:
    """A column whose kind flipped between checks would be tested by another rule each time."""
    frame = pd.DataFrame(
        {
            "x": pd.Series(
                reference, dtype="float64" if any(isinstance(v, float) for v in reference) else "int64"
            )
        }
    )
    now = pd.DataFrame({"x": pd.Series(current, dtype="float64")})

    alone = {column.name: column for column in plan_of(frame, frame).compared}
    for column in plan_of(frame, now).compared:
        assert column == alone[column.name]


def test_text_columns_are_those_that_hold_text_in_the_reference() -> None:
    """They are read as text from the current data too, even if it holds only digits."""
    table = pd.DataFrame({"zip": ["A1", "A2"], "n": [1, 2], "none": [None, None]})

    assert text_columns(arrow_table(table)) == ["zip"]
