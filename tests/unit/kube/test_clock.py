from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from selfheal_operator.kube.clock import ANSWERS, ServerClock
from support.builders.objects import DAY, HOUR, NOON, SECOND


class Machine:
    """A machine whose wall clock may be stepped, and an API server on another one."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.step = 0.0
        self.clock = ServerClock(lambda: self.server + self.step, lambda: 5000 + self.passed)

    @property
    def server(self) -> float:
        """The API server's time."""
        return NOON.timestamp() + self.passed

    def answer(self, took: float = 0.01) -> None:
        """Let an answer of the API server come in."""
        self.hear(self.server, took)

    def hear(self, told: float, took: float = 0.01) -> None:
        """Let an answer come in that has this time in its header."""
        date = format_datetime(datetime.fromtimestamp(int(told), UTC), usegmt=True)
        self.clock.hear(date, self.clock.monotonic() - took)

    def off(self) -> float:
        """Return by how many seconds the clock is wrong."""
        return self.clock().timestamp() - self.server


@pytest.fixture
def machine() -> Machine:
    """Return a machine whose clock is right."""
    return Machine()


def test_a_clock_that_agrees_is_exact(machine):
    """The Date header tells whole seconds; the machine's own clock tells the rest."""
    for _ in range(20):
        machine.passed += 0.37
        machine.answer()

        assert abs(machine.off()) < 0.001


@pytest.mark.parametrize("step", [HOUR, -HOUR, 400 * 24 * HOUR, 3 * SECOND])
def test_a_step_of_the_wall_clock_moves_nothing(machine, step):
    """Neither before the next answer nor after it, nor when the clock is set right again."""
    machine.answer()
    machine.step = step / timedelta(seconds=1)
    assert abs(machine.off()) < 0.001
    for _ in range(5):
        machine.passed += 7.3
        machine.answer()
        assert abs(machine.off()) <= 1.5

    machine.step = 0
    machine.answer()
    assert abs(machine.off()) < 0.001


def test_a_machine_that_starts_with_a_wrong_clock_takes_over_the_servers(machine):
    """To the half second that the header leaves open."""
    machine.step = 5000
    late = ServerClock(lambda: machine.server + machine.step, lambda: machine.passed)
    machine.clock = late
    assert machine.off() == pytest.approx(5000)

    for _ in range(ANSWERS):
        machine.passed += 0.4
        machine.answer()

    assert abs(machine.off()) <= 1


def test_an_answer_that_took_long_says_little(machine):
    """Its header may be as old as the request."""
    machine.step = 8
    machine.answer(took=10)

    assert machine.off() == pytest.approx(8)


def test_a_step_of_the_servers_clock_is_followed(machine):
    """All of the cluster goes by it: creation times, leases, the slots of other operators."""
    machine.answer()

    for answers in range(1, ANSWERS + 1):
        assert abs(machine.off()) < 0.001
        machine.passed += 0.4 * answers
        machine.hear(machine.server + 600)

    assert machine.off() == pytest.approx(600, abs=1)


@pytest.mark.parametrize("wrong", [DAY, -DAY, 3 * SECOND])
def test_a_wrong_answer_among_right_ones_moves_nothing(machine, wrong, caplog):
    """Of a proxy, or of one API server among several: however often, but never thrice in a row."""
    for _ in range(5):
        for _ in range(ANSWERS - 1):
            machine.passed += 0.7
            machine.hear(machine.server + wrong / SECOND)
        machine.passed += 0.7
        machine.answer()

        assert abs(machine.off()) < 0.001
    assert caplog.records == []


def test_answers_that_disagree_with_each_other_move_nothing(machine):
    """However many of them are wrong."""
    for hours in range(1, 20):
        machine.passed += 1
        machine.hear(machine.server + 3600 * hours)

    assert abs(machine.off()) < 0.001


def test_one_wrong_answer_moves_no_clock_whose_machine_agrees_with_it(machine):
    """The machine's clock was stepped: it does not bear witness for the answer."""
    machine.answer()
    machine.step = 86_400

    machine.hear(machine.server + 86_400)

    assert abs(machine.off()) < 0.001


def test_a_deviation_is_told_once_and_its_end(machine, caplog):
    """Not at each of a thousand requests."""
    caplog.set_level("INFO")
    for step in (0, 100, 100, 100, 0, 0):
        machine.step = step
        machine.passed += 1
        machine.answer()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[0].ahead_seconds == 100


def test_what_is_no_date_is_ignored(machine):
    """A proxy may write anything."""
    machine.clock.hear("yesterday", machine.clock.monotonic())

    assert abs(machine.off()) < 0.001
