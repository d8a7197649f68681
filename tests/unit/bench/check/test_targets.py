import pytest

from selfheal_bench.check.targets import drift_targets, floor_targets, targets
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


@pytest.mark.parametrize(("size", "most"), [("S", 1.6), ("M", 1.6), ("L", 3.0), ("W", 3.0)])
def test_a_check_takes_a_limited_multiple_of_the_floor(size, most):
    """Exactly the limit is still met; the least more is not. Memory has no target of its own here."""
    (at,), (above,) = floor_targets({size: ratio(wall=most)}), floor_targets({size: ratio(wall=most + 1e-6)})

    assert (at.met, above.met) == (True, False)
    assert at.sentence == f"{size}: wall at most {most:g} of the floor's: {most:.3f}, met"


@pytest.mark.parametrize(("size", "most"), [("M", 0.6), ("L", 0.2), ("W", 0.2)])
def test_a_check_with_drift_takes_a_share_of_evidentlys_time(size, most):
    """Both make the page."""
    (at,), (above,) = drift_targets({size: ratio(wall=most)}), drift_targets({size: ratio(wall=most + 1e-6)})

    assert (at.met, above.met) == (True, False)


def test_with_drift_there_is_no_target_at_the_smallest_size():
    """Nor one at a size that was not asked for."""
    assert list(drift_targets({"S": ratio()})) == []
