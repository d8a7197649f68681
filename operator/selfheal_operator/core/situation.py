"""The state of a monitor, derived from the observations, from which plans and statuses are made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.status import PromotionStatus, RetrainingStatus
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.history import is_end_on_record
from selfheal_operator.core.observed import Job, Observed, Rejection
from selfheal_operator.core.promotion_decisions import approval_end
from selfheal_operator.core.promotion_record import is_promoting, promotion_record, retry_time
from selfheal_operator.core.requests import Requests, requests_of
from selfheal_operator.core.retraining_record import retraining_record
from selfheal_operator.core.slots import Slots, idle_slots, punctuality_of, slots_of
from selfheal_operator.core.triggers import Evidence, Objection, objection_to_retraining
from selfheal_operator.core.validation import Rules, rules_of

QUEUE_PATIENCE: Final = timedelta(seconds=5)
"""A shorter wait is not written to the status: if there is room, most Jobs are admitted or started sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a plan and a status are made from."""

    seen: Observed
    now: datetime
    rules: Rules | None
    """The spec, if it is valid."""
    problem: str
    """What is wrong with the spec; empty if it is valid."""
    active: tuple[Job, ...]
    """Jobs that have not ended, according to the Jobs and the status."""
    slots: Slots
    requests: Requests
    retraining: RetrainingStatus
    promotion: PromotionStatus
    objection: Objection | None
    """Why no retraining starts now; None if one must."""
    triggers: tuple[str, ...]
    """What the newest check breached of spec.trigger.on."""
    rejection: Rejection | None
    """The API server's refusal of a Job that is still wanted."""

    @property
    def capacity_patience_end(self) -> datetime | None:
        """When the status tells that the platform team's limit holds back a check; None if it does not."""
        due, seen = self.slots.due, self.seen
        if (
            due is None
            or self.rules is None
            or Purpose.CHECK not in seen.held
            or self.active_for(Purpose.CHECK)
        ):
            return None
        return due + punctuality_of(self.rules.spec, seen.monitor.uid).delay + QUEUE_PATIENCE

    @property
    def check_waits_for_capacity(self) -> bool:
        """Whether a check has been held back by the platform team's limit for at least `QUEUE_PATIENCE`."""
        end = self.capacity_patience_end
        return end is not None and self.now >= end

    @property
    def promotes(self) -> bool:
        """Whether a promotion has been decided and has not reported."""
        return is_promoting(self.promotion, self.seen.monitor.status)

    @property
    def promotion_retry_time(self) -> datetime | None:
        """When the newest promotion is tried again; None if it runs or has been settled."""
        return retry_time(self.promotion, self.seen.monitor.status)

    @property
    def approval_end(self) -> datetime | None:
        """When a version that waits for a decision is rejected; None if none waits."""
        pending = self.promotion.pending
        return approval_end(pending, self.rules.spec) if pending and self.rules else None

    def active_for(self, purpose: Purpose) -> Job | None:
        """Return the unfinished Job of that purpose."""
        return next((job for job in self.active if job.purpose is purpose), None)

    def queued_for(self, purpose: Purpose) -> Job | None:
        """Return the Job of that purpose that has been queued for at least `QUEUE_PATIENCE`."""
        job = self.active_for(purpose)
        if job is None or not job.queued or self.now < job.created + QUEUE_PATIENCE:
            return None
        return job


def assess(seen: Observed, now: datetime) -> Situation:
    """Derive the state of the monitor at `now`."""
    rules, problem = _rules(seen)
    unfinished = [job for job in seen.jobs if job.runs]
    ongoing = (job for job in unfinished if not is_end_on_record(seen.monitor, job))
    active = tuple(sorted(ongoing, key=lambda job: job.name))
    retraining = retraining_record(seen.monitor, seen.jobs, rules.spec if rules else None)
    promotion = promotion_record(seen.monitor, seen.jobs, rules.spec if rules else None, now)
    promotes = is_promoting(promotion, seen.monitor.status)
    slots = _slots(seen, rules, now)
    requests = requests_of(seen)
    evidence = rules and Evidence(
        spec=rules.spec,
        generation=seen.monitor.generation,
        verdict=seen.monitor.status.last_check,
        history=seen.monitor.status.history,
        retraining=retraining,
        outcome=seen.monitor.status.last_retraining,
        running=any(job.purpose is Purpose.RETRAIN for job in unfinished),
        promoting=promotes,
        requested=bool(requests.retrain),
        now=now,
    )
    objection = objection_to_retraining(evidence) if evidence else Objection.to_nothing()
    check_runs = any(job.purpose is Purpose.CHECK for job in active)
    wanted = (
        promotes or objection is None or ((slots.due is not None or bool(requests.check)) and not check_runs)
    )
    return Situation(
        seen=seen,
        now=now,
        rules=rules,
        problem=problem,
        active=active,
        slots=slots,
        requests=requests,
        retraining=retraining,
        promotion=promotion,
        objection=objection,
        triggers=evidence.triggers if evidence else (),
        rejection=_rejection(seen) if wanted else None,
    )


def _rules(seen: Observed) -> tuple[Rules | None, str]:
    try:
        return rules_of(seen.monitor, seen.defaults), ""
    except InvalidSpecError as error:
        return None, str(error)


def _slots(seen: Observed, rules: Rules | None, now: datetime) -> Slots:
    started = {job.slot for job in seen.jobs if job.is_scheduled_check}
    if seen.removed_slot is not None:
        started.add(seen.removed_slot)
    monitor = seen.monitor
    if rules is None or rules.spec.suspend:
        return idle_slots(monitor.status, started)
    return slots_of(
        rules.schedule,
        monitor.status,
        monitor.created,
        started,
        now,
        punctuality=punctuality_of(rules.spec, monitor.uid),
    )


def _rejection(seen: Observed) -> Rejection | None:
    """Return the refused Job, unless the spec was edited or another operator has created the Job."""
    rejection = seen.rejection
    if rejection is None or rejection.generation != seen.monitor.generation:
        return None
    return None if rejection.job_name in {job.name for job in seen.jobs} else rejection
