"""A worker's log tells what goes on, and does not drown in it."""

import logging

from streamer.cli.logs import Sparing


def record(wording: str, created: float, *values: object) -> logging.LogRecord:
    made = logging.LogRecord("client", logging.ERROR, "", 0, wording, values, None)
    made.created = created
    return made


def test_one_wording_is_told_once_in_a_while() -> None:
    sparing = Sparing(10)
    told = [
        sparing.filter(record("no connection to %s", 100 + second, second)) for second in range(25)
    ]
    assert [second for second, let_through in enumerate(told) if let_through] == [0, 10, 20]


def test_another_wording_is_told_at_once() -> None:
    sparing = Sparing(10)
    assert sparing.filter(record("no connection", 100))
    assert sparing.filter(record("connected", 100))
