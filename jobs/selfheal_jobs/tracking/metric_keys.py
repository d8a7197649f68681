"""Maps column names to valid keys of MLflow metrics and params. Pure."""

import re
from collections.abc import Callable, Iterable
from typing import Final

_REFUSED: Final = re.compile(r"[^\w\-. :/]", re.ASCII)
_MAX_LENGTH: Final = 200
"""MLflow allows 250 characters, including prefix and number."""


def column_keys(names: Iterable[str], shown: Callable[[str], str] = str) -> dict[str, str]:
    """Return a unique key for each column: its name, with characters that MLflow rejects replaced.

    A slash would create folders, and MLflow rejects names that look like paths with dots: both become
    underscores. The same columns in the same order always have the same keys.

    Args:
        names: The columns.
        shown: How a name is shown, such as without secrets.

    >>> column_keys(["age", "price (€)", "price ($)"])
    {'age': 'age', 'price (€)': 'price ___', 'price ($)': 'price ____2'}
    """
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = key = _REFUSED.sub("_", shown(name).replace("/", "_"))[:_MAX_LENGTH].strip(". ") or "_"
        number = 1
        while key.lower() in taken:
            number += 1
            key = f"{base}_{number}"
        taken.add(key.lower())
        keys[name] = key
    return keys
