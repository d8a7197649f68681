"""A process that reads a table as a check does, column by column, and tells what memory that took.

`python reading_process.py URI MAX_ROWS`; its last line is JSON.
"""

import json
import re
import sys
from pathlib import Path

from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.v1alpha1.dataset import DataSource


def main(uri: str, max_rows: str) -> None:
    """Read all columns, and let go of each before the next."""
    secret = {"secretRef": {"name": "warehouse"}} if uri.startswith("sql:") else {}
    source = DataSource.from_wire({"uri": uri} | secret)
    place = Place(source=source, field="spec.dataset.current.uri", env_prefix="SELFHEAL_CURRENT_")
    before = _peak_mib()
    table = open_table(place, Asked(max_rows=int(max_rows)))
    values = sum(len(batch) for name in table.schema.names for batch in table.batches([name]))
    print(  # noqa: T201  what the test reads
        json.dumps(
            {
                "rows": table.rows.counted,
                "kept": table.num_rows,
                "values": values,
                "mib_before": before,
                "mib": _peak_mib(),
            }
        )
    )


def _peak_mib() -> int:
    # Not getrusage: its peak begins with that of the process that started us.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise LookupError("the kernel does not tell VmHWM")
    return int(found[1]) >> 10


if __name__ == "__main__":
    main(*sys.argv[1:])
