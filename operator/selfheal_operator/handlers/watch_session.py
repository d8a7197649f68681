"""The HTTP session that kopf lists and watches with: as kopf makes one, but it can be listened to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import kopf


@dataclass(frozen=True, kw_only=True)
class _LoggedIn(kopf.AiohttpSession):
    """A session made from credentials.

    Two are the same if their credentials are: kopf gives up credentials that were refused before, and would
    otherwise log in with them again and again without a pause.
    """

    aiohttp_session: aiohttp.ClientSession = field(compare=False)
    credentials: kopf.ConnectionInfo


class WatchSession:
    """Makes the sessions of kopf, one after each login.

    kopf closes the one that it uses, but not one that it refuses.

    Args:
        tracing: Is told of all that happens in the sessions.
    """

    def __init__(self, tracing: Sequence[aiohttp.TraceConfig]) -> None:
        self._tracing = list(tracing)
        self._newest: aiohttp.ClientSession | None = None

    async def login(self, info: kopf.ConnectionInfo | None) -> kopf.AiohttpSession | None:
        """Return a new session for these credentials; the one before it is closed."""
        await self.close()
        if info is None:
            return None
        self._newest = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            trace_configs=self._tracing,
        )
        return _LoggedIn(
            server=info.server,
            priority=info.priority,
            expiration=info.expiration,
            aiohttp_session=self._newest,
            credentials=info,
        )

    async def close(self) -> None:
        """Close what is open."""
        if self._newest is not None:
            await self._newest.close()
