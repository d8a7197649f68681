"""All methods by their ids, and Evidently's default method."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift import methods
from selfheal_jobs.drift.methods.method import Method
from selfheal_jobs.drift.methods.pair import Numbers, Pair


def _methods() -> Iterator[Method]:
    """Yield the METHOD of every module of this package that has one: to add a method, add its module."""
    for found in pkgutil.iter_modules(methods.__path__):
        if found.name != "catalogue":  # itself, half imported
            method = getattr(import_module(f"{methods.__name__}.{found.name}"), "METHOD", None)
            if isinstance(method, Method):
                yield method


METHODS: Final[Mapping[str, Method]] = {method.id: method for method in _methods()}

SMALL_REFERENCE: Final = 1_000
"""Up to this many reference values Evidently's defaults are tests; for more they are distances."""
FEW_VALUES: Final = 5
"""Numbers with at most this many distinct values in the pooled sample are treated as categories."""


def default_method(pair: Pair, kind: Kind) -> Method:
    """Return Evidently's choice for a column, by its kind, the reference's size and the distinct values.

    Source: `evidently...stattests.registry._get_default_stattest`.
    """
    return METHODS[_default_id(pair, kind)]


def _default_id(pair: Pair, kind: Kind) -> str:
    many = kind is Kind.NUMERICAL and isinstance(pair, Numbers) and pair.has_more_than(FEW_VALUES)
    if pair.reference_rows > SMALL_REFERENCE:
        return "wasserstein" if many else "jensenshannon"
    if many:
        return "ks"
    return "chisquare" if pair.counts.distinct > 2 else "z"
