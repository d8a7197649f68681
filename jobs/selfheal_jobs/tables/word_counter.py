"""Counts the distinct values of a column chunk by chunk, as it is read."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from selfheal_jobs.tables.arrow_buffers import booleans, plain_numbers


class WordCounter:
    """Counts of distinct texts or booleans; gaps are not counted."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._dictionary: pa.Array | None = None
        self._used = np.empty(0, dtype=np.int64)
        """Counts of the dictionary's values in the chunks that share it: many chunks share one dictionary."""

    def add(self, piece: pa.Array) -> None:
        """Count the values of a chunk."""
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
        """Return whether there are more distinct values; False while a cheap lower bound is not larger."""
        if max(len(self._counts), int(np.count_nonzero(self._used))) <= words:
            return False
        self._close()  # a dictionary may contain a value twice
        return len(self._counts) > words

    def counts(self) -> Mapping[Any, int]:
        """Return the count of each distinct value."""
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
