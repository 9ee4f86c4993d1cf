import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from streamer.cli.card import card
from streamer.records.instants import NEVER, from_datetime
from streamer.replay import output_file, replay_file
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
