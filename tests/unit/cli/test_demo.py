from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from rich.console import Console

from streamer.cli.demo.feed import (
    PLANTED_SOURCE,
    WAYS,
    EmptyFileError,
    Feed,
    Sent,
    feed,
    frequent_currency,
    own_feed,
)
from streamer.cli.demo.latency import Latency
from streamer.cli.demo.outcome import Customer, Outcome, Risk, Value
from streamer.cli.demo.pulse import pulse_of
from streamer.cli.demo.report import Summary, show
from streamer.cli.demo.stage import DemoError, alone_in, remove_deleted
from streamer.files import USUAL
from streamer.replay import Replay
from streamer.settings import Settings
from tests.support.models import model_params

CUSTOMERS, ORDERS = 30, 4


@pytest.fixture
def events(tmp_path: Path) -> Feed:
    """The feed of a small file in CDNOW's columns: every customer on four days, in file order."""
    file = tmp_path / "transactions.txt"
    lines = [
        f" {customer:05d} 1997{1 + order * 2:02d}{1 + customer % 28:02d}  1   {customer + 1}.50"
        for customer in range(CUSTOMERS)
        for order in range(ORDERS)
    ]
    file.write_text("\n".join(lines) + "\n")
    return feed(file)


# -- what is sent -----------------------------------------------------------------------------


def test_the_planted_errors_are_all_that_is_refused(events: Feed) -> None:
    refused: list[dict[str, str]] = []

    def write(name: str, line: bytes) -> None:
        if name == "dead-letters":
            refused.append(msgspec.json.decode(line))

    replay = Replay(Settings(), datetime(2026, 1, 1, tzinfo=UTC), "1", write)
    for value in events.values:
        replay.take(value)
    assert len(refused) == events.sent.planted_errors == len(tuple(WAYS))
    assert all("planted-" in letter["value"] for letter in refused)
    assert sum(PLANTED_SOURCE in letter["value"] for letter in refused) >= len(refused) - 1
    assert len({letter["reason"] for letter in refused}) == 6
    assert replay.customers == CUSTOMERS


def test_the_feed_counts_what_it_holds(events: Feed) -> None:
    simulated = sum(b"simulated-referral-overlay" in value for value in events.values)
    purchases = CUSTOMERS * ORDERS
    assert events.sent == Sent("", len(events.values), purchases, simulated, 8)
    assert events.sent.events == purchases + simulated + 8
    assert simulated > 0


def test_events_are_in_the_order_of_their_times(events: Feed) -> None:
    good = [value for value in events.values if b"planted-" not in value]
    times = [datetime.fromisoformat(msgspec.json.decode(value)["occurred_at"]) for value in good]
    assert times == sorted(times)


