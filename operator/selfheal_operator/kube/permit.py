"""The last look before a write leaves this process: does it still have leave to write?"""

from collections.abc import Callable
from typing import Any

import aiohttp

from selfheal_operator.core.errors import NotLeaderError

Validity = Callable[[], float]
"""Tells for how many seconds more writes may be sent."""


def request_class(validity: Validity) -> type[aiohttp.ClientRequest]:
    """Return the class of requests that ask for leave at the last moment.

    Between the decision to send and the bytes lie a pool that may be full, a handshake, and a turn of the
    event loop; a process can be stopped in any of them, for an hour. So it is asked again here, after all of
    them: from here on, nothing is awaited until the kernel has the bytes.

    What remains are the microseconds of that, and the network. A process that is stopped within them sends
    its one write when it wakes, and so may a machine whose clock stood still with it, as a paused virtual
    one.
    Both are harmless: a Job's name is taken only once, and a status is written only over the very version
    that it was decided on. Leadership saves work; it is not what makes runs unique.
    """

    class LeasedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            if self._is_late():  # a write without a body is sent in here
                raise NotLeaderError(
                    f"{self.method} {self.url.path}: not sent, this operator leads no longer"
                )
            return await super().send(conn)

        async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
            if self._is_late():
                # A task of its own runs this; its error has to be told to the one that waits for the answer.
                conn.protocol.set_exception(
                    NotLeaderError(f"{self.method} {self.url.path}: not sent, this operator leads no longer")
                )
                return
            await super().write_bytes(writer, conn, content_length)

        def _is_late(self) -> bool:
            return self.method != "GET" and validity() <= 0

    return LeasedRequest
