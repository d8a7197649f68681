import pytest

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.capacity import Limits
from selfheal_operator.core.plan import CreateJob, Plan
from support.builders.objects import MINUTE, NOON, finished_job, job, monitor_body

CHECK = Purpose.CHECK
ONE_AT_A_TIME = Limits(total=1)
FIRST, SECOND, THIRD = (Key("team-a", name) for name in ("first", "second", "third"))


class Desk:
    """A capacity for one check at a time, and those whom it has called."""

    def __init__(self, limits: Limits = ONE_AT_A_TIME) -> None:
        self.store = Store()
        self.store.put_monitor(monitor_body())
        self.called: list[Key] = []
        self.capacity = Capacity(self.store, {CHECK: limits}, self.called.append)

    def want(self, key: Key, slot=NOON, purpose: Purpose = CHECK) -> bool:
        """Decide for a monitor that wants a Job as a look does; return whether it may start it."""
        if held := purpose in self.capacity.held(key):
            self.capacity.settle(key, Plan(waiting={purpose: slot}))
        else:
            self.capacity.settle(key, Plan(step=CreateJob(purpose, {}, slot)))
        return not held


@pytest.fixture
def desk() -> Desk:
    """Return an empty one."""
    return Desk()


def test_without_limits_everybody_may_start():
    """And nobody is kept track of."""
    free = Desk(Limits())

    assert all(free.want(key) for key in (FIRST, SECOND, THIRD))
    assert (free.capacity.waiting(CHECK), free.called) == (0, [])


def test_workers_that_ask_at_the_same_time_do_not_all_get_the_last_place(desk):
    """A turn counts from when it is given, not from when its Job is there."""
    assert [desk.want(key) for key in (FIRST, SECOND, FIRST)] == [True, False, True]
    assert desk.capacity.waiting(CHECK) == 1


def test_the_end_of_a_job_calls_the_next(desk):
    """Whose turn it is, is told; nobody asks again and again."""
    desk.want(FIRST)
    desk.want(SECOND, NOON + MINUTE)
    desk.want(THIRD)
    desk.store.put_job(job(), "1")
    desk.capacity.settle(FIRST)
    assert desk.called == []

    desk.store.put_job(finished_job(), "2")
    desk.capacity.give_turns()

    assert desk.called == [THIRD]
    assert desk.want(THIRD)
    assert not desk.want(SECOND)


def test_who_comes_after_the_end_of_a_job_goes_behind_those_who_wait(desk):
    """Also where nobody has told of the end yet."""
    desk.want(FIRST)
    desk.want(SECOND)
    desk.capacity.settle(FIRST)

    assert not desk.want(THIRD)
    assert desk.called == [SECOND]


def test_who_waits_in_a_full_namespace_keeps_no_other_waiting():
    """Its place is not theirs."""
    desk = Desk(Limits(per_namespace=1))
    desk.want(FIRST)

    assert not desk.want(SECOND)
    assert desk.want(Key("team-b", "first"))


def test_a_turn_that_is_not_wanted_any_more_goes_to_the_next(desk):
    """It was suspended meanwhile, or is gone."""
    desk.want(FIRST)
    desk.want(SECOND)

    desk.capacity.settle(FIRST)

    assert desk.called == [SECOND]


def test_who_waits_for_one_thing_may_go_on_with_another(desk):
    """A check that waits for its turn keeps it while a retraining of the same monitor is started."""
    desk.want(FIRST)
    desk.want(SECOND)
    assert Purpose.RETRAIN not in desk.capacity.held(SECOND)

    desk.capacity.settle(SECOND, Plan(step=CreateJob(Purpose.RETRAIN, {}, NOON), waiting={CHECK: NOON}))

    assert desk.capacity.waiting(CHECK) == 1
