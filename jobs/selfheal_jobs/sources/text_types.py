"""Infers the type of a CSV column: integers, numbers, booleans or text. Pure.

As in pandas, the type fits ALL values of a column in all files: one word among the numbers makes it a text
column, in which 007 keeps its zeros. The type is never inferred from the first block of rows alone.

Words such as NA, None and null are gaps among numbers and booleans. In a text column they are words: None is
a severity, NA is Namibia, and only the empty field is a gap, as in Parquet.
"""

import math
from collections.abc import Collection
from enum import Enum, auto
from functools import cached_property, partial
from typing import Final

import pyarrow as pa

from selfheal_jobs.tables.arrow_buffers import characters, plain_numbers, slots
from selfheal_jobs.tables.exact_integers import MOST_EXACT


class Spelling(Enum):
    """The narrowest type that fits all texts of a column so far."""

    NOTHING = auto()
    INTEGERS = auto()
    UNSIGNED = auto()
    """Integers of which some are too large for 64 bits with a sign."""
    NUMBERS = auto()
    BOOLEANS = auto()
    TEXT = auto()

    @property
    def type(self) -> pa.DataType:
        """Return the Arrow type; a column of only gaps is numerical, as in pandas."""
        return _TYPES.get(self, pa.float64())


_TYPES: Final = {
    Spelling.INTEGERS: pa.int64(),
    Spelling.UNSIGNED: pa.uint64(),
    Spelling.BOOLEANS: pa.bool_(),
    Spelling.TEXT: pa.string(),
}
_NEXT: Final = {
    Spelling.NOTHING: (Spelling.INTEGERS, Spelling.UNSIGNED, Spelling.NUMBERS, Spelling.BOOLEANS),
    Spelling.INTEGERS: (Spelling.INTEGERS, Spelling.UNSIGNED, Spelling.NUMBERS),
    Spelling.UNSIGNED: (Spelling.UNSIGNED, Spelling.NUMBERS),
    Spelling.NUMBERS: (Spelling.NUMBERS,),
    Spelling.BOOLEANS: (Spelling.BOOLEANS,),
}
_TRUE: Final = ("True", "TRUE", "true")
_FALSE: Final = ("False", "FALSE", "false")
_GAPS: Final = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
    *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""The strings that pandas reads as missing values."""
_FIRST_ROWS: Final = 100
"""Of each batch. Most types that do not fit fail here, before the whole batch is converted."""
_INTEGER: Final = r"^[+-]?\d+$"


class InexactError(Exception):
    """A column has integers that its type, float64, would round."""


class TextTypes:
    """The spellings of all columns, updated batch by batch."""

    def __init__(self, names: Collection[str], as_text: Collection[str]) -> None:
        self.declared = frozenset(as_text)
        """Columns that are text whatever they hold."""
        self.spellings = {name: Spelling.TEXT if name in as_text else Spelling.NOTHING for name in names}
        self._signs: set[str] = set()
        """Columns with a negative number: they cannot be unsigned."""

    def observe(self, batch: pa.RecordBatch) -> None:
        """Update the spellings with a batch of text columns."""
        for name, spelling in self.spellings.items():
            if spelling is not Spelling.TEXT:
                self.spellings[name] = self._narrowed(name, batch.column(name))

    def _narrowed(self, name: str, texts: pa.Array) -> Spelling:
        spelling, written, head = self.spellings[name], _Written(texts), _Written(texts[:_FIRST_ROWS])
        if texts.null_count == len(texts):
            return spelling
        for each in _NEXT[spelling]:
            if each is Spelling.UNSIGNED and name in self._signs:
                continue
            if not head.fits(each) or (values := written.parsed_or_none(each)) is None:
                continue
            if each is Spelling.INTEGERS and _has_negative(values):
                self._signs.add(name)
            if each is Spelling.NUMBERS and _are_long_codes(written, values, spelling):
                return Spelling.TEXT
            return spelling if values.null_count == len(values) else each
        return Spelling.TEXT


def _are_long_codes(written: "_Written", values: pa.Array, before: Spelling) -> bool:
    """Return whether texts are integers that no type holds exactly, such as codes of twenty digits."""
    return (before is Spelling.UNSIGNED or not _is_small(values)) and written.are_integers()


def _has_negative(integers: pa.Array) -> bool:
    numbers = plain_numbers(integers)
    return bool(len(numbers) and numbers.min() < 0)


def parsed(texts: pa.Array, spelling: Spelling) -> pa.Array:
    """Convert texts to the type of a spelling.

    Raises:
        pa.ArrowInvalid: A text has another type.
        InexactError: A text is an integer that float64 would round.
    """
    if spelling is Spelling.TEXT:
        return texts
    written = _Written(texts)
    if spelling is not Spelling.NUMBERS:
        return written.parsed(spelling)
    try:
        values = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        values = written.parsed(spelling)
    return values if _is_small(values) else written.exact_numbers()


def _is_small(values: pa.Array) -> bool:
    """Return whether no number is NaN or so large that an integer may have been rounded to it."""
    numbers = slots(values)  # those of gaps are 0
    return not len(numbers) or bool(numbers.min() > -MOST_EXACT and numbers.max() < MOST_EXACT)


class _Written:
    """Texts of one batch."""

    def __init__(self, texts: pa.Array) -> None:
        self._texts = texts

    def fits(self, spelling: Spelling) -> bool:
        """Return whether all texts have the type of a spelling."""
        return self.parsed_or_none(spelling) is not None

    def parsed_or_none(self, spelling: Spelling) -> pa.Array | None:
        """Convert the texts; return None if one has another type."""
        try:
            return self.parsed(spelling)
        except pa.ArrowInvalid:
            return None

    def parsed(self, spelling: Spelling) -> pa.Array:
        """Convert the texts; raise pa.ArrowInvalid if one has another type."""
        match spelling:
            case Spelling.BOOLEANS:
                convert = _booleans
            case Spelling.INTEGERS | Spelling.UNSIGNED:
                convert = partial(_integers, kind=spelling.type)
            case _:
                convert = partial(pa.Array.cast, target_type=spelling.type)
        try:
            return convert(self._texts)
        except pa.ArrowInvalid:
            return convert(self._without_gap_words)

    def exact_numbers(self) -> pa.Array:
        """Return numbers; raise InexactError if one is an integer that float64 would round."""
        from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for few texts only

        texts = self._without_gap_words
        values = texts.cast(pa.float64())
        large = pc.fill_null(pc.greater_equal(pc.abs(values), float(MOST_EXACT)), False)
        integers = pc.and_(large, pc.fill_null(pc.match_substring_regex(texts, _INTEGER), False))
        written = zip(texts.filter(integers).to_pylist(), values.filter(integers).to_pylist(), strict=True)
        if any(not math.isfinite(value) or int(text) != value for text, value in written):
            raise InexactError
        return values

    def are_integers(self) -> bool:
        """Return whether all texts but gaps are integers of any length."""
        from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for few texts only

        return bool(pc.all(pc.match_substring_regex(self._without_gap_words, _INTEGER)).as_py())

    @cached_property
    def _without_gap_words(self) -> pa.Array:
        """Return the texts without surrounding whitespace, and null for gap words."""
        from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for texts only

        trimmed = pc.utf8_trim_whitespace(self._texts)
        return pc.if_else(pc.is_in(trimmed, pa.array(_GAPS)), pa.scalar(None, pa.string()), trimmed)


def _integers(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Convert decimal texts; Arrow itself takes 0x1f, which is a code, and not +1."""
    found = characters(texts)
    if b"+" in found or b"x" in found or b"X" in found:
        from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for few texts only

        if pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py():
            raise pa.ArrowInvalid("hexadecimal")
        texts = pc.replace_substring_regex(texts, pattern=r"^\+(\d)", replacement=r"\1")
    return texts.cast(kind)


def _booleans(texts: pa.Array) -> pa.Array:
    from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for texts only

    true, false = (pc.is_in(texts, pa.array(words)) for words in (_TRUE, _FALSE))
    if not pc.all(pc.or_(pc.or_(true, false), texts.is_null())).as_py():
        raise pa.ArrowInvalid("neither true nor false")
    return pc.if_else(texts.is_null(), pa.scalar(None, pa.bool_()), true)
