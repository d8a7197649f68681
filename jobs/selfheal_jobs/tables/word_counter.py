"""Counts how often each word of a column occurs, as it is read piece by piece."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from selfheal_jobs.tables.arrow_buffers import booleans, plain_numbers


class WordCounter:
    """Texts or booleans, and how often each occurs; gaps do not count."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._dictionary: pa.Array | None = None
        self._used = np.empty(0, dtype=np.int64)
        """How often each word of the dictionary occurs in the pieces that share it: they are many."""

    def add(self, piece: pa.Array) -> None:
        """Count the words of a piece."""
        if not pa.types.is_dictionary(piece.type):
            self._take(_counted(piece))
            return
        used = np.bincount(plain_numbers(piece.indices).astype(np.int64), minlength=len(piece.dictionary))
        if self._dictionary is not None and piece.dictionary.equals(self._dictionary):
            self._used += used
        else:
            self._close()
            self._dictionary, self._used = piece.dictionary, used

    def has_more_than(self, words: float) -> bool:
        """Return whether there are more different words, as far as can be told without looking at each."""
        if max(len(self._counts), int(np.count_nonzero(self._used))) <= words:
            return False
        self._close()  # a dictionary may hold a word twice
        return len(self._counts) > words

    def counts(self) -> Mapping[Any, int]:
        """Return how often each word occurs."""
        self._close()
        return self._counts

    def _close(self) -> None:
        if self._dictionary is not None:
            self._take(zip(self._dictionary.to_pylist(), self._used.tolist(), strict=True))
        self._dictionary, self._used = None, self._used[:0]

    def _take(self, counted: Iterator[tuple[Any, int]]) -> None:
        for word, number in counted:
            if word is not None and number:
                self._counts[word] = self._counts.get(word, 0) + number


def _counted(piece: pa.Array) -> Iterator[tuple[Any, int]]:
    if pa.types.is_null(piece.type):
        return iter(())
    if pa.types.is_boolean(piece.type):
        found = booleans(piece)
        true = int(np.count_nonzero(found))
        return iter(((False, len(found) - true), (True, true)))
    counts = piece.value_counts()
    return zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)
