"""Was any slot lost, was any doubled? Asked of the record, by the schedule's own arithmetic. Pure.

For a monitor whose schedule was never touched the account is exact: of the slots between its creation and its
status.lastScheduleTime, each has one Job, or is one of status.missedChecks. Where the schedule was edited, or
the monitor suspended, what is owed around the edit depends on when an operator saw it; there the same account
is made of each stretch of stored statuses that speak of the same schedule, from the nextCheckTime of the first
to the lastScheduleTime of the last. That no slot has two Jobs is asked of all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise

from chaos.record import MadeJob, MonitorLife, Record, Version
from selfheal_operator.api.names import ANNOTATION_CHECK_REQUEST, ANNOTATION_RETRAIN_REQUEST
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1 import ModelMonitorSpec, ModelMonitorStatus, format_time
from selfheal_operator.core.schedule import Schedule, is_slot, newest_slot, schedule_of

_SECOND = timedelta(seconds=1)
_REQUESTS = {
    Purpose.CHECK: ANNOTATION_CHECK_REQUEST,
    Purpose.RETRAIN: ANNOTATION_RETRAIN_REQUEST,
}
_WHEN = ("schedule", "intervalSeconds", "timeZone")


class Odd(Enum):
    """What may happen while several operators lead: no slot is lost or doubled by it."""

    MISCOUNTED = "slots counted as missed although they had their Job, by an operator that did not know of it"
    LATE = "slots started after they had been given up and counted, by a call that came through late"
    OVERLAPPING = "checks started while another of their monitor ran, by an operator that did not know"


@dataclass(frozen=True, slots=True)
class Oddity:
    """One of these."""

    odd: Odd
    version: int
    """The revision at which it happened."""
    sentence: str


@dataclass(slots=True)
class Findings:
    """What the audit found; one sentence for each thing that is wrong."""

    monitors: int = 0
    slots: int = 0
    """Slots that were due and are accounted for: started or missed."""
    started: int = 0
    """Checks that were started for a slot."""
    missed: int = 0
    """Slots that were passed over and counted."""
    retrainings: int = 0
    requested: int = 0
    """Runs that somebody asked for."""
    orphans: int = 0
    """Jobs created after their monitor was deleted, by an operator that did not know yet; garbage collection
    takes them away."""
    oddities: list[Oddity] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Other promises: retrainings one at a time and numbered, a status that never goes back, no Job for a
    time that is no slot."""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.broken)


def audit(record: Record, quick: Callable[[datetime], datetime], end: datetime) -> Findings:
    """Audit everything.

    Args:
        record: What the API server wrote down.
        quick: Translates its clock into that of the operators.
        end: Every slot that was due by then, by the operators' clock, has to be accounted for.
    """
    findings = Findings(monitors=len(record.monitors))
    for life in record.monitors.values():
        _audit_monitor(life, quick, end, findings)
    findings.broken += [f"{job.name}: its owner {job.owner_uid} was never there" for job in record.ownerless]
    return findings


def _audit_monitor(
    life: MonitorLife, quick: Callable[[datetime], datetime], end: datetime, findings: Findings
) -> None:
    jobs = [job for job in life.jobs if life.deleted is None or job.created <= life.deleted]
    findings.orphans += len(life.jobs) - len(jobs)
    checks = [job for job in jobs if job.purpose is Purpose.CHECK and job.request is None]
    retrainings = [job for job in jobs if job.purpose is Purpose.RETRAIN]
    findings.started += len(checks)
    findings.retrainings += len(retrainings)
    findings.requested += sum(job.request is not None for job in jobs)
    findings.missed += _missed(life.versions[-1])
    findings.doubled += _doubled(life, checks)
    findings.doubled += _answered_twice(life, jobs)
    findings.broken += _going_back(life)
    findings.broken += _retrainings_wrong(life, retrainings)
    findings.oddities += _overlapping(life, checks)
    if _is_steady(life):
        _account(life, checks, quick(life.created), findings)
    else:
        _account_stretches(life, checks, findings)
    if life.deleted is None:
        jobs = [job for job in jobs if quick(job.created) <= end]
        findings.lost += _still_owed(life, jobs, quick(life.created), end)


# --- one Job per slot ---------------------------------------------------------------------------------------


