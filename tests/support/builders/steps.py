"""What a plan does, by the kind of its step: a test asks for the one that it is about."""

from typing import Any

from selfheal_operator.core.observed import Job
from selfheal_operator.core.plan import (
    CreateJob,
    Event,
    InspectPods,
    Plan,
    RecoverReport,
    ReplaceJob,
    WriteStatus,
)
from selfheal_operator.core.slots import MissedReason


def job_created(plan: Plan) -> CreateJob | None:
    """Return the Job that it creates."""
    return plan.step if isinstance(plan.step, CreateJob) else None


def status_written(plan: Plan) -> Any:
    """Return the status that it writes, as a document; None if it writes none."""
    return plan.step.status if isinstance(plan.step, WriteStatus) else None


def slots_missed(plan: Plan) -> dict[MissedReason, int]:
    """Return the slots that it newly counts as missed."""
    return dict(plan.step.missed) if isinstance(plan.step, WriteStatus) else {}


def events_told(plan: Plan) -> tuple[Event, ...]:
    """Return the Events that it tells."""
    match plan.step:
        case WriteStatus(events=events):
            return events
        case ReplaceJob(event=event):
            return (event,)
        case _:
            return ()


def job_recovered(plan: Plan) -> Job | None:
    """Return the Job whose report it looks for."""
    return plan.step.job if isinstance(plan.step, RecoverReport) else None


def job_inspected(plan: Plan) -> Job | None:
    """Return the Job whose pods it asks."""
    return plan.step.job if isinstance(plan.step, InspectPods) else None


def job_replaced(plan: Plan) -> Job | None:
    """Return the check that it stops."""
    return plan.step.job if isinstance(plan.step, ReplaceJob) else None
