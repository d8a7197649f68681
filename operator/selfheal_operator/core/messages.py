"""The length limit of messages."""

from typing import Final

LONGEST_MESSAGE: Final = 512
"""In bytes of UTF-8. Below an Event's limit; six conditions and three reports stay under 16 KiB."""


def shortened(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Truncate the text to what a condition, an Event and a report may hold, or to `limit` bytes."""
    written = text.encode()
    if len(written) <= limit:
        return text
    return written[: limit - len("…".encode())].decode(errors="ignore") + "…"
