"""Whatever happens, in whatever order: one Job per slot, one retraining per drift, and nothing is lost.

A model of the world around one monitor, and those that had its name before: an API server, two operators that
see it late and die at any request, and containers that report, or do not. The operators are the real ones
from `plan_monitor` down to the requests; only the server is in memory. Each rule below is something that may
happen next; each invariant holds after every one of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from selfheal_operator.api.names import CHECK_MANAGER, PLURAL, RETRAIN_MANAGER
from selfheal_operator.api.reasons import CheckResult, Purpose, Reason, RetrainResult
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.v1alpha1.status import LastCheck, LastRetraining, ModelMonitorStatus
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.resync import resync, sweep
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.backoff import REFUSED_JOB
from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.core.history import is_started_on_record
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Job, Monitor, job_from, monitor_from
from selfheal_operator.core.schedule import count_slots, newest_slot, schedule_of
from selfheal_operator.core.slots import punctuality_of
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.metrics.instruments import Instruments
from support.builders.objects import DEFAULTS, MINUTE, NOON, SECOND, spec_document
from support.fakes.memory_api import JOBS, MONITORS, Document, MemoryApi

KEY = Key("team-a", "churn")
Noticed = Sequence[tuple[int, Sequence[str]]]
MONITOR = f"{MONITORS}/namespaces/team-a/{PLURAL}"
JOB = f"{JOBS}/namespaces/team-a/jobs"

SCHEDULES = st.sampled_from(
    [
        {"intervalSeconds": 300},
        {"intervalSeconds": 60},
        {"intervalSeconds": 90},
        {"schedule": "*/5 * * * *"},
        {"schedule": "2-59/10 * * * *", "timeZone": "Europe/Berlin"},
    ]
)
RULES = st.fixed_dictionaries(
    {
        "cooldownSeconds": st.sampled_from([0, 300]),
        "concurrencyPolicy": st.sampled_from(["Forbid", "Forbid", "Replace"]),
        "startingDeadlineSeconds": st.sampled_from([None, None, 30, 600]),
        "spreadSeconds": st.sampled_from([0, 0, 120]),
        "successfulJobsHistoryLimit": st.sampled_from([1, 0, 3]),
        "failedJobsHistoryLimit": st.sampled_from([1, 0]),
    }
)
CLOCK_STEPS: Final = (1, 30, 400)
"""Seconds by which the clock is set back."""
BOTH: Final = (PLURAL, "jobs")
"""An operator has two watches, and either may be behind."""


class End(Enum):
    """What may become of a container."""

    REPORTS = auto()
    REPORTS_AND_FAILS = auto()
    REPORTS_AND_GOES_ON = auto()
    """Its pod may report again, and its Job ends later."""
    ONLY_LAST_WORDS = auto()
    """The report is in its termination message, and nowhere else."""
    SILENT = auto()


class Left(Enum):
    """What becomes of the Jobs of a monitor that is deleted."""

    UNTOUCHED = auto()
    TERMINATING = auto()
    """Until they are collected, or for ever."""


@dataclass(frozen=True)
class Moment:
    """What happens all the time: it grows later, operators act, a container ends, operators act again."""

    seconds: int
    noticed: Noticed
    """Which operators do all there is to do, in turn, and what they hear before: some only one watch, some
    nothing. Who is not named is asleep, or cut off."""
    end: End | None
    which: int
    result: CheckResult
    noticed_after: Noticed


NOTICED = st.sampled_from(
    [
        [(0, BOTH)],
        [(1, BOTH)],
        [(0, BOTH), (1, BOTH)],
        [(0, BOTH), (1, (PLURAL,))],
        [(0, BOTH), (1, ("jobs",))],
        [(1, BOTH), (0, ())],
        [(0, ("jobs",)), (1, BOTH)],
        [],
    ]
)
MOMENTS = st.builds(
    Moment,
    seconds=st.sampled_from([300, 60, 100, 0, 45, 1, 300, 1500]),
    noticed=NOTICED,
    end=st.sampled_from([End.REPORTS, None, *End]),
    which=st.integers(0, 3),
    result=st.sampled_from([CheckResult.DRIFT, CheckResult.DRIFT, CheckResult.NO_DRIFT, CheckResult.ERROR]),
    noticed_after=NOTICED,
)


class Died(BaseException):
    """The operator's process has ended in the middle of a step."""


