"""The last check before a write is sent: does this replica still lead?"""

from collections.abc import Callable
from typing import Any

import aiohttp

from selfheal_operator.core.errors import NotLeaderError

Validity = Callable[[], float]
"""Returns for how many more seconds writes may be sent."""


def request_class(validity: Validity) -> type[aiohttp.ClientRequest]:
    """Return a request class that checks the validity of the leadership immediately before sending.

    Between the decision to send and the first byte, a request may wait for a free connection, a handshake
    and the event loop; the process can be stopped in each of these, for an hour. So the check is repeated
    here, after all of them: from here on, nothing is awaited until the kernel has the bytes.

    A window of microseconds remains, and the network. A process that is stopped within it sends one write
    when it resumes. So may a machine whose clock stopped with it, such as a paused virtual machine.
    Both are harmless: a Job's name can be created only once, and optimistic concurrency accepts a status only
    for the resourceVersion it was decided on. Leadership saves work; it is not what makes runs unique.
    """

    class LeasedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            if self._is_late():  # `super().send` sends a write without a body
                raise NotLeaderError(
                    f"{self.method} {self.url.path}: not sent, this operator leads no longer"
                )
            return await super().send(conn)

        async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
            if self._is_late():
                # This runs in a separate task, so the error must be passed to the task awaiting the response.
                conn.protocol.set_exception(
                    NotLeaderError(f"{self.method} {self.url.path}: not sent, this operator leads no longer")
                )
                return
            await super().write_bytes(writer, conn, content_length)

        def _is_late(self) -> bool:
            return self.method != "GET" and validity() <= 0

    return LeasedRequest
