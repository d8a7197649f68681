"""The cost of a retraining as a whole process, beside a plain script with the same fits.

They take turns, and log to the same MLflow server.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from selfheal_bench.arena import say
from selfheal_bench.check.entrant import surroundings
from selfheal_bench.check.trial import STOPWATCH
from selfheal_bench.check.usage import Ratio, Usage, middle
from selfheal_bench.errors import BenchError
from selfheal_jobs.retrain.candidates import DEFAULTS
from selfheal_operator.api.names import ENV_REQUEST, ENV_TERMINATION_MESSAGE_PATH
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.request import MonitorRef
from testbed.mlflow_server import running_mlflow
from testbed.unwatched_monitor import UnwatchedMonitor

MOST: Final = 1.3
"""Target of both ratios."""
_LIMIT_SECONDS: Final = 7200
_PLAIN: Final = Path(__file__).with_name("plain_script.py")


@dataclass(frozen=True, kw_only=True)
class Size:
    """Tables, and the candidates that learn from them."""

    rows: int
    """Of the reference, and of the current data."""
    columns: int
    candidates: tuple[str, ...] = ()
    """By their names among the defaults; none: all of them."""


SIZES: Final = {
    "100,000 x 6": Size(rows=100_000, columns=6),
    "1,000,000 x 20, no forest": Size(rows=1_000_000, columns=20, candidates=("linear", "boosting")),
    "1,000,000 x 20": Size(rows=1_000_000, columns=20),
}


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Run both in turn, after one round with small tables that fills the caches of files.

    Raises:
        BenchError: One of them has failed.
    """
    size = SIZES[name]
    with tempfile.TemporaryDirectory(prefix="selfheal-cost-") as temporary:
        folder, server_folder = Path(temporary), Path(temporary) / "mlflow"
        server_folder.mkdir()
        tables = [_written(folder / f"{side}.parquet", size, seed) for seed, side in enumerate(("a", "b"))]
        small = [_written(folder / f"small-{side}.parquet", _SMALL, 5) for side in ("a", "b")]
        with running_mlflow(server_folder) as server:
            both = (_Contest(size, folder, server.uri, "ours"), _Contest(size, folder, server.uri, "plain"))
            for each in both:
                each.run(small)
            used: dict[str, list[Usage]] = {each.who: [] for each in both}
            for number in range(rounds):
                for each in both if number % 2 == 0 else reversed(both):
                    used[each.who].append(each.run(tables))
                    last = used[each.who][-1]
                    say(
                        f"{name}, {each.who}: {last.wall_seconds:.1f} s, CPU {last.cpu_seconds:.1f} s, "
                        f"{last.peak_mib:.0f} MiB"
                    )
    ratio = Ratio.of(used["ours"], used["plain"])
    reached = max(ratio.wall, ratio.memory) <= MOST
    say(
        f"{name}: {ratio.wall:.2f} of the wall time, {ratio.cpu:.2f} of the CPU time, {ratio.memory:.2f} of "
        f"the peak memory{'' if reached else ' MISSED'} (at most {MOST})"
    )
    medians = {who: asdict(middle(runs)) for who, runs in used.items()}
    return {"ratio": asdict(ratio), **medians, "rounds": rounds, "reached": reached}


_SMALL: Final = Size(rows=5_000, columns=6)
_WINNER: Final = "linear has f1_macro"
"""What both print of the candidate that they register."""


def _written(path: Path, size: Size, seed: int) -> Path:
    rng = np.random.default_rng([11, seed])
    rows = pd.DataFrame(rng.normal(size=(size.rows, size.columns))).rename(columns="x{}".format)
    # The truth is linear, so that both programs fit this candidate again: trees approximate it, and two kinds
    # of trees that are alike in score would let each program choose another one.
    tendency = rows.sum(axis=1) + rng.normal(0, 0.5, size.rows)
    rows.assign(label=(tendency > 0).astype(int)).to_parquet(path, index=False)
    return path


@dataclass(frozen=True)
class _Contest:
    size: Size
    folder: Path
    mlflow_uri: str
    who: str

    def run(self, tables: Sequence[Path]) -> Usage:
        """Run it once; raise BenchError if it fails or registers nothing."""
        stdout, stderr = self.folder / "stdout", self.folder / "stderr"
        name = f"{self.who}-{os.urandom(4).hex()}"
        stopwatch = [
            sys.executable,
            "-I",
            "-S",
            str(STOPWATCH),
            str(_LIMIT_SECONDS),
            str(stdout),
            str(stderr),
        ]
        path = os.environ.get("PYTHONPATH")
        environment = surroundings() | ({"PYTHONPATH": path} if path else {}) | self._settings(tables, name)
        command = [sys.executable, *self._arguments(tables, name)]
        measured = subprocess.run(
            [*stopwatch, *command], env=environment, capture_output=True, text=True, check=True
        )
        document = json.loads(measured.stdout)
        printed = stdout.read_text(errors="replace")
        if document["exitCode"] or (self.who == "ours" and '"Registered"' not in printed):
            raise BenchError(f"{self.who} has failed:\n{printed[-2000:]}\n{stderr.read_text()[-2000:]}")
        if _WINNER not in printed:
            raise BenchError(
                f"{self.who} has fitted another candidate again than {_WINNER}:\n{printed[-2000:]}"
            )
        return Usage.of_json(document)

    def _arguments(self, tables: Sequence[Path], name: str) -> list[str]:
        if self.who == "ours":
            return ["-m", "selfheal_jobs", "retrain"]
        return [str(_PLAIN), *map(str, tables), self.mlflow_uri, name, *self.size.candidates]

    def _settings(self, tables: Sequence[Path], name: str) -> dict[str, str]:
        if self.who != "ours":
            return {}
        ref = MonitorRef(namespace="bench", name=name, uid=name, generation=1)
        monitor = UnwatchedMonitor(ref=ref, model=name, mlflow_uri=self.mlflow_uri)
        chosen = [
            each.to_wire() for each in DEFAULTS[Task.CLASSIFICATION] if each.name in self.size.candidates
        ]
        spec = {
            "dataset": {side: {"uri": str(path)} for side, path in zip(_SIDES, tables, strict=True)},
            "target": "label",
            "threshold": 0.3,
            "intervalSeconds": 3600,
            "retraining": {"refit": True, "candidates": chosen},
        }
        return {
            ENV_REQUEST: monitor.request(Purpose.RETRAIN, spec, job_name=name).to_json(),
            ENV_TERMINATION_MESSAGE_PATH: str(self.folder / "termination-message"),
            "KUBECONFIG": "",
        }


_SIDES: Final = ("reference", "current")
