"""`python -m fuzzdata`: 3,000 malformed, hostile or misleading inputs, each through a whole check.

Prints a table by kind, and JSON as the last line. Exits with 1 if a promise was broken.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from fuzzdata.worker import KINDS, kind_of


def main() -> int:
    """Check all inputs, and return the exit code."""
    parser = argparse.ArgumentParser(prog="fuzzdata", description=__doc__)
    parser.add_argument("--inputs", type=int, default=len(KINDS) * 29, help="default: 29 of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    results: dict[str, Counter[str]] = defaultdict(Counter)
    violations: list[dict[str, Any]] = []
    for line in _checked(options.inputs, options.seed):
        kind = kind_of(line["ends"]).name
        results[kind][f"{line['result']}/{line['reason']}"] += 1
        violations += [{"input": line["ends"], "kind": kind, "what": what} for what in line["broken"]]
    for kind in (each.name for each in KINDS):
        said = ", ".join(f"{count} {result}" for result, count in results[kind].most_common())
        sys.stdout.write(f"{kind:<45} {said}\n")
    for each in violations:
        sys.stdout.write(f"BROKEN: input {each['input']} ({each['kind']}) {each['what']}\n")
    summary = {
        "inputs": sum(sum(counts.values()) for counts in results.values()),
        "kinds": len(KINDS),
        "seed": options.seed,
        "violations": len(violations),
        "results": dict(
            Counter(key.partition("/")[0] for counts in results.values() for key in counts.elements())
        ),
        "seconds": round(time.monotonic() - started, 1),
    }
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if violations else 0


def _checked(inputs: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what came of each input; of one that killed its process, that."""
    number = 0
    while number < inputs:
        command = [sys.executable, "-m", "fuzzdata.worker", str(number), str(inputs), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            begun = number - 1
            for text in worker.stdout or ():
                line = json.loads(text)
                if "begins" in line:
                    begun = line["begins"]
                else:
                    number = line["ends"] + 1
                    yield line
        if begun >= number or worker.returncode != 0:
            number = max(begun, number)
            how = f"killed the check (exit code {worker.returncode})"
            yield {"ends": number, "result": "None", "reason": "None", "broken": [how]}
            number += 1


if __name__ == "__main__":
    sys.exit(main())
