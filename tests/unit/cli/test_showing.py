import pytest

from streamer.cli.showing import amount, counted, shown_instant, shown_text
from streamer.records.instants import NEVER


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.00", "0.00"),
        ("1234.5", "1,234.5"),
        ("-1234567.50", "-1,234,567.50"),
        ("-0.50", "-0.50"),
        ("5000", "5,000"),
    ],
)
def test_amounts_keep_all_their_digits(text: str, shown: str) -> None:
    assert amount(text) == shown


def test_one_is_no_plural() -> None:
    assert [counted(n, "order") for n in (0, 1, 1000)] == ["0 orders", "1 order", "1,000 orders"]


def test_others_texts_neither_style_nor_steer_the_terminal() -> None:
    assert shown_text("[red]\x1b]0;title\x07\n\u202e") == "\\[red]\ufffd]0;title\ufffd\ufffd\ufffd"


def test_instants_are_shown_as_they_are_written() -> None:
    assert shown_instant(NEVER) is None
    assert shown_instant(1_500_000) == "1970-01-01T00:00:01.500000Z"
