"""What the operator's parts tell while they work, and where Prometheus finds it.

Every label takes one of a few values, whatever users do: a monitor's name is none of them here
(monitors.py reads those from the store).
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
    """One operator's instruments. Made without arguments they work, and are shown nowhere.

    Args:
        timer: Seconds that only ever grow.

    Attributes:
        registry: What the library writes out.
        families: What is in it, beside what the library itself says of the process.
        works: The work on monitors that goes on.
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
        self._pull(
            "selfheal_reconcile_longest_running_seconds",
            "Age of the longest running reconciliation; 0 if there is none.",
            lambda: {(): self.works.longest()},
        )
        for purpose in Purpose:  # a series that begins at 0 shows its first increase
            self._started.labels(purpose)
        for reason in MissedReason:
            self._missed.labels(reason)
        self._reconcile_errors.labels(_DEFECT)

    # --- what is told ---------------------------------------------------------------------------------------

    def observe_call(self, call: ApiCall, code: int | None, seconds: float) -> None:
        """Tell of a request to the API server that has ended; without a code, no answer came."""
        self.count_call(call, code)
        self._call_seconds.labels(*call).observe(seconds)
        self.works.moved()

    def count_call(self, call: ApiCall, code: int | None) -> None:
        """Tell of a request whose duration says nothing, as that of a watch."""
        self._calls.labels(*call, NO_ANSWER if code is None else str(code)).inc()

    def job_started(self, job: Job, answered: datetime, delay: timedelta) -> None:
        """Tell of a Job that is there now.

        Args:
            job: The Job.
            answered: When the API server said so.
            delay: How long after its slot it was to be started.
        """
        self._started.labels(job.purpose).inc()
        if job.purpose is Purpose.CHECK and not job.request:
            # creationTimestamp is cut to the second: the Job was made within the second after it.
            # For one just made the answer is the closer bound; for one that was found, that second is.
            created = min(answered, job.created + _A_SECOND)
            self._start_delay.observe(max(0.0, (created - job.slot - delay).total_seconds()))

    def slots_missed(self, count: int, reason: MissedReason) -> None:
        """Tell of slots that have been written off in the status."""
        self._missed.labels(reason).inc(count)

    @contextlib.contextmanager
    def reconciling(self) -> Iterator[None]:
        """Tell of the work on a monitor, while it lasts and when it has ended, well or not."""
        began_at = self._timer()
        try:
            with self.works.work():
                yield
        finally:
            self._reconcile_seconds.observe(self._timer() - began_at)

    def reconcile_failed(self, error: SelfhealError | None) -> None:
        """Tell of a look at a monitor that an error ended; None for a defect of ours."""
        kind = _DEFECT if error is None else type(error).__name__.removesuffix("Error")
        self._reconcile_errors.labels(kind).inc()

    def set_leader(self, *, leads: bool) -> None:
        """Tell whether this replica leads."""
        if leads != self._leads:
            self._transitions.inc()
        self._leads = leads
        self._leader.set(leads)

    def observe_loop_lag(self, seconds: float) -> None:
        """Tell how late a timer came."""
        self._loop_lag.observe(seconds)

    # --- what is asked for at each scrape -------------------------------------------------------------------

    def read_queue(self, depth: Callable[[], int], oldest_wait: Callable[[], float]) -> None:
        """Show the queue: how many keys wait, and for how many seconds the first of them has."""
        self._pull("selfheal_queue_depth", "Monitors that wait for a worker.", lambda: {(): depth()})
        self._pull(
            "selfheal_queue_oldest_wait_seconds",
            "Longest time that a monitor has been waiting for a worker; 0 if none waits.",
            lambda: {(): oldest_wait()},
        )

    def read_watches(self, ages: Callable[[], Values]) -> None:
        """Show the watches: seconds since each was last heard, by the plural of what it watches."""
        self._pull(
            "selfheal_watch_age_seconds",
            "Time since the last event or bookmark of a resource's watch; a bookmark comes every minute.",
            ages,
            ("resource",),
        )

    def read_waiting(self, waiting: Callable[[Purpose], int]) -> None:
        """Show how many Jobs wait for room under the operator's limits."""
        self._pull(
            "selfheal_jobs_waiting",
            "Jobs that are due and wait because the concurrency limit is reached.",
            lambda: {(purpose,): waiting(purpose) for purpose in Purpose},
            ("purpose",),
        )

    def read_jobs(self, active: Callable[[Purpose], Mapping[str, int]]) -> None:
        """Show the Jobs that run, by what they are for and by namespace."""
        self._pull(
            "selfheal_jobs_active",
            "Jobs that are neither finished nor held by a queue, of the 200 namespaces with the most.",
            lambda: active_jobs(active),
            ("namespace", "purpose"),
        )

    # --- making them ----------------------------------------------------------------------------------------

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
