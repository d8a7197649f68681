"""The retraining: choose a candidate, compare it with the champion, register it if it is better.

load → split → choose a candidate by cross-validation → fit it → score it and the champion on the held-out set
→ decide → register.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

from selfheal_jobs.columns import scan as columns
from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.delivery.status_patch import ReportSink
from selfheal_jobs.errors import DataError, TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain import mlflow_run as retrain_run
from selfheal_jobs.retrain import splitting
from selfheal_jobs.retrain.candidates import candidates_for
from selfheal_jobs.retrain.champion import Champion, find_version, score_version
from selfheal_jobs.retrain.cross_validation import choose
from selfheal_jobs.retrain.data_summary import summarize
from selfheal_jobs.retrain.decision import Attempt, LoggedModel, TrainingOutcome, decide
from selfheal_jobs.retrain.features import for_model
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.retrain.scores import PRIMARY, HeldOut
from selfheal_jobs.retrain.search import search
from selfheal_jobs.retrain.serving_trial import try_as_served
from selfheal_jobs.retrain.splitting import Split
from selfheal_jobs.retrain.training import Trained, TrainingSet, train
from selfheal_jobs.sources.current_identity import identity_of_current
from selfheal_jobs.sources.sides import open_current, open_labelled_current, open_reference
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.table import ArrowTable, Table
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.library_client import configure_library, library_errors
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_jobs.tracking.rest_client import Run
from selfheal_jobs.transport.retry_policy import PATIENT, STANDARD
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy
from selfheal_operator.api.v1alpha1.status import TrainingRows

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def run_retrain(request: RunRequest, sink: ReportSink, clock: Clock) -> None:
    """Retrain once and deliver the report. Errors are reported too.

    Raises:
        UndeliveredError: The report could not be written to the monitor's status.
    """
    attempt = Attempt(request, started=clock(), current_identity=identity_of_current(request))
    try:
        report = retrain(attempt, clock)
    except DataError as error:
        report = attempt.failed(clock(), error.reason, str(error))
    except TrackingError as error:
        message = f"No model could be registered: {error}"
        report = attempt.failed(clock(), Reason.MLFLOW_UNAVAILABLE, message)
    except Exception as error:  # noqa: BLE001  a defect, ours or a library's, is reported too
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The retraining ended by a defect ({one_line(error)}); the Job's log holds the details."
        report = attempt.failed(clock(), Reason.RETRAINING_FAILED, message)
    logger.info("%s: %s", report.last_retraining.result, report.last_retraining.message)
    sink.deliver(report)


def retrain(attempt: Attempt, clock: Clock) -> RetrainReport:
    """Train, decide and register; or carry out the decision of an earlier attempt of the same Job.

    Raises:
        DataError: The data is not sufficient for training.
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    request = attempt.request
    # First, since without MLflow nothing can be registered and training would be wasted.
    runs = JobRuns.connect(request, PATIENT)
    with library_errors(request.mlflow.tracking_uri):
        if decided := retrain_run.decision_before(runs):
            logger.info("An earlier attempt has already decided; finishing what it began")
            return retrain_run.carry_out(runs, *decided)
        training_set, held_out, split = prepare(request)
        configure_library(request.mlflow.tracking_uri, runs.experiment_id, STANDARD)
        parent = runs.start()
        try:
            target = request.spec.target
            summary = summarize(split, target=target, task=training_set.task)
            retrain_run.log_data(runs, parent, training_set, held_out, summary)
            champion = _champion(runs, _all_columns(split, held_out))
            trained, logged = _train_and_log(runs, parent, training_set, held_out)
            retrain_run.log_comparison(runs, parent, trained, champion)
            outcome = TrainingOutcome(
                candidates=trained,
                logged=logged,
                champion=champion,
                rows=TrainingRows(train=len(training_set.rows), test=len(held_out.rows)),
                task=training_set.task,
                parent_run_id=parent.run_id,
            )
            decision = decide(attempt, outcome, clock())
            retrain_run.store(runs, parent, decision)
        except Exception:
            _end_as_failed(runs, parent)
            raise
        return retrain_run.carry_out(runs, parent, decision)


def _end_as_failed(runs: JobRuns, parent: Run) -> None:
    try:
        runs.server.end_run(parent, "FAILED")
    except Exception as error:  # noqa: BLE001  the first error is reported
        logger.info("The run could not be ended: %s", one_line(error))


