"""Total variation distance, by its p-value from 1,000 random exchanges of rows between the sides.

TVD = sum |p - q| / 2. p is the share of exchanges whose distance is not smaller than the observed one, drawn
with Evidently's seed and from the rows in their order, so that both draw the same ones: the method needs the
rows themselves, not only their counts.
Source: `evidently...stattests.tvd_stattest`.

With three categories or more, an exchange whose distance equals the observed one may come out smaller by a
rounding that depends on the order of the categories. It is the sorted order here. Evidently takes it from a
set: for text it changes from process to process, and its p by as many exchanges as tie.
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
    """Draw the counts of so many references from all rows together, without putting them back."""
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
