"""Log lines: constant text, then fields as name=value."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """Appends the fields passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        fields = {name: value for name, value in fields.items() if not name.startswith(("k8s_", "settings"))}
        return " ".join([super().format(record), *(f"{name}={value!r}" for name, value in fields.items())])


class Seldom(logging.Filter):
    """Passes one line a minute: a line per retry would hide all other lines during an outage.

    Args:
        clock: A monotonic clock, in seconds.
    """

    SECONDS: Final = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next = clock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the line."""
        del record
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self.SECONDS
        return True


def configure_logging(level: str) -> None:
    """Log to standard error, at `level` and above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # one line per event otherwise
    # kopf logs one line per attempt while it waits for the API server.
    logging.getLogger("kopf._cogs.clients.watching").addFilter(Seldom())
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLogger().level))
