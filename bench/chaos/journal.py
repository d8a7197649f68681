"""The journal of injected faults, one JSON line each, ordered by their ends, to replay a failed run."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from chaos.faults import Fault, Kind

JOURNAL: Final = "journal.jsonl"


class Journal:
    """Records which fault hit which target, and when."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w")
        self._began = time.monotonic()
        self.struck: Counter[Kind] = Counter()
        self.complaints: list[str] = []

    def note(self, fault: Fault, began: float, what: str) -> None:
        """Record an injected fault.

        Args:
            fault: The fault from the plan.
            began: When it was armed, by the monotonic clock.
            what: The call, process or object that it affected.
        """
        self.struck[fault.kind] += 1
        self._write(
            {
                "laid": round(began - self._began, 3),
                "over": round(time.monotonic() - self._began, 3),
                "struck": what,
                **fault.as_line(),
            }
        )

    def complain(self, what: str) -> None:
        """Record that an operator did not recover from a fault by itself."""
        self.complaints.append(what)
        self._write({"over": round(time.monotonic() - self._began, 3), "complaint": what})

    def close(self) -> None:
        """Close the journal."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
