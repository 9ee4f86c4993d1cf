import io
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from streamer.files import FileError, read_events, read_lines
from streamer.records.events import Purchase
from streamer.serdes.events import EventDecoder

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_bytes(content: str | bytes, name: str = "shop.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_bytes


def give_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize(
    "name", ["events.jsonl", "events.ndjson", "events.json", "events.txt", "events"]
)
def test_lines_of_events_pass_untouched(write: Write, name: str) -> None:
    lines = [b'{"b": 1,  "a":"\\u00e9"}', b"{broken", b'{"x":"\xff\xfe"}', b'  {"indented":1} ']
    content = b"\xef\xbb\xbf" + lines[0] + b"\r\n\n" + b"\n".join(lines[1:])
    assert list(read_lines(write(content, name))) == lines


def test_a_jsonl_file_passes_even_when_nothing_in_it_is_json(write: Write) -> None:
    assert list(read_lines(write("customer,date,amount\nno", "x.jsonl"))) == [
        b"customer,date,amount",
        b"no",
    ]


def test_a_broken_first_event_does_not_hide_the_others(write: Write) -> None:
    assert list(read_lines(write('oops\n{"a":1}\n', "events"))) == [b"oops", b'{"a":1}']


def test_events_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b'{"a":1}\n{"b":2}')
    assert list(read_events("-")) == [{"a": 1}, {"b": 2}]


