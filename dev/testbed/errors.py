"""What can go wrong, by who has to act.

* TestbedError
  * SetupError: something this machine or cluster lacks; the sentence says what to do about it.
  * ProgramFailedError: a program ended or never became ready; the end of its log is in the message.
"""

from pathlib import Path
from typing import Self

TAIL_LINES = 20


class TestbedError(Exception):
    """Anything that keeps a demo, a benchmark or a test from coming to its end."""


class SetupError(TestbedError):
    """Something that is needed is not there."""


class ProgramFailedError(TestbedError):
    """A program that was started here failed."""

    @classmethod
    def with_log(cls, sentence: str, log: Path) -> Self:
        """Say what failed, and show the end of its log."""
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        tail = lines[-TAIL_LINES:] or ["(nothing)"]
        return cls("\n".join([f"{sentence}; its log is {log} and ends with:", *tail]))
