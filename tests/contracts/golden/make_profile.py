"""Writes a profile as this version has it: `python -m tests.contracts.golden.make_profile`.

As for the other golden bytes: what was released is never written again.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from streamer.records.kafka import LTV_UPDATES, PROGRAMME_MEASURES, PROGRAMME_PARTIALS, FileRecord
from streamer.records.measures import PROFILE
from streamer.scoring.ideal.fitting import with_profile
from streamer.serdes.models import encode_model_params
from tests.contracts.golden.make import START, UNTIL, configuration
from tests.support.cluster import Cluster
from tests.support.counting import finish, measures_of, shop_of
from tests.support.models import model_params

FOLDER = Path(__file__).parent / "profile-1"
CUSTOMERS = 120
KEPT = ("trait", "share")


def purchase(customer: int, time: int) -> dict[str, Any]:
    """Return one of two purchases; the later the customer, the more it is worth."""
    return {
        "event_id": f"p{customer}-{time}",
        "type": "purchase",
        "customer_id": f"c{customer:03d}",
        "occurred_at": (START + timedelta(days=customer % 50 + 40 * time)).isoformat(),
        "order_id": f"o{customer}-{time}",
        "amount": str((customer + 1) ** 2),
        "currency": "USD",
        "channel": "email" if customer % 9 > 5 else "search",
        "items": [{"product_id": "p", "category": ("food", "toys")[customer // 60]}],
    }


def write(folder: Path) -> None:
    """Write partials, profile, model and the updates by it into a new ``folder``."""
    folder.mkdir()
    cluster = Cluster(configuration(), now=UNTIL)
    for time in range(2):
        for customer in range(CUSTOMERS):
            cluster.send(purchase(customer, time))
        cluster.settle(50)
    rows = list(cluster.rows().values())
    at = max(cluster.partition(number).time for number in cluster.numbers)
    model = with_profile(model_params(), rows, at, configuration().scoring)
    for number in cluster.numbers:
        cluster.step(number, 0, model=model)
        cluster.step(number, 0, rescore_max=CUSTOMERS)
    finish(cluster)
    partials = [_record(one) for one in cluster.log(PROGRAMME_PARTIALS)]
    _write(folder, PROGRAMME_PARTIALS, [one for one in partials if one["key"].startswith(_HEADS)])
    told = measures_of(shop_of(cluster))
    _write(
        folder, PROGRAMME_MEASURES, [one for key, one in told.items() if key.startswith(PROFILE)]
    )
    _write(folder, LTV_UPDATES, list(cluster.scores(LTV_UPDATES))[-5:])
    (folder / "model-params.json").write_bytes(encode_model_params(model) + b"\n")


_HEADS = tuple(f'["{kind}"' for kind in KEPT)


def _record(record: FileRecord) -> dict[str, Any]:
    value = None if record.value is None else record.value.decode()
    return {"partition": record.partition, "key": (record.key or b"").decode(), "value": value}


def _write(folder: Path, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if FOLDER.exists():
        sys.exit("it exists: only a version that was never released may be made again")
    write(FOLDER)
