import pytest

from selfheal_jobs import redaction
from selfheal_jobs.delivery.masked_report import masked_report
from selfheal_operator.api.reasons import SignalResult, Task
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.v1alpha1.status import DriftedColumn, NewCategories, SignalStatus, SkippedColumn
from support.builders.objects import last_check, last_retraining, model_version


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod has a Secret whose values are also words of other texts."""
    monkeypatch.setattr(redaction, "_learnt", {"t0ken-of-ann", "churn", "team-a", "Drift", "ks", "label"})


def test_no_text_of_a_report_has_a_secret() -> None:
    """Data may hold one, as the name of a column."""
    name = "t0ken-of-ann"
    drifted = DriftedColumn(name=name, method="ks", score="0.01", threshold="0.05")
    signal = SignalStatus(
        name="churn",
        type="TargetDrift",
        result=SignalResult.UNKNOWN,
        reason="ColumnMissing",
        message=f"no {name}",
    )
    check = last_check(
        message=f"1 of 2 columns drifted: {name}",
        top_drifted_columns=[drifted],
        skipped_columns=[SkippedColumn(name=name, message=f"{name} is text")],
        new_categories=[NewCategories(name=name, categories=1, rows=1)],
        constant_columns=[name],
        broken_columns=[name],
        signals=[signal],
    )

    report = masked_report(CheckReport(task=Task.CLASSIFICATION, target="label", last_check=check))

    assert name not in report.to_json()
    assert report.last_check.message == "1 of 2 columns drifted: ***"


def test_what_the_operator_compares_stays() -> None:
    """A secret that is the name of a Job would else end the monitor."""
    check = CheckReport(last_check=last_check(message="fine"), target="label", model=model_version())
    retraining = RetrainReport(last_retraining=last_retraining(message="fine"), model=model_version())

    assert masked_report(check) == check
    assert masked_report(retraining) == retraining


def test_a_masked_text_is_no_longer_than_before() -> None:
    """The API server holds texts to their limits."""
    check = last_check(message="ks " * 1365)

    report = masked_report(CheckReport(last_check=check))

    assert len(report.last_check.message) == len(check.message)
    assert "ks" not in report.last_check.message


def test_no_name_of_a_column_breaks_a_line_or_controls_a_terminal() -> None:
    """Of data that anybody may have written: kubectl and logs show the names as they are."""
    name = "red\x1b[31m\nReady"
    drifted = DriftedColumn(name=name, method="ks", score="0.01", threshold="0.05")
    check = last_check(
        message=f"drifted: {name}",
        top_drifted_columns=[drifted],
        constant_columns=[name],
        broken_columns=[name],
    )

    report = masked_report(CheckReport(last_check=check)).last_check

    assert report.message == "drifted: red?[31m?Ready"
    assert report.top_drifted_columns[0].name == "red?[31m?Ready"
    assert report.constant_columns == report.broken_columns == ["red?[31m?Ready"]
