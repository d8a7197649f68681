"""All metrics in the Prometheus text format."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, disable_created_metrics, generate_latest

from selfheal_operator.metrics.family import Family
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.metrics.monitors import FAMILIES, SLOTS_DUE, Named, monitor_lines

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

# The library would add a _created series, which is not used here, to each counter and histogram.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not annotate it


@dataclass(frozen=True, slots=True)
class Exposition:
    """The response to a scrape."""

    instruments: Instruments
    monitors: Callable[[], Iterable[Named]]
    """Returns all monitors at the time of the call; they may be read lazily."""
    clock: Callable[[], datetime]

    async def text(self) -> AsyncIterator[bytes]:
        """Yield the text in pieces."""
        yield generate_latest(self.instruments.registry)
        async for lines in monitor_lines(self.monitors(), self.clock()):
            yield lines.encode()

    def families(self) -> tuple[Family, ...]:
        """Return all of selfheal's metric families."""
        return (*self.instruments.families, *(metric.family for metric in FAMILIES), SLOTS_DUE)
