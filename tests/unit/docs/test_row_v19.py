import json
from datetime import UTC, datetime

from tests.support.pages import blocks, replayed

PAGE = "v19.md"


def test_the_example_of_the_page_is_what_a_replay_tells() -> None:
    (events,), (expected,) = blocks(PAGE, "jsonl"), blocks(PAGE, "json")
    told = replayed(events, datetime(2026, 2, 1, tzinfo=UTC))["churn-risk-updates"][-1]
    wanted = json.loads(expected)
    assert {name: told[name] for name in wanted} == wanted
