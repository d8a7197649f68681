"""Runs the benchmark: `python -m selfheal_bench.schedule [N ...]`; `--help` lists all arguments."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from localcluster.errors import LocalClusterError
from selfheal_bench.errors import BenchError
from selfheal_bench.lags import Lags
from selfheal_bench.machine import Machine
from selfheal_bench.schedule.fairness import IN_FLIGHT, Fairness, Plan, measure_fairness
from selfheal_bench.schedule.floor import MOST_OF_FLOOR, WIDTHS, Floor, lowest_floor
from selfheal_bench.schedule.phase import PHASES, Outcome, Phase, run_phase
from testbed.errors import TestbedError

COUNTS: Final = (1000, 5000)
FEW: Final = 50
LIMIT_SECONDS: Final = 180.0


def main() -> None:
    """Run every phase for every N, and print the figures."""
    arguments = _parser().parse_args()
    began = time.monotonic()
    machine = Machine.look()
    _introduce(arguments.phases, machine)
    results = []
    try:
        for count in filter(None, arguments.counts):
            for phase in arguments.phases:
                outcome, floor = asyncio.run(_run(phase, count, arguments))
                results.append(outcome.to_json() | _floor_to_json(outcome, floor))
                _tell(outcome)
                if floor is not None:
                    print(_floor_sentence(outcome, floor), flush=True)
        fair = _fairness(arguments)
    except (BenchError, TestbedError, LocalClusterError) as error:
        sys.exit(f"The benchmark could not be run to its end: {error}")
    seconds = time.monotonic() - began
    print(f"\nRan for {seconds / 60:.1f} minutes.")
    print(
        json.dumps(
            {
                "benchmark": "schedule",
                "machine": machine.to_json(),
                "runs": results,
                "fairness": fair,
                "seconds": round(seconds),
            }
        )
    )


async def _run(phase: str, count: int, arguments: argparse.Namespace) -> tuple[Outcome, Floor | None]:
    floor = await lowest_floor(phase, count, arguments.floor_widths, keep=arguments.keep)
    chosen = Phase(
        name=phase, count=count, limit_seconds=arguments.limit_seconds, patience=arguments.patience
    )
    return await run_phase(chosen, arguments.keep), floor


def _fairness(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure what a small namespace waits beside a large one, for each size of the large one."""
    measured = []
    for large in arguments.large_namespaces:
        plan = Plan(
            large=large,
            small=arguments.small_namespace,
            limit_seconds=arguments.limit_seconds,
            patience=arguments.patience,
        )
        fair = asyncio.run(measure_fairness(plan, arguments.keep))
        _tell_fairness(fair)
        measured.append(fair.to_json())
    return measured


def _tell_fairness(fair: Fairness) -> None:
    print(f"\n{fair.large.due} ModelMonitors of one namespace and {fair.small.due} of another, due at once")
    _tell_head()
    _tell_lags("few, alone", fair.alone)
    _tell_lags("few", fair.small)
    _tell_lags("many", fair.large)
    verdict = "met" if fair.met else "MISSED"
    print(
        f"the few had all their Jobs after {fair.starts} of {fair.large.due + fair.small.due} starts; "
        f"at most {fair.most}, every other one and {IN_FLIGHT} in flight: {verdict}\n"
        f"p99 of the few, if who comes first were served first: {fair.first_come:.2f} s",
        flush=True,
    )


def _floor_to_json(outcome: Outcome, floor: Floor | None) -> dict[str, Any]:
    if floor is None:
        return {"floor": None}
    return {"floor": floor.to_json() | {"ratio": round(floor.ratio(outcome.alone), 3)}}


def _floor_sentence(outcome: Outcome, floor: Floor) -> str:
    ratio = floor.ratio(outcome.alone)
    return (
        f"floor: a bare creator, {floor.width} requests at a time, has made its last Job after "
        f"{floor.seconds:.2f} s\nModelMonitor's p99, alone, at most {MOST_OF_FLOOR:g} of that: "
        f"{ratio:.3f}, {'met' if ratio <= MOST_OF_FLOOR else 'MISSED'}"
    )


def _introduce(phases: Iterable[str], machine: Machine) -> None:
    print(
        "N ModelMonitors are due in the same minute: first alone, then with N CronJobs in the same cluster."
    )
    print(
        "API server, etcd, CronJob and Job controller are Kubernetes' own; there is no node. They,\n"
        f"the operator with its default settings, and this program share {machine.cpus} CPUs."
    )
    print(
        "Lag: from the minute to when the API server had created the Job, by its audit log.\n"
        "A Job that did not come counts with the limit."
    )
    print(
        "Floor: the same Jobs of N monitors, POSTed by a small program that does nothing else, on a fresh\n"
        "control plane of its own with the same flags, where nothing else is due."
    )
    for phase in phases:
        print(f"{phase}: flags of the controller manager: {' '.join(PHASES[phase]) or 'none'}")
    print(flush=True)


def _tell(outcome: Outcome) -> None:
    limit = f"{outcome.monitors.limit_seconds:g} s"
    print(f"\nN = {outcome.count}, CronJob controller: {outcome.phase} (limit {limit})")
    _tell_head()
    kinds = (
        ("alone", outcome.alone),
        ("ModelMonitor", outcome.monitors),
        ("CronJob", outcome.cron_jobs),
    )
    for kind, lags in kinds:
        _tell_lags(kind, lags)
    ratios = "".join(f"{outcome.ratio(percent):>10.3f}" for percent in (50, 99, 100))
    print(f"{'ratio':<41}{ratios}")
    print(
        f"operator: {outcome.operator_cpu_seconds:.1f} s of CPU since the slot, "
        f"at most {outcome.operator_peak_bytes / 2**20:.0f} MiB resident",
        flush=True,
    )


def _tell_head() -> None:
    print(f"{'':<14}{'started':>9}{'missed':>9}{'doubled':>9}{'p50':>10}{'p99':>10}{'max':>10}")


def _tell_lags(kind: str, lags: Lags) -> None:
    figures = "".join(f"{lags.percentile(percent):>8.2f} s" for percent in (50, 99, 100))
    print(f"{kind:<14}{len(lags.seconds):>9}{lags.missed:>9}{lags.doubled:>9}{figures}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m selfheal_bench.schedule", description=__doc__)
    parser.add_argument(
        "counts",
        nargs="*",
        type=int,
        default=COUNTS,
        metavar="N",
        help="of each kind (default: 1000 5000; 0: none)",
    )
    parser.add_argument(
        "--phases", nargs="+", choices=PHASES, default=list(PHASES), help="the CronJob controller's settings"
    )
    parser.add_argument(
        "--large-namespaces",
        nargs="*",
        type=int,
        default=COUNTS[-1:],
        metavar="N",
        help="monitors of a namespace, due beside those of a small one (default: 5000; none: not measured)",
    )
    parser.add_argument(
        "--small-namespace", type=int, default=FEW, help="monitors of the small one (default: %(default)s)"
    )
    parser.add_argument(
        "--limit-seconds",
        type=float,
        default=LIMIT_SECONDS,
        help="how long Jobs are waited for (default: %(default)s)",
    )
    parser.add_argument(
        "--patience", type=float, default=1.0, help="more, on a slow machine, gives the preparation more time"
    )
    parser.add_argument(
        "--floor-widths",
        nargs="*",
        type=int,
        default=WIDTHS,
        metavar="W",
        help="requests at a time of the floor; the quickest counts (default: 32 64; none: no floor)",
    )
    parser.add_argument("--keep", type=Path, help="a folder that gets the audit logs and the programs' logs")
    return parser


if __name__ == "__main__":
    main()
