"""A simulated node that completes the pods of runs as their containers would; promotions by their own code.

Reports are random with the Job's name as the seed, so they do not depend on which operator started the Job.
How a run ends is random too, unless a fault is armed for the next run.
"""

import asyncio
import json
import logging
import random
import zlib
from collections import deque
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from chaos.admin import MERGE, Admin, Document
from chaos.clock import QuickTime
from chaos.faults import Fault, Kind
from chaos.registry import REQUESTS, KilledError, RequestFault, SimulatedRegistry
from localcluster.processnode.apiserver import UNREACHABLE, ApiError, ApiServer
from selfheal_jobs.delivery.status_patch import (
    Delivery,
    document_to_apply,
    is_intended,
    is_superseded,
)
from selfheal_jobs.promote.run import run_promote
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.names import (
    ENV_REQUEST,
    GROUP,
    LABEL_MANAGED_BY,
    MANAGED_BY,
    PLURAL,
    VERSION,
)
from selfheal_operator.api.reasons import CheckResult, Purpose, Reason, RetrainResult
from selfheal_operator.api.report import AnyReport, CheckReport, RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import GateResult, LastCheck, LastRetraining, ModelVersion
from selfheal_operator.core.errors import ConflictError, RejectedError
from selfheal_operator.kube.client import APPLY, NotFoundError

logger = logging.getLogger(__name__)

_PODS: Final = "/api/v1/pods"
_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
DRIFT_SHARE: Final = 0.25
"""The share of checks that find drift."""
_COMPLAINTS: Final = 0.2
"""The share of versions of which the gate health complains, so that a person decides."""
_IMPATIENT: Final = RetryPolicy(timeout_seconds=1, retries=1)
"""A promotion's Job ends soon, so that the next attempt is another Job."""


class End(Enum):
    """How a run ends."""

    REPORTS = "reports"
    FAILS = Kind.RUN_FAILS
    NEVER = Kind.RUN_NEVER_ENDS
    ONLY_LAST_WORDS = Kind.RUN_ONLY_LAST_WORDS
    FAILS_AFTER_REPORT = Kind.RUN_FAILS_AFTER_REPORT
    SLOW = Kind.RUN_SLOW
    REFUSED_REPORT = Kind.RUN_REFUSED_REPORT


