"""How long a sentence may be."""

from typing import Final

LONGEST_MESSAGE: Final = 960
"""Characters. An Event may have 1,024; four conditions and two reports of it stay well under 16 KiB."""


def shortened(text: str) -> str:
    """Return the text, or as much of it as a condition, an Event and a report may hold."""
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
