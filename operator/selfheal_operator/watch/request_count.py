"""Counts the requests of an HTTP session that is not the operator's own: kopf's lists and watches."""

from types import SimpleNamespace

import aiohttp

from selfheal_operator.metrics.instruments import Instruments


def counting(instruments: Instruments) -> aiohttp.TraceConfig:
    """Return what a session needs in order that its requests are counted with the operator's own."""

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        watch = "watch" in request.url.query
        instruments.count_watch_request(request.url.path, request.response.status, watch=watch)

    async def failed(
        _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        watch = "watch" in request.url.query
        instruments.count_watch_request(request.url.path, None, watch=watch)

    config = aiohttp.TraceConfig()
    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config
