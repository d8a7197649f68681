"""Splits the data into training rows and held-out rows, which nobody has learnt. Pure.

With timestamps the held-out rows are the newest: a model is asked about rows that follow those it has learnt.
Without, they are drawn by class, and rows that hang together stay on one side.
"""

from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.class_words import class_words
from selfheal_jobs.retrain.equal_rows import together
from selfheal_jobs.retrain.labelled_rows import with_target
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.row_digests import digests
from selfheal_jobs.retrain.row_times import RowTimes, newest, row_times
from selfheal_jobs.retrain.tallies import time_blocks
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.v1alpha1.retraining import Retraining

LEAST_HELD_OUT: Final = 20
"""With fewer rows, hardly any difference between two models is beyond chance."""
ENOUGH_TO_COMPARE: Final = 400
"""A gain of .05 in accuracy is then beyond chance in 7 of 8 retrainings, if the models disagree on 15 %
of the rows. Held out only where the winner is fitted again on all rows: it costs the version nothing."""
LEAST_ROWS: Final = 2 * LEAST_HELD_OUT

_Codes = NDArray[np.intp]
_Mask = NDArray[np.bool_]


class Layout(Struct, frozen=True, kw_only=True):
    """Which columns of the tables are used, and for what."""

    target: str
    task: Task
    features: tuple[str, ...]
    timestamp: str | None = None
    time_format: str = ""
    """spec.dataset.window.format: a strptime pattern, a unit of epoch numbers, or empty."""
    latest: datetime | None = None
    """Later timestamps are errors: no row is from the future."""
    key: str | None = None
    """The joinColumn of the labels: rows with one key hang together."""

    @property
    def learnt(self) -> tuple[str, ...]:
        """Return the columns that a model learns from; in the others, copies of a row may differ."""
        return (*self.features, self.target)


class Split(Struct, frozen=True, kw_only=True):
    """Training rows and held-out rows; both have every column of their tables, including the target."""

    train: pd.DataFrame
    """Rows of the divided table; with a timestamp in the order of time."""
    reference: pd.DataFrame
    """Rows of the reference that may be learnt as well; empty where it is the divided table."""
    test: pd.DataFrame
    dropped: int
    """Number of rows without a target."""
    train_times: NDArray[np.datetime64] | None = None
    train_groups: _Codes | None = None
    test_together: _Codes | None = None
    """Codes of held-out rows that hang together: those of one block of time, or one group."""
    until: datetime | None = None
    """The newest timestamp of all labelled rows."""
    copies: int = 0
    """Rows of the divided table that are copies of another."""
    equal_by_chance: bool = False
    """Rows of the divided table equal others by chance, and are on both sides."""
    reference_copies: int = 0
    """Rows of the reference that the current data has as well; they are not in `reference`."""
    already_learnt: int = 0
    """Rows that the champion has learnt."""
    unreadable_times: int = 0
    """Rows without a timestamp that can be read; they count as the oldest."""
    future_times: int = 0
    """Rows from the future; they count as the oldest."""
    missing_classes: tuple[str, ...] = ()
    """Classes without a held-out row."""


def split(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    layout: Layout,
    rules: Retraining,
    learnt: LearntRows | None = None,
) -> Split:
    """Split the reference if `rules.training_data` is Reference, otherwise the current data.

    Args:
        reference: The reference, with all its columns.
        current: The current data, with all its columns.
        layout: What the columns are for.
        rules: Share of held-out rows, and random seed.
        learnt: The rows that the champion has learnt; None if nobody knows.

    Raises:
        DataError: The target is missing (ColumnMissing) or unusable (TargetUnusable), there are too few rows
            with a target (TooFewRows), or too few that the champion has not learnt (TooFewNewRows).
    """
    divided = reference if rules.training_data == "Reference" else current
    labelled = with_target(divided, layout.target, layout.task).reset_index(drop=True)
    _require_rows(labelled, layout.target)
    rng = np.random.default_rng(rules.random_seed)
    labelled, read = _in_order(labelled, layout, rng)
    times = read.times
    copies, by_chance = together(labelled, layout.learnt, least=LEAST_ROWS)
    _require_different_rows(copies)
    new = _not_learnt(labelled, times, _believed(learnt, layout.latest), copies)
    refitted = times is not None and learnt is not None
    size = _held_out_rows(new, rules.test_fraction, least=ENOUGH_TO_COMPARE if refitted else LEAST_HELD_OUT)
    if times is None:
        groups = _groups(copies, _keys(labelled, layout))
        held = _drawn(groups, new, _strata(labelled, layout), _with_enough_groups(size, copies), rng)
        kept = ~held
    else:
        groups = copies
        held = _newest(new if copies is None else new & ~pd.Series(copies).duplicated(keep="last"), size)
        kept = ~held if copies is None else ~np.isin(copies, copies[held])
    _require_both_sides(kept, held)
    more, copied = labelled.iloc[:0], 0
    if divided is not reference:
        more, copied = _usable_reference(reference, labelled, layout)
    return Split(
        train=labelled[kept].reset_index(drop=True),
        reference=more,
        test=labelled[held].reset_index(drop=True),
        dropped=len(divided) - len(labelled),
        train_times=None if times is None else times[kept],
        train_groups=None if groups is None else groups[kept],
        test_together=_hanging_together(times, groups, held),
        until=None if times is None else newest(times),
        copies=0 if copies is None else len(copies) - len(np.unique(copies)),
        equal_by_chance=by_chance,
        reference_copies=copied,
        already_learnt=int((~new).sum()),
        unreadable_times=read.unreadable,
        future_times=read.future,
        missing_classes=_missing_classes(labelled, held, layout),
    )


