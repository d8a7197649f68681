from collections import Counter

import pytest

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.errors import RejectedError, UnavailableError
from selfheal_operator.core.slots import MissedReason
from selfheal_operator.kube.client import NotFoundError
from selfheal_operator.metrics.api_calls import ApiCall
from support.builders.objects import MINUTE, NOON, SECOND, job

JOBS = "/apis/batch/v1/namespaces/team-a/jobs"
MILLISECOND = SECOND / 1000
NO_DELAY = 0 * SECOND


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("selfheal_jobs_started_total", {"purpose": "Check"}),
        ("selfheal_jobs_started_total", {"purpose": "Retrain"}),
        ("selfheal_slots_missed_total", {"reason": "Superseded"}),
        ("selfheal_slots_missed_total", {"reason": "DeadlineExceeded"}),
        ("selfheal_reconcile_errors_total", {"kind": "Defect"}),
        ("selfheal_leader_transitions_total", {}),
        ("selfheal_check_start_delay_seconds_count", {}),
        ("selfheal_leader", {}),
    ],
)
def test_a_series_is_there_before_anything_has_happened(read, name, labels):
    """A counter that is first seen at 1 has not increased, for Prometheus: the first miss would not alarm."""
    assert read(name, **labels) == 0


def test_a_check_that_is_started_is_counted_with_its_delay(instruments, read):
    """The delay is the time from the slot to when the API server said that the Job is there."""
    instruments.job_started(job(slot=NOON, created=NOON), NOON + 300 * MILLISECOND, NO_DELAY)
    assert read("selfheal_jobs_started_total", purpose="Check") == 1
    assert read("selfheal_check_start_delay_seconds_sum") == pytest.approx(0.3)
    assert read("selfheal_check_start_delay_seconds_bucket", le="0.25") == 0
    assert read("selfheal_check_start_delay_seconds_bucket", le="0.5") == 1


def test_a_job_that_was_found_is_as_late_as_it_was_made(instruments, read):
    """An operator that comes back an hour later finds it: it was not an hour late."""
    instruments.job_started(job(slot=NOON, created=NOON + 2 * SECOND), NOON + 60 * MINUTE, NO_DELAY)
    assert read("selfheal_check_start_delay_seconds_sum") == pytest.approx(3)


def test_a_job_is_never_early(instruments, read):
    """Clocks differ; a histogram of times has no place for a negative one."""
    instruments.job_started(job(slot=NOON, created=NOON - 2 * SECOND), NOON - SECOND, NO_DELAY)
    assert read("selfheal_check_start_delay_seconds_sum") == 0


def test_a_retraining_has_no_delay(instruments, read):
    """Its slot is that of the check that found the drift: what lies between is the check's own time."""
    instruments.job_started(job(Purpose.RETRAIN), NOON + MINUTE, NO_DELAY)
    assert read("selfheal_jobs_started_total", purpose="Retrain") == 1
    assert read("selfheal_check_start_delay_seconds_count") == 0


def test_a_delay_that_the_user_asked_for_is_not_late(instruments, read):
    """With spreadSeconds each monitor starts a while after its slot, on purpose."""
    slot, start = NOON, NOON + 40 * SECOND
    instruments.job_started(job(slot=slot, created=start), start + 200 * MILLISECOND, 40 * SECOND)
    assert read("selfheal_check_start_delay_seconds_sum") == pytest.approx(0.2)


def test_a_check_that_somebody_asked_for_has_no_delay(instruments, read):
    """It has no slot of the schedule to be late for."""
    instruments.job_started(job(request="now"), NOON + MINUTE, NO_DELAY)
    assert read("selfheal_jobs_started_total", purpose="Check") == 1
    assert read("selfheal_check_start_delay_seconds_count") == 0


@pytest.mark.parametrize("reason", MissedReason)
def test_missed_slots_are_counted_by_the_reason(instruments, read, reason):
    """None were missed before; of another reason none are missed now."""
    instruments.slots_missed(3, reason)
    assert {other: read("selfheal_slots_missed_total", reason=other) for other in MissedReason} == {
        other: 3 if other is reason else 0 for other in MissedReason
    }


def test_a_call_is_counted_by_verb_resource_and_code(instruments, read):
    """And timed; the code is no label of the time, for there are enough series as it is."""
    instruments.observe_call(ApiCall("create", "jobs"), 201, 0.02)
    instruments.observe_call(ApiCall("create", "jobs"), 409, 0.01)
    call = {"verb": "create", "resource": "jobs"}
    assert read("selfheal_api_requests_total", code="201", **call) == 1
    assert read("selfheal_api_requests_total", code="409", **call) == 1
    assert read("selfheal_api_request_duration_seconds_sum", **call) == pytest.approx(0.03)


