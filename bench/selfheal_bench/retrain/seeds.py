"""Runs one world with one seed, in a process of its own: processes import this module by its name."""

from collections.abc import Sequence
from typing import Any

from selfheal_bench.retrain import worlds
from selfheal_bench.retrain.rates import Decided
from selfheal_bench.retrain.worlds import Run


def decided(arguments: tuple[Any, ...], seed: int) -> Sequence[Decided]:
    """Return how the retrainings of a world ended.

    Args:
        arguments: The kind of world, and what it takes beside the seed.
        seed: Draws the rows.
    """
    return [
        Decided(promoted=run.promoted, better=run.better, errors=run.errors) for run in _runs(arguments, seed)
    ]


def _runs(arguments: tuple[Any, ...], seed: int) -> Sequence[Run]:
    kind, *more = arguments
    match kind:
        case "trend":
            return worlds.trend(growing=more[0])(seed)
        case "true_gain":
            return [worlds.true_gain(more[0], overlapping=more[1])(seed)]
        case "broken":
            return [worlds.broken(getattr(worlds, more[0]))(seed)]
        case "unscorable":
            return [worlds.unscorable(worlds.UNSCORABLE[more[0]])(seed)]
        case "leaking":
            return [worlds.leaking(seed)]
        case _:
            return [getattr(worlds, kind)(*more)(seed)]
