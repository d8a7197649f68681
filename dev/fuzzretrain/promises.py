"""What every retraining promises: a result with a sentence, no defect, and no private value in it."""

from collections.abc import Iterator, Sequence

from fuzzdata.promises import problems_of_document, problems_of_message
from fuzzretrain.inputs import CANARY, Kind
from selfheal_operator.api.reasons import Origin, Reason, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.v1alpha1.status import ModelVersion


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
    yield from problems_of_message(said.message)
    if (said.result is RetrainResult.REGISTERED) != (registered(report) is not None):
        yield f"is {said.result} and has the model {report.model}"
    yield from problems_of_document(report, printed, (CANARY,), "a private value")


def broken_registry(
    before: Sequence[str], after: Sequence[str], reports: Sequence[RetrainReport]
) -> Iterator[str]:
    """Yield how the registry differs from what was reported: a version exactly where one is told."""
    told = [each_made.version for each in reports if (each_made := registered(each)) is not None]
    made = [each for each in after if each not in before]
    if sorted(told) != sorted(made):
        yield f"registered {made}, and tells of {told}"


def registered(report: RetrainReport) -> ModelVersion | None:
    """Return the version that a retraining tells to have registered; a version that it found is none."""
    return None if report.model is None or report.model.origin is Origin.FOUND else report.model
