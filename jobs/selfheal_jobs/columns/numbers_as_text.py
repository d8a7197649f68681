"""Recognises numbers that were written as text: one stray word among them, or decimal commas. Pure."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, Self

from msgspec import Struct

from selfheal_jobs.tables.content import Content, Values

_UNIT: Final = r"\s*[$€£¥%]?\s*"
_SIGN: Final = _UNIT + r"[+-]?" + _UNIT
_POINT: Final = re.compile(_SIGN + r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?" + _UNIT)
_COMMA: Final = re.compile(_SIGN + r"(\d+|\d{1,3}([. '\u00a0]\d{3})+),\d+" + _UNIT)
_GROUPED: Final = re.compile(_SIGN + r"\d{1,3}(,\d{3})+(\.\d+)?" + _UNIT)
_DIGITS: Final = re.compile(r"\d+")
_WORDS_LOOKED_AT: Final = 1_000
"""Of a column with more distinct texts: the answer is for a message only."""
_FIRST_WORDS: Final = 20
_MOST: Final = 0.5
"""Share of a column's texts that must be numbers before it is called so."""


class NumbersAsText(Struct, frozen=True, kw_only=True):
    """How many of the texts of a column are numbers."""

    texts: int
    numbers: int
    commas: bool
    """Whether some are written with a decimal comma, or with commas between thousands."""
    digits: bool
    """Whether all are digits only, as the keys of rows often are."""

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> Self:
        """Count the numbers among texts."""
        texts = numbers = 0
        commas, digits = False, True
        for text, count in counts:
            texts += count
            comma = bool(_COMMA.fullmatch(text) or _GROUPED.fullmatch(text))
            commas = commas or comma
            numbers += count * bool(comma or _POINT.fullmatch(text))
            digits = digits and bool(_DIGITS.fullmatch(text))
        return cls(texts=texts, numbers=numbers, commas=commas, digits=digits)

    @property
    def are_numbers(self) -> bool:
        """Return whether the column holds numbers but for a few texts."""
        return self.texts > 0 and self.numbers >= _MOST * self.texts

    def __str__(self) -> str:
        commas = ", written with commas" if self.commas else ""
        return f"{self.numbers} of {self.texts} values are numbers{commas}"


def told_numbers(found: Content) -> str:
    """Return how many texts of a column are numbers, for a message; empty if most are none."""
    if found.holds is not Values.TEXT:
        return ""
    counted = NumbersAsText.of(found.counts.items())
    return f": {counted}" if counted.are_numbers else ""


def compared_as_words(found: Content) -> str | None:
    """Return how many texts of a compared column are numbers, if they are numbers but for a few."""
    if not _may_be_numbers(found):
        return None
    counted = NumbersAsText.of(found.counts.items())
    return str(counted) if counted.are_numbers and not counted.digits else None


def why_no_numbers(found: Content) -> str | None:
    """Return why a column of nearly unique texts is skipped, if they are numbers; None if they are not.

    Digits alone that are declared to be text are the keys of rows. In a CSV file, which declares nothing,
    they would be numbers but for another word further on.
    """
    if not _may_be_numbers(found):
        return None
    counted = NumbersAsText.of(islice(found.counts.items(), _WORDS_LOOKED_AT))
    if not counted.are_numbers or (counted.digits and not found.inferred):
        return None
    if counted.commas:
        return f"its numbers are text, written with commas ({counted.numbers} of {counted.texts} looked at)"
    further = ", and another follows" if counted.numbers == counted.texts and found.inferred else ""
    return f"text, but {counted.numbers} of the {counted.texts} values looked at are numbers{further}"


def _may_be_numbers(found: Content) -> bool:
    """Return whether there is a number among the first words: most columns of text have none."""
    return NumbersAsText.of(islice(found.counts.items(), _FIRST_WORDS)).numbers > 0
