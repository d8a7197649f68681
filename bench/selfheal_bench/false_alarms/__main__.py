"""`make bench-false-alarms`: how often a check alarms without drift, and with it, by either rule.

Prints a table for all pairs of sizes, shorter ones for other sorts of columns, and JSON as the last line.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from demo.datasets.nycflights13 import fetch_nycflights13
from localcluster.binaries import cache_dir
from selfheal_bench.arena import say
from selfheal_bench.false_alarms.samples import DRAWN, PLAIN, Kind, flights
from selfheal_bench.false_alarms.trials import Rates, rates
from selfheal_bench.machine import Machine
from testbed.errors import SetupError

SIZES: Final = (100, 300, 500, 1_000, 1_001, 5_000, 100_000)
SOME: Final = ((300, 300), (1_000, 500), (1_001, 100), (1_001, 1_001), (5_000, 1_000))
MOST_FALSE_ALARMS: Final = 0.01
LEAST_DETECTED: Final = 0.99

_HEAD: Final = (
    f"{'rows':>17} | {'Calibrated':^39} | {'Evidently':^21}\n"
    f"{'reference':>9}{'current':>8} | {'false':>8}{'inconcl.':>10}{'found':>9}{'inconcl.':>12} |"
    f"{'false':>9}{'found':>12}"
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checks", type=int, default=2_000, help="of each pair of sizes, with drift and without"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="all pairs of these are run")
    parser.add_argument(
        "--pairs",
        type=_pair,
        nargs="+",
        metavar="REFERENCE,CURRENT",
        help="only these pairs of sizes are run",
    )
    parser.add_argument("--cache", type=Path, default=cache_dir())
    arguments = parser.parse_args()
    machine = Machine.look()
    with ProcessPoolExecutor(machine.cpus, mp_context=get_context("spawn")) as pool:
        pairs = arguments.pairs or list(product(arguments.sizes, repeat=2))
        plain = _table(pool, PLAIN, pairs, arguments.checks)
        others = {kind.name: _table(pool, kind, SOME, arguments.checks) for kind in _others(arguments.cache)}
    document = {
        "benchmark": "false-alarms",
        "checks": arguments.checks,
        "threshold": 0.3,
        **_worst(plain),
        "plain": _json(plain),
    }
    document |= {name: _json(table) for name, table in others.items()}
    print(json.dumps(document | {"machine": machine.to_json()}))


def _pair(text: str) -> tuple[int, int]:
    reference, current = text.split(",")
    return int(reference), int(current)


def _others(cache: Path) -> Iterable[Kind]:
    yield from DRAWN
    try:
        yield flights(fetch_nycflights13(cache, say))
    except SetupError as error:
        say(f"left out: real columns ({error})")


def _table(
    pool: ProcessPoolExecutor, kind: Kind, sizes: Sequence[tuple[int, int]], checks: int
) -> list[Rates]:
    print(f"\n{kind.told}; {checks} checks without drift and {checks} with it\n{_HEAD}")
    found = []
    for each in pool.map(rates, [kind] * len(sizes), sizes, [checks] * len(sizes)):
        print(_line(each), flush=True)
        found.append(each)
    return found


def _line(found: Rates) -> str:
    detected = "-" if found.detected is None else f"{found.detected:.1%}"
    return (
        f"{found.reference_rows:>9,}{found.current_rows:>8,} | {found.false_alarms:>8.1%}"
        f"{found.inconclusive:>10.1%}{detected:>9}{found.inconclusive_with_drift:>12.1%} |"
        f"{found.evidently_false_alarms:>9.1%}{found.evidently_detected:>12.1%}"
    )


def _worst(found: Sequence[Rates]) -> dict[str, Any]:
    false_alarms = max(each.false_alarms for each in found)
    detected = min((each.detected for each in found if each.detected is not None), default=None)
    return {
        "mostFalseAlarms": round(false_alarms, 4),
        "leastDetected": None if detected is None else round(detected, 4),
        "targets": {
            "falseAlarms": false_alarms <= MOST_FALSE_ALARMS,
            "detected": detected is not None and detected >= LEAST_DETECTED,
        },
    }


def _json(found: Sequence[Rates]) -> list[dict[str, Any]]:
    return [each.to_json() for each in found]


if __name__ == "__main__":
    main()
