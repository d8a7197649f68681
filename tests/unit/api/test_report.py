import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import TERMINATION_MESSAGE_LIMIT
from selfheal_operator.api.reasons import CheckResult, PromotionResult, RetrainResult, Task
from selfheal_operator.api.report import CheckReport, PromoteReport, Report, RetrainReport
from selfheal_operator.api.v1alpha1.status import (
    DriftedColumn,
    LastCheck,
    LastPromotion,
    LastRetraining,
    MetricComparison,
    ModelVersion,
    RowCounts,
    SkippedColumn,
    TrainingRows,
)
from support.builders.objects import NOON, last_check, last_retraining, model_version

Model = TypeVar("Model", bound=ApiModel)


def texts(longest: int, shortest: int = 0) -> st.SearchStrategy[str]:
    """Return a strategy for short texts, and for long ones of characters that take one to six bytes."""
    character = st.sampled_from(["x", "ü", "\N{BROKEN HEART}", '"', "\\", "\x01"])
    long = st.builds(str.__mul__, character, st.sampled_from([longest // 8, longest // 2, longest]))
    return st.text(min_size=shortest, max_size=20) | long


text, name, message = texts(1024), texts(253, shortest=1), texts(4096)
column, word, decimal, reason = texts(256), texts(64), texts(32), st.sampled_from(["A", "R" * 64])
number = st.integers(-(2**63), 2**63 - 1)
time = st.just(NOON)


def some(
    model: type[Model], *, optional: Mapping[str, st.SearchStrategy[Any]] | None = None, **required: Any
) -> st.SearchStrategy[Model]:
    """Return a strategy for a model."""
    return st.fixed_dictionaries(required, optional=optional or {}).map(lambda fields: model(**fields))


told = {
    "scheduled_time": time,
    "job_name": name,
    "reason": reason,
    "message": message,
    "observed_generation": number,
}
"""What every outcome says."""
times = {"start_time": time, "completion_time": time}
checks = some(
    LastCheck,
    result=st.sampled_from(CheckResult),
    **told,
    optional={
        **times,
        "drift_share": st.just("0.4000"),
        "columns_checked": number,
        "columns_drifted": number,
        "top_drifted_columns": st.lists(
            some(DriftedColumn, name=column, method=word, score=decimal, threshold=decimal), max_size=10
        ),
        "skipped_columns": st.lists(some(SkippedColumn, name=column, message=column), max_size=10),
        "rows": some(RowCounts, reference=number, current=number),
        "run_id": word,
        "report_uri": text,
    },
)
retrainings = some(
    LastRetraining,
    result=st.sampled_from(RetrainResult),
    **told,
    optional={
        **times,
        "candidate": word,
        "version": word,
        "champion_version": word,
        "alias_version": word,
        "run_id": word,
        "metrics": st.lists(
            some(MetricComparison, name=word, candidate=decimal, champion=decimal), max_size=10
        ),
        "rows": some(TrainingRows, train=number, test=number),
    },
)
models = some(
    ModelVersion,
    name=column,
    version=word,
    run_id=word,
    registered_time=time,
    optional={"previous_version": word},
)
check_reports = some(
    CheckReport,
    last_check=checks,
    optional={"task": st.sampled_from(Task), "target": column, "model": models},
)
retrain_reports = some(
    RetrainReport, last_retraining=retrainings, optional={"model": models, "challenger": models}
)
promotions = some(
    LastPromotion,
    result=st.sampled_from(PromotionResult),
    **told,
    optional={**times, "version": word},
)
promote_reports = some(PromoteReport, last_promotion=promotions, optional={"model": models})


@given(check_reports | retrain_reports | promote_reports)
def test_a_termination_message_is_never_longer_than_the_kubelet_keeps(report: Report):
    """A cut document is none; so the report is cut instead, whatever is in it."""
    written = report.to_termination_message()

    assert len(written.encode()) <= TERMINATION_MESSAGE_LIMIT
    assert type(report).from_termination_message(written) is not None


@given(check_reports)
def test_the_verdict_survives_whatever_has_to_go(report: CheckReport):
    """What is decided upon: whose verdict it is, and what it says."""
    read = CheckReport.from_termination_message(report.to_termination_message())

    assert read is not None
    assert read.task == report.task
    for field in ("scheduled_time", "job_name", "result", "drift_share", "observed_generation"):
        assert getattr(read.last_check, field) == getattr(report.last_check, field), field


@given(check_reports | retrain_reports | promote_reports)
def test_a_report_that_fits_comes_back_whole(report: Report):
    """Nothing is cut that need not be."""
    if len(json.dumps(report.to_wire(), ensure_ascii=False).encode()) > TERMINATION_MESSAGE_LIMIT:
        return

    assert type(report).from_termination_message(report.to_termination_message()) == report


def test_lists_go_before_sentences_are_cut():
    """The lists are in MLflow too; the sentence is what people read."""
    columns = [DriftedColumn(name="x" * 200, method="ks", score="0.1", threshold="0.05")] * 10
    sentence = "y" * 3000
    report = CheckReport(last_check=last_check(message=sentence, top_drifted_columns=columns))

    read = CheckReport.from_termination_message(report.to_termination_message())

    assert read is not None
    assert read.last_check.top_drifted_columns == []
    assert read.last_check.message == sentence


def test_a_sentence_that_is_cut_says_so():
    """With an ellipsis; one that is not cut has none."""
    report = CheckReport(last_check=last_check(message="y" * 4096))

    read = CheckReport.from_termination_message(report.to_termination_message())

    assert read is not None
    assert read.last_check.message == "y" * 512 + "…"


def test_the_registered_version_survives_long_fields_of_the_outcome():
    """MLflow has it already: the status has to learn of it."""
    model = model_version("9")
    report = RetrainReport(
        last_retraining=last_retraining(message="y" * 4096, candidate="z" * 1024, run_id="r" * 1024),
        model=model,
    )

    read = RetrainReport.from_termination_message(report.to_termination_message(2048))

    assert read is not None
    assert read.model == model


@pytest.mark.parametrize(
    "written", ["", "null", "[]", "{}", '{"lastCheck": {}}', "{" * 4000, "killed\n", "\x00"]
)
def test_other_last_words_are_no_report(written):
    """An image of the user's own may leave anything there."""
    assert CheckReport.from_termination_message(written) is None
    assert RetrainReport.from_termination_message(written) is None


def test_a_report_of_a_newer_image_can_be_read():
    """Unknown fields are ignored."""
    document = CheckReport(last_check=last_check()).to_wire() | {"signals": []}
    document["lastCheck"]["digest"] = "sha256:0"

    assert CheckReport.from_termination_message(json.dumps(document)) == CheckReport(last_check=last_check())


def test_the_version_to_promote_survives_a_long_outcome():
    """Without it, nobody would promote it."""
    challenger = model_version("8", digest="d" * 64)
    outcome = last_retraining(message="m" * 4000, version="8", alias_version="7", candidate="c" * 64)
    report = RetrainReport(last_retraining=outcome, model=model_version("7"), challenger=challenger)

    read = RetrainReport.from_termination_message(report.to_termination_message(1000))
    assert read is not None
    assert read.challenger is not None
    assert (read.challenger.version, read.last_retraining.version) == ("8", "8")
    assert read.last_retraining.alias_version == "7"
