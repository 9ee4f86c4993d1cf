"""Metrics say what they are named for, and nothing of what is over."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamer import metrics
from streamer.records.models import DecileMeasure, ModelCheck, ModelParams
from tests.support.cluster import Cluster
from tests.support.histories import configuration

PROMISED = {
    "records consumed": "records_consumed_total",
    "records produced": "messages_produced_total",
    "records dead-lettered by reason": "dead_letters_total",
    "duplicates dropped": "duplicates_dropped_total",
    "processing latency": "processing_duration_seconds",
    "end-to-end latency": "end_to_end_latency_seconds",
    "consumer lag in records": "consumer_lag_records",
    "consumer lag in seconds": "consumer_lag_seconds",
    "commits": "commits_total",
    "age of commits": "last_commit_timestamp_seconds",
    "rebalances": "rebalances_total",
    "recovery progress": "recovery_remaining_records",
    "recovery duration": "recovery_duration_seconds",
    "rows": "rows",
    "state bytes": "state_bytes",
    "silence timers due": "silence_timers_due",
    "model version": "model_info",
    "model age": "model_fitted_timestamp_seconds",
    "calibration error": "calibration_error_ratio",
    "drift of types": "sampled_events_total",
    "drift of order values": "sampled_order_value",
}
"""What SREs are promised, and what it is called; dashboards of theirs depend on the names."""

FITTED = datetime(2026, 5, 1, tzinfo=UTC)


def series(name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by the values of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.REGISTRY).decode())
        for sample in family.samples
        if sample.name == name
    }


def model(generation: int, check: ModelCheck | None = None) -> ModelParams:
    return ModelParams(
        model_version=f"mbg_nbd-{generation}",
        generation=generation,
        model="mbg_nbd",
        currency="USD",
        customers=100,
        repeat_customers=50,
        data_until=FITTED,
        fitted_at=FITTED,
        check=check,
    )


def check_of(*deciles: tuple[int, float, float]) -> ModelCheck:
    return ModelCheck(
        window_days=30,
        customers=sum(customers for customers, _, _ in deciles),
        predicted_total=0,
        actual_total=0,
        bias_percent=None,
        interval_level=0.8,
        interval_coverage=None,
        brier=0.1,
        auc=None,
        recency_auc=None,
        deciles=[DecileMeasure(*decile) for decile in deciles],
    )


def test_every_metric_that_is_promised_is_there() -> None:
    exposed = metrics.REGISTRY._names_to_collectors
    missing = {what for what, name in PROMISED.items() if f"streamer_{name}" not in exposed}
    assert missing == set()


def test_units_are_base_units_and_counters_say_so() -> None:
    for family in metrics.REGISTRY.collect():
        for sample in family.samples:
            assert not re.search(r"_(ms|millis\w*|kb|mb|percent|minutes|hours)\b", sample.name)
        if family.type == "counter":
            ends = {"_total", "_created"}
            assert all(any(one.name.endswith(end) for end in ends) for one in family.samples)


def test_latencies_are_told_closely_around_the_objectives() -> None:
    for histogram in (metrics.END_TO_END, metrics.PROCESSING, metrics.COMMIT):
        bounds = histogram._upper_bounds
        assert {0.1, 1.0} <= set(bounds), "what the recording rules count by"
        around = [bound for bound in bounds if 0.05 <= bound <= 0.2]
        assert len(around) >= 4, "a quantile near 100 ms would be a guess"


def test_only_the_newest_model_is_told() -> None:
    for generation in (1, 2):
        metrics.tell_model(model(generation))
    assert series("streamer_model_info") == {("mbg_nbd-2",): 1}
    assert series("streamer_model_fitted_timestamp_seconds")[()] == FITTED.timestamp()


def test_the_calibration_error_is_of_customers_not_of_deciles() -> None:
    # 10 customers each 2 too high, 30 each 1 too low: 50 purchases astray of 10 * 4 + 30 * 2.
    metrics.tell_model(model(3, check_of((10, 6.0, 4.0), (30, 1.0, 2.0))))
    assert series("streamer_calibration_error_ratio")[()] == pytest.approx(50 / 100)


def test_a_sample_of_what_comes_in_is_counted_by_type_and_value() -> None:
    before = series("streamer_sampled_events_total").get(("purchase",), 0)
    sum_before = series("streamer_sampled_order_value_sum")[()]
    shop = Cluster(configuration())
    for number in range(400):
        shop.send(purchase(number))
    unit = shop.step(0)
    metrics.count(unit)
    sampled = series("streamer_sampled_events_total")["purchase",] - before
    assert 8 < sampled <= 16, "a few, whatever the unit of work"
    value = series("streamer_sampled_order_value_sum")[()] - sum_before
    assert value == pytest.approx(12.5 * sampled)


def purchase(number: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": f"c{number}",
        "occurred_at": "2026-05-01T10:00:00Z",
        "order_id": f"o{number}",
        "amount": "12.50",
        "currency": "USD",
    }
