"""Customers of a subscription, and whether they leave. Seeded."""

from typing import Final

import numpy as np
import pandas as pd

TARGET: Final = "churned"
_START: Final = pd.Timestamp("2026-01-01")
_MONTH: Final = pd.Timedelta(days=30)


def customers(
    rng: np.random.Generator,
    rows: int,
    *,
    months: tuple[int, int],
    price: float = 30,
    sensitivity: float = 0.1,
) -> pd.DataFrame:
    """Return customers in the order in which they were observed.

    Args:
        rng: Source of randomness.
        rows: Number of customers.
        months: The first month of 2026 and the last, both from 1; rows are spread evenly.
        price: Mean monthly price.
        sensitivity: By how much one unit of price above 30 raises the log odds of leaving.
    """
    first, last = months
    observed = _START + _MONTH * np.linspace(first - 1, last, rows, endpoint=False)
    made = pd.DataFrame(
        {
            "observed": observed,
            "tenure_months": rng.gamma(2, 12, rows).round(1),
            "price": rng.normal(price, 6, rows).round(2),
            "calls": rng.poisson(1.5, rows),
            "visits": rng.poisson(8, rows),
        }
    )
    odds = 0.9 * (made["calls"] - 1.5) - 0.06 * (made["tenure_months"] - 24) - 0.15 * (made["visits"] - 8)
    odds += sensitivity * (made["price"] - 30)
    left = rng.random(rows) < 1 / (1 + np.exp(-odds))
    return made.assign(churned=np.where(left, "yes", "no"))
