"""An update as a webhook's body: what was published, in an envelope that says what it is.

The envelope is that of the Standard Webhooks specification: ``type``, ``timestamp``, ``data``.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from streamer.records.kafka import Kind, Record


class Message(NamedTuple):
    """One delivery, the same in every try."""

    id: str
    """Where the record stands: told twice, it has the same id."""
    body: bytes


def message_of(record: Record, kind: Kind) -> Message:
    """Return what is told of ``record``: its value as it was published.

    A null value says that its customer was erased: so the receiver is told whom to forget.
    """
    event, data = "updated", record.value
    if data is None:
        customer_id = (record.key or b"").decode(errors="replace")
        event, data = "erased", msgspec.json.encode({"customer_id": customer_id})
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    body = b'{"type":"%b.%b","timestamp":"%b","data":%b}' % (
        kind.encode(),
        event.encode(),
        at.removesuffix("+00:00").encode() + b"Z",
        data,
    )
    return Message(f"{record.topic}-{record.partition}-{record.offset}", body)
