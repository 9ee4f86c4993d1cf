"""What SREs watch, in Prometheus's words: base units, counters end in ``_total``.

No customer's id is ever a label; partition series vanish when the partition goes.
"""

from collections.abc import Mapping, Sequence
from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streamer.pipeline import UnitOfWork
from streamer.records.dead_letters import REASONS
from streamer.records.measures import ProgrammeMeasure
from streamer.records.models import DecileMeasure, ModelCheck, ModelParams
from streamer.records.money import UNIT

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_LATENCIES = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
    0.1,  # the objective, see docs/runbooks.md: closer around it, so that quantiles there are true
    0.15, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
)  # fmt: skip
_RECOVERIES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_ORDER_VALUES = tuple(value * 10.0**power for power in range(-1, 5) for value in (1, 2, 5))


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"streamer_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"streamer_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, buckets: Sequence[float] = _LATENCIES) -> Histogram:
    return Histogram(f"streamer_{name}", text, buckets=buckets, registry=REGISTRY)


RECORDS_CONSUMED = _counter("records_consumed", "Records read from input topics", "topic")
MESSAGES_PRODUCED = _counter("messages_produced", "Records written in transactions", "topic")
DEAD_LETTERS = _counter("dead_letters", "Records refused", "reason")
OUTCOMES = {
    "events": _counter("events", "Events and referral messages folded into rows"),
    "duplicates": _counter("duplicates_dropped", "Events dropped: their id was known"),
    "replayed": _counter("replayed_dropped", "Records dropped: their offset was applied"),
    "rekeyed": _counter("records_rekeyed", "Records passed on to the customer's partition"),
    "erasures": _counter("erasures", "Customers erased"),
    "erased": _counter("events_erased", "Events passed over: their customer was erased since"),
    "adapted": _counter("records_adapted", "Foreign records that became events"),
    "ignored": _counter("records_ignored", "Foreign records of which nothing is scored, and tests"),
    "scores": _counter("scores", "Scorings of customers"),
    "rescored": _counter("scores_renewed", "Customers scored by a newer model than before"),
    "silences": _counter("silence_crossings", "Risk bands crossed in silence"),
}
COMMITS = _counter("commits", "Transactions committed")
PROCESSING = _histogram("processing_duration_seconds", "Decoding, folding and scoring a unit")
COMMIT = _histogram("commit_duration_seconds", "Writing and committing a unit of work")
END_TO_END = _histogram("end_to_end_latency_seconds", "From a record's timestamp to its commit")
RESTARTS = _counter("partition_restarts", "Partitions dropped and recovered after a failure")
REBALANCES = _counter("rebalances", "Assignments of partitions taken up")
RECOVERED = _counter("recovered_rows", "Changelog records read in recoveries")
RECOVERY = _histogram("recovery_duration_seconds", "Recovering one partition", _RECOVERIES)
READY = _gauge("ready", "1 where all partitions given to this worker are recovered and at work")
PARTITIONS = _gauge("partitions", "Of each input topic, as configured")
BUILD = _gauge("build_info", "1, for the version that runs", "version")

SAMPLED_EVENTS = _counter("sampled_events", "Events looked at for drift of the input", "type")
SAMPLED_ORDERS = _histogram(
    "sampled_order_value", "Order values looked at for drift; currency units", _ORDER_VALUES
)

PARTITION_GAUGES = (
    ROWS := _gauge("rows", "Customers in memory", "partition"),
    STATE_BYTES := _gauge("state_bytes", "Bytes of encoded rows", "partition"),
    LAG := _gauge("consumer_lag_records", "Records written but not yet applied", "partition"),
    LAG_SECONDS := _gauge(
        "consumer_lag_seconds", "How far applied records are behind; 0 if none waits", "partition"
    ),
    STALLED := _gauge(
        "partition_stalled_seconds", "How long records wait and none is applied", "partition"
    ),
    TIMERS := _gauge("silence_timers", "Customers with a band crossing ahead", "partition"),
    TIMERS_DUE := _gauge(
        "silence_timers_due", "Customers whose band crossing has come and is not told", "partition"
    ),
    LAST_COMMIT := _gauge("last_commit_timestamp_seconds", "Of the last commit", "partition"),
    UNCOUNTED := _gauge(
        "programme_pending_customers", "Changed, not counted for programme measures", "partition"
    ),
    RECOVERY_REMAINING := _gauge("recovery_remaining_records", "Still to be read", "partition"),
)
STANDBY_ROWS = _gauge("standby_rows", "Customers of another worker's partition", "partition")

SEGMENT_CUSTOMERS = _gauge(
    "segment_customers", "Customers in a segment, as told last", "partition", "segment"
)

SUGGESTIONS = _counter(
    "suggestions_settled", "Recommended actions that came first", "action", "outcome"
)

