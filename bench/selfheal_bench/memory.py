"""Runs a check of data ten times larger than its memory, in a memory cgroup like a container's.

Both sides are folders of Parquet. The kernel counts memory as for a container, including the page cache, and
kills the check if it needs more. Needs root, for the cgroup. The last line is JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from selfheal_bench.check_request import check_request

FILE_ROWS: Final = 400_000
COLUMNS: Final = 20
V1: Final = Path("/sys/fs/cgroup/memory")
V2: Final = Path("/sys/fs/cgroup")
CHECK: Final = """
import json, sys
from selfheal_jobs.check import look
from selfheal_operator.api.request import RunRequest
seen = look(RunRequest.from_json(sys.argv[1]))
share = None if seen.comparison is None else seen.comparison.share
rows = None if seen.rows is None else seen.rows.to_wire()
print(json.dumps({"problem": seen.problem and str(seen.problem), "driftShare": share, "rows": rows}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one check."""

    max_rows: int
    limit_mib: int
    data_mib: int
    """Of each side."""
    seconds: float
    exit_code: int
    out_of_memory: bool
    told: Any
    """The check's output, if it was not killed."""


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A memory cgroup of either version."""

    folder: Path
    version: int

    def limit(self, mib: int) -> None:
        """Set the limit, and allow no swap beyond it."""
        if self.version == 2:
            (self.folder / "memory.max").write_text(str(mib << 20))
            _if_there(self.folder / "memory.swap.max", "0")
        else:
            (self.folder / "memory.limit_in_bytes").write_text(str(mib << 20))
            _if_there(self.folder / "memory.memsw.limit_in_bytes", str(mib << 20))

    def kills(self) -> int:
        """Return how many processes the kernel has killed in it."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        facts = dict(line.split() for line in (self.folder / name).read_text().splitlines())
        return int(facts.get("oom_kill", 0))

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        enter = f'echo $$ > {self.folder / "cgroup.procs"} && exec "$@"'
        shell = ["/bin/sh", "-c", enter, "sh", *command]
        return subprocess.run(shell, capture_output=True, text=True, check=False)


def _if_there(path: Path, text: str) -> None:
    if path.exists():
        path.write_text(text)


@contextmanager
def cgroup() -> Iterator[Cgroup]:
    """Make a cgroup, and remove it."""
    version = 1 if V1.is_dir() else 2
    folder = (V1 if version == 1 else V2) / f"selfheal-bench-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise SystemExit(f"bench-memory: no cgroup can be made ({error}); run it as root") from error
    try:
        if version == 2 and not (folder / "memory.max").exists():
            raise SystemExit("bench-memory: the memory controller is not enabled for cgroups of this machine")
        yield Cgroup(folder, version)
    finally:
        folder.rmdir()


def write_data(folder: Path, mib: int) -> int:
    """Fill a folder with at least `mib` of Parquet, as hard links to one file; return the size."""
    folder.mkdir()
    random = np.random.default_rng(0)
    table = pa.table({f"c{number}": random.normal(size=FILE_ROWS) for number in range(COLUMNS)})
    first = folder / "part-0000.parquet"
    pq.write_table(table, first, compression="none", use_dictionary=False)
    size = first.stat().st_size
    count = -(-(mib << 20) // size)
    for number in range(1, count):
        os.link(first, folder / f"part-{number:04}.parquet")
    return count * size >> 20


def measure(group: Cgroup, data: Path, data_mib: int, *, limit_mib: int, max_rows: int) -> Result:
    """Check once."""
    kills, began = group.kills(), time.monotonic()
    run = group.run([sys.executable, "-c", CHECK, json.dumps(check_request(data, data, maxRows=max_rows))])
    seconds = time.monotonic() - began
    told = json.loads(run.stdout.splitlines()[-1]) if run.returncode == 0 else run.stderr[-500:]
    return Result(
        max_rows=max_rows,
        limit_mib=limit_mib,
        data_mib=data_mib,
        seconds=round(seconds, 1),
        exit_code=run.returncode,
        out_of_memory=group.kills() > kills,
        told=told,
    )


def main() -> None:
    """Measure each maxRows, and print a line for each."""
    parser = argparse.ArgumentParser(prog="make bench-memory", description=__doc__)
    parser.add_argument("--limit-mib", type=int, default=256, help="of the cgroup (default: %(default)s)")
    parser.add_argument("--times", type=int, default=10, help="data per limit (default: %(default)s)")
    parser.add_argument("--max-rows", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="selfheal-bench-") as folder, cgroup() as group:
        data = Path(folder) / "data"
        data_mib = write_data(data, arguments.times * arguments.limit_mib)
        group.limit(arguments.limit_mib)
        for max_rows in arguments.max_rows:
            result = measure(group, data, data_mib, limit_mib=arguments.limit_mib, max_rows=max_rows)
            verdict = "out of memory" if result.out_of_memory else result.told
            print(
                f"{result.data_mib} MiB a side in {result.limit_mib} MiB, {max_rows} rows: {verdict}",
                flush=True,
            )
            results.append(asdict(result))
    print(json.dumps({"benchmark": "memory", "results": results}))


if __name__ == "__main__":
    main()
