"""A worker's log tells what goes on, and does not drown in it."""

import logging

import pytest

from streamer.cli.logs import Sparing, Unframed
from streamer.errors import StreamerError


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


def told(error: Exception, caplog: pytest.LogCaptureFixture) -> str:
    caplog.handler.addFilter(frames := Unframed())
    try:
        raise error
    except Exception:
        logging.getLogger("streamer.test").exception("crashed: %s", error)
    finally:
        caplog.handler.removeFilter(frames)
    return caplog.text


def test_our_own_errors_are_told_without_frames(caplog: pytest.LogCaptureFixture) -> None:
    text = told(StreamerError("do this"), caplog)
    assert "crashed: do this" in text
    assert "Traceback" not in text


def test_other_errors_are_told_with_frames(caplog: pytest.LogCaptureFixture) -> None:
    assert "Traceback" in told(ValueError("what"), caplog)


def test_a_cause_is_told_with_frames(caplog: pytest.LogCaptureFixture) -> None:
    error = StreamerError("do this")
    error.__cause__ = ValueError("what")
    assert "ValueError: what" in told(error, caplog)
