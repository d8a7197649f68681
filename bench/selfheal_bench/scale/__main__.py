"""Runs the benchmark: `python -m selfheal_bench.scale [N ...]`; `--help` lists all arguments."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from localcluster.errors import LocalClusterError
from selfheal_bench.errors import BenchError
from selfheal_bench.machine import Machine
from selfheal_bench.scale.figures import GOALS, MEMORY_LIMIT_BYTES, MIB, ROUND_SECONDS, Figures
from selfheal_bench.scale.large_specs import COUNT, KINDS, ColdStarts, measure_large_specs
from selfheal_bench.scale.simulated_node import JOB_UPDATES
from selfheal_bench.scale.size import Course, measure_size
from testbed.errors import TestbedError

COUNTS: Final = (1000, 10_000)
WARM_UP_ROUNDS: Final = 1
"""As many as finished Jobs of a monitor are kept by default: each check after that removes one."""
IDLE_SECONDS: Final = 600.0
"""As long as from one of the operator's complete lists to the next: one falls into it."""


def main() -> None:
    """Measure every size, and print the figures."""
    arguments = _parser().parse_args()
    began = time.monotonic()
    machine = Machine.look()
    course = Course(
        warm_up_rounds=arguments.warm_up_rounds,
        idle_seconds=arguments.idle_seconds,
        job_updates=arguments.job_updates,
    )
    _introduce(course, machine)
    measured: list[Figures] = []
    try:
        large = _large_specs(arguments)
        for count in sorted(filter(None, arguments.counts)):
            figures = asyncio.run(measure_size(count, course, arguments.keep))
            measured.append(figures)
            _tell(figures)
    except (BenchError, TestbedError, LocalClusterError) as error:
        sys.exit(f"The benchmark could not be run to its end: {error}")
    _tell_growth(measured)
    missed = _missed(measured, large)
    print(f"\nTargets missed: {', '.join(missed) or 'none'}")
    seconds = time.monotonic() - began
    print(f"Ran for {seconds / 60:.1f} minutes.")
    summary = _summary(measured, missed, seconds) | {"largeSpecs": [each.to_json() for each in large]}
    print(json.dumps(summary | {"machine": machine.to_json(), "course": course.to_json()}))


def _introduce(course: Course, machine: Machine) -> None:
    print(f"ModelMonitors with intervalSeconds: {ROUND_SECONDS}, spread over the interval by their UIDs.")
    print(
        "API server, etcd and controller manager are Kubernetes' own. Checks are completed by a SIMULATED\n"
        "node: no pod is made and no data is read; about two seconds after a Job was created, its verdict\n"
        "(NoDrift, of the usual size) is in the monitor's status, and the Job is Complete.\n"
        f"A Job's status is written {course.job_updates} times; the Job controller would do it 4 times.\n"
        f"All of it and the operator, with its default settings, share {machine.cpus} CPUs."
    )
    print(
        f"Rounds of {ROUND_SECONDS} s before the one that is measured: {course.warm_up_rounds}. Afterwards\n"
        f"the operator is restarted, and left alone for {course.idle_seconds:g} s with nothing due.",
        flush=True,
    )


def _tell(figures: Figures) -> None:
    print(f"\n{figures.count} monitors")
    for goal in GOALS:
        verdict = "met" if goal.met(figures) else "MISSED"
        value = f"{goal.value(figures):.2f} {goal.unit}"
        print(f"  {goal.title:<24}{value:>14}   at most {goal.limit:g} {goal.unit:<4}{verdict}")
    lags = figures.lags
    print(f"  resident memory: {figures.steady_bytes / MIB:.0f} MiB in the median of the round")
    print(
        f"  cold start: {figures.first_start_seconds:.1f} s at first, {figures.restart_seconds:.1f} s later"
    )
    print(
        f"  slot lag: p50 {lags.percentile(50):.2f} s, max {lags.percentile(100):.2f} s; "
        f"{lags.missed} of {lags.due} missed, {lags.doubled} doubled; {figures.reported} have reported"
    )
    print(
        f"  in the round: {figures.checks} checks, {figures.round_cpu_percent:.1f} % of a core, "
        f"{figures.cpu_milliseconds_per_check:.1f} ms of CPU a check"
    )
    print(f"  writes: {_counts(figures.writes)}\n  reads: {_counts(figures.reads)}", flush=True)


