"""Measures what a profile of the reference saves a check, and what fetching it from MLflow costs.

References of several sizes, with and without columns of measurements (which the profile omits), as Parquet
and as CSV, are each checked three times without a profile and three times with one; the fastest counts.
The current data has 20,000 rows. MLflow's server runs on this machine. The last line is JSON.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pandas as pd

from selfheal_bench.check_request import check_request
from selfheal_bench.machine import Machine
from selfheal_jobs.check.run import keep_profile, look
from selfheal_jobs.reference_profile import opening
from selfheal_jobs.tracking.rest_client import reach
from selfheal_jobs.transport.retry_policy import STANDARD
from selfheal_operator.api.request import RunRequest
from testbed.mlflow_server import running_mlflow

CURRENT_ROWS: Final = 20_000
LONG_AGO: Final = 1_700_000_000
REQUESTS: Final = 30
TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One reference."""

    rows: int
    measured: int
    """Columns of measurements, beside ten of few values."""
    format: str
    megabytes: float
    seconds_without: float
    seconds_with: float
    seconds_to_keep: float
    profile_kilobytes: float


def table(rows: int, measured: int) -> pd.DataFrame:
    """Return five columns of words, five of whole numbers, and some of measurements."""
    random = np.random.default_rng(rows)
    words = {f"w{number}": random.choice(["alpha", "beta", "gamma"], size=rows) for number in range(5)}
    numbers = {f"n{number}": random.integers(0, 100, size=rows) for number in range(5)}
    measurements = {f"x{number}": random.normal(size=rows) for number in range(measured)}
    return pd.DataFrame(words | numbers | measurements)


def measure(folder: Path, rows: int, measured: int, kind: str) -> Result:
    """Look at one reference without a profile, and with one."""
    reference, current = folder / f"reference.{kind}", folder / "current.parquet"
    data = table(rows, measured)
    data.to_parquet(reference) if kind == "parquet" else data.to_csv(reference, index=False)
    table(CURRENT_ROWS, measured).to_parquet(current)
    os.utime(reference, (LONG_AGO, LONG_AGO))
    asked = RunRequest.from_wire(check_request(reference, current))
    without = min(_seconds(lambda: look(asked)) for _ in range(TRIES))
    seen = look(asked)
    keeping = _seconds(lambda: keep_profile(seen))
    with_it = min(_seconds(lambda: look(asked)) for _ in range(TRIES))
    (profile,) = folder.glob(".selfheal-*.profile")
    return Result(
        rows=rows,
        measured=measured,
        format=kind,
        megabytes=round(reference.stat().st_size / 1e6, 1),
        seconds_without=round(without, 3),
        seconds_with=round(with_it, 3),
        seconds_to_keep=round(keeping, 3),
        profile_kilobytes=round(profile.stat().st_size / 1e3, 1),
    )


def seconds_of_mlflow(root: Path) -> float:
    """Return the time of the two requests for a profile of 40 kB: the experiment, and the artifact."""
    with running_mlflow(root) as program:
        server = reach(program.uri, STANDARD)
        run = server.create_run(server.experiment_id("bench"), "bench", {})
        address = server.log_json(run, "profile.json", json.dumps("x" * 40_000))

        def ask() -> None:
            server.find_experiment("bench")
            server.artifact(address)

        return sorted(_seconds(ask) for _ in range(REQUESTS))[REQUESTS // 2]


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure all, and print a line for each."""
    parser = argparse.ArgumentParser(prog="make bench-reference-profile", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000, 1_000_000])
    arguments = parser.parse_args()
    machine, results = Machine.look(), []
    for rows in arguments.rows:
        for measured in (0, 2):
            for kind in ("parquet", "csv"):
                with (
                    patch.object(opening, "LEAST_BYTES", 0),  # what is below it is measured too
                    tempfile.TemporaryDirectory(prefix="selfheal-bench-") as folder,
                ):
                    result = measure(Path(folder), rows, measured, kind)
                print(
                    f"{result.rows:>9,} rows, 10 + {result.measured} columns, {result.format:>7} of "
                    f"{result.megabytes:5.1f} MB: {result.seconds_without:.3f} s without, "
                    f"{result.seconds_with:.3f} s with a profile of {result.profile_kilobytes:.0f} kB",
                    flush=True,
                )
                results.append(asdict(result))
    with tempfile.TemporaryDirectory(prefix="selfheal-bench-") as folder:
        requests = round(seconds_of_mlflow(Path(folder)), 4)
    print(f"Two requests to MLflow: {requests:.3f} s")
    about = {"mlflowSeconds": requests, "machine": machine.to_json()}
    print(json.dumps({"benchmark": "reference-profile", "results": results} | about))


if __name__ == "__main__":
    main()
