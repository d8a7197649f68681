"""All methods by Evidently's ids, and the one that Evidently takes where none is named."""

from collections.abc import Mapping
from typing import Final

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.methods import (
    anderson,
    chisquare,
    cramer_von_mises,
    ed,
    empirical_mmd,
    es,
    fisher_exact,
    g_test,
    hellinger,
    jensenshannon,
    kl_div,
    ks,
    mannw,
    psi,
    t_test,
    tvd,
    wasserstein,
    z,
)
from selfheal_jobs.drift.methods.method import Method
from selfheal_jobs.drift.methods.pair import Numbers, Pair

METHODS: Final[Mapping[str, Method]] = {
    module.METHOD.name: module.METHOD
    for module in (
        anderson, chisquare, cramer_von_mises, ed, empirical_mmd, es, fisher_exact, g_test, hellinger,
        jensenshannon, kl_div, ks, mannw, psi, t_test, tvd, wasserstein, z,
    )
}  # fmt: skip

SMALL_REFERENCE: Final = 1_000
"""Up to so many values in the reference Evidently tests, above it measures distances."""
FEW_VALUES: Final = 5
"""Numbers with at most so many distinct values, both sides together, are treated as categories."""


def default_method(pair: Pair, kind: Kind) -> Method:
    """Return Evidently's choice for a column, by its kind, the reference's size and the distinct values.

    Source: `evidently...stattests.registry._get_default_stattest`.
    """
    many = kind is Kind.NUMERICAL and isinstance(pair, Numbers) and pair.has_more_than(FEW_VALUES)
    if pair.reference_rows > SMALL_REFERENCE:
        return wasserstein.METHOD if many else jensenshannon.METHOD
    if many:
        return ks.METHOD
    return chisquare.METHOD if pair.counts.distinct > 2 else z.METHOD
