import pytest

from selfheal_bench.check.targets import targets
from selfheal_bench.check.usage import Ratio


def ratio(wall=0.01, memory=0.1):
    """Return ours divided by Evidently's."""
    return Ratio(wall=wall, cpu=wall, memory=memory)


@pytest.mark.parametrize(("size", "most"), [("S", 0.08), ("M", 0.08), ("L", 0.03), ("W", 0.03)])
def test_a_target_is_met_up_to_its_limit(size, most):
    """Exactly the limit is still met; the least more is not."""
    (at, _), (above, _) = targets({size: ratio(wall=most)}), targets({size: ratio(wall=most + 1e-6)})

    assert (at.met, above.met) == (True, False)


def test_memory_has_a_target_at_each_size():
    """It is the same everywhere."""
    found = [
        each for each in targets({"S": ratio(memory=0.4), "W": ratio(memory=0.41)}) if each.figure == "memory"
    ]

    assert [(each.size, each.met) for each in found] == [("S", True), ("W", False)]


def test_what_was_not_measured_is_neither_met_nor_missed():
    """Without Evidently's figures nobody knows."""
    wall, memory = targets({"L": None})

    assert (wall.met, memory.met) == (None, None)
    assert wall.sentence == "L: wall at most 0.03 of Evidently's: not measured"


def test_a_missed_target_is_said_in_capitals():
    """Whoever skims the output finds it."""
    wall, memory = targets({"M": ratio(wall=0.1, memory=0.3)})

    assert wall.sentence == "M: wall at most 0.08 of Evidently's: 0.100, MISSED"
    assert memory.sentence == "M: memory at most 0.4 of Evidently's: 0.300, met"
