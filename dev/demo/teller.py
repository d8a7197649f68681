"""Prints the story, one line per event, with the time since the demo began."""

import sys
import time

NAME_WIDTH = 16


class Teller:
    """Writes to standard output at once, so that a pipe sees it as it happens."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, sentence: str) -> None:
        """Tell something about the demo itself."""
        self.tell("", sentence)

    def tell(self, monitor: str, sentence: str) -> None:
        """Tell something about one monitor."""
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        subject = f"{monitor:{NAME_WIDTH}} " if monitor else ""
        print(f"{minutes:3}:{seconds:02}  {subject}{sentence}", flush=True)

    def show(self, title: str, text: str) -> None:
        """Show a block as it is, for example a table."""
        print(f"\n{title}\n{text.rstrip()}\n", flush=True)


def fail(sentence: str) -> None:
    """Tell what went wrong."""
    print(f"demo: {sentence}", file=sys.stderr, flush=True)
