"""One process that retrains on many inputs, one after the other, and writes a line about each.

It prints the number of each input before the retraining, so that the parent knows which input killed it.
"""

import io
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fuzzretrain.inputs import TARGET, Input, Kind
from fuzzretrain.kinds_of_champions import KINDS as OF_CHAMPIONS
from fuzzretrain.kinds_of_columns import KINDS as OF_COLUMNS
from fuzzretrain.kinds_of_recipes import KINDS as OF_RECIPES
from fuzzretrain.kinds_of_tables import KINDS as OF_TABLES
from fuzzretrain.kinds_of_targets import KINDS as OF_TARGETS
from fuzzretrain.kinds_of_targets import KINDS_OF_DELIVERY
from fuzzretrain.monitor import FuzzMonitor, saved
from fuzzretrain.promises import broken_promises, broken_registry, registered
from fuzzretrain.serving import refused_requests
from selfheal_operator.api.report import RetrainReport

KINDS: Final[tuple[Kind, ...]] = (
    *OF_COLUMNS,
    *OF_TARGETS,
    *KINDS_OF_DELIVERY,
    *OF_TABLES,
    *OF_RECIPES,
    *OF_CHAMPIONS,
)

_SECONDS: Final = 120
"""For one input. Then the process is killed, and that is a finding."""

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def kind_of(number: int) -> Kind:
    """Return the kind of an input: all of them come equally often."""
    return KINDS[number % len(KINDS)]


def retrain(
    number: int, seed: int, folder: Path, mlflow_uri: str
) -> tuple[list[RetrainReport], str, list[str]]:
    """Retrain on one input; return the reports, what was printed, and which promises were broken."""
    kind = kind_of(number)
    given = kind.make(np.random.default_rng([seed, number]))
    monitor = FuzzMonitor(mlflow_uri=mlflow_uri, folder=folder, seed=number)
    printed, reports, broken = io.StringIO(), list[RetrainReport](), list[str]()
    if given.champion is not None:
        with _captured(io.StringIO()):
            given.champion(monitor)
    before = monitor.versions()
    try:
        with _captured(printed):
            reports = monitor.retrained(given)
    except BaseException as error:  # noqa: BLE001  nothing may escape, not even SystemExit
        broken.append(f"raises {type(error).__name__}: {error!s:.300}")
    broken += broken_promises(kind, reports, printed.getvalue())
    broken += broken_registry(before, monitor.versions(), reports)
    broken += _not_served(given, monitor, reports)
    return reports, printed.getvalue(), broken


def _not_served(given: Input, monitor: FuzzMonitor, reports: Iterable[RetrainReport]) -> Iterator[str]:
    for each in reports:
        if (made := registered(each)) is not None:
            path = saved(given.current, monitor.folder / "asked", as_csv=given.as_csv)
            rows = pd.read_csv(path) if given.as_csv else pd.read_parquet(path)
            target = str(given.spec.get("target", TARGET))
            asked = rows.drop(columns=[target], errors="ignore")
            yield from refused_requests(f"models:/{monitor.name}/{made.version}", asked)


@contextmanager
def _captured(printed: io.StringIO) -> Iterator[None]:
    handler = logging.StreamHandler(printed)
    logging.getLogger().addHandler(handler)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        logging.getLogger().removeHandler(handler)


def work(numbers: Iterable[int], seed: int, mlflow_uri: str) -> None:
    """Retrain on inputs, and write a line of JSON before each and after it."""
    out = sys.stdout
    logging.getLogger("selfheal_jobs").setLevel(logging.INFO)
    for number in numbers:
        out.write(json.dumps({"begins": number}) + "\n")
        out.flush()
        signal.alarm(_SECONDS)
        with tempfile.TemporaryDirectory(prefix="selfheal-fuzz-") as folder:
            reports, _, broken = retrain(number, seed, Path(folder), mlflow_uri)
        signal.alarm(0)
        said = reports[0].last_retraining if reports else None
        line = {
            "ends": number,
            "result": said.result if said else "None",
            "reason": said.reason if said else "None",
            "message": said.message if said else "",
            "broken": broken,
        }
        out.write(json.dumps(line) + "\n")
        out.flush()


if __name__ == "__main__":
    os.environ.update(QUIET)
    first, end, step, given_seed = map(int, sys.argv[1:5])
    work(range(first, end, step), given_seed, sys.argv[5])