class Fault(Enum):
    """What may become of a request."""

    LOST = auto()
    """It never reaches the server."""
    ANSWER_LOST = auto()
    """It is carried out, and the operator does not learn of it."""
    DIED_BEFORE = auto()
    DIED_AFTER = auto()


@dataclass
class Line:
    """The line from one operator to the server; the next request may meet a fault."""

    api: MemoryApi
    fault: Fault | None = None
    spared: int = 0
    """Requests that go through before the one that meets the fault."""

    @property
    def instruments(self) -> Instruments:
        """Those of the server: nobody reads them."""
        return self.api.instruments

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> Document:
        """Send a request."""
        if self.fault is None or self.spared > 0:
            self.spared -= 1
            return await self.api.request(method, path, *arguments, **options)
        fault, self.fault = self.fault, None
        if fault in (Fault.ANSWER_LOST, Fault.DIED_AFTER):
            await self.api.request(method, path, *arguments, **options)
        raise UnavailableError(fault.name) if fault in (Fault.LOST, Fault.ANSWER_LOST) else Died(fault.name)

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, **options: Any
    ) -> AsyncIterator[Document]:
        """List."""
        return self.api.pages(path, query, **options)


class Operator:
    """One operator process, from its start to its end: the real one, one step at a time."""

    def __init__(self, api: MemoryApi, loop: asyncio.AbstractEventLoop) -> None:
        self.api, self.loop = api, loop
        self.line = Line(api)
        self.store = Store()
        self.cluster = Cluster(self.line)  # type: ignore[arg-type]  # a stand-in with the two methods it uses
        self.executor = Executor(self.cluster, self.store, api.clock)
        loop.run_until_complete(resync(self.cluster, self.store))
        self.told = {plural: len(history) for plural, history in api.history.items()}

    def lose_watches(self) -> None:
        """Never hear of what has happened since, and look at all that is there, as after 410 Gone."""
        self.told = {plural: len(history) for plural, history in self.api.history.items()}
        self.loop.run_until_complete(sweep(self.cluster, self.store))

    def hear(self, plural: str, count: int) -> None:
        """Take in the next events of one watch, as `handlers.watch` does."""
        start = self.told[plural]
        for kind, body in self.api.history[plural][start : start + count]:
            self.told[plural] += 1
            if plural == PLURAL:
                if kind == "DELETED":
                    self.store.drop_monitor(KEY, body["metadata"]["uid"])
                else:
                    self.store.put_monitor(body)
            elif (job := job_from(body)) is not None:
                if kind == "DELETED":
                    self.store.drop_job(job)
                else:
                    self.store.put_job(job, body["metadata"]["resourceVersion"])

    def step(self) -> bool:
        """See, decide, act, once; return whether there may be more to do now."""
        seen = self.store.observe(KEY, DEFAULTS)
        if seen is None:
            return False
        plan = plan_monitor(seen, self.api.clock())
        try:
            return self.loop.run_until_complete(self.executor.carry_out(KEY, seen, plan))
        except UnavailableError:
            return True

    def settle(self, watches: Sequence[str] = BOTH) -> None:
        """Do everything, until nothing is left to do now by what these watches tell meanwhile."""
        for _ in range(30):
            for plural in watches:
                self.hear(plural, len(self.api.history[plural]))
            more = self.step()
            if not more and all(self.told[plural] == len(self.api.history[plural]) for plural in watches):
                return
        raise AssertionError("the operator never comes to rest")


@dataclass(frozen=True)
class Epoch:
    """The time since the spec was last edited, in which every slot can be accounted for."""

    begin: datetime
    missed_before: int


