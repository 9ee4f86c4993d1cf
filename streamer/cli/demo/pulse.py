"""The worker's counters at one moment, and whether it has done all that was sent."""

from collections import Counter

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from streamer.records.kafka import EVENT_TOPICS, REFERRAL_CREDITS, REKEYED

OUTCOMES = (
    "streamer_events_total",
    "streamer_duplicates_dropped_total",
    "streamer_replayed_dropped_total",
    "streamer_records_rekeyed_total",
    "streamer_events_erased_total",
    "streamer_erasures_total",
    "streamer_records_adapted_total",
    "streamer_records_ignored_total",
    "streamer_dead_letters_total",
)
"""Each consumed record ends in one of these, when its transaction has committed."""


class Pulse(Struct, frozen=True):
    """Totals since the worker started."""

    consumed: int
    """Records read from the event topics."""
    passed_on: int
    """Messages written to the topics between rows and not read from there yet."""
    open: int
    """Records read, but not committed yet."""
    scores: int
    renewed: int
    """Scores because of a new model."""
    silences: int
    dead_letters: int

    def is_done(self, sent: int) -> bool:
        """Return whether ``sent`` events and all that followed from them are committed."""
        return self.consumed >= sent and not self.passed_on and not self.open


def pulse_of(metrics: str, prefix: str) -> Pulse:
    """Return what the text of ``/metrics`` says; the topics' names begin with ``prefix``."""
    totals: Counter[str] = Counter()
    consumed: Counter[str] = Counter()
    produced: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        if family.type != "counter":
            continue
        for name, labels, value, *_ in family.samples:
            totals[name] += int(value)
            if name == "streamer_records_consumed_total":
                consumed[labels["topic"]] += int(value)
            elif name == "streamer_messages_produced_total":
                produced[labels["topic"]] += int(value)
    between = [prefix + REKEYED, prefix + REFERRAL_CREDITS]
    return Pulse(
        consumed=sum(consumed[prefix + topic] for topic in EVENT_TOPICS),
        passed_on=sum(produced[topic] - consumed[topic] for topic in between),
        open=consumed.total() - sum(totals[name] for name in OUTCOMES),
        scores=totals["streamer_scores_total"],
        renewed=totals["streamer_scores_renewed_total"],
        silences=totals["streamer_silence_crossings_total"],
        dead_letters=totals["streamer_dead_letters_total"],
    )