FITS = _counter("fits", "Scheduled fits of the model", "outcome")
MODEL = _gauge("model_info", "1, for the newest model", "version")
MODEL_GENERATION = _gauge("model_generation", "Of the newest model; 0 is the formula")
MODEL_FITTED = _gauge("model_fitted_timestamp_seconds", "When the newest model was fitted")
MODEL_CUSTOMERS = _gauge("model_customers", "Customers the newest model was fitted to")
CALIBRATION_PREDICTED = _gauge(
    "calibration_predicted_purchases", "Mean foretold for the last window, by decile", "decile"
)
CALIBRATION_ACTUAL = _gauge(
    "calibration_actual_purchases", "Mean that came in the last window, by decile", "decile"
)
CALIBRATION_ERROR = _gauge(
    "calibration_error_ratio", "Mean distance of foretold and actual by decile, over actual"
)
CALIBRATION_BIAS = _gauge("calibration_bias_ratio", "Foretold over actual total, less 1")
CALIBRATION_COVERAGE = _gauge(
    "calibration_interval_coverage_ratio", "Share of customers within their interval"
)
CALIBRATION_BRIER = _gauge("calibration_brier_score", "Of the churn probability; less is better")
CALIBRATION_AUC = _gauge(
    "calibration_auc_ratio", "Of telling who would buy: by model, by recency alone", "by"
)

PROGRAMME = {
    "customers": _gauge("programme_customers", "Who have ever purchased"),
    "repeat_purchase_rate": _gauge(
        "programme_repeat_purchase_ratio", "Share of customers with purchases on two days"
    ),
    "retention_rate": _gauge(
        "programme_retention_ratio", "Of the last month that is over, by who purchased before it"
    ),
    "average_order_value": _gauge(
        "programme_average_order_value", "Revenue net of refunds over orders; currency units"
    ),
    "clv": _gauge("programme_clv", "Mean lifetime value of a customer; currency units"),
}
"""Of the whole shop, by the worker that publishes programme measures."""

for _reason in REASONS:
    DEAD_LETTERS.labels(_reason)

for _outcome in ("done", "failed"):
    FITS.labels(_outcome)

for _unknown in (
    CALIBRATION_ERROR,
    CALIBRATION_BIAS,
    CALIBRATION_COVERAGE,
    CALIBRATION_BRIER,
    MODEL_FITTED,
    *PROGRAMME.values(),
):
    _unknown.set(nan)  # not known yet, which is not 0


def count(unit: UnitOfWork) -> None:
    """Count what a committed unit of work did."""
    COMMITS.inc()
    for name, number in unit.counts.items():
        OUTCOMES[name].inc(number)
    for reason, number in unit.refused.items():
        DEAD_LETTERS.labels(reason).inc(number)
    for (action, outcome), number in unit.outcomes.items():
        SUGGESTIONS.labels(action, outcome).inc(number)
    for kind, value in unit.sample:
        SAMPLED_EVENTS.labels(kind).inc()
        if value is not None:
            SAMPLED_ORDERS.observe(value / UNIT)
    for (topic, _), messages in unit.messages.items():
        MESSAGES_PRODUCED.labels(topic).inc(len(messages))


def tell_members(number: int, members: Mapping[str, int]) -> None:
    """Set the gauges of the customers in each segment of a partition."""
    for segment, customers in members.items():
        SEGMENT_CUSTOMERS.labels(str(number), segment).set(customers)


def tell_model(model: ModelParams) -> None:
    """Set the gauges of the newest model."""
    MODEL.clear()
    MODEL.labels(model.model_version).set(1)
    MODEL_GENERATION.set(model.generation)
    MODEL_FITTED.set(model.fitted_at.timestamp())
    MODEL_CUSTOMERS.set(model.customers)
    if model.check is not None:
        _tell_check(model.check)


def _tell_check(check: ModelCheck) -> None:
    for number, decile in enumerate(check.deciles, 1):
        CALIBRATION_PREDICTED.labels(str(number)).set(decile.predicted_mean)
        CALIBRATION_ACTUAL.labels(str(number)).set(decile.actual_mean)
    figures = {
        CALIBRATION_ERROR: _calibration_error(check.deciles),
        CALIBRATION_BIAS: check.bias_percent and check.bias_percent / 100,
        CALIBRATION_COVERAGE: check.interval_coverage,
        CALIBRATION_BRIER: check.brier,
        CALIBRATION_AUC.labels("model"): check.auc,
        CALIBRATION_AUC.labels("recency"): check.recency_auc,
    }
    for gauge, figure in figures.items():
        gauge.set(nan if figure is None else figure)


def _calibration_error(deciles: Sequence[DecileMeasure]) -> float | None:
    """Return the customers' mean of the distance in their decile, over the mean that came."""
    distance = sum(d.customers * abs(d.predicted_mean - d.actual_mean) for d in deciles)
    actual = sum(d.customers * d.actual_mean for d in deciles)
    return distance / actual if actual else None


def tell_programme(measure: ProgrammeMeasure) -> None:
    """Set the gauges of the whole shop."""
    over = [month.retention_rate for month in measure.months if month.complete]
    figures = {
        "customers": measure.figures.customers,
        "repeat_purchase_rate": measure.figures.repeat_purchase_rate,
        "retention_rate": over[-1] if over else None,
        "average_order_value": measure.figures.average_order_value,
        "clv": measure.figures.clv,
    }
    for name, figure in figures.items():
        PROGRAMME[name].set(nan if figure is None else float(figure))


def forget_programme() -> None:
    """Unset the gauges of the whole shop: another worker publishes its measures."""
    for gauge in PROGRAMME.values():
        gauge.set(nan)


def forget_partition(number: int) -> None:
    """Remove the series of a partition that is no longer here."""
    for gauge in PARTITION_GAUGES:
        try:
            gauge.remove(str(number))
        except KeyError:
            continue
    SEGMENT_CUSTOMERS.remove_by_labels({"partition": str(number)})
