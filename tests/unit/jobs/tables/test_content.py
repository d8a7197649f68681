from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.content import Values, content, content_of
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Reason


def held(values: Any, kind: Any = None) -> Any:
    """Return what a column in one chunk holds."""
    return content_of(pa.chunked_array([pa.array(values, kind)]))


@pytest.mark.parametrize(
    ("case", "values", "kind", "numbers"),
    [
        ("integers", [1, 2], pa.int8(), [1, 2]),
        ("integers with a gap", [1, None, 3], pa.uint16(), [1.0, 3.0]),
        ("floats with both sorts of gap", [1.5, None, float("nan"), 2.5], None, [1.5, 2.5]),
        ("infinite numbers", [1.5, float("inf"), float("-inf")], None, [1.5]),
        ("small floats", [1.5, None], pa.float32(), [1.5]),
        ("decimals", [Decimal("1.5"), None], None, [1.5]),
    ],
)
def test_numbers_are_finite_and_without_gaps(case: str, values: Any, kind: Any, numbers: Any) -> None:
    """Integers stay integers as long as none is missing, as in pandas."""
    found = held(values, kind)

    assert found.holds is Values.NUMBERS, case
    assert found.numbers.tolist() == numbers, case
    assert found.numbers.dtype.kind == ("f" if isinstance(numbers[0], float) else "i"), case


def test_gaps_are_found_in_slices_and_in_many_chunks() -> None:
    """A slice begins in the middle of a byte of the validity bitmap."""
    whole = pa.array([None if n % 3 == 0 else n for n in range(100)], pa.int64())
    column = pa.chunked_array([whole.slice(5, 20), whole.slice(30, 0), whole.slice(61)])

    numbers = content_of(column).numbers
    assert numbers is not None
    expected = [n for n in [*range(5, 25), *range(61, 100)] if n % 3]
    assert numbers.tolist() == expected


@pytest.mark.parametrize(
    ("values", "kind", "holds"),
    [
        ([None, None], pa.null(), Values.NOTHING),
        ([None, None], pa.float64(), Values.NOTHING),
        ([None], pa.string(), Values.NOTHING),
        ([float("nan"), float("inf")], None, Values.NOTHING),
        ([b"a"], None, Values.OTHER),
        ([[1]], None, Values.OTHER),
        ([np.datetime64("2024-01-01", "s")], None, Values.DATES),
        ([None], pa.date32(), Values.NOTHING),
        ([True, None], None, Values.BOOLEANS),
        (["a"], pa.large_string(), Values.TEXT),
        (["a"], pa.string_view(), Values.TEXT),
        (["a", None], pa.dictionary(pa.int8(), pa.string()), Values.TEXT),
        ([1, None], pa.dictionary(pa.int8(), pa.int64()), Values.NUMBERS),
    ],
)
def test_what_a_column_holds_is_told_by_its_type_and_its_values(
    values: Any, kind: Any, holds: Values
) -> None:
    """A column of gaps holds nothing, whatever its type."""
    assert held(values, kind).holds is holds


def test_words_are_counted_over_all_batches() -> None:
    """Without the gaps."""
    column = pa.chunked_array([["a", "b", None], ["b"], []], pa.string())

    assert content_of(column).counts == {"a": 1, "b": 2}


def test_counting_is_given_up_after_so_many_words() -> None:
    """Identifiers would fill the memory, and mean nothing."""
    table = ArrowTable(pa.table({"id": [str(n) for n in range(100)]}))

    assert content(table, "id", most_words=99).open_ended
    assert not content(table, "id", most_words=100).open_ended


def test_numbers_count_as_categories_whatever_they_are_stored_as() -> None:
    """1 and 1.0 are one category."""
    assert held([1, 2, 2]).value_counts() == held([1.0, 2.0, 2.0]).value_counts() == {1: 1, 2: 2}


def test_text_that_is_not_utf8_is_the_datas_fault() -> None:
    """Arrow takes a writer's word for it; the complaint names the column, and not the bytes."""
    words = pa.array([b"a\xff\xfe", b"b"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(words), words.buffers())

    with pytest.raises(DataError, match="The column 'plan' holds text that is not UTF-8") as complaint:
        content(ArrowTable(pa.table({"plan": text})), "plan")

    assert complaint.value.reason is Reason.DATA_UNREADABLE
