"""Counts kopf's lists and watches, which do not go through the operator's API client."""

from collections.abc import Collection
from types import SimpleNamespace

import aiohttp
from yarl import URL

from selfheal_operator.metrics.api_calls import OTHER, ApiCall
from selfheal_operator.metrics.instruments import Instruments


def counting(instruments: Instruments, kinds: Collection[str]) -> aiohttp.TraceConfig:
    """Return the trace configuration that counts a session's requests with the operator's own."""

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
    """Return the labels of one of kopf's requests; discovery requests are `OTHER`."""
    if url.name not in kinds:
        return OTHER
    return ApiCall("watch" if "watch" in url.query else "list", url.name)
