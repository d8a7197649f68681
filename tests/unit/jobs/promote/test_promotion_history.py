"""Histories of promotions: deaths, lost answers, an MLflow that is away, people, and two operators.

The operator's decisions and the container's code are the real ones; between them is a status in memory that
refuses a write by a stale operator, as the API server does.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.promote.alias_move import AliasMove, move_alias
from selfheal_jobs.promote.report import PromotionAttempt
from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.reasons import PromotionResult, Purpose, Reason
from selfheal_operator.api.request import RunRequest
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Job, Monitor
from selfheal_operator.core.plan import CreateJob, RecoverReport, WriteStatus
from selfheal_operator.core.recovery import recover_report
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    job,
    last_retraining,
    model_version,
    monitor,
    observed,
    spec_document,
    status,
    stored,
)
from support.fakes.aliases import Aliases, Fault, KilledError


@dataclass
class World:
    """A monitor, its Jobs, MLflow, and two operators of which each may have an old view."""

    aliases: Aliases = field(default_factory=Aliases)
    now: datetime = NOON
    versions: int = 0
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: dict[str, RunRequest] = field(default_factory=dict)
    decided: set[tuple[str | None, str]] = field(default_factory=set)
    """From which version to which a promotion was decided."""

    def __post_init__(self) -> None:
        self.monitor = monitor(spec_document(schedule="0 0 1 1 *"), status())
        self.views: list[tuple[Monitor, tuple[Job, ...]]] = [(self.monitor, ())] * 2

    def retrain(self) -> None:
        """Register a version, compared with the one that has the alias."""
        told = self.monitor.status
        intent, last = told.promotion.intent, told.last_promotion
        if intent is not None and (last is None or last.scheduled_time < intent.decided_time):
            return  # the operator starts none meanwhile
        self.versions += 1
        number = str(self.versions)
        self.aliases.tags[number] = {}
        slot = self.now + self.versions * MINUTE
        self.now = slot
        name = f"churn-retrain-{number}"
        self.jobs[name] = job(Purpose.RETRAIN, slot, self.versions, finished=True, has_ready_pod=False)
        outcome = last_retraining(slot, version=number, alias_version=self.aliases.alias, job_name=name)
        self._write(last_retraining=outcome, challenger=model_version(number, previous_version=None))

    def person(self, number: int) -> None:
        """Move the alias by hand."""
        if self.versions:
            self.aliases.alias = str(number % self.versions + 1)

    def look(self, operator: int) -> None:
        """Bring an operator's view up to date."""
        self.views[operator] = (self.monitor, tuple(self.jobs.values()))

    def reconcile(self, operator: int) -> bool:
        """Carry out one step of an operator's plan, by its view; return whether there was one."""
        seen = observed(self.views[operator][0], *self.views[operator][1])
        step = plan_monitor(seen, self.now).step
        match step:
            case CreateJob(purpose=Purpose.PROMOTE, manifest=manifest, slot=slot, name=name):
                if name not in self.jobs:
                    self.jobs[name] = replace(job(Purpose.PROMOTE, slot), name=name, uid=f"uid-of-{name}")
                    self.requests[name] = _request(manifest)
            case WriteStatus(written) if seen.monitor.resource_version == self.monitor.resource_version:
                self.monitor = stored(self.monitor, written)
                intent = self.monitor.status.promotion.intent
                if intent is not None:
                    self.decided.add((intent.expected_version, intent.version))
            case RecoverReport(unreported) if unreported.purpose is Purpose.PROMOTE:
                report = recover_report(unreported, (), self.monitor.status, self.now)
                if seen.monitor.resource_version == self.monitor.resource_version:
                    document = self.monitor.status.to_wire() | report.status
                    self._write(**vars_of(document))
            case _:
                return False
        return True

    def run(self, faults: list[Fault], *, dies_before_report: bool) -> None:
        """Have the pods of the unfinished promotions run."""
        for name, each in list(self.jobs.items()):
            if each.purpose is not Purpose.PROMOTE or each.finished:
                continue
            request = self.requests[name]
            if request.promotion is None:
                raise AssertionError("a promotion says what is to be promoted")
            attempt = PromotionAttempt(request, request.promotion, self.now)
            self.aliases.faults = iter(faults)
            report = None
            try:
                moved = move_alias(self.aliases, AliasMove.of(request, attempt.order))
                report = attempt.ended(moved, self.now)
            except TrackingError as error:
                report = attempt.failed(Reason.MLFLOW_UNAVAILABLE, str(error), self.now)
            except KilledError:
                pass
            self.aliases.faults = iter(())
            if report is not None and not dies_before_report:
                self._write(
                    last_promotion=report.last_promotion, model=report.model or self.monitor.status.model
                )
            self.jobs[name] = replace(each, finished=True, has_ready_pod=False)

    def settle(self) -> None:
        """Let everything go on without faults until nothing is left to do."""
        for _ in range(40):
            self.look(0)
            while self.reconcile(0):
                self.look(0)
            self.run([], dies_before_report=False)
            self.now += HOUR

    def _write(self, **fields: Any) -> None:
        version = str(int(self.monitor.resource_version) + 1)
        told = self.monitor.status.replaced(**fields)
        self.monitor = replace(self.monitor, status=told, resource_version=version)


def vars_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a status as it is read."""
    read = type(status()).from_wire(document)
    return {"last_promotion": read.last_promotion, "model": read.model}


def _request(manifest: dict[str, Any]) -> RunRequest:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    text = next(each["value"] for each in container["env"] if each["name"] == ENV_REQUEST)
    return RunRequest.from_json(text.replace("$$", "$"))


OPERATOR = st.integers(0, 1)
FAULTS = st.lists(st.sampled_from(Fault), max_size=7)
STEPS = st.one_of(
    st.tuples(st.just("retrain")),
    st.tuples(st.just("person"), st.integers(0, 5)),
    st.tuples(st.just("look"), OPERATOR),
    st.tuples(st.just("reconcile"), OPERATOR),
    st.tuples(st.just("reconcile"), OPERATOR),
    st.tuples(st.just("run"), FAULTS, st.booleans()),
    st.tuples(st.just("wait")),
)


@settings(deadline=None)
@given(steps=st.lists(STEPS, max_size=40))
def test_no_promotion_is_made_up_none_is_lost_and_no_move_of_a_person_is_overwritten(steps):
    """A run sets the alias only from the version that a stored decision names; each decision has an end."""
    world = World()
    for step in steps:
        match step:
            case ("retrain",):
                world.retrain()
            case ("person", number):
                world.person(number)
            case ("look", operator):
                world.look(operator)
            case ("reconcile", operator):
                world.reconcile(operator)
            case ("run", faults, dies):
                world.run(faults, dies_before_report=dies)
            case ("wait",):
                world.now += HOUR
        assert set(world.aliases.sets) <= world.decided
    world.settle()

    assert set(world.aliases.sets) <= world.decided
    told = world.monitor.status
    if told.last_retraining is None:
        assert world.aliases.sets == []
        return
    assert told.promotion.last_retraining_time == told.last_retraining.scheduled_time
    assert told.promotion.intent is not None
    assert told.last_promotion is not None
    assert told.last_promotion.scheduled_time == told.promotion.intent.decided_time
    assert told.last_promotion.result is not PromotionResult.FAILED
    if told.last_promotion.result is PromotionResult.PROMOTED:
        assert told.model is not None
        assert told.model.version == told.promotion.intent.version
