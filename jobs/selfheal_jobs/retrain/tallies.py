"""Sums, for each resampling unit of the held-out rows, from which every metric of a model follows. Pure.

A bootstrap resample is then a weighted sum of units: its cost does not depend on the number of rows.
"""

from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Sums = NDArray[np.float64]
"""Units x sums: those of `class_tallies` or of `quantity_tallies`."""

MOST_UNITS: Final = 1_000
"""More units are put together at random, which leaves the variance of a resampled sum as it is."""


class Classes(Struct, frozen=True, kw_only=True):
    """The labels of the held-out rows as codes of the classes that they have."""

    names: tuple[str, ...]
    codes: NDArray[np.intp]

    def code(self, words: NDArray[np.object_]) -> NDArray[np.intp]:
        """Return the codes of words; -1 for a class that no held-out row has, and for a gap."""
        known = {name: number for number, name in enumerate(self.names)}
        return np.array([known.get(word, -1) for word in words], dtype=np.intp)


def of_words(labels: NDArray[np.object_]) -> Classes:
    """Return the classes of label words, in alphabetical order."""
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    return Classes(names=tuple(names.tolist()), codes=codes)


class Units(Struct, frozen=True):
    """Which rows are resampled together."""

    codes: NDArray[np.intp]
    count: int

    def total(self, values: NDArray[Any]) -> Sums:
        """Return the sum of a value per row for each unit."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def counts(self, codes: NDArray[np.intp], width: int, chosen: NDArray[np.bool_]) -> Sums:
        """Return, for each unit, how many of the chosen rows have each code."""
        cells = (self.codes * width + codes)[chosen]
        return np.bincount(cells, minlength=self.count * width).reshape(self.count, width).astype(float)


def units_of(together: NDArray[np.intp] | None, rows: int, *, seed: int) -> Units:
    """Return the resampling units of rows that hang together by code; None if each stands for itself."""
    codes = np.arange(rows) if together is None else np.unique(together, return_inverse=True)[1]
    count = int(codes.max()) + 1 if rows else 0
    if count > MOST_UNITS:
        codes, count = (np.random.default_rng(seed).permutation(count) % MOST_UNITS)[codes], MOST_UNITS
    return Units(codes, count)


def time_blocks(rows: int) -> NDArray[np.intp]:
    """Return codes that put n^(1/3) consecutive rows together: neighbours in time resemble each other.

    The order n^(1/3) is that of Hall, Horowitz and Jing, Biometrika 82 (1995), for variances.
    """
    return np.floor_divide(np.arange(rows), max(1, round(rows ** (1 / 3))), dtype=np.intp)


def class_tallies(answers: NDArray[np.intp], classes: Classes, units: Units) -> Sums:
    """Return true positives, answers and labels of each class, for each unit.

    Answers of a class that no held-out row has are wrong, and belong to no class that is averaged over.
    """
    width, every = len(classes.names), np.ones(len(answers), dtype=bool)
    right = units.counts(classes.codes, width, answers == classes.codes)
    answered = units.counts(answers, width, answers >= 0)
    return np.hstack([right, answered, units.counts(classes.codes, width, every)])


def random_answers(shares: NDArray[np.float64], classes: Classes, units: Units) -> Sums:
    """Return the expected tallies of answers drawn at random with these shares of the classes."""
    labels = units.counts(classes.codes, len(classes.names), np.ones(len(classes.codes), dtype=bool))
    rows = labels.sum(axis=1, keepdims=True)
    return np.hstack([labels * shares, rows * shares, labels])


def quantity_tallies(answers: NDArray[np.float64], actual: NDArray[np.float64], units: Units) -> Sums:
    """Return rows, squared errors, absolute errors, values and squared values, for each unit.

    The values are taken from their mean: their squares keep their digits.
    """
    error, centred = answers - actual, actual - actual.mean()
    parts = (np.ones(len(actual)), error**2, np.abs(error), centred, centred**2)
    return np.column_stack([units.total(part) for part in parts])
