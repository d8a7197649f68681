"""The targets: the cost of our check as a share of Evidently's preset and of the floor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from selfheal_bench.check.usage import Ratio

MOST_OF_MEMORY: Final = 0.4
MOST_OF_WALL: Final = {"S": 0.08, "M": 0.08, "L": 0.03, "W": 0.03}
MOST_OF_FLOOR: Final = {"S": 1.6, "M": 1.6, "L": 3.0, "W": 3.0}
MOST_ON_DRIFT: Final = {"M": 0.6, "L": 0.2, "W": 0.2}
"""With the page in both. At S there is no target: nearly all of it is the import of Evidently."""

Ratios = Mapping[str, Ratio | None]
"""Ours divided by another's, by size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A ratio that should not be exceeded, and the one that was found."""

    size: str
    figure: str
    of: str = "Evidently's"
    most: float
    found: float | None
    """None: it was not measured."""

    @property
    def met(self) -> bool | None:
        """Return whether it is met; None if it was not measured."""
        return None if self.found is None else self.found <= self.most

    @property
    def sentence(self) -> str:
        """Return what there is to say."""
        promise = f"{self.size}: {self.figure} at most {self.most:g} of {self.of}"
        if self.found is None:
            return f"{promise}: not measured"
        return f"{promise}: {self.found:.3f}, {'met' if self.met else 'MISSED'}"


def targets(ratios: Ratios) -> Iterator[Target]:
    """Yield the targets of each size, given ours divided by Evidently's there."""
    for size, ratio in ratios.items():
        yield Target(size=size, figure="wall", most=MOST_OF_WALL[size], found=_wall(ratio))
        yield Target(size=size, figure="memory", most=MOST_OF_MEMORY, found=ratio.memory if ratio else None)


def floor_targets(ratios: Ratios) -> Iterator[Target]:
    """Yield the targets of each size, given ours divided by the floor's there."""
    for size, ratio in ratios.items():
        yield Target(size=size, figure="wall", of="the floor's", most=MOST_OF_FLOOR[size], found=_wall(ratio))


def drift_targets(ratios: Ratios) -> Iterator[Target]:
    """Yield the targets of each size that has one, given ours divided by Evidently's with drift and page."""
    for size, most in MOST_ON_DRIFT.items():
        if size in ratios:
            yield Target(
                size=size, figure="wall", of="Evidently's on drift", most=most, found=_wall(ratios[size])
            )


def _wall(ratio: Ratio | None) -> float | None:
    return ratio.wall if ratio else None
