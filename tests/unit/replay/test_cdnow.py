"""A real shop's two years: what comes out against sums made without any of streamer's code."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from streamer.files import cdnow_master
from streamer.files.outputs import output_file
from streamer.replay import replay_file
from streamer.settings import Settings


def sums_of(file: Path) -> dict[str, tuple[int, Decimal]]:
    """Return each customer's orders and revenue; the columns before the last four are its ids."""
    sums: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
    for line in file.read_text().splitlines():
        columns = line.split()
        if columns[0].isdigit():
            orders, revenue = sums[columns[0]]
            sums[columns[0]] = orders + 1, revenue + Decimal(columns[-1])
    return dict(sums)


def test_a_replay_of_cdnow_has_its_sums(tmp_path: Path) -> None:
    file = cdnow_master()
    done = replay_file(str(file), tmp_path, Settings(), now=datetime.now(UTC), version="1")
    assert (done.events, done.customers, done.refused.total()) == (69_659, 23_570, 0)
    assert done.counts["scores"] == done.events + done.counts["silences"]
    last = {}
    with output_file(tmp_path, "ltv-updates").open() as lines:
        for line in lines:
            score = json.loads(line)
            last[score["customer_id"]] = score["orders"], Decimal(score["historic_clv"])
    assert last == sums_of(file)