def _counts(calls: Any) -> str:
    return ", ".join(f"{count} {what}" for what, count in calls.items()) or "none"


def _tell_growth(measured: Sequence[Figures]) -> None:
    if len(measured) < 2:
        return
    first, last = measured[0], measured[-1]
    print(f"\nFrom {first.count} to {last.count} monitors ({last.count / first.count:g} times as many)")
    for goal in GOALS:
        before, after = goal.value(first), goal.value(last)
        times = f"{after / before:.1f} times" if before else "-"
        print(f"  {goal.title:<24}{before:>10.2f} -> {after:.2f} {goal.unit}: {times}")


def _large_specs(arguments: argparse.Namespace) -> list[ColdStarts]:
    kinds = KINDS if arguments.large_specs else ()
    measured = []
    for kind in kinds:
        found = asyncio.run(measure_large_specs(kind, arguments.large_specs, arguments.keep))
        _tell_large(found)
        measured.append(found)
    return measured


def _tell_large(found: ColdStarts) -> None:
    starts = " and ".join(f"{seconds:.1f} s" for seconds in found.start_seconds)
    limit, verdict = f"{MEMORY_LIMIT_BYTES / MIB:g} MiB", "met" if found.met else "MISSED"
    print(
        f"\n{found.count} monitors of {found.object_bytes / MIB:.2f} MiB each, specs {found.kind}\n"
        f"  resident memory, peak   {found.peak_bytes / MIB:>10.2f} MiB   at most {limit} {verdict}\n"
        f"  cold starts to ready: {starts}",
        flush=True,
    )


def _missed(measured: Sequence[Figures], large: Sequence[ColdStarts]) -> list[str]:
    """Return the titles of the targets missed at the largest number, and by large specs."""
    goals = [goal.title for figures in measured[-1:] for goal in GOALS if not goal.met(figures)]
    beyond = [figures for figures in measured if figures.peak_bytes > MEMORY_LIMIT_BYTES]
    return [
        *goals,
        *(f"limit of memory, {figures.count} monitors" for figures in beyond),
        *(f"limit of memory, specs {each.kind}" for each in large if not each.met),
    ]


def _summary(measured: Sequence[Figures], missed: Sequence[str], seconds: float) -> dict[str, Any]:
    growth = {
        goal.key: round(goal.value(measured[-1]) / goal.value(measured[0]), 2)
        for goal in GOALS
        if len(measured) > 1 and goal.value(measured[0])
    }
    return {
        "benchmark": "scale",
        "checks": "completed by a simulated node",
        "targets": {goal.key: goal.limit for goal in GOALS},
        "memoryLimitMiB": MEMORY_LIMIT_BYTES // MIB,
        "runs": [figures.to_json() for figures in measured],
        "growth": growth,
        "missedTargets": list(missed),
        "seconds": round(seconds),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m selfheal_bench.scale", description=__doc__)
    parser.add_argument(
        "counts",
        nargs="*",
        type=int,
        default=COUNTS,
        metavar="N",
        help="monitors (default: 1000 10000; 0: none)",
    )
    parser.add_argument(
        "--large-specs",
        type=int,
        default=COUNT,
        metavar="N",
        help="monitors with large specs, whose memory is measured first (default: %(default)s; 0: none)",
    )
    parser.add_argument(
        "--warm-up-rounds",
        type=int,
        default=WARM_UP_ROUNDS,
        help="rounds before the measured one (default: %(default)s)",
    )
    parser.add_argument(
        "--idle-seconds",
        type=float,
        default=IDLE_SECONDS,
        help="how long the operator is watched while nothing is due (default: %(default)s)",
    )
    parser.add_argument(
        "--job-updates",
        type=int,
        choices=JOB_UPDATES,
        default=JOB_UPDATES[0],
        help="how often each Job's status is written; 4 as by the Job controller (default: %(default)s)",
    )
    parser.add_argument("--keep", type=Path, help="a folder that gets the audit logs and the programs' logs")
    return parser


if __name__ == "__main__":
    main()
