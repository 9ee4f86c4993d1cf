import pytest
from rich.console import Console

from streamer.cli.dlq.explaining import EXPLANATIONS, explained
from streamer.cli.dlq.marking import marked_payload
from streamer.cli.dlq.showing import print_letter
from streamer.records.dead_letters import REASONS, DeadLetter, Rejected
from streamer.records.kafka import FileRecord
from streamer.serdes.dead_letters import readable_dead_letter
from streamer.serdes.events import EventDecoder
from streamer.serdes.scores import dead_letter_headers

PURCHASE = (
    '{"type":"purchase","event_id":"e1","customer_id":"anna","occurred_at":"2026-01-01T00:00:00Z",'
    '"order_id":"o1","amount":10.50,"currency":"USD"%s}'
)

STRUCTURED = (
    '{"specversion":"1.0","id":"e","source":"s","type":"purchase","subject":"anna",'
    '"time":"2026-01-01T00:00:00Z","data":{"order_id":"o","currency":"USD","amount":"x"}}'
)


def marks(payload: str) -> list[str]:
    """Return the marked lines of what the decoder itself finds in ``payload``."""
    with pytest.raises(Rejected) as refused:
        EventDecoder().decode(payload.encode())
    error = refused.value
    missing = error.reason == "invalid" and "missing" in error.message
    lines = marked_payload(payload, error.field, missing=missing)
    return [line.text.strip() for line in lines if line.marked]


@pytest.mark.parametrize(
    ("payload", "marked"),
    [
        (PURCHASE.replace("10.50", "-10.50") % "", ['"amount": -10.50,']),
        (PURCHASE.replace("USD", "EUR") % "", ['"currency": "EUR"']),
        (PURCHASE.replace('"order_id":"o1",', "") % "", ['"order_id": … is missing']),
        (
            PURCHASE % ',"items":[{"product_id":"p"},{"product_id":"q","price":"x"}]',
            ['"price": "x"'],
        ),
        (PURCHASE % ',"items":[{"price":"1"}]', ['"product_id": … is missing']),
        (PURCHASE % ',"amount":"3"', ['"amount": 10.50,', '"amount": "3"']),
        (PURCHASE.replace("purchase", "purchaze") % "", ['"type": "purchaze",']),
        (
            STRUCTURED,
            ['"amount": "x"'],
        ),
        ('{"type":"purchase" "x":1}', ["^ Expecting ',' delimiter"]),
    ],
)
def test_the_fault_is_marked_where_the_decoder_found_it(payload: str, marked: list[str]) -> None:
    assert marks(payload) == marked


def test_the_pointer_stands_below_the_fault() -> None:
    text, pointer = marked_payload('{"type": "purchase", "note": "' + "x" * 90 + '", oops}', "")
    assert text.text[pointer.text.index("^")] == "o"
    assert text.text.startswith("… ")


def test_no_digit_is_lost_and_what_lies_far_off_is_left_out() -> None:
    items = ",".join('{"product_id":"p","price":0.10000000000000000001}' for _ in range(50))
    payload = PURCHASE.replace("10.50", "-1") % f',"items":[{items}]'
    lines = [line.text for line in marked_payload(payload, "items[20].price")]
    assert '      "price": 0.10000000000000000001' in lines
    assert len(lines) < 40
    assert lines.count("  …") == 2


@pytest.mark.parametrize("value", ["[" * 100_000, "1", "{}", "[]", '"text"'])
def test_any_text_can_be_shown(value: str) -> None:
    assert marked_payload(value, "amount", missing=True)


def test_each_reason_is_explained_with_a_way_out() -> None:
    assert set(EXPLANATIONS) == set(REASONS)
    for reason in REASONS:
        words, remedy = explained(reason, "purchases/1/2")
        assert words.endswith(".")
        assert "{" not in remedy
    assert "no version of streamer" in explained("theirs", "a/1/2").words


def test_a_dead_letter_is_told_in_full() -> None:
    value = (PURCHASE.replace("10.50", "-1") % "").encode()
    record = FileRecord("shop.purchases", 2, 1041, 5, b"anna", value, (("trace", b"\x1b[2J"),))
    letter = DeadLetter(record, "invalid", "below zero", "amount")
    headers = dead_letter_headers(letter, "2026-01-02T00:00:00+00:00", "0.1.0")
    console = Console(width=80)
    with console.capture() as captured:
        print_letter(readable_dead_letter(b"anna", value, headers, 5), console)
    text = captured.get()
    assert "\x1b" not in text
    assert '→   "amount": -1,' in text
    words = " ".join(text.split())
    for part in (
        "invalid A field is missing",
        "message below zero",
        "record shop.purchases/2/1041",
        "attempt 1, version 0.1.0",
        "streamer dlq replay shop.purchases/2/1041 --payload FILE",
    ):
        assert part in words