# --- what counts as one row ---------------------------------------------------------------------------------


def _keys(rows: pd.DataFrame, layout: Layout) -> _Codes | None:
    if layout.key is None or layout.key not in rows.columns:
        return None
    codes, distinct = pd.factorize(rows[layout.key].astype("object").map(str, na_action="ignore"))
    alone = codes < 0  # rows without a key
    codes[alone] = len(distinct) + np.arange(alone.sum())
    return codes if codes.max() + 1 < len(codes) else None


def _groups(copies: _Codes | None, keys: _Codes | None) -> _Codes | None:
    """Return one code for all rows that hang together, directly or through others."""
    if copies is None or keys is None:
        return keys if copies is None else copies
    here, there = copies, keys + copies.max() + 1
    nodes = int(there.max()) + 1
    graph = coo_matrix((np.ones(len(here)), (here, there)), shape=(nodes, nodes))
    labels: _Codes = connected_components(graph, directed=False)[1][here]
    return labels


# --- order and time -----------------------------------------------------------------------------------------


def _in_order(rows: pd.DataFrame, layout: Layout, rng: np.random.Generator) -> tuple[pd.DataFrame, RowTimes]:
    """Return the rows in the order of time, those of one time by chance: a file may sort them by label."""
    if layout.timestamp is None or layout.timestamp not in rows.columns:
        return rows, RowTimes()
    read = row_times(rows[layout.timestamp], layout.time_format, layout.latest)
    if read.times is None:
        return rows, read
    shuffled = rng.permutation(len(rows))
    order = shuffled[np.argsort(read.times[shuffled], kind="stable")]
    return rows.iloc[order].reset_index(drop=True), replace(read, times=read.times[order])


def _hanging_together(
    times: NDArray[np.datetime64] | None, groups: _Codes | None, held: _Mask
) -> _Codes | None:
    if times is not None:
        return time_blocks(int(held.sum()))
    return None if groups is None else groups[held]


# --- which rows are held out --------------------------------------------------------------------------------


def _not_learnt(
    rows: pd.DataFrame,
    times: NDArray[np.datetime64] | None,
    learnt: LearntRows | None,
    copies: _Codes | None,
) -> _Mask:
    """Return which rows are new to the champion.

    Raises:
        DataError: They are too few to examine anybody on them.
    """
    if learnt is None:
        return np.ones(len(rows), dtype=bool)
    new = ~learnt.contain(rows)
    later = ""
    if times is not None and learnt.until is not None:
        new &= times > np.datetime64(learnt.until.replace(tzinfo=None), "ns")
        later = f", later than {learnt.until:%FT%TZ}"
    different = int(new.sum()) if copies is None else len(np.unique(copies[new]))
    if different < LEAST_HELD_OUT:
        raise DataError(
            Reason.TOO_FEW_NEW_ROWS,
            f"{different} of {len(rows)} labelled rows are new to the present version{later}, and "
            f"{LEAST_HELD_OUT} are needed to compare another one with it. Nothing was trained.",
        )
    return new


def _believed(learnt: LearntRows | None, latest: datetime | None) -> LearntRows | None:
    """Return what was learnt, without a time in the future: no row would ever be new."""
    if learnt is None or learnt.until is None or latest is None or learnt.until <= latest:
        return learnt
    return replace(learnt, until=None)


