"""How long ago each watch was last heard.

kopf does not tell its handlers of bookmarks, by which the API server shows every minute that a quiet watch
is a living one. But its HTTP session may be ours, and then the bytes that come in can be counted.
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
    """Listens to watches.

    Args:
        resources: The plurals of what is watched. One that was never heard is as old as this object.
        timer: Seconds that only ever grow.
    """

    def __init__(self, resources: Iterable[str], timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._began_at = timer()
        self._resources = tuple(resources)
        self._watches: dict[str, _Watch] = {}
        """By the path: a watch that is begun anew goes on where the one before it ended."""

    def tracing(self) -> aiohttp.TraceConfig:
        """Return what a session needs in order to be listened to."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._notice)
        return config

    async def _notice(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        if "watch" not in request.url.query or not request.response.ok:
            return
        self.listen()  # what the watch before has said last
        path = request.url.path
        before = self._watches.get(path)
        # That the connection was made shows nothing: one that is made again and again may tell nothing, ever.
        heard_at = before.heard_at if before else self._began_at
        self._watches[path] = _Watch(path.rpartition("/")[2], request.response.content, 0, heard_at)

    def listen(self) -> None:
        """Note which watches have said something since the last time. To be called every second or so."""
        now = self._timer()
        for watch in self._watches.values():
            heard = watch.stream.total_bytes
            if heard != watch.bytes_heard:
                watch.bytes_heard, watch.heard_at = heard, now

    def ages(self) -> Values:
        """Return the age in seconds by resource; of several watches of one, that of the oldest."""
        heard: dict[str, list[float]] = {resource: [] for resource in self._resources}
        for watch in self._watches.values():
            heard.setdefault(watch.resource, []).append(watch.heard_at)
        now = self._timer()
        return {(name,): now - min(times, default=self._began_at) for name, times in heard.items()}
