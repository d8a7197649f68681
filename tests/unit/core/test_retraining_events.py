"""What is told of a retraining, once."""

from dataclasses import replace

from builders import (
    HOUR,
    MINUTE,
    NOON,
    finished_job,
    job,
    last_check,
    last_retraining,
    monitor,
    observed,
    settled,
    status,
)
from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Observed


def while_it_runs() -> Observed:
    """Return a monitor whose drift at noon is being answered."""
    drifted = monitor(status=status(last_check=last_check(), next_check_time=NOON + HOUR))
    return settled(
        observed(drifted, finished_job(), job(Purpose.RETRAIN, created=NOON + 2 * MINUTE)), NOON + 2 * MINUTE
    )


def test_the_end_of_a_retraining_is_told_even_if_drift_was_found_again_meanwhile() -> None:
    """The condition speaks of the cooldown by then; the Event speaks of what became of the retraining."""
    seen = while_it_runs()
    new = seen.monitor.status.model_copy(
        update={
            "last_retraining": last_retraining(),
            "last_check": last_check(NOON + HOUR),
            "next_check_time": NOON + 2 * HOUR,
        }
    )
    later = replace(
        seen,
        monitor=replace(seen.monitor, status=new),
        jobs=(finished_job(Purpose.RETRAIN, created=NOON + 2 * MINUTE), finished_job(slot=NOON + HOUR)),
    )

    # One minute before the end of the default cooldown of an hour.
    plan = plan_monitor(later, NOON + HOUR + MINUTE)

    assert plan.status is not None
    condition = next(c for c in plan.status["conditions"] if c["type"] == "Retraining")
    assert condition["reason"] == Reason.COOLING_DOWN
    assert [event.reason for event in plan.events if "It ended" in event.message] == [Reason.MODEL_REGISTERED]
