"""Requests to the API server: JSON documents in and out; errors are classified by who must act.

The client library's typed models reject fields that are newer than the library, so a user's podTemplate is
sent as an untyped document.
"""

import json
import math
import os
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final, Self

import aiohttp
from kubernetes.aio import client as aio
from kubernetes.aio import config

from selfheal_operator.config import SettingError
from selfheal_operator.core.errors import ConflictError, NotLeaderError, RejectedError, UnavailableError
from selfheal_operator.kube.clock import ServerClock
from selfheal_operator.kube.json_document import parse
from selfheal_operator.kube.permit import Validity, request_class
from selfheal_operator.kube.throttle import Throttle
from selfheal_operator.metrics.api_calls import OTHER, ApiCall
from selfheal_operator.metrics.instruments import Instruments

REQUEST_SECONDS: Final = 10.0
PAGE_SIZE: Final = 200
PAGE_BYTES: Final = 4 * 1024 * 1024
"""A longer page is not read to its end, but asked for again with fewer objects: while it is parsed, a page
takes some eight times its length in memory. 200 usual monitors take 1.6 MiB; etcd holds 1.5 MiB an object."""

_NOT_TYPED: Final = "failed to create typed patch object"
"""The API server's answer to a server-side apply that its schema refuses, such as a list with a key twice.
Its code is 500, as if another attempt could succeed."""

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
MERGE: Final = "application/merge-patch+json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Accept headers that request metadata only."""


class NotFoundError(ConflictError):
    """The object does not exist, or no longer exists."""


class AlreadyExistsError(ConflictError):
    """The name is taken."""


class LongAnswerError(UnavailableError):
    """The answer is longer than it may be; its rest was not read."""


