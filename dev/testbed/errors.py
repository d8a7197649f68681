"""Errors, by who must act.

* TestbedError
  * SetupError: something this machine or cluster lacks; the sentence says what to do about it.
  * ProgramFailedError: a program ended or never became ready; the end of its log is in the message.
"""

from pathlib import Path
from typing import Self

TAIL_LINES = 20


class TestbedError(Exception):
    """Any error that stops a demo, a benchmark or a test."""


class SetupError(TestbedError):
    """A prerequisite is missing."""


class ProgramFailedError(TestbedError):
    """A program that was started here failed."""

    @classmethod
    def with_log(cls, sentence: str, log: Path) -> Self:
        """Return an error with the sentence and the end of the log."""
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        tail = lines[-TAIL_LINES:] or ["(nothing)"]
        return cls("\n".join([f"{sentence}; its log is {log} and ends with:", *tail]))
