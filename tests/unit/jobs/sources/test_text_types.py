import pyarrow as pa
import pytest

from selfheal_jobs.sources.text_types import InexactError, Spelling, TextTypes, parsed


def spelt(*batches, as_text=()):
    """Return the spelling of a column, and its values."""
    types = TextTypes(["x"], as_text)
    arrays = [pa.array(batch, pa.string()) for batch in batches]
    for array in arrays:
        types.observe(pa.record_batch([array], names=["x"]))
    spelling = types.spellings["x"]
    return spelling, [value for array in arrays for value in parsed(array, spelling).to_pylist()]


@pytest.mark.parametrize("word", ["NA", "None", "null", "n/a", "NaN", "#N/A"])
def test_a_gap_word_is_a_gap_among_numbers_and_booleans_and_a_word_among_words(word):
    """Whichever comes first."""
    assert spelt([word, "1"]) == (Spelling.INTEGERS, [None, 1])
    assert spelt([word], ["1"]) == (Spelling.INTEGERS, [None, 1])
    assert spelt(["1.5", word, " "]) == (Spelling.NUMBERS, [1.5, None, None])
    assert spelt(["True", word]) == (Spelling.BOOLEANS, [True, None])
    assert spelt([word], ["Mild"]) == (Spelling.TEXT, [word, "Mild"])
    assert spelt([None, word], as_text=["x"]) == (Spelling.TEXT, [None, word])


def test_gap_words_alone_are_gaps():
    """Nothing tells what they would be words of."""
    assert spelt(["NA", None]) == (Spelling.NOTHING, [None, None])


@pytest.mark.parametrize("word", ["-", "?", "unknown"])
def test_any_other_word_makes_a_column_text(word):
    """Also in its last row."""
    assert spelt(["1", "2"], [word]) == (Spelling.TEXT, ["1", "2", word])


@pytest.mark.parametrize("code", ["0x1f", "0X1F", "0x"])
def test_a_hexadecimal_code_is_text(code):
    """As in pandas, also beside decimal numbers, before or after them."""
    assert spelt([code, "1"]) == (Spelling.TEXT, [code, "1"])
    assert spelt(["1"] * 200, [code]) == (Spelling.TEXT, ["1"] * 200 + [code])
    assert spelt([code], [str(2**63)])[0] is Spelling.TEXT


def test_an_integer_may_have_a_plus_sign():
    """As in pandas; a sign alone, or two of them, are text."""
    assert spelt(["+1", "-2", " +3", "NA"]) == (Spelling.INTEGERS, [1, -2, 3, None])
    assert spelt(["1"], [None, f"+{2**63}"]) == (Spelling.UNSIGNED, [1, None, 2**63])
    assert spelt(["+1", "0.5"]) == (Spelling.NUMBERS, [1, 0.5])
    for text in ("+", "+-1", "++1"):
        assert spelt([text, "+1"]) == (Spelling.TEXT, [text, "+1"])


def test_integers_beyond_63_bits_have_no_sign():
    """2**63 does, and one below does not need it."""
    assert spelt([str(2**63 - 1)])[0] is Spelling.INTEGERS
    assert spelt(["5"], [str(2**63)]) == (Spelling.UNSIGNED, [5, 2**63])


@pytest.mark.parametrize(
    "texts", [[str(2**64)], [str(2**63), "-1"], ["-1", str(2**63)], ["12345678901234567890123"]]
)
def test_integers_that_no_type_holds_are_text(texts):
    """They are codes, which text holds exactly."""
    assert spelt(texts) == (Spelling.TEXT, texts)
    assert spelt(*[[text] for text in texts]) == (Spelling.TEXT, texts)


def test_integers_among_fractions_are_not_rounded():
    """2**53 is exact; the next one is an error that the caller names a column in."""
    assert spelt(["0.5", str(2**53)]) == (Spelling.NUMBERS, [0.5, float(2**53)])
    with pytest.raises(InexactError):
        spelt(["0.5", str(2**53 + 1)])
    assert spelt(["0.5", "1e300"]) == (Spelling.NUMBERS, [0.5, 1e300])
