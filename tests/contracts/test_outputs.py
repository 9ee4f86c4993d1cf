"""What the pipeline writes keeps to the schemas, and says why a figure is null."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Configuration
from streamer.records.dead_letters import REASONS
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHURN_RISK_UPDATES, DEAD_LETTERS, LTV_UPDATES, FileRecord
from streamer.records.scores import MEASURES, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.nulls import NULL_REASONS
from streamer.scoring.parameters import ScoringParameters
from streamer.serdes.events import EventDecoder
from tests.support.cluster import Cluster
from tests.support.histories import RATES, START, Happening, as_arrived, histories
from tests.support.schemas import load, validator

SCHEMA_OF = {LTV_UPDATES: "ltv-update.json", CHURN_RISK_UPDATES: "churn-risk-update.json"}
FAR_DAYS = (100, 3000, 250_000, 2_900_000)
"""After the start; the last two are by and by in the year 9999."""

GOOD = {
    "event_id": "e",
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": "2026-01-02T03:04:05Z",
    "order_id": "o",
    "amount": "12.34",
    "currency": "USD",
}


def shops() -> st.SearchStrategy[Configuration]:
    """Settings from one end of their ranges to the other."""
    scoring = st.builds(
        ScoringParameters,
        currency=st.sampled_from(["USD", "JPY", "KWD"]),
        horizon_days=st.sampled_from([1.0, 365.0, 36_500.0]),
        rhythm_shape=st.sampled_from([0.01, 0.5, 1.0, 20.0]),
        rhythm_scale_days=st.sampled_from([0.5, 60.0, 5000.0]),
        referral_programme=st.booleans(),
    )
    return st.builds(
        lambda parameters, every_event: Configuration(
            EventDecoder(parameters.currency, {**RATES, "USD": RATES["EUR"]}),
            parameters,
            partitions=2,
            every_event=every_event,
            version="test",
        ),
        scoring,
        st.booleans(),
    )


def assert_told(score: dict[str, Any]) -> None:
    """Null fields, and those left out, have their reason, alone or with all of their measure."""
    null = {name for name, value in score.items() if value is None}
    known = LtvUpdate if "historic_clv" in score else ChurnRiskUpdate
    for measure, names in MEASURES.items():
        fields = set(names) & set(known.__struct_fields__)
        out = fields - score.keys()
        null |= {measure} if out and out == fields else out
    null |= {"predicted_clv_basis"} & set(known.__struct_fields__) - score.keys()
    assert score["null_reasons"].keys() == null
    assert set(score["null_reasons"].values()) <= NULL_REASONS.keys()


@settings(max_examples=150, deadline=None)
@given(histories(referrals=2), shops(), st.sampled_from(FAR_DAYS), st.integers(1, 9))
def test_updates_keep_to_their_schemas(
    history: list[Happening], shop: Configuration, far: int, limit: int
) -> None:
    cluster = Cluster(shop)
    for event in as_arrived(history):
        cluster.send(event)
    cluster.settle(limit)
    cluster.tell_silence(from_datetime(START) + far * DAY)
    for topic, schema in SCHEMA_OF.items():
        for score in cluster.scores(topic):
            validator(schema).validate(score)
            assert_told(score)
    pairs = zip(cluster.log(LTV_UPDATES), cluster.log(CHURN_RISK_UPDATES), strict=True)
    for ltv, churn in pairs:
        assert_consistent(ltv, churn)


def assert_consistent(ltv: FileRecord, churn: FileRecord) -> None:
    """The two updates of one scoring say the same of what they share."""
    value, risk = json.loads(ltv.value or b""), json.loads(churn.value or b"")
    assert ltv.key == churn.key == value["customer_id"].encode()
    told_apart = {"reasons", "null_reasons", "contributions", "explained_since"}
    shared = value.keys() & risk.keys() - told_apart
    assert {name: value[name] for name in shared} == {name: risk[name] for name in shared}
    as_of = _instant(value["as_of"])  # as texts, 00Z would come after 00.5Z
    first, crossing = value["first_purchase_at"], risk["next_band_crossing_at"]
    assert first is None or _instant(first) <= as_of
    assert crossing is None or _instant(crossing) > as_of
    lapsed = risk["risk_band"] == "lapsed"
    if risk["win_back_by"] is not None and risk["risk_band"] is not None:
        assert (_instant(risk["win_back_by"]) <= as_of) == lapsed


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def good(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


BROKEN: Sequence[tuple[bytes | None, str, str]] = [
    (None, "empty", ""),
    (b"{", "malformed", ""),
    (good(type="sale"), "unknown_type", "type"),
    (good(amount=-1), "invalid", "amount"),
    (good(currency="CHF"), "unknown_currency", "currency"),
    (good(occurred_at="1900-01-01T00:00:00Z"), "out_of_range", "occurred_at"),
    (good(occurred_at="2900-01-01T00:00:00Z"), "future", "occurred_at"),
    (good(occurred_at="2020-01-01T00:00:00Z", event_id="f"), "late", "occurred_at"),
    (good(pad="x" * 1_048_576), "too_large", ""),
    (
        good(type="referral", referred_customer_id="ann"),
        "self_referral",
        "referred_customer_id",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason", "field"), BROKEN, ids=[b[1] for b in BROKEN])
def test_a_dead_letter_is_the_record_with_its_reason(
    value: bytes | None, reason: str, field: str
) -> None:
    cluster = Cluster(Configuration(EventDecoder("USD", RATES), version="1.2.3"))
    cluster.send(GOOD)
    headers = (("trace", b"\xff\x00"), ("streamer.error.attempt", b"2"), ("nothing", None))
    record = cluster.produce("purchases", 0, value, b"ann", headers)
    cluster.settle()
    (letter,) = cluster.log(DEAD_LETTERS)
    assert (letter.key, letter.value) == (record.key, record.value)
    own, told = letter.headers[:2], letter.headers[2:]
    assert own == (("trace", b"\xff\x00"), ("nothing", None))
    texts = {name: (raw or b"").decode() for name, raw in told}
    assert len(texts) == len(told)
    validator("dead-letter-headers.json").validate(texts)
    assert texts.keys() == load("dead-letter-headers.json")["properties"].keys()
    assert texts["streamer.error.reason"] == reason
    assert texts["streamer.error.field"] == field
    assert texts["streamer.error.attempt"] == "3"
    assert texts["streamer.error.offset"] == str(record.offset)
    assert texts["streamer.error.version"] == "1.2.3"


def test_every_reason_but_the_sums_has_a_dead_letter_here() -> None:
    assert {reason for _, reason, _ in BROKEN} == set(REASONS)


def test_a_dead_letter_keeps_its_time() -> None:
    cluster = Cluster(Configuration(EventDecoder()))
    record = FileRecord("purchases", 0, 0, 1_767_323_045_000, b"k", b"{")
    (letter,) = cluster.attempt(0, [record]).messages[DEAD_LETTERS, 0]
    assert letter.timestamp == record.timestamp
