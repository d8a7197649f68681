"""The retraining: choose a candidate, examine it and the champion once, register it if it passes all gates.

load → objections by the data → split → choose by cross-validation → examine on held-out rows → gates
→ decide → fit on all rows → register.
"""

import logging
import resource
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from selfheal_jobs.delivery.status_patch import ReportSink
from selfheal_jobs.errors import DataError, TrackingError
from selfheal_jobs.isolation.isolated_model import isolated
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain import champion as champions
from selfheal_jobs.retrain import cross_validation
from selfheal_jobs.retrain import mlflow_run as retrain_run
from selfheal_jobs.retrain.cross_validation import Choice
from selfheal_jobs.retrain.data_objections import require_usable
from selfheal_jobs.retrain.data_summary import summarize
from selfheal_jobs.retrain.decision import Attempt, Decision, Findings, all_failed, decide, not_servable
from selfheal_jobs.retrain.final_fit import final_model
from selfheal_jobs.retrain.gates import Evidence, PastScore
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.registered_before import TAG_ROWS, require_other_rows
from selfheal_jobs.retrain.retraining_data import load_data
from selfheal_jobs.retrain.search import search
from selfheal_jobs.retrain.serving_trial import try_as_served
from selfheal_jobs.retrain.trial import Trial, WinnerFailedError, findings_of, trial_of
from selfheal_jobs.sources.current_identity import identity_of_current
from selfheal_jobs.tracking.artifact_folder import require_kept
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.library_client import configure_library, library_errors
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_jobs.tracking.present_version import aliased_version
from selfheal_jobs.tracking.rest_client import Run
from selfheal_jobs.tracking.run_tags import AWAITED, TAG_PROMOTION
from selfheal_jobs.transport.retry_policy import PATIENT, STANDARD
from selfheal_operator.api.model import format_time
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import LastRetraining

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
        DataError: The data is not sufficient for training, or the champion cannot be scored.
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    request = attempt.request
    # First, since without MLflow nothing can be registered and training would be wasted.
    runs = JobRuns.connect(request, PATIENT)
    with library_errors(request.mlflow.tracking_uri), ExitStack() as stack:
        if decided := retrain_run.decision_before(runs):
            logger.info("An earlier attempt has already decided; finishing what it began")
            return retrain_run.carry_out(runs, *decided)
        registry = ModelRegistry(runs.server)
        # Read once: a promotion expects the alias where it was when the version with it was compared.
        aliased = aliased_version(registry, request)
        found = champions.find_version(registry, request, aliased)
        present, ignored = (None, found) if request.ignore_champion else (found, None)
        # Its process starts now: it imports its libraries while the data is read.
        model = stack.enter_context(isolated()) if present else None
        data = load_data(request)
        if data.feed is not None:
            require_usable(data.feed, forced=request.force)
        configure_library(request.mlflow.tracking_uri, runs.experiment_id, STANDARD)
        champion = champions.load(present, model, request, STANDARD) if present and model else None
        trial = trial_of(
            attempt,
            data,
            champion,
            ignored_version=ignored.version.version if ignored else None,
            alias_version=aliased.version if aliased else None,
        )
        if champion is not None and not request.force:
            require_other_rows(registry, request, trial.rows, champion.version)
        parent = runs.start()
        try:
            require_kept(parent.artifact_uri)  # before the training, whose model would be lost
            decision, digest = _decision(runs, parent, trial, clock)
            retrain_run.store(runs, parent, decision)
        except Exception:
            _end_as_failed(runs, parent)
            raise
        report = retrain_run.carry_out(runs, parent, decision, digest)
        return report if report.model or champion is None else report.replaced(model=champion.recorded)


def _end_as_failed(runs: JobRuns, parent: Run) -> None:
    try:
        runs.server.end_run(parent, "FAILED")
    except Exception as error:  # noqa: BLE001  the first error is reported
        logger.info("The run could not be ended: %s", one_line(error))


# --- the decision -------------------------------------------------------------------------------------------


