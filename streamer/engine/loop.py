"""uvloop as the event loop, and aiokafka kept right on it.

asyncio's own transport drops what is written to a connection that has just been lost; uvloop's
raises RuntimeError. aiokafka takes that for a bug: the task that renews a client's metadata would
end without a word, and whoever waits for it, a partition's transaction too, wait for ever.

And who closes a client waits for its connections to be closed: over TLS, until the broker has said
goodbye, for which a broker that hangs has half a minute, as often as there are clients.
"""

import asyncio
from typing import Any

import uvloop
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

GOODBYE_SECONDS_MAX = 2.0
"""What was asked has been answered before, or is not waited for any more."""

_send = AIOKafkaConnection.send
_close = AIOKafkaConnection.close


def install() -> None:
    """Make uvloop the event loop of this process."""
    AIOKafkaConnection.send = _send_or_tell
    AIOKafkaConnection.close = _close_soon
    uvloop.install()


def _send_or_tell(self: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - aiokafka's signature
    """Send ``request`` as aiokafka does.

    Raises:
        KafkaConnectionError: the connection is lost, which aiokafka knows how to live with.
    """
    try:
        return _send(self, request, expect_response)
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
        raise KafkaConnectionError(
            f"connection to {self.host}:{self.port} lost: {error}"
        ) from error


def _close_soon(
    self: AIOKafkaConnection, reason: Any = None, exc: BaseException | None = None
) -> asyncio.Future[None] | None:
    """Close as aiokafka does, whether the broker says goodbye or not."""
    writer = self._writer
    if writer is not None and not self._loop.is_closed():
        self._loop.call_later(GOODBYE_SECONDS_MAX, writer.transport.abort)
    closed: asyncio.Future[None] | None = _close(self, reason, exc)
    return closed
