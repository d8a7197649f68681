"""Checks of files that lie there for a while already, so that a profile of the reference may be kept."""

import os
from pathlib import Path
from typing import Any

import pandas as pd

from selfheal_jobs.check.report import CheckFindings, report_of
from selfheal_jobs.check.run import keep_profile, look
from selfheal_jobs.reference_profile.known_reference import KnownReference
from selfheal_operator.api.request import RunRequest
from support.builders.run_requests import run_request

LONG_AGO_NS = 1_700_000_000_000_000_000


def stored(table: pd.DataFrame, path: Path, changed_ns: int = LONG_AGO_NS) -> Path:
    """Write a table as what the file's name says, and make it that old."""
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def profiles(folder: Path) -> list[Path]:
    """Return the profiles in a folder."""
    return sorted(folder.glob(".selfheal-*.profile"))


def checked(request: RunRequest) -> CheckFindings:
    """Check, and keep what was learnt of the reference."""
    seen = look(request)
    if seen.comparison is not None:
        keep_profile(seen)
    return seen


def told(request: RunRequest, seen: CheckFindings) -> dict[str, Any]:
    """Return all that a check says: the report, and every number behind it; not where it has it from."""
    report = report_of(request, seen, started=request.slot, completed=request.slot)
    values = {each.signal.name: repr(each.value) for each in seen.signals}
    return {
        "report": report.last_check.replaced(reference_profile=None),
        "task": report.task,
        "columns": repr(seen.comparison and seen.comparison.columns),
        "facts": repr(seen.facts),
        "signals": values,
    }


def by_profile(seen: CheckFindings) -> bool:
    """Return whether a check had a profile."""
    reference = seen.tables[0] if seen.tables else None
    return isinstance(reference, KnownReference) and bool(reference.profile.columns)


def columns_read(seen: CheckFindings) -> set[str]:
    """Return the columns of the reference that a check has read."""
    assert seen.tables is not None
    reference = seen.tables[0]
    assert isinstance(reference, KnownReference)
    return set(reference._read)


def request_in(folder: Path, *, reference: str = "reference.parquet", **spec: Any) -> RunRequest:
    """Return a request for the files of a folder."""
    return run_request(reference=folder / reference, current=folder / "current.parquet", **spec)
