"""A dead letter's payload, corrected by hand: checked before it is sent."""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from aiokafka import ConsumerRecord

from streamer.cli.showing import UsageError
from streamer.records.dead_letters import Rejected
from streamer.records.partitioning import partition_of
from streamer.settings import Settings


class Corrected(NamedTuple):
    """What is sent in a dead letter's place."""

    value: bytes
    key: bytes
    partition: int


def payload_of(file: Path) -> bytes:
    """Return what ``file`` holds.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"--payload {file} cannot be read: {error.strerror}.") from None


def edited(value: bytes | None) -> bytes:
    """Return ``value`` as it is after somebody has changed it in an editor.

    Raises:
        UsageError: nothing was changed, or no editor can be started.
    """
    before = (value or b"").decode(errors="replace")
    with suppress(msgspec.DecodeError):  # what is no JSON is edited as it stands
        before = msgspec.json.format(before, indent=2)
    try:
        after = click.edit(before, extension=".json")
    except click.ClickException as error:
        raise UsageError(f"{error.format_message()}: set EDITOR, or use --payload.") from None
    if after is None or after.strip() == before.strip():
        raise UsageError("nothing was changed, so nothing was sent.")
    return after.encode()


def corrected(settings: Settings, record: ConsumerRecord, value: bytes) -> Corrected:
    """Return ``value`` with its key and partition, if workers of these settings would take it.

    Raises:
        UsageError: they would not; or its ``event_id`` is another, so it might count twice.
    """
    try:
        event = settings.decoder().decode(value, record.headers)
    except Rejected as rejected:
        fault = f"{rejected.field}: {rejected.message}" if rejected.field else rejected.message
        raise UsageError(
            f"the payload would be refused again ({fault}): correct that too."
        ) from None
    before = _event_id(record.value)
    if before is not None and before != event.event_id:
        raise UsageError(
            f"the payload's event_id is {event.event_id!r}, the dead letter's {before!r}: keep it, "
            "else the event may count twice."
        )
    key = event.customer_id.encode()
    return Corrected(value, key, partition_of(key, settings.partitions))


def _event_id(value: bytes | None) -> str | None:
    """Return the ``event_id`` in ``value``; None where it can be told of none."""
    try:
        event: Any = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = event.get("event_id") if isinstance(event, dict) else None
    return found if isinstance(found, str) and found else None
