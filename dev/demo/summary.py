"""The tables and lines at the end of the demo."""

from collections.abc import Iterable, Iterator, Sequence

from demo.expectations import Outcome

HEADER = ("MONITOR", "SCORE", "BEFORE", "AFTER")


def score_table(outcomes: Iterable[Outcome]) -> str:
    """Return each monitor's scores before and after; the one that decides is starred."""
    return aligned([HEADER, *(row for outcome in outcomes for row in _rows(outcome))])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns, three blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _rows(outcome: Outcome) -> Iterator[tuple[str, str, str, str]]:
    for number, (name, before) in enumerate(outcome.before.items()):
        after = "-" if outcome.after is None else f"{outcome.after[name]:.4f}"
        star = "*" if outcome.scenario.drifts and name == outcome.scenario.primary_metric else ""
        yield outcome.scenario.name if number == 0 else "", name + star, f"{before:.4f}", after
