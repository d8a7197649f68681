"""A breach that something holds back triggers when that lapses: whoever waits for it is woken up then."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from selfheal_operator.api.v1alpha1.status import RetrainingStatus
from selfheal_operator.core.breaches import history_of
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Observed
from selfheal_operator.core.plan import CreateJob, WriteStatus
from selfheal_operator.core.triggers import Evidence, Objection, objection_to_retraining
from support.builders.objects import (
    DAY,
    DEFAULTS,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    last_check,
    monitor,
    spec,
    spec_document,
    status,
)

LAPSING = {Reason.COOLING_DOWN, Reason.DAILY_LIMIT_REACHED}

starts = st.lists(
    st.integers(-3 * 86400, 7200).map(lambda seconds: NOON + seconds * SECOND), max_size=24, unique=True
).map(lambda times: sorted(times, reverse=True))
rules = st.fixed_dictionaries(
    {"cooldownSeconds": st.integers(0, 200_000), "maxRunsPerDay": st.integers(1, 24)}
)


def held_back(times: list[datetime], retraining: dict[str, int], now: datetime) -> Objection | None:
    """Return what speaks against answering the drift of noon, after starts at these times."""
    memory = RetrainingStatus(
        count=len(times),
        last_start_time=times[0] if times else None,
        last_trigger_time=NOON - HOUR,
        start_times=times,
    )
    evidence = Evidence(
        spec=spec(retraining=retraining),
        verdict=last_check(NOON),
        retraining=memory,
        running=False,
        now=now,
    )
    return objection_to_retraining(evidence)


@given(times=starts, retraining=rules, seconds=st.integers(0, 200_000))
def test_what_lapses_says_when_and_is_gone_then(times, retraining, seconds):
    """Neither earlier nor later; waiting through each in turn ends with a retraining."""
    now, raised = NOON + seconds * SECOND, []
    while (objection := held_back(times, retraining, now)) is not None:
        assert objection.reason in LAPSING
        assert objection.until is not None
        assert objection.until > now
        before = held_back(times, retraining, max(now, objection.until - SECOND))
        assert before is not None
        assert before.reason is objection.reason
        raised.append(objection.reason)
        now = objection.until

    assert len(raised) <= len(LAPSING)
    assert len(set(raised)) == len(raised)


@given(times=starts, retraining=rules, now=st.integers(60, 200_000).map(lambda s: NOON + s * SECOND))
def test_no_day_has_more_starts_than_allowed_nor_two_within_a_cooldown(times, retraining, now):
    """Where nothing speaks against a start, none of the rules is broken by it."""
    if held_back(times, retraining, now) is not None:
        return

    assert all(now - start >= retraining["cooldownSeconds"] * SECOND for start in times[:1])
    assert sum(now - DAY < start for start in times) < retraining["maxRunsPerDay"]


@given(
    results=st.lists(
        st.sampled_from([CheckResult.DRIFT, CheckResult.NO_DRIFT, CheckResult.ERROR]), max_size=14
    ),
    asked=st.integers(1, 10),
    more=st.integers(0, 9),
)
def test_debounce_counts_the_newest_verdicts(results, asked, more):
    """Checked against the definition: the newest is a breach, and enough of the last verdicts are."""
    within = min(10, asked + more)
    trigger = {"consecutiveBreaches": asked, "withinChecks": within}
    stored = status()
    for number, result in enumerate(results):
        check = last_check(NOON + number * HOUR, result)
        stored = status(history=history_of(stored.replaced(last_check=check)), last_check=check)
    evidence = Evidence(
        spec=spec(trigger=trigger),
        verdict=stored.last_check,
        history=stored.history,
        retraining=RetrainingStatus(),
        running=False,
        now=NOON + DAY,
    )

    verdicts = [result for result in results[-10:] if result is not CheckResult.ERROR][::-1][:within]
    is_breach = results[-1:] == [CheckResult.DRIFT]
    expected = is_breach and verdicts.count(CheckResult.DRIFT) >= asked
    assert (objection_to_retraining(evidence) is None) == expected


@given(times=starts.filter(lambda times: times and times[0] <= NOON + HOUR), retraining=rules)
def test_the_timer_is_set_to_the_time_at_which_it_lapses(times, retraining):
    """From the operator's plan: once the status is written, it wakes up then and creates the Job."""
    now = NOON + MINUTE
    memory = {
        "count": len(times),
        "last_start_time": times[0],
        "last_trigger_time": NOON - HOUR,
        "start_times": times,
    }
    told = status(
        last_check=last_check(NOON),
        last_schedule_time=NOON,
        next_check_time=NOON + 365 * DAY,
        missed_checks=0,
        retraining=memory,
    )
    document = spec_document(schedule="0 0 1 1 *", retraining=retraining)
    objection = held_back(times, retraining, now)
    seen = Observed(monitor=monitor(document, told), defaults=DEFAULTS)
    plan = plan_monitor(seen, now)
    if isinstance(plan.step, WriteStatus):
        written = told.from_wire(told.to_wire() | plan.step.status)
        plan = plan_monitor(Observed(monitor=monitor(document, written), defaults=DEFAULTS), now)

    if objection is None:
        assert isinstance(plan.step, CreateJob)
        assert plan.step.purpose is Purpose.RETRAIN
        return
    assert plan.wake_at is not None
    assert objection.until is not None
    assert plan.wake_at <= objection.until
