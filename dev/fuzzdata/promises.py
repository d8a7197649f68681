"""The invariants of every check: a message, no verdict from garbage, and no leaked secret."""

import json
from collections.abc import Iterator
from typing import Final

from fuzzdata.inputs import CANARY, Kind
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.report import CheckReport

SECRET: Final = "hunter2-canary-in-a-secret"  # noqa: S105  a secret that is none
"""What the Secret of the current data holds."""

_VERDICTS: Final = frozenset({CheckResult.NO_DRIFT, CheckResult.WARNING, CheckResult.DRIFT})
_LARGEST_STATUS: Final = 16 << 10
_LARGEST_MESSAGE: Final = 4096


def broken_promises(kind: Kind, report: CheckReport, printed: str) -> Iterator[str]:
    """Yield what a report does not keep.

    Args:
        kind: What the check was given.
        report: What it said.
        printed: What it logged, and what it wrote on standard output and error.
    """
    check = report.last_check
    if check.reason == Reason.CHECK_FAILED:
        yield f"ended by a defect: {check.message}"
    if kind.is_garbage and check.result in _VERDICTS:
        yield f"came to a verdict: {check.result}: {check.message}"
    if any(each.reason == Reason.CHECK_FAILED for each in check.signals):
        yield f"a signal ended by a defect: {[each.message for each in check.signals]}"
    if len(check.message) < 10 or " " not in check.message or "\n" in check.message:
        yield f"is no sentence: {check.message!r}"
    document = json.dumps(report.to_wire(), ensure_ascii=False)
    try:
        size = len(document.encode())
    except UnicodeEncodeError:
        yield "is no text that JSON can carry"
        return
    if size > _LARGEST_STATUS:
        yield f"takes {size} bytes of the status"
    if len(report.to_termination_message().encode()) > _LARGEST_MESSAGE:
        yield "does not fit into a termination message"
    for secret in (CANARY, SECRET):
        if secret in document or secret in printed:
            yield "tells a secret"
