"""Active Jobs by namespace, with a limit on the number of series."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.metrics.pulled import Values

MOST_NAMESPACES: Final = 200
OTHERS: Final = "(others)"
"""Not a valid namespace name, so it cannot collide with one."""


def active_jobs(active: Callable[[Purpose], Mapping[str, int]], most: int = MOST_NAMESPACES) -> Values:
    """Return the number of active Jobs by namespace and purpose.

    Only the `most` namespaces with the most active Jobs have their own series; the others are counted
    together. That count is present even if it is 0, because a sum over no series is empty, not 0.

    Args:
        active: Returns the active Jobs of a purpose by namespace.
        most: The maximum number of namespaces with their own series.
    """
    by_purpose = {purpose: Counter(active(purpose)) for purpose in Purpose}
    in_all = sum(by_purpose.values(), Counter[str]())
    named = sorted(in_all, key=lambda namespace: (-in_all[namespace], namespace))[:most]
    values: dict[tuple[str, ...], float] = {}
    for purpose, counts in by_purpose.items():
        values |= {(namespace, purpose): counts[namespace] for namespace in named if counts[namespace]}
        values[OTHERS, purpose] = counts.total() - sum(counts[namespace] for namespace in named)
    return values
