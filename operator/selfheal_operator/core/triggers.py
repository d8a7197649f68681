"""Should the model be retrained now? A list of objections, of which the first one wins.

Objections that only somebody can remove come before those that lapse by themselves: a time at which the
retraining would still not start would be misleading.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ANNOTATION_RETRAIN_REQUEST
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import HistoryEntry, LastCheck, LastRetraining, RetrainingStatus
from selfheal_operator.api.v1alpha1.trigger import DATA_DRIFT
from selfheal_operator.core.breaches import breached_by, has_broken_columns, is_breach, still_breached_by
from selfheal_operator.core.retraining_record import BUDGET_PERIOD

_NAMES_SHOWN: Final = 5
_DECIDED: Final = frozenset({"Registered", "NotImproved", "Inconclusive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the decision depends on."""

    spec: ModelMonitorSpec
    generation: int = 1
    """metadata.generation of the spec."""
    verdict: LastCheck | None
    history: Sequence[HistoryEntry] = ()
    """Earlier checks, newest first; entries of the verdict's slot and later ones are ignored."""
    retraining: RetrainingStatus
    outcome: LastRetraining | None = None
    """The outcome of the newest retraining that has reported."""
    running: bool
    promoting: bool = False
    """A promotion has been decided and has not ended."""
    requested: bool = False
    """A retraining was requested by its annotation."""
    now: datetime

    @property
    def triggers(self) -> tuple[str, ...]:
        """Return the entries of spec.trigger.on that the newest check breached, by today's thresholds."""
        breached = still_breached_by(self.verdict, self.spec) if self.verdict else ()
        return tuple(name for name in self.spec.trigger.on if name in breached)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the model is not retrained now."""

    reason: Reason
    message: str
    until: datetime | None = None
    """When the objection expires; None if only an event can remove it."""
    holds_back: bool = False
    """There is a reason to retrain, and this objection prevents it."""
    is_expected: bool = False
    """It is part of normal operation: its Event is Normal, and not Warning."""

    @classmethod
    def to_nothing(cls) -> "Objection":
        """Nothing is decided for an invalid spec."""
        return cls(Reason.INVALID_SPEC, "The spec cannot be acted upon")


def nothing_breached(evidence: Evidence) -> Objection | None:
    """Only a breach counts; a check that could not look is no evidence of one."""
    breached = breached_by(evidence.verdict) if evidence.verdict else ()
    if evidence.spec.trigger.is_met_by(breached):
        return None
    if evidence.spec.trigger.on == (DATA_DRIFT,):
        return Objection(Reason.WITHIN_THRESHOLD, "The newest check found no drift")
    return Objection(Reason.WITHIN_THRESHOLD, "The newest check did not breach what spec.trigger asks for")


def threshold_raised(evidence: Evidence) -> Objection | None:
    """A breach that the current thresholds would not give is ignored."""
    if not evidence.spec.trigger.is_met_by(evidence.triggers):
        return Objection(Reason.WITHIN_THRESHOLD, "What was found is within the thresholds as they are now")
    return None


def already_answered(evidence: Evidence) -> Objection | None:
    """One check triggers at most one retraining."""
    answered = evidence.retraining.last_trigger_time
    if evidence.verdict is not None and answered is not None and evidence.verdict.scheduled_time <= answered:
        return Objection(Reason.DRIFT_TRIGGERED, "The newest drift has been answered by a retraining")
    return None


def observing(evidence: Evidence) -> Objection | None:
    """spec.mode says Observe: what would have been done is said, and not done."""
    if evidence.spec.mode != "Observe":
        return None
    enforced = objection_to_retraining(replace(evidence, spec=evidence.spec.replaced(mode="Enforce")))
    would = f"it would wait: {enforced.message}" if enforced else "a retraining would start now"
    return Objection(
        Reason.OBSERVING,
        f"{_cause(evidence)}; no retraining starts while spec.mode is Observe. With Enforce, {would}",
        enforced.until if enforced else None,
        holds_back=True,
        is_expected=True,
    )


def running(evidence: Evidence) -> Objection | None:
    """One retraining at a time."""
    if evidence.running:
        return Objection(Reason.DRIFT_TRIGGERED, "A retraining is running")
    return None


def promoting(evidence: Evidence) -> Objection | None:
    """The champion that a retraining would be compared with is about to change."""
    if evidence.promoting:
        return Objection(Reason.PROMOTION_RUNNING, "A promotion is running")
    return None


def suspended(evidence: Evidence) -> Objection | None:
    """Suspending stops new work."""
    if evidence.spec.suspend:
        return Objection(
            Reason.SUSPENDED,
            f"{_cause(evidence)}; no retraining starts while spec.suspend is true",
            holds_back=True,
            is_expected=True,
        )
    return None


def switched_off(evidence: Evidence) -> Objection | None:
    """spec.retraining.mode says Manual or Disabled."""
    match evidence.spec.retraining.mode:
        case "Disabled":
            return Objection(
                Reason.RETRAINING_DISABLED,
                f"{_cause(evidence)}; spec.retraining.mode is Disabled, so nothing is done",
                holds_back=True,
            )
        case "Manual" if not evidence.requested:
            return Objection(
                Reason.AWAITING_REQUEST,
                f"{_cause(evidence)}; annotate the monitor with a new value of "
                f"{ANNOTATION_RETRAIN_REQUEST} to have it answered",
                holds_back=True,
            )
        case _:
            return None


def data_not_usable(evidence: Evidence) -> Objection | None:
    """Columns that turned constant or lost their values show a broken feed."""
    if evidence.verdict is None or not has_broken_columns(evidence.verdict):
        return None
    return Objection(
        Reason.DATA_NOT_USABLE,
        f"{_cause(evidence)}, but columns of the current data turned constant or lost their values: "
        f"{_broken(evidence.verdict)}. Repair what delivers them; if they are right, exclude them in "
        f"spec.dataset.columns, or request a retraining with the option force",
        holds_back=True,
    )


def debouncing(evidence: Evidence) -> Objection | None:
    """spec.trigger wants more than one breach."""
    rules = evidence.spec.trigger
    counted = list(islice(_evidence_of_breaches(evidence), rules.window))
    if sum(counted) >= rules.consecutive_breaches:
        return None
    return Objection(
        Reason.DEBOUNCING,
        f"{_cause(evidence)}; {sum(counted)} of the newest {len(counted)} checks breached, "
        f"and spec.trigger asks for {rules.consecutive_breaches} of {rules.window}",
        holds_back=True,
        is_expected=True,
    )


def _evidence_of_breaches(evidence: Evidence) -> Iterator[bool]:
    """Yield, newest first, whether each check that no retraining has answered counts as a breach."""
    yield True  # the newest one: no earlier objection has applied
    answered, verdict = evidence.retraining.last_trigger_time, evidence.verdict
    for entry in evidence.history:
        if verdict is None or entry.scheduled_time >= verdict.scheduled_time:
            continue
        if answered is not None and entry.scheduled_time <= answered:
            return
        if (breach := is_breach(entry, evidence.spec)) is not None:
            yield breach


def cooling_down(evidence: Evidence) -> Objection | None:
    """A breach soon after a retraining is reported, and triggers the next one after the cooldown."""
    last = evidence.retraining.last_start_time
    if last is None:
        return None
    until = evidence.spec.retraining.cooldown_end(last)
    if evidence.now < until:
        return Objection(
            Reason.COOLING_DOWN,
            f"{_cause(evidence)}; the next retraining may start at {format_time(until)}",
            until,
            holds_back=True,
            is_expected=True,
        )
    return None


def daily_limit_reached(evidence: Evidence) -> Objection | None:
    """spec.retraining.maxRunsPerDay have started within 24 hours."""
    limit = evidence.spec.retraining.max_runs_per_day
    starts = sorted(evidence.retraining.start_times, reverse=True)
    if len(starts) < limit:
        return None
    until = starts[limit - 1] + BUDGET_PERIOD
    if evidence.now >= until:
        return None
    return Objection(
        Reason.DAILY_LIMIT_REACHED,
        f"{_cause(evidence)}; {limit} retrainings started within 24 hours, as many as "
        f"spec.retraining.maxRunsPerDay allows: the next one may start at {format_time(until)}",
        until,
        holds_back=True,
    )


def stalled(evidence: Evidence) -> Objection | None:
    """spec.retraining.maxConsecutiveFailures have failed in a row."""
    if not is_stalled(evidence.retraining, evidence.spec):
        return None
    return Objection(
        Reason.STALLED,
        f"{_cause(evidence)}; none starts after {evidence.retraining.consecutive_failures} retrainings that "
        f"failed in a row, until spec is edited or one is requested",
        holds_back=True,
    )


def is_stalled(retraining: RetrainingStatus, spec: ModelMonitorSpec) -> bool:
    """Return whether so many retrainings have failed in a row that none starts any more."""
    return retraining.consecutive_failures >= spec.retraining.max_consecutive_failures


def no_new_rows(evidence: Evidence) -> Objection | None:
    """The same data and the same spec would give the same again: a refusal, or the version that is there."""
    verdict, outcome = evidence.verdict, evidence.outcome
    if verdict is None or outcome is None or outcome.result not in _DECIDED:
        return None
    if outcome.observed_generation < evidence.generation:  # other candidates may do better
        return None
    if verdict.current_identity is None or verdict.current_identity != outcome.current_identity:
        return None
    return Objection(
        Reason.NO_NEW_ROWS,
        f"{_cause(evidence)}; the retraining of {format_time(outcome.scheduled_time)} ended as "
        f"{outcome.result}, and the current data is still the same: the next one starts when there is more",
        holds_back=True,
        is_expected=True,
    )


Check = Callable[[Evidence], Objection | None]

OBJECTIONS: Final[tuple[Check, ...]] = (
    nothing_breached,
    threshold_raised,
    already_answered,
    observing,
    running,
    promoting,
    suspended,
    switched_off,
    data_not_usable,
    debouncing,
    cooling_down,
    daily_limit_reached,
    stalled,
    no_new_rows,
)

OBJECTIONS_TO_A_REQUEST: Final[tuple[Check, ...]] = (observing, running, promoting, suspended, switched_off)
"""A requested retraining needs no breach, and is not held back by what is there to avoid useless ones."""


def objection_to_retraining(evidence: Evidence) -> Objection | None:
    """Return the first objection; None if the model should be retrained now."""
    checks = OBJECTIONS_TO_A_REQUEST if evidence.requested else OBJECTIONS
    return next((found for check in checks if (found := check(evidence))), None)


def _cause(evidence: Evidence) -> str:
    """Return why a retraining is due, as the beginning of a sentence."""
    return "A retraining was asked for" if evidence.requested else cause_of(evidence.triggers)


def cause_of(triggers: Sequence[str]) -> str:
    """Return what was found, as a sentence without a full stop.

    >>> cause_of(["DataDrift"]), cause_of(["DataDrift", "errors"]), cause_of(["errors", "nulls"])
    ('Drift was found', 'Drift and a breach of errors were found', 'A breach of errors, nulls was found')
    """
    signals = ", ".join(name for name in triggers if name != DATA_DRIFT)
    if not signals:
        return "Drift was found"
    if DATA_DRIFT in triggers:
        return f"Drift and a breach of {signals} were found"
    return f"A breach of {signals} was found"


def _broken(verdict: LastCheck) -> str:
    names = verdict.broken_columns[:_NAMES_SHOWN]
    shown = ", ".join(repr(name[:64]) for name in names)
    more = max(verdict.columns_broken or 0, len(verdict.broken_columns)) - len(names)
    if not names:
        return f"{more} of them"
    return f"{shown} and {more} more" if more else shown
