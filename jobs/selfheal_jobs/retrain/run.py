"""The retraining: learn, compare with the present model on the same rows, register what is better.

load → split → fit every candidate → score them and the champion on the held-out rows → decide → register.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

import pandas as pd
from mlflow.entities import Run

from selfheal_jobs.columns import scan as columns
from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.delivery.status_patch import ReportSink
from selfheal_jobs.errors import DataError, TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain import mlflow_run as retrain_run
from selfheal_jobs.retrain import splitting
from selfheal_jobs.retrain.candidates import candidates_for
from selfheal_jobs.retrain.champion import Champion, find_version, judge
from selfheal_jobs.retrain.data_summary import facts
from selfheal_jobs.retrain.decision import Attempt, LoggedModel, Seen, decide
from selfheal_jobs.retrain.features import for_model
from selfheal_jobs.retrain.scores import PRIMARY, HeldOut
from selfheal_jobs.retrain.splitting import Split
from selfheal_jobs.retrain.training import Trained, TrainingSet, train_all
from selfheal_jobs.sources.frames import frame
from selfheal_jobs.sources.sides import open_current, open_labelled_current, open_reference
from selfheal_jobs.tables.content import content_of
from selfheal_jobs.tables.table import ArrowTable, arrow_of
from selfheal_jobs.tracking.library_client import Tracking, connect, mlflow_errors
from selfheal_jobs.transport.retry_policy import PATIENT
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy
from selfheal_operator.api.v1alpha1.status import ModelVersion, TrainingRows

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def run_retrain(request: RunRequest, sink: ReportSink, clock: Clock) -> None:
    """Retrain once, and report. Everything that goes wrong becomes a report too.

    Raises:
        UndeliveredError: The report could not be written to the monitor's status.
    """
    attempt = Attempt(request, started=clock())
    try:
        report = retrain(attempt, clock)
    except DataError as error:
        report = attempt.failed(clock(), error.reason, str(error))
    except TrackingError as error:
        message = f"No model could be registered: {error}"
        report = attempt.failed(clock(), Reason.MLFLOW_UNAVAILABLE, message)
    except Exception as error:  # noqa: BLE001  a defect of ours or a library's is an outcome too
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The retraining ended by a defect ({one_line(error)}); the Job's log holds the details."
        report = attempt.failed(clock(), Reason.RETRAIN_FAILED, message)
    logger.info("%s: %s", report.last_retraining.result, report.last_retraining.message)
    sink.deliver(report)


def retrain(attempt: Attempt, clock: Clock) -> RetrainReport:
    """Train, decide and register; or finish what an earlier attempt of the same Job has decided.

    Raises:
        DataError: The data allows no training.
        TrackingError: MLflow could not be reached, or refuses.
    """
    request = attempt.request
    # First: without MLflow nothing can be registered, and no time should go into training.
    tracking = connect(request, PATIENT)
    with mlflow_errors(request.mlflow.tracking_uri):
        if decided := retrain_run.decision_before(tracking):
            logger.info("An earlier attempt has already decided; finishing what it began")
            return retrain_run.carry_out(tracking, *decided)
        training_set, split = prepare(request)
        parent = tracking.start_run()
        try:
            target = request.spec.target
            overview = facts(split, target=target, task=training_set.held_out.task)
            retrain_run.log_data(tracking, parent, training_set, overview)
            champion = _champion(tracking, request.champion, _all_columns(split, training_set))
            trained, logged = _train_and_log(tracking, parent, training_set)
            retrain_run.log_comparison(tracking, parent, trained, champion)
            seen = Seen(
                trained=trained,
                logged=logged,
                champion=champion,
                rows=TrainingRows(train=len(training_set.rows), test=len(training_set.held_out.rows)),
                task=training_set.held_out.task,
                parent_run_id=parent.info.run_id,
            )
            decision = decide(attempt, seen, clock())
            retrain_run.store(tracking, parent, decision)
        except Exception:
            _end_as_failed(tracking, parent)
            raise
        return retrain_run.carry_out(tracking, parent, decision)


def _end_as_failed(tracking: Tracking, parent: Run) -> None:
    try:
        tracking.client.set_terminated(parent.info.run_id, status="FAILED")
    except Exception as error:  # noqa: BLE001  the first error is the one to tell about
        logger.info("The run could not be ended: %s", one_line(error))


def prepare(request: RunRequest) -> tuple[TrainingSet, Split]:
    """Load the data, and split it into what is learnt from and what is held out.

    Features are the columns that checks compare, by the reference's types: a column that only the current
    data has may hold the present model's own predictions. Dates, identifiers and free text are left out.

    Raises:
        DataError: The data is missing, unreadable, or allows no training.
    """
    spec = request.spec
    reference, current = _load(request)
    task = request.task or _task_of(reference, current, spec.target)
    split = splitting.split(reference, current, target=spec.target, task=task, rules=spec.retraining)
    plan = columns.plan(
        ArrowTable.of_pandas(reference),
        ArrowTable.of_pandas(current),
        target=spec.target,
        policy=_lenient(spec.dataset.column_policy),
    )
    if not plan.compared:
        message = f"None of the {len(plan.skipped)} columns beside the target can be learnt from."
        raise DataError(Reason.NOTHING_TO_COMPARE, message)
    logger.info("%s: %d rows to learn from, %d held out", task, len(split.train), len(split.test))
    held_out = HeldOut(rows=for_model(split.test, plan.compared), target=split.test[spec.target], task=task)
    training_set = TrainingSet(
        rows=for_model(split.train, plan.compared),
        target=split.train[spec.target],
        held_out=held_out,
        columns=plan.compared,
        seed=spec.retraining.random_seed,
    )
    return training_set, split


def _lenient(policy: ColumnPolicy) -> ColumnPolicy:
    """Return the policy of a retraining: what a check counts as drift, the answer to it leaves out."""
    missing: Literal["Fail", "Skip"] = "Fail" if policy.missing == "Fail" else "Skip"
    return ColumnPolicy(empty="Skip", missing=missing)


def _load(request: RunRequest) -> tuple[pd.DataFrame, pd.DataFrame]:
    spec = request.spec
    opened = open_reference(request)
    reference = frame(opened)
    if spec.retraining.training_data == "Reference":  # then nothing is asked of the current data
        return reference, reference
    if spec.dataset.labels:
        return reference, frame(open_labelled_current(request, opened))
    return reference, frame(open_current(request, opened, all_columns=True))


def _task_of(reference: pd.DataFrame, current: pd.DataFrame, target: str) -> Task:
    for table in (reference, current):
        if target in table.columns and (task := infer_task(content_of(arrow_of(table[target])))):
            return task
    if target not in reference.columns and target not in current.columns:
        raise splitting.target_missing(target)
    raise DataError(
        Reason.TARGET_UNUSABLE,
        f"Nothing tells from the target {target!r} what to learn. Correct spec.target or set spec.task.",
    )


def _all_columns(split: Split, training_set: TrainingSet) -> HeldOut:
    """Return the held-out rows with all columns but the target: the champion may know more than we would."""
    prepared = training_set.held_out
    rows = split.test.drop(columns=str(prepared.target.name))
    rows = rows.assign(**{column.name: prepared.rows[column.name] for column in training_set.columns})
    return HeldOut(rows=rows, target=prepared.target, task=prepared.task)


def _champion(tracking: Tracking, present: ModelVersion | None, held_out: HeldOut) -> Champion | None:
    version = find_version(tracking.client, tracking.request.mlflow.registered_model_name, present)
    if version is None:
        return None
    champion = judge(version, held_out)
    if champion.metrics:
        name = PRIMARY[held_out.task]
        logger.info("Champion (version %s): %s=%.4f", champion.version, name, champion.metrics[name])
    return champion


def _train_and_log(
    tracking: Tracking, parent: Run, training_set: TrainingSet
) -> tuple[list[Trained], dict[str, LoggedModel]]:
    """Train and log each candidate; models are let go once they are logged, all but their numbers."""
    task = training_set.held_out.task
    trained: list[Trained] = []
    logged: dict[str, LoggedModel] = {}
    for each in train_all(candidates_for(tracking.request.spec.retraining.candidates, task), training_set):
        if (model := retrain_run.log_candidate(tracking, parent, each, training_set)) is not None:
            logged[each.candidate.name] = model
        trained.append(replace(each, model=None))
    return trained, logged
