"""Measures a scrape of many monitors: time, the longest block of the event loop, and memory.

Serves /metrics as the operator does, from monitors kept as JSON, and has another process read it.
Prints a line for each scrape, and JSON with the worst of all as the last line.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from selfheal_operator.metrics.exposition import Exposition
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.metrics.monitors import facts_of
from selfheal_operator.serve.endpoints import Endpoints, serve

TICK_SECONDS: Final = 0.001
READER: Final = """
import sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer:
    lines = [line for line in answer if not line.startswith(b"#")]
print(len(lines), sum(map(len, lines)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What one scrape took."""

    seconds: float
    cpu_seconds: float
    longest_stop_seconds: float
    """The longest block of the event loop, including time in which another process had its core."""
    longest_stop_cpu_seconds: float
    """The most CPU time between two runs of other tasks: the longest block on an idle machine."""
    peak_mib: float
    """How far resident memory rose above what it was before."""
    series: int
    text_mib: float


def monitor_document(number: int) -> dict[str, Any]:
    """Return a typical busy monitor: checked, drifted, and retrained once."""
    condition = {
        "status": "True",
        "reason": "MonitorActive",
        "message": "Checks run on schedule",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-11-23T12:00:00Z",
    }
    columns = [
        {
            "name": f"feature_{n}",
            "method": "Wasserstein distance (normed)",
            "score": "0.3142",
            "threshold": "0.1",
        }
        for n in range(10)
    ]
    return {
        "metadata": {"namespace": f"team-{number % 100}", "name": f"model-{number:05}"},
        "spec": {
            "dataset": {
                "reference": {"uri": "/data/reference.parquet"},
                "current": {"uri": "/data/current.parquet"},
            },
            "target": "churned",
            "threshold": 0.3,
            "schedule": "*/5 * * * *",
        },
        "status": {
            "observedGeneration": 3,
            "conditions": [condition | {"type": kind} for kind in ("Ready", "DriftDetected", "Retraining")],
            "lastScheduleTime": "2026-11-23T12:00:00Z",
            "nextCheckTime": "2026-11-23T12:05:00Z",
            "lastSuccessfulCheckTime": "2026-11-23T12:01:00Z",
            "missedChecks": 2,
            "lastCheck": {
                "scheduledTime": "2026-11-23T12:00:00Z",
                "jobName": f"model-{number:05}-check-29394960",
                "result": "Drift",
                "reason": "ThresholdExceeded",
                "message": "10 of 20 columns drifted (0.5000 > 0.3000)",
                "driftShare": "0.5000",
                "topDriftedColumns": columns,
            },
            "history": [{"scheduledTime": "2026-11-23T12:00:00Z", "result": "Drift", "driftShare": "0.5000"}]
            * 10,
            "model": {"name": f"team-{number % 100}.model-{number:05}", "version": "7", "runID": "9b1c" * 8},
        },
    }


async def measure(monitors: int, scrapes: int) -> list[Scrape]:
    """Serve, have it scraped, and measure meanwhile."""
    documents = map(monitor_document, range(monitors))
    named = [(_key(document), facts_of(document)) for document in documents]
    exposition = Exposition(Instruments(), lambda: named, lambda: datetime.now(UTC))
    endpoints = Endpoints(trouble=lambda: None, is_ready=lambda: True, metrics=exposition.text)
    runner = await serve(0, endpoints)
    port = next(address[1] for address in runner.addresses if len(address) == 2)  # of IPv4
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        return [await _scrape(url) for _ in range(scrapes)]
    finally:
        await runner.cleanup()


def _key(document: dict[str, Any]) -> tuple[str, str]:
    metadata = document["metadata"]
    return metadata["namespace"], metadata["name"]


async def _scrape(url: str) -> Scrape:
    stops = [(0.0, 0.0)]
    ticking = asyncio.create_task(_tick(stops))
    _begin_peak_anew()
    before, cpu, began_at = _memory_mib("VmRSS"), time.process_time(), time.monotonic()
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READER, url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await reader.communicate()
    seconds = time.monotonic() - began_at
    ticking.cancel()
    series, text = map(int, output.split())
    return Scrape(
        seconds=round(seconds, 3),
        cpu_seconds=round(time.process_time() - cpu, 3),
        longest_stop_seconds=round(max(wall for wall, _ in stops), 4),
        longest_stop_cpu_seconds=round(max(cpu for _, cpu in stops), 4),
        peak_mib=round(_memory_mib("VmHWM") - before, 1),
        series=series,
        text_mib=round(text / 2**20, 1),
    )


async def _tick(stops: list[tuple[float, float]]) -> None:
    while True:
        due, cpu = time.monotonic() + TICK_SECONDS, time.thread_time()
        await asyncio.sleep(TICK_SECONDS)
        stops.append((time.monotonic() - due, time.thread_time() - cpu))


def _begin_peak_anew() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory_mib(field: str) -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitors", type=int, default=10_000)
    parser.add_argument("--scrapes", type=int, default=5)
    arguments = parser.parse_args()
    results = asyncio.run(measure(arguments.monitors, arguments.scrapes))
    for result in results:
        print(json.dumps(asdict(result)))
    worst = {name: max(asdict(result)[name] for result in results) for name in asdict(results[0])}
    print(json.dumps({"monitors": arguments.monitors, "worst": worst}))


if __name__ == "__main__":
    main()
