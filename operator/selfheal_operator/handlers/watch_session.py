"""The HTTP session that kopf lists and watches with: as kopf makes one, but it can be listened to."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp
import kopf

from selfheal_operator.handlers.watch_age import WatchAge
from selfheal_operator.metrics.instruments import Instruments


@dataclass(frozen=True, kw_only=True)
class WatchSession(kopf.AiohttpSession):
    """A session made from credentials.

    Two are the same if their credentials are: kopf gives up credentials that were refused before, and would
    otherwise log in with them again and again without a pause.
    """

    aiohttp_session: aiohttp.ClientSession = field(compare=False)
    credentials: kopf.ConnectionInfo


class WatchSessions:
    """Makes kopf's sessions, one at a time.

    kopf closes the one that it uses, but not one that it refuses.
    """

    def __init__(self, age: WatchAge, instruments: Instruments) -> None:
        self._tracing = [age.tracing(), _counting(instruments)]
        self._newest: aiohttp.ClientSession | None = None

    async def open(self, credentials: kopf.ConnectionInfo) -> WatchSession:
        """Make a session from credentials; the one before it is closed."""
        await self.close()
        self._newest = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=credentials.as_ssl_context()),
            headers=credentials.as_http_headers(),
            trace_configs=self._tracing,
        )
        return WatchSession(
            server=credentials.server,
            priority=credentials.priority,
            expiration=credentials.expiration,
            aiohttp_session=self._newest,
            credentials=credentials,
        )

    async def close(self) -> None:
        """Close what is open."""
        if self._newest is not None:
            await self._newest.close()


def _counting(instruments: Instruments) -> aiohttp.TraceConfig:
    """Count kopf's requests with the operator's own."""

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        watch = request.url.query.get("watch") == "true"
        instruments.count_watch_request(request.url.path, request.response.status, watch=watch)

    async def failed(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        watch = request.url.query.get("watch") == "true"
        instruments.count_watch_request(request.url.path, None, watch=watch)

    config = aiohttp.TraceConfig()
    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config
