"""Permutation test of the total variation distance, with 1,000 permutations.

TVD = sum |p - q| / 2. The p-value is the share of permutations whose distance is not smaller than the
observed one. They are drawn with Evidently's seed from the rows in their order, so that both draw the same
ones: the method needs the rows themselves, not only their counts.
Source: `evidently...stattests.tvd_stattest`.

With three or more categories, a permutation that ties with the observed distance may come out smaller by a
rounding error that depends on the order of the categories. Here that is the sorted order. Evidently takes it
from a set: for text it changes from process to process, and p changes by as many permutations as tie.
"""

from collections.abc import Iterator

import numpy as np

from selfheal_jobs.drift.methods.method import CATEGORICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Array, CodedRows

EXCHANGES = 1_000


def score(pair: CodedRows) -> float:
    """Return the p-value, a multiple of 0.001.

    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> reference, current = np.repeat([0, 1], [60, 40]), np.repeat([0, 1], [45, 55])
    >>> score(CodedRows(reference, current, Counts(np.array([60, 40]), np.array([45, 55]))))
    0.055
    """
    together = pair.counts.reference + pair.counts.current
    observed = _distance(pair.counts.reference, pair.counts.current)
    reached = sum(observed <= _distance(drawn, together - drawn) for drawn in _exchanges(pair))
    return reached / EXCHANGES


def _exchanges(pair: CodedRows) -> Iterator[Array]:
    """Draw permuted references from the pooled rows, without replacement, and yield their counts."""
    random = np.random.RandomState(0)
    rows = np.concatenate([pair.reference, pair.current])
    for _ in range(EXCHANGES):
        drawn = random.choice(rows, len(pair.reference), replace=False)
        yield np.bincount(drawn, minlength=pair.counts.distinct)


def _distance(reference: Array, current: Array) -> float:
    return float(0.5 * np.sum(np.abs(reference / reference.sum() - current / current.sum())))


METHOD = Method(
    id="TVD",
    kinds=CATEGORICAL_ONLY,
    threshold=0.1,
    criterion=Criterion.P_BELOW,
    score=score,
    order_matters=True,
)
