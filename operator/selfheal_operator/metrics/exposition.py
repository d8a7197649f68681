"""All metrics as one text, in Prometheus' format."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, disable_created_metrics, generate_latest

from selfheal_operator.metrics.family import Family
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.metrics.monitors import FAMILIES, SLOTS_DUE, Named, monitor_lines

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

# One more series for each counter and histogram, of which nobody here asks when it was made.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has left its type out


@dataclass(frozen=True, slots=True)
class Exposition:
    """What a scrape is answered."""

    instruments: Instruments
    monitors: Callable[[], Iterable[Named]]
    """Returns all monitors there are when it is called; they may be read one by one."""
    clock: Callable[[], datetime]

    async def text(self) -> AsyncIterator[bytes]:
        """Yield the text in pieces."""
        yield generate_latest(self.instruments.registry)
        async for lines in monitor_lines(self.monitors(), self.clock()):
            yield lines.encode()

    def families(self) -> tuple[Family, ...]:
        """Return everything of selfheal's that may be in the text."""
        return (*self.instruments.families, *(metric.family for metric in FAMILIES), SLOTS_DUE)
