import asyncio

import pytest
from prometheus_client import generate_latest

from selfheal_operator.metrics.api_calls import ApiCall
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.serve import pulse as module
from selfheal_operator.serve.pulse import STUCK_SECONDS, Pulse
from support.fakes.timers import Timer
from support.scrapes import Scrape

CALL_SECONDS = 10
"""What a request to an API server that is away lasts at most."""


@pytest.fixture
def timer() -> Timer:
    """Return a timer."""
    return Timer()


@pytest.fixture
def instruments(timer) -> Instruments:
    """Return instruments of that timer."""
    return Instruments(timer)


@pytest.fixture
def pulse(instruments, timer) -> Pulse:
    """Return a pulse that has just beaten."""
    return Pulse(instruments, timer=timer)


def test_a_process_that_has_just_begun_is_well(pulse):
    """Before the first beat."""
    assert pulse.trouble() is None


@pytest.mark.parametrize(("seconds", "well"), [(STUCK_SECONDS, True), (STUCK_SECONDS + 1, False)])
def test_a_heartbeat_that_stops_is_a_reason_to_restart(pulse, timer, seconds, well):
    """After a minute, with a sentence that says so."""
    timer.now += seconds
    assert (pulse.trouble() is None) == well
    if not well:
        assert pulse.trouble() == "The event loop's heartbeat has been silent for 61 s"


@pytest.mark.parametrize(("seconds", "well"), [(STUCK_SECONDS, True), (STUCK_SECONDS + 1, False)])
def test_a_worker_that_nothing_comes_out_of_is_a_reason_to_restart(pulse, instruments, timer, seconds, well):
    """The heart beats on; the monitor would wait for ever."""
    with instruments.reconciling():
        timer.now += seconds
        pulse.beat(timer.now)
        assert (pulse.trouble() is None) == well
        if not well:
            assert pulse.trouble() == "A worker has been stuck at a monitor for 61 s"


def test_an_api_server_that_is_away_is_no_reason_to_restart(pulse, instruments, timer):
    """Each call ends with an error, and so does the work: a restart would mend nothing."""
    for _ in range(100):
        with instruments.reconciling():
            timer.now += CALL_SECONDS
            pulse.beat(timer.now)
            assert pulse.trouble() is None
            instruments.observe_call(ApiCall("list", "jobs"), None, CALL_SECONDS)


def test_an_api_server_that_is_slow_is_no_reason_to_restart(pulse, instruments, timer):
    """One monitor may need many calls, each of them answered late: that is work, and it moves."""
    with instruments.reconciling():
        for _ in range(100):
            timer.now += CALL_SECONDS
            pulse.beat(timer.now)
            assert pulse.trouble() is None
            instruments.observe_call(ApiCall("list", "jobs"), 200, CALL_SECONDS)


def test_waiting_on_purpose_is_no_reason_to_restart(pulse, instruments, timer):
    """The API server may ask for minutes of patience. What comes after the wait counts again."""
    with instruments.reconciling():
        with instruments.works.wait():
            timer.now += 10 * STUCK_SECONDS
            pulse.beat(timer.now)
            assert pulse.trouble() is None
        assert pulse.trouble() is None
        timer.now += STUCK_SECONDS + 1
        pulse.beat(timer.now)
        assert pulse.trouble() == "A worker has been stuck at a monitor for 61 s"


def test_having_nothing_to_do_is_no_reason_to_restart(pulse, timer):
    """A standby, or a night without slots."""
    for _ in range(1000):
        timer.now += 10
        pulse.beat(timer.now)
    assert pulse.trouble() is None


async def test_it_beats_by_itself(instruments, timer, monkeypatch):
    """Each beat does what it was told to, and is measured."""
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.001)
    beats = asyncio.Semaphore(0)
    beating = asyncio.create_task(Pulse(instruments, beats.release, timer).run())
    for _ in range(3):
        await asyncio.wait_for(beats.acquire(), timeout=10)
    beating.cancel()
    read = Scrape(generate_latest(instruments.registry).decode())
    assert (read.value("selfheal_event_loop_lag_seconds_count") or 0) >= 3


def test_a_beat_that_comes_late_is_the_lag_of_the_event_loop(instruments, pulse, timer):
    """Something has held the loop up by so much."""
    due = timer.now
    timer.now += 0.3
    pulse.beat(due)
    read = Scrape(generate_latest(instruments.registry).decode())
    assert read.value("selfheal_event_loop_lag_seconds_sum") == pytest.approx(0.3)
