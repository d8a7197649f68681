from typing import Any

import pyarrow as pa
import pytest

from selfheal_jobs.tables.word_counter import WordCounter

PLAIN = pa.array(["a", None, "b", "a"])


def coded(indices: list[int | None], words: list[str | None]) -> pa.DictionaryArray:
    """Return words as numbers that refer to a dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(words))


@pytest.mark.parametrize(
    ("case", "pieces", "counts"),
    [
        ("plain texts", [PLAIN], {"a": 2, "b": 1}),
        ("a part of them", [PLAIN.slice(1, 2)], {"b": 1}),
        ("codes", [coded([0, 1, None, 0], ["a", "b"])], {"a": 2, "b": 1}),
        ("a part of them", [coded([0, 1, None, 1], ["a", "b"]).slice(1)], {"b": 2}),
        ("codes that nothing refers to", [coded([1], ["a", "b"])], {"b": 1}),
        ("a word that stands in a dictionary twice", [coded([0, 1], ["a", "a"])], {"a": 2}),
        ("a gap in a dictionary", [coded([0, 1], ["a", None])], {"a": 1}),
        ("one dictionary for all", [coded([0], ["a", "b"]), coded([1, 0], ["a", "b"])], {"a": 2, "b": 1}),
        (
            "one for each",
            [coded([0], ["a", "b"]), coded([0], ["b"]), coded([0], ["a", "b"])],
            {"a": 2, "b": 1},
        ),
        ("codes and texts", [coded([0], ["a"]), PLAIN], {"a": 3, "b": 1}),
        ("booleans", [pa.array([True, None, False, True])], {True: 2, False: 1}),
        ("a part of them", [pa.array([False, None, True]).slice(1)], {True: 1}),
        ("nothing but gaps", [pa.nulls(3), pa.nulls(3, pa.string()), pa.nulls(3, pa.bool_())], {}),
    ],
)
def test_words_are_counted_however_they_are_stored(case: str, pieces: list[pa.Array], counts: Any) -> None:
    """And gaps never are."""
    counter = WordCounter()
    for piece in pieces:
        counter.add(piece)

    assert not counter.has_more_than(len(counts)), case
    assert counter.counts() == counts, case


def test_many_words_are_noticed_while_they_are_counted() -> None:
    """So that counting can be given up before they fill the memory."""
    counter = WordCounter()
    counter.add(coded([0, 1, 2], ["a", "b", "c"]))

    assert counter.has_more_than(2)
    assert not counter.has_more_than(3)
