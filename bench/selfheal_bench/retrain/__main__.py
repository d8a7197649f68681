"""`make bench-retrain`: how often a retraining decides rightly in seeded worlds, or its cost; JSON last."""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from typing import Any, Final

from localcluster.binaries import cache_dir
from selfheal_bench.arena import say
from selfheal_bench.machine import Machine
from selfheal_bench.retrain import baseline_rules, cost, policies, worlds
from selfheal_bench.retrain.rates import Rates, rates_of
from selfheal_bench.retrain.real_sets import SETS
from selfheal_bench.retrain.seeds import decided

MARGIN: Final = 0.01
"""The default margin of spec.promotion."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table: a kind of world, how often it is run, and what must be reached."""

    name: str
    arguments: tuple[Any, ...]
    share: float
    """Of the number of runs on the command line."""
    must: str
    reached: Callable[[Rates], bool]


def _none(found: Rates) -> bool:
    return found.promoted == 0


def _rows() -> Iterable[Row]:
    for rows, candidates in ((200, 1), (200, 6), (1_000, 6), (200, 10)):
        share = {1: 1.0, 6: 0.5, 10: 0.3}[candidates]
        yield Row(
            name=f"nothing to learn: {rows} rows, {candidates} candidates",
            arguments=("nothing_to_learn", rows, candidates),
            share=share,
            must="0 promoted",
            reached=_none,
        )
    for before, now in ((400, 400), (500, 150), (1_000, 2_000), (2_000, 10_000)):
        yield Row(
            name=f"unchanged population: {before} rows, then {now}",
            arguments=("unchanged_population", before, now),
            share=0.5 if now < 10_000 else 0.2,
            must="at most 15 % promoted, at most 2 % of all promoted and worse by more than the margin",
            reached=lambda found: found.promoted_share <= 0.15 and found.worse_share <= 0.02,
        )
    for overlapping in (True, False):
        where = "with older ones" if overlapping else "alone"
        yield Row(
            name=f"true gain: 1,000 newer rows {where}",
            arguments=("true_gain", 1_000, overlapping),
            share=0.5,
            must="at least 85 % promoted",
            reached=lambda found: found.promoted_share >= 0.85,
        )
    for growing in (True, False):
        yield Row(
            name=f"trend, {'growing' if growing else 'sliding'} window",
            arguments=("trend", growing),
            share=0.04,
            must="at most 3 of 16 refuse what is better by 2 % afterwards; error at most 1.05 of always",
            reached=lambda found: found.wrongly_refused_share <= 3 / 16 and found.error_to_always <= 1.05,
        )
    for name in ("zeros", "noise", "gaps", "stray_word", "other_words"):
        yield Row(
            name=f"broken feed: {name.replace('_', ' ')}",
            arguments=("broken", name),
            share=0.1,
            must="0 promoted",
            reached=_none,
        )
    for name in worlds.UNSCORABLE:
        yield Row(
            name=f"champion: {name}",
            arguments=("unscorable", name),
            share=0.05,
            must="0 promoted",
            reached=_none,
        )
    yield Row(
        name="rows delivered four times",
        arguments=("copied_rows", 4),
        share=0.2,
        must="0 promoted",
        reached=_none,
    )
    for kind, deliveries in (("integers", 4), ("words", 4), ("fractions", 20)):
        yield Row(
            name=f"rows of {kind} delivered {deliveries} times",
            arguments=("copied_rows", deliveries, kind),
            share=0.2,
            must="0 promoted",
            reached=_none,
        )
    yield Row(
        name="a column that leaks", arguments=("leaking",), share=0.05, must="0 promoted", reached=_none
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="of most worlds; of the others a share of it")
    parser.add_argument("--only", default="", help="run only the worlds with this in their name")
    parser.add_argument(
        "--cost", action="append", choices=cost.SIZES, help="measure the cost at this size instead"
    )
    parser.add_argument(
        "--real-set", action="append", choices=SETS, help="compare policies on this set instead"
    )
    parser.add_argument(
        "--baseline-rules", action="store_true", help="compare rules for the gate baseline instead"
    )
    parser.add_argument("--slots", type=int, default=25, help="of each real set")
    parser.add_argument("--rounds", type=int, default=2, help="of each size's cost")
    arguments = parser.parse_args()
    machine = Machine.look()
    if arguments.cost:
        costs = {name: cost.measure(name, arguments.rounds) for name in arguments.cost}
        print(json.dumps({"benchmark": "retrain", "cost": costs, "machine": machine.to_json()}))
        return
    if arguments.real_set:
        sets = {name: _on_real_set(name, arguments.slots) for name in arguments.real_set}
        print(json.dumps({"benchmark": "retrain", "realSets": sets, "machine": machine.to_json()}))
        return
    if arguments.baseline_rules:
        rules = baseline_rules.measure(arguments.runs, machine.cpus)
        print(json.dumps({"benchmark": "retrain", "baselineRules": rules, "machine": machine.to_json()}))
        return
    say(f"{'world':<48}{'runs':>6}{'promoted':>10}{'worse':>8}{'gain':>8}  must")
    table: dict[str, Any] = {}
    with ProcessPoolExecutor(machine.cpus, mp_context=get_context("spawn")) as pool:
        for row in _rows():
            if arguments.only in row.name:
                table[row.name] = _measured(row, max(2, round(row.share * arguments.runs)), pool)
    missed = [name for name, each in table.items() if not each["reached"]]
    say(f"missed: {', '.join(missed) or 'nothing'}")
    print(json.dumps({"benchmark": "retrain", "rows": table, "missed": missed, "machine": machine.to_json()}))


def _on_real_set(name: str, slots: int) -> Mapping[str, Any]:
    metric, found = policies.courses(name, slots, cache_dir())
    verdict = policies.judged(metric, found)
    for line in policies.lines(name, metric, found, verdict):
        say(line)
    courses = {
        policy: {
            "score": float(each.scores.mean()),
            "retrainings": each.retrainings,
            "registered": each.registered,
            "cpuSeconds": each.cpu_seconds,
        }
        for policy, each in found.items()
    }
    return {"metric": metric, "policies": courses, "best": verdict.best, "behind": dict(verdict.behind)}


def _measured(row: Row, runs: int, pool: ProcessPoolExecutor) -> Mapping[str, Any]:
    found = rates_of(
        list(chain.from_iterable(pool.map(decided, [row.arguments] * runs, range(runs)))), MARGIN
    )
    reached = row.reached(found)
    say(
        f"{row.name:<48}{found.runs:>6}{found.promoted_share:>10.1%}{found.worse_share:>8.1%}"
        f"{found.mean_gain:>8.3f}  {'' if reached else 'MISSED: '}{row.must}"
    )
    if found.mean_errors:
        means = ", ".join(f"{policy} {error:.4g}" for policy, error in found.mean_errors.items())
        say(f"  error of the deployed model: {means}; selfheal has {found.error_to_always:.3f} of always")
    return {**found.to_json(), "must": row.must, "reached": reached}


if __name__ == "__main__":
    main()