def _decision(runs: JobRuns, parent: Run, trial: Trial, clock: Clock) -> tuple[Decision, str | None]:
    """Choose, examine and decide; fit and log the model if it is to be registered.

    Returns:
        The decision, and the digest of the model's files if there is one to register. The digest is no part
        of the decision, which MLflow stores: whoever may write to MLflow could forge it there.
    """
    rows = trial.rows
    summary = summarize(rows.split, target=rows.target, task=rows.test.task)
    retrain_run.log_data(runs, parent, rows.training_set, rows.split.test, summary)
    choice = _chosen(runs, parent, trial)
    winner_run = retrain_run.log_candidates(runs, parent, trial.candidates, choice)
    if choice.winner is None or winner_run is None:
        return _all_failed(trial, choice.problems, parent, clock), None
    try:
        found = findings_of(trial, choice, choice.winner, parent.run_id)
    except WinnerFailedError as error:
        problems = {**choice.problems, choice.winner.name: str(error)}
        return _all_failed(trial, problems, parent, clock), None
    retrain_run.log_comparison(runs, parent, trial.candidates, choice, found.examined)
    findings = found.findings
    runs.server.log(winner_run, metrics=findings.evidence.winner.metrics)
    if not findings.passed:
        return Decision(outcome=_decided(trial, findings, clock)), None
    final = final_model(choice.winner, found.model, choice, rows)
    with isolated() as served:  # its process imports its libraries while the model is logged
        logged = retrain_run.log_model(winner_run, choice.winner, final)
        problem = try_as_served(logged, served, rows.test.rows)
    if problem:
        return not_servable(trial.attempt, findings, problem, clock()), None
    address = retrain_run.log_learnt_rows(runs, parent, final.learnt)
    decision = Decision(
        outcome=_decided(trial, findings, clock),
        model_uri=logged.uri,
        model_run_id=logged.run_id,
        version_tags=_version_tags(findings.evidence, final.learnt, address)
        | {TAG_ROWS: rows.digest}
        | _promotion_tags(runs.request),
        trained_until_time=final.learnt.until,
        learnt_rows=len(final.training_set.rows),
        previous_version=findings.champion_version or findings.ignored_version,
    )
    return decision, logged.digest


def _all_failed(trial: Trial, problems: Mapping[str, str], parent: Run, clock: Clock) -> Decision:
    return all_failed(
        trial.attempt, problems, parent.run_id, clock(), remarks=(*trial.rows.data.left_out, *trial.remarks)
    )


def _chosen(runs: JobRuns, parent: Run, trial: Trial) -> Choice:
    """Choose the winner, and search better parameters for it if the spec says so."""
    choice = cross_validation.choose(trial.candidates, trial.rows.training_set)
    if (rules := runs.request.spec.retraining.search) is None:
        return choice
    found = search(choice, trial.candidates, rules, partial(retrain_run.log_progress, runs, parent))
    retrain_run.log_search(runs, parent, found)
    return found.choice


def _decided(trial: Trial, findings: Findings, clock: Clock) -> LastRetraining:
    outcome = decide(trial.attempt, replace(findings, cpu_seconds=cpu_seconds()), clock())
    return outcome.replaced(alias_version=trial.alias_version)


def cpu_seconds() -> int:
    """Return the CPU time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in used))


def _promotion_tags(request: RunRequest) -> dict[str, str]:
    return {TAG_PROMOTION: AWAITED} if request.spec.promotion.moves_the_alias else {}


def _version_tags(evidence: Evidence, learnt: LearntRows, address: str) -> dict[str, str]:
    past = PastScore(
        metric=evidence.metric,
        score=evidence.score(evidence.winner.sums),
        baseline=evidence.score(evidence.best_baseline()[1]),
    )
    until = format_time(learnt.until) if learnt.until else None
    tags = dict(champions.promotion_tags(past, until, address))
    if (found := evidence.over_champion) is not None:
        tags["selfheal.difference"] = f"{found.difference:.6g} ({found.lower:.6g} to {found.upper:.6g})"
    return tags
