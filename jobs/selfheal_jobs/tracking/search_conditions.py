"""Conditions of MLflow's search filters. Pure.

MLflow's grammar of filters has no escapes: a value ends at the next quote, and a backslash before it hides
the quote. `LIKE` has a wildcard for one character, which stands for those that cannot be written. A search by
such a condition may find more than was asked for, so whoever searches compares what is found.
"""

import re
from typing import Final

_NOT_WRITABLE: Final = re.compile(r"""['"\\]""")


def is_exact(value: str) -> bool:
    """Return whether a filter can ask for this value, and for no other one."""
    return _NOT_WRITABLE.search(value) is None


def equals(field: str, value: str) -> str:
    r"""Return the condition that a field has a value, or one like it where no filter can ask for the value.

    >>> print(equals("name", "churn"), equals("tags.`target`", "customer's \\"), sep="\n")
    name = 'churn'
    tags.`target` LIKE 'customer_s _'
    """
    if is_exact(value):
        return f"{field} = '{value}'"
    return f"{field} LIKE '{_NOT_WRITABLE.sub('_', value)}'"
