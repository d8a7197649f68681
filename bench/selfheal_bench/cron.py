"""Measures how long our cron takes to find the next slot, which is done at every reconciliation.

The start times are random over a year, with a fixed seed. The result is the CPU time of the fastest of
several rounds, to exclude other load on the machine.
"""

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from selfheal_operator.core.cron import parse

ZONES: Final = ("UTC", "Europe/Berlin", "Australia/Lord_Howe")
EXPRESSIONS: Final = (
    "* * * * *",
    "*/5 * * * *",
    "17 * * * *",
    "0 */6 * * *",
    "0 3 * * *",
    "0 3 * * 1",
    "0 3 1 * *",
    "0 0 13 * 5",
    "0 0 1 1 *",
    "0 0 29 2 *",
)
MOMENTS: Final = 500
ROUNDS: Final = 15
YEAR_MINUTES: Final = 365 * 24 * 60


def main() -> None:
    """Measure, and print microseconds per call."""
    print(f"Microseconds of CPU per call, over {MOMENTS} moments of 2026; the best of {ROUNDS} rounds.\n")
    print(f"{'next_after':12}" + "".join(f"{zone:>22}" for zone in ZONES) + f"{'parse':>10}")
    measured = {}
    for expression in EXPRESSIONS:
        figures = {zone: _next_after(expression, zone) for zone in ZONES}
        figures["parse"] = _microseconds(partial(parse, expression), MOMENTS)
        zones = "".join(f"{figures[zone]:22.1f}" for zone in ZONES)
        print(f"{expression:12}{zones}{figures['parse']:10.1f}", flush=True)
        measured[expression] = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({"microsecondsPerCall": measured}))


def _next_after(expression: str, zone_name: str) -> float:
    cron, zone = parse(expression), ZoneInfo(zone_name)
    choose = random.Random(0)  # noqa: S311 - the same moments in every run are wanted
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [
        begin + timedelta(minutes=choose.randrange(YEAR_MINUTES), seconds=choose.randrange(60))
        for _ in range(MOMENTS)
    ]

    def ask() -> None:
        for moment in moments:
            cron.next_after(moment, zone)

    return _microseconds(ask, 1) / MOMENTS


def _microseconds(call: Callable[[], object], times: int) -> float:
    fastest = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(times):
            call()
        fastest = min(fastest, (time.thread_time() - began) / times)
    return fastest * 1e6


if __name__ == "__main__":
    main()
