"""A dead letter's payload, corrected by hand: checked before it is sent."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from streamer.cli.dlq.judging import Judge
from streamer.cli.showing import UsageError
from streamer.records.dead_letters import Rejected
from streamer.records.kafka import FileRecord
from streamer.records.partitioning import partition_of
from streamer.settings import Settings


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


def corrected(settings: Settings, record: FileRecord, value: bytes) -> FileRecord:
    """Return ``record`` with ``value``, if workers of these settings would take it.

    Its key and partition are those of the customer that it names now.

    Raises:
        UsageError: they would not; or its ``event_id`` is another, so it might count twice.
    """
    new = record._replace(value=value)
    try:
        key = Judge(settings).customer_of(new)
    except Rejected as rejected:
        fault = f"{rejected.field}: {rejected.message}" if rejected.field else rejected.message
        raise UsageError(
            f"the payload would be refused again ({fault}): correct that too."
        ) from None
    before, after = _event_id(record.value), _event_id(value)
    if before is not None and before != after:
        raise UsageError(
            f"the payload's id is {after!r}, the dead letter's {before!r}: keep it, else the event "
            "may count twice."
        )
    if key is None:
        return new
    return new._replace(key=key, partition=partition_of(key, settings.partitions))


def _event_id(value: bytes | None) -> str | None:
    """Return the id of the event in ``value``, ours or foreign; None where none can be told."""
    try:
        event: Any = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    names = "event_id", "messageId", "id"
    found = [event[name] for name in names if name in event] if isinstance(event, dict) else []
    return str(found[0]) if found and found[0] else None
