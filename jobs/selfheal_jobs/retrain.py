"""The retraining: learn, compare with the present model on the same rows, register what is better.

load → split → fit every candidate → score them and the champion on the held-out rows → decide → register.
"""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
from mlflow.entities import Run

from selfheal_jobs import columns, retrain_run, splitting
from selfheal_jobs.candidates import candidates_for
from selfheal_jobs.champion import Champion, find_version, judge
from selfheal_jobs.errors import DataError, TrackingError
from selfheal_jobs.facts import facts
from selfheal_jobs.features import for_model
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain_run import Decision, LoggedModel
from selfheal_jobs.scores import PRIMARY, HeldOut, best, comparisons, is_better
from selfheal_jobs.sources import Place, load
from selfheal_jobs.splitting import Split
from selfheal_jobs.status import Door
from selfheal_jobs.target import infer_task
from selfheal_jobs.tracking import PATIENTLY, Tracking, connect, mlflow_errors
from selfheal_jobs.training import Lesson, Trained, train_all
from selfheal_operator.api.reasons import Reason, RetrainResult, Task
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1 import LastRetraining, ModelMonitorSpec, ModelVersion, TrainingRows

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Attempt:
    """One try at a retraining."""

    request: RunRequest
    started: datetime
    clock: Clock

    def outcome(self, result: RetrainResult, reason: Reason, message: str, **more: object) -> LastRetraining:
        """Return the outcome with what is the same for all of them."""
        return LastRetraining.model_validate(
            {
                "slot": self.request.slot,
                "job_name": self.request.job_name,
                "start_time": self.started,
                "completion_time": self.clock(),
                "result": result,
                "reason": reason,
                "message": message[:1500],
                "observed_generation": self.request.monitor.generation,
                **more,
            }
        )

    def failed(self, reason: Reason, message: str) -> RetrainReport:
        """Return the report of a retraining that came to nothing."""
        return RetrainReport(last_retraining=self.outcome(RetrainResult.FAILED, reason, message))


def run_retrain(request: RunRequest, door: Door, clock: Clock) -> None:
    """Retrain once, and report. Everything that goes wrong becomes a report too.

    Raises:
        UndeliveredError: The report could not be written to the monitor's status.
    """
    attempt = Attempt(request, clock(), clock)
    present = door.present_model()
    try:
        report = retrain(attempt, present)
    except DataError as error:
        report = attempt.failed(error.reason, str(error))
    except TrackingError as error:
        message = f"{error}, so no model could be registered. The next retraining tries again."
        report = attempt.failed(Reason.MLFLOW_UNAVAILABLE, message)
    except Exception as error:  # noqa: BLE001  a defect of ours or a library's is an outcome too
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The retraining ended by a defect ({one_line(error)}); the Job's log holds the details."
        report = attempt.failed(Reason.RETRAIN_FAILED, message)
    logger.info("%s: %s", report.last_retraining.result, report.last_retraining.message)
    door.deliver(report)


def retrain(attempt: Attempt, present: ModelVersion | None) -> RetrainReport:
    """Train, decide and register; or finish what an earlier attempt of the same Job has decided.

    Raises:
        DataError: The data allows no training.
        TrackingError: MLflow could not be reached, or refuses.
    """
    request = attempt.request
    # First: without MLflow nothing can be registered, and no time should go into training.
    tracking = connect(request, PATIENTLY)
    with mlflow_errors(request.mlflow.tracking_uri):
        if decided := retrain_run.decision_before(tracking):
            logger.info("An earlier attempt has already decided; finishing what it began")
            return retrain_run.carry_out(tracking, *decided)
        lesson, split = prepare(request)
        parent = tracking.start_run()
        try:
            target = request.spec.target
            overview = facts(split, target=target, task=lesson.held_out.task)
            retrain_run.log_data(tracking, parent, lesson, overview)
            champion = _champion(tracking, present, _all_columns(split, lesson))
            trained, logged = _train_and_log(tracking, parent, lesson)
            retrain_run.log_comparison(tracking, parent, trained, champion)
            decision = decide(attempt, Seen(trained, logged, champion, lesson, parent.info.run_id))
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


def prepare(request: RunRequest) -> tuple[Lesson, Split]:
    """Load the data, and split it into what is learnt from and what is held out.

    Features are the columns that checks compare, by the reference's types: a column that only the current
    data has may hold the present model's own predictions. Dates, identifiers and free text are left out.

    Raises:
        DataError: The data is missing, unreadable, or allows no training.
    """
    spec = request.spec
    reference, current = _load(spec)
    task = request.task or _task_of(reference, current, spec.target)
    split = splitting.split(reference, current, target=spec.target, task=task, rules=spec.retraining)
    plan = columns.plan(reference, current, target=spec.target)
    if not plan.compared:
        message = f"None of the {len(plan.skipped)} columns beside the target can be learnt from."
        raise DataError(Reason.NOTHING_TO_COMPARE, message)
    logger.info("%s: %d rows to learn from, %d held out", task, len(split.train), len(split.test))
    held_out = HeldOut(rows=for_model(split.test, plan.compared), target=split.test[spec.target], task=task)
    lesson = Lesson(
        rows=for_model(split.train, plan.compared),
        target=split.train[spec.target],
        held_out=held_out,
        columns=plan.compared,
        seed=spec.retraining.random_seed,
    )
    return lesson, split


