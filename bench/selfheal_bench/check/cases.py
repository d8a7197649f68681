"""Every size in both cases: without drift beside everyone, and with drift beside Evidently's page."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from selfheal_bench.arena import say
from selfheal_bench.check.before import BEFORE, differences, packages, request_maker, tree_of
from selfheal_bench.check.contenders import MAIN
from selfheal_bench.check.entrant import Entrant
from selfheal_bench.check.ours import OURS, OurCheck
from selfheal_bench.check.rounds import Course, Measured, Runs, measure
from selfheal_bench.check.stub import Stub
from selfheal_bench.check.tables import Size, Tables, write_tables

CASES: Final = {"NoDrift": False, "Drift": True}
"""Whether the columns have drifted."""
ON_DRIFT: Final = (OURS, BEFORE, MAIN)
"""Who is measured with drift: a check of ours makes the same page as Evidently then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured, by case and size."""

    measured: dict[str, dict[str, Measured]]
    unequal: dict[str, list[str]] = field(default_factory=dict)
    """In which fields and metrics the verdicts of the commit before differ from ours, by case and size."""


@contextmanager
def our_checks(servers: Stub, folder: Path, against: str | None) -> Iterator[list[OurCheck]]:
    """Yield our check, and that of the commit to compare with, if any."""
    ours = OurCheck(servers=servers, folder=folder)
    if against is None:
        yield [ours]
        return
    with tree_of(against, folder) as tree:
        yield [
            ours,
            OurCheck(
                servers=servers,
                folder=folder,
                name=BEFORE,
                request=request_maker(tree),
                packages=packages(tree),
            ),
        ]


def measure_all(
    entrants: Sequence[Entrant],
    problems: Mapping[str, str],
    sizes: Collection[Size],
    cases: Collection[str],
    course: Course,
) -> Figures:
    """Measure the entrants without a problem, and list the others with their problems."""
    fit = [each for each in entrants if each.name not in problems]
    unfit = {each: Runs(problem=problem) for each, problem in problems.items()}
    figures = Figures(measured={case: {} for case in cases})
    for size in sizes:
        for case in cases:
            tables = _drawn(course.folder, size, drifted=CASES[case])
            present = [each for each in fit if not tables.drifted or each.name in ON_DRIFT]
            found = measure(present, tables, course, rounds=course.rounds or size.runs)
            figures.measured[case][size.name] = found | _left_out(unfit, tables)
            figures.unequal.update(_unequal(present, f"{case} {size.name}"))
            tables.reference.unlink()
            tables.current.unlink()
    return figures


def _drawn(folder: Path, size: Size, *, drifted: bool) -> Tables:
    say(f"{size.name}: drawing {size.rows:,} rows of {size.columns} columns for each side")
    return write_tables(folder, size, drifted=drifted)


def _left_out(unfit: Mapping[str, Runs], tables: Tables) -> dict[str, Runs]:
    return {name: runs for name, runs in unfit.items() if not tables.drifted or name in ON_DRIFT}


def _unequal(present: Sequence[Entrant], place: str) -> dict[str, list[str]]:
    """Compare the verdicts of each round since the last call; nothing where only one of ours has run."""
    verdicts = [list(each.verdicts) for each in present if isinstance(each, OurCheck)]
    for each in present:
        if isinstance(each, OurCheck):
            each.verdicts.clear()
    if len(verdicts) != 2 or not all(verdicts):
        return {}
    pairs = zip(*verdicts, strict=False)
    return {place: sorted({name for pair in pairs for name in differences(*pair)})}
