"""Infers the type of a CSV column: integers, numbers, booleans or text. Pure.

As in pandas, the type fits ALL values of a column in all files: one word among the numbers makes it a text
column, in which 007 keeps its zeros. The type is never inferred from the first block of rows alone.
"""

from collections.abc import Collection
from enum import Enum, auto

import pyarrow as pa


class Spelling(Enum):
    """The narrowest type that fits all texts of a column so far."""

    NOTHING = auto()
    INTEGERS = auto()
    NUMBERS = auto()
    BOOLEANS = auto()
    TEXT = auto()

    @property
    def type(self) -> pa.DataType:
        """Return the Arrow type; a column of only gaps is numerical, as in pandas."""
        return {Spelling.INTEGERS: pa.int64(), Spelling.BOOLEANS: pa.bool_(), Spelling.TEXT: pa.string()}.get(
            self, pa.float64()
        )


_NEXT = {
    Spelling.NOTHING: (Spelling.INTEGERS, Spelling.NUMBERS, Spelling.BOOLEANS),
    Spelling.INTEGERS: (Spelling.INTEGERS, Spelling.NUMBERS),
    Spelling.NUMBERS: (Spelling.NUMBERS,),
    Spelling.BOOLEANS: (Spelling.BOOLEANS,),
}
_TRUE = ("True", "TRUE", "true")
_FALSE = ("False", "FALSE", "false")


class TextTypes:
    """The spellings of all columns, updated batch by batch."""

    def __init__(self, names: Collection[str], as_text: Collection[str]) -> None:
        self.spellings = {name: Spelling.TEXT if name in as_text else Spelling.NOTHING for name in names}

    def observe(self, batch: pa.RecordBatch) -> None:
        """Update the spellings with a batch of text columns."""
        for name, spelling in self.spellings.items():
            if spelling is not Spelling.TEXT:
                self.spellings[name] = _narrowed(spelling, batch.column(name))


def _narrowed(spelling: Spelling, texts: pa.Array) -> Spelling:
    if texts.null_count == len(texts):
        return spelling
    return next((each for each in _NEXT[spelling] if _fits(texts, each)), Spelling.TEXT)


def _fits(texts: pa.Array, spelling: Spelling) -> bool:
    try:
        parsed(texts, spelling)
    except pa.ArrowInvalid:
        return False
    return True


def parsed(texts: pa.Array, spelling: Spelling) -> pa.Array:
    """Convert texts to the type of a spelling.

    Raises:
        pa.ArrowInvalid: A text has another type.
    """
    if spelling is Spelling.TEXT:
        return texts
    if spelling is Spelling.BOOLEANS:
        return _booleans(texts)
    try:
        return texts.cast(spelling.type)
    except pa.ArrowInvalid:
        from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for texts only

        return pc.utf8_trim_whitespace(texts).cast(spelling.type)


def _booleans(texts: pa.Array) -> pa.Array:
    from pyarrow import compute as pc  # noqa: PLC0415  0.03 s, for texts only

    true, false = (pc.is_in(texts, pa.array(words)) for words in (_TRUE, _FALSE))
    if not pc.all(pc.or_(pc.or_(true, false), texts.is_null())).as_py():
        raise pa.ArrowInvalid("neither true nor false")
    return pc.if_else(texts.is_null(), pa.scalar(None, pa.bool_()), true)
