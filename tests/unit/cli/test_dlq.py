from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

from streamer import cli
from streamer.cli.dlq.choosing import Choice, parsed_place
from streamer.cli.dlq.listing import DeadLetters, print_table
from streamer.cli.showing import UsageError
from streamer.records.dead_letters import DeadLetter, Reason
from streamer.records.instants import from_datetime
from streamer.records.kafka import FileRecord, Headers
from streamer.serdes.dead_letters import ReadableDeadLetter, readable_dead_letter
from streamer.serdes.scores import dead_letter_headers
from streamer.settings import load_settings

START = datetime(2026, 1, 1, tzinfo=UTC)


def letter(
    number: int,
    reason: Reason = "invalid",
    key: bytes | None = b"anna",
    headers: Headers = (),
    message: str = "too small",
) -> ReadableDeadLetter:
    """Return a dead letter refused so many minutes after the start."""
    record = FileRecord("purchases", 2, number, 1234, key, b'{"cut', headers)
    failed_at = (START + timedelta(minutes=number)).isoformat()
    told = dead_letter_headers(DeadLetter(record, reason, message, "amount"), failed_at, "0.1")
    return readable_dead_letter(record.key, record.value, told, record.timestamp)


def test_a_dead_letter_can_be_read() -> None:
    found = letter(
        7, headers=(("trace", b"t"), ("reason", b"mine"), ("streamer.error.attempt", b"1"))
    )
    assert (found.reason, found.message, found.field) == ("invalid", "too small", "amount")
    assert (found.topic, found.partition, found.offset, found.attempt) == ("purchases", 2, 7, 2)
    assert (found.key, found.value, found.timestamp) == ("anna", '{"cut', 1234)
    assert found.headers == {"trace": "t", "reason": "mine"}
    assert found.headers_base64 == ()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((("trace", b"t"), ("trace", None)), (("trace", "dA=="), ("trace", None))),
        ((("trace", b"t"), ("x", b"\xff")), (("trace", "dA=="), ("x", "/w=="))),
        ((("trace", None),), ()),
    ],
)
def test_of_headers_no_byte_is_lost(headers: Headers, expected: object) -> None:
    assert letter(7, headers=headers).headers_base64 == expected


def test_what_others_wrote_there_can_be_read_too() -> None:
    headers: Headers = (("streamer.error.offset", b"9" * 5000), ("streamer.error.field", None))
    found = readable_dead_letter(b"\xff", None, headers, None)
    assert (found.reason, found.partition, found.offset, found.field) == ("", -1, -1, "")
    assert (found.key, found.key_encoding, found.value) == ("/w==", "base64", None)


def test_all_are_counted_and_the_newest_are_kept() -> None:
    letters = DeadLetters(limit=2)
    for number in (3, 1, 4, 2):
        letters.add(letter(number, "late" if number == 1 else "invalid"))
    assert [found.offset for found in letters.newest] == [3, 4]
    assert letters.by_reason == {"invalid": 3, "late": 1}


@pytest.mark.parametrize(
    ("reason", "since", "expected"), [("late", 0, [1]), (None, 3, [3, 4]), ("invalid", 4, [4])]
)
def test_they_can_be_chosen(reason: str | None, since: int, expected: list[int]) -> None:
    instant = from_datetime(START + timedelta(minutes=since))
    letters = DeadLetters(Choice(reason, instant))
    for number in (1, 2, 3, 4):
        letters.add(letter(number, "late" if number == 1 else "invalid"))
    assert [found.offset for found in letters.newest] == expected


def test_the_list_fits_into_80_columns() -> None:
    letters = DeadLetters(limit=2)
    letters.add(letter(1, "late", key=None))
    letters.add(letter(2, message="\x1b[2Jit is " + "long " * 40))
    letters.add(letter(3, "unknown_currency", headers=(("streamer.error.attempt", b"2"),)))
    console = Console(width=80)
    with console.capture() as captured:
        print_table(letters, console)
    text = captured.get()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    words = " ".join(text.split())
    assert "2026-01-01 00:03:00 unknown_currency amount: too small" in words
    assert "purchases/2/3, key anna, attempt 3" in words
    assert "the newest 2 of them" in words
    assert "3 dead letters: 1 late, 1 invalid, 1 unknown_currency" in words


def test_no_dead_letters_are_good_news() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        print_table(DeadLetters(), console)
    assert captured.get() == "no dead letters\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "purchases"], "TOPIC/PARTITION/OFFSET"),
        (["replay", "--edit"], "needs PLACE"),
        (["replay", "purchases/1/2", "--reason", "late"], "give PLACE for one dead letter"),
        (["replay", "--reason", "bad"], "give one of empty, too_large"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_with_a_way_out(
    arguments: list[str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        CliRunner().invoke(cli.app, ["dlq", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("text", ["purchases/2/7", "shop.purchases/2/7"])
def test_a_place_may_be_named_with_the_prefix_or_without(text: str) -> None:
    assert parsed_place(load_settings(topic_prefix="shop."), text) == ("shop.purchases", 2, 7)
