import pytest

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.capacity import Limits
from support.builders.objects import DEFAULTS, MINUTE, NOON, finished_job, job

CHECK = Purpose.CHECK
FIRST, SECOND, THIRD = (Key("team-a", name) for name in ("first", "second", "third"))


class Desk:
    """A capacity for one check at a time, and those whom it has called."""

    def __init__(self) -> None:
        self.store = Store()
        self.called: list[Key] = []
        self.capacity = Capacity(self.store, {CHECK: Limits(total=1)}, self.called.append)


@pytest.fixture
def desk() -> Desk:
    """Return an empty one."""
    return Desk()


def test_without_limits_everybody_may_start(desk):
    """And nobody is kept track of."""
    free = Capacity(desk.store, {}, desk.called.append)

    assert all(free.admits(key, CHECK, NOON) for key in (FIRST, SECOND, THIRD))
    assert (free.waiting(CHECK), desk.called, DEFAULTS.ttl_seconds > 0) == (0, [], True)


def test_workers_that_ask_at_the_same_time_do_not_all_get_the_last_place(desk):
    """A turn counts from when it is given, not from when its Job is there."""
    assert [desk.capacity.admits(key, CHECK, NOON) for key in (FIRST, SECOND, FIRST)] == [True, False, True]
    assert desk.capacity.waiting(CHECK) == 1


def test_the_end_of_a_job_calls_the_next(desk):
    """Whose turn it is, is told; nobody asks again and again."""
    desk.capacity.admits(FIRST, CHECK, NOON)
    desk.capacity.admits(SECOND, CHECK, NOON + MINUTE)
    desk.capacity.admits(THIRD, CHECK, NOON)
    desk.store.put_job(job(), "1")
    desk.capacity.settle(FIRST)
    assert desk.called == []

    desk.store.put_job(finished_job(), "2")
    desk.capacity.give_turns()

    assert desk.called == [THIRD]
    assert desk.capacity.admits(THIRD, CHECK, NOON)
    assert not desk.capacity.admits(SECOND, CHECK, NOON)


def test_a_turn_that_is_not_wanted_any_more_goes_to_the_next(desk):
    """It was suspended meanwhile, or is gone."""
    desk.capacity.admits(FIRST, CHECK, NOON)
    desk.capacity.admits(SECOND, CHECK, NOON)

    desk.capacity.settle(FIRST)

    assert desk.called == [SECOND]


def test_who_waits_for_one_thing_may_go_on_with_another(desk):
    """A check that waits for its turn keeps it while a retraining of the same monitor is started."""
    desk.capacity.admits(FIRST, CHECK, NOON)
    desk.capacity.admits(SECOND, CHECK, NOON)
    assert desk.capacity.admits(SECOND, Purpose.RETRAIN, NOON)

    desk.capacity.settle(SECOND, CHECK, Purpose.RETRAIN)

    assert desk.capacity.waiting(CHECK) == 1