def _load(spec: ModelMonitorSpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    place = Place.of_reference(spec)
    reference = load(place)
    place.require_rows(reference)
    if spec.retraining.training_data == "Reference":  # then nothing is asked of the current data
        logger.info("Loaded %d rows of reference", len(reference))
        return reference, reference
    place = Place.of_current(spec)
    current = load(place, text_columns=columns.text_columns(reference))
    place.require_rows(current)
    logger.info("Loaded %d rows of reference, %d of current", len(reference), len(current))
    return reference, current


def _task_of(reference: pd.DataFrame, current: pd.DataFrame, target: str) -> Task:
    for table in (reference, current):
        if target in table.columns and (task := infer_task(table[target])):
            return task
    raise DataError(
        Reason.TARGET_UNUSABLE,
        f"Nothing tells from the target {target!r} what to learn. Correct spec.target or set spec.task.",
    )


def _all_columns(split: Split, lesson: Lesson) -> HeldOut:
    """Return the held-out rows with every column: the champion may have learnt from more than we would."""
    rows = split.test.assign(**{column.name: lesson.held_out.rows[column.name] for column in lesson.columns})
    return HeldOut(rows=rows, target=lesson.held_out.target, task=lesson.held_out.task)


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
    tracking: Tracking, parent: Run, lesson: Lesson
) -> tuple[list[Trained], dict[str, LoggedModel]]:
    """Train and log each candidate; models are let go once they are logged, all but their numbers."""
    task = lesson.held_out.task
    trained: list[Trained] = []
    logged: dict[str, LoggedModel] = {}
    for each in train_all(candidates_for(tracking.request.spec.retraining.candidates, task), lesson):
        if (model := retrain_run.log_candidate(tracking, parent, each, lesson)) is not None:
            logged[each.candidate.name] = model
        trained.append(replace(each, model=None))
    return trained, logged


@dataclass(frozen=True)
class Seen:
    """Everything that the decision looks at."""

    trained: Sequence[Trained]
    logged: dict[str, LoggedModel]
    champion: Champion | None
    lesson: Lesson
    parent_run_id: str


def decide(attempt: Attempt, seen: Seen) -> Decision:
    """Choose the best candidate, and register it if it is strictly better than the champion. Pure."""
    task = seen.lesson.held_out.task
    scores = {each.candidate.name: each.metrics for each in seen.trained if each.metrics}
    if not scores:
        problems = "; ".join(f"{each.candidate.name}: {each.problem}" for each in seen.trained)
        message = f"Every candidate failed. {problems}"
        return Decision(
            outcome=attempt.outcome(
                RetrainResult.FAILED, Reason.TRAINING_FAILED, message, run_id=seen.parent_run_id
            )
        )
    winner = best(task, scores)
    champion = seen.champion.metrics if seen.champion else None
    better = champion is None or is_better(task, scores[winner], champion)
    outcome = attempt.outcome(
        RetrainResult.REGISTERED if better else RetrainResult.NOT_IMPROVED,
        Reason.MODEL_REGISTERED if better else Reason.NO_IMPROVEMENT,
        sentence(task, winner, scores[winner], seen),
        candidate=winner,
        champion_version=seen.champion.version if seen.champion else None,
        run_id=seen.parent_run_id,
        metrics=comparisons(scores[winner], champion),
        rows=TrainingRows(train=len(seen.lesson.rows), test=len(seen.lesson.held_out.rows)),
    )
    model = seen.logged[winner]
    return Decision(
        outcome=outcome,
        model_uri=model.uri if better else None,
        model_run_id=model.run_id if better else None,
    )


def sentence(task: Task, winner: str, metrics: dict[str, float], seen: Seen) -> str:
    """Return what a person wants to know of the decision, in one sentence. Pure."""
    name = PRIMARY[task]
    said = f"{winner} has {name} {metrics[name]:.4f} on {len(seen.lesson.held_out.rows)} held-out rows"
    champion = seen.champion
    if champion is None:
        said += "; there was no version before"
    elif champion.metrics:
        better = is_better(task, metrics, champion.metrics)
        said += f", version {champion.version} has {champion.metrics[name]:.4f}"
        said += "" if better else ": no improvement, nothing registered"
    else:
        said += f"; version {champion.version} could not be scored ({champion.problem})"
    failures = [each.candidate.name for each in seen.trained if not each.metrics]
    return said + (f"; failed: {', '.join(failures)}" if failures else "") + "."
