from collections.abc import AsyncIterator

import kopf
import pytest

from selfheal_operator.handlers.watch_session import WatchSession

CREDENTIALS = kopf.ConnectionInfo(server="http://127.0.0.1:9", token="secret", scheme="Bearer")


@pytest.fixture
async def session() -> AsyncIterator[WatchSession]:
    """Return what makes sessions."""
    session = WatchSession([])
    yield session
    await session.close()


async def test_it_logs_in_with_the_credentials(session):
    """As kopf's own session would."""
    made = await session.login(CREDENTIALS)
    assert made.server == CREDENTIALS.server
    assert made.aiohttp_session.headers["Authorization"] == "Bearer secret"


async def test_without_credentials_there_is_no_session(session):
    """Neither a kubeconfig nor a ServiceAccount: kopf says so."""
    assert await session.login(None) is None


async def test_sessions_are_the_same_if_their_credentials_are(session):
    """By this kopf knows credentials that were refused, and does not try them for ever without a pause."""
    first, second = await session.login(CREDENTIALS), await session.login(CREDENTIALS)
    other = await session.login(kopf.ConnectionInfo(server=CREDENTIALS.server, token="renewed"))
    assert first == second
    assert first != other


async def test_one_session_at_a_time_is_open(session):
    """One that kopf refuses would never be closed by it."""
    first, second = await session.login(CREDENTIALS), await session.login(CREDENTIALS)
    assert first.aiohttp_session.closed
    await session.close()
    assert second.aiohttp_session.closed
