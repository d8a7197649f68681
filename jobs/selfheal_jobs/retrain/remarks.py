"""What a reader of the status should know beside the scores."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.answers import AnswersError
from selfheal_jobs.retrain.cross_validation import Choice
from selfheal_jobs.retrain.evidence import Opponent
from selfheal_jobs.retrain.features import for_model
from selfheal_jobs.retrain.final_fit import refits
from selfheal_jobs.retrain.fold_score import gain
from selfheal_jobs.retrain.gates import Evidence, margin_of
from selfheal_jobs.retrain.prepared_rows import PreparedRows
from selfheal_operator.api.model import format_number

_MUCH: Final = 5
"""Times the margin: the present version may have learnt the rows of the reference, and is flattered there."""
_MOST_OLD_ROWS: Final = 2_000
"""Rows of the reference on which a new version is compared with the old one."""


def of_winner(
    rows: PreparedRows, choice: Choice, model: Any, evidence: Evidence, other: Opponent | None
) -> Iterator[str]:
    """Yield remarks on a winner that has passed all gates."""
    if refits(rows):
        yield f"fitted again on all {len(choice.training_set.rows) + evidence.rows} rows"
    if other is not None and not choice.with_reference:
        yield from _forgotten(rows, choice.training_set.metric, model, evidence, other)


def of_rows(rows: PreparedRows, evidence: Evidence) -> Iterator[str]:
    """Yield remarks on the rows: which are held out, and which are left out."""
    yield from rows.data.left_out
    parts = rows.split
    if evidence.running_problem:
        yield evidence.running_problem
    if parts.train_times is not None:
        yield "the held-out rows are the newest"
    yield from _of_times(rows)
    if parts.copies:
        yield f"{parts.copies} rows are copies of others, and all copies of a row are on one side"
    if parts.equal_by_chance:
        yield "rows of a few different values equal each other by chance, and are on both sides"
    if parts.reference_copies:
        yield f"{parts.reference_copies} rows of the reference are in the current data too, and count once"
    if parts.already_learnt:
        yield f"{parts.already_learnt} rows that the present version has learnt are not held out"
    if said := _without_target(parts.dropped, _older_without_target(rows)):
        yield said
    if parts.missing_classes:
        yield f"no held-out row has the class {some([repr(name[:40]) for name in parts.missing_classes], 3)}"


def _of_times(rows: PreparedRows) -> Iterator[str]:
    parts, name = rows.split, repr(str(rows.data.layout.timestamp)[:100])
    if parts.future_times:
        yield f"{parts.future_times} timestamps in {name} are in the future, and count as the oldest"
    if parts.unreadable_times:
        yield f"{parts.unreadable_times} timestamps in {name} cannot be read, and count as the oldest"


def _older_without_target(rows: PreparedRows) -> int:
    """Return how many rows of the reference could be learnt from if they had a target."""
    if rows.request.spec.retraining.training_data in {"Current", "Reference"}:
        return 0
    targets = rows.data.reference.get(rows.target)
    return 0 if targets is None else int(targets.isna().sum())


def _without_target(divided: int, older: int) -> str:
    """Return how many rows are left out, of the table that is divided and of the reference beside it.

    >>> _without_target(3, 4)
    '3 rows without a target are left out, and 4 of the reference'
    """
    if not divided:
        return f"{older} rows of the reference without a target are left out" if older else ""
    beside = f", and {older} of the reference" if older else ""
    return f"{divided} rows without a target are left out{beside}"


def _forgotten(
    rows: PreparedRows, metric: str, model: Any, evidence: Evidence, other: Opponent
) -> Iterator[str]:
    """Say if the new version fails on rows of the reference, which may return, and the present one does not.

    It fails where it is worse than among the held-out rows, and much worse than the present version.
    """
    older = rows.split.reference
    if older.empty:
        return
    seed = rows.training_set.seed
    older = older.sample(min(len(older), _MOST_OLD_ROWS), random_state=seed).reset_index(drop=True)
    exam = replace(rows.examination, target=older[rows.target], together=None)
    try:
        new = exam.examined("new", model.predict(for_model(older, rows.data.columns)))
        old = exam.examined("old", other.champion.predict(rows.with_all_columns(older))[0])
    except (DataError, AnswersError):  # the reference may lack what the champion needs
        return
    lost = gain(metric, new.metrics[metric], evidence.winner.metrics[metric]) < 0
    on_old = replace(evidence, winner=new)
    much = _MUCH * margin_of(on_old, old.sums)
    if lost and on_old.interval(old.sums).upper < -much:
        scores = format_number(new.metrics[metric]), format_number(old.metrics[metric])
        yield (
            f"on {len(older)} rows of the reference its {metric} is {scores[0]}, and that of "
            f"{other.champion.name} {scores[1]}: what only the reference shows is forgotten"
        )
