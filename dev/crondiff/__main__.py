"""Compares our slots with CronJob's, and prints a table: `python -m crondiff`; `--help` lists arguments."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crondiff.cases import DENSE, EXPRESSIONS, ZONES, questions
from crondiff.comparison import Comparison, Difference, compare
from crondiff.robfig import robfig
from crondiff.timezones import changes_in
from localcluster.errors import LocalClusterError

COLUMNS: Final = f"{'changes':>8} {'slots':>10} {'lost':>5} {'added':>6} {'unexplained':>12}"


@dataclass(slots=True)
class Totals:
    """What has been counted for one row."""

    slots: int = 0
    lost: int = 0
    added: int = 0
    unexplained: int = 0

    def add(self, comparison: Comparison) -> None:
        """Count one comparison more."""
        self.slots += comparison.slots
        for difference in comparison.differences:
            if difference.cause is None:
                self.unexplained += 1
            elif difference.lost:
                self.lost += 1
            else:
                self.added += 1

    def row(self, title: str, changes: int | str = "") -> str:
        """Lay the row out below `COLUMNS`."""
        return (
            f"{title:28} {changes:>8} {self.slots:>10,} {self.lost:>5} {self.added:>6} {self.unexplained:>12}"
        )


def main() -> None:
    """Compare everything; exit with 1 if a difference is not explained."""
    arguments = _parser().parse_args()
    try:
        if arguments.build:
            with robfig(_say):
                return
        comparisons = _compare_all(every_minute=arguments.every_minute)
    except LocalClusterError as error:
        sys.exit(f"crondiff: {error}")
    _tell_expressions(comparisons)
    differences = [difference for comparison in comparisons for difference in comparison.differences]
    unexplained = [difference for difference in differences if difference.cause is None]
    _tell_differences(differences if arguments.list else unexplained)
    sys.exit(1 if unexplained else 0)


def _introduce(*, every_minute: bool) -> None:
    print(
        f"{len(ZONES)} time zones with a year each, {len(EXPRESSIONS)} + {len(DENSE)} expressions "
        f"({'whole years' if every_minute else 'of the dense ones, the days around each change'}).\n"
        "lost, added: slots of which CronJob says otherwise when asked on a clock that is not changed.\n"
    )


def _compare_all(*, every_minute: bool) -> list[Comparison]:
    _introduce(every_minute=every_minute)
    print(f"{'time zone':28} {COLUMNS}")
    total, comparisons = Totals(), []
    with robfig(_say) as library:
        for name, year in ZONES:
            totals = Totals()
            for question in questions(name, year, every_minute=every_minute):
                comparison = compare(library, question)
                comparisons.append(comparison)
                totals.add(comparison)
                total.add(comparison)
            print(totals.row(f"{name} {year}", len(changes_in(name, year))), flush=True)
    print(total.row("all"))
    return comparisons


def _tell_expressions(comparisons: Iterable[Comparison]) -> None:
    totals: dict[str, Totals] = defaultdict(Totals)
    for comparison in comparisons:
        totals[comparison.question.schedule].add(comparison)
    print(f"\n{'expression':28} {COLUMNS}")
    for expression, counted in totals.items():
        print(counted.row(expression))


def _tell_differences(differences: Iterable[Difference]) -> None:
    print()
    for difference in differences:
        print(difference)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crondiff", description=__doc__)
    parser.add_argument(
        "--every-minute", action="store_true", help="compare dense expressions over whole years too (slow)"
    )
    parser.add_argument("--build", action="store_true", help="do nothing but build the Go program")
    parser.add_argument("--list", action="store_true", help="list every difference")
    return parser


if __name__ == "__main__":
    main()
