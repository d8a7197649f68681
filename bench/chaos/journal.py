"""Every fault that struck, one JSON line each, in the order of their ends: what a failed run is replayed by."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from chaos.faults import Fault, Kind


class Journal:
    """What was done to whom, and when."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w")
        self._began = time.monotonic()
        self.struck: Counter[Kind] = Counter()
        self.complaints: list[str] = []

    def note(self, fault: Fault, began: float, what: str) -> None:
        """Note that a fault struck.

        Args:
            fault: As the list has it.
            began: When it was laid, by the monotonic clock.
            what: The call, process or object that it struck.
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
        """Note that an operator did not come back by itself from what had struck it."""
        self.complaints.append(what)
        self._write({"over": round(time.monotonic() - self._began, 3), "complaint": what})

    def close(self) -> None:
        """End the journal."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
