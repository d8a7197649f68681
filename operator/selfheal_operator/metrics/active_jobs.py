"""Active Jobs by namespace, for as many namespaces as Prometheus should hold series of."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.metrics.pulled import Values

MOST_NAMESPACES: Final = 200
OTHERS: Final = "(others)"
"""No namespace can be called so."""


def active_jobs(active: Callable[[Purpose], Mapping[str, int]], most: int = MOST_NAMESPACES) -> Values:
    """Return the number of active Jobs by namespace and purpose.

    Only the `most` namespaces that have most of them are named; the others are counted together. That count
    is there when it is 0, too: a sum over no series would be nothing instead of 0.

    Args:
        active: Returns the active Jobs of a purpose by namespace.
        most: How many namespaces are named.
    """
    by_purpose = {purpose: Counter(active(purpose)) for purpose in Purpose}
    in_all = sum(by_purpose.values(), Counter[str]())
    named = sorted(in_all, key=lambda namespace: (-in_all[namespace], namespace))[:most]
    values: dict[tuple[str, ...], float] = {}
    for purpose, counts in by_purpose.items():
        values |= {(namespace, purpose): counts[namespace] for namespace in named if counts[namespace]}
        values[OTHERS, purpose] = counts.total() - sum(counts[namespace] for namespace in named)
    return values
