"""Invariants of promotions, as pure functions of the record.

Each yields a sentence per violation. A move of a person is overwritten without a violation only if it came
between a promotion's last look at the alias and its set: MLflow has no conditional write.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from chaos.findings import Odd, Oddity
from chaos.move import Move
from chaos.record import MadeJob, MonitorLife, Version
from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ANNOTATION_DECISION
from selfheal_operator.api.reasons import PromotionDirection, PromotionResult, Purpose, RetrainResult
from selfheal_operator.api.v1alpha1.status import PromotionIntent


def undecided_moves(life: MonitorLife, moves: Sequence[Move]) -> Iterator[str]:
    """A run moves an alias only as a stored decision says, and only from where that expects it."""
    decided = {format_time(each.decided_time): each for _, each in _intents(life)}
    for move in moves:
        if move.uid != life.uid:
            continue
        intent = decided.get(move.decided)
        if intent is None or intent.version != move.after:
            yield f"{life.name}: {move.job} gave the alias to version {move.after}, which nobody had decided"
        elif move.before != intent.expected_version and not move.overtook:
            yield (
                f"{life.name}: {move.job} moved the alias from {move.before}; it was decided for "
                f"{intent.expected_version}"
            )


def overtaken(moves: Sequence[Move]) -> Iterator[Oddity]:
    """What MLflow cannot tell: somebody has moved the alias between a look and a set."""
    for move in moves:
        if move.overtook:
            yield Oddity(
                Odd.OVERTAKEN, 0, f"{move.model}: {move.job} overwrote {move.before} with {move.after}"
            )


def groundless(life: MonitorLife) -> Iterator[str]:
    """Each decision has its ground in an earlier status: a retraining, or a person's annotation."""
    registered: set[str] = set()
    for version in life.versions:
        outcome = version.status.last_retraining
        if outcome is not None and outcome.result is RetrainResult.REGISTERED and outcome.version:
            registered.add(outcome.version)
    for version, intent in _intents(life):
        if not _has_ground(life, version, intent, registered):
            yield f"{life.name}: nothing had led to the decision for version {intent.version}"


def _has_ground(life: MonitorLife, seen: Version, intent: PromotionIntent, registered: set[str]) -> bool:
    said = {
        each.annotations.get(ANNOTATION_DECISION, "").partition(";")[0]
        for each in life.versions
        if each.version <= seen.version
    }
    if intent.direction is PromotionDirection.ROLLBACK:
        return f"rollback:{intent.version}" in said
    if intent.approved_by.startswith("the annotation"):
        return intent.version in registered and f"approve:{intent.version}" in said
    return intent.version in registered and seen.spec.promotion.mode == "Auto"


def promotions_wrong(life: MonitorLife, jobs: Sequence[MadeJob]) -> Iterator[str]:
    """Promotions are numbered without gaps and run one at a time."""
    promotions = sorted(
        (job for job in jobs if job.purpose is Purpose.PROMOTE), key=lambda job: number_of(job.name)
    )
    numbers = [number_of(job.name) for job in promotions]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{life.name}: its promotions are numbered {numbers}"
    for earlier, later in pairwise(promotions):
        if not _had_reported(life, earlier, later.version):
            yield f"{life.name}: {later.name} was started while {earlier.name} ran"


def _had_reported(life: MonitorLife, job: MadeJob, version: int) -> bool:
    if job.finished_version is not None and job.finished_version < version:
        return True
    told = (each.status.last_promotion for each in life.versions if each.version < version)
    return any(report is not None and report.scheduled_time >= job.slot for report in told)


def promotions_owed(life: MonitorLife, end: datetime) -> Iterator[str]:
    """At the end each decision has its end, and each version and each annotation its decision.

    Args:
        life: A monitor that exists at the end.
        end: What was decided or reported after it, by the operators' clock, may still be under way.
    """
    last = life.last
    record, told = last.status.promotion, last.status.last_promotion
    intent, outcome = record.intent, last.status.last_retraining
    if intent is not None and intent.decided_time > end:
        return
    if intent is not None and (told is None or told.scheduled_time < intent.decided_time):
        yield f"{life.name}: the promotion of version {intent.version} has no end"
    if intent is not None and told is not None and told.result is PromotionResult.FAILED:
        yield f"{life.name}: the promotion of version {intent.version} is still to be tried again"
    asked = last.annotations.get(ANNOTATION_DECISION)
    if asked and record.last_handled_decision != asked:
        yield f"{life.name}: the decision {asked} was not handled"
    if last.spec.suspend or outcome is None or outcome.result is not RetrainResult.REGISTERED:
        return
    if not last.spec.promotion.moves_the_alias or (outcome.completion_time or end) > end:
        return
    decided = record.last_retraining_time
    if decided is None or decided < outcome.scheduled_time:
        yield f"{life.name}: nobody decided on version {outcome.version}"


def lost_moves(life: MonitorLife, moves: Sequence[Move]) -> Iterator[str]:
    """The newest move of an alias, if a run of this monitor made it, is in the status."""
    model = life.name.replace("/", ".")
    newest = next((move for move in reversed(moves) if move.model == model), None)
    if newest is None or newest.uid != life.uid:
        return
    told = life.last.status.last_promotion
    if told is None or (told.result, told.version) != (PromotionResult.PROMOTED, newest.after):
        yield f"{life.name}: the status does not say that {newest.job} gave the alias to {newest.after}"


def number_of(job: str) -> int:
    """Return the number at the end of a Job's name."""
    return int(job.rpartition("-")[2])


def _intents(life: MonitorLife) -> Iterator[tuple[Version, PromotionIntent]]:
    """Yield each intent with the version in which it was stored first."""
    seen = set()
    for version in life.versions:
        intent = version.status.promotion.intent
        if intent is not None and intent.decided_time not in seen:
            seen.add(intent.decided_time)
            yield version, intent
