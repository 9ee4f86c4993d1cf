"""Dead letters, explained and sent once more, as a backend developer would. Kafka is real."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streamer.broker import EmbeddedKafka
from streamer.cli.demo.pulse import pulse_of
from tests.support.stage import Stage, stage
from tests.support.topics import read_topic
from tests.support.worker import Worker

NOW = datetime.now(UTC)
EUROS = {"EUR": "2"}


def purchase(number: int, customer: str, amount: str = "10.00", currency: str = "USD") -> bytes:
    event = {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": (NOW - timedelta(days=1)).isoformat(),
        "order_id": f"o{number}",
        "amount": amount,
        "currency": currency,
    }
    return json.dumps(event).encode()


def refused(corner: Stage, *arguments: str) -> str:
    result = corner.command(*arguments)
    assert (result.returncode, result.stderr[:10]) == (1, "streamer: "), result.stderr
    return result.stderr


def place_of(letter: dict[str, Any]) -> str:
    return f"{letter['topic']}/{letter['partition']}/{letter['offset']}"


async def done(worker: Worker, corner: Stage, events: int) -> None:
    """Wait until this life of the worker has committed what follows from so many records."""
    async with asyncio.timeout(60):
        while not pulse_of((await worker.get("/metrics"))[1], corner.prefix).is_done(events):
            await asyncio.sleep(0.1)


def worth(corner: Stage, customer: str) -> str:
    return str(corner.told("customer", customer)["ltv"]["historic_clv"])


@pytest.fixture
def corner(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Stage]:
    with stage(kafka.bootstrap, tmp_path, partitions=2) as found:
        lines = [purchase(1, "anna"), purchase(2, "anna", "7.00", "EUR"), purchase(3, "ben", "-5")]
        file = tmp_path / "events.jsonl"
        file.write_bytes(b"\n".join(lines))
        assert found.command("send", str(file)).returncode == 0
        yield found


def letters(corner: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = corner.told("dlq", "list")["dead_letters"]
    return found


async def test_what_was_refused_is_found_put_right_and_counted_once(
    corner: Stage, tmp_path: Path
) -> None:
    with corner.worker("worker") as worker:
        await worker.ready()
        await done(worker, corner, 3)
        by_key = {letter["key"]: letter for letter in letters(corner)}
        check_shown(corner, by_key["ben"])
        # As things are it is refused again, and each replay sends the newest attempt only.
        told_dry = corner.told("dlq", "replay", "--reason", "unknown_currency", "--dry-run")
        assert (told_dry["matched"], told_dry["sent"]) == (1, 0)
        assert told_dry["still_refused"] == {"unknown_currency": 1}
        for number in (4, 5):
            again = corner.told("dlq", "replay", "--reason", "unknown_currency")
            assert (again["matched"], again["sent"]) == (1, 1)
            await done(worker, corner, number)
        attempts = [one["attempt"] for one in letters(corner) if one["key"] == "anna"]
        assert sorted(attempts) == [1, 2, 3]
        await worker.stop()
    corner.settings["rates"] = json.dumps(EUROS)
    with corner.worker("worker") as worker:
        await worker.ready()
        since = by_key["anna"]["failed_at"]
        told_since = ("dlq", "replay", "--reason", "unknown_currency", "--since", since)
        assert corner.told(*told_since, "--dry-run")["still_refused"] == {}
        for number in (1, 2):
            assert corner.told(*told_since)["sent"] == 1
            await done(worker, corner, number)
            assert worth(corner, "anna") == "24.00"
        await check_corrected(corner, worker, by_key["ben"], tmp_path)
    await check_headers(corner)


def check_shown(corner: Stage, letter: dict[str, Any]) -> None:
    found = corner.told("dlq", "show", place_of(letter))
    assert {name: found[name] for name in letter} == letter
    assert "--payload FILE" in found["remedy"]
    short = place_of(letter).removeprefix(corner.prefix)
    assert '→   "amount": "-5",' in corner.command("dlq", "show", short).stdout
    assert "no dead letter" in refused(corner, "dlq", "show", "purchases/0/999")


async def check_corrected(
    corner: Stage, worker: Worker, letter: dict[str, Any], folder: Path
) -> None:
    """Replay Ben's purchase with its amount put right, twice: the second is a duplicate."""
    replay, file = ("dlq", "replay", place_of(letter), "--payload"), folder / "right.json"
    file.write_bytes(purchase(3, "ben", "-4"))
    assert "refused again (amount" in refused(corner, *replay, str(file))
    file.write_bytes(purchase(33, "ben", "5.00"))
    assert "keep it" in refused(corner, *replay, str(file))
    file.write_bytes(purchase(3, "ben", "5.00"))
    for number in (3, 4):
        assert corner.told(*replay, str(file))["sent"] == 1
        await done(worker, corner, number)
        assert worth(corner, "ben") == "5.00"


async def check_headers(corner: Stage) -> None:
    """Look at the records themselves: the third attempt has no trace of the others but two."""
    records = await read_topic(corner.bootstrap, f"{corner.prefix}purchases")
    replayed = [record for record in records if record.headers and record.key == b"anna"]
    assert [dict(one.headers)["streamer.error.attempt"] for one in replayed] == [
        b"1", b"2", b"3", b"3",
    ]  # fmt: skip
    for record in replayed:
        assert {name for name, _ in record.headers} == {
            "streamer.error.attempt",
            "streamer.replay.of",
        }
        assert record.value == purchase(2, "anna", "7.00", "EUR")


async def test_an_editor_corrects_a_payload(corner: Stage, tmp_path: Path) -> None:
    with corner.worker("worker") as worker:
        await worker.ready()
        await done(worker, corner, 3)
        (letter,) = (one for one in letters(corner) if one["key"] == "ben")
        replay = "dlq", "replay", place_of(letter), "--edit"
        for editor, told_ in (("true", "nothing was changed"), ("no-such-editor", "set EDITOR")):
            assert told_ in refused_with(corner, editor, *replay)
        done_ = command_with(corner, "sed -i s/-5/6.5/", *replay)
        assert "1 sent" in done_[1], done_
        await done(worker, corner, 4)
        assert worth(corner, "ben") == "6.50"


def command_with(corner: Stage, editor: str, *arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDITOR", editor)
        patch.delenv("VISUAL", raising=False)
        result = corner.command(*arguments)
    return result.returncode, result.stdout, result.stderr


def refused_with(corner: Stage, editor: str, *arguments: str) -> str:
    code, _, errors = command_with(corner, editor, *arguments)
    assert code == 1
    return errors
