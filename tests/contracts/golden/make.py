"""Writes the bytes of this version for later ones: `python -m tests.contracts.golden.make`.

One folder a version of rows, one of measures. Each is written once; a version that was released is
never written again.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from streamer.pipeline import Configuration
from streamer.records.instants import from_datetime
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    LTV_UPDATES,
    PROGRAMME_MEASURES,
    PROGRAMME_PARTIALS,
    SOURCE_TOPICS,
    FileRecord,
)
from streamer.serdes.events import EventDecoder
from streamer.serdes.rows import CHECKPOINT_KEY, VERSION, decode_checkpoint, decode_row
from tests.support.cluster import Cluster
from tests.support.counting import finish, measures_of, shop_of
from tests.support.histories import RATES
from tests.support.schemas import EVENT_TYPES, load

FOLDER = Path(__file__).parent
START = datetime(2024, 1, 1, 9, tzinfo=UTC)
MEASURES_VERSION = 1
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def configuration() -> Configuration:
    """Return the settings under which the golden bytes came about."""
    return Configuration(EventDecoder("USD", RATES), partitions=2, version="golden")


def events() -> list[dict[str, Any]]:
    """Return a little of everything: repeats, refunds, referrals, old days, several currencies."""
    told: list[tuple[int, str, dict[str, Any]]] = []
    for n in range(24):
        amount = {"amount": f"{10 + n}.{n:02d}", "currency": ("USD", "EUR", "JPY")[n % 3]}
        cost = {"cost": "4.5"} if n % 4 else {}
        told.append((n * 31, ("ann", "bob", "dörte")[n % 3], _purchase(n, amount | cost)))
    told += [
        (40, "ann", {"type": "refund", "refund_id": "r", "amount": 3.5, **_order(0)}),
        (50, "ann", {"type": "referral", "referred_customer_id": "bob"}),
        (45, "cy", {"type": "referral", "referred_customer_id": "bob", "status": "joined"}),
        (46, "dörte", {"type": "referral", "referred_customer_id": "emil"}),
    ]
    return [
        {
            "event_id": f"e{place}",
            "customer_id": customer,
            "occurred_at": (START + timedelta(days=day)).isoformat(),
            **fields,
        }
        for place, (day, customer, fields) in enumerate(sorted(told, key=lambda one: one[0]))
    ]


def _order(n: int) -> dict[str, Any]:
    return {"order_id": f"o{n}", "currency": "USD"}


def _purchase(n: int, money: dict[str, Any]) -> dict[str, Any]:
    return {"type": "purchase", **_order(n), **money}


def played() -> Cluster:
    """Return the cluster behind the golden bytes."""
    cluster = Cluster(configuration(), now=UNTIL)
    for place, event in enumerate(events()):
        cluster.send(event)
        if place % 5 == 0:  # a careless producer's: no key, anywhere; and its repeat
            cluster.produce("interactions", place % 2, json.dumps(event).encode())
        cluster.settle()
    for kind in EVENT_TYPES[2:]:
        for example in load(f"{kind}.json")["examples"]:
            cluster.send(example)
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"b1"),
        ("ce_type", b"shop.erasure.v1"),
        ("ce_time", b"2026-03-01T00:00:00Z"),
    )
    cluster.produce("interactions", 1, b'{"customer_id":"ann"}', b"ann", headers)
    cluster.produce("purchases", 0, b"no event", b"ann")
    cluster.settle()
    cluster.tell_silence(from_datetime(UNTIL))
    return cluster


def write(folder: Path) -> None:
    """Write the golden bytes into a new ``folder``."""
    folder.mkdir()
    cluster = played()
    for number in cluster.numbers:
        entries = [_entry(key, value) for key, value in cluster.changelog(number)]
        _write_lines(folder / f"changelog-{number}.jsonl", entries)
    for topic in (*SOURCE_TOPICS, LTV_UPDATES, CHURN_RISK_UPDATES, DEAD_LETTERS):
        _write_lines(folder / f"{topic}.jsonl", list(map(_record, cluster.log(topic))))


def write_measures(folder: Path) -> None:
    """Write the figures of the shop and the partitions' shares in them into a new ``folder``."""
    folder.mkdir()
    cluster = played()
    for place, arm in enumerate(("control", "offer")):
        cluster.send(
            {
                "event_id": f"x{place}",
                "customer_id": f"x{place}",
                "occurred_at": (UNTIL - timedelta(days=9)).isoformat(),
                "channel": "email",
                "experiment": {"id": "free-shipping", "arm": arm},
                **_purchase(place, {"amount": "12.5", "currency": "USD"}),
            }
        )
    cluster.settle()
    finish(cluster)
    _write_lines(
        folder / f"{PROGRAMME_PARTIALS}.jsonl", list(map(_record, cluster.log(PROGRAMME_PARTIALS)))
    )
    _write_lines(
        folder / f"{PROGRAMME_MEASURES}.jsonl", list(measures_of(shop_of(cluster)).values())
    )


def _entry(key: bytes, value: bytes | None) -> dict[str, Any]:
    assert value is not None
    struct = decode_checkpoint(value) if key == CHECKPOINT_KEY else decode_row(value)
    fields = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {"key": key.decode(), "value": value.hex(), "holds": msgspec.to_builtins(fields)}


def _record(record: FileRecord) -> dict[str, Any]:
    return {
        "partition": record.partition,
        "key": None if record.key is None else record.key.decode(),
        "value": None if record.value is None else record.value.decode(),
        "headers": [[name, None if raw is None else raw.decode()] for name, raw in record.headers],
    }


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    made = (
        (FOLDER / f"rows-{VERSION}", write),
        (FOLDER / f"measures-{MEASURES_VERSION}", write_measures),
    )
    missing = [(target, make) for target, make in made if not target.exists()]
    if not missing:
        sys.exit("all of it exists: only a version that was never released may be made again")
    for target, make in missing:
        make(target)
