"""Infers from the reference alone whether a column is compared as numerical or categorical, or skipped.

If kinds also depended on the current data, they could change from one check to the next, and the tests with
them. The rules are those of Evidently 0.7 (`evidently.core.datasets.infer_column_type`), with two differences
that avoid false alarms: dates are also recognised in text, since CSV has no date type, and text whose values
are nearly all distinct is skipped instead of being compared with a domain classifier.
"""

import re
from typing import Final

from msgspec import Struct

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.numbers_as_text import why_no_numbers
from selfheal_jobs.tables.content import Content, Values

FEW_INTEGERS: Final = 10
"""Integers with at most this many distinct values are categories: Evidently's INTEGER_CARDINALITY_LIMIT."""

NEARLY_UNIQUE: Final = 0.5
"""Text with more distinct values than this share of its rows is free text or identifiers, as in Evidently."""

_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?"
    r"|(19|20)\d{2}([-/](0[1-9]|1[0-2])|-?W[0-5]\d|[- ]?Q[1-4])"
)
"""Also months, weeks and quarters of a year, such as 2026-11, 2026-W48 and 2026Q4."""


class Column(Struct, frozen=True):
    """A column that is compared."""

    name: str
    kind: Kind
    holds: Values
    declared: bool = False
    """Whether its values are declared to be categories: by the spec, or by the file's own type."""


class Skipped(Struct, frozen=True):
    """A column that is not compared, and why."""

    name: str
    reason: str
    is_fault: bool = False
    """Whether it is probably not meant to be skipped, so that the message names it."""
    reference_null_share: float | None = None
    """Share of the reference's rows without a value, for a column that has none in the current data."""
    of_the_row: bool = False
    """Whether it tells which row it is in, or when the row was made: a row number, an identifier, a time."""


def infer_kind(name: str, found: Content) -> Column | Skipped:
    """Return the kind of a column of the reference, or why it is skipped."""
    match found.holds:
        case Values.NOTHING:
            return Skipped(name, "no values in the reference")
        case Values.OTHER:
            return Skipped(name, "its values are neither numbers, booleans nor text")
        case Values.DATES:
            return Skipped(name, "dates always move on")
        case Values.TEXT if _looks_like_dates(found):
            return Skipped(name, "dates always move on")
        case Values.TEXT if found.open_ended or len(found.counts) > NEARLY_UNIQUE * found.rows:
            why = why_no_numbers(found)
            return Skipped(
                name, why or "nearly every value differs: free text or identifiers", is_fault=bool(why)
            )
    return Column(name, _kind(found), found.holds, found.categorical)


def _kind(found: Content) -> Kind:
    if found.holds is not Values.NUMBERS or found.categorical:
        return Kind.CATEGORICAL
    few = found.whole and not found.has_more_numbers_than(FEW_INTEGERS)
    return Kind.CATEGORICAL if few else Kind.NUMERICAL


def _looks_like_dates(found: Content) -> bool:
    return all(_ISO_TIME.fullmatch(value) for value in found.counts)
