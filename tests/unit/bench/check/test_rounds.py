"""A run in a process of its own: what counts, and what becomes of whoever fails."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_bench.check.rounds import Course, measure, warm_up
from selfheal_bench.check.tables import SIZES, Tables

TABLES = Tables(size=SIZES["S"], reference=Path("reference"), current=Path("current"))


@dataclass
class Program:
    """A small program, and a note of when it was run."""

    name: str
    code: str = ""
    order: list[str] = field(default_factory=list)

    def command(self, tables):
        """Run it by this Python."""
        return [sys.executable, "-I", "-S", "-c", self.code]

    def environment(self, tables):
        """Give it nothing."""
        return {}

    def verify(self, tables, printed):
        """Note the run."""
        self.order.append(self.name)
        return int(printed or 0)


def test_they_take_turns_and_every_second_round_goes_backwards(tmp_path):
    """What else the machine does falls on all of them, and nobody always runs after the same one."""
    order: list[str] = []
    programs = [Program("one", "print(2)", order), Program("other", order=order)]

    found = measure(programs, TABLES, Course(folder=tmp_path), rounds=3)

    assert order == ["one", "other", "other", "one", "one", "other"]
    assert [len(runs.usages) for runs in found.values()] == [3, 3]
    assert found["one"].drifted == 2


def test_memory_is_that_of_the_program_and_not_of_who_started_it(tmp_path):
    """The kernel would count the starter's, and the smallest program would look as large as the tests."""
    found = measure([Program("small")], TABLES, Course(folder=tmp_path), rounds=1)

    (used,) = found["small"].usages
    assert 1 < used.peak_mib < 30


def test_whoever_fails_is_not_run_again_and_says_why(tmp_path):
    """The last line of its standard error is the reason; the others go on."""
    order: list[str] = []
    programs = [
        Program("broken", "raise SystemExit('no such package')", order),
        Program("sound", order=order),
    ]

    found = measure(programs, TABLES, Course(folder=tmp_path), rounds=2)

    assert order == ["sound", "sound"]
    assert found["broken"].usages == ()
    assert found["broken"].problem == "it ended with exit code 1: no such package"


def test_whoever_takes_too_long_is_stopped(tmp_path):
    """And has no figures: those of a run that was stopped would flatter it."""
    course = Course(folder=tmp_path, limit_seconds=0.3)
    slow = Program("slow", "import time; time.sleep(60)")

    found = measure([slow], TABLES, course, rounds=3)

    assert found["slow"].problem == "it took longer than 0.3 s and was stopped"


def test_a_warm_up_tells_who_cannot_be_run(tmp_path):
    """Before an hour of measuring, not after it."""
    programs = [Program("broken", "raise SystemExit(3)"), Program("sound")]

    assert warm_up(programs, TABLES, Course(folder=tmp_path)) == {
        "broken": "it ended with exit code 3: no word"
    }
