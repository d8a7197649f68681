"""What every retraining promises: a result with a sentence, no defect, and no private value in it."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from fuzzretrain.inputs import CANARY, Kind
from selfheal_operator.api.reasons import Reason, RetrainResult
from selfheal_operator.api.report import RetrainReport

_LARGEST_STATUS: Final = 16 << 10
_LARGEST_MESSAGE: Final = 4096


def broken_promises(kind: Kind, reports: Sequence[RetrainReport], printed: str) -> Iterator[str]:
    """Yield what a retraining does not keep.

    Args:
        kind: What it was given.
        reports: What it has delivered.
        printed: What it logged, and what it wrote on standard output and error.
    """
    if len(reports) != 1:
        yield f"delivered {len(reports)} reports"
        return
    report, said = reports[0], reports[0].last_retraining
    if said.reason == Reason.RETRAINING_FAILED:
        yield f"ended by a defect: {said.message}"
    if said.result not in kind.may:
        yield f"may not be {said.result}: {said.message}"
    if kind.reasons and said.reason not in kind.reasons:
        yield f"has the reason {said.reason}: {said.message}"
    if len(said.message) < 10 or " " not in said.message or "\n" in said.message:
        yield f"is no sentence: {said.message!r}"
    if (said.result is RetrainResult.REGISTERED) != (report.model is not None):
        yield f"is {said.result} and has the model {report.model}"
    yield from _documents(report, printed)


def _documents(report: RetrainReport, printed: str) -> Iterator[str]:
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
    if CANARY in document or CANARY in printed:
        yield "tells a private value"


def broken_registry(
    before: Sequence[str], after: Sequence[str], reports: Sequence[RetrainReport]
) -> Iterator[str]:
    """Yield how the registry differs from what was reported: a version exactly where one is told."""
    told = [each.model.version for each in reports if each.model is not None]
    made = [each for each in after if each not in before]
    if sorted(told) != sorted(made):
        yield f"registered {made}, and tells of {told}"
