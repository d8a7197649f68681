from collections import Counter

import pytest

from chaos.faults import OF_PROMOTIONS, OPERATORS, Kind, Target, targets_of
from chaos.plan import plan_faults


def test_the_same_seed_gives_the_same_faults():
    """What failed can be repeated."""
    assert plan_faults(7, 200) == plan_faults(7, 200)
    assert plan_faults(7, 200) != plan_faults(8, 200)


@pytest.mark.parametrize("count", [len(Kind), 80, 1000])
def test_every_kind_is_in_every_list_that_has_room_for_it(count):
    """Also in the short one that runs before each change."""
    faults = plan_faults(1, count)

    assert len(faults) == count
    assert {fault.kind for fault in faults} == set(Kind)
    assert [fault.number for fault in faults] == list(range(1, count + 1))


def test_a_list_can_have_some_kinds_only():
    """Such as what can come between the steps of a promotion."""
    assert {fault.kind for fault in plan_faults(1, 500, OF_PROMOTIONS)} == set(OF_PROMOTIONS)


def test_kinds_come_by_their_shares():
    """Deaths between two calls are what the list is about."""
    struck = Counter(fault.kind for fault in plan_faults(1, 5000))

    assert struck[Kind.KILL_BEFORE] + struck[Kind.KILL_AFTER] > 0.15 * 5000
    assert struck[Kind.SERVER_KILL] < 0.02 * 5000


def test_every_fault_strikes_whom_it_can_strike_and_operators_evenly():
    """Those of one target strike one after another: the longest list is what a run takes."""
    faults = plan_faults(3, 900)

    assert all(fault.target in targets_of(fault.kind) for fault in faults)
    struck = Counter(fault.target for fault in faults)
    assert set(struck) == set(Target)
    assert max(struck[name] for name in OPERATORS) < 1.25 * min(struck[name] for name in OPERATORS)


def test_a_short_list_has_kinds_of_all_sorts():
    """Fewer than there are kinds: they are drawn without one coming twice."""
    kinds = [fault.kind for fault in plan_faults(5, 10)]

    assert len(set(kinds)) == 10
