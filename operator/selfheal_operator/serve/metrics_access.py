"""Who may read /metrics, where this needs a token: whoever may `get` the nonResourceURL /metrics."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web

from selfheal_operator.core.errors import RejectedError, SelfhealError, UnavailableError
from selfheal_operator.kube.access_reviews import Access
from selfheal_operator.serve.recent_answers import RecentAnswers

logger = logging.getLogger(__name__)

METRICS: Final = "/metrics"
ALLOWED_SECONDS: Final = 60.0
"""How long a right that was withdrawn still holds. Any number of scrapes costs two requests a minute."""
REFUSED_SECONDS: Final = 10.0
"""How long a right that was just given is not seen."""
MOST_ALLOWED: Final = 64
MOST_REFUSED: Final = 256
REVIEW_SECONDS: Final = 7.0
"""When a review is given up. A scrape ends after ten seconds by default, and would not see the answer."""
MOST_REVIEWS: Final = 16
"""Tokens that are reviewed at once. Anybody may send a token that nobody knows."""
_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]+) *")
"""RFC 6750, section 2.1."""


class Reviews(Protocol):
    """Reviews a token."""

    async def access(self, token: str, path: str) -> Access:
        """Return what the token is good for, or raise SelfhealError if that cannot be told."""


class MetricsAccess:
    """Refuses requests for the metrics.

    Args:
        reviews: Reviews a token.
        timer: A monotonic clock, in seconds.
    """

    def __init__(self, reviews: Reviews, timer: Callable[[], float] = time.monotonic) -> None:
        self._reviews = reviews
        # Apart: tokens that somebody makes up push no allowed one out.
        self._allowed = RecentAnswers[Access](ALLOWED_SECONDS, MOST_ALLOWED, timer)
        self._refused = RecentAnswers[Access](REFUSED_SECONDS, MOST_REFUSED, timer)
        self._reviewing = 0
        self._may_review = True

    async def refusal(self, authorization: str) -> web.Response | None:
        """Return the response to a request that is refused, or None if it may be served.

        Args:
            authorization: The header of that name, or an empty text.
        """
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None:
            return _unauthenticated("a bearer token is required")
        try:
            access = await self._access(bearer[1])
        except SelfhealError as error:
            if isinstance(error, RejectedError):
                self._warn()
            return web.Response(status=503, text="the token could not be reviewed; try again")
        return _response(access)

    async def _access(self, token: str) -> Access:
        known = self._allowed.find(token) or self._refused.find(token)
        return known or await self._reviewed(token)

    async def _reviewed(self, token: str) -> Access:
        if self._reviewing >= MOST_REVIEWS:
            raise UnavailableError("too many tokens are being reviewed")
        self._reviewing += 1
        try:
            async with asyncio.timeout(REVIEW_SECONDS):
                access = await self._reviews.access(token, METRICS)
        except TimeoutError as error:
            raise UnavailableError("the review took too long") from error
        finally:
            self._reviewing -= 1
        self._may_review = True
        (self._allowed if access is Access.ALLOWED else self._refused).keep(token, access)
        return access

    def _warn(self) -> None:
        """Say that the operator lacks the rights, once until it has them."""
        if self._may_review:
            hint = "add manifests/metrics_authorization to the kustomization"
            logger.warning("May not review the tokens of scrapers; /metrics is 503", extra={"hint": hint})
        self._may_review = False


def _response(access: Access) -> web.Response | None:
    if access is Access.UNAUTHENTICATED:
        return _unauthenticated("the token is not valid")
    if access is Access.FORBIDDEN:
        text = f"the token's holder may not get {METRICS}; bind the ClusterRole selfheal-metrics-reader to it"
        return web.Response(status=403, text=text)
    return None


def _unauthenticated(text: str) -> web.Response:
    return web.Response(status=401, text=text, headers={"WWW-Authenticate": "Bearer"})
