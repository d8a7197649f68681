from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from selfheal_jobs.drift.calibration.power import has_power, rows_needed
from selfheal_jobs.drift.calibration.rule import ColumnTest, apply_rule
from selfheal_jobs.drift.methods.catalogue import METHODS


def column_test(method: str = "wasserstein", **more: Any) -> ColumnTest:
    """Return the test of a column that Evidently holds for drifted, and chance does not explain."""
    defaults: dict[str, Any] = {
        "method": METHODS[method],
        "score": 0.5,
        "threshold": METHODS[method].threshold,
        "evidently": True,
        "p_value": 1e-9,
        "reference_rows": 2000,
        "current_rows": 2000,
        "categories": None,
    }
    return ColumnTest(**defaults | more)


def independent(columns: int) -> Callable[[], Any]:
    """Return a reader of so many columns that have nothing to do with each other."""
    return lambda: list(np.random.default_rng(0).normal(size=(columns, 1000)))


def unread() -> Any:
    """Fail: nothing should be read."""
    raise AssertionError


def test_a_quiet_check_of_many_rows_reads_nothing_more() -> None:
    """Correlations matter only where something differs, or could have without being seen."""
    quiet = column_test(evidently=False, p_value=None)

    assert [each.drifted for each in apply_rule([quiet] * 6, 0.3, unread)] == [False] * 6


@pytest.mark.parametrize(
    ("case", "change", "drifted"),
    [
        ("all says so", {}, True),
        ("Evidently does not", {"evidently": False, "p_value": None}, False),
        ("chance explains it", {"p_value": 0.04}, False),
        ("chance reaches it in one of fifty", {"p_value": 0.02}, False),
        ("chance reaches it in one of a hundred", {"p_value": 0.01}, True),
        ("19 rows", {"current_rows": 19}, False),
        ("20 rows", {"current_rows": 20}, True),
    ],
)
def test_a_column_drifts_if_evidently_says_so_and_chance_does_not_explain_it(
    case: str, change: Any, *, drifted: bool
) -> None:
    """With two of six columns for an alarm, chance must be below 0.017 for each."""
    found = apply_rule([column_test(**change), *[column_test()] * 5], 0.3, independent(6))

    assert found[0].drifted is drifted, case


def test_columns_that_hang_together_must_be_rarer() -> None:
    """Two that always move as one are no second witness."""
    one = np.random.default_rng(0).normal(size=1000)

    apart = apply_rule([column_test(p_value=0.01)] * 6, 0.3, independent(6))
    together = apply_rule([column_test(p_value=0.01)] * 6, 0.3, lambda: [one] * 6)

    assert all(each.drifted for each in apart)
    assert not any(each.drifted for each in together)


def test_of_many_columns_evidentlys_tests_stand_as_they_are() -> None:
    """Seven of twenty p-values below 0.05 are no chance: there the rule is Evidently's."""
    barely = column_test("ks", score=0.049, p_value=0.049)

    found = apply_rule([barely] * 20, 0.3, independent(20))

    assert all(each.drifted and each.threshold == 0.05 for each in found)


def test_a_distance_that_chance_often_reaches_never_counts() -> None:
    """Else a fifth of a hundred quiet columns would be called drifted."""
    found = apply_rule([column_test(p_value=0.06)] * 100, 0.3, independent(100))

    assert not any(each.drifted for each in found)


def test_a_p_value_is_shown_with_what_it_had_to_stay_below() -> None:
    """A score of 0.04 beside a threshold of 0.05 would look like drift."""
    (shown, *_) = apply_rule(
        [column_test("ks", score=0.04, p_value=0.04), *[column_test()] * 5], 0.3, independent(6)
    )

    assert not shown.drifted
    assert 0.013 < shown.threshold < 0.02


@pytest.mark.parametrize(
    ("method", "current", "underpowered"),
    [("ks", 113, True), ("ks", 114, False), ("t_test", 83, True), ("t_test", 84, False)],
)
def test_silence_means_something_from_so_many_rows_on(
    method: str, current: int, *, underpowered: bool
) -> None:
    """Beside 1,000 rows of reference, at the level for two of six columns."""
    needed = rows_needed(METHODS[method], 0.0167, None)

    assert has_power(1000, current, needed) is not underpowered


def test_more_categories_need_more_rows() -> None:
    """The same difference is spread over more of them; a single category can hide nothing."""
    needed = [rows_needed(METHODS["jensenshannon"], 0.0167, categories) for categories in (1, 2, 5, 50)]

    assert needed == sorted(needed)
    assert needed[0] == 0
    assert 70 < needed[1] < 76


def test_a_column_that_was_seen_to_drift_hides_nothing() -> None:
    """However few its rows."""
    few = column_test("ks", score=1e-9, reference_rows=50, current_rows=50)
    silent = column_test("ks", score=0.9, evidently=False, p_value=None, reference_rows=50, current_rows=50)

    drifted, quiet = apply_rule([few, silent], 0.3, independent(2))

    assert drifted.drifted
    assert drifted.rows_needed == 0
    assert quiet.rows_needed > 25
