from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from selfheal_jobs.tables.content import Content, aligned, content_of
from selfheal_jobs.tables.exact_integers import RoundedIntegersError

LIMIT = 2**53


def content(values, kind):
    """Return the content of a column."""
    return content_of(pa.chunked_array([pa.array(values, kind)]))


def numbers(sides: tuple[Content, Content]) -> list[Any]:
    """Return the numbers of both sides."""
    return [side.numbers for side in sides]


@pytest.mark.parametrize(("largest", "dtype"), [(LIMIT, "float64"), (LIMIT + 1, "int64")])
def test_integers_with_a_gap_stay_integers_where_a_float_would_round_them(largest, dtype):
    """Up to 2**53 they are floats, as in pandas: the verdicts of such columns stay as they are."""
    found = content([largest, None, 1], pa.int64())

    assert found.numbers.dtype == dtype
    assert [int(number) for number in found.numbers] == [largest, 1]
    assert found.whole


@pytest.mark.parametrize("kind", [pa.decimal128(20, 0), pa.decimal256(40, 0)])
def test_decimals_without_a_fraction_are_exact(kind):
    """Databases export long identifiers as NUMERIC(20)."""
    found = content([Decimal(LIMIT + 1), Decimal(LIMIT), None], kind)

    assert dict(found.value_counts()) == {LIMIT + 1: 1, LIMIT: 1}


def test_a_side_with_floats_is_compared_as_integers():
    """Whole floats below 2**53 are exact, and so is the comparison with codes beyond it."""
    codes, floats = content([LIMIT + 1, 5], pa.int64()), content([5.0, 7.0], pa.float64())

    one, other = numbers(aligned(codes, floats))

    assert (one.dtype, other.dtype) == (np.int64, np.int64)
    assert other.tolist() == [5, 7]


@pytest.mark.parametrize("value", [float(LIMIT), 1e17, 0.5])
def test_a_side_that_has_rounded_its_codes_is_not_compared(value):
    """2**53 may have been 2**53 + 1; and a fraction is no code."""
    with pytest.raises(RoundedIntegersError):
        aligned(content([LIMIT + 1, 5], pa.int64()), content([value, 5.0], pa.float64()))


def test_short_integers_and_floats_are_compared_as_they_are():
    """Nothing is converted where nothing would be rounded."""
    integers, floats = content([LIMIT, 5], pa.int64()), content([0.5, 5.0], pa.float64())

    assert aligned(integers, floats) == (integers, floats)


def test_integers_without_a_sign_are_compared_with_those_that_have_one():
    """NumPy would compare int64 and uint64 as float64."""
    sides = numbers(aligned(content([LIMIT + 1], pa.int64()), content([LIMIT + 2], pa.uint64())))

    assert [each.tolist() for each in sides] == [[LIMIT + 1], [LIMIT + 2]]
    with pytest.raises(RoundedIntegersError):
        aligned(content([LIMIT + 1], pa.int64()), content([2**63], pa.uint64()))
