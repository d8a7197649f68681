"""One process that checks many inputs, one after the other, and writes a line about each.

It prints the number of each input before the check, so that the parent knows which input killed it.
"""

import io
import json
import logging
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from fuzzdata.inputs import Kind, table
from fuzzdata.kinds_of_csv import KINDS as OF_CSV
from fuzzdata.kinds_of_meaning import KINDS as OF_MEANING
from fuzzdata.kinds_of_parquet import KINDS as OF_PARQUET
from fuzzdata.promises import SECRET, broken_promises
from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.names import ENV_PREFIX_CURRENT
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

KINDS: Final = (*OF_CSV, *OF_PARQUET, *OF_MEANING)

_SECONDS: Final = 60
"""For one input. Then the process is killed, and that is a finding."""
_MEMORY: Final = 6 << 30
"""Of addresses, most of which are never used."""
_SLOT: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
_QUALITIES: Final = (
    "null_share",
    "new_categories",
    "out_of_range",
    "duplicated_rows",
    "constant_columns",
    "row_count",
)
_SIGNALS: Final = [
    *(
        {
            "name": each.replace("_", "-"),
            "type": "DataQuality",
            "dataQuality": {"metric": each, "maxValue": 0.5},
        }
        for each in _QUALITIES
    ),
    {"name": "f1", "type": "Performance", "performance": {"metric": "f1_macro", "minValue": 0.1}},
    {"name": "roc", "type": "Performance", "performance": {"metric": "roc_auc", "minValue": 0.1}},
    {"name": "predictions", "type": "PredictionDrift"},
    {"name": "labels", "type": "TargetDrift"},
]


def kind_of(number: int) -> Kind:
    """Return the kind of an input: all of them come equally often."""
    return KINDS[number % len(KINDS)]


def check(number: int, seed: int, folder: Path) -> tuple[CheckReport, str, list[str]]:
    """Check one input, and return the report, what was printed, and which promises were broken."""
    random = np.random.default_rng([seed, number])
    kind = kind_of(number)
    table(random).to_parquet(folder / "reference.parquet", index=False)
    name = kind.write(folder, random)
    request = _request(
        folder,
        name,
        with_signals=number // len(KINDS) % 2 == 0,
        beside=kind.spec(folder) if kind.spec is not None else {},
    )
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    logging.getLogger().addHandler(handler)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            report = report_of(request, look(request), started=_SLOT, completed=_SLOT)
    finally:
        logging.getLogger().removeHandler(handler)
    broken = list(broken_promises(kind, report, printed.getvalue()))
    return report, printed.getvalue(), broken + list(kind.wrong(folder, report) if kind.wrong else ())


def _request(folder: Path, name: str, *, with_signals: bool, beside: dict[str, Any]) -> RunRequest:
    dataset = {
        "reference": {"uri": str(folder / "reference.parquet")},
        "current": {"uri": str(folder / name)},
        "columns": {"prediction": "score"},
    }
    spec: dict[str, Any] = {
        "target": "label",
        "retraining": {"mode": "Disabled"},  # which needs no target in the data
        "threshold": 0.3,
        "intervalSeconds": 60,
        "signals": _SIGNALS if with_signals else [],
        **beside,
        "dataset": dataset | beside.get("dataset", {}),
    }
    return RunRequest(
        purpose=Purpose.CHECK,
        monitor=MonitorRef(namespace="team-a", name="churn", uid="uid-1", generation=1),
        job_name="churn-check-1",
        slot=_SLOT,
        spec=ModelMonitorSpec.from_wire(spec),
        mlflow=TrackingTarget.from_wire(
            {"trackingURI": "http://127.0.0.1:9", "experiment": "e", "registeredModelName": "m"}
        ),
    )


def work(numbers: Iterable[int], seed: int) -> None:
    """Check inputs, and write a line of JSON before each and after it."""
    out = sys.stdout
    logging.getLogger("selfheal_jobs").setLevel(logging.INFO)
    os.environ[f"{ENV_PREFIX_CURRENT}AWS_SECRET_ACCESS_KEY"] = SECRET
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    for number in numbers:
        out.write(json.dumps({"begins": number}) + "\n")
        out.flush()
        signal.alarm(_SECONDS)
        with tempfile.TemporaryDirectory(prefix="selfheal-fuzz-") as folder:
            report, _, broken = check(number, seed, Path(folder))
        signal.alarm(0)
        said = report.last_check
        line = {"ends": number, "result": said.result, "reason": said.reason, "broken": broken}
        out.write(json.dumps(line) + "\n")
        out.flush()


if __name__ == "__main__":
    first, end, given_seed = map(int, sys.argv[1:])
    work(range(first, end), given_seed)
