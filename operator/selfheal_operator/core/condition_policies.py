"""The policies that set each condition: an ordered chain, of which the first that applies wins."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ANNOTATION_DECISION
from selfheal_operator.api.reasons import (
    CheckResult,
    ConditionStatus,
    ConditionType,
    PromotionResult,
    Purpose,
    Reason,
    RetrainResult,
)
from selfheal_operator.api.v1alpha1.trigger import DATA_DRIFT
from selfheal_operator.core.conditions import Finding
from selfheal_operator.core.jobs import promote_job_name, retrain_job_name
from selfheal_operator.core.observed import Job
from selfheal_operator.core.promotion_decisions import approval_end
from selfheal_operator.core.requests import RETRAIN_OPTIONS
from selfheal_operator.core.situation import Situation
from selfheal_operator.core.triggers import is_stalled

Policy = Callable[[Situation], Finding | None]

_TRUE, _FALSE, _UNKNOWN = ConditionStatus
_DRIFT_STATUS: Final = {
    CheckResult.DRIFT: _TRUE,
    CheckResult.NO_DRIFT: _FALSE,
    CheckResult.WARNING: _FALSE,
}


def first_finding(policies: tuple[Policy, ...], situation: Situation) -> Finding:
    """Return the finding of the first policy that applies; the last one of a chain always does."""
    return next(finding for policy in policies if (finding := policy(situation)) is not None)


# --- Ready: whether checks run as declared, whether or not the model has drifted ----------------------------


def invalid_spec(situation: Situation) -> Finding | None:
    """The user must edit the spec before anything can be done."""
    return None if situation.rules else Finding(_FALSE, Reason.INVALID_SPEC, situation.problem)


def suspended(situation: Situation) -> Finding | None:
    """Suspending is what the user wants, so the monitor is ready; the message names requests that wait."""
    if situation.rules is None or not situation.rules.spec.suspend:
        return None
    message = "No new checks: spec.suspend is true"
    if waiting := _requests_held_by_suspension(situation):
        message += f". Waiting until it is false: the requested {' and '.join(waiting)}"
    return Finding(_TRUE, Reason.SUSPENDED, message)


def _requests_held_by_suspension(situation: Situation) -> list[str]:
    """Return what was requested; not a retraining that would not start after the suspension either."""
    requests, objection = situation.requests, situation.objection
    suspends_retraining = objection is not None and objection.reason is Reason.SUSPENDED
    waiting = {"check": requests.check, "retraining": requests.retrain if suspends_retraining else ""}
    return [purpose for purpose, token in waiting.items() if token]


def job_refused(situation: Situation) -> Finding | None:
    """The API server refuses a Job that is wanted."""
    rejection = situation.rejection
    return Finding(_FALSE, rejection.reason, rejection.message) if rejection else None


def pod_not_starting(situation: Situation) -> Finding | None:
    """The pod of an active Job does not start, and its status says why."""
    trouble = situation.seen.pod_trouble
    job = next((job for job in situation.active if trouble and job.uid == trouble.job_uid), None)
    if trouble is None or job is None or not job.awaits_pod or not trouble.message:
        return None
    if job.started is not None and trouble.time < job.started:  # about pods from before it was suspended
        return None
    return Finding(_FALSE, Reason.POD_NOT_STARTING, f"Job {job.name} does not start: {trouble.message}")


def checks_failing(situation: Situation) -> Finding | None:
    """The newest check ended in Error."""
    check = situation.seen.monitor.status.last_check
    if check is None or check.result is not CheckResult.ERROR:
        return None
    return Finding(_FALSE, Reason.CHECKS_FAILING, f"{check.reason}: {check.message}")


def check_queued(situation: Situation) -> Finding | None:
    """A check waits for a queue to admit it; the monitor is ready, because that is as declared."""
    job = situation.queued_for(Purpose.CHECK)
    return Finding(_TRUE, Reason.QUEUED, _queued(job)) if job else None


def _queued(job: Job) -> str:
    return f"Job {job.name} is suspended until its queue admits it"


def check_waiting_for_capacity(situation: Situation) -> Finding | None:
    """Only the platform team's limit prevents a check; the monitor is ready, because that is as declared."""
    if not situation.check_waits_for_capacity:
        return None
    message = "A check is due; as many run already as the operator may have at once"
    return Finding(_TRUE, Reason.WAITING_FOR_CAPACITY, message)


def checks_run(_: Situation) -> Finding:
    """No earlier policy applies: checks run."""
    return Finding(_TRUE, Reason.MONITOR_ACTIVE, "Checks run on schedule")


# --- DriftDetected ------------------------------------------------------------------------------------------


def not_yet_checked(situation: Situation) -> Finding | None:
    """There has been no check yet."""
    if situation.seen.monitor.status.last_check is not None:
        return None
    return Finding(_UNKNOWN, Reason.NOT_YET_CHECKED, "No check has reported yet")


