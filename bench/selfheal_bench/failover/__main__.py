"""Measures failover: `python -m selfheal_bench.failover [N]`; `--help` lists all arguments."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from localcluster import ControlPlaneOptions
from localcluster.errors import LocalClusterError
from localcluster.processnode.apiserver import ApiServer
from selfheal_bench import audit
from selfheal_bench.arena import Arena, administrator, arena, say
from selfheal_bench.audit import AuditLog
from selfheal_bench.errors import BenchError
from selfheal_bench.failover.ends import End, asked_to_end, killed, stopped
from selfheal_bench.failover.pair import WRITES, Pair, Replica, replicas_of
from selfheal_bench.machine import Machine
from selfheal_bench.monitors import monitor, monitors_path, places
from selfheal_bench.parallel import for_each
from testbed.errors import TestbedError

OPTIONS: Final = ControlPlaneOptions(scheduler=False, audit_policy=audit.policy(WRITES))
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
A_YEAR: Final = 31_536_000
ENDS: Final[Mapping[str, Callable[[Pair], Awaitable[End]]]] = {
    "SIGTERM": asked_to_end,
    "SIGKILL": killed,
    "SIGSTOP": stopped,
}
TARGETS: Final = {"SIGTERM": 2.0, "SIGKILL": 17.0}


def main() -> None:
    """Measure, and print the figures."""
    arguments = _parser().parse_args()
    machine = Machine.look()
    print(
        f"Two operators serve {arguments.monitors} monitors, one of which is edited every 0.1 s.\n"
        "The one that leads gets a signal.\n"
        "Measured: the seconds until the other one has written something, by the API server's audit log."
    )
    try:
        ends = asyncio.run(_measure(arguments.monitors, arguments.rounds, arguments.keep))
    except (BenchError, TestbedError, LocalClusterError) as error:
        sys.exit(f"The benchmark could not be run to its end: {error}")
    _tell(ends)
    figures = {signal: _figures(found) for signal, found in ends.items()}
    print(
        json.dumps(
            {
                "benchmark": "failover",
                "machine": machine.to_json(),
                "monitors": arguments.monitors,
                "signals": figures,
            }
        )
    )


async def _measure(count: int, rounds: int, keep: Path | None) -> dict[str, list[End]]:
    with ExitStack() as ends, arena(OPTIONS, keep) as ground:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="selfheal-failover-")))
        if keep is not None:
            ends.callback(_keep, folder, keep)
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            await for_each("monitors", places(count), lambda place: _create(api, *place))
            replicas = replicas_of(cluster, folder, ends.callback)
            return await _rounds(ground, api, replicas, count, rounds)


def _keep(folder: Path, keep: Path) -> None:
    for log in folder.glob("*/logs/*.log"):
        shutil.copy(log, keep)


async def _create(api: ApiServer, namespace: str, name: str) -> None:
    await api.post(monitors_path(namespace), monitor(namespace, name, intervalSeconds=A_YEAR))


async def _rounds(
    ground: Arena, api: ApiServer, replicas: Sequence[Replica], count: int, rounds: int
) -> dict[str, list[End]]:
    for replica in replicas:
        say(f"{replica.name} is ready after {await asyncio.to_thread(replica.process.start):.1f} s")
    pair = Pair(api, replicas, count, AuditLog(ground.cluster.state.audit_log))
    await _until_all_are_noticed(pair)
    found: dict[str, list[End]] = {signal: [] for signal in ENDS}
    for number in range(1, rounds + 1):
        for signal, measure in ENDS.items():
            found[signal].append(end := await measure(pair))
            say(f"round {number}, {signal}: {end.seconds:.2f} s")
    return found


async def _until_all_are_noticed(pair: Pair) -> None:
    """Wait until the leader has written a status for each monitor, and then a while for its rest."""
    leader, _ = await pair.roles()
    before, written = -1, 0
    while before < written or written < pair.count:
        await asyncio.sleep(3)
        before, written = written, len(pair.writes(leader, BEGINNING))


def _tell(ends: Mapping[str, Sequence[End]]) -> None:
    columns = ("times", "shortest", "longest", "target")
    print(f"\n{'signal':<10}{''.join(f'{name:>11}' for name in columns)}  writes after it woke")
    for signal, found in ends.items():
        seconds = sorted(end.seconds for end in found)
        target = f"{TARGETS[signal]:g} s" if signal in TARGETS else ""
        after = str(sum(end.writes_after for end in found)) if signal == "SIGSTOP" else ""
        times = f"{len(seconds):>11}{seconds[0]:>9.2f} s{seconds[-1]:>9.2f} s"
        print(f"{signal:<10}{times}{target:>11}{after:>22}")


def _figures(found: Sequence[End]) -> dict[str, object]:
    return {
        "seconds": [round(end.seconds, 3) for end in found],
        "longest": round(max(end.seconds for end in found), 3),
        "writesAfterItWoke": sum(end.writes_after for end in found),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m selfheal_bench.failover", description=__doc__)
    parser.add_argument("monitors", nargs="?", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--rounds", type=int, default=3, help="each signal so often (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder that gets the audit log and the operators' logs")
    return parser


if __name__ == "__main__":
    main()
