"""How long a sentence may be."""

from typing import Final

LONGEST_MESSAGE: Final = 1024
"""Characters. As long as an Event may be; four conditions and two reports of it stay well under 16 KiB."""


def shortened(text: str) -> str:
    """Return the text, or as much of it as a condition, an Event and a report may hold."""
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
