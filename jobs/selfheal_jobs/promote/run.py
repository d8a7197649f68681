"""The promotion: moves the alias of the champion, if it is where the decision expects it.

read the alias → compare → set → read back → tag the version → report.

MLflow has no conditional write, so the comparison and the set are two requests, milliseconds apart. After a
lost answer, everything begins with the read again: what somebody else has set meanwhile is never overwritten.
Every step is idempotent, so that a pod which starts after its predecessor has died comes to the same end.
"""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime

from selfheal_jobs.delivery.status_patch import PromotionSink
from selfheal_jobs.errors import RequestError, TrackingError
from selfheal_jobs.promote.alias_move import AliasMove, AliasRegistry, Moved, move_alias
from selfheal_jobs.promote.report import PromotionAttempt
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_jobs.tracking.rest_client import RefusedError, reach
from selfheal_jobs.transport.retry_policy import PATIENT, RetryPolicy
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.report import PromoteReport
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

Connect = Callable[[RunRequest, RetryPolicy], AliasRegistry]


def connected(request: RunRequest, patience: RetryPolicy) -> AliasRegistry:
    """Return the registry of the request's MLflow, which repeats no request by itself.

    The alias may have been moved since the one before.

    Raises:
        TrackingError: Its address or its credentials cannot be used.
    """
    once = RetryPolicy(timeout_seconds=patience.timeout_seconds, retries=0)
    return ModelRegistry(reach(request.mlflow.tracking_uri, once))


def run_promote(
    request: RunRequest,
    sink: PromotionSink,
    clock: Callable[[], datetime],
    connect: Connect = connected,
    patience: RetryPolicy = PATIENT,
) -> None:
    """Move the alias once and deliver the report. Errors are reported too.

    Args:
        request: The request.
        sink: Where the report goes.
        clock: Returns the current time.
        connect: Returns the registry.
        patience: How often the whole move is repeated while MLflow is away.

    Raises:
        RequestError: The request does not say which version is to be promoted.
        UndeliveredError: The report could not be written to the monitor's status.
    """
    if request.promotion is None:
        raise RequestError("SELFHEAL_REQUEST asks for a promotion and names no version.")
    if not sink.is_intended(request):
        logger.info("Nothing is done: the status has another intent, or the report of this one")
        return
    attempt = PromotionAttempt(request, request.promotion, started=clock())
    report = _report(attempt, clock, lambda: _move(attempt, connect, patience))
    logger.info("%s: %s", report.last_promotion.result, report.last_promotion.message)
    sink.deliver(report)


def _report(
    attempt: PromotionAttempt, clock: Callable[[], datetime], move: Callable[[], Moved]
) -> PromoteReport:
    try:
        return attempt.ended(move(), clock())
    except TrackingError as error:
        return attempt.failed(Reason.MLFLOW_UNAVAILABLE, str(error), clock())
    except Exception as error:  # noqa: BLE001  a defect is reported too
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The promotion ended by a defect ({one_line(error)}); the Job's log holds the details."
        return attempt.failed(Reason.PROMOTION_FAILED, message, clock())


def _move(attempt: PromotionAttempt, connect: Connect, patience: RetryPolicy) -> Moved:
    registry = connect(attempt.request, patience)
    wanted = AliasMove.of(attempt.request, attempt.order)
    return patience.call(lambda: move_alias(registry, wanted), is_transient=_may_pass)


def _may_pass(error: BaseException) -> bool:
    # A version that was deleted since it was read is found out by the next attempt.
    if isinstance(error, RefusedError):
        return error.code == "RESOURCE_DOES_NOT_EXIST"
    return isinstance(error, TrackingError)
