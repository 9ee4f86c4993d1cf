"""uvloop as the event loop, and aiokafka kept right on it.

asyncio's own transport drops what is written to a connection that has just been lost; uvloop's
raises RuntimeError. aiokafka takes that for a bug: the task that renews a client's metadata would
end without a word, and whoever waits for it, a partition's transaction too, wait for ever.
"""

from typing import Any

import uvloop
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send = AIOKafkaConnection.send


def install() -> None:
    """Make uvloop the event loop of this process."""
    AIOKafkaConnection.send = _send_or_tell
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