def test_a_pipe_is_followed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.RawIOBase):
        """Gives one line, and fails when more is asked for before that line was used."""

        chunks: ClassVar = [b'{"a":1}\n']

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            chunk: bytes = self.chunks.pop(0)
            buffer[: len(chunk)] = chunk
            return len(chunk)

    stdin = io.TextIOWrapper(io.BufferedReader(Pipe()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert next(read_lines("-")) == b'{"a":1}'


@pytest.mark.parametrize("content", [b"", b"\n \n"])
@pytest.mark.parametrize("name", ["empty", "empty.jsonl"])
def test_an_empty_file_holds_no_events(write: Write, content: str | bytes, name: str) -> None:
    assert list(read_lines(write(content, name))) == []


def test_a_table_gives_purchases_in_event_time_order(write: Write) -> None:
    path = write("Customer ID,Order Date,Total\nb,2025-01-02,5\na,2025-01-01,7.50\n")
    first, second = read_events(path, currency="EUR")
    assert (first["customer_id"], second["customer_id"]) == ("a", "b")
    assert first | {"event_id": "", "order_id": ""} == {
        "event_id": "",
        "type": "purchase",
        "schema_version": 1,
        "customer_id": "a",
        "occurred_at": "2025-01-01T00:00:00Z",
        "order_id": "",
        "amount": "7.50",
        "currency": "EUR",
        "source": "shop.csv:3",
    }


def test_every_known_column_reaches_the_event(write: Write) -> None:
    path = write(
        "\ufeffuser_id;timestamp;revenue;event_id;InvoiceNo;currency;cost;tax;shipping;discount;"
        "coupon;channel;country;sku;category;qty;unknown\n"
        "u;2025-01-01T10:00:00+02:00;12.5;e;o;GBP;3;1;2;0.5;SAVE;web;FR;p;shoes;2;x\n"
    )
    (event,) = read_events(path)
    assert event == {
        "event_id": "e",
        "type": "purchase",
        "schema_version": 1,
        "customer_id": "u",
        "occurred_at": "2025-01-01T08:00:00Z",
        "order_id": "o",
        "amount": "12.5",
        "currency": "GBP",
        "cost": "3",
        "tax": "1",
        "shipping": "2",
        "discount": "0.5",
        "coupon": "SAVE",
        "channel": "web",
        "location": "FR",
        "items": [{"product_id": "p", "category": "shoes", "quantity": 2}],
        "source": "shop.csv:2",
    }


def test_the_preferred_name_wins_where_two_columns_fit(write: Write) -> None:
    (event,) = read_events(write("customer,date,total,amount,timestamp\na,1,9,4,2025-01-01"))
    assert (event["amount"], event["occurred_at"]) == ("4", "2025-01-01T00:00:00Z")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(write: Write, delimiter: str) -> None:
    content = (
        f'"customer"{delimiter}"date"{delimiter}"amount"\r\n"a"{delimiter}20250101{delimiter}3'
    )
    (event,) = read_events(write(content))
    assert event["amount"] == "3"


def test_quoted_cells_may_hold_delimiters_and_line_ends(write: Write) -> None:
    path = write('customer,note,date,amount\n"a, b","x\n""y""",2025-01-01,3\nc,,2025-01-01,bad')
    with pytest.raises(FileError, match="line 4: cannot read 'bad' as amount"):
        list(read_events(path))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2025-03-04", "2025-03-04T00:00:00Z"),
        ("20250304", "2025-03-04T00:00:00Z"),
        ("2025-03-04 05:06", "2025-03-04T05:06:00Z"),
        ("2025-03-04T05:06:07.25Z", "2025-03-04T05:06:07.250000Z"),
        ("2025-03-04T00:30:00+01:00", "2025-03-03T23:30:00Z"),
        ("1741064767", "2025-03-04T05:06:07Z"),
        ("1741064767250", "2025-03-04T05:06:07.250000Z"),
        ("1741064767250001", "2025-03-04T05:06:07.250001Z"),
    ],
)
def test_dates_in_the_usual_forms(write: Write, cell: str, expected: str) -> None:
    (event,) = read_events(write(f"customer,date,amount\na,{cell},1"))
    assert event["occurred_at"] == expected


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("customer,date\na,2025-01-01", "x.csv", "line 1: the header customer, date lacks amount"),
        ("who,when,what\na,b,c", "x.csv", "lacks customer_id (customer_id, customer"),
        (
            "customer,date,amount\na,03/04/2025,1",
            "x.csv",
            "line 2: cannot read '03/04/2025' as date",
        ),
        ("customer,date,amount\na,,1", "x.csv", "line 2: cannot read '' as date"),
        ("customer,date,amount\na,0001-01-01T00:00+05:00,1", "x.csv", "line 2: cannot read"),
        ("customer,date,amount\na,2025-01-01,1 zł", "x.csv", "cannot read '1 zł' as amount: write"),
        ("customer,date,amount\na,2025-01-01,NaN", "x.csv", "cannot read 'NaN' as amount: write"),
        ("customer,date,amount\na,2025-01-01,1e99", "x.csv", "cannot read '1e99' as amount"),
        ("customer,date,amount,sku,qty\na,2025-01-01,1,b,1.5", "x.csv", "'1.5' as quantity"),
        ("customer,date,amount\n\na,2025-01-01,1,5", "x.csv", "line 3: 4 columns where the header"),
        (b"customer,date,amount\n\xe9,2025-01-01,1", "x.csv", "line 2: it is not UTF-8"),
        ('customer,date,amount\n"a"b,2025-01-01,1', "x.csv", "line 2: "),
        ('customer,date,amount\n"a,2025-01-01,1', "x.csv", "unexpected end of data"),
        ("[\n{}]", "x.json", "jq -c"),
        (b"\x1f\x8b\x08", "x.gz", "unpack it"),
        ("hello\nworld", "x.txt", "neither JSON events nor a header"),
        (" 00001 19970101  1   11.77\nx", "x.txt", "line 2: expected the columns customer"),
        (" 00001 19970101  1   11.77\n 1 19971301 1 2.00", "x.txt", "line 2: cannot read"),
        ("{}\n[]", "x.jsonl", "line 2: it is no JSON object"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line_and_the_way_out(
    write: Write, content: str | bytes, name: str, message: str
) -> None:
    with pytest.raises(FileError) as caught:
        list(read_events(write(content, name)))
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FileError, match=r"no/such.csv: No such file"):
        list(read_lines("no/such.csv"))


def test_a_line_without_end_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.files.lines.LINE_BYTES_MAX", 64)
    path = write(b'{"a":1}\n{' + b" " * 100, "x.jsonl")
    with pytest.raises(FileError, match="line 2: more than 64 bytes"):
        list(read_lines(path))


def test_values_are_judged_by_the_decoder_not_by_the_reader(write: Write) -> None:
    path = write("customer,date,amount\n,2025-01-01,1\na,2025-01-01,-5")
    assert [(event["customer_id"], event["amount"]) for event in read_events(path)] == [
        ("", "1"),
        ("a", "-5"),
    ]


def test_lines_of_a_table_decode_to_the_events_of_the_table(write: Write) -> None:
    path = write("customer,date,amount,sku\na,2025-01-01,1.10,p\nb,2025-01-02,2.20,q")
    decoded = [EventDecoder().decode(line) for line in read_lines(path)]
    assert [event.event_id for event in decoded] == [e["event_id"] for e in read_events(path)]
    amounts = [event.amount for event in decoded if isinstance(event, Purchase)]
    assert sum(amounts) == Decimal("3.30") * 1_000_000
