"""Forged statuses: what an administrator with the verb `overwrite` writes, and what is left of it later.

A forgery is no evidence of what the operators did. `chaos.promises` states which promises it excuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Self

from selfheal_operator.api.model import format_time
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.jobs import check_job_name
from testbed.forged_statuses import FORGED

Document = dict[str, Any]

LONG_AGO: Final = "2020-01-01T00:00:00Z"
SOON: Final = timedelta(minutes=4)
"""So far ahead that operators believe it: `core.credibility` takes five minutes for a skew of clocks."""
MORE_MISSED: Final = 1_000_000
_INCREDIBLE: Final = datetime(9000, 1, 1, tzinfo=UTC)


class Forgery(Enum):
    """What is forged. Each is one merge patch of a status."""

    PROMISE = "nextCheckTime of the year 9999"
    FIRST_YEAR = "nextCheckTime before the epoch"
    STARTED = "lastScheduleTime of the year 9999"
    STARTED_SOON = "lastScheduleTime four minutes ahead"
    REPORT = "a report that supersedes all later ones"
    ODD_REPORT = "a report completed in the year 9999"
    DRIFT = "a drift of the newest slot, and an old lastStartTime"
    HISTORY = "a history of the year 9999"
    COUNT = "a count of retrainings that is too long for a name"
    MISSED = "a million missed checks"
    ACTIVE = "unknown Jobs"
    CONDITION = "a condition of the year 9999"

    def patch(self, monitor: Document, now: datetime) -> Document:
        """Return the status to merge into the stored one.

        Args:
            monitor: The monitor as it is stored.
            now: The current time, by the operators' clock.
        """
        name, status = monitor["metadata"]["name"], monitor.get("status") or {}
        newest = datetime.fromisoformat(status.get("lastScheduleTime") or format_time(now))
        report = _report(format_time(newest), check_job_name(name, newest))
        made: dict[Forgery, Document] = {
            Forgery.STARTED_SOON: {"lastScheduleTime": format_time(now + SOON)},
            Forgery.DRIFT: {"lastCheck": report, "retraining": {"lastStartTime": LONG_AGO}},
            Forgery.MISSED: {"missedChecks": (status.get("missedChecks") or 0) + MORE_MISSED},
            Forgery.ACTIVE: {
                "active": [_active("../../../../../api/v1/secrets"), _active(f"{name}-check-1")]
            },
        }
        return made.get(self) or _ALWAYS[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """One forgery that was stored."""

    uid: str
    """Of its monitor."""
    version: int
    """The revision at which it was stored."""
    before: ModelMonitorStatus
    """The status that it was merged into."""
    fields: ModelMonitorStatus
    """The forged fields; others are as in an empty status."""

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Self:
        """Read what `line_of` returns."""
        return cls(
            uid=line["uid"],
            version=line["version"],
            before=ModelMonitorStatus.from_wire(line["before"]),
            fields=ModelMonitorStatus.from_wire(line["fields"]),
        )

    @property
    def more_missed(self) -> int:
        """By how much missedChecks was raised."""
        forged = self.fields.missed_checks
        return 0 if forged is None else forged - (self.before.missed_checks or 0)

    @property
    def starts_until(self) -> datetime | None:
        """The forged lastScheduleTime if operators may believe it: then they start no earlier slot."""
        forged = self.fields.last_schedule_time
        return forged if forged is not None and forged < _INCREDIBLE else None

    def skips(self, slot: datetime) -> bool:
        """Return whether the slot counts as started by that time alone: it was not, before the forgery."""
        until, before = self.starts_until, self.before.last_schedule_time
        return until is not None and slot <= until and (before is None or slot > before)

    def is_slot_in(self, status: ModelMonitorStatus) -> bool:
        """Return whether the status still has the forged lastScheduleTime."""
        forged = self.fields.last_schedule_time
        return forged is not None and status.last_schedule_time == forged

    def is_promise_in(self, status: ModelMonitorStatus) -> bool:
        """Return whether the status still has the forged nextCheckTime."""
        forged = self.fields.next_check_time
        return forged is not None and status.next_check_time == forged

    def is_count_in(self, status: ModelMonitorStatus) -> bool:
        """Return whether the status still has the forged count of retrainings."""
        forged = self.fields.retraining.count
        return forged != 0 and status.retraining.count == forged

    def is_report_in(self, status: ModelMonitorStatus) -> bool:
        """Return whether the status still has the forged report."""
        forged = self.fields.last_check
        return forged is not None and status.last_check == forged

    def stands_in(self, status: ModelMonitorStatus) -> bool:
        """Return whether something is left that operators must have mended.

        A lastScheduleTime that may be right is believed, and a report is replaced by the next one.
        """
        return (
            (self.is_slot_in(status) and self.starts_until is None)
            or self.is_promise_in(status)
            or self.is_count_in(status)
            or any(job in status.active for job in self.fields.active)
        )


def line_of(before: Document, after: Document, patch: Document) -> Document:
    """Return what has to be stored of a forgery, from the monitor before it, after it, and its patch."""
    return {
        "uid": after["metadata"]["uid"],
        "version": int(after["metadata"]["resourceVersion"]),
        "before": before.get("status") or {},
        "fields": patch,
    }


def _report(slot: str, job: str) -> Document:
    return {
        "scheduledTime": slot,
        "jobName": job,
        "result": "Drift",
        "reason": "ThresholdExceeded",
        "message": "forged",
        "observedGeneration": 1,
    }


def _active(name: str) -> Document:
    return {"name": name, "uid": "forged", "purpose": Purpose.CHECK}


_ALWAYS: Final[Mapping[Forgery, Document]] = {
    Forgery.PROMISE: FORGED["promise"],
    Forgery.FIRST_YEAR: FORGED["first-year"],
    Forgery.STARTED: FORGED["started"],
    Forgery.REPORT: FORGED["report"],
    Forgery.ODD_REPORT: FORGED["odd-report"],
    Forgery.HISTORY: FORGED["history"],
    Forgery.COUNT: FORGED["record"],
    Forgery.CONDITION: FORGED["since"],
}
"""Those that do not depend on the monitor."""
