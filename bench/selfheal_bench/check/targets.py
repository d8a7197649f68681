"""What we promise: how much less a check of ours takes than Evidently's preset with its report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from selfheal_bench.check.usage import Ratio

MOST_OF_MEMORY: Final = 0.4
MOST_OF_WALL: Final = {"S": 0.08, "M": 0.08, "L": 0.03, "W": 0.03}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A ratio that should not be exceeded, and the one that was found."""

    size: str
    figure: str
    most: float
    found: float | None
    """None: it was not measured."""

    @property
    def met(self) -> bool | None:
        """Return whether it is met; None if nobody knows."""
        return None if self.found is None else self.found <= self.most

    @property
    def sentence(self) -> str:
        """Return what there is to say."""
        promise = f"{self.size}: {self.figure} at most {self.most:g} of Evidently's"
        if self.found is None:
            return f"{promise}: not measured"
        return f"{promise}: {self.found:.3f}, {'met' if self.met else 'MISSED'}"


def targets(ratios: Mapping[str, Ratio | None]) -> Iterator[Target]:
    """Yield the targets of each size, given ours divided by Evidently's there."""
    for size, ratio in ratios.items():
        yield Target(size=size, figure="wall", most=MOST_OF_WALL[size], found=ratio.wall if ratio else None)
        yield Target(size=size, figure="memory", most=MOST_OF_MEMORY, found=ratio.memory if ratio else None)
