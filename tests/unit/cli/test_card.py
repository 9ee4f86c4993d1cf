import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from streamer.cli.card import card
from streamer.files.outputs import output_file
from streamer.records.instants import NEVER, from_datetime
from streamer.replay import replay_file
from streamer.settings import Settings

Update = dict[str, Any]
UNTIL = datetime(2026, 9, 1, tzinfo=UTC)


def updates_of(tmp_path: Path, until: datetime | None, **event: object) -> tuple[Update, Update]:
    """Return both updates that a purchase, and silence after it, lead to."""
    purchase = {
        "event_id": "e1",
        "type": "purchase",
        "customer_id": "anna",
        "occurred_at": "2026-01-01T00:00:00Z",
        "order_id": "o1",
        "amount": "1234.50",
        "currency": "USD",
    }
    source = tmp_path / "events.jsonl"
    source.write_text(json.dumps(purchase | event))
    silent_until = NEVER if until is None else from_datetime(until)
    replay_file(
        str(source), tmp_path, Settings(), now=UNTIL, version="1", until=silent_until
    )  # fmt: skip
    names = "ltv-updates", "churn-risk-updates"
    ltv, churn_risk = (output_file(tmp_path, name).read_text().splitlines()[-1] for name in names)
    return json.loads(ltv), json.loads(churn_risk)


def shown(customer_id: str, *updates: Update | None) -> str:
    console = Console(width=80, file=None)
    with console.capture() as captured:
        console.print(card(customer_id, *updates))
    return captured.get()


def test_a_card_says_what_is_known_and_why_the_rest_is_not(tmp_path: Path) -> None:
    text = shown("anna", *updates_of(tmp_path, None))
    lines = [" ".join(line.strip("│ \n").split()) for line in text.splitlines()]
    for line in (
        "worth so far 1,234.50 USD 1 order, 1,234.50 each",
        "LTV by formula — needs purchases on two days",
        "customer since 2026-01-01",
        "brought by — nobody referred this customer",
        "risk low",
        "next step up 2026-03-02 if silent until then",
        "as of 2026-01-01T00:00:00Z, because of purchase e1; revision 4",
    ):
        assert line in lines
    assert {len(line) for line in text.splitlines()} == {80}


def test_a_card_tells_of_a_change_of_band(tmp_path: Path) -> None:
    text = " ".join(shown("anna", *updates_of(tmp_path, UNTIL)).split())
    assert "high medium before" in text
    assert "because of silence" in text


@pytest.mark.parametrize("place", [0, 1])
def test_one_update_is_enough(tmp_path: Path, place: int) -> None:
    updates: list[Update | None] = list(updates_of(tmp_path, None))
    updates[place] = None
    text = shown("anna", *updates)
    assert ("worth so far" in text, "risk" in text) == (place == 1, place == 0)


def test_ids_cannot_draw_on_the_terminal(tmp_path: Path) -> None:
    text = shown("\x1b[31m[bold]x[/]", *updates_of(tmp_path, None, event_id="\x1b[2J"))
    assert "\x1b" not in text
    assert "[bold]x[/]" in text


def test_a_card_tells_how_a_customer_was_won_and_what_it_thinks(tmp_path: Path) -> None:
    ltv, _ = updates_of(tmp_path, None)
    known = {
        "ltv_to_cac": 12.0, "acquisition_cost": "50.00", "acquisition_channel": "[b]web",
        "retention_budget": "1150.00", "ltv_below_target": False, "ratings": 2,
        "rating_average": 3.75, "rating_last": 2.5, "rating_flag": "needs_review",
        "loyalty_tier": "bronze", "loyalty_points": 1485, "next_tier": "silver",
        "points_to_next_tier": 15,
    }  # fmt: skip
    text = " ".join(shown("anna", ltv | known, None).replace("│", "").split())
    assert "LTV : CAC 12.0 won for 50.00 by [b]web, 1,150.00 left to keep it" in text
    assert "last rating 2.5 needs review; 3.8 in 2 ratings" in text
    assert "loyalty bronze 1,485 points, 15 to silver" in text
    lacking = {"ltv_below_target": True, "next_tier": None}
    text = " ".join(shown("anna", ltv | known | lacking, None).replace("│", "").split())
    assert "won for 50.00 by [b]web, below the target" in text
    assert "to silver" not in text


def test_a_card_of_an_older_version_has_gaps(tmp_path: Path) -> None:
    ltv, _ = updates_of(tmp_path, None)
    older = {name: value for name, value in ltv.items() if not name.startswith("rating")}
    assert "last rating —" in " ".join(shown("anna", older, None).split())


def test_a_card_says_how_close_a_newcomer_is_to_the_best(tmp_path: Path) -> None:
    ltv, _ = updates_of(tmp_path, None)
    bern = {"trait": "location", "value": "Bern", "lift": 3.0, "contribution": 1.1}
    text = shown("anna", ltv | {"profile_closeness": 0.4773, "profile_traits": [bern]}, None)
    lines = [" ".join(line.strip("│ \n").split()) for line in text.splitlines()]
    assert "in the top 10% 48% likely Bern: 3.0 times as often at the top" in lines
