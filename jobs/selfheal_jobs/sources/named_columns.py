"""Finds columns that the spec names and that the data does not have. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from selfheal_jobs.errors import DataError
from selfheal_jobs.similar_names import did_you_mean
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


def require_named_columns(spec: ModelMonitorSpec, reference: Iterable[str], current: Iterable[str]) -> None:
    """Raise DataError if the spec names a column that neither side has.

    A misspelt name would else be accepted and ignored: a prediction would be compared, and learnt from. The
    target counts unless labels that arrive later bring it, or nothing is ever retrained.

    Args:
        spec: The monitor's spec.
        reference: All columns of the reference.
        current: All columns of the current data.

    Raises:
        DataError: A column is on neither side (ColumnMissing), or the prediction is the target (InvalidSpec).
    """
    columns = spec.dataset.columns
    if columns.prediction == spec.target:
        raise DataError(
            Reason.INVALID_SPEC,
            f"spec.dataset.columns.prediction and spec.target both name {spec.target[:100]!r}: a model that "
            f"predicts what it is told is always right. Name the column of the predictions.",
        )
    known = list(dict.fromkeys([*reference, *current]))
    for field, name in _named(spec):
        if name not in known:
            raise DataError(
                Reason.COLUMN_MISSING,
                f"{field} names {name[:100]!r}, which neither the reference nor the current data has"
                f"{did_you_mean(name, known)}. Correct it.",
            )


def _named(spec: ModelMonitorSpec) -> Iterator[tuple[str, str]]:
    """Yield every field that names a column of either side, and the column."""
    dataset = spec.dataset
    for field in ("prediction", "timestamp"):
        if (name := getattr(dataset.columns, field)) is not None:
            yield f"spec.dataset.columns.{field}", name
    for field in ("exclude", "categorical"):
        yield from ((f"spec.dataset.columns.{field}", name) for name in getattr(dataset.columns, field))
    if dataset.labels is not None:
        yield "spec.dataset.labels.joinColumn", dataset.labels.join_column
    elif spec.retraining.mode != "Disabled":
        yield "spec.target", spec.target
    if dataset.window is not None:
        yield "spec.dataset.window.timestampColumn", dataset.window.timestamp_column
    yield from (("spec.drift.columns", each.name) for each in spec.drift.columns)


def missing_target(spec: ModelMonitorSpec, reference: Sequence[str], current: Sequence[str]) -> str | None:
    """Return a remark if no side has the target; labels that arrive later may have it."""
    known = [*reference, *current]
    if spec.target in known or spec.dataset.labels is not None:
        return None
    return f"no side has the target {spec.target[:100]!r}{did_you_mean(spec.target, known)}"
