import pytest

from selfheal_operator.api.reasons import Reason
from selfheal_operator.core.backoff import Backoff, retry_time
from selfheal_operator.core.observed import Rejection
from support.builders.objects import MINUTE, NOON, SECOND


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(1, 5 * SECOND), (2, 10 * SECOND), (6, 160 * SECOND), (7, 5 * MINUTE), (100_000, 5 * MINUTE)],
)
def test_the_pause_doubles_up_to_five_minutes(attempts, pause):
    """However often a Job is refused, the number does not run away."""
    rejection = Rejection(
        job_name="churn-check-1",
        generation=1,
        reason=Reason.JOB_REJECTED,
        message="exceeded quota",
        time=NOON,
        attempts=attempts,
    )

    assert retry_time(rejection) == NOON + pause


def test_the_end_of_a_deletion_is_asked_for_every_five_seconds():
    """Somebody has acted already: to wait for minutes would only delay the run."""
    rejection = Rejection(
        job_name="churn-check-1",
        generation=1,
        reason=Reason.JOB_TERMINATING,
        message="being deleted",
        time=NOON,
        attempts=100,
    )

    assert retry_time(rejection) == NOON + 5 * SECOND


def test_jitter_spreads_those_that_failed_together():
    """Also beyond the longest pause."""
    backoff = Backoff(first=SECOND, longest=8 * SECOND)

    assert [backoff.pause(failures, 0.5) / SECOND for failures in (1, 2, 4, 5)] == [0.5, 1, 4, 4]
