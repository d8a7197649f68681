"""The figures as a table for people, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from selfheal_bench.check.ours import OURS
from selfheal_bench.check.rounds import Measured, Runs
from selfheal_bench.check.tables import Size
from selfheal_bench.check.targets import Target
from selfheal_bench.check.usage import Ratio, middle

HEAD: Final = f"{'':<40}{'wall s':>9}{'CPU s':>9}{'MiB':>8} | {'ours/its: wall':>14}{'CPU':>8}{'memory':>9}"


def ratio(measured: Measured, name: str) -> Ratio | None:
    """Return ours divided by another's; None where one of the two has no figures."""
    ours, other = measured.get(OURS), measured.get(name)
    if ours is None or other is None or not (ours.usages and other.usages):
        return None
    return Ratio.of(ours.usages, other.usages)


def table(
    size: Size, measured: Measured, titles: Mapping[str, str], *, drifted: bool = False
) -> Iterator[str]:
    """Yield the lines of one size's table; who has no figures has the reason in its line."""
    yield (
        f"{size.name}: {size.rows:,} rows on each side, {size.columns} columns "
        f"({size.numerical} numerical, {size.categorical} categorical)"
        f"{', all drifted: both make the page' if drifted else ''}"
    )
    yield HEAD
    for name, runs in measured.items():
        yield f"{titles[name]:<40}{_figures(runs, None if name == OURS else ratio(measured, name))}"


def _figures(runs: Runs, compared: Ratio | None) -> str:
    if not runs.usages:
        return f"  not measured: {runs.problem}"
    found = middle(runs.usages)
    figures = f"{found.wall_seconds:>9.2f}{found.cpu_seconds:>9.2f}{found.peak_mib:>8.0f}"
    if compared is None:
        return f"{figures} |"
    return f"{figures} | {compared.wall:>14.3f}{compared.cpu:>8.3f}{compared.memory:>9.3f}"


def document(
    measured: Mapping[str, Measured],
    sizes: Mapping[str, Size],
    goals: Sequence[Target],
    drifted: Mapping[str, Measured] | None = None,
) -> dict[str, Any]:
    """Return all medians and ratios by size and name; null stands for what has no figures.

    Args:
        measured: By size, without drift.
        sizes: All that are named in it.
        goals: The targets.
        drifted: As `measured`, with drift in every column.
    """
    return {
        "benchmark": "check",
        "sizes": {name: _of_size(sizes[name], found) for name, found in measured.items()},
        "onDrift": {name: _of_size(sizes[name], found) for name, found in (drifted or {}).items()},
        "targets": [
            {
                "size": each.size,
                "figure": each.figure,
                "of": each.of,
                "most": each.most,
                "found": None if each.found is None else round(each.found, 4),
                "met": each.met,
            }
            for each in goals
        ],
        "missedTargets": [f"{each.size} {each.figure} of {each.of}" for each in goals if each.met is False],
    }


def _of_size(size: Size, measured: Measured) -> dict[str, Any]:
    return {
        "rows": size.rows,
        "columns": size.columns,
        "medians": {name: _medians(runs) for name, runs in measured.items()},
        "ratios": {name: _ratios(ratio(measured, name)) for name in measured if name != OURS},
        "problems": {name: runs.problem for name, runs in measured.items() if runs.problem},
    }


def _medians(runs: Runs) -> dict[str, Any] | None:
    if not runs.usages:
        return None
    found = middle(runs.usages)
    return {
        "runs": len(runs.usages),
        "wallSeconds": round(found.wall_seconds, 3),
        "cpuSeconds": round(found.cpu_seconds, 3),
        "peakMiB": round(found.peak_mib, 1),
        "columnsDrifted": runs.drifted,
    }


def _ratios(found: Ratio | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"wall": round(found.wall, 4), "cpu": round(found.cpu, 4), "memory": round(found.memory, 4)}
