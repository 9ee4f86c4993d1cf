"""What SREs watch of webhooks.

In a registry of its own: a process that delivers has no partitions and no model, and a worker's
metrics at zero would say that it is not ready.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

BUILD = Gauge(
    "streamer_build_info", "1, for the version that runs", ("version",), registry=REGISTRY
)
TRIES = Counter(
    "streamer_webhook_tries",
    "Requests, by what came of them: accepted, refused, failed",
    ("endpoint", "outcome"),
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "streamer_webhook_dead_letters", "Updates given up", ("endpoint",), registry=REGISTRY
)
DURATION = Histogram(
    "streamer_webhook_duration_seconds",
    "How long an endpoint takes to answer",
    ("endpoint",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0),
    registry=REGISTRY,
)
UNDER_WAY = Gauge(
    "streamer_webhook_under_way", "Updates read and not yet settled", ("endpoint",),
    registry=REGISTRY,
)  # fmt: skip
LAG = Gauge(
    "streamer_webhook_lag_records", "Updates published and not yet settled", ("endpoint",),
    registry=REGISTRY,
)  # fmt: skip
LAG_SECONDS = Gauge(
    "streamer_webhook_lag_seconds", "Age of the oldest update under way; 0 if none is",
    ("endpoint",), registry=REGISTRY,
)  # fmt: skip
DOWN = Gauge(
    "streamer_webhook_endpoint_down", "1 while the endpoint takes nothing", ("endpoint",),
    registry=REGISTRY,
)  # fmt: skip

OUTCOMES = ("accepted", "refused", "failed")


def begin(endpoint: str) -> None:
    """Have all series of ``endpoint`` from the first scrape on."""
    for outcome in OUTCOMES:
        TRIES.labels(endpoint, outcome)
    for metric in (DEAD_LETTERS, DURATION, UNDER_WAY, LAG, LAG_SECONDS, DOWN):
        metric.labels(endpoint)
