"""One run of one entrant, and what it took."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from selfheal_bench.check.entrant import Entrant, UnfitRunError
from selfheal_bench.check.tables import Tables
from selfheal_bench.check.usage import Usage

STOPWATCH: Final = Path(__file__).with_name("stopwatch.py")


def run(entrant: Entrant, tables: Tables, folder: Path, *, limit_seconds: float) -> tuple[Usage, int]:
    """Run it once; return what it took, and how many columns have drifted by it.

    Args:
        entrant: What is run.
        tables: What it compares.
        folder: Where it is run, and where its output is kept until the next run.
        limit_seconds: When it is killed.

    Raises:
        UnfitRunError: It failed, was killed, or has not compared all columns.
    """
    stdout, stderr = folder / "stdout", folder / "stderr"
    command = [sys.executable, "-I", "-S", str(STOPWATCH), str(limit_seconds), str(stdout), str(stderr)]
    measured = _output([*command, *entrant.command(tables)], entrant.environment(tables), folder)
    if not measured:
        raise UnfitRunError("it could not be started, or the machine ran out of memory")
    document = json.loads(measured)
    usage = Usage.of_json(document)
    if document["exitCode"] != 0:
        if usage.wall_seconds >= limit_seconds:
            raise UnfitRunError(f"it took longer than {limit_seconds:g} s and was stopped")
        last = (stderr.read_text(errors="replace").strip().splitlines() or ["no word"])[-1]
        raise UnfitRunError(f"it ended with exit code {document['exitCode']}: {last[:300]}")
    return usage, entrant.verify(tables, stdout.read_text(errors="replace"))


def _output(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run the stopwatch. Where we are interrupted it is asked to end, and ends what it has started."""
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            return process.communicate()[0]
        except BaseException:
            process.terminate()
            process.wait()
            raise
