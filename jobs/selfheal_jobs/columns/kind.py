"""How a column is compared."""

from enum import StrEnum


class Kind(StrEnum):
    """How a column is compared."""

    NUMERICAL = "Numerical"
    CATEGORICAL = "Categorical"
