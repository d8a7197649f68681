from pathlib import Path

import pytest

from datafuzz.__main__ import outcome
from datafuzz.inputs import KINDS


@pytest.mark.parametrize(
    "number", range(2 * len(KINDS)), ids=lambda number: sorted(KINDS)[number % len(KINDS)]
)
def test_every_kind_of_hostile_data_ends_in_a_sentence(tmp_path: Path, number: int) -> None:
    """Two inputs of each kind; `make fuzz-data` goes through thousands."""
    assert outcome(number, tmp_path)["wrong"] == ""
