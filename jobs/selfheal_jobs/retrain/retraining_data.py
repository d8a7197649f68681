"""Loads what a retraining learns from: both tables, the columns, and the task."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.columns import scan
from selfheal_jobs.columns.infer_kind import Column, Skipped
from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.data_objections import Feed
from selfheal_jobs.retrain.extreme_values import beyond_range, extreme_targets
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.retrain.labelled_rows import target_missing
from selfheal_jobs.retrain.splitting import Layout
from selfheal_jobs.retrain.target_types import read_as_in_reference
from selfheal_jobs.sources.sides import left_out, open_current, open_labelled_current, open_reference
from selfheal_jobs.tables.content import Values, content
from selfheal_jobs.tables.table import ArrowTable, Table
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy, Dataset

_NAMELESS: Final = ""
"""MLflow takes a column of this name for one without a name, and leaves it out of a request."""
_NOT_ASKED_FOR: Final = "a column without a name is not learnt from: no request could hold it"


class RetrainingData(Struct, frozen=True, kw_only=True):
    """The tables of a retraining."""

    reference: pd.DataFrame
    current: pd.DataFrame
    columns: tuple[Column, ...]
    """The columns to learn from."""
    layout: Layout
    feed: Feed | None
    """What objections are raised to; None if only the reference is learnt from."""
    left_out: tuple[str, ...] = ()
    """Remarks on rows that were not read, labels that were not joined, and values that are not learnt."""


def load_data(request: RunRequest) -> RetrainingData:
    """Read both tables into memory, each column once.

    Features are the columns that checks compare, with the reference's types: a column that only the current
    data has may hold the champion's own predictions. Dates, identifiers and free text are excluded.

    Raises:
        DataError: The data is missing, unreadable, or has nothing to learn from.
    """
    reference, current, remarks = _tables(request)
    data = data_of(request, reference, current)
    return replace(data, left_out=(*remarks, *data.left_out))


def data_of(request: RunRequest, reference: Table, current: Table) -> RetrainingData:
    """Return what is learnt from two tables; for trainingData Reference, both are the reference.

    Raises:
        DataError: There is nothing to learn from.
    """
    spec = request.spec
    task = _task(request, reference, current)
    policy, include = _lenient(spec.dataset.column_policy), spec.dataset.columns.include
    timestamp = timestamp_column(spec.dataset)
    # The timestamp was read to order the rows. Only `include` makes it a feature, as for any time.
    left_out = {spec.target, _NAMELESS} | ({timestamp} - set(include) if timestamp else set())
    plan = scan.plan(reference, current, left_out=left_out, policy=policy, include=include)
    if not plan.compared:
        message = f"None of the {len(plan.skipped)} columns beside the target can be learnt from."
        raise DataError(Reason.NOTHING_TO_COMPARE, message)
    before, now, read = frame(reference), frame(current), None
    if task is Task.CLASSIFICATION:
        now, read = read_as_in_reference(before, now, spec.target)
    lost = tuple(each.name for each in plan.skipped if each.reason == scan.EMPTY)
    feed = Feed(
        reference=before,
        current=now,
        columns=(*plan.names, *lost),
        target=spec.target,
        task=task,
        max_null_share=spec.dataset.column_policy.max_null_share,
    )
    layout = Layout(
        target=spec.target,
        task=task,
        features=tuple(plan.names),
        timestamp=timestamp,
        time_format=(spec.dataset.window.format or "") if spec.dataset.window else "",
        key=spec.dataset.labels.join_column if spec.dataset.labels else None,
    )
    return RetrainingData(
        reference=before,
        current=now,
        columns=plan.compared,
        layout=layout,
        feed=None if spec.retraining.training_data == "Reference" else feed,
        left_out=(
            *_not_learnt_from(plan.skipped),
            *plan.remarks,
            *([_NOT_ASKED_FOR] if _NAMELESS in reference.schema.names else []),
            *beyond_range(now, plan.compared),
            *([] if task is Task.CLASSIFICATION else extreme_targets(before, now, spec.target)),
            *([read] if read else []),
        ),
    )


def _not_learnt_from(skipped: Sequence[Skipped]) -> Iterator[str]:
    """Yield remarks on columns that are probably meant to be learnt from, or that only tell the row."""
    for each in skipped:
        if each.is_fault:
            yield f"{each.name[:100]!r} is not learnt from: {each.reason}"
    if rows := [repr(each.name[:100]) for each in skipped if each.of_the_row]:
        yield f"not learnt from, as row numbers, identifiers or times: {some(rows, scan.NAMES_SHOWN)}"


def timestamp_column(dataset: Dataset) -> str | None:
    """Return the column that orders the rows; None if the spec names none."""
    return dataset.window.timestamp_column if dataset.window else dataset.columns.timestamp


def _lenient(policy: ColumnPolicy) -> ColumnPolicy:
    """Return the column policy of a retraining: columns that a check counts as drifted are skipped."""
    missing: Literal["Fail", "Skip"] = "Fail" if policy.missing == "Fail" else "Skip"
    return ColumnPolicy(empty="Skip", missing=missing)


def _tables(request: RunRequest) -> tuple[ArrowTable, ArrowTable, tuple[str, ...]]:
    spec = request.spec
    timestamp = timestamp_column(spec.dataset)
    reference = open_reference(request, also=frozenset({timestamp} if timestamp else ()))
    whole = ArrowTable.of(reference)
    if spec.retraining.training_data == "Reference":  # the current data is not needed
        return whole, whole, ()
    current = (
        open_labelled_current(request, reference)
        if spec.dataset.labels
        else open_current(request, reference, all_columns=True)
    )
    return whole, ArrowTable.of(current), left_out(current)


def _task(request: RunRequest, reference: Table, current: Table) -> Task:
    """Return the task of the spec, or the one that an earlier check inferred unless the target contradicts.

    The target may have been edited since: words are no quantities, and fractions no classes.
    """
    known, target = request.known_task, request.spec.target
    if known is None or request.spec.task is not None or target not in current.schema.names:
        return known or _task_of(reference, current, target)
    found = content(current, target)
    classes = found.holds in {Values.TEXT, Values.BOOLEANS}
    fractions = found.numbers is not None and bool(np.any(found.numbers % 1 != 0))
    impossible = fractions if known is Task.CLASSIFICATION else classes
    return _task_of(reference, current, target) if impossible else known


def _task_of(reference: Table, current: Table, target: str) -> Task:
    tables = [table for table in (reference, current) if target in table.schema.names]
    for table in tables:
        if task := infer_task(content(table, target)):
            return task
    if not tables:
        raise target_missing(target)
    raise DataError(
        Reason.TARGET_UNUSABLE,
        f"Nothing tells from the target {target!r} what to learn. Correct spec.target or set spec.task.",
    )
