from typing import Any

import pytest

from selfheal_jobs.check.verdict import change_of_methods, of_comparison
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.status import MethodUse


def comparison(
    drifted: int,
    calm: int,
    underpowered: int = 0,
    evidently: int | None = None,
    values: tuple[int, int] = (1000, 50),
) -> Comparison:
    """Return a comparison with so many columns that drifted, that did not, and that show nothing."""
    states = [(True, 0.0)] * drifted + [(False, 0.0)] * calm + [(False, 88.8)] * underpowered
    by_evidently = drifted if evidently is None else evidently
    return Comparison(
        columns=tuple(
            ColumnDrift(
                name=f"c{number}",
                kind=Kind.NUMERICAL,
                method="ks",
                score=0.001,
                threshold=0.05,
                drifted=moved,
                evidently=number < by_evidently,
                rows_needed=rows_needed,
                values=values,
            )
            for number, (moved, rows_needed) in enumerate(states)
        )
    )


@pytest.mark.parametrize(
    ("drifted", "calm", "threshold", "result", "sentence"),
    [
        (4, 6, 0.3, CheckResult.DRIFT, "4 of 10 columns drifted (0.4000 > 0.3000)"),
        (3, 7, 0.3, CheckResult.NO_DRIFT, "3 of 10 columns drifted (0.3000 <= 0.3000)"),
        (1, 0, 1.0, CheckResult.NO_DRIFT, "1 of 1 columns drifted (1.0000 <= 1.0000)"),
        (0, 3, 0.0, CheckResult.NO_DRIFT, "0 of 3 columns drifted (0.0000 <= 0.0000)"),
        (1, 2, 0.0, CheckResult.DRIFT, "1 of 3 columns drifted (0.3333 > 0.0000)"),
    ],
)
def test_drift_is_a_share_greater_than_the_threshold(
    drifted: int, calm: int, threshold: float, result: CheckResult, sentence: str
) -> None:
    """A share that equals the threshold is no drift."""
    verdict = of_comparison(comparison(drifted, calm), threshold)

    assert (verdict.result, verdict.sentence) == (result, sentence)


@pytest.mark.parametrize(
    ("drifted", "calm", "underpowered", "result"),
    [
        (0, 7, 3, CheckResult.NO_DRIFT),
        (0, 6, 4, CheckResult.INCONCLUSIVE),
        (3, 6, 1, CheckResult.INCONCLUSIVE),
        (4, 0, 6, CheckResult.DRIFT),
    ],
)
def test_columns_whose_silence_means_nothing_count_against_a_quiet_verdict(
    drifted: int, calm: int, underpowered: int, result: CheckResult
) -> None:
    """If they could have made the alarm there is no verdict; an alarm stands without them."""
    verdict = of_comparison(comparison(drifted, calm, underpowered), 0.3)

    assert verdict.result is result
    assert (verdict.reason is Reason.TOO_FEW_ROWS_FOR_METHOD) == (result is CheckResult.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        (88, "in the reference alone 'c0' needs more than 89 values (88 now)"),
        (89, "'c0' needs 39516 values in current beside its 89 of the reference (50 now)"),
        (1000, "'c0' needs 98 values in current beside its 1000 of the reference (50 now)"),
    ],
)
def test_too_few_rows_come_with_how_many_would_do(reference: int, wanted: str) -> None:
    """And with the way out, for whoever has no more."""
    verdict = of_comparison(comparison(0, 0, 6, values=(reference, 50)), 0.3)

    assert wanted in verdict.sentence
    assert "6 columns could hide drift: ks cannot see half a standard deviation" in verdict.sentence
    assert "set spec.drift.rule to Evidently" in verdict.sentence


def test_what_evidently_alone_would_have_said_is_told_where_it_differs() -> None:
    """Whoever compares with its report sees why."""
    assert of_comparison(comparison(0, 6, evidently=4), 0.3).sentence == (
        "0 of 6 columns drifted (0.0000 <= 0.3000); 4 by Evidently's own rule"
    )


def uses(*numerical: str, categorical: str = "z") -> Any:
    """Return the methods of a check."""
    return [
        *(MethodUse(kind="Numerical", method=each, columns=2) for each in numerical),
        MethodUse(kind="Categorical", method=categorical, columns=1),
    ]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (uses("ks"), uses("ks"), ""),
        (uses("ks", "z"), uses("z", "ks"), ""),
        ([], uses("ks"), ""),
        (
            uses("ks"),
            uses("wasserstein", categorical="jensenshannon"),
            "Categorical columns: z before, jensenshannon now; Numerical columns: ks before, wasserstein now",
        ),
        (uses("ks"), uses("ks", "chisquare"), "Numerical columns: ks before, chisquare and ks now"),
    ],
)
def test_a_change_of_methods_is_told_by_kind(before: Any, now: Any, said: str) -> None:
    """A check after which nothing is known, or with other numbers of columns, has not changed them."""
    found = change_of_methods(before, now)

    assert found == (f"the methods have changed ({said})" if said else "")
