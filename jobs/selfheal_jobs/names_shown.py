"""Names a few of many in a message, and counts the rest. Pure."""

from collections.abc import Sequence


def some(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return the first names, and how many more there are.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    >>> some(["a", "b"], most=2)
    'a, b'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
