"""Completes checks without running them: `python -m selfheal_bench.scale.simulated_node`.

It replaces the Job controller, the scheduler, the kubelet and the container: it writes the statuses of Jobs
and monitors that they would write, but no intermediate objects (there are no pods).
"""

import argparse
import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from localcluster.processnode.apiserver import UNREACHABLE, ApiError, ApiServer, Document, until_answered
from selfheal_bench.arena import administrator, say
from selfheal_bench.monitors import monitors_path
from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import (
    ANNOTATION_GENERATION,
    ANNOTATION_SLOT,
    API_VERSION,
    CHECK_MANAGER,
    KIND,
    LABEL_MANAGED_BY,
    LABEL_MONITOR,
    LABEL_MONITOR_UID,
    MANAGED_BY,
)
from selfheal_operator.api.reasons import CheckResult, Reason, Task
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.v1alpha1.status import DriftedColumn, LastCheck, RowCounts

JOBS: Final = "/apis/batch/v1/jobs"
OURS: Final = {"labelSelector": f"{LABEL_MANAGED_BY}={MANAGED_BY}"}
START_SECONDS: Final = 0.5
"""From the Job to the container's start."""
CHECK_SECONDS: Final = (0.5, 1.5)
"""The shortest and the longest check."""
RECONNECT_SECONDS: Final = 0.5
JOB_UPDATES: Final = (2, 4)
"""How often a Job's status is written. The Job controller of Kubernetes 1.36 writes it four times: active,
ready, succeeded, Complete. Two writes (running, Complete) contain all that the operator reads, and leave more
of a small machine to the operator."""


def main() -> None:
    """Complete checks until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the API server's URL")
    parser.add_argument("--pki", required=True, type=Path, help="the cluster's keys and certificates")
    parser.add_argument("--job-updates", type=int, choices=JOB_UPDATES, default=JOB_UPDATES[0])
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.server, arguments.pki, arguments.job_updates))


async def _run(server: str, pki: Path, job_updates: int) -> None:
    async with administrator(server, pki) as api, asyncio.TaskGroup() as group:
        async for job in _new_jobs(api):
            group.create_task(_complete(api, job, job_updates))


async def _new_jobs(api: ApiServer) -> AsyncIterator[Document]:
    """Yield each of our Jobs once, when it was created. It runs beside an API server that stays up."""
    listed = await api.get(JOBS, OURS)
    version = listed["metadata"]["resourceVersion"]
    while True:
        try:
            async for event in api.watch(JOBS, {**OURS, "resourceVersion": version}):
                if event["type"] == "ERROR":
                    raise SystemExit(f"the watch cannot go on: {event['object']}")
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "ADDED":
                    yield event["object"]
        except UNREACHABLE as error:
            say(f"watch ended: {error!r}")
            await asyncio.sleep(RECONNECT_SECONDS)


async def _complete(api: ApiServer, job: Document, job_updates: int) -> None:
    """Write what happens to a Job and to its monitor."""
    metadata = job["metadata"]
    path = f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}/status"
    in_full = job_updates == max(JOB_UPDATES)

    async def write(**status: Any) -> None:
        await until_answered(lambda: api.patch(path, {"status": status}))

    began = format_time(datetime.now(UTC))
    ready = 0 if in_full else 1
    try:
        await write(startTime=began, active=1, ready=ready, terminating=0, uncountedTerminatedPods={})
        await asyncio.sleep(START_SECONDS)
        if in_full:
            await write(ready=1)
        await asyncio.sleep(random.uniform(*CHECK_SECONDS))  # noqa: S311 - no secret
        await until_answered(lambda: _report(api, metadata))
        met = _true("SuccessCriteriaMet")
        if in_full:
            pods = {"succeeded": [metadata["uid"]]}
            await write(active=0, ready=0, uncountedTerminatedPods=pods, conditions=[met])
        await write(
            active=0,
            ready=0,
            succeeded=1,
            uncountedTerminatedPods={"succeeded": None},
            completionTime=format_time(datetime.now(UTC)),
            conditions=[met, _true("Complete")],
        )
    except ApiError as error:
        if error.status != 404:  # it was deleted meanwhile
            raise


def _true(condition: str) -> dict[str, str]:
    now = format_time(datetime.now(UTC))
    times = {"lastProbeTime": now, "lastTransitionTime": now}
    return {"type": condition, "status": "True", "reason": "CompletionsReached", **times}


async def _report(api: ApiServer, job: Document) -> None:
    """Report as a container does: by server-side apply, under the name of its field manager."""
    namespace, name = job["namespace"], job["labels"][LABEL_MONITOR]
    body = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"namespace": namespace, "name": name, "uid": job["labels"][LABEL_MONITOR_UID]},
        "status": _verdict(job).to_wire(),
    }
    await api.apply(f"{monitors_path(namespace)}/{name}/status", body, CHECK_MANAGER)


def _verdict(job: Document) -> CheckReport:
    """Return a verdict of the usual size: one of twelve columns has drifted, within the threshold."""
    run = job["uid"].replace("-", "")
    annotations = job["annotations"]
    check = LastCheck(
        scheduled_time=datetime.fromisoformat(annotations[ANNOTATION_SLOT]),
        job_name=job["name"],
        start_time=datetime.fromisoformat(job["creationTimestamp"]),
        completion_time=datetime.now(UTC),
        result=CheckResult.NO_DRIFT,
        reason=Reason.WITHIN_THRESHOLD,
        message="1 of 12 columns drifted (0.0833 <= 0.3000)",
        drift_share="0.0833",
        columns_checked=12,
        columns_drifted=1,
        top_drifted_columns=[
            DriftedColumn(name="tenure_months", method="K-S p_value", score="0.0131", threshold="0.05")
        ],
        rows=RowCounts(reference=5000, current=1000),
        run_id=run,
        report_uri=f"mlflow-artifacts:/7/{run}/artifacts/drift_report.html",
        observed_generation=int(annotations[ANNOTATION_GENERATION]),
    )
    return CheckReport(task=Task.CLASSIFICATION, last_check=check)


if __name__ == "__main__":
    main()
