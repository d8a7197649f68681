"""Asks robfig/cron, the library that Kubernetes' CronJob uses, when a CronJob would run."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from crondiff.timezones import FOLDER
from localcluster.binaries import cache_dir
from localcluster.errors import BuildError, LocalClusterError
from localcluster.gotoolchain import go_command, go_environment

MODULE: Final = Path(__file__).parent / "robfig"


class RefusedError(ValueError):
    """Kubernetes does not take a CronJob with this schedule; the message is its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which are the slots of a schedule in (after, until]? All times are Unix seconds."""

    schedule: str
    time_zone: str
    after: int
    until: int


class Robfig:
    """A running program that answers questions, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def slots(self, question: Question) -> list[int]:
        """Return the slots, from each to the next as the CronJob controller goes.

        Raises:
            RefusedError: if there is no such CronJob.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the program has to be started with pipes")
        wire = {
            "schedule": question.schedule,
            "timeZone": question.time_zone,
            "after": question.after,
            "until": question.until,
        }
        stdin.write(json.dumps(wire) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise LocalClusterError("the Go program has ended; what it said is on standard error")
        answer = json.loads(line)
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        slots: list[int] = answer["slots"]
        return slots


@contextmanager
def robfig(say: Callable[[str], None]) -> Iterator[Robfig]:
    """Build the program in this directory's `robfig/`, and run it during the block.

    Go installs itself where there is none; built once, it is built again in less than a second.
    """
    with TemporaryDirectory() as folder:
        program = Path(folder) / "robfig"
        _build(program, say)
        # Go looks there first: so both sides read the same files.
        env = {**go_environment(), "ZONEINFO": str(FOLDER)}
        with subprocess.Popen(
            [program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Robfig(process)
            finally:
                process.kill()


def _build(program: Path, say: Callable[[str], None]) -> None:
    command = [go_command(cache_dir(), say), "build", "-mod=readonly", "-trimpath", "-o", str(program), "."]
    built = subprocess.run(
        command, cwd=MODULE, env=go_environment(), capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        raise BuildError(f"go build of {MODULE} failed:\n{built.stderr[-2000:]}")