class World(RuleBasedStateMachine):
    """Everything that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = NOON
        self.api = MemoryApi(lambda: self.now)
        self.operators: list[Operator] = []
        self.epoch: Epoch | None = None
        self.told = ModelMonitorStatus()
        self.statuses_seen = self.jobs_seen = self.removals_seen = 0
        self.uid = ""
        """Of the monitor that is there now; there were others of its name before."""
        self.created: list[Job] = []
        """All Jobs that it ever had."""

    def teardown(self) -> None:
        """End by asking for what only holds at rest."""
        if self.operators:
            self._come_to_rest()
        self.loop.close()

    @initialize(when=SCHEDULES, rules=RULES)
    def a_monitor_is_applied(self, when: Document, rules: Document) -> None:
        """And two operators are started."""
        self._apply(self._spec(when, rules))
        self.operators = [Operator(self.api, self.loop) for _ in range(2)]

    def _apply(self, spec: Document) -> None:
        body = {"metadata": {"namespace": "team-a", "name": "churn"}, "spec": spec}
        self.uid = self.api.create(MONITOR, body)["metadata"]["uid"]
        self.created = []
        self.epoch = Epoch(self.now, 0)

    # --- what may happen: something unusual, or nothing, and then life goes on ------------------------------

    @rule(then=MOMENTS)
    def nothing_unusual_happens(self, then: Moment) -> None:
        """The ordinary day."""
        self._live(then)

    @rule(seconds=st.sampled_from(CLOCK_STEPS), then=MOMENTS)
    def the_clock_is_set_back(self, seconds: int, then: Moment) -> None:
        """Somebody mends NTP."""
        self.now -= seconds * SECOND
        if self.epoch is not None and self.now < self.epoch.begin:
            self.epoch = None  # slots from before it may come round again
        self._live(then)

    @rule(which=st.sampled_from([0, 1]), plural=st.sampled_from(BOTH), count=st.integers(1, 4), then=MOMENTS)
    def a_watch_catches_up_a_little(self, which: int, plural: str, count: int, then: Moment) -> None:
        """What the operator then knows is neither the old nor the new; it takes one step on it."""
        self.operators[which].hear(plural, count)
        self.operators[which].step()
        self._live(then)

    @rule(which=st.sampled_from([0, 1]), fault=st.sampled_from(Fault), spared=st.integers(0, 3), then=MOMENTS)
    def a_request_fails(self, which: int, fault: Fault, spared: int, then: Moment) -> None:
        """On the way there, on the way back, or because the operator dies."""
        line = self.operators[which].line
        line.fault, line.spared = fault, spared
        self._live(then)
        line.fault = None

    @rule(which=st.sampled_from([0, 1]), then=MOMENTS)
    def an_operator_is_restarted(self, which: int, then: Moment) -> None:
        """It forgets everything, and lists."""
        self.operators[which] = Operator(self.api, self.loop)
        self._live(then)

    @rule(which=st.sampled_from([0, 1]), then=MOMENTS)
    def watches_begin_anew(self, which: int, then: Moment) -> None:
        """With a gap before them."""
        self.operators[which].lose_watches()
        self._live(then)

    @precondition(lambda self: self._forgettable())
    @rule(data=st.data(), then=MOMENTS)
    def a_finished_job_is_removed(self, data: st.DataObject, then: Moment) -> None:
        """Its time to live is over: an hour at least, so the status knows of it by then, and every watch."""
        job = data.draw(st.sampled_from(self._forgettable()))
        self.api.delete(f"{JOB}/{job.name}")
        for operator in self.operators:
            for plural in BOTH:
                operator.hear(plural, len(self.api.history[plural]))
        self._live(then)

    @rule(what=st.sampled_from(["check", "retrain"]), token=st.integers(0, 3), then=MOMENTS)
    def a_user_asks_for_a_run(self, what: str, token: int, then: Moment) -> None:
        """With a new token, or once more with one that was used before."""
        annotations = self.api.get(f"{MONITOR}/churn")["metadata"].get("annotations", {})
        asked = annotations | {f"selfheal.dev/{what}-requested-at": f"request {token}"}
        self.api.annotate(f"{MONITOR}/churn", asked)
        self._live(then)

    @rule(when=SCHEDULES, rules=RULES, suspend=st.booleans(), then=MOMENTS)
    def a_user_edits_the_spec(self, when: Document, rules: Document, then: Moment, *, suspend: bool) -> None:
        """At any moment; what is owed then depends on when it is seen, so nothing is reckoned up."""
        self.api.edit_spec(f"{MONITOR}/churn", self._spec(when, rules, suspend=suspend))
        self.epoch = None
        self._live(then)

    @rule(when=SCHEDULES, rules=RULES, then=MOMENTS)
    def a_user_edits_the_spec_while_all_is_quiet(self, when: Document, rules: Document, then: Moment) -> None:
        """The operators have nothing else to do; from now on, slots are those of the new schedule."""
        self._rest()
        owes = self._monitor().status.next_check_time
        self.api.edit_spec(f"{MONITOR}/churn", self._spec(when, rules))
        self._rest()
        status = self._monitor().status
        last = status.last_schedule_time or self.now - MINUTE
        begin = max(self.now, last.replace(second=59))  # a slot in the minute of the last one is the same
        # One that was suspended owes what passed meanwhile, and counts it only once no check runs any more.
        quiet = not self._running() if owes is None else owes > self.now
        self.epoch = Epoch(begin, status.missed_checks or 0) if quiet else None
        self._live(then)

    @rule(when=SCHEDULES, rules=RULES, left=st.sampled_from(Left), between=NOTICED, then=MOMENTS)
    def a_user_makes_the_monitor_anew(
        self, when: Document, rules: Document, left: Left, between: Noticed, then: Moment
    ) -> None:
        """Under its name; what runs goes on."""
        self.api.delete(f"{MONITOR}/churn")
        self._notice(between)
        self._created()
        self._apply(self._spec(when, rules))
        if left is Left.TERMINATING:
            for job in self._left_behind():
                self.api.terminate(f"{JOB}/{job.name}")
        self._live(then)

    @precondition(lambda self: self._left_behind())
    @rule(data=st.data(), then=MOMENTS)
    def garbage_is_collected(self, data: st.DataObject, then: Moment) -> None:
        """Late, in part, or never."""
        job = data.draw(st.sampled_from(self._left_behind()))
        self.api.delete(f"{JOB}/{job.name}")
        self._live(then)

    @rule(full=st.booleans(), then=MOMENTS)
    def a_queue_fills_or_empties(self, then: Moment, *, full: bool) -> None:
        """New Jobs are suspended from now on; or those that wait are admitted."""
        self.api.queue_is_full = full
        for job in [job for job in self._unfinished() if job.queued and not full]:
            self.api.suspend_job(f"{JOB}/{job.name}", suspend=False)
        self._live(then)

    @precondition(lambda self: self._unfinished())
    @rule(data=st.data(), then=MOMENTS)
    def a_queue_preempts_a_job(self, data: st.DataObject, then: Moment) -> None:
        """Its pods are taken away, and it waits for its admission again."""
        job = data.draw(st.sampled_from(self._unfinished()))
        self.api.suspend_job(f"{JOB}/{job.name}", suspend=True)
        self._live(then)

    def _live(self, moment: Moment) -> None:
        self.now += moment.seconds * SECOND
        self._notice(moment.noticed)
        if moment.end is not None and (running := [job for job in self._unfinished() if not job.queued]):
            self._end(running[moment.which % len(running)], moment.end, moment.result)
        self._notice(moment.noticed_after)

    def _notice(self, noticed: Noticed) -> None:
        for which, heard in noticed:
            try:
                self.operators[which].settle(heard)
            except Died:
                self.operators[which] = Operator(self.api, self.loop)

    # --- containers -----------------------------------------------------------------------------------------

    def _end(self, job: Job, end: End, result: CheckResult) -> None:
        report = self._report(job, result)
        if end in (End.REPORTS, End.REPORTS_AND_FAILS, End.REPORTS_AND_GOES_ON):
            self._deliver(job, report)
        if end is not End.REPORTS_AND_GOES_ON:
            last_words = "" if end is End.SILENT else report.to_termination_message()
            self._finish(job, last_words, succeeds=end in (End.REPORTS, End.ONLY_LAST_WORDS))

    def _report(self, job: Job, result: CheckResult) -> CheckReport | RetrainReport:
        common: dict[str, Any] = {
            "scheduled_time": job.slot,
            "job_name": job.name,
            "message": "told",
            "observed_generation": 1,
        }
        if job.purpose is Purpose.CHECK:
            share = "1.0000" if result is CheckResult.DRIFT else "0.0000"
            told = common | {"result": result, "reason": "Told", "drift_share": share}
            return CheckReport(last_check=LastCheck(**told))
        told = common | {"result": RetrainResult.REGISTERED, "reason": Reason.MODEL_REGISTERED}
        return RetrainReport(last_retraining=LastRetraining(**told))

    def _deliver(self, job: Job, report: CheckReport | RetrainReport) -> None:
        """Apply the report as `delivery.status_patch` does, unless a newer slot has reported.

        It also looks whether the monitor is still the one that it ran for.
        """
        if job.owner_uid != self.uid:
            return
        is_check = isinstance(report, CheckReport)
        outcome = "lastCheck" if is_check else "lastRetraining"
        body = self.api.get(f"{MONITOR}/churn")
        there = body.get("status", {}).get(outcome)
        if there is None or datetime.fromisoformat(there["scheduledTime"]) <= job.slot:
            document = {"metadata": {}, "status": report.to_wire()}
            manager = CHECK_MANAGER if is_check else RETRAIN_MANAGER
            self.api.apply_status(f"{MONITOR}/churn", document, manager)

    def _finish(self, job: Job, last_words: str, *, succeeds: bool) -> None:
        state = {"terminated": {"exitCode": int(not succeeds), "message": last_words}}
        self.api.pods[job.uid] = [
            {
                "metadata": {
                    "namespace": job.namespace,
                    "creationTimestamp": "2026-11-23T12:00:00Z",
                    "ownerReferences": [
                        {"kind": "Job", "name": job.name, "uid": job.uid, "controller": True}
                    ],
                },
                "status": {"containerStatuses": [{"state": state}]},
            }
        ]
        condition = {"type": "Complete" if succeeds else "Failed", "status": "True"}
        self.api.set_job_status(f"{JOB}/{job.name}", {"conditions": [condition]})

    # --- what always holds ----------------------------------------------------------------------------------

    @invariant()
    def every_slot_has_one_job_at_most(self) -> None:
        """And every drift one retraining at most."""
        runs = Counter((j.purpose, j.slot) for j in self._created() if not j.request)

        twice = [run for run, count in runs.items() if count > 1]
        assert twice == [], f"{twice} among {[job.name for job in self._created()]}"

    @invariant()
    def no_job_is_removed_while_it_is_the_only_record(self) -> None:
        """What an operator deletes has ended and is in the status: its slot or number, and its report.

        A check that was replaced in its queue never ran, and has no report. Unless the monitor is gone.
        """
        new = self.api.history["jobs"][self.removals_seen :]
        self.removals_seen += len(new)
        for kind, body in new:
            job = job_from(body)
            if kind == "DELETED" and job is not None and job.owner_uid == self.uid:
                assert job.finished or (job.queued and job.replaced)
                assert job.request or is_started_on_record(self._monitor(), job)

    @invariant()
    def retrainings_run_one_at_a_time(self) -> None:
        """Two would train on the same data, and the later one would win for no reason."""
        assert sum(job.purpose is Purpose.RETRAIN for job in self._running()) <= 1

    @invariant()
    def retrainings_are_numbered_without_gaps(self) -> None:
        """The number is the lock: whoever decides on the next one asks for the same name."""
        names = [job.name for job in self._created() if job.purpose is Purpose.RETRAIN]

        assert names == [f"churn-retrain-{number}" for number in range(1, len(names) + 1)]

    @invariant()
    def the_status_never_goes_back(self) -> None:
        """Neither the newest slot nor the counts, whoever writes, while the monitor is the same."""
        new = self.api.history[PLURAL][self.statuses_seen :]
        self.statuses_seen += len(new)
        for kind, body in new:
            status = monitor_from(body).status
            before, self.told = ModelMonitorStatus() if kind == "ADDED" else self.told, status
            assert (status.missed_checks or 0) >= (before.missed_checks or 0)
            assert status.retraining.count >= before.retraining.count
            assert before.last_schedule_time is None or (
                status.last_schedule_time is not None
                and status.last_schedule_time >= before.last_schedule_time
            )

    @invariant()
    def nobody_is_asked_to_delete_what_is_ours(self) -> None:
        """No Job here is a stranger's."""
        conditions = self._monitor().status.conditions
        assert Reason.NAME_CONFLICT not in {condition.reason for condition in conditions}

    @rule(then=MOMENTS)
    def everything_comes_to_rest(self, then: Moment) -> None:
        """Then every slot that was due has been started or counted, once, and every retraining counted."""
        self._come_to_rest()
        self._live(then)

    def _come_to_rest(self) -> None:
        self._rest()
        self._end_deletions()
        status = self._monitor().status

        assert status.retraining.count == sum(job.purpose is Purpose.RETRAIN for job in self._created())
        for purpose, report in (
            (Purpose.CHECK, status.last_check),
            (Purpose.RETRAIN, status.last_retraining),
        ):
            ended = [
                job.slot
                for job in self._jobs()
                if job.finished and job.purpose is purpose and not job.replaced
            ]
            assert not ended or (report is not None and report.scheduled_time >= max(ended)), (
                "an outcome is lost"
            )
        if self.epoch is not None:
            self._reckon(self.epoch)
        self._all_requests_are_answered()

    def _end_deletions(self) -> None:
        for job in self._left_behind():
            if job.deleting:
                self.api.delete(f"{JOB}/{job.name}")
        if any(condition.reason == Reason.JOB_TERMINATING for condition in self._monitor().status.conditions):
            self.now += (
                CLOCK_STEPS[-1] * SECOND + REFUSED_JOB.first
            )  # when it was refused may be told by a clock ahead
            self._rest()

    def _all_requests_are_answered(self) -> None:
        monitor, running = self._monitor(), {job.purpose for job in self._running() if job.runs}
        if not monitor.read_spec().suspend and Purpose.CHECK not in running:
            assert monitor.check_request in ("", monitor.status.last_handled_check_request)
        if not monitor.read_spec().suspend and Purpose.RETRAIN not in running:
            assert monitor.retrain_request in ("", monitor.status.last_handled_retrain_request)

    def _reckon(self, epoch: Epoch) -> None:
        monitor = self._monitor()
        schedule = schedule_of(monitor.read_spec(), monitor.uid)
        last = max(monitor.status.last_schedule_time or epoch.begin, epoch.begin)
        started = sum(
            job.purpose is Purpose.CHECK and not job.request and epoch.begin < job.slot <= last
            for job in self._created()
        )
        missed = (monitor.status.missed_checks or 0) - epoch.missed_before

        slots = count_slots(schedule, epoch.begin, last)
        assert started + missed == slots, f"{started} started and {missed} missed of {slots} slots"
        if not any(job.purpose is Purpose.CHECK and job.runs for job in self._running()):
            startable = self.now - punctuality_of(monitor.read_spec(), monitor.uid).delay
            assert newest_slot(schedule, last, startable) is None, "a slot is due, and nobody starts it"

    # --- looking at the world -------------------------------------------------------------------------------

    def _monitor(self) -> Monitor:
        return monitor_from(self.api.get(f"{MONITOR}/churn"))

    def _created(self) -> list[Job]:
        history = self.api.history["jobs"]
        made = (job_from(body) for kind, body in history[self.jobs_seen :] if kind == "ADDED")
        self.created += [job for job in made if job is not None and job.owner_uid == self.uid]
        self.jobs_seen = len(history)
        return self.created

    def _everybodys_jobs(self) -> list[Job]:
        return [job for body in self.api.listed("jobs") if (job := job_from(body)) is not None]

    def _jobs(self) -> list[Job]:
        return [job for job in self._everybodys_jobs() if job.owner_uid == self.uid]

    def _left_behind(self) -> list[Job]:
        """Return the Jobs of monitors that are gone."""
        return [job for job in self._everybodys_jobs() if job.owner_uid != self.uid]

    def _running(self) -> list[Job]:
        return [job for job in self._jobs() if not job.finished]

    def _unfinished(self) -> list[Job]:
        """Return what still runs, whoever waits for it."""
        return [job for job in self._everybodys_jobs() if not job.finished]

    def _forgettable(self) -> list[Job]:
        """Return the finished Jobs that the status knows."""
        status = self._monitor().status
        newest = {
            Purpose.CHECK: status.last_schedule_time,
            Purpose.RETRAIN: status.retraining.last_trigger_time,
        }
        known = ((job, newest[job.purpose]) for job in self._jobs() if job.finished)
        return [job for job, slot in known if slot is not None and job.slot <= slot]

    def _rest(self) -> None:
        for _ in range(10):
            before = {plural: len(history) for plural, history in self.api.history.items()}
            for operator in self.operators:
                operator.settle()
            if before == {plural: len(history) for plural, history in self.api.history.items()}:
                return
        raise AssertionError("the operators never come to rest")

    @staticmethod
    def _spec(when: Document, rules: Document, *, suspend: bool = False) -> Document:
        others = {name: value for name, value in rules.items() if name != "cooldownSeconds"}
        retraining = {"cooldownSeconds": rules["cooldownSeconds"]}
        return spec_document(**{"schedule": None} | when | others, suspend=suspend, retraining=retraining)


TestAnyOrderOfEvents = World.TestCase
TestAnyOrderOfEvents.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