def prepare(request: RunRequest) -> tuple[TrainingSet, HeldOut, Split]:
    """Load the data, and split it into a training set and a held-out set.

    Features are the columns that checks compare, with the reference's types: a column that only the current
    data has may hold the champion's own predictions. Dates, identifiers and free text are excluded.

    Raises:
        DataError: The data is missing, unreadable, or not sufficient for training.
    """
    spec = request.spec
    reference, current = _load(request)
    task = request.known_task or _task_of(reference, current, spec.target)
    policy = _lenient(spec.dataset.column_policy)
    include = spec.dataset.columns.include
    plan = columns.plan(reference, current, target=spec.target, policy=policy, include=include)
    if not plan.compared:
        message = f"None of the {len(plan.skipped)} columns beside the target can be learnt from."
        raise DataError(Reason.NOTHING_TO_COMPARE, message)
    rules = spec.retraining
    split = splitting.split(frame(reference), frame(current), target=spec.target, task=task, rules=rules)
    logger.info("%s: %d rows to learn from, %d held out", task, len(split.train), len(split.test))
    held_out = HeldOut(rows=for_model(split.test, plan.compared), target=split.test[spec.target], task=task)
    training_set = TrainingSet(
        rows=for_model(split.train, plan.compared),
        target=split.train[spec.target],
        columns=plan.compared,
        task=task,
        seed=spec.retraining.random_seed,
        metric=PRIMARY[task],
        reference=split.of_reference,
        reference_optional=rules.training_data == "Auto",
    )
    return training_set, held_out, split


def _lenient(policy: ColumnPolicy) -> ColumnPolicy:
    """Return the column policy of a retraining: columns that a check counts as drifted are skipped."""
    missing: Literal["Fail", "Skip"] = "Fail" if policy.missing == "Fail" else "Skip"
    return ColumnPolicy(empty="Skip", missing=missing)


def _load(request: RunRequest) -> tuple[ArrowTable, ArrowTable]:
    """Read both tables into memory, each column once."""
    spec = request.spec
    reference = open_reference(request)
    whole = ArrowTable.of(reference)
    if spec.retraining.training_data == "Reference":  # the current data is not needed
        return whole, whole
    if spec.dataset.labels:
        return whole, ArrowTable.of(open_labelled_current(request, reference))
    return whole, ArrowTable.of(open_current(request, reference, all_columns=True))


def _task_of(reference: Table, current: Table, target: str) -> Task:
    tables = [table for table in (reference, current) if target in table.schema.names]
    for table in tables:
        if task := infer_task(content(table, target)):
            return task
    if not tables:
        raise splitting.target_missing(target)
    raise DataError(
        Reason.TARGET_UNUSABLE,
        f"Nothing tells from the target {target!r} what to learn. Correct spec.target or set spec.task.",
    )


def _all_columns(split: Split, prepared: HeldOut) -> HeldOut:
    """Return the held-out set with all columns but the target: the champion may use other features."""
    rows = split.test.drop(columns=str(prepared.target.name))
    for name in prepared.rows.columns:
        rows[name] = prepared.rows[name]
    return HeldOut(rows=rows, target=prepared.target, task=prepared.task)


def _champion(runs: JobRuns, held_out: HeldOut) -> Champion | None:
    version = find_version(
        ModelRegistry(runs.server), runs.request.mlflow.registered_model_name, runs.request.champion
    )
    if version is None:
        return None
    champion = score_version(version, held_out)
    if champion.metrics:
        name = PRIMARY[held_out.task]
        logger.info("Champion (version %s): %s=%.4f", champion.version, name, champion.metrics[name])
    return champion


def _train_and_log(
    runs: JobRuns, parent: Run, training_set: TrainingSet, held_out: HeldOut
) -> tuple[list[Trained], dict[str, LoggedModel]]:
    """Choose a candidate, train it, and log all; the model is freed after logging."""
    rules = runs.request.spec.retraining
    candidates = candidates_for(rules.candidates, training_set.task)
    choice = choose(candidates, training_set)
    if rules.search:
        tell = partial(retrain_run.log_progress, runs, parent)
        found = search(choice, candidates, rules.search, tell)
        retrain_run.log_search(runs, parent, found)
        choice = found.choice
    trained: list[Trained] = []
    logged: dict[str, LoggedModel] = {}
    for each in candidates:
        if choice.winner is not None and choice.winner.name == each.name:
            result = train(choice.winner, choice.training_set, held_out)
        else:
            result = Trained(candidate=each, problem=choice.problems.get(each.name, ""))
        result = replace(result, cross_validated=choice.scores.get(each.name))
        if (model := retrain_run.log_candidate(runs, parent, result, training_set)) is not None:
            problem = try_as_served(model.uri, held_out.rows)
            result = result if problem is None else replace(result, metrics={}, problem=problem)
            logged[each.name] = model
        trained.append(replace(result, model=None))
    return trained, logged
