"""Counts the requests of an HTTP session that is not the operator's own: kopf's lists and watches."""

from collections.abc import Collection
from types import SimpleNamespace

import aiohttp
from yarl import URL

from selfheal_operator.metrics.api_calls import OTHER, ApiCall
from selfheal_operator.metrics.instruments import Instruments


def counting(instruments: Instruments, kinds: Collection[str]) -> aiohttp.TraceConfig:
    """Return what a session needs in order that its requests are counted with the operator's own."""

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        instruments.count_call(_call(request.url, kinds), request.response.status)

    async def failed(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        instruments.count_call(_call(request.url, kinds), None)

    config = aiohttp.TraceConfig()
    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config


def _call(url: URL, kinds: Collection[str]) -> ApiCall:
    """Name a request of kopf's: it lists and watches what it was told to, and asks what else there is."""
    if url.name not in kinds:
        return OTHER
    return ApiCall("watch" if "watch" in url.query else "list", url.name)