class ApiClient:
    """One connection pool to the API server."""

    def __init__(self, transport: aio.ApiClient) -> None:
        self._transport = transport
        self._validity: Validity = lambda: math.inf
        self._throttle: Throttle | None = None
        self._clock: ServerClock | None = None
        self.instruments = Instruments()

    @classmethod
    async def connect(
        cls,
        kubeconfig: str | None = None,
        *,
        validity: Validity | None = None,
        throttle: Throttle | None = None,
        clock: ServerClock | None = None,
        instruments: Instruments | None = None,
    ) -> Self:
        """Connect with `kubeconfig`, or the one in KUBECONFIG, or as the pod's ServiceAccount, in this order.

        Args:
            kubeconfig: The path of a kubeconfig.
            validity: Returns for how many more seconds writes may be sent; without it, for ever.
            throttle: Limits the rate of requests; without it, there is no limit.
            clock: Receives the Date header of each response.
            instruments: Count and time each request.

        Raises:
            SettingError: There is no usable kubeconfig, and this is no pod with a ServiceAccount.
        """
        configuration = aio.Configuration()
        named = kubeconfig or os.environ.get("KUBECONFIG")
        try:
            if named is not None:
                await config.load_kube_config(config_file=named, client_configuration=configuration)
            else:
                config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException as error:
            where = f"KUBECONFIG: {named}" if named else "KUBECONFIG is not set, and this is no pod"
            raise SettingError(f"{where}: {error}") from error
        # With trust_env, aiohttp reads proxy settings per request, which takes longer than the request.
        configuration.client_session_kwargs = {"trust_env": False}
        if validity is not None:
            configuration.client_session_kwargs["request_class"] = request_class(validity)
        configuration.retries = None  # the queue retries, after a new decision
        configuration.connection_pool_maxsize = 64
        client = cls(aio.ApiClient(configuration))
        client._validity = validity or client._validity
        client._throttle, client._clock = throttle, clock
        client.instruments = instruments or client.instruments
        return client

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def request(  # noqa: PLR0913 - all but the first are named and may be left out
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout_seconds: float = REQUEST_SECONDS,
        most_bytes: int | None = None,
        call: ApiCall = OTHER,
    ) -> dict[str, Any]:
        """Send one request and return the response's document.

        Args:
            method: The HTTP method.
            path: The path of the object or the collection.
            body: The document to send.
            query: The query parameters.
            content_type: The media type of the body.
            accept: The media type requested for the response.
            timeout_seconds: How long to wait for the response.
            most_bytes: The length of the longest response that is read; without it, any.
            call: The request's labels in the metrics.

        Raises:
            NotLeaderError: It is a write, and another replica may be the leader now.
            NotFoundError, AlreadyExistsError, ConflictError: The view was stale; read again.
            RejectedError: The server understood the request and refused it.
            LongAnswerError: The response is longer than `most_bytes`.
            UnavailableError: There was no response, or none that tells the outcome.
        """
        method, url, headers, _, _ = await self._transport.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        if self._throttle is not None:
            with self.instruments.works.wait():
                await self._throttle.turn()
        if method != "GET":
            # A write must end before another replica may lead. `request_class` checks again before sending.
            timeout_seconds = min(timeout_seconds, self._validity())
            if timeout_seconds <= 0:
                raise NotLeaderError(f"{method} {path}: not sent, this operator does not lead")
        began, code = time.monotonic(), None
        asked = self._clock.monotonic() if self._clock else 0.0
        try:
            response = await self._transport.call_api(
                method, url, headers, body, _request_timeout=timeout_seconds
            )
            raw = await (response.read() if most_bytes is None else _start_of(response.response, most_bytes))
            code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"{method} {path}: {error or type(error).__name__}") from error
        finally:
            self.instruments.observe_call(call, code, time.monotonic() - began)
        if self._clock is not None and (date := response.getheader("Date")):
            self._clock.hear(date, asked)
        if response.status >= HTTPStatus.BAD_REQUEST:
            failure = _failure(response.status, raw, response.getheader("Retry-After"), f"{method} {path}")
            if self._throttle is not None and isinstance(failure, UnavailableError):
                self._throttle.hold(failure.retry_after_seconds or 0)
            raise failure
        if most_bytes is not None and len(raw) > most_bytes:
            raise LongAnswerError(f"{method} {path}: longer than {most_bytes} bytes")
        return _document(raw, f"{method} {path}")

    async def pages(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = JSON,
        call: ApiCall = OTHER,
    ) -> AsyncIterator[dict[str, Any]]:
        """List in pages, with a consistent read from etcd; yield each page's document.

        Objects that are large come in pages of fewer, so that no page is longer than `PAGE_BYTES`.
        """
        token, size = "", PAGE_SIZE
        while True:
            wanted = {**(query or {}), "limit": str(size)} | ({"continue": token} if token else {})
            try:
                page = await self.request(
                    "GET",
                    path,
                    query=wanted,
                    accept=accept,
                    most_bytes=PAGE_BYTES if size > 1 else None,
                    call=call,
                )
            except LongAnswerError:
                size //= 2
                continue
            token, size = page["metadata"].get("continue") or "", min(2 * size, PAGE_SIZE)
            yield page
            del page  # otherwise two pages would be in memory during the next request
            if not token:
                return


async def _start_of(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Return the body; of a longer one the beginning, which is longer than `most_bytes` too."""
    parts, length = list[bytes](), 0
    async for part in response.content.iter_any():
        parts.append(part)
        length += len(part)
        if length > most_bytes:
            response.close()
            break
    return b"".join(parts)


def _document(raw: bytes, what: str) -> dict[str, Any]:
    """Read an object or a list of the API server; what stands between us and it may answer anything."""
    try:
        document = parse(raw)
    except ValueError as error:
        raise UnavailableError(f"{what}: the answer is no JSON that can be read ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise UnavailableError(f"{what}: the answer is none of the API server's")
    return document


def _failure(status: int, raw: bytes, retry_after: str | None, what: str) -> Exception:
    try:
        document = json.loads(raw)
        message, reason = str(document["message"]), document.get("reason")
    except (ValueError, KeyError, TypeError, RecursionError):
        message, reason = f"{what}: HTTP {status}", None
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and message.startswith(_NOT_TYPED):
        return RejectedError(message)
    match status:
        case HTTPStatus.NOT_FOUND:
            return NotFoundError(message)
        case HTTPStatus.CONFLICT:
            return AlreadyExistsError(message) if reason == "AlreadyExists" else ConflictError(message)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.FORBIDDEN | HTTPStatus.UNPROCESSABLE_ENTITY:
            return RejectedError(message)
        case _:  # 401: the token is being renewed; 429 and 5xx: later
            seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
            return UnavailableError(message, seconds)
