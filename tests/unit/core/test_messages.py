import pytest

from selfheal_operator.core.messages import LONGEST_MESSAGE, shortened


@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
def test_a_message_is_cut_by_its_bytes_and_between_letters(letter):
    """An object's size is counted in bytes."""
    fits = letter * (LONGEST_MESSAGE // len(letter.encode()))
    cut = shortened(fits + letter)

    assert shortened(fits) == fits
    assert LONGEST_MESSAGE - len(letter.encode()) < len(cut.encode()) <= LONGEST_MESSAGE
    assert cut.rstrip("…") == letter * (len(cut) - 1)
