"""One-sided Mann-Whitney U test: the alternative is a SMALLER reference, so downward drift is not detected.

U2 = n1 n2 - (R1 - n1 (n1 + 1) / 2) with R1 the sum of the reference's midranks; p from the normal
approximation with corrections for continuity and ties. With at most eight rows on one side and no ties p is
exact, from a distribution without a closed form, which needs SciPy.
Source: `evidently...stattests.mann_whitney_urank_stattest`, `scipy.stats.mannwhitneyu`.
"""

import math

import numpy as np

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.midranks import midranks
from selfheal_jobs.drift.methods.pair import Numbers

EXACT_ROWS = 8


def score(pair: Numbers) -> float:
    """Return the p-value.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.0085
    """
    n1, n2 = pair.reference_rows, pair.current_rows
    n = n1 + n2
    ranked = midranks(pair)
    ties = ranked.ties.astype(np.float64)
    if min(n1, n2) <= EXACT_ROWS and not np.any(ties > 1):
        return _exact(pair)
    u = n1 * n2 - (float(ranked.reference.sum()) - n1 * (n1 + 1) / 2)
    spread = math.sqrt(n1 * n2 / 12 * ((n + 1) - float(np.sum(ties**3 - ties)) / (n * (n - 1))))
    above = u - n1 * n2 / 2 - 0.5
    if spread == 0:  # all values are equal
        return 1.0 if above < 0 else 0.0
    return tails.normal(above / spread)


def _exact(pair: Numbers) -> float:
    from scipy.stats import mannwhitneyu  # noqa: PLC0415  a second of import, for samples of a few rows

    return float(mannwhitneyu(pair.reference, pair.current, alternative="less").pvalue)


METHOD = Method(
    id="mannw",
    kinds=NUMERICAL_ONLY,
    threshold=0.05,
    criterion=Criterion.P_BELOW,
    score=score,
    calibrated=True,
)