def newest_verdict(situation: Situation) -> Finding | None:
    """The newest check's verdict; Unknown if it has none."""
    check = situation.seen.monitor.status.last_check
    if check is None:
        return None
    return Finding(_DRIFT_STATUS.get(check.result, _UNKNOWN), check.reason, check.message)


# --- Retraining: running, wanted but held back, or how the last one ended -----------------------------------


def retraining_queued(situation: Situation) -> Finding | None:
    """A retraining was started and waits for a queue to admit it."""
    job = situation.queued_for(Purpose.RETRAIN)
    return Finding(_TRUE, Reason.QUEUED, _queued(job)) if job else None


def requested_retraining(situation: Situation) -> Finding | None:
    """A requested retraining runs."""
    job = situation.active_for(Purpose.RETRAIN)
    if job is None or not job.request:
        return None
    return Finding(_TRUE, Reason.RETRAINING_REQUESTED, f"Job {job.name} answers the request {job.request}")


def triggered_retraining(situation: Situation) -> Finding | None:
    """A retraining runs because of drift."""
    if (job := situation.active_for(Purpose.RETRAIN)) is None:
        return None
    reason = Reason.SIGNAL_TRIGGERED if _is_by_signals_alone(job) else Reason.DRIFT_TRIGGERED
    return Finding(_TRUE, reason, f"Job {job.name} answers {_answered(job)} found at {format_time(job.slot)}")


def _is_by_signals_alone(job: Job) -> bool:
    return bool(job.triggers) and DATA_DRIFT not in job.triggers


def _answered(job: Job) -> str:
    signals = ", ".join(name for name in job.triggers if name != DATA_DRIFT)
    if _is_by_signals_alone(job):
        return f"the breach of {signals}"
    return f"the drift and the breach of {signals}" if signals else "the drift"


def invalid_request(situation: Situation) -> Finding | None:
    """The annotation that requests a retraining has an option that does not exist."""
    option = situation.requests.unknown_option
    if not option:
        return None
    request, known = situation.seen.monitor.retrain_request, ", ".join(RETRAIN_OPTIONS)
    message = f"The request {request} is not answered: {option} is none of the options {known}"
    return Finding(_FALSE, Reason.INVALID_REQUEST, message)


def held_back(situation: Situation) -> Finding | None:
    """There is a reason to retrain, and an objection."""
    objection = situation.objection
    if objection is None or not objection.holds_back:
        return None
    return Finding(_FALSE, objection.reason, objection.message)


def waiting_for_capacity(situation: Situation) -> Finding | None:
    """Only the platform team's limit prevents the retraining."""
    if situation.objection is not None or Purpose.RETRAIN not in situation.seen.held:
        return None
    message = "A retraining is due; as many run already as the operator may have at once"
    return Finding(_FALSE, Reason.WAITING_FOR_CAPACITY, message)


def never_needed(situation: Situation) -> Finding | None:
    """None has ever been started."""
    if situation.retraining.count:
        return None
    return Finding(_FALSE, Reason.NEVER_NEEDED, "No retraining has run yet")


def newest_outcome(situation: Situation) -> Finding:
    """The outcome of the newest retraining that has ended."""
    return replace(first_finding(_OUTCOMES, situation), status=_FALSE)


# --- RetrainingFailed: whether the newest retraining that has ended failed ----------------------------------


def not_yet_retrained(situation: Situation) -> Finding | None:
    """None has ended."""
    running = situation.active_for(Purpose.RETRAIN) is not None
    if situation.retraining.count > running:
        return None
    return Finding(_FALSE, Reason.NOT_YET_RETRAINED, "No retraining has ended yet")


def ended_without_report(situation: Situation) -> Finding | None:
    """Its Job is gone, and the newest report is that of an earlier one."""
    memory, last = situation.retraining, situation.seen.monitor.status.last_retraining
    running = situation.active_for(Purpose.RETRAIN) is not None
    answered = None if running else memory.last_trigger_time
    if last is not None and (answered is None or last.scheduled_time >= answered):
        return None
    name = retrain_job_name(situation.seen.monitor.name, memory.count - running)
    return Finding(_TRUE, Reason.RETRAINING_FAILED, f"Job {name} was removed before it reported")


def reported_failure(situation: Situation) -> Finding | None:
    """It failed for a reason that its report names: the data, the training, MLflow, or its Job's end."""
    last = situation.seen.monitor.status.last_retraining
    if last is None or last.result is not RetrainResult.FAILED:
        return None
    return Finding(_TRUE, last.reason, last.message)


def reported_success(situation: Situation) -> Finding | None:
    """The retraining succeeded, whether or not the candidate was better."""
    last = situation.seen.monitor.status.last_retraining
    if last is None or last.result is RetrainResult.FAILED:
        return None
    return Finding(_FALSE, last.reason, last.message)


