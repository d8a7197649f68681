"""When a column tells of a broken feed rather than of another world: constants, and missing values. Pure."""

from typing import Final

_BY_CHANCE: Final = 1e-6
"""Where chance leaves a single value more often than this, it is no sign of a broken feed."""


def is_no_coincidence(*, share: float, rows: int) -> bool:
    """Return whether a single value in so many rows can hardly be by chance.

    Args:
        share: The value's share in the reference; 0 for a value that it lacks.
        rows: The rows of the current data that have the value.
    """
    return share**rows <= _BY_CHANCE


def has_more_gaps(now: float, before: float, most: float) -> bool:
    """Return whether the share of gaps has risen by more than columnPolicy.maxNullShare, which is `most`.

    >>> has_more_gaps(0.75, 0.25, 0.5), has_more_gaps(0.76, 0.25, 0.5)
    (False, True)
    """
    return now - before > most