def _held_out_rows(new: _Mask, fraction: float, *, least: int) -> int:
    """Return how many rows to hold out; where the champion has learnt some, at most half of the new ones."""
    wanted = max(int(np.ceil(fraction * len(new))), min(least, int(new.sum()) // 2), LEAST_HELD_OUT)
    if new.all():
        return min(wanted, len(new) - LEAST_HELD_OUT)
    return min(wanted, max(int(new.sum()) // 2, LEAST_HELD_OUT))


def _with_enough_groups(size: int, copies: _Codes | None) -> int:
    """Return how many rows to hold out so that LEAST_HELD_OUT of them differ: copies tell nothing more."""
    if copies is None:
        return size
    return max(size, int(np.ceil(len(copies) * LEAST_HELD_OUT / len(np.unique(copies)))))


def _newest(new: _Mask, size: int) -> _Mask:
    held = np.zeros(len(new), dtype=bool)
    held[np.flatnonzero(new)[-size:]] = True
    return held


def _strata(rows: pd.DataFrame, layout: Layout) -> _Codes:
    if layout.task is Task.REGRESSION:
        return np.zeros(len(rows), dtype=np.intp)
    return pd.factorize(rows[layout.target])[0]


def _drawn(groups: _Codes | None, new: _Mask, strata: _Codes, size: int, rng: np.random.Generator) -> _Mask:
    """Draw whole groups of new rows from each class in its share; of several groups at least one."""
    codes = np.arange(len(new)) if groups is None else groups
    table = pd.DataFrame({"group": codes, "new": new, "stratum": strata})
    rarity = table["stratum"].map(table["stratum"].value_counts())
    first = table.loc[rarity.sort_values(kind="stable").index].groupby("group")
    whole = pd.DataFrame(
        {"rows": first.size(), "new": first["new"].all(), "stratum": first["stratum"].first()}
    )
    open_to = whole[whole["new"] & (whole["rows"] <= max(size, int(whole["rows"].min())))].sample(
        frac=1, random_state=rng
    )
    share = size / max(int(open_to["rows"].sum()), 1)
    by_class = open_to.groupby("stratum")["rows"]
    before = by_class.cumsum() - open_to["rows"]
    in_all = whole.groupby("stratum")["rows"].count().reindex(open_to["stratum"]).to_numpy()
    wanted = (by_class.transform("sum") * share).round().clip(lower=1)
    chosen = open_to.index[(before < wanted) & (in_all > 1)]
    return np.isin(codes, chosen)


# --- what remains -------------------------------------------------------------------------------------------


def _usable_reference(
    reference: pd.DataFrame, current: pd.DataFrame, layout: Layout
) -> tuple[pd.DataFrame, int]:
    """Return the labelled rows of the reference that the current data lacks, and the number of the others.

    A copy would be learnt where the current row is held out, or is scored in the cross-validation.
    """
    if layout.target not in reference.columns or not reference[layout.target].notna().any():
        return current.iloc[:0], 0  # with the target, which the reference may lack
    more = _in_labels_of(current[layout.target], with_target(reference, layout.target, layout.task), layout)
    if not set(layout.learnt) <= set(current.columns):
        return more.reset_index(drop=True), 0
    copies = _in_current(more, current, layout)
    return more[~copies].reset_index(drop=True), int(copies.sum())


def _in_current(more: pd.DataFrame, current: pd.DataFrame, layout: Layout) -> _Mask:
    """Return which rows of the reference the current data has; all, if both are the same rows."""
    here, there = (digests(rows, layout.learnt) for rows in (current, more))
    if np.array_equal(np.sort(here), np.sort(there)):
        return np.ones(len(more), dtype=bool)
    return LearntRows(columns=layout.learnt, digests=np.unique(here)).contain(more, there)


def _in_labels_of(labels: pd.Series, more: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return rows whose labels are of the same type as others: those of the same words."""
    if more[layout.target].dtype == labels.dtype or layout.task is Task.REGRESSION:
        return more
    spelt = dict(zip(class_words(labels.unique()), labels.unique(), strict=True))
    words = class_words(more[layout.target])
    known = np.array([word in spelt for word in words], dtype=bool)
    kept = more[known].copy()
    kept[layout.target] = pd.Series([spelt[word] for word in words[known]], index=kept.index).astype(
        labels.dtype
    )
    return kept


def require_classes(train: pd.Series, task: Task) -> None:
    """Raise DataError if there is nothing to tell apart."""
    if task is Task.CLASSIFICATION and train.nunique() < 2:
        raise DataError(
            Reason.TARGET_UNUSABLE,
            f"The target {str(train.name)!r} has only one class in the training rows, so there is nothing "
            f"to learn. Collect rows of other classes, or set spec.retraining.trainingData to "
            f"ReferenceAndCurrent.",
        )


def _require_rows(labelled: pd.DataFrame, target: str) -> None:
    if len(labelled) < LEAST_ROWS:
        raise DataError(
            Reason.TOO_FEW_ROWS,
            f"Only {len(labelled)} rows have a value in the target {target!r}, and {LEAST_ROWS} are needed. "
            f"Collect more, or set spec.retraining.trainingData to Reference.",
        )


def _require_different_rows(copies: _Codes | None) -> None:
    if copies is not None and (distinct := len(np.unique(copies))) < LEAST_ROWS:
        raise DataError(
            Reason.TOO_FEW_ROWS,
            f"The {len(copies)} labelled rows are copies of {distinct} rows, and {LEAST_ROWS} different ones "
            f"are needed. Collect more.",
        )


def _require_both_sides(kept: _Mask, held: _Mask) -> None:
    """Raise DataError if rows that hang together leave one side nearly empty."""
    if min(kept.sum(), held.sum()) < LEAST_HELD_OUT // 2:
        raise DataError(
            Reason.TOO_FEW_ROWS,
            f"{held.sum()} rows could be held out beside {kept.sum()} to learn from, since equal rows and "
            f"rows of one key stay together, and {LEAST_HELD_OUT} are needed of each. Collect more.",
        )


def _missing_classes(rows: pd.DataFrame, held: _Mask, layout: Layout) -> tuple[str, ...]:
    if layout.task is Task.REGRESSION:
        return ()
    there = set(rows.loc[held, layout.target])
    return tuple(str(each)[:100] for each in rows[layout.target].unique() if each not in there)
