"""The length limit of messages."""

from typing import Final

LONGEST_MESSAGE: Final = 512
"""In bytes of UTF-8. Below an Event's limit; six conditions and three reports stay under 16 KiB."""


def shortened(text: str) -> str:
    """Truncate the text to what a condition, an Event and a report may hold."""
    written = text.encode()
    if len(written) <= LONGEST_MESSAGE:
        return text
    return written[: LONGEST_MESSAGE - len("…".encode())].decode(errors="ignore") + "…"
