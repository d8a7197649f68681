"""Carries out a plan: sends one step to the API server and records the result in the store."""

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from selfheal_operator.api.reasons import Reason
from selfheal_operator.controller.resync import read_monitor
from selfheal_operator.controller.sink import Sink
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.credibility import believed
from selfheal_operator.core.errors import ConflictError, RejectedError, SelfhealError, UnavailableError
from selfheal_operator.core.history import has_reported
from selfheal_operator.core.name_lock import NameHolder, NameTakenError
from selfheal_operator.core.observed import Job, Monitor, Observed, PodTrouble, Rejection, monitor_from
from selfheal_operator.core.plan import (
    CreateJob,
    DeleteJob,
    Event,
    InspectPods,
    Plan,
    RecoverReport,
    ReplaceJob,
    WriteStatus,
)
from selfheal_operator.core.recovery import Pod, failed_report, own_pods, pod_trouble, recover_report
from selfheal_operator.core.slots import MissedReason
from selfheal_operator.core.status import foreign_values
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.metrics.instruments import Instruments

logger = logging.getLogger(__name__)

_ACCOUNT_TRUST: Final = timedelta(minutes=10)
"""How long to assume that a namespace's runner account still exists."""


@dataclass(slots=True)
class Executor:
    """Executes plans; makes no decisions."""

    cluster: Cluster
    store: Store
    clock: Callable[[], datetime]
    instruments: Instruments = field(default_factory=Instruments)
    sinks: Sequence[Sink] = ()
    """The receivers of notifications about changes."""
    _accounts_seen: dict[str, datetime] = field(default_factory=dict)

    async def carry_out(self, key: Key, seen: Observed, plan: Plan) -> bool:
        """Execute the plan's step.

        Returns:
            Whether the store has changed, so that the monitor must be reconciled again at once.

        Raises:
            UnavailableError: The outcome is unknown; reconcile again later.
        """
        try:
            match plan.step:
                case CreateJob():
                    await self._create(key, seen.monitor, plan.step)
                case WriteStatus():
                    return await self._write_status(key, seen.monitor, plan.step)
                case RecoverReport(job):
                    await self._recover(key, job)
                case InspectPods(job):
                    await self._inspect(key, job)
                case ReplaceJob(job, event):
                    await self._stop(key, job)
                    await self._tell(seen.monitor, (event,))
                case DeleteJob(job):
                    await self._delete(key, job)
                case None:
                    return False
        except ConflictError:
            await read_monitor(self.cluster, self.store, key)  # the store was stale
        return True

    async def _write_status(self, key: Key, monitor: Monitor, order: WriteStatus) -> bool:
        """Write the operator's part of the status; return whether it has changed."""
        body = await self.cluster.apply_status(monitor, order.status)
        self.store.put_monitor(body)
        self._count_missed(order.missed)
        await self._tell(monitor, order.events)
        if foreign := foreign_values(body.get("status") or {}, order.status):
            extra = {"monitor": "/".join(key), "fields": sorted(foreign)}
            logger.warning("The operator's part of the status was written by another client", extra=extra)
            body = await self.cluster.set_status(body, foreign)
            self.store.put_monitor(body)
        # A write that changes nothing would be planned again at once, for ever.
        return bool(body["metadata"]["resourceVersion"] != monitor.resource_version)

    async def _create(self, key: Key, monitor: Monitor, order: CreateJob) -> None:
        if await self._found(key, order.unseen):
            return
        try:
            await self._claim(key, monitor, order)
        except (NameTakenError, RejectedError) as refusal:
            self.store.reject(
                key,
                Rejection(
                    job_name=order.name,
                    generation=monitor.generation,
                    reason=_reason_of(refusal),
                    message=str(refusal),
                    time=self.clock(),
                ),
            )
        except UnavailableError:
            self.store.note_unanswered(key, order.name)  # it may exist: look it up before the next create
            raise

    async def _claim(self, key: Key, monitor: Monitor, order: CreateJob) -> None:
        """Create the Job. If a Job of an earlier monitor has its name, delete that one instead."""
        if order.needs_runner_account:
            await self._ensure_account(key.namespace)
        try:
            job, resource_version = await self.cluster.engine.create(order.manifest)
        except NameTakenError as taken:
            if taken.holder is not NameHolder.NAMESAKE:
                raise
            await self._delete_predecessors(key, monitor, order.name, taken.uid)
            return
        # After a crash here the Job exists but is not in the status. The next reconciliation finds the Job.
        self.store.put_job(job, resource_version)
        self.store.reject(key, None)
        self.instruments.job_started(job, self.clock(), order.delay)
        logger.info("Job started", extra={"monitor": f"{key.namespace}/{key.name}", "job": job.name})

    async def _delete_predecessors(self, key: Key, monitor: Monitor, name: str, uid: str) -> None:
        """Delete a Job of an earlier monitor of this name.

        Garbage collection normally does this. It never does if its watch was interrupted while the monitor
        was deleted and created again: its next list then shows a changed monitor, not a deleted one.
        """
        body = await self.cluster.monitor(*key)
        self.store.put_monitor(body)
        # The Job was read before the monitor. If the Job belonged to a later monitor, this read would return
        # another UID: then the store was stale, and nothing may be deleted. A Job that takes the name after
        # this read has another UID than the one that was read.
        if monitor_from(body).uid != monitor.uid:
            return
        await self.cluster.engine.delete(key.namespace, name, uid)
        logger.info(
            "Job of an earlier monitor deleted", extra={"monitor": f"{key.namespace}/{key.name}", "job": name}
        )

    async def _found(self, key: Key, names: Iterable[str]) -> bool:
        """Look up Jobs that are known by name only; return whether one was found."""
        found = False
        for name in names:
            if (job := await self.cluster.engine.find(key.namespace, name)) is not None:
                found |= self.store.put_job(*job)
            self.store.settle_unanswered(key, name)
        return found

    async def _stop(self, key: Key, job: Job) -> None:
        if (stopped := await self.cluster.engine.stop(job)) is None:
            self.store.drop_job(job)
        else:
            self.store.put_job(*stopped)
        logger.info("Job stopped", extra={"monitor": f"{key.namespace}/{key.name}", "job": job.name})

    async def _delete(self, key: Key, job: Job) -> None:
        await self.cluster.engine.delete(job.namespace, job.name, job.uid)
        self.store.drop_job(job)
        logger.info("Job deleted", extra={"monitor": f"{key.namespace}/{key.name}", "job": job.name})

    async def _ensure_account(self, namespace: str) -> None:
        now = self.clock()
        if now < self._accounts_seen.get(namespace, datetime.min.replace(tzinfo=now.tzinfo)) + _ACCOUNT_TRUST:
            return
        await self.cluster.ensure_runner_account(namespace)
        self._accounts_seen[namespace] = now

    async def _recover(self, key: Key, job: Job) -> None:
        # The container may have written its report just before the watch delivered the Job's end.
        body = await self.cluster.monitor(*key)
        self.store.put_monitor(body)
        monitor = believed(monitor_from(body), self.store.jobs_of(job.owner), self.clock())
        if monitor.uid != job.owner_uid or has_reported(monitor, job):
            return
        pods = own_pods(job, await self.cluster.engine.pods(job))
        self.store.put_monitor(await self._report(monitor, job, pods))
        logger.info("Report recovered", extra={"monitor": f"{key.namespace}/{key.name}", "job": job.name})

    async def _report(self, monitor: Monitor, job: Job, pods: Sequence[Pod]) -> dict[str, Any]:
        """Write the report that the pods left, or that there is none which the API server takes.

        Without a report of the Job, the monitor would try to recover it for ever, and start no other check.
        """
        try:
            found = recover_report(job, pods, monitor.status, self.clock())
            return await self.cluster.apply_status(monitor, found.status, found.manager)
        except RejectedError as refusal:
            why = f"Job {job.name} left a report that the API server refuses: {refusal}"
        except SelfhealError:
            raise
        except Exception as error:  # noqa: BLE001 - a container may leave anything there
            why = f"Job {job.name} left a report that cannot be read: {error!r}"
        failed = failed_report(job, why, monitor.status, self.clock())
        return await self.cluster.apply_status(monitor, failed.status, failed.manager)

    async def _inspect(self, key: Key, job: Job) -> None:
        pods = own_pods(job, await self.cluster.engine.pods(job))
        self.store.note_pod_trouble(
            key, PodTrouble(job_uid=job.uid, message=pod_trouble(pods), time=self.clock())
        )

    def _count_missed(self, missed: Mapping[MissedReason, int]) -> None:
        for reason, count in missed.items():
            self.instruments.slots_missed(count, reason)

    async def _tell(self, monitor: Monitor, events: Iterable[Event]) -> None:
        for sink, event in itertools.product(self.sinks, events):
            # Delivery is best effort: a crash or an exhausted quota loses it, but the condition has the fact.
            try:
                await sink.tell(monitor, event, self.clock())
            except SelfhealError as error:
                logger.warning("Event not told", extra={"sink": type(sink).__name__, "error": str(error)})


def _reason_of(refusal: NameTakenError | RejectedError) -> Reason:
    if isinstance(refusal, RejectedError):
        return Reason.JOB_REJECTED
    return Reason.JOB_TERMINATING if refusal.holder is NameHolder.TERMINATING else Reason.NAME_CONFLICT
