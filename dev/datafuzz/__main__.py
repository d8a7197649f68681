"""`python -m datafuzz`: put hostile data to the check, and see that each ends in a result with a sentence.

Input N is the same every time; `--only N` repeats one, and prints what became of it. A process that dies, a
defect, a verdict from garbage and a secret that shows are failures. JSON is the last line.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from datafuzz.inputs import KINDS, Hostile, Maker, table

SECRET: Final = "hush-hush-hush"  # noqa: S105  it is there to be looked for
PER_PROCESS: Final = 250
SECONDS: Final = 60
"""After which an input counts as one that the check waits for in vain."""


def main() -> None:
    """Run all, or one."""
    parser = argparse.ArgumentParser(prog="make fuzz-data", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="how many inputs (default: %(default)s)")
    parser.add_argument("--only", type=int, help="repeat one input, by its number")
    parser.add_argument("--from", dest="first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only is not None:
        for outcome in outcomes(arguments.only, 1):
            print(json.dumps(outcome, indent=1))
    elif arguments.child:
        for outcome in outcomes(arguments.first, arguments.count):
            print(json.dumps(outcome), flush=True)
    else:
        raise SystemExit(_run_all(arguments.count))


def outcomes(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield what the check makes of each input."""
    os.environ["SELFHEAL_CURRENT_AWS_SECRET_ACCESS_KEY"] = SECRET
    for number in range(first, first + count):
        with tempfile.TemporaryDirectory(prefix="selfheal-fuzz-") as folder:
            yield outcome(number, Path(folder))


def outcome(number: int, folder: Path) -> dict[str, Any]:
    """Return what the check makes of one input, and what is wrong with that."""
    from selfheal_jobs.check import look, report_of  # noqa: PLC0415  the parent needs none of it

    random = np.random.default_rng(number)
    reference, current = folder / "reference.parquet", folder / "current"
    pq.write_table(table(random), reference)
    current.mkdir()
    kind = sorted(KINDS)[number % len(KINDS)]
    hostile = KINDS[kind](Maker(current, random))
    request = _request(str(reference), hostile, random)
    said = report_of(request, look(request), started=request.slot, completed=request.slot).last_check
    found = {
        "number": number,
        "kind": kind,
        "result": said.result,
        "reason": said.reason,
        "sentence": said.message,
    }
    return found | {"wrong": _wrong(hostile, found)}


def _request(reference: str, hostile: Hostile, random: np.random.Generator) -> Any:
    from selfheal_operator.api.request import RunRequest  # noqa: PLC0415

    current = {"uri": hostile.uri} | ({"format": hostile.format} if hostile.format else {})
    sampled = {"maxRows": 1000} if random.random() < 0.3 else {}
    windowed = {"window": {"timestampColumn": "n", "lookbackSeconds": 60}} if random.random() < 0.1 else {}
    dataset = {"reference": {"uri": reference}, "current": current} | sampled | windowed
    spec = {"dataset": dataset, "target": "label", "threshold": 0.3, "intervalSeconds": 60}
    return RunRequest.model_validate(
        {
            "purpose": "Check",
            "monitor": {"namespace": "fuzz", "name": "data", "uid": "fuzz", "generation": 1},
            "jobName": "data-check-1",
            "slot": "2026-11-23T06:00:00Z",
            "spec": spec,
            "mlflow": {"trackingURI": "http://127.0.0.1:9", "experiment": "f", "registeredModelName": "f"},
        }
    )


def _wrong(hostile: Hostile, found: dict[str, Any]) -> str:
    if found["reason"] == "CheckFailed":
        return "a defect"
    if hostile.garbage and found["result"] in {"Drift", "NoDrift", "Warning"}:
        return "a verdict from garbage"
    if not found["sentence"].strip() or not found["sentence"].isprintable():
        return "no sentence"
    return "a secret shows" if SECRET in found["sentence"] else ""


def _run_all(count: int) -> int:
    results: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    number = 0
    while number < count:
        told = _run_child(number, min(PER_PROCESS, count - number))
        for each in told:
            results[f"{each['result']} {each['reason']}".strip()] += 1
            if each["wrong"]:
                failures.append(each)
                print(
                    f"input {each['number']} ({each['kind']}): {each['wrong']}: {each['sentence'][:200]}",
                    flush=True,
                )
        number += len(told)
        print(f"{number} of {count} inputs, {len(failures)} failures", flush=True)
    for words, times in results.most_common():
        print(f"{times:6} {words}")
    print(json.dumps({"fuzz": "data", "inputs": count, "results": results, "failures": failures[:20]}))
    return 1 if failures else 0


def _run_child(first: int, count: int) -> list[dict[str, Any]]:
    """Return what the process told; where it died or hung, its last input counts as a failure."""
    command = [sys.executable, "-m", "datafuzz", "--child", "--from", str(first), "--count", str(count)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = run.communicate(timeout=SECONDS + count)
        end = f"the process died ({run.returncode}): {errors[-300:]}"
    except subprocess.TimeoutExpired:
        run.kill()
        output, errors = run.communicate()
        end = "the check waits in vain"
    told = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if SECRET in errors:
        told[-1]["wrong"] = "a secret is in the log"
    if len(told) < count:
        number = first + len(told)
        kind = sorted(KINDS)[number % len(KINDS)]
        dead = {"number": number, "kind": kind, "result": "", "reason": "", "sentence": "", "wrong": end}
        told.append(dead)
    return told


if __name__ == "__main__":
    main()
