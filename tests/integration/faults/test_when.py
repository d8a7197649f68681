"""Faults of the decision whether a model is retrained, and of what is remembered for it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from integration.faults.running import FaultMonitor, case_of, retrain_case
from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.reasons import CheckResult, ConditionType, Purpose, Reason, RetrainResult, Task
from selfheal_operator.api.v1alpha1.status import LastCheck, ModelMonitorStatus
from selfheal_operator.core.jobs import check_job_name, known_task
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Monitor
from selfheal_operator.core.plan import CreateJob, WriteStatus
from selfheal_operator.core.validation import rules_of
from support.builders.objects import DEFAULTS, MINUTE, monitor, observed
from testbed.unwatched_monitor import SLOT

UNREACHABLE = "http://127.0.0.1:9"
"""A check that is only looked at needs no MLflow server."""


def checked(spec: dict[str, Any]) -> LastCheck:
    """Return what a check of the spec finds."""
    request = FaultMonitor(mlflow_uri=UNREACHABLE, model="faults").request(Purpose.CHECK, spec)
    return report_of(request, look(request), started=SLOT, completed=SLOT).last_check


def watched(spec: dict[str, Any], check: LastCheck | None = None, **status: Any) -> Monitor:
    """Return a monitor that was made before the check, and waits for its next slot."""
    # Never due: only what follows from the check is of interest.
    made = monitor({"schedule": "0 0 29 2 *"} | spec)
    # The operator believes a check that has the name of one of its Jobs.
    believed = check and check.replaced(job_name=check_job_name(made.name, SLOT))
    told = ModelMonitorStatus(
        observed_generation=1, last_check=believed, last_schedule_time=SLOT, next_check_time=None, **status
    )
    return replace(made, status=told, created=SLOT - MINUTE)


def order_after(check: LastCheck, spec: dict[str, Any]) -> CreateJob | None:
    """Return the retraining that the operator orders after the check."""
    step = plan_monitor(observed(watched(spec, check)), SLOT + MINUTE).step
    return step if isinstance(step, CreateJob) and step.purpose is Purpose.RETRAIN else None


def condition_after(check: LastCheck, spec: dict[str, Any]) -> tuple[str, str]:
    """Return reason and message of the condition Retraining that the operator writes after the check."""
    step = plan_monitor(observed(watched(spec, check)), SLOT + MINUTE).step
    assert isinstance(step, WriteStatus)
    found = next(each for each in step.status["conditions"] if each["type"] == ConditionType.RETRAINING)
    return found["reason"], found["message"]


def test_a_task_is_forgotten_with_the_target_that_it_was_inferred_from(
    tmp_path: Path, mlflow_uri: str
) -> None:
    """16-1: a class was predicted, and a quantity is now."""
    _, (report,) = retrain_case("16-1", tmp_path, mlflow_uri)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert {each.name for each in report.last_retraining.metrics} & {"root_mean_squared_error", "rmse"}


def test_candidates_for_the_new_target_are_not_held_against_the_task_of_the_old_one(tmp_path: Path) -> None:
    """16-2: the status still has the task of the target before."""
    case = case_of("16-2", tmp_path)

    for target in (None, "churned"):
        edited = watched(case.spec, task=Task.CLASSIFICATION, target=target)
        rules = rules_of(edited, DEFAULTS)
        assert known_task(rules.spec, edited.status) is None


def test_concept_drift_triggers_where_the_trigger_names_the_signal(tmp_path: Path) -> None:
    """W13: the columns and the target are as they were, and the error is seven times as large."""
    case = case_of("W13", tmp_path)
    check = checked(case.spec)
    assert check.result is CheckResult.NO_DRIFT

    order = order_after(check, case.spec | {"trigger": {"on": ["DataDrift", "error"]}})

    assert order is not None
    assert order.slot == SLOT
    assert order.manifest["metadata"]["annotations"]["selfheal.dev/triggers"] == "error"
    assert order_after(check, case.spec) is None
    assert order_after(check, case.spec | {"trigger": {"on": ["labels"]}}) is None


def test_a_feed_of_zeros_leads_to_no_retraining(tmp_path: Path) -> None:
    """W3-1: four columns turned constant, and the condition names them."""
    spec = case_of("W3-1", tmp_path).spec
    check = checked(spec)

    assert check.result is CheckResult.DRIFT
    assert len(check.broken_columns) == check.columns_broken == 4
    assert order_after(check, spec) is None
    reason, message = condition_after(check, spec)
    assert reason == Reason.DATA_NOT_USABLE
    assert all(repr(name) in message for name in check.broken_columns)
    assert order_after(check.replaced(broken_columns=[], columns_broken=0), spec) is not None
