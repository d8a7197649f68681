"""Names under which MLflow keeps what belongs to a column. Pure."""

import re
from collections.abc import Iterable
from typing import Final

_REFUSED: Final = re.compile(r"[^\w\-. :/]", re.ASCII)
_MAX_LENGTH: Final = 200
"""MLflow allows 250, prefix and number included."""


def column_keys(names: Iterable[str]) -> dict[str, str]:
    """Return a key for each column: its name in characters that MLflow takes, and no two alike.

    A slash would make folders of a name, and MLflow refuses names that look like paths with dots: both
    become underscores. The same columns in the same order always have the same keys.

    >>> column_keys(["age", "price (€)", "price ($)"])
    {'age': 'age', 'price (€)': 'price ___', 'price ($)': 'price ____2'}
    """
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = key = _REFUSED.sub("_", name.replace("/", "_"))[:_MAX_LENGTH].strip(". ") or "_"
        number = 1
        while key.lower() in taken:
            number += 1
            key = f"{base}_{number}"
        taken.add(key.lower())
        keys[name] = key
    return keys