def test_the_second_half_holds_good_events_only(events: Feed) -> None:
    half = events.values[len(events.values) // 2 :]
    assert not any(b"planted-" in value for value in half)


def test_a_shops_own_file_is_sent_as_it_stands(tmp_path: Path) -> None:
    lines = [
        b'{"type":"purchase","currency":"EUR"}',
        b"{broken",
        b'{"type":"rating"}',
        b'{"type":1}',
    ]
    file = tmp_path / "own.jsonl"
    file.write_bytes(b"\n".join(lines))
    own = own_feed(str(file), "USD", USUAL)
    assert own == Feed(lines, Sent(str(file), 4, 1, 0, 0))
    assert frequent_currency(own.values) == "EUR"
    file.write_bytes(b"\n")
    with pytest.raises(EmptyFileError, match="holds no events"):
        own_feed(str(file), "USD", USUAL)
    assert frequent_currency([]) is None


# -- how far the worker is --------------------------------------------------------------------


def metrics(**totals: int) -> str:
    """Return the text of /metrics with these totals; a topic's stand behind two underscores."""
    registry = CollectorRegistry()
    counters: dict[str, Counter] = {}
    labels = {"records_consumed": "topic", "messages_produced": "topic", "dead_letters": "reason"}
    for key, value in totals.items():
        name, _, label = key.partition("__")
        if name not in counters:
            names = (labels[name],) if name in labels else ()
            counters[name] = Counter(f"streamer_{name}", "", names, registry=registry)
        counter = counters[name]
        (counter.labels("x." + label.replace("_", "-")) if label else counter).inc(value)
    return generate_latest(registry).decode()


DONE = {
    "records_consumed__purchases": 7,
    "records_consumed__referrals": 2,
    "records_consumed__rekeyed": 1,
    "records_consumed__referral_credits": 3,
    "messages_produced__rekeyed": 1,
    "messages_produced__referral_credits": 3,
    "events": 8,
    "duplicates_dropped": 1,
    "replayed_dropped": 1,
    "records_rekeyed": 1,
    "events_erased": 1,
    "dead_letters__late": 1,
    "scores": 9,
    "silence_crossings": 4,
}


def test_all_is_done_when_every_record_has_come_to_its_end() -> None:
    pulse = pulse_of(metrics(**DONE), "x.")
    assert pulse.is_done(9)
    assert not pulse.is_done(10)
    assert (pulse.consumed, pulse.scores, pulse.silences, pulse.dead_letters) == (9, 9, 4, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"events": 7},  # read, not committed
        {"messages_produced__referral_credits": 4},  # a message between rows, not read
        {"records_consumed__purchases": 6, "events": 7},  # sent, not read
    ],
)
def test_it_is_not_done_before(change: dict[str, int]) -> None:
    assert not pulse_of(metrics(**DONE | change), "x.").is_done(9)


def test_a_worker_that_has_just_started_has_done_nothing() -> None:
    assert not pulse_of("", "x.").is_done(1)


# -- what stands around -----------------------------------------------------------------------


def test_a_second_demo_is_kept_out(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path / "demo"),
        pytest.raises(DemoError, match="already"),
        alone_in(tmp_path / "demo"),
    ):
        pass
    with alone_in(tmp_path / "demo"):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="set STREAMER_DATA_DIR"), alone_in(tmp_path / "file/demo"):
        pass


def test_only_what_was_deleted_is_removed(tmp_path: Path) -> None:
    names = ["demo-1.purchases-0", "demo-1.purchases-0.0123-delete", "mine-0.0123-delete"]
    for name in names:
        (tmp_path / "storage" / name).mkdir(parents=True)
    remove_deleted(tmp_path)
    assert sorted(path.name for path in (tmp_path / "storage").iterdir()) == [names[0], names[2]]


def test_the_report_fits_into_80_columns() -> None:
    customer = Customer(
        Value(
            customer_id="12345678901234567890",
            historic_clv=Decimal("34567.89"),
            predicted_clv=Decimal("12345.67"),
            predicted_clv_low=Decimal(1234),
            predicted_clv_high=Decimal(98765),
            orders=12_345,
            referred_customers=1_234,
            referral_value=Decimal("-5.00"),
        ),
        Risk("12345678901234567890", "1998-06-30", "medium", 0.5, None, "1998-07-08T00:00:00Z"),
    )
    outcome = Outcome(
        as_of="1998-06-30",
        customers=23_570,
        worth=Decimal("2500315.63"),
        expected=Decimal("805853.91"),
        horizon_days=365,
        dead_letters={"unknown_currency": 1, "self_referral": 2, "out_of_range": 3, "invalid": 4},
        most_valuable=[customer],
        at_risk=[customer],
        referrers=[customer],
        refused=[],
    )
    summary = Summary(
        sent=Sent("", 74_433, 69_659, 4_766, 8),
        scores=142_081,
        silences=72_422,
        events_per_second=31_234.5,
        paced_per_second=1000,
        latency=Latency(4_900, 21.3, 1_061.2),
        seconds=31.8,
        model=model_params(),
        outcome=outcome,
        currency="USD",
        kafka_data_dir=".streamer/demo/kafka",
        topic_prefix="demo-20260101-000000.",
    )
    console = Console(width=80)
    with console.capture() as captured:
        show(summary, console)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(captured.get().split())
    for part in ("2,500,315.63 USD", "1,234 - 98,765", "21 ms", "simulated", "1998-07-08", "31,23"):
        assert part in words
