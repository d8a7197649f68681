"""Log lines: constant text, then fields as name=value."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """Appends what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        fields = {name: value for name, value in fields.items() if not name.startswith(("k8s_", "settings"))}
        return " ".join([super().format(record), *(f"{name}={value!r}" for name, value in fields.items())])


class Seldom(logging.Filter):
    """Lets one line a minute through: what says the same at each attempt would bury all else in an outage.

    Args:
        clock: Seconds that only go forward.
    """

    SECONDS: Final = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next = clock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is to be written."""
        del record
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self.SECONDS
        return True


def configure_logging(level: str) -> None:
    """Send log lines to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # one line per event otherwise
    # Where kopf waits for the API server, one line an attempt.
    logging.getLogger("kopf._cogs.clients.watching").addFilter(Seldom())
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLogger().level))