class SimulatedNode:
    """Completes pods; outages of the API server only delay it."""

    def __init__(  # noqa: PLR0913 - its surroundings
        self,
        admin: Admin,
        watching: ApiServer,
        time: QuickTime,
        registry: SimulatedRegistry,
        seed: int,
        *,
        drift_share: float,
    ) -> None:
        self._admin, self._watching, self._time, self._seed = admin, watching, time, seed
        self._registry, self._drift_share = registry, drift_share
        self._laid: deque[tuple[End, asyncio.Future[str]]] = deque()
        self._promotion_faults: deque[tuple[Fault, asyncio.Future[str]]] = deque()
        self._ends: dict[str, End] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Complete pods until cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except UNREACHABLE:
                    await asyncio.sleep(0.2)
                except ApiError as error:
                    logger.info("Watch of pods ended: %s", error)
                    await asyncio.sleep(0.2)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def end_next_run(self, kind: Kind) -> str:
        """Arm a fault for the next run to start; return the name of its Job once it has started."""
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._laid.append((End(kind), started))
        return await started

    async def strike_next_promotion(self, fault: Fault) -> str:
        """Arm a fault for the next promotion; return the name of its Job once it has started."""
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._promotion_faults.append((fault, started))
        return await started

    async def _follow(self) -> None:
        listed = await self._watching.get(_PODS, {"labelSelector": _SELECTOR})
        for pod in listed["items"]:
            self._take(pod)
        version = listed["metadata"]["resourceVersion"]
        while True:
            query = {"labelSelector": _SELECTOR, "resourceVersion": version}
            async for event in self._watching.watch(_PODS, query):
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), event["object"].get("message", ""))
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "ADDED":
                    self._take(event["object"])

    def _take(self, pod: Document) -> None:
        uid, phase = pod["metadata"]["uid"], pod.get("status", {}).get("phase")
        if uid in self._tasks or phase in ("Succeeded", "Failed"):
            return
        task = self._tasks[uid] = asyncio.create_task(self._complete(pod))
        task.add_done_callback(lambda task: self._forget(uid, task))

    def _forget(self, uid: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Pod not completed", exc_info=error)
        self._tasks.pop(uid, None)

    async def _complete(self, pod: Document) -> None:
        request = _request_of(pod)
        end, dice = self._end_of(request), self._dice(request)
        try:
            report = await self._outcome(request, end, dice)
        except KilledError:
            end, report = End.FAILS, None
        match end:
            case End.NEVER:
                return
            case End.FAILS:
                await self._finish(pod, succeeds=False, last_words="")
            case _ if report is None:
                await self._finish(pod, succeeds=True, last_words="")
            case End.REFUSED_REPORT:
                await self._finish(pod, succeeds=True, last_words=_refused(report, dice))
            case End.ONLY_LAST_WORDS:
                await self._finish(pod, succeeds=True, last_words=report.to_termination_message())
            case _:
                await self._deliver(request, report)
                fails = end is End.FAILS_AFTER_REPORT
                await self._finish(pod, succeeds=not fails, last_words=report.to_termination_message())

    async def _outcome(self, request: RunRequest, end: End, dice: random.Random) -> AnyReport | None:
        """Return the report after the time that the run takes; None if there is nothing to report."""
        pause = dice.uniform(0.1, 1.0) if end is not End.SLOW else dice.uniform(6, 9)
        if request.purpose is Purpose.PROMOTE:
            await asyncio.sleep(pause)
            return None if end is End.FAILS else await self._promoted(request)
        report = self._report(request, dice)
        await asyncio.sleep(pause)
        return report

    async def _promoted(self, request: RunRequest) -> AnyReport | None:
        """Run a promotion's own code; return its report, or None if it found nothing to do.

        Raises:
            KilledError: A fault has killed it.
        """
        fault, number = self._request_fault(request)
        sink = _Intended(await self._seen(request), request)
        await asyncio.to_thread(
            run_promote,
            request,
            sink,
            self._time.now,
            lambda request, _: self._registry.connection(request, fault, number),
            _IMPATIENT,
        )
        return sink.report

    def _request_fault(self, request: RunRequest) -> tuple[RequestFault | None, int]:
        if not self._promotion_faults:
            return None, 0
        fault, started = self._promotion_faults.popleft()
        started.set_result(request.job_name)
        dies = fault.kind is Kind.PROMOTION_DEATH
        return RequestFault.DEATH if dies else RequestFault.LOST_ANSWER, fault.choice % REQUESTS

    async def _seen(self, request: RunRequest) -> Document | None:
        try:
            seen = await self._admin.request("GET", _path_of(request))
        except NotFoundError:
            return None
        return seen if seen["metadata"]["uid"] == request.monitor.uid else None

    def _end_of(self, request: RunRequest) -> End:
        """Return how the run ends; all pods of a Job end in the same way."""
        key = f"{request.monitor.uid}/{request.job_name}"
        # A promotion's deadline cannot be set, and is long.
        endless = bool(self._laid) and self._laid[0][0] is End.NEVER
        if key not in self._ends and self._laid and not (endless and request.purpose is Purpose.PROMOTE):
            end, started = self._laid.popleft()
            started.set_result(request.job_name)
            self._ends[key] = end
        return self._ends.setdefault(key, End.REPORTS)

    def _dice(self, request: RunRequest) -> random.Random:
        return random.Random(zlib.crc32(f"{self._seed}/{request.job_name}".encode()))  # noqa: S311 - repeatable

    def _report(self, request: RunRequest, dice: random.Random) -> CheckReport | RetrainReport:
        told: dict[str, Any] = {
            "scheduled_time": request.slot,
            "job_name": request.job_name,
            "start_time": self._time.now(),
            "completion_time": self._time.now(),
            "message": "simulated",
            "observed_generation": request.monitor.generation,
        }
        if request.purpose is Purpose.CHECK:
            drifts = dice.random() < self._drift_share
            verdict = (
                (CheckResult.DRIFT, Reason.THRESHOLD_EXCEEDED, "0.9000")
                if drifts
                else (CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD, "0.0000")
            )
            result, reason, share = verdict
            told |= {"result": result, "reason": reason, "drift_share": share}
            return CheckReport(last_check=LastCheck(**told))
        return self._registered(request, told, complains=dice.random() < _COMPLAINTS)

    def _registered(self, request: RunRequest, told: dict[str, Any], *, complains: bool) -> RetrainReport:
        """Register a version, once for all pods of a Job."""
        name, run = request.mlflow.registered_model_name, f"{request.monitor.uid}/{request.job_name}"
        version, alias_version = self._registry.registered(name, run)
        moves = request.spec.promotion.moves_the_alias
        gates = [GateResult(name="health", passed=False, message="simulated")] if complains and moves else []
        outcome = LastRetraining(
            **told,
            result=RetrainResult.REGISTERED,
            reason=Reason.MODEL_REGISTERED,
            version=version.version,
            alias_version=alias_version,
            gates=gates,
        )
        model = ModelVersion(name=name, version=version.version, registered_time=version.created)
        return RetrainReport(last_retraining=outcome, **{"challenger" if moves else "model": model})

    async def _deliver(self, request: RunRequest, report: AnyReport) -> None:
        """Write the report into the status, with the container's own code."""
        ref, path = request.monitor, _path_of(request)
        while True:
            try:
                seen = await self._admin.request("GET", path)
                if seen["metadata"]["uid"] != ref.uid or is_superseded(seen, report, self._time.now()):
                    return
                document = document_to_apply(seen, report)
                query = {"fieldManager": report.manager, "force": "true"}
                await self._admin.request(
                    "PATCH", f"{path}/status", document, query=query, content_type=APPLY
                )
            except NotFoundError:
                return
            except ConflictError:
                continue
            return

    async def _finish(self, pod: Document, *, succeeds: bool, last_words: str) -> None:
        metadata = pod["metadata"]
        now = datetime.now(UTC)
        terminated = {
            "exitCode": 0 if succeeds else 1,
            "reason": "Completed" if succeeds else "Error",
            "message": last_words,
            "startedAt": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "finishedAt": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
        container = pod["spec"]["containers"][0]
        status = {
            "phase": "Succeeded" if succeeds else "Failed",
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "none",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": terminated},
                }
            ],
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        body = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            await self._admin.request("PATCH", path, body, content_type=MERGE)
        except (NotFoundError, ConflictError, RejectedError) as error:
            logger.info("Pod not finished: %s", error)


class _Intended:
    """The destination of a promotion's report, which the node delivers as a fault wants it."""

    def __init__(self, seen: Document | None, request: RunRequest) -> None:
        self._is_intended = seen is not None and is_intended(seen, request)
        self.report: AnyReport | None = None

    def is_intended(self, request: RunRequest) -> bool:
        """Return whether the monitor's status has the intent."""
        del request
        return self._is_intended

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        """Keep the report."""
        del forgets_model
        self.report = report
        return Delivery.STORED


def _path_of(request: RunRequest) -> str:
    ref = request.monitor
    return f"/apis/{GROUP}/{VERSION}/namespaces/{ref.namespace}/{PLURAL}/{ref.name}"


def _refused(report: AnyReport, dice: random.Random) -> str:
    """Return last words that the API server refuses as a report."""
    document = json.loads(report.to_termination_message())
    outcome = document[report.outcome_name]
    signal = {"name": "s", "type": "t", "result": "Unknown", "reason": "R", "message": "m"}
    gate = {"name": "g", "passed": True, "message": "m"}
    outcome |= dice.choice(
        (
            {"signals": [signal] * 2, "gates": [gate] * 2},
            {"message": "x" * 5000},
            {"observedGeneration": 2**80},
            {"result": "Maybe"},
        )
    )
    return json.dumps(document)


def _request_of(pod: Document) -> RunRequest:
    variables = {v["name"]: v.get("value", "") for v in pod["spec"]["containers"][0]["env"]}
    return RunRequest.from_wire(json.loads(variables[ENV_REQUEST].replace("$$", "$")))