def _doubled(life: MonitorLife, checks: Sequence[MadeJob]) -> Iterator[str]:
    for slot, count in Counter(job.slot for job in checks).items():
        if count > 1:
            names = ", ".join(job.name for job in checks if job.slot == slot)
            yield f"{life.name}: the slot {format_time(slot)} has {count} Jobs ({names})"
    slots_of_name = {job.name: {j.slot for j in checks if j.name == job.name} for job in checks}
    for name, slots in slots_of_name.items():
        if len(slots) > 1:
            yield f"{life.name}: {name} was created for {len(slots)} slots"


def _answered_twice(life: MonitorLife, jobs: Sequence[MadeJob]) -> Iterator[str]:
    for (purpose, token), count in Counter((job.purpose, job.request) for job in jobs).items():
        if token is not None and count > 1:
            yield f"{life.name}: the request {token} has {count} Jobs ({purpose})"


def _is_steady(life: MonitorLife) -> bool:
    first = life.versions[0].spec
    return all(_when(version.spec) == _when(first) for version in life.versions) and not _suspended(first)


def _when(spec: object) -> tuple[object, ...]:
    assert isinstance(spec, dict)
    return (*(spec.get(name) for name in _WHEN), _suspended(spec))


def _suspended(spec: object) -> bool:
    assert isinstance(spec, dict)
    return bool(spec.get("suspend"))


def _account(life: MonitorLife, checks: Sequence[MadeJob], created: datetime, findings: Findings) -> None:
    """Settle the whole life of a monitor whose schedule was never touched."""
    schedule = _schedule(life, life.versions[-1])
    for job in checks:
        if not is_slot(schedule, job.slot) or job.slot <= created:
            findings.broken.append(f"{life.name}: {job.name} is for a time that is no slot of it")
    _settle(life, life.versions, Mark(created, 0), checks, findings)


def _account_stretches(life: MonitorLife, checks: Sequence[MadeJob], findings: Findings) -> None:
    """Settle each stretch in which the schedule was one and the same."""
    for stretch in _stretches(life):
        first = _status(stretch[0])
        if first.next_check_time is not None:
            begin = Mark(first.next_check_time - _SECOND, first.missed_checks or 0)
            _settle(life, stretch, begin, checks, findings)


