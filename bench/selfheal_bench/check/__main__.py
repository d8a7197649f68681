"""`make bench-check`: a drift check as a whole process, beside those of other tools.

From the start of the program to its end, its imports among it: wall time, CPU time and peak memory.
The last line is JSON.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from localcluster.errors import LocalClusterError
from selfheal_bench.arena import say
from selfheal_bench.check.before import BEFORE
from selfheal_bench.check.cases import CASES, Figures, measure_all, our_checks
from selfheal_bench.check.contenders import CONTENDERS, FLOOR, MAIN, Contender, Installed
from selfheal_bench.check.entrant import Entrant
from selfheal_bench.check.environments import NotInstalledError, python_for
from selfheal_bench.check.ours import OURS
from selfheal_bench.check.results import document, ratio, table
from selfheal_bench.check.rounds import LIMIT_SECONDS, Course, warm_up
from selfheal_bench.check.stub import stub
from selfheal_bench.check.tables import SIZES, write_tables
from selfheal_bench.check.targets import Target, drift_targets, floor_targets, targets
from selfheal_bench.errors import BenchError
from selfheal_bench.machine import Machine

TITLE = "selfheal, the container's command"


def main() -> None:
    """Measure every size, and print the figures."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)  # else Python would end at once, and leave the tables behind
    began = time.monotonic()
    chosen = [CONTENDERS[name] for name in arguments.contenders]
    print("\n".join(_introduction(chosen)), flush=True)
    try:
        installed, problems = _install(chosen)
        machine = Machine.look()
        figures = _measured(installed, problems, arguments)
    except (BenchError, LocalClusterError) as error:
        sys.exit(f"The benchmark could not be run to its end: {error}")
    before = {BEFORE: f"selfheal before, at {arguments.against}"}
    titles = {OURS: TITLE} | before | {each.name: each.title for each in chosen}
    goals = list(_goals(figures))
    _tell(figures, titles, goals)
    seconds = time.monotonic() - began
    print(f"Ran for {seconds / 60:.1f} minutes.")
    versions = {each.name: each.version for each in chosen}
    about = {"versions": versions, "seconds": round(seconds), "machine": machine.to_json()}
    plain, drifted = figures.measured.get("NoDrift", {}), figures.measured.get("Drift", {})
    unequal = {"unequalVerdicts": figures.unequal}
    print(json.dumps(document(plain, SIZES, goals, drifted) | unequal | about))


def _introduction(chosen: Sequence[Contender]) -> Iterator[str]:
    yield (
        "Whole processes: start, imports, reading two Parquet files, verdict; without drift between\n"
        "them beside everyone, and with drift, where both make the page, beside Evidently's preset.\n"
        "Each run is a new process. They take turns; medians of all rounds, ratios of each round's two.\n"
        f"{TITLE}: a stub in this benchmark answers for the API server (https)\n"
        "and MLflow (http). The calls to both are in its figures; the others talk to nobody.\n"
        "All settings are the defaults: no page is made without drift (spec.drift.report: OnDrift)."
    )
    for each in chosen:
        yield f"{each.title} ({each.version}): {each.remark}."


def _install(chosen: Sequence[Contender]) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the Pythons of those that could be installed, and what was in the way of the others."""
    pythons, problems = {}, {}
    for contender in chosen:
        try:
            pythons[contender.name] = python_for(contender, say)
        except NotInstalledError as error:
            say(f"{contender.name} could not be installed: {error}")
            problems[contender.name] = f"it could not be installed: {error}"
    return pythons, problems


def _measured(
    pythons: Mapping[str, Path], problems: dict[str, str], arguments: argparse.Namespace
) -> Figures:
    sizes = [SIZES[name] for name in arguments.sizes]
    with (
        tempfile.TemporaryDirectory(prefix="selfheal-bench-") as name,
        stub(Path(name)) as servers,
        our_checks(servers, Path(name), arguments.against) as ours,
    ):
        folder = Path(name)
        course = Course(folder=folder, limit_seconds=arguments.limit_seconds, rounds=arguments.runs)
        everyone = _everyone(ours, pythons, folder)
        tables = write_tables(folder, min(sizes, key=lambda size: size.rows * size.columns))
        problems |= warm_up(everyone, tables, course)
        if OURS in problems:
            raise BenchError(f"our own check cannot be run: {problems[OURS]}")
        for each in ours:
            each.verdicts.clear()  # those of the warm-up
        return measure_all(everyone, problems, sizes, arguments.cases, course)


def _everyone(ours: Sequence[Entrant], pythons: Mapping[str, Path], folder: Path) -> list[Entrant]:
    output = folder / "report.html"
    others = (
        Installed(contender=CONTENDERS[name], python=python, output=output)
        for name, python in pythons.items()
    )
    return [*ours, *others]


def _tell(figures: Figures, titles: Mapping[str, str], goals: Sequence[Target]) -> None:
    for case, sizes in figures.measured.items():
        for name, found in sizes.items():
            print("", *table(SIZES[name], found, titles, drifted=CASES[case]), sep="\n")
    for place, names in figures.unequal.items():
        print(f"\n{place}: verdicts and scores before and now: {', '.join(names) or 'equal to the last bit'}")
    print("\nTargets", *(f"  {goal.sentence}" for goal in goals), sep="\n")


def _goals(figures: Figures) -> Iterator[Target]:
    plain, drifted = figures.measured.get("NoDrift", {}), figures.measured.get("Drift", {})
    yield from targets({name: ratio(found, MAIN) for name, found in plain.items()})
    yield from floor_targets({name: ratio(found, FLOOR) for name, found in plain.items()})
    yield from drift_targets({name: ratio(found, MAIN) for name, found in drifted.items()})


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-check", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="default: all")
    parser.add_argument(
        "--contenders", nargs="*", choices=CONTENDERS, default=list(CONTENDERS), help="default: all"
    )
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="default: both")
    parser.add_argument(
        "--against", metavar="REVISION", help="also run the checks of this commit, and compare the verdicts"
    )
    parser.add_argument(
        "--runs", type=int, help="of each at every size (default: 7 at S and M, 3 at L and W)"
    )
    parser.add_argument(
        "--limit-seconds", type=float, default=LIMIT_SECONDS, help="of one run (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    main()