def test_a_call_without_an_answer_has_a_code_of_its_own(instruments, read):
    """As client-go has it."""
    instruments.observe_call(ApiCall("create", "jobs"), None, 10)
    assert read("selfheal_api_requests_total", verb="create", resource="jobs", code="<error>") == 1


def test_a_watch_is_counted_and_not_timed(instruments, read):
    """It lasts for minutes when all is well."""
    instruments.count_call(ApiCall("watch", "jobs"), 200)
    assert read("selfheal_api_requests_total", verb="watch", resource="jobs", code="200") == 1
    assert read("selfheal_api_request_duration_seconds_count", verb="watch") is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnavailableError("away"), "Unavailable"),
        (RejectedError("no"), "Rejected"),
        (NotFoundError("gone"), "NotFound"),
        (None, "Defect"),
    ],
)
def test_an_error_is_counted_by_its_kind(instruments, read, error, kind):
    """The kinds say who has to act; what is no kind of selfheal's is a defect of the operator."""
    instruments.reconcile_failed(error)
    assert read("selfheal_reconcile_errors_total", kind=kind) == 1


def test_the_work_on_a_monitor_is_timed_though_it_fails(instruments, read):
    """Else the slowest, which fail, would be missing."""
    with pytest.raises(UnavailableError), instruments.reconciling():
        raise UnavailableError("away")
    assert read("selfheal_reconcile_duration_seconds_count") == 1
    assert read("selfheal_reconcile_longest_running_seconds") == 0


def test_work_that_goes_on_shows(instruments, read):
    """While it lasts."""
    with instruments.reconciling():
        assert (read("selfheal_reconcile_longest_running_seconds") or 0) > 0


def test_only_a_change_of_leadership_is_a_transition(instruments, read):
    """The elector may say so at every renewal."""
    told = [True, True, False, True]
    for leads in told:
        instruments.set_leader(leads=leads)
    assert read("selfheal_leader") == 1
    assert read("selfheal_leader_transitions_total") == 3


def test_the_lag_of_the_event_loop_is_told(instruments, read):
    """In a histogram: the longest stop of a minute is what matters."""
    instruments.observe_loop_lag(0.07)
    assert read("selfheal_event_loop_lag_seconds_bucket", le="0.05") == 0
    assert read("selfheal_event_loop_lag_seconds_bucket", le="0.1") == 1


def test_the_queue_is_asked_at_each_scrape(instruments, read):
    """Nothing of it is kept."""
    waiting = [3]
    instruments.read_queue(lambda: waiting[0], lambda: 2.5)
    assert read("selfheal_queue_depth") == 3
    waiting[0] = 4
    assert read("selfheal_queue_depth") == 4
    assert read("selfheal_queue_oldest_wait_seconds") == 2.5


def test_the_age_of_each_watch_is_told_by_resource(instruments, read):
    """Those that there are when it is asked."""
    instruments.read_watches(lambda: {("jobs",): 61.0})
    assert read("selfheal_watch_age_seconds", resource="jobs") == 61


def test_jobs_that_wait_for_room_are_told(instruments, read):
    """By what they are for: each has a limit of its own."""
    instruments.read_waiting({Purpose.CHECK: 3, Purpose.RETRAIN: 0, Purpose.PROMOTE: 0}.__getitem__)
    assert read("selfheal_jobs_waiting", purpose="Check") == 3
    assert read("selfheal_jobs_waiting", purpose="Retrain") == 0


def test_active_jobs_go_when_they_have_finished(instruments, read):
    """There is no series that stays at 0 for ever."""
    active: dict[Purpose, Counter[str]] = {purpose: Counter() for purpose in Purpose}
    active[Purpose.CHECK]["team-a"] = 1
    instruments.read_jobs(active.__getitem__)
    assert read("selfheal_jobs_active", namespace="team-a", purpose="Check") == 1
    active[Purpose.CHECK].clear()
    assert read("selfheal_jobs_active", namespace="team-a", purpose="Check") is None


def test_the_process_is_measured_too(read):
    """Memory and CPU, by the names that every dashboard knows."""
    assert (read("process_resident_memory_bytes") or 0) > 2**20
