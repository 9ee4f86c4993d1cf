"""A replay ends with the figures of the shop, by the code that counts them live."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streamer.records.instants import from_datetime
from streamer.replay import replay_file
from streamer.settings import Settings

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNTIL = datetime(2026, 6, 3, tzinfo=UTC)


def event(number: int, customer: int, day: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": f"c{customer}",
        "occurred_at": (FIRST + timedelta(days=day)).isoformat(),
        "order_id": f"o{number}",
        "amount": f"{10 + number}.50",
        "currency": "USD",
        "channel": ("email", "web", "store")[customer % 3],
        "experiment": {"id": "banner", "arm": ("control", "new")[customer % 2]},
    }


def measures(folder: Path, events: list[dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
    source = folder / "events.jsonl"
    source.write_text("".join(json.dumps(one) + "\n" for one in events))
    until = from_datetime(UNTIL)
    out = folder / "out"
    replay_file(str(source), out, Settings(**settings), now=NOW, version="1", until=until)
    lines = (out / "programme-measures.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("partitions", [2, 5])
def test_they_do_not_depend_on_the_partitions(tmp_path: Path, partitions: int) -> None:
    events = [event(number, number * 7 % 20, number) for number in range(60)]
    told = measures(tmp_path, events, partitions=1)
    keys = [one.get("group", one.get("experiment", one["measure"])) for one in told]
    keys = [key for key in keys if not key.startswith("segment:")]
    groups = ["all", "channel:email", "channel:store", "channel:web"]
    assert keys == [*groups, "banner", "ideal_profile"]
    assert {one["as_of"] for one in told} == {"2026-06-03T00:00:00Z"}
    assert measures(tmp_path, events, partitions=partitions) == told


def test_the_plan_of_an_experiment_is_that_of_the_settings(tmp_path: Path) -> None:
    events = [event(number, number, number) for number in range(6)]
    plan = {"control": "new", "window_days": 7, "alpha": 0.1}
    told = measures(tmp_path, events, experiments={"banner": plan})
    (banner,) = [one for one in told if one["measure"] == "experiment"]
    assert (banner["control"], banner["window_days"]) == ("new", 7)
    assert banner["confidence_level"] == 0.9
    assert banner["arms"] == {"control": 3, "new": 3}


def test_without_events_there_are_none(tmp_path: Path) -> None:
    assert measures(tmp_path, []) == []
