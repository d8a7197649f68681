"""Masks the values of Secrets in the texts of a report, and replaces unprintable characters.

The texts are messages and names of columns. Line breaks and escape sequences in them become question marks.

Names that the operator compares, such as the Job's, stay as they are.
"""

from typing import Any, Final, TypeVar

from selfheal_jobs.redaction import masked, printable
from selfheal_operator.api.report import Report

_R = TypeVar("_R", bound=Report)
_OF_COLUMNS: Final = frozenset(
    {"topDriftedColumns", "skippedColumns", "newCategories", "constantColumns", "brokenColumns"}
)


def masked_report(report: _R) -> _R:
    """Return the report without values of Secrets and unprintable characters."""
    before = report.to_wire()
    after = _masked(before, "", "")
    return report if after == before else type(report).from_wire(after)


def _masked(value: Any, key: str, around: str) -> Any:
    if isinstance(value, dict):
        return {name: _masked(member, name, key) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked(each, key, key) for each in value]
    is_text = key == "message" or key in _OF_COLUMNS or (key == "name" and around in _OF_COLUMNS)
    # No longer than it was: the API server holds texts to their limits.
    return printable(masked(value)[: len(value)]) if is_text and isinstance(value, str) else value
