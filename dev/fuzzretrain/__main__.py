"""`python -m fuzzretrain`: hostile tables, specs and champions, each through a whole retraining.

Prints a table by kind, and JSON as the last line. Exits with 1 if a promise was broken.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import joblib

from fuzzretrain.worker import KINDS, kind_of
from testbed.mlflow_server import running_mlflow


def main() -> int:
    """Retrain on all inputs, and return the exit code."""
    parser = argparse.ArgumentParser(prog="fuzzretrain", description=__doc__)
    parser.add_argument("--inputs", type=int, default=len(KINDS) * 4, help="default: 4 of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=joblib.cpu_count())
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server must not outlive this process
    print(f"seed {options.seed}: inputs {options.first} to {options.first + options.inputs - 1}", flush=True)
    started = time.monotonic()
    lines = list(_retrained(options))
    for kind in (each.name for each in KINDS):
        said = Counter(f"{each['result']}/{each['reason']}" for each in _of(kind, lines))
        print(f"{kind:<45} {', '.join(f'{count} {result}' for result, count in said.most_common())}")
    violations = sum(len(each["broken"]) for each in lines)
    summary = {
        "inputs": len(lines),
        "kinds": len(KINDS),
        "seed": options.seed,
        "violations": violations,
        "results": dict(Counter(each["result"] for each in lines)),
        "reasons": dict(Counter(each["reason"] for each in lines)),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(summary))
    return 1 if violations else 0


def _of(kind: str, lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (each for each in lines if kind_of(each["ends"]).name == kind)


def _retrained(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what came of each input, by several processes on one MLflow server."""
    with (
        tempfile.TemporaryDirectory(prefix="selfheal-fuzz-mlflow-") as root,
        running_mlflow(Path(root)) as server,
        ThreadPoolExecutor(options.processes) as pool,
    ):
        yield from chain.from_iterable(
            pool.map(
                lambda place: [_told(each) for each in _of_process(place, options, server.uri)],
                range(options.processes),
            )
        )


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """Print at once what is broken: the rest takes minutes."""
    for what in line["broken"]:
        print(f"BROKEN: input {line['ends']} ({kind_of(line['ends']).name}) {what}", flush=True)
    return line


def _of_process(place: int, options: argparse.Namespace, mlflow_uri: str) -> Iterator[dict[str, Any]]:
    """Yield what came of every n-th input; of one that killed its process, that."""
    number, end, step = options.first + place, options.first + options.inputs, options.processes
    while number < end:
        numbers = map(str, (number, end, step, options.seed))
        command = [sys.executable, "-m", "fuzzretrain.worker", *numbers, mlflow_uri]
        begun = None
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            for text in worker.stdout or ():
                line = json.loads(text)
                begun = line.get("begins")
                if "ends" in line:
                    number = line["ends"] + step
                    yield line
        if begun is not None or worker.returncode != 0:
            how = f"killed the retraining (exit code {worker.returncode})"
            yield {"ends": number, "result": "None", "reason": "None", "broken": [how]}
            number += step


if __name__ == "__main__":
    sys.exit(main())
