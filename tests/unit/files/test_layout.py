"""Tables as shops have them: other names, other dates, other amounts, a row for each product."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.files import FileError, Layout, read_events
from streamer.files.transactions import UnreadableError, from_cells
from streamer.files.values import formats_of, instant_in


def read(folder: Path, text: str, layout: Layout | None = None) -> list[dict[str, Any]]:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return list(read_events(str(path), layout=layout or Layout()))


def test_a_german_export_is_read(tmp_path: Path) -> None:
    layout = Layout(
        {"customer_id": "Kunde", "occurred_at": "Datum", "amount": "Umsatz (EUR)"},
        "%d.%m.%Y %H:%M",
        decimal_comma=True,
    )
    text = "Kunde;Datum;Umsatz (EUR)\nK1;03.04.2025 18:30;1.234,50\nK2;04.04.2025 09:00;7"
    first, second = read(tmp_path, text, layout)
    assert (first["customer_id"], first["occurred_at"], first["amount"]) == (
        "K1",
        "2025-04-03T18:30:00Z",
        "1234.50",
    )
    assert (second["amount"], second["source"]) == ("7", "shop.csv:3")


def test_a_named_column_goes_before_one_of_the_usual_name(tmp_path: Path) -> None:
    text = "customer,date,amount,net\na,2025-01-01,9,7"
    (event,) = read(tmp_path, text, Layout({"amount": "net"}))
    assert event["amount"] == "7"


def test_a_named_column_that_is_not_there_is_never_passed_over(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="has no column profit"):
        read(tmp_path, "customer,date,amount\na,2025-01-01,9", Layout({"cost": "profit"}))


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("1,234.50", "1234.50"), ("12,345,678.9", "12345678.9"), ("-1,000.0", "-1000.0")],
)
def test_thousands_apart_are_read_where_they_leave_no_doubt(
    tmp_path: Path, cell: str, amount: str
) -> None:
    (event,) = read(tmp_path, f'customer,date,amount\na,2025-01-01,"{cell}"')
    assert event["amount"] == amount


@pytest.mark.parametrize("cell", ["1,234", "12,50", "1,23,456.00", "1.234,50"])
def test_a_comma_that_may_be_either_is_asked_for(tmp_path: Path, cell: str) -> None:
    with pytest.raises(FileError, match=r"line 2: cannot read .* or add --decimal-comma"):
        read(tmp_path, f'customer,date,amount\na,2025-01-01,"{cell}"')


@pytest.mark.parametrize(
    ("cell", "formats"),
    [
        ("31/12/2025", "--date-format '%d/%m/%Y'."),
        ("12/31/2025 08:26", "--date-format '%m/%d/%Y %H:%M'."),
        ("03/04/2025", "--date-format '%d/%m/%Y' or --date-format '%m/%d/%Y'."),
    ],
)
def test_the_way_to_read_a_date_is_told(tmp_path: Path, cell: str, formats: str) -> None:
    with pytest.raises(FileError) as caught:
        read(tmp_path, f"customer,date,amount\na,{cell},1")
    assert str(caught.value).endswith(f"or add {formats}")


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),  # noqa: DTZ001 - as in a file
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%Y/%m/%d", "%m/%d/%y"]),
    st.sampled_from(["", " %H:%M", " %I:%M:%S %p"]),
)
def test_a_proposed_format_reads_the_date_it_was_proposed_for(
    moment: datetime, day: str, time: str
) -> None:
    text = moment.strftime(day + time)
    known = datetime.strptime(text, day + time).replace(tzinfo=UTC).timestamp() * 1_000_000
    proposed = formats_of(text)
    assert day + time in proposed
    assert known in {instant_in(text, one) for one in proposed}


def test_all_lines_at_fault_are_told_at_once_with_each_advice_once(tmp_path: Path) -> None:
    rows = ["a,2025-01-01,1", "b,soon,2", "c,later,3", *["d,2025-01-01,x"] * 10]
    with pytest.raises(FileError) as caught:
        read(tmp_path, "customer,date,amount\n" + "\n".join(rows))
    told = str(caught.value)
    assert "line 3: cannot read 'soon' as date: write it as" in told
    assert "; line 4: cannot read 'later' as date; line 5: cannot read 'x' as amount: write" in told
    assert told.endswith("line 7: cannot read 'x' as amount; and 7 more.")
    assert caught.value.line == 3


def test_a_wrong_column_is_given_up_soon(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="and at least 995 more"):
        read(tmp_path, "customer,date,amount\n" + "a,soon,1\n" * 2_000)


LINES = (
    "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,cost\n"
    "1,mug,6,2025-01-01 08:26,2.55,17850,10\n"
    "1,lamp,1,2025-01-01 08:26,7.65,17850,3.50\n"
    "2,mug,2,2025-01-01 08:26,2.50,17850,4\n"
    "1,mug,1,2025-01-01 08:26,2.50,13047,2\n"
)


def test_the_lines_of_an_order_are_one_purchase(tmp_path: Path) -> None:
    events = read(tmp_path, LINES)
    found = {(one["customer_id"], one["order_id"]): (one["amount"], one["cost"]) for one in events}
    assert found == {
        ("17850", "1"): ("22.95", "13.50"),
        ("17850", "2"): ("5.00", "4"),
        ("13047", "1"): ("2.50", "2"),
    }
    (whole,) = (one for one in events if len(one["items"]) == 2)
    assert {(item["product_id"], item["quantity"], item["price"]) for item in whole["items"]} == {
        ("mug", 6, "2.55"),
        ("lamp", 1, "7.65"),
    }
    assert whole["source"] == "shop.csv:2"


def test_an_order_has_its_id_whatever_the_order_of_its_lines(tmp_path: Path) -> None:
    header, *rows = LINES.splitlines()
    turned = "\n".join([header, *reversed(rows)])
    assert {one["event_id"] for one in read(tmp_path, LINES)} == {
        one["event_id"] for one in read(tmp_path, turned)
    }


def test_rows_with_amounts_of_their_own_are_purchases_of_their_own(tmp_path: Path) -> None:
    text = "customer,order,date,amount\na,o,2025-01-01,1\na,o,2025-01-01,2"
    assert [event["amount"] for event in read(tmp_path, text)] == ["1", "2"]


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("1.034,50 €", "1034.50", "EUR"),
        ("€ 12,90", "12.90", "EUR"),
        ("-€12,90", "-12.90", "EUR"),
        ("£1.000", "1000", "GBP"),
        ("1\u00a0034,50", "1034.50", None),
        ("12,90-", None, None),
        ("12.90", None, None),  # would be 1290, were the dot taken to part thousands
        ("12,90 zł", None, None),
        ("€€1", None, None),
    ],
)
def test_amounts_with_a_comma_may_have_a_sign_and_parted_thousands(
    cell: str, amount: str | None, currency: str | None
) -> None:
    cells = {"customer_id": "c", "occurred_at": "2026-01-02", "amount": cell}
    layout = Layout(decimal_comma=True)
    if amount is None:
        with pytest.raises(UnreadableError, match=r"as amount: write it as 1\.234,50"):
            from_cells(cells, layout)
        return
    read = from_cells(cells, layout)
    assert (read.amount, read.details.get("currency")) == (amount, currency)


def test_a_sign_says_the_currency_unless_a_column_does() -> None:
    cells = {"customer_id": "c", "occurred_at": "2026-01-02", "amount": "$1,234.50", "cost": "$9"}
    read = from_cells(cells)
    assert (read.amount, read.details) == ("1234.50", {"currency": "USD", "cost": "9"})
    assert from_cells({**cells, "currency": "CAD"}).details["currency"] == "CAD"


def test_a_day_that_there_is_not_is_told_with_the_format_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"'31\.02\.2025' as date: write a day that .*: %d\.%m\.%Y"):
        read(tmp_path, "customer,date,amount\na,31.02.2025,1", Layout({}, "%d.%m.%Y"))
