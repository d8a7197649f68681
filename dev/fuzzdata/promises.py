"""The invariants of every check: a message, no verdict from garbage, and no leaked secret."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from fuzzdata.inputs import CANARY, Kind
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.report import CheckReport, Report

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
    yield from problems_of_message(check.message)
    yield from problems_of_document(report, printed, (CANARY, SECRET), "a secret")


def problems_of_message(message: str) -> Iterator[str]:
    """Yield what is wrong with a message for users."""
    if len(message) < 10 or " " not in message or "\n" in message:
        yield f"is no sentence: {message!r}"


def problems_of_document(report: Report, printed: str, secrets: Sequence[str], what: str) -> Iterator[str]:
    """Yield what is wrong with a report as a part of the status.

    Args:
        report: What was delivered.
        printed: What else a user may read: the log, and what is in MLflow.
        secrets: Texts that must be in neither.
        what: The secrets, in words.
    """
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
    for secret in secrets:
        if secret in document or secret in printed:
            yield f"tells {what}"
