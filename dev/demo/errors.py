"""What can go wrong, by who has to act.

* DemoError
  * SetupError: something this machine or cluster lacks; the sentence says what to do about it.
  * PieceFailedError: a program of the demo ended or never became ready; the end of its log is in the message.
  * TooLateError: everything runs, but the story did not come to its end in time.
"""

from pathlib import Path
from typing import Self

TAIL_LINES = 20


class DemoError(Exception):
    """Anything that keeps the demo from coming to its end."""


class SetupError(DemoError):
    """Something that the demo needs is not there."""


class PieceFailedError(DemoError):
    """A program that the demo started failed."""

    @classmethod
    def with_log(cls, sentence: str, log: Path) -> Self:
        """Say what failed, and show the end of its log."""
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        tail = lines[-TAIL_LINES:] or ["(nothing)"]
        return cls("\n".join([f"{sentence}; its log is {log} and ends with:", *tail]))


class TooLateError(DemoError):
    """The deadline of the story has passed."""
