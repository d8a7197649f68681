"""All entrants at one size, in turn, so that what else the machine does falls on all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selfheal_bench.arena import say
from selfheal_bench.check.entrant import Entrant, UnfitRunError
from selfheal_bench.check.tables import Tables
from selfheal_bench.check.trial import run
from selfheal_bench.check.usage import Usage

LIMIT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What became of one entrant at one size."""

    usages: tuple[Usage, ...] = ()
    """One for each round."""
    drifted: int = 0
    """Columns, by its own tests."""
    problem: str = ""
    """Why there are no figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How they are run."""

    folder: Path
    limit_seconds: float = LIMIT_SECONDS
    rounds: int | None = None
    """None: as many as the size asks for."""


def warm_up(entrants: Sequence[Entrant], tables: Tables, course: Course) -> dict[str, str]:
    """Run each once, uncounted, to fill byte code and caches. Return the problems of those that failed."""
    problems = {}
    for entrant in entrants:
        try:
            usage, _ = run(entrant, tables, course.folder, limit_seconds=course.limit_seconds)
            say(f"warm-up: {entrant.name}, {usage.wall_seconds:.2f} s")
        except UnfitRunError as error:
            say(f"warm-up: {entrant.name} cannot be run: {error}")
            problems[entrant.name] = str(error)
    return problems


def measure(entrants: Sequence[Entrant], tables: Tables, course: Course, *, rounds: int) -> dict[str, Runs]:
    """Run all of them in turn, for `rounds` rounds. After a failure an entrant is not run again at this size.

    Every second round has the reverse order: otherwise the entrant after the one that reads the most would
    always find cold CPU and disk caches, which costs several per cent of our own time.
    """
    usages: dict[str, list[Usage]] = {entrant.name: [] for entrant in entrants}
    drifted: dict[str, int] = {}
    problems: dict[str, str] = {}
    for number in range(1, rounds + 1):
        for entrant in entrants if number % 2 else reversed(entrants):
            if entrant.name in problems:
                continue
            place = f"{tables.size.name} {number}/{rounds}: {entrant.name}"
            try:
                usage, drifted[entrant.name] = run(
                    entrant, tables, course.folder, limit_seconds=course.limit_seconds
                )
            except UnfitRunError as error:
                say(f"{place}: {error}")
                problems[entrant.name] = str(error)
            else:
                usages[entrant.name].append(usage)
                say(f"{place}, {usage.wall_seconds:.2f} s, {usage.peak_mib:.0f} MiB")
    return {name: _runs(usages[name], drifted.get(name, 0), problems.get(name)) for name in usages}


def _runs(usages: Sequence[Usage], drifted: int, problem: str | None) -> Runs:
    return Runs(problem=problem) if problem else Runs(usages=tuple(usages), drifted=drifted)


Measured = Mapping[str, Runs]
"""By the entrants' names."""
