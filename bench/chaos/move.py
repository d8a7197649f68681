"""The record of one move of an alias."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOVES: Final = "moves.jsonl"
"""The file of moved aliases, in the folder of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An alias was moved, or deleted."""

    model: str
    before: str | None
    """The version that the alias was on; None if there was no such alias."""
    after: str | None
    """The version that it is on since; None if it was deleted."""
    uid: str = ""
    """Of the monitor, if a promotion has moved it; empty for a person."""
    job: str = ""
    decided: str = ""
    """The time of the decision that the promotion was started for."""
    overtook: bool = False
    """Whether a person has moved it between the promotion's last look and its set."""


def moves_in(file: Path) -> list[Move]:
    """Read what was moved, in order; nothing where there is no such file."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [Move(**json.loads(line)) for line in lines]
