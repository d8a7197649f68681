"""Checks that each of a monitor's slots was started or counted as missed. Pure functions.

For a monitor whose schedule was never edited, the check is exact: each slot between its creation and its
status.lastScheduleTime has one Job, or is one of status.missedChecks. If the schedule was edited, or the
monitor suspended, the slots due around the edit depend on when an operator saw it. Then each run of stored
statuses with the same schedule is checked, from the nextCheckTime of the first to the lastScheduleTime of the
last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chaos.findings import Findings, Odd, Oddity
from chaos.record import MadeJob, MonitorLife, Version
from selfheal_operator.api.model import format_time
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.core.schedule import Schedule, is_slot, schedule_of

SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest slot that a status accounts for, and its count of missed slots."""

    until: datetime
    missed: int
    version: int = 0
    """The revision of that status."""


def is_steady(life: MonitorLife) -> bool:
    """Return whether the schedule was never edited."""
    rules = {_rule(version.spec) for version in life.versions}
    return len(rules) == 1 and not life.last.spec.suspend


def schedule_at(life: MonitorLife, version: Version) -> Schedule:
    """Return the schedule as it was then."""
    return schedule_of(version.spec, life.uid)


def settle(life: MonitorLife, checks: Sequence[MadeJob], created: datetime, findings: Findings) -> None:
    """Account for all slots of a monitor.

    Args:
        life: The monitor.
        checks: Its scheduled checks, in the order of their creation.
        created: When it was created, by the operators' clock.
        findings: Receives the results.
    """
    told = genuine(life)
    if is_steady(life):
        schedule = schedule_at(life, life.last)
        for job in checks:
            if not is_slot(schedule, job.slot) or job.slot <= created:
                findings.broken.append(f"{life.name}: {job.name} is for a time that is no slot of it")
        _settle(life, told, Mark(created, 0), checks, findings)
        return
    for stretch in _stretches(told):
        first = stretch[0].status
        if first.next_check_time is not None:
            begin = Mark(first.next_check_time - SECOND, first.missed_checks or 0, stretch[0].version)
            _settle(life, stretch, begin, checks, findings)


def _rule(spec: ModelMonitorSpec) -> tuple[object, ...]:
    return spec.schedule, spec.interval_seconds, spec.time_zone, spec.suspend


def genuine(life: MonitorLife) -> list[Version]:
    """Return the versions whose lastScheduleTime and nextCheckTime nobody has forged."""
    return [
        each
        for each in life.versions
        if not any(
            forged.is_slot_in(each.status) or forged.is_promise_in(each.status) for forged in life.forged
        )
    ]


def _stretches(versions: Iterable[Version]) -> Iterator[list[Version]]:
    """Yield runs of stored versions whose status is about one schedule that is not suspended."""
    stretch: list[Version] = []
    for version in versions:
        if stretch and _rule(version.spec) != _rule(stretch[0].spec):
            yield stretch
            stretch = []
        if version.observed and not version.spec.suspend:
            stretch.append(version)
    if stretch:
        yield stretch


def _settle(
    life: MonitorLife, versions: Sequence[Version], mark: Mark, checks: Sequence[MadeJob], findings: Findings
) -> None:
    """Check, for each status, the slots that it is the first to account for."""
    if not versions:
        return
    schedule = schedule_at(life, versions[0])
    for version in versions:
        last, counted = version.status.last_schedule_time, version.status.missed_checks or 0
        if last is None or last <= mark.until:
            continue
        due = _slots_due(schedule, mark.until, last, checks)
        started = {job.slot: job for job in checks if job.slot in due}
        known = {slot for slot, job in started.items() if job.version <= version.version}
        later = [job for slot, job in started.items() if slot not in known]
        raised = sum(
            each.more_missed for each in life.forged if mark.version < each.version <= version.version
        )
        missed = counted - mark.missed - raised
        skipped = {slot for slot in due if any(each.skips(slot) for each in life.forged)} - set(started)
        account = (
            f"{life.name}: of {len(due)} slots due after {format_time(mark.until)} "
            f"until {format_time(last)}, {len(known)} were started before the status of revision "
            f"{version.version}, {len(later)} after it, and {missed} were counted as missed"
        )
        balance = len(known) + missed - len(due)
        findings.slots += len(due)
        findings.lost += [account] * max(0, -balance - len(later) - len(skipped))
        findings.oddities += [Oddity(Odd.MISCOUNTED, version.version, account)] * max(0, balance)
        late = later[: max(0, len(later) + min(0, balance))]
        findings.oddities += [Oddity(Odd.LATE, job.version, account) for job in late]
        mark = Mark(last, counted, version.version)


def _slots_due(
    schedule: Schedule, after: datetime, until: datetime, checks: Sequence[MadeJob]
) -> set[datetime]:
    """Return the slots in (after, until].

    After an edit, a slot may be in the same minute as a slot of the earlier schedule with a Job. That Job has
    the name that this slot's Job would need, and counts for it.
    """
    taken = {job.slot.replace(second=0): job.slot for job in checks}
    due, slot = set(), schedule.next_after(after)
    while slot is not None and slot <= until:
        if taken.get(slot.replace(second=0), slot) == slot:
            due.add(slot)
        slot = schedule.next_after(slot)
    return due
