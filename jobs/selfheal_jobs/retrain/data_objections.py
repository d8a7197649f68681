"""May the data be learnt from? A list of objections, raised before anything is fitted. Pure.

A feed that broke is no news about the world: a model that learns from it fails once the feed is repaired.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd
from msgspec import Struct

from selfheal_jobs.columns.broken_feed import has_more_gaps, is_no_coincidence
from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.class_words import class_words
from selfheal_operator.api.reasons import Reason, Task

_NAMES_SHOWN: Final = 5


class Feed(Struct, frozen=True, kw_only=True):
    """The data of a retraining, beside the reference."""

    reference: pd.DataFrame
    current: pd.DataFrame
    columns: tuple[str, ...]
    """The columns to learn from, and those that would be if they had values."""
    target: str
    task: Task
    max_null_share: float
    """How much greater than in the reference the share of gaps in a column may be."""

    @property
    def has_targets(self) -> bool:
        """Whether both sides have the target."""
        return self.target in self.reference.columns and self.target in self.current.columns


def constant_columns(feed: Feed) -> str | None:
    """A column has one value only, which it can hardly have by chance."""
    found = [name for name in _in_both(feed) if _turned_constant(feed.reference[name], feed.current[name])]
    return f"{_listed(found)} turned constant" if found else None


def _turned_constant(before: pd.Series, now: pd.Series) -> bool:
    values, earlier = now.dropna(), before.dropna()
    if not len(values) or not _is_constant(values) or _is_constant(earlier):
        return False
    return is_no_coincidence(share=float((earlier == values.iloc[0]).mean()), rows=len(values))


def _is_constant(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return bool(len(values) == 0 or values.min() == values.max())
    return int(values.astype("object").map(str).nunique()) < 2


def empty_columns(feed: Feed) -> str | None:
    """The share of gaps in a column has risen beyond columnPolicy.maxNullShare."""
    shares = {
        name: (float(feed.reference[name].isna().mean()), float(feed.current[name].isna().mean()))
        for name in _in_both(feed)
    }
    found = [
        name for name, (before, now) in shares.items() if has_more_gaps(now, before, feed.max_null_share)
    ]
    if not found:
        return None
    before, now = shares[found[0]]
    of_first = f"of {found[0][:100]!r} {now:.0%}, {before:.0%} in the reference"
    return f"values are missing in {_listed(found)} ({of_first})"


def target_of_another_type(feed: Feed) -> str | None:
    """The target holds words where it held numbers, or the other way round, and other classes with it."""
    if not feed.has_targets:
        return None
    before, now = (_type_of(side[feed.target].dropna()) for side in (feed.reference, feed.current))
    if not before or not now or before == now:
        return None
    if feed.task is Task.CLASSIFICATION and not (strange := _strange_classes(feed)):
        return None
    shown = f", such as {_examples(strange)}" if feed.task is Task.CLASSIFICATION else ""
    return f"the target {feed.target[:100]!r} holds {before} in the reference, {now} in current{shown}"


def renamed_classes(feed: Feed) -> str | None:
    """No class of the reference is left, or one is spelt in another case."""
    if feed.task is Task.REGRESSION or not feed.has_targets:
        return None
    before, now = (_classes(side, feed.target) for side in (feed.reference, feed.current))
    if not before or not now:
        return None
    if not before & now:
        return (
            f"the target {feed.target[:100]!r} has the classes {_examples(sorted(now))}, and in the "
            f"reference {_examples(sorted(before))}"
        )
    known = {name.casefold(): name for name in before}
    respelt = sorted(name for name in now - before if name.casefold() in known)
    if respelt:
        before_it = known[respelt[0].casefold()][:40]
        return f"the target's class {respelt[0][:40]!r} is spelt {before_it!r} in the reference"
    return None


def _strange_classes(feed: Feed) -> Sequence[str]:
    before, now = (_classes(side, feed.target) for side in (feed.reference, feed.current))
    return sorted(now - before)


def _classes(table: pd.DataFrame, target: str) -> set[str]:
    return set(class_words(table[target].dropna().unique())) - {None}


def _type_of(values: pd.Series) -> str:
    if not len(values):
        return ""
    if pd.api.types.is_bool_dtype(values.dtype):
        return "booleans"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "numbers"
    kinds = {type(value) for value in values.head(1000)}
    return "booleans" if kinds == {bool} else "text"


Objection = Callable[[Feed], str | None]

OBJECTIONS: Final[tuple[Objection, ...]] = (
    constant_columns,
    empty_columns,
    target_of_another_type,
    renamed_classes,
)

OBJECTIONS_TO_A_FORCED_RETRAINING: Final[tuple[Objection, ...]] = (target_of_another_type, renamed_classes)
"""Who forces a retraining vouches for the columns; a champion of other classes stays incomparable."""


def require_usable(feed: Feed, *, forced: bool = False) -> None:
    """Raise DataError (DataNotUsable) if there are objections."""
    checks = OBJECTIONS_TO_A_FORCED_RETRAINING if forced else OBJECTIONS
    found = [said for check in checks if (said := check(feed)) is not None]
    if found:
        raise DataError(
            Reason.DATA_NOT_USABLE,
            f"The current data is not learnt from: {'; '.join(found)}. Repair the feed; if the data is "
            f"right, replace the reference, or exclude the columns by spec.dataset.columns.",
        )


def _in_both(feed: Feed) -> Sequence[str]:
    there = set(feed.reference.columns) & set(feed.current.columns)
    return [name for name in feed.columns if name in there]


def _listed(names: Sequence[str]) -> str:
    shown = some([repr(name[:100]) for name in names], _NAMES_SHOWN)
    return f"the column{'' if len(names) == 1 else 's'} {shown}"


def _examples(words: Sequence[Any]) -> str:
    return ", ".join(repr(str(word)[:40]) for word in words[:3]) + (", …" if len(words) > 3 else "")
