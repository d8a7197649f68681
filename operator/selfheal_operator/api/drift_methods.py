"""Evidently's drift methods, by its ids: which of them compare numbers, which compare categories."""

from typing import Literal

BothKindsMethod = Literal["hellinger", "jensenshannon", "kl_div", "psi"]
"""Takes numbers as well as categories."""

NumericalMethod = Literal[
    "anderson",
    "cramer_von_mises",
    "ed",
    "empirical_mmd",
    "es",
    "ks",
    "mannw",
    "t_test",
    "wasserstein",
    BothKindsMethod,
]

CategoricalMethod = Literal["TVD", "chisquare", "fisher_exact", "g_test", "z", BothKindsMethod]

AnyMethod = Literal[NumericalMethod, CategoricalMethod]
