import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from selfheal_jobs.one_ahead import one_ahead


def test_values_come_in_their_order() -> None:
    """Whichever thread has worked them out."""
    assert list(one_ahead(range(100))) == list(range(100))
    assert list(one_ahead([])) == []


def test_an_error_comes_after_the_values_before_it() -> None:
    """It belongs to the value that could not be worked out."""

    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    ahead = one_ahead(failing())
    assert [next(ahead), next(ahead)] == [1, 2]

    with pytest.raises(ValueError, match="the third"):
        next(ahead)


def test_no_more_than_one_value_is_kept_ready() -> None:
    """Columns are large."""
    begun = []

    def values() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    with closing(one_ahead(values())) as ahead:
        for number in ahead:
            assert len(begun) <= number + 2


def test_the_thread_ends_with_whoever_no_longer_asks() -> None:
    """Also where the values would go on."""
    before = threading.active_count()

    with closing(one_ahead(iter(int, 1))) as ahead:
        next(ahead)
        assert threading.active_count() == before + 1

    assert threading.active_count() == before
