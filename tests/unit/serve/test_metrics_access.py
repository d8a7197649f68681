import asyncio

import pytest

from selfheal_operator.core.errors import RejectedError, UnavailableError
from selfheal_operator.kube.access_reviews import Access
from selfheal_operator.serve import metrics_access as module
from selfheal_operator.serve.metrics_access import (
    ALLOWED_SECONDS,
    MOST_REFUSED,
    MOST_REVIEWS,
    REFUSED_SECONDS,
    MetricsAccess,
)
from support.fakes.timers import Timer

TOKEN = "head.payload.sign-ature_"  # as long as it looks like one


class Server:
    """Reviews tokens: what it says of those that it knows, and how often it was asked."""

    def __init__(self) -> None:
        self.known = {TOKEN: Access.ALLOWED}
        self.error: Exception | None = None
        self.asked: list[str] = []
        self.held = asyncio.Event()
        self.held.set()

    async def access(self, token: str, path: str) -> Access:
        """Answer, or fail."""
        assert path == "/metrics"
        self.asked.append(token)
        await self.held.wait()
        if self.error:
            raise self.error
        return self.known.get(token, Access.UNAUTHENTICATED)


class Guard:
    """The access to the metrics, with a server and a clock of the test's own."""

    def __init__(self) -> None:
        self.server, self.timer = Server(), Timer()
        self.access = MetricsAccess(self.server, self.timer)

    async def status(self, authorization: str = f"Bearer {TOKEN}") -> int:
        """Return the status of a refusal, or 200."""
        refusal = await self.access.refusal(authorization)
        return refusal.status if refusal else 200


@pytest.fixture
async def guard() -> Guard:
    """Return the access to the metrics."""
    return Guard()


@pytest.mark.parametrize(
    ("access", "status"), [(Access.ALLOWED, 200), (Access.FORBIDDEN, 403), (Access.UNAUTHENTICATED, 401)]
)
async def test_the_answer_is_that_of_the_api_server(guard, access, status):
    """401 for a token that it does not accept, 403 for a holder without the right."""
    guard.server.known[TOKEN] = access
    assert await guard.status() == status


@pytest.mark.parametrize(
    "header",
    ["", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer a\udc80", 'Bearer "a"'],
)
async def test_what_is_no_bearer_token_is_not_reviewed(guard, header):
    """Nothing of it reaches the API server."""
    assert await guard.status(header) == 401
    assert guard.server.asked == []


async def test_a_refusal_says_how_to_authenticate(guard):
    """As HTTP demands of a 401."""
    refusal = await guard.access.refusal("")
    assert refusal.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("access", "seconds"),
    [
        (Access.ALLOWED, ALLOWED_SECONDS),
        (Access.FORBIDDEN, REFUSED_SECONDS),
        (Access.UNAUTHENTICATED, REFUSED_SECONDS),
    ],
)
async def test_an_answer_holds_for_a_short_while(guard, access, seconds):
    """A scrape costs the API server nothing then."""
    guard.server.known[TOKEN] = access
    for passed, times in ((0, 1), (seconds - 0.1, 1), (0.1, 2)):
        guard.timer.now += passed
        await guard.status()
        assert guard.server.asked == [TOKEN] * times


async def test_a_token_that_is_made_up_pushes_no_other_one_out(guard):
    """More of them than are remembered, and the scraper's is still known."""
    assert await guard.status() == 200
    for number in range(MOST_REFUSED + 1):
        assert await guard.status(f"Bearer made.up.{number}") == 401
    guard.server.asked.clear()
    assert await guard.status() == 200
    assert guard.server.asked == []


@pytest.mark.parametrize("error", [UnavailableError("no answer"), RejectedError("forbidden")])
async def test_a_token_that_could_not_be_reviewed_is_not_refused_for_good(guard, error):
    """Could not look is 503, and is not remembered."""
    guard.server.error = error
    assert await guard.status() == 503
    guard.server.error = None
    assert await guard.status() == 200


async def test_a_known_token_needs_no_api_server(guard):
    """For as long as the answer holds."""
    await guard.status()
    guard.server.error = UnavailableError("no answer")
    assert await guard.status() == 200


async def test_a_review_that_does_not_end_is_given_up(guard, monkeypatch):
    """The scraper gets an answer before it goes away."""
    monkeypatch.setattr(module, "REVIEW_SECONDS", 0.01)
    guard.server.held.clear()
    assert await guard.status() == 503


async def test_no_more_tokens_are_reviewed_at_once_than_the_bound(guard):
    """The one above the bound is told to come again; the others get their answers."""
    guard.server.held.clear()
    waiting = [asyncio.create_task(guard.status(f"Bearer {number}")) for number in range(MOST_REVIEWS)]
    await asyncio.sleep(0)  # each gets as far as the API server
    assert len(guard.server.asked) == MOST_REVIEWS
    assert await guard.status() == 503
    guard.server.held.set()
    assert await asyncio.gather(*waiting) == [401] * MOST_REVIEWS
    assert await guard.status() == 200


async def test_the_log_says_once_that_the_rights_are_missing(guard, caplog):
    """Again only after they were there. Nothing is said of an API server that is away."""
    for error in (RejectedError("a"), UnavailableError("b"), RejectedError("a"), None, RejectedError("a")):
        guard.server.error = error
        await guard.status()
        guard.timer.now += ALLOWED_SECONDS
    said = "May not review the tokens of scrapers; /metrics is 503"
    assert [record.message for record in caplog.records] == [said] * 2
    assert TOKEN not in caplog.text
