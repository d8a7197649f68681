"""Records of runs that never were: a test names only what it is about.

A monitor of every minute, made at noon by both clocks; its first slot is a minute later.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chaos.audit import audit
from chaos.findings import Findings
from chaos.forgeries import Forged
from chaos.move import Move
from chaos.record import MadeJob, MonitorLife, Record, Version
from selfheal_operator.api.model import format_time
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.jobs import check_job_name, promote_job_name, retrain_job_name
from support.builders.objects import MINUTE, NOON, UID, spec
from support.builders.objects import status as written_status

EVERY_MINUTE = {"schedule": "* * * * *"}


def slot(number: int) -> datetime:
    """Return a slot of a monitor of every minute, counted from noon."""
    return NOON + number * MINUTE


def check(number: int, version: int, **fields: Any) -> MadeJob:
    """Return the check of a slot, which ended at once."""
    made: dict[str, Any] = {
        "uid": f"uid-{version}",
        "name": check_job_name("churn", slot(number)),
        "owner_uid": UID,
        "purpose": Purpose.CHECK,
        "slot": slot(number),
        "version": version,
        "created": slot(number),
        "finished_version": version + 1,
    }
    return MadeJob(**made | fields)


def retraining(number: int, version: int, *, answers: int, **fields: Any) -> MadeJob:
    """Return a retraining that answers the drift of a slot."""
    named = {"name": retrain_job_name("churn", number), "purpose": Purpose.RETRAIN}
    return check(answers, version, **named | fields)


def promotion(number: int, version: int, **fields: Any) -> MadeJob:
    """Return a promotion that was decided at noon."""
    named = {"name": promote_job_name("churn", number), "purpose": Purpose.PROMOTE, "slot": NOON}
    return check(0, version, **named | fields)


def moved(before: str | None, after: str | None, **fields: Any) -> Move:
    """Return the move that the promotion which was decided at noon has made."""
    made = {"uid": UID, "job": promote_job_name("churn", 1), "decided": format_time(NOON)}
    return Move(model="team-a.churn", before=before, after=after, **made | fields)


def told(
    version: int,
    last: int | None,
    missed: int = 0,
    *,
    annotations: dict[str, str] | None = None,
    when: dict[str, Any] | None = None,
    generation: int = 1,
    **status: Any,
) -> Version:
    """Return a status that knows of the slots until `last`."""
    known = {} if last is None else {"last_schedule_time": slot(last), "next_check_time": slot(last + 1)}
    document: dict[str, Any] = {"observed_generation": generation, "missed_checks": missed} | known | status
    return Version(
        version=version,
        generation=generation,
        annotations=annotations or {},
        spec=spec(**when or EVERY_MINUTE),
        status=written_status(**document),
    )


def forged(version: int, before: Version, **fields: Any) -> tuple[Version, Forged]:
    """Return the version with forged fields of the status, and the note of the forgery."""
    written = written_status(**fields)
    status = before.status.replaced(**{name: getattr(written, name) for name in fields})
    note = Forged(uid=UID, version=version, before=before.status, fields=written)
    return replace(before, version=version, status=status), note


def audited(
    jobs: Iterable[MadeJob] = (),
    versions: Iterable[Version] = (),
    *,
    end: datetime = NOON,
    deleted: datetime | None = None,
    forged: Iterable[Forged] = (),
    moves: Iterable[Move] = (),
) -> Findings:
    """Return what an audit finds in such a record."""
    life = MonitorLife(
        uid=UID,
        name="team-a/churn",
        created=NOON,
        versions=list(versions),
        deleted=deleted,
        jobs=sorted(jobs, key=lambda job: job.version),
        forged=list(forged),
    )
    return audit(Record({UID: life}, moves=tuple(moves)), lambda time: time, end)
