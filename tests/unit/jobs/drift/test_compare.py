from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import TablePair
from selfheal_jobs.drift.compare import ColumnDrift, Comparison, compare
from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.drift import Drift
from support.builders.arrow_tables import arrow_table
from support.builders.column_pairs import column_pairs


def compared(reference: Any, current: Any, **rules: Any) -> Any:
    """Return the comparison of two tables."""
    reference, current = (arrow_table(pd.DataFrame(side)) for side in (reference, current))
    pairs, rows = column_pairs(reference, current), TablePair(reference, current)
    return compare(pairs, Drift.from_wire({"rule": "Evidently"} | rules), 0.3, rows)


def normal(rows: int, mean: float = 0.0, seed: int = 0) -> Any:
    """Return normal numbers, the same ones each time."""
    return np.random.default_rng(seed).normal(mean, 1, rows)


def categories(rows: int, shares: list[float], seed: int = 0) -> Any:
    """Return letters with the given shares."""
    return np.random.default_rng(seed).choice(list("abc"), rows, p=shares)


@pytest.mark.parametrize(
    ("rows", "number_method", "category_method", "binary_method"),
    [(1000, "ks", "chisquare", "z"), (1001, "wasserstein", "jensenshannon", "jensenshannon")],
)
def test_without_a_name_the_methods_are_evidentlys(
    rows: int, number_method: str, category_method: str, binary_method: str
) -> None:
    """Up to 1,000 reference rows it tests, above it measures distances."""
    table = {
        "n": normal(rows),
        "c": categories(rows, [0.5, 0.3, 0.2]),
        "b": categories(rows, [0.5, 0.5, 0]),
    }

    methods = {each.name: each.method for each in compared(table, table).columns}

    assert methods == {"n": number_method, "c": category_method, "b": binary_method}


@pytest.mark.parametrize(
    ("rules", "methods"),
    [
        ({"method": "psi"}, {"n": "psi", "m": "psi", "c": "psi"}),
        ({"method": "psi", "numericalMethod": "t_test"}, {"n": "t_test", "m": "t_test", "c": "psi"}),
        ({"categoricalMethod": "g_test"}, {"n": "ks", "m": "ks", "c": "g_test"}),
        (
            {"numericalMethod": "ed", "columns": [{"name": "n", "method": "anderson"}]},
            {"n": "anderson", "m": "ed", "c": "chisquare"},
        ),
        ({"categoricalMethod": "TVD"}, {"n": "ks", "m": "ks", "c": "TVD"}),
    ],
)
def test_a_columns_own_method_comes_before_its_kinds_and_that_before_all(rules: Any, methods: Any) -> None:
    """As in Evidently's preset."""
    table = {"n": normal(50), "m": normal(50), "c": categories(50, [0.5, 0.3, 0.2])}

    assert {each.name: each.method for each in compared(table, table, **rules).columns} == methods


def test_a_columns_own_threshold_takes_the_place_of_evidentlys() -> None:
    """With the method that it would have anyway."""
    reference, current = {"n": normal(500), "m": normal(500)}, {"n": normal(500, 0.2), "m": normal(500, 0.2)}

    found = compared(reference, current, columns=[{"name": "n", "threshold": 1e-9}]).columns

    assert [(each.name, each.threshold, each.drifted) for each in found] == [
        ("n", 1e-9, False),
        ("m", 0.05, True),
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            {"columns": [{"name": "c", "method": "ks"}]},
            r"spec.drift.columns\[name=c\].method: ks cannot judge the column 'c': it compares numbers",
        ),
        ({"columns": [{"name": "n", "method": "z"}]}, "it compares categories, and this column is Numerical"),
        ({"categoricalMethod": "g_test"}, "spec.drift: g_test cannot .* as many values"),
    ],
)
def test_a_method_that_does_not_fit_is_an_error_that_names_field_and_remedy(rules: Any, said: str) -> None:
    """No verdict by a method that nobody asked for."""
    reference = {"n": normal(50), "c": categories(50, [0.5, 0.3, 0.2])}
    current = {"n": normal(40), "c": categories(40, [0.5, 0.3, 0.2])}

    with pytest.raises(DataError, match=said) as caught:
        compared(reference, current, **rules)

    assert caught.value.reason is Reason.METHOD_NOT_APPLICABLE


def test_integers_that_a_gap_made_floats_are_the_same_categories() -> None:
    """1 and 1.0 are one value, whatever had to be done to store a gap."""
    reference = {"x": np.arange(60) % 3}
    current = {"x": np.where(np.arange(60) % 10 == 9, np.nan, np.arange(60) % 3)}

    (found,) = compared(reference, current).columns

    assert found.kind is Kind.CATEGORICAL
    assert found.score > 0.9


@pytest.mark.parametrize("rows", [500, 2000])
def test_moved_columns_drift_and_others_do_not(rows: int) -> None:
    """A shifted mean and changed shares are found, by p-values and by distances."""
    reference = {
        "calm": normal(rows),
        "moved": normal(rows, seed=1),
        "plan": categories(rows, [0.6, 0.3, 0.1]),
    }
    current = {
        "calm": normal(rows, seed=2),
        "moved": normal(rows, 1, seed=3),
        "plan": categories(rows, [0.1, 0.3, 0.6]),
    }

    comparison = compared(reference, current)

    assert {each.name for each in comparison.drifted} == {"moved", "plan"}
    assert comparison.share == pytest.approx(2 / 3)


def test_infinite_numbers_are_gaps() -> None:
    """Evidently's count of drifted columns keeps them, and its list of them does not."""
    reference, current = normal(500), normal(500, seed=1)
    with_infinite = np.where(np.arange(500) % 10 == 0, np.inf, current)
    without = np.where(np.arange(500) % 10 == 0, np.nan, current)

    one = compared({"x": reference, "y": reference}, {"x": with_infinite, "y": current})
    other = compared({"x": reference, "y": reference}, {"x": without, "y": current})

    assert one.columns == other.columns


def test_awkward_columns_are_compared_without_an_error() -> None:
    """Constants, odd names, booleans with gaps and one row."""
    reference = {"constant": [1.5] * 30, "we ird/ä.b": normal(30), "7": [True, None, False] * 10}
    current = {"constant": [1.5], "we ird/ä.b": [0.0], "7": [True]}

    assert len(compared(reference, current).columns) == 3


def test_a_value_never_seen_before_counts() -> None:
    """A new category is drift of its column."""
    assert compared({"c": list("ab") * 50}, {"c": list("ac") * 50}).share == 1.0


def drift(name: str, score: float, threshold: float, *, drifted: bool = True) -> Any:
    """Return one column's test."""
    return ColumnDrift(
        name=name,
        kind=Kind.NUMERICAL,
        method="m",
        score=score,
        threshold=threshold,
        drifted=drifted,
        evidently=drifted,
    )


def test_the_furthest_beyond_its_threshold_comes_first() -> None:
    """Small p-values and large distances are both far; what did not drift is not listed."""
    columns = (
        drift("p just below", 0.04, 0.05),
        drift("p far below", 0.0, 0.05),
        drift("distance far above", 0.9, 0.1),
        drift("calm", 0.5, 0.05, drifted=False),
    )

    names = [each.name for each in Comparison(columns=columns).drifted]

    assert names == ["p far below", "distance far above", "p just below"]
