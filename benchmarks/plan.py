"""What a run of the benchmarks measures."""

from enum import StrEnum

from msgspec import Struct


class Part(StrEnum):
    """The parts of a run."""

    READ_LIMIT = "read-limit"
    STREAMER = "streamer"
    KAFKA_STREAMS = "kafka-streams"
    QUIX = "quix"
    BYTEWAX = "bytewax"
    PLAIN_FAUST = "plain-faust"
    LATENCY = "latency"
    SCALE = "scale"


class Plan(Struct, frozen=True, kw_only=True):
    """The sizes of a run.

    Attributes:
        events: Purchases in the input topic.
        slow_events: So many of them are enough for those that are slow.
        customers: Among how many customers they are.
        skew: Exponent of Zipf's law over the customers; 0 makes each as likely.
        partitions: Of the input topic and of all others that hold customers.
        runs: How often each throughput is measured, and each latency.
        rates: The paces at which latency is measured, in events/s.
        warm_up_seconds: Latencies of so many first seconds of each pace do not count: until the
            broker's JVM has compiled what a pace needs, that takes half a core from all others.
        run_seconds: How long one run at one pace lasts.
        scale_customers: How many customers a worker holds when its throughput is measured anew;
            ratios are to the first.
        parts: What is measured. Latency and scale are measured of the worker, and of Kafka
            Streams where that is a part too.
    """

    events: int = 1_000_000
    slow_events: int = 15_000
    customers: int = 500_000
    skew: float = 0.0
    partitions: int = 4
    runs: int = 3
    rates: tuple[int, ...] = (1_000, 10_000)
    warm_up_seconds: int = 20
    run_seconds: int = 8
    scale_customers: tuple[int, ...] = (100_000, 5_000_000)
    parts: tuple[Part, ...] = tuple(Part)


QUICK = {
    "events": 100_000,
    "slow_events": 5_000,
    "runs": 1,
    "rates": (1_000,),
    "warm_up_seconds": 3,
    "run_seconds": 5,
    "scale_customers": (10_000, 200_000),
}
"""The sizes that tell within some minutes whether all of it works."""
