"""Finds lost and doubled slots in the API server's audit log, not in the operators' state. Pure functions."""

from collections.abc import Callable, Sequence
from datetime import datetime

from chaos.accounts import settle
from chaos.findings import Findings
from chaos.move import Move
from chaos.promises import doubled, going_back, overlapping, retrainings_wrong, still_owed
from chaos.promotion_promises import (
    groundless,
    lost_moves,
    overtaken,
    promotions_owed,
    promotions_wrong,
    undecided_moves,
)
from chaos.record import MonitorLife, Record
from selfheal_operator.api.reasons import Purpose

Translation = Callable[[datetime], datetime]
"""From the API server's clock to that of the operators."""


def audit(record: Record, quick: Translation, end: datetime) -> Findings:
    """Audit everything.

    Args:
        record: The API server's record.
        quick: Translates the API server's clock into the operators' clock.
        end: Every slot that was due by then, by the operators' clock, must be accounted for.
    """
    findings = Findings(monitors=len(record.monitors))
    for life in record.monitors.values():
        _audit_monitor(life, quick, end, findings)
        _audit_promotions(life, record.moves, findings)
    findings.oddities += overtaken(record.moves)
    findings.moved = sum(bool(move.uid) for move in record.moves)
    findings.broken += [
        f"{job.name}: its owner {job.owner_uid} was never there, or is poison" for job in record.ownerless
    ]
    return findings


def unsettled(record: Record, quick: Translation, end: datetime) -> list[str]:
    """Return the slots and requests that were due at the end and are not in the statuses yet."""
    return [
        sentence
        for life in record.monitors.values()
        if life.deleted is None
        for sentence in _owed(life, quick, end)
    ]


def _owed(life: MonitorLife, quick: Translation, end: datetime) -> list[str]:
    jobs = [job for job in life.jobs if quick(job.created) <= end]
    return [*still_owed(life, jobs, quick(life.created), end), *promotions_owed(life, end)]


def _audit_monitor(life: MonitorLife, quick: Translation, end: datetime, findings: Findings) -> None:
    jobs = [job for job in life.jobs if life.deleted is None or job.created <= life.deleted]
    checks = [job for job in jobs if job.purpose is Purpose.CHECK and job.request is None]
    findings.orphans += len(life.jobs) - len(jobs)
    findings.started += len(checks)
    findings.retrainings += sum(job.purpose is Purpose.RETRAIN for job in jobs)
    findings.promotions += sum(job.purpose is Purpose.PROMOTE for job in jobs)
    findings.requested += sum(job.request is not None for job in jobs)
    findings.missed += (life.last.status.missed_checks or 0) - sum(each.more_missed for each in life.forged)
    findings.doubled += doubled(life, jobs)
    findings.broken += [*going_back(life), *retrainings_wrong(life, jobs), *promotions_wrong(life, jobs)]
    findings.oddities += overlapping(life, checks)
    settle(life, checks, quick(life.created), findings)
    if life.deleted is None:
        findings.lost += _owed(life, quick, end)


def _audit_promotions(life: MonitorLife, moves: Sequence[Move], findings: Findings) -> None:
    findings.broken += [*undecided_moves(life, moves), *groundless(life)]
    if life.deleted is None:
        findings.lost += lost_moves(life, moves)
