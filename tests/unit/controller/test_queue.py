import asyncio
import itertools
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.controller import queue as module
from selfheal_operator.controller.fair_line import FairLine
from selfheal_operator.controller.queue import WorkQueue
from support.builders.objects import DAY, HOUR, MINUTE, NOON, SECOND


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that shows noon."""
    return Clock()


@pytest.fixture
def queue(clock) -> WorkQueue[str]:
    """Return an empty queue."""
    return WorkQueue(clock)


async def taken(queue: WorkQueue[str]) -> str | None:
    """Return the next key, or None if a worker would have to wait for one."""
    try:
        return await asyncio.wait_for(queue.get(), timeout=0.01)
    except TimeoutError:
        return None


async def test_a_key_is_worked_on_once_however_often_it_was_added(queue):
    """Ten events of one monitor are one look at it."""
    for _ in range(10):
        queue.add("churn")

    assert await taken(queue) == "churn"
    assert await taken(queue) is None


async def test_keys_are_worked_on_in_the_order_of_their_adding(queue):
    """Nobody is overtaken, so nobody starves."""
    for key in ("churn", "fraud", "churn", "price"):
        queue.add(key)

    assert [await taken(queue) for _ in range(4)] == ["churn", "fraud", "price", None]


async def test_a_key_is_never_with_two_workers(queue):
    """What is added meanwhile waits until the first one gives the key back, and comes once."""
    queue.add("churn")
    assert await taken(queue) == "churn"
    queue.add("churn")
    queue.add("churn")
    assert await taken(queue) is None

    queue.done("churn")

    assert await taken(queue) == "churn"
    queue.done("churn")
    assert await taken(queue) is None


async def test_a_key_that_was_given_back_can_be_added_again(queue):
    """Nothing of the first round is left behind."""
    for _ in range(3):
        queue.add("churn")
        assert await taken(queue) == "churn"
        queue.done("churn")


async def test_workers_that_go_away_take_no_key_with_them(queue):
    """A worker that is cancelled while it waits has not been given anything."""
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    queue.add("churn")

    assert await taken(queue) == "churn"


async def test_a_queue_that_is_drained_gives_out_nothing_more(queue):
    """What waits is the next leader's."""
    queue.add("churn")
    await queue.drain()

    assert await taken(queue) is None


async def test_draining_waits_for_what_is_worked_on(queue):
    """A status that has been written wants its Event."""
    queue.add("churn")
    queue.add("fraud")
    assert [await taken(queue), await taken(queue)] == ["churn", "fraud"]
    draining = asyncio.create_task(queue.drain())
    queue.done("churn")
    await asyncio.sleep(0.01)
    assert not draining.done()

    queue.add("fraud")
    queue.done("fraud")

    await asyncio.wait_for(draining, timeout=3)
    assert await taken(queue) is None


async def test_what_is_looked_at_in_case_comes_last(queue, clock):
    """A new leader looks at everything; news and what comes due need not wait for that."""
    for key in ("a", "b", "c", "d"):
        queue.add_last(key)
    queue.add("d")
    queue.add("d")
    queue.add_at("c", NOON)
    queue.release_due(clock.now)

    assert [await taken(queue) for _ in range(5)] == ["c", "d", "a", "b", None]


async def test_tenants_are_served_in_turn(clock):
    """Five thousand monitors of one namespace that are due at once delay another's by one turn."""
    queue = WorkQueue[str](clock, tenant_of=lambda key: key[0])
    for number in range(5000):
        queue.add_at(f"a{number}", NOON)
    queue.add_at("b0", NOON + SECOND)
    queue.add_at("b1", NOON + SECOND)
    queue.release_due(NOON + SECOND)

    assert [await taken(queue) for _ in range(5)] == ["a0", "b0", "a1", "b1", "a2"]


async def test_a_key_of_higher_priority_costs_its_tenant_no_later_turn(clock):
    """It leaves the line that it stood in."""
    queue = WorkQueue[str](clock, tenant_of=lambda key: key[0])
    for key in ("b0", "a0", "a1", "b1"):
        queue.add_last(key)
    queue.add("b0")

    assert [await taken(queue) for _ in range(4)] == ["b0", "b1", "a0", "a1"]


@given(
    keys=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), unique=True, max_size=40),
    removed=st.sets(st.integers(0, 39)),
)
def test_no_tenant_waits_for_two_turns_of_another(keys, removed):
    """However many keys the others have: between two of its keys, each other tenant gets one turn at most."""
    line = FairLine[tuple[str, int]](lambda key: key[0])
    for key in keys:
        line.add(key)
    kept = [key for number, key in enumerate(keys) if number not in removed]
    for key in set(keys) - set(kept):
        line.remove(key)

    order = [line.take() for _ in range(len(line))]

    assert not line
    for tenant in {tenant for tenant, _ in kept}:
        own = [key for key in kept if key[0] == tenant]
        assert [key for key in order if key[0] == tenant] == own
        places = [-1, *(place for place, key in enumerate(order) if key[0] == tenant)]
        for before, after in itertools.pairwise(places):
            others = [other for other, _ in order[before + 1 : after]]
            assert len(others) == len(set(others))


async def test_what_is_added_again_and_again_stands_in_line_once(queue):
    """A line that is not served must not grow without an end."""
    for _ in range(1000):
        queue.add("churn")
        queue.add_last("churn")

    assert sum(len(line) for line in queue._lines.values()) == 1


# --- times --------------------------------------------------------------------------------------------------