def not_failed(situation: Situation) -> Finding | None:
    """The retraining succeeded; only the condition Retraining states its result, to keep the status small."""
    success = reported_success(situation)
    return success and replace(success, message="The newest retraining did not fail")


# --- Stalled: whether no retraining starts any more because too many failed in a row ------------------------


def too_many_failures(situation: Situation) -> Finding | None:
    """As many have failed in a row as spec.retraining.maxConsecutiveFailures."""
    if situation.rules is None or not is_stalled(situation.retraining, situation.rules.spec):
        return None
    message = (
        f"{situation.retraining.consecutive_failures} retrainings failed in a row (the condition "
        f"RetrainingFailed says why), and no other one starts until spec is edited or one is requested"
    )
    return Finding(_TRUE, Reason.TOO_MANY_FAILURES, message)


def few_failures(situation: Situation) -> Finding:
    """Retrainings may start."""
    del situation
    return Finding(_FALSE, Reason.FEW_FAILURES, "Retrainings do not fail one after the other")


# --- Promoted: whether the newest promotion has moved the alias ---------------------------------------------


def promotion_runs(situation: Situation) -> Finding | None:
    """A promotion has been decided and has not ended; a repeated attempt shows why the last one failed."""
    intent = situation.promotion.intent
    if intent is None or not situation.promotes or intent.attempts > 1:
        return None
    name = promote_job_name(situation.seen.monitor.name, situation.promotion.count)
    expected = f"is on version {intent.expected_version}" if intent.expected_version else "does not exist"
    message = (
        f"Job {name} sets the alias to version {intent.version}, if the alias {expected}; "
        f"decided by {intent.approved_by}"
    )
    return Finding(_UNKNOWN, Reason.PROMOTION_RUNNING, message)


def not_yet_promoted(situation: Situation) -> Finding | None:
    """None has ended."""
    if situation.seen.monitor.status.last_promotion is not None:
        return None
    return Finding(_FALSE, Reason.NOT_YET_PROMOTED, "No promotion has ended yet")


def newest_promotion(situation: Situation) -> Finding | None:
    """The outcome of the newest promotion that has ended."""
    last = situation.seen.monitor.status.last_promotion
    if last is None:
        return None
    succeeded = last.result is PromotionResult.PROMOTED
    retried = " It is tried again." if situation.promotion_retry_time else ""
    return Finding(_TRUE if succeeded else _FALSE, last.reason, last.message + retried)


# --- PromotionPending: whether a version waits for the decision of a person ---------------------------------


def awaiting_approval(situation: Situation) -> Finding | None:
    """A version waits; the message says what there is to see, and how to decide."""
    pending, last = situation.promotion.pending, situation.promotion.last_decision
    if pending is None:
        return None
    how = f"Annotate the monitor with {ANNOTATION_DECISION}=approve:{pending.version}, or reject"
    if situation.rules is not None:
        how += f", before {format_time(approval_end(pending, situation.rules.spec))}"
    problem = f". {last.message}" if last and last.reason == Reason.INVALID_DECISION else ""
    return Finding(_TRUE, Reason.AWAITING_APPROVAL, f"{pending.message}. {how}{problem}")


def newest_decision(situation: Situation) -> Finding | None:
    """What became of the newest decision."""
    last = situation.promotion.last_decision
    return Finding(_FALSE, last.reason, last.message) if last else None


def nothing_pending(situation: Situation) -> Finding:
    """No version waits, and nobody has decided on one."""
    del situation
    return Finding(_FALSE, Reason.NOTHING_PENDING, "No version waits for a decision")


_OUTCOMES: Final = (ended_without_report, reported_failure, reported_success)

CONDITIONS: Final[Mapping[ConditionType, tuple[Policy, ...]]] = {
    ConditionType.READY: (
        invalid_spec,
        suspended,
        job_refused,
        pod_not_starting,
        checks_failing,
        check_queued,
        check_waiting_for_capacity,
        checks_run,
    ),
    ConditionType.DRIFT_DETECTED: (not_yet_checked, newest_verdict),
    ConditionType.RETRAINING: (
        retraining_queued,
        requested_retraining,
        triggered_retraining,
        invalid_request,
        held_back,
        waiting_for_capacity,
        never_needed,
        newest_outcome,
    ),
    ConditionType.RETRAINING_FAILED: (
        not_yet_retrained,
        ended_without_report,
        reported_failure,
        not_failed,
    ),
    ConditionType.STALLED: (too_many_failures, few_failures),
    ConditionType.PROMOTED: (promotion_runs, not_yet_promoted, newest_promotion),
    ConditionType.PROMOTION_PENDING: (awaiting_approval, newest_decision, nothing_pending),
}
"""As the API conventions ask, each condition is set from the first reconciliation on.

RetrainingFailed stays True while the next retraining runs: it is about the newest one that has ended.
"""
