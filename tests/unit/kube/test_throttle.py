import asyncio

import pytest

from selfheal_operator.kube import throttle as module
from selfheal_operator.kube.throttle import LONGEST_HOLD, Throttle


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


@pytest.fixture
def time(monkeypatch) -> Time:
    """Return a clock in place of the real one."""
    time = Time()
    monkeypatch.setattr(f"{module.__name__}.asyncio.sleep", time.sleep)
    return time


async def sent(throttle: Throttle, time: Time, requests: int) -> list[float]:
    """Return after how many seconds each request may be sent, one after the other."""
    began, at = time.now, []
    for _ in range(requests):
        await throttle.turn()
        at.append(round(time.now - began, 6))
    return at


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate(time):
    """Ten tokens, then two a second."""
    throttle = Throttle(2, 10, lambda: time.now)

    assert await sent(throttle, time, 13) == [0.0] * 10 + [0.5, 1.0, 1.5]


async def test_a_pause_fills_the_bucket_and_not_more(time):
    """An idle night is no reason to send a thousand requests in the morning."""
    throttle = Throttle(2, 3, lambda: time.now)
    await sent(throttle, time, 5)
    time.now += 3600

    assert await sent(throttle, time, 4) == [0.0, 0.0, 0.0, 0.5]


async def test_everybody_waits_when_the_server_asks_one_to(time):
    """Retry-After is said to one request; the next one would hear the same."""
    throttle = Throttle(1000, 1000, lambda: time.now)
    throttle.hold(2)
    throttle.hold(1)

    assert await sent(throttle, time, 2) == [2.0, 2.0]


async def test_nobody_waits_for_an_hour(time):
    """Whatever stands in a header."""
    throttle = Throttle(1000, 1000, lambda: time.now)
    throttle.hold(3600)

    assert await sent(throttle, time, 1) == [LONGEST_HOLD]


async def test_waiting_does_not_block_the_loop():
    """With the real clock: two tokens, four askers, a hundred a second."""
    throttle = Throttle(100, 2)

    async with asyncio.timeout(5):
        await asyncio.gather(*(throttle.turn() for _ in range(4)))
