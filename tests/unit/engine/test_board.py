"""Of the shop's figures only what has changed is published, and what is no more is taken back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from aiokafka import ConsumerRecord

from streamer.engine.programme import Board
from streamer.pipeline import Message
from streamer.records.kafka import PROGRAMME_MEASURES, PROGRAMME_PARTIALS
from streamer.settings import Settings

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
ONE = Settings(partitions=1)
LIFETIME = [2, 1, 5, 90_000_000, 0, 1, 40_000_000]


def record(
    topic: str, key: bytes | None, value: bytes | None, partition: int = 0
) -> ConsumerRecord:
    return ConsumerRecord(topic, partition, 0, 0, 0, key, value, 0, 0, 0, ())


def partials(*groups: str, customers: int = 2, day: int = 20_000) -> Iterator[ConsumerRecord]:
    keys = [["group", group] for group in groups]
    for key in keys:
        tally = {"cohorts": {"650": [customers, *LIFETIME[1:]]}, "months": {}}
        yield partial(key, tally)
    yield partial(["share"], {"time": day * DAY, "keys": keys})


def partial(key: list[str], value: object, partition: int = 0) -> ConsumerRecord:
    encoded = json.dumps(key).encode(), json.dumps(value).encode()
    return record(PROGRAMME_PARTIALS, *encoded, partition)


def take(board: Board, records: Iterator[ConsumerRecord]) -> None:
    for one in records:
        board.take(one)


def read_back(board: Board, messages: list[Message]) -> dict[str, bytes | None]:
    for message in messages:
        board.take(record(PROGRAMME_MEASURES, message.key, message.value))
    return {(message.key or b"").decode(): message.value for message in messages}


def test_nothing_is_published_twice() -> None:
    board = Board(ONE)
    assert board.news(NOW) == []
    take(board, partials("all", "channel:email"))
    first = read_back(board, board.news(NOW))
    assert first.keys() == {"programme:all", "programme:channel:email"}
    assert board.news(NOW) == []
    take(board, partials("all", "channel:email", day=20_001))
    later = NOW + timedelta(minutes=1)
    assert board.news(later) == [], "time alone is no news"
    take(board, partials("all", customers=3))
    changed = read_back(board, board.news(later))
    assert changed.keys() == {"programme:all", "programme:channel:email"}
    assert changed["programme:channel:email"] is None
    assert json.loads(changed["programme:all"] or b"")["figures"]["customers"] == 3


def test_a_new_leader_goes_on_from_what_is_published() -> None:
    first, second = Board(ONE), Board(ONE)
    take(first, partials("all", "channel:email"))
    messages = first.news(NOW)
    take(second, partials("all"))
    read_back(second, messages)
    assert {message.key: message.value for message in second.news(NOW)} == {
        b"programme:channel:email": None
    }


def test_what_others_have_written_stops_nobody() -> None:
    board = Board(ONE)
    for key in (None, b"no json", b"programme:all", b"model_calibration"):
        board.take(record(PROGRAMME_PARTIALS, key, b"x"))
        board.take(record(PROGRAMME_MEASURES, key, b"x"))
    take(board, partials("all"))
    assert [message.key for message in board.news(NOW)] == [b"programme:all"]


def test_a_month_that_is_over_is_news() -> None:
    board = Board(ONE)
    take(board, partials("all"))
    read_back(board, board.news(NOW))
    take(board, partials("all", day=20_040))
    assert [message.key for message in board.news(NOW)] == [b"programme:all"]


def test_nothing_is_told_of_a_part_of_the_shop() -> None:
    board = Board(Settings(partitions=2))
    take(board, partials("all"))
    assert board.news(NOW) == []
    board.take(partial(["share"], {"time": 0, "keys": []}, partition=1))
    assert [message.key for message in board.news(NOW)] == [b"programme:all"]


def test_the_ideal_profile_is_published_and_taken_back() -> None:
    board = Board(ONE)
    everyone = ["trait", "", ""]
    take(board, iter([partial(everyone, {"customers": {"3": 2}})]))
    take(board, iter([partial(["share"], {"time": 20_000 * DAY, "keys": [everyone]})]))
    assert read_back(board, board.news(NOW)).keys() == {"profile:ideal"}
    assert board.news(NOW) == []
    take(board, partials("all"))
    assert read_back(board, board.news(NOW))["profile:ideal"] is None


def test_the_ideal_profile_stays_until_a_new_model_has_reached_all() -> None:
    board = Board(ONE)
    everyone = ["trait", "", ""]

    def told(customers: int, *, valued: bool) -> dict[str, bytes | None]:
        share = {"time": 20_000 * DAY, "keys": [everyone] if customers else [], "valued": valued}
        counted = [partial(everyone, {"customers": {"3": customers}})] if customers else []
        take(board, iter([*counted, partial(["share"], share)]))
        return read_back(board, board.news(NOW))

    assert told(2, valued=True).keys() == {"profile:ideal"}
    assert told(0, valued=False) == {}
    assert told(1, valued=False) == {}
    assert json.loads(told(3, valued=True)["profile:ideal"] or b"")["customers"] == 3
