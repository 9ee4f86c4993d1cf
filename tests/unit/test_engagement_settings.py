"""Channel costs and loyalty rules, from the environment to the scores' parameters."""

from decimal import Decimal
from pathlib import Path

import pytest

from streamer.scoring.loyalty import LoyaltyRules
from streamer.settings import ConfigurationError, load_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_mappings_are_json_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_CHANNEL_COSTS", '{"search": "23.5", "fair": 80}')
    monkeypatch.setenv("STREAMER_LOYALTY_TIERS", '{"gold": 2000, "tin": 0}')
    monkeypatch.setenv("STREAMER_LOYALTY_POINTS_PER_UNIT", "0.29")
    monkeypatch.setenv("STREAMER_LOYALTY_POINTS_PER_SHARE", "5")
    scoring = load_settings().scoring()
    assert scoring.channel_costs == {"search": Decimal("23.5"), "fair": Decimal(80)}
    assert scoring.channel_cost_amounts == {"search": 23_500_000, "fair": 80_000_000}
    assert scoring.loyalty == LoyaltyRules(290_000, 0, 5, (0, 2000), ("tin", "gold"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOYALTY_TIERS", '{"a": 5, "b": 5}'),
        ("LOYALTY_TIERS", '{"a": -1}'),
        ("LOYALTY_TIERS", '{"": 1}'),
        ("LOYALTY_TIERS", '{"a": 1.5}'),
        ("CHANNEL_COSTS", '{"web": "-1"}'),
        ("LTV_TO_CAC_TARGET", "0"),
        ("LOYALTY_POINTS_PER_UNIT", "nan"),
    ],
)
def test_what_cannot_be_right_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"STREAMER_{name}", value)
    with pytest.raises(ConfigurationError, match=name if "5, " not in value else "different"):
        load_settings()
