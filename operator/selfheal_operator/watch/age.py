"""The time since each watch last received data.

kopf does not pass bookmarks to its handlers. The API server sends one every minute, which shows that a quiet
watch is alive. But kopf can use an HTTP session of ours, whose received bytes can be counted.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp

from selfheal_operator.metrics.pulled import Values


@dataclass(slots=True)
class _Watch:
    resource: str
    stream: aiohttp.StreamReader
    bytes_heard: int
    heard_at: float


class WatchAge:
    """Measures the age of watches.

    Args:
        resources: The plurals of the watched resources. A watch without data is as old as this object.
        timer: A monotonic clock, in seconds.
    """

    def __init__(self, resources: Iterable[str], timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._began_at = timer()
        self._resources = tuple(resources)
        self._watches: dict[str, _Watch] = {}
        """By path: a restarted watch continues the one before it."""

    def tracing(self) -> aiohttp.TraceConfig:
        """Return the trace configuration for kopf's session."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._notice)
        return config

    async def _notice(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        if "watch" not in request.url.query or not request.response.ok:
            return
        self.listen()  # count the last bytes of the previous watch
        path = request.url.path
        before = self._watches.get(path)
        # A new connection is no sign of life: a watch may reconnect again and again without receiving data.
        heard_at = before.heard_at if before else self._began_at
        self._watches[path] = _Watch(path.rpartition("/")[2], request.response.content, 0, heard_at)

    def listen(self) -> None:
        """Record which watches have received data since the last call. Call it about every second."""
        now = self._timer()
        for watch in self._watches.values():
            heard = watch.stream.total_bytes
            if heard != watch.bytes_heard:
                watch.bytes_heard, watch.heard_at = heard, now

    def ages(self) -> Values:
        """Return the age in seconds by resource; with several watches of one resource, the greatest age."""
        heard: dict[str, list[float]] = {resource: [] for resource in self._resources}
        for watch in self._watches.values():
            heard.setdefault(watch.resource, []).append(watch.heard_at)
        now = self._timer()
        return {(name,): now - min(times, default=self._began_at) for name, times in heard.items()}