def _stretches(life: MonitorLife) -> Iterator[list[Version]]:
    """Yield runs of stored versions whose status speaks of one schedule that is not suspended."""
    stretch: list[Version] = []
    for version in life.versions:
        if stretch and _when(version.spec) != _when(stretch[0].spec):
            yield stretch
            stretch = []
        if version.observed and not _suspended(version.spec):
            stretch.append(version)
    if stretch:
        yield stretch


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a status accounts for the slots, and how many of them it has counted as missed."""

    until: datetime
    missed: int


def _settle(
    life: MonitorLife, versions: Sequence[Version], mark: Mark, checks: Sequence[MadeJob], findings: Findings
) -> None:
    """Settle, status by status, the slots that each is the first to account for."""
    schedule = _schedule(life, versions[0])
    for version in versions:
        status = _status(version)
        last = status.last_schedule_time
        if last is None or last <= mark.until:
            continue
        due = _slots_due(schedule, mark.until, last, checks)
        started = [job for job in checks if job.slot in due]
        known = {job.slot for job in started if job.version <= version.version}
        later = [job for job in started if job.slot not in known]
        missed = (status.missed_checks or 0) - mark.missed
        account = (
            f"{life.name}: {len(due)} slots were due after {format_time(mark.until)} until {format_time(last)}, "
            f"{len(known)} had been started by then, {len(later)} were later, {missed} were counted as missed"
        )
        balance = len(known) + missed - len(due)
        findings.slots += len(due)
        findings.lost += [account] * max(0, -balance - len(later))
        findings.oddities += [Oddity(Odd.MISCOUNTED, version.version, account)] * max(0, balance)
        late = later[: max(0, len(later) + min(0, balance))]
        findings.oddities += [Oddity(Odd.LATE, job.version, f"{account}: {job.name}") for job in late]
        mark = Mark(last, status.missed_checks or 0)


def _slots_due(
    schedule: Schedule, after: datetime, until: datetime, checks: Sequence[MadeJob]
) -> set[datetime]:
    """Return the slots in (after, until].

    Where the schedule was edited, it may have a slot in a minute that has a Job by the earlier schedule: that
    Job has the name that this one would need, and stands for it.
    """
    taken = {job.slot.replace(second=0): job.slot for job in checks}
    due, slot = set(), schedule.next_after(after)
    while slot is not None and slot <= until:
        if taken.get(slot.replace(second=0), slot) == slot:
            due.add(slot)
        slot = schedule.next_after(slot)
    return due


def _still_owed(
    life: MonitorLife, jobs: Sequence[MadeJob], created: datetime, end: datetime
) -> Iterator[str]:
    """Name what was due in the end, and is not in the status."""
    last = life.versions[-1]
    status = _status(last)
    if not last.observed:
        yield f"{life.name}: no operator has acted upon its newest spec"
    if (numbers := sum(job.purpose is Purpose.RETRAIN for job in jobs)) > status.retraining.count:
        yield f"{life.name}: {numbers} retrainings were started, and its status knows {status.retraining.count}"
    if _suspended(last.spec):
        return
    for purpose, annotation in _REQUESTS.items():
        token = last.annotations.get(annotation)
        if token and not any(job.purpose is purpose and job.request == token for job in jobs):
            yield f"{life.name}: the request {token} was not answered ({purpose})"
    end -= timedelta(seconds=last.spec.get("spreadSeconds", 0))
    owed_from = created + _SECOND if _is_steady(life) else status.next_check_time
    slot = newest_slot(_schedule(life, last), end - timedelta(days=1), end)
    if slot is None or owed_from is None or slot < owed_from:
        return
    if status.last_schedule_time is None or status.last_schedule_time < slot:
        yield f"{life.name}: the slot {format_time(slot)} was due and nobody started it"


# --- retrainings, and the status ----------------------------------------------------------------------------


def _retrainings_wrong(life: MonitorLife, retrainings: Sequence[MadeJob]) -> Iterator[str]:
    numbers = sorted(_number(job) for job in retrainings)
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{life.name}: its retrainings are numbered {numbers}"
    for slot, count in Counter(job.slot for job in retrainings if job.request is None).items():
        if count > 1:
            yield f"{life.name}: the drift found at {format_time(slot)} was answered {count} times"
    for earlier, later in pairwise(sorted(retrainings, key=_number)):
        if earlier.finished_version is None or earlier.finished_version > later.version:
            yield f"{life.name}: {later.name} was started while {earlier.name} ran"


def _overlapping(life: MonitorLife, checks: Sequence[MadeJob]) -> Iterator[Oddity]:
    if life.versions[-1].spec.get("concurrencyPolicy") == "Replace":
        return
    for earlier, later in pairwise(checks):
        if not _had_ended(life, earlier, later.version):
            sentence = f"{life.name}: {later.name} was started while {earlier.name} ran"
            yield Oddity(Odd.OVERLAPPING, later.version, sentence)


def _had_ended(life: MonitorLife, job: MadeJob, version: int) -> bool:
    """Say whether the Job had finished, or its check reported, by that revision."""
    if job.finished_version is not None and job.finished_version < version:
        return True
    statuses = (_status(v) for v in life.versions if v.version < version)
    return any(s.last_check is not None and s.last_check.slot >= job.slot for s in statuses)


def _number(job: MadeJob) -> int:
    return int(job.name.rpartition("-")[2])


def _going_back(life: MonitorLife) -> Iterator[str]:
    for before, after in pairwise(map(_status, life.versions)):
        if (after.missed_checks or 0) < (before.missed_checks or 0):
            yield f"{life.name}: missedChecks went back from {before.missed_checks} to {after.missed_checks}"
        if after.retraining.count < before.retraining.count:
            yield f"{life.name}: its count of retrainings went back"
        old, new = before.last_schedule_time, after.last_schedule_time
        if old is not None and (new is None or new < old):
            yield f"{life.name}: lastScheduleTime went back from {old} to {new}"


# --- reading ------------------------------------------------------------------------------------------------


def _status(version: Version) -> ModelMonitorStatus:
    return ModelMonitorStatus.model_validate(version.status)


def _missed(version: Version) -> int:
    return _status(version).missed_checks or 0


def _schedule(life: MonitorLife, version: Version) -> Schedule:
    return schedule_of(ModelMonitorSpec.model_validate(version.spec), life.uid)


__all__: Iterable[str] = ["Findings", "audit"]
