from hypothesis import given
from hypothesis import strategies as st

from streamer.files.ordering import in_event_time_order
from streamer.files.transactions import Event, Transaction, from_cells, to_events

ROW = from_cells({"customer_id": "a", "occurred_at": "2025-01-01", "amount": "1.00"})

rows = st.lists(
    st.builds(
        Transaction,
        occurred_at=st.integers(0, 5),
        customer_id=st.sampled_from("ab"),
        amount=st.sampled_from(["1", "2"]),
        details=st.just({}),
    )
)


def events_of(transactions: list[Transaction]) -> list[Event]:
    return list(to_events(in_event_time_order(transactions), "USD"))


def test_the_same_row_has_the_same_ids_wherever_it_stands() -> None:
    other = Transaction(ROW.occurred_at + 1, "b", "2.00", {})
    assert events_of([ROW, other])[0] == events_of([other, ROW])[0] == events_of([ROW])[0]


def test_equal_rows_are_numbered() -> None:
    first, second, third = events_of([ROW, ROW, ROW])
    assert second["event_id"] == f"{first['event_id']}-2"
    assert third["order_id"] == f"{first['order_id']}-3"


def test_given_ids_are_kept() -> None:
    row = Transaction(0, "a", "1", {"event_id": "e", "order_id": "o"})
    assert [(event["event_id"], event["order_id"]) for event in events_of([row])] == [("e", "o")]


def test_an_item_of_a_category_alone_stands_for_its_product() -> None:
    cells = {"customer_id": "a", "occurred_at": "2025-01-01", "amount": "1", "category": "shoes"}
    assert from_cells(cells).details["items"] == [{"product_id": "shoes", "category": "shoes"}]


@given(rows)
def test_ids_are_unique_and_depend_on_the_rows_not_on_their_order(
    transactions: list[Transaction],
) -> None:
    ids = [event["event_id"] for event in events_of(transactions)]
    assert len(set(ids)) == len(ids) == len(transactions)
    assert set(ids) == {event["event_id"] for event in events_of(transactions[::-1])}


@given(rows, st.integers(1, 4))
def test_sorting_through_files_is_the_same_as_sorting_in_memory(
    transactions: list[Transaction], run_rows: int
) -> None:
    expected = sorted(transactions, key=lambda row: row.occurred_at)
    assert list(in_event_time_order(transactions, run_rows)) == expected
