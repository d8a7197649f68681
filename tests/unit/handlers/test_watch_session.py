import aiohttp
import kopf

from selfheal_operator.handlers.watch_session import WatchSession

CREDENTIALS = kopf.ConnectionInfo(server="http://127.0.0.1:9", token="secret", scheme="Bearer")


async def test_its_requests_can_be_followed():
    """Whoever measures how old the watches are, or counts requests, is told of each."""
    tracing = aiohttp.TraceConfig()
    made = await WatchSession(lambda: None, [tracing]).login(CREDENTIALS)
    assert made is not None
    async with made.aiohttp_session as session:
        assert session.trace_configs == [tracing]
        assert session.headers["Authorization"] == "Bearer secret"
