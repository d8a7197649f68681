import pytest
from msgspec.structs import replace

from selfheal_jobs.columns.infer_kind import Skipped, infer_kind
from selfheal_jobs.columns.numbers_as_text import NumbersAsText, compared_as_words, told_numbers
from selfheal_jobs.tables.content import Content, Values


def texts(*values):
    """Return the content of a column of these texts."""
    return Content(holds=Values.TEXT, counts={value: values.count(value) for value in values})


@pytest.mark.parametrize(
    "number",
    ["1", "-1.5", "+.5", "2e-3", " 7 ", "1,5", "1.234,56", "1,234.5", "1 234,5", "$5", "7 %", "-€1,5"],
)
def test_numbers_are_recognised_however_they_are_written(number):
    """With a point, with a comma, and with thousands."""
    assert NumbersAsText.of([(number, 1)]).are_numbers


@pytest.mark.parametrize("word", ["", "a", "1a", "1,2,3", "--1", "2026-11-22", "12:30"])
def test_words_are_not(word):
    """Nor dates, times and lists."""
    assert not NumbersAsText.of([(word, 1)]).are_numbers


def test_a_column_is_called_numbers_from_one_half_on():
    """Of its values, not of its distinct ones."""
    assert told_numbers(texts("1.5", "1.5", "a", "b")) == ": 2 of 4 values are numbers"
    assert told_numbers(texts("1.5", "2.5", "a", "b", "c")) == ""


def test_numbers_that_are_skipped_as_text_are_named():
    """Decimal commas on both sides would else pass for free text."""
    found = infer_kind("price", texts(*(f"{number},25" for number in range(30))))

    assert found == Skipped(
        "price", "its numbers are text, written with commas (30 of 30 looked at)", is_fault=True
    )


def test_keys_of_digits_are_identifiers():
    """Text that holds nothing but digits is meant to be text."""
    found = infer_kind("customer", texts(*(f"{number:05}" for number in range(30))))

    assert found == Skipped("customer", "nearly every value differs: free text or identifiers")


def test_digits_of_a_csv_column_are_numbers_but_for_a_word_further_on():
    """The values that are looked at may be too few to meet it."""
    digits = texts(*(f"{number:05}" for number in range(30)))

    found = infer_kind("cents", replace(digits, inferred=True))

    said = "text, but 30 of the 30 values looked at are numbers, and another follows"
    assert found == Skipped("cents", said, is_fault=True)


def test_a_stray_word_in_a_compared_column_is_told():
    """Few distinct numbers and one word are compared as categories."""
    assert compared_as_words(texts(*["1.5", "2.5"] * 20, "unknown")) == "40 of 41 values are numbers"
    assert compared_as_words(texts("a", "b")) is None
