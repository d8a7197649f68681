"""Student's two-sample t-test with pooled variance.

t = (mean1 - mean2) / sqrt(s2 (1 / n1 + 1 / n2)), and p is two-sided with n1 + n2 - 2 degrees of freedom. Its
tail is an incomplete beta function, which has no closed form and needs `scipy.special`.
Source: `evidently...stattests.t_test`, `scipy.stats.ttest_ind`.
"""

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Array, Numbers


def score(pair: Numbers) -> float:
    """Return the p-value; NaN if both sides are constant and equal.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.0106
    """
    from scipy.special import stdtr  # noqa: PLC0415  slow to import; only this method needs it

    n1, n2 = pair.reference_rows, pair.current_rows
    degrees = n1 + n2 - 2.0
    reference, current = pair.reference.astype(np.float64), pair.current.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        variance = np.float64(_squares(reference) + _squares(current)) / degrees
        error = np.sqrt(variance * (1.0 / n1 + 1.0 / n2))
        t = np.float64(reference.mean() - current.mean()) / error
    return float(2 * stdtr(degrees, -abs(t)))


def _squares(values: Array) -> float:
    return len(values) * float(np.mean((values - values.mean()) ** 2)) if len(values) > 1 else 0.0


METHOD = Method(
    id="t_test",
    kinds=NUMERICAL_ONLY,
    threshold=0.05,
    criterion=Criterion.P_BELOW,
    score=score,
    calibrated=True,
    order_matters=True,
)
