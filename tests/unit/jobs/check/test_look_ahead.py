from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from selfheal_jobs.check.cpus import usable_cpus
from selfheal_jobs.check.look_ahead import Read, read_ahead
from selfheal_jobs.columns.infer_kind import Column, Skipped
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import Compared, Excluded, Fate
from selfheal_jobs.drift.preparation import prepared
from selfheal_jobs.tables.content import Content, Values
from selfheal_operator.api.v1alpha1.drift import Drift

LEFT_OUT = Excluded(Skipped("left out", "why"), Fate.SKIPPED)


def column(name: str, reference: object = (3.0, 1.0), current: object = (2.0, 1.0)) -> Compared:
    """Return a column of numbers."""
    before, now = (Content(holds=Values.NUMBERS, numbers=np.array(side)) for side in (reference, current))
    return Compared(Column(name, Kind.NUMERICAL, Values.NUMBERS), before, now)


def marked(content: Content, column: Column) -> Content:
    """Stand in for a preparation."""
    del column
    return replace(content, deviation=1.0)


def name_of(found: Read) -> str:
    """Return a column's name."""
    return found.column.name


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_columns_come_prepared_and_in_their_order(threads: int) -> None:
    """However many threads prepare them."""
    columns: list[Read] = [column("a"), LEFT_OUT, column("b"), column("c")]

    found = list(read_ahead(columns, marked, threads))

    assert [name_of(each) for each in found] == ["a", "left out", "b", "c"]
    sides = [side for each in found if isinstance(each, Compared) for side in (each.reference, each.current)]
    assert [side.deviation for side in sides] == [1.0] * 6


@pytest.mark.parametrize("threads", [1, 2])
def test_a_column_that_cannot_be_read_fails_in_its_turn(threads: int) -> None:
    """What is wrong with a column before it is told first, as if nothing were read ahead."""

    def reading() -> Iterator[Read]:
        yield column("a")
        raise KeyError("b")

    ahead = read_ahead(reading(), marked, threads)

    assert name_of(next(ahead)) == "a"
    with pytest.raises(KeyError, match="b"):
        next(ahead)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_preparation_that_fails_fails_in_its_turn(threads: int) -> None:
    """Like a test that fails."""

    def failing(content: Content, which: Column) -> Content:
        if which.name == "b":
            raise MemoryError
        return content

    ahead = read_ahead([column("a"), column("b")], failing, threads)

    assert name_of(next(ahead)) == "a"
    with pytest.raises(MemoryError):
        next(ahead)


@pytest.mark.parametrize(("threads", "ahead"), [(1, 0), (2, 1), (8, 1)])
def test_one_column_is_read_ahead_at_most(threads: int, ahead: int) -> None:
    """A check needs the memory of a few columns, however many there are."""
    read: list[str] = []

    def reading() -> Iterator[Read]:
        for name in "abcd":
            read.append(name)
            yield column(name)

    used = [len(read) - number for number, _ in enumerate(read_ahead(reading(), marked, threads), 1)]

    assert max(used) == ahead


def test_numbers_are_sorted_unless_their_order_matters() -> None:
    """And with them goes the deviation that was summed up in the order of the rows."""
    found = column("x", (3.0, 1.0, 2.0))

    ascending = prepared(found.reference, found.column, Drift())
    as_read = prepared(found.reference, found.column, Drift(numerical_method="t_test"))

    assert ascending.numbers is not None
    assert ascending.numbers.tolist() == [1.0, 2.0, 3.0]
    assert ascending.ascending
    assert ascending.deviation == pytest.approx(np.std([1, 2, 3]))
    assert as_read is found.reference


@pytest.mark.parametrize(
    ("limit", "cpus"),
    [("100000 100000", 1), ("199999 100000", 1), ("50000 100000", 1), ("max 100000", None), ("", None)],
)
def test_the_containers_limit_says_how_many_processors_there_are(
    tmp_path: Path, limit: str, cpus: int | None
) -> None:
    """A second thread on half a processor would only wait for the first."""
    (tmp_path / "cpu.max").write_text(limit)

    assert usable_cpus(tmp_path / "cpu.max") == (cpus or usable_cpus(tmp_path / "none"))
