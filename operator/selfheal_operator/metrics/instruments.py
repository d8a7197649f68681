"""The instruments that the operator's components update, and their Prometheus registry.

Every label has few values, whatever users do: none here holds a monitor's name (monitors.py exposes those
from the store).
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.core.observed import Job
from selfheal_operator.core.slots import MissedReason
from selfheal_operator.metrics.active_jobs import active_jobs
from selfheal_operator.metrics.api_calls import NO_ANSWER, ApiCall
from selfheal_operator.metrics.family import Family
from selfheal_operator.metrics.pulled import PulledGauge, Values
from selfheal_operator.metrics.work import Works

START_DELAYS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
CALL_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
RECONCILE_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)
LOOP_LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10)

_A_SECOND: Final = timedelta(seconds=1)
_DEFECT: Final = "Defect"

M = TypeVar("M", bound=MetricWrapperBase)


class Instruments:
    """One operator's instruments.

    Args:
        timer: A monotonic clock, in seconds.

    Attributes:
        registry: The registry of the client library.
        families: The metrics in it, without the library's process metrics.
        works: The reconciliations in progress.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._leads = False
        self.works = Works(timer)
        self.registry = CollectorRegistry()
        self.families: list[Family] = []
        ProcessCollector(registry=self.registry)
        self._started = self._add(
            Counter,
            "selfheal_jobs_started_total",
            "Jobs whose creation the API server confirmed; one whose response was lost may be missing.",
            ("purpose",),
        )
        self._start_delay = self._add(
            Histogram,
            "selfheal_check_start_delay_seconds",
            "Time from a check's scheduled time, plus its delay by spreadSeconds, to its Job's creation.",
            buckets=START_DELAYS,
        )
        self._missed = self._add(
            Counter,
            "selfheal_slots_missed_total",
            "Slots for which this operator will start no check, by reason.",
            ("reason",),
        )
        self._calls = self._add(
            Counter,
            "selfheal_api_requests_total",
            "Requests to the API server by the code of the response; <error> if there was none.",
            ("verb", "resource", "code"),
        )
        self._call_seconds = self._add(
            Histogram,
            "selfheal_api_request_duration_seconds",
            "Time until the whole response was received, or the request failed; without watches.",
            ("verb", "resource"),
            buckets=CALL_SECONDS,
        )
        self._reconcile_seconds = self._add(
            Histogram,
            "selfheal_reconcile_duration_seconds",
            "Time that a worker spent on one monitor, until nothing was left to do or an error occurred.",
            buckets=RECONCILE_SECONDS,
        )
        self._reconcile_errors = self._add(
            Counter,
            "selfheal_reconcile_errors_total",
            "Reconciliations that ended in an error, by its kind; Defect is a bug of the operator.",
            ("kind",),
        )
        self._skipped = self._add(
            Counter,
            "selfheal_objects_skipped_total",
            "Objects that a list or a watch returned and that could not be handled; the log names each.",
            ("resource",),
        )
        self._leader = self._add(
            Gauge, "selfheal_leader", "1 while this replica is the leader, 0 while it is a standby."
        )
        self._transitions = self._add(
            Counter,
            "selfheal_leader_transitions_total",
            "How often this replica has become the leader or a standby.",
        )
        self._loop_lag = self._add(
            Histogram,
            "selfheal_event_loop_lag_seconds",
            "How late the event loop ran a timer, measured every second.",
            buckets=LOOP_LAGS,
        )
        self._policies = self._add(
            Gauge,
            "selfheal_policy_enforced",
            "1 if the admission policy and its binding are there and deny, else 0; no series if unknown.",
            ("policy",),
        )
        self._pull(
            "selfheal_reconcile_longest_running_seconds",
            "Age of the longest running reconciliation; 0 if there is none.",
            lambda: {(): self.works.longest()},
        )
        for purpose in Purpose:  # `increase` needs a series to start at 0
            self._started.labels(purpose)
        for reason in MissedReason:
            self._missed.labels(reason)
        self._reconcile_errors.labels(_DEFECT)

    # --- updated by the operator's components ---------------------------------------------------------------

    def observe_call(self, call: ApiCall, code: int | None, seconds: float) -> None:
        """Record a finished request to the API server; `code` is None if there was no response."""
        self.count_call(call, code)
        self._call_seconds.labels(*call).observe(seconds)
        self.works.moved()

    def count_call(self, call: ApiCall, code: int | None) -> None:
        """Count a request without its duration, which means nothing for a watch."""
        self._calls.labels(*call, NO_ANSWER if code is None else str(code)).inc()

    def job_started(self, job: Job, answered: datetime, delay: timedelta) -> None:
        """Record a Job that was created or adopted.

        Args:
            job: The Job.
            answered: When the API server's response arrived.
            delay: The intended delay after the Job's slot.
        """
        self._started.labels(job.purpose).inc()
        if job.purpose is Purpose.CHECK and not job.request:
            # creationTimestamp is truncated: the Job was created within the second after it. The response
            # time is the tighter bound for a new Job, the end of that second for an adopted one.
            created = min(answered, job.created + _A_SECOND)
            self._start_delay.observe(max(0.0, (created - job.slot - delay).total_seconds()))

    def slots_missed(self, count: int, reason: MissedReason) -> None:
        """Record slots that the status now counts as missed."""
        self._missed.labels(reason).inc(count)

    @contextlib.contextmanager
    def reconciling(self) -> Iterator[None]:
        """Time a reconciliation, whether or not it succeeds."""
        began_at = self._timer()
        try:
            with self.works.work():
                yield
        finally:
            self._reconcile_seconds.observe(self._timer() - began_at)

    def reconcile_failed(self, error: SelfhealError | None) -> None:
        """Record a failed reconciliation; None stands for a bug of the operator."""
        kind = _DEFECT if error is None else type(error).__name__.removesuffix("Error")
        self._reconcile_errors.labels(kind).inc()

    def object_skipped(self, resource: str) -> None:
        """Record an object that could not be handled, by its resource's plural."""
        self._skipped.labels(resource).inc()

    def set_leader(self, *, leads: bool) -> None:
        """Record whether this replica leads."""
        if leads != self._leads:
            self._transitions.inc()
        self._leads = leads
        self._leader.set(leads)

    def show_policies(self, enforced: Mapping[str, bool]) -> None:
        """Record whether each admission policy is enforced; one that is not named is unknown."""
        self._policies.clear()
        for policy, is_enforced in enforced.items():
            self._policies.labels(policy).set(is_enforced)

    def observe_loop_lag(self, seconds: float) -> None:
        """Record how late the event loop ran a timer."""
        self._loop_lag.observe(seconds)

    # --- read at each scrape --------------------------------------------------------------------------------

    def read_queue(self, depth: Callable[[], int], oldest_wait: Callable[[], float]) -> None:
        """Register the queue's gauges: the number of waiting keys, and the longest wait in seconds."""
        self._pull("selfheal_queue_depth", "Monitors that wait for a worker.", lambda: {(): depth()})
        self._pull(
            "selfheal_queue_oldest_wait_seconds",
            "Longest time that a monitor has been waiting for a worker; 0 if none waits.",
            lambda: {(): oldest_wait()},
        )

    def read_unreadable(self, unreadable: Callable[[], int]) -> None:
        """Register the gauge of monitors whose spec cannot be read as a whole."""
        self._pull(
            "selfheal_monitors_unreadable",
            "Monitors that are nested too deep or too large to be read; their condition Ready says so.",
            lambda: {(): unreadable()},
        )

    def read_watches(self, ages: Callable[[], Values]) -> None:
        """Register the gauge of the seconds since each watch last received data, by plural."""
        self._pull(
            "selfheal_watch_age_seconds",
            "Time since the last event or bookmark of a resource's watch; a bookmark comes every minute.",
            ages,
            ("resource",),
        )

    def read_waiting(self, waiting: Callable[[Purpose], int]) -> None:
        """Register the gauge of Jobs that wait because of the operator's limits."""
        self._pull(
            "selfheal_jobs_waiting",
            "Jobs that are due and wait because the concurrency limit is reached.",
            lambda: {(purpose,): waiting(purpose) for purpose in Purpose},
            ("purpose",),
        )

    def read_jobs(self, active: Callable[[Purpose], Mapping[str, int]]) -> None:
        """Register the gauge of active Jobs, by purpose and namespace."""
        self._pull(
            "selfheal_jobs_active",
            "Jobs that are neither finished nor held by a queue, of the 200 namespaces with the most.",
            lambda: active_jobs(active),
            ("namespace", "purpose"),
        )

    # --- registration ---------------------------------------------------------------------------------------

    def _add(
        self, kind: type[M], name: str, documentation: str, labels: tuple[str, ...] = (), **options: Any
    ) -> M:
        self.families.append(Family(name, kind.__name__.lower(), labels, documentation))
        return kind(name, documentation, labels, registry=self.registry, **options)

    def _pull(
        self, name: str, documentation: str, read: Callable[[], Values], labels: tuple[str, ...] = ()
    ) -> None:
        self.families.append(Family(name, "gauge", labels, documentation))
        self.registry.register(PulledGauge(name, documentation, labels, read))