async def test_a_key_is_due_at_its_time_and_not_a_second_before(queue, clock):
    """The slot itself is due."""
    queue.add_at("churn", NOON + MINUTE)

    clock.now = NOON + MINUTE - SECOND
    assert queue.release_due(clock.now) == SECOND
    assert await taken(queue) is None
    queue.release_due(NOON + MINUTE)
    assert await taken(queue) == "churn"


@pytest.mark.parametrize(
    ("case", "times", "due"),
    [
        ("later", [NOON + MINUTE, NOON + HOUR], NOON + HOUR),
        ("earlier", [NOON + HOUR, NOON + MINUTE], NOON + MINUTE),
        ("the same", [NOON + HOUR, NOON + HOUR], NOON + HOUR),
        ("there and back", [NOON + HOUR, NOON + MINUTE, NOON + HOUR], NOON + HOUR),
    ],
)
async def test_of_several_times_the_newest_one_counts(queue, case, times, due):
    """An edited schedule replaces the time that the old one had set."""
    for time in times:
        queue.add_at("churn", time)

    queue.release_due(due - SECOND)
    assert await taken(queue) is None, case
    queue.release_due(due)
    assert await taken(queue) == "churn", case
    queue.done("churn")
    queue.release_due(due + DAY)
    assert await taken(queue) is None, case


async def test_no_time_takes_the_time_away(queue):
    """A suspended monitor is woken up by its next edit only."""
    queue.add_at("churn", NOON + MINUTE)
    queue.add_at("churn", None)

    queue.release_due(NOON + DAY)

    assert await taken(queue) is None


async def test_a_time_that_comes_while_the_key_is_worked_on_leads_to_one_more_round(queue):
    """As an event would."""
    queue.add("churn")
    await taken(queue)
    queue.add_at("churn", NOON)
    queue.release_due(NOON)
    assert await taken(queue) is None

    queue.done("churn")

    assert await taken(queue) == "churn"


async def test_times_of_many_keys_are_kept_apart(queue):
    """Each comes at its own."""
    for minutes, key in ((3, "price"), (1, "churn"), (2, "fraud")):
        queue.add_at(key, NOON + minutes * MINUTE)

    queue.release_due(NOON + 2 * MINUTE)

    assert [await taken(queue) for _ in range(3)] == ["churn", "fraud", None]


async def test_replaced_times_do_not_pile_up(queue):
    """A yearly schedule is looked at every ten minutes all year: what was replaced has to go."""
    for look in range(10_000):
        queue.add_at("churn", NOON + 365 * DAY + look * SECOND)
        queue.add_at("fraud", NOON + 365 * DAY)

    assert len(queue._heap) < 100
    queue.release_due(NOON + 365 * DAY)
    assert await taken(queue) == "fraud"
    assert await taken(queue) is None


@pytest.fixture
async def running_clock(queue):
    """Have the queue's clock run."""
    running = asyncio.create_task(queue.run_clock())
    await asyncio.sleep(0.01)
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.usefixtures("running_clock")
async def test_a_time_that_is_set_while_the_clock_sleeps_wakes_it(queue, clock):
    """It had nothing to wait for, and would have slept for five seconds."""
    queue.add_at("churn", clock.now)

    assert await asyncio.wait_for(queue.get(), timeout=3) == "churn"


async def test_a_clock_that_is_stepped_forward_is_noticed(queue, clock, monkeypatch):
    """Asyncio sleeps by another clock: an hour asleep would be an hour late."""
    monkeypatch.setattr(module, "_LONGEST_SLEEP", SECOND / 20)  # five seconds in earnest
    queue.add_at("churn", NOON + HOUR)
    running = asyncio.create_task(queue.run_clock())
    assert await taken(queue) is None

    clock.now = NOON + HOUR

    assert await asyncio.wait_for(queue.get(), timeout=3) == "churn"
    running.cancel()


@pytest.mark.parametrize("step", [-HOUR, 0 * HOUR, HOUR])
async def test_the_wall_is_looked_at_every_few_seconds(queue, clock, step):
    """However far off the next time is, and however far the clock was stepped back."""
    queue.add_at("churn", NOON + DAY)
    clock.now = NOON + step

    assert 0 * SECOND < queue.release_due(clock.now) <= 5 * SECOND
    assert await taken(queue) is None


async def test_keys_whose_time_has_come_go_first(queue, clock):
    """A thousand Jobs that have just been started tell of themselves while the last ones are not started."""
    queue.add_at("due", NOON)
    queue.add_at("due too, and told of", NOON)
    for key in ("told of", "due too, and told of"):
        queue.add(key)
    running = asyncio.create_task(queue.run_clock())
    await asyncio.sleep(0)

    order = [await taken(queue) for _ in range(4)]
    running.cancel()

    assert order == ["due", "due too, and told of", "told of", None]


async def test_the_queue_tells_how_many_wait_and_since_when(queue, clock):
    """For the metrics."""
    assert (queue.depth, queue.oldest) == (0, None)
    queue.add("churn")
    clock.now += MINUTE
    queue.add("fraud")
    queue.add("churn")
    assert (queue.depth, queue.oldest) == (2, NOON)

    await queue.get()
    assert (queue.depth, queue.oldest) == (1, NOON + MINUTE)


async def test_the_clock_ends_when_it_is_cancelled_while_a_time_is_set(queue):
    """A leader loses its Lease: requests fail, their monitors are set for later, and all has to end."""
    running = asyncio.create_task(queue.run_clock())
    await asyncio.sleep(0.01)

    queue.add_at("churn", NOON + HOUR)
    running.cancel()
    ended, _ = await asyncio.wait([running], timeout=1)

    assert ended == {running}
