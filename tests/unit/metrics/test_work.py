import asyncio
import contextlib

import pytest

from selfheal_operator.metrics.work import Works
from support.fakes.timers import Timer


@pytest.fixture
def timer() -> Timer:
    """Return a timer."""
    return Timer()


@pytest.fixture
def works(timer) -> Works:
    """Return no work."""
    return Works(timer)


def test_where_nothing_is_done_nothing_is_stuck(works):
    """An operator that has had nothing to do for a night is well."""
    works.moved()
    assert (works.longest(), works.longest_standstill()) == (0, 0)


def test_a_call_that_ends_shows_that_the_work_goes_on(works, timer):
    """It lasts as long as before, but it does not stand still."""
    with works.work():
        timer.now += 50
        works.moved()
        timer.now += 20
        assert (works.longest(), works.longest_standstill()) == (70, 20)


def test_work_that_has_ended_is_forgotten(works, timer):
    """Whether it ended well or not."""
    with contextlib.suppress(ValueError), works.work():
        timer.now += 50
        raise ValueError("no")
    assert (works.longest(), works.longest_standstill()) == (0, 0)


def test_waiting_on_purpose_is_no_standing_still(works, timer):
    """It counts from when the wait is over."""
    with works.work():
        with works.wait():
            timer.now += 50
            assert (works.longest(), works.longest_standstill()) == (50, 0)
        timer.now += 20
        assert (works.longest(), works.longest_standstill()) == (70, 20)


def test_who_works_on_nothing_may_wait_as_well(works):
    """Lists are made by nobody's work."""
    with works.wait():
        assert works.longest_standstill() == 0


async def test_calls_for_one_work_say_nothing_of_another(works, timer):
    """One worker that is stuck is found, however busy the others are."""
    stuck, release = asyncio.Event(), asyncio.Event()

    async def stick() -> None:
        with works.work():
            stuck.set()
            await release.wait()

    task = asyncio.create_task(stick())
    await stuck.wait()
    timer.now += 50
    with works.work():
        works.moved()
        assert works.longest_standstill() == 50
    release.set()
    await task
    assert works.longest_standstill() == 0


async def test_a_call_made_in_a_task_of_its_own_counts_for_the_work_that_waits_for_it(works, timer):
    """Two requests at the same time are two tasks."""

    async def call() -> None:
        works.moved()

    with works.work():
        timer.now += 50
        await asyncio.create_task(call())
        assert works.longest_standstill() == 0
