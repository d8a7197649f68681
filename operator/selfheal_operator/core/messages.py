"""How long a sentence may be."""

from typing import Final

LONGEST_MESSAGE: Final = 768
"""Bytes of UTF-8. Shorter than an Event may be; four conditions and two reports stay under 16 KiB."""


def shortened(text: str) -> str:
    """Return the text, or as much of it as a condition, an Event and a report may hold."""
    written = text.encode()
    if len(written) <= LONGEST_MESSAGE:
        return text
    return written[: LONGEST_MESSAGE - len("…".encode())].decode(errors="ignore") + "…"
