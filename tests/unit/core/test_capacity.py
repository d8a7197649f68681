from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.core.capacity import Limits, Tally, WaitingRoom
from support.builders.objects import MINUTE, NOON


def called(room: WaitingRoom[str], limits: Limits, active: Counter[str]) -> list[str]:
    """Call until there is no room; those who are called become active."""
    order = []
    while (key := room.call(limits, active)) is not None:
        order.append(key)
        active[key.partition("/")[0]] += 1
    return order


def waiting(*keys: str) -> WaitingRoom[str]:
    """Have these wait, each a minute younger than the one before."""
    room = WaitingRoom[str]()
    for number, key in enumerate(keys):
        room.enter(key, key.partition("/")[0], NOON + number * MINUTE)
    return room


@pytest.mark.parametrize(
    ("limits", "active", "in_namespace", "room"),
    [
        (Limits(), 10_000, 10_000, True),
        (Limits(total=5), 4, 4, True),
        (Limits(total=5), 5, 0, False),
        (Limits(per_namespace=2), 10_000, 1, True),
        (Limits(per_namespace=2), 2, 2, False),
        (Limits(total=5, per_namespace=2), 4, 2, False),
    ],
)
def test_there_is_room_below_both_limits(limits, active, in_namespace, room):
    """Zero is no limit."""
    assert limits.leave_room(active, in_namespace) is room


def test_the_namespace_with_the_fewest_active_goes_first():
    """A thousand monitors of one team keep nobody else waiting."""
    room = waiting("a/1", "a/2", "a/3", "b/1", "c/1")

    assert called(room, Limits(total=5), Counter(a=1)) == ["b/1", "c/1", "a/1", "a/2"]


def test_between_equals_the_oldest_slot_goes_first():
    """Within a namespace, and between namespaces that have equally many."""
    room = WaitingRoom[str]()
    for key, age in (("a/new", 1), ("a/old", 9), ("b/middle", 5)):
        room.enter(key, key[0], NOON - age * MINUTE)

    assert called(room, Limits(), Counter()) == ["a/old", "b/middle", "a/new"]


def test_a_namespace_at_its_limit_is_passed_by():
    """Its turn comes when one of its own ends."""
    room = waiting("a/1", "b/1")
    assert called(room, Limits(per_namespace=1), Counter(a=1)) == ["b/1"]
    assert len(room) == 1

    assert called(room, Limits(per_namespace=1), Counter(b=1)) == ["a/1"]


def test_who_waits_keeps_the_place_and_who_leaves_loses_it():
    """A newer slot that came due meanwhile does not send it to the end."""
    room = waiting("a/1", "a/2")
    room.enter("a/1", "a", NOON + 10 * MINUTE)
    assert room.call(Limits(), Counter()) == "a/1"

    room.leave("a/2")
    room.leave("a/2")

    assert (len(room), room.call(Limits(), Counter())) == (0, None)


@given(
    arrivals=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 30)), max_size=30),
    total=st.integers(0, 6),
    per_namespace=st.integers(0, 3),
)
def test_the_limits_hold_and_nobody_waits_for_no_reason(arrivals, total, per_namespace):
    """Whoever comes in whatever order."""
    limits, room, active = Limits(total, per_namespace), WaitingRoom[str](), Counter[str]()
    for namespace, name, age in arrivals:
        room.enter(f"{namespace}/{name}", namespace, NOON - age * MINUTE)

    order = called(room, limits, active)

    assert not total or active.total() <= total
    assert not per_namespace or max(active.values(), default=0) <= per_namespace
    still_waiting = {namespace for namespace, name, _ in arrivals if f"{namespace}/{name}" not in order}
    assert not any(limits.leave_room(active.total(), active[namespace]) for namespace in still_waiting)


@given(
    waiting_in=st.lists(st.sampled_from("abcd"), max_size=40),
    running_in=st.lists(st.sampled_from("abcd"), max_size=20),
    total=st.integers(1, 40),
)
def test_no_namespace_gets_a_turn_while_one_with_fewer_active_jobs_waits(waiting_in, running_in, total):
    """The places are shared evenly (max-min fairness), whoever came first and however many of each wait."""
    room = waiting(*(f"{namespace}/{number}" for number, namespace in enumerate(waiting_in)))
    left, active = Counter(waiting_in), Counter(running_in)

    while (key := room.call(Limits(total), active)) is not None:
        namespace = key[0]
        assert all(active[namespace] <= active[other] for other in left)
        active[namespace] += 1
        left -= Counter(namespace)


@given(changes=st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 3)), max_size=20))
def test_a_tally_holds_the_sum_of_its_changes(changes):
    """Of each namespace, and of all; one without any is not held."""
    tally, expected = Tally(), Counter[str]()
    for namespace, change in changes:
        tally.add(namespace, change)
        expected[namespace] += change

    assert tally.total() == sum(expected.values())
    assert tally.by_namespace == {name: count for name, count in expected.items() if count}
    assert all(tally[name] == expected[name] for name in "abcd")
