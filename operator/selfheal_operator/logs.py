"""Log lines: constant text, then fields as name=value."""

import logging
import sys
from typing import Final

_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """Appends what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        fields = {name: value for name, value in fields.items() if not name.startswith(("k8s_", "settings"))}
        return " ".join([super().format(record), *(f"{name}={value!r}" for name, value in fields.items())])


def configure_logging(level: str) -> None:
    """Send log lines to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # one line per event otherwise
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLogger().level))
