"""What each reason of a dead letter means, and the way out of it."""

from typing import NamedTuple

from streamer.records.dead_letters import REASONS, Reason

REPLAY = "streamer dlq replay {place} --payload FILE"
AGAIN = "streamer dlq replay --reason {reason}"


class Explanation(NamedTuple):
    """A reason in words, and what to do."""

    words: str
    remedy: str


EXPLANATIONS: dict[Reason, Explanation] = {
    "empty": Explanation(
        "The record has no value: there is nothing in it to be counted.",
        "An event topic takes no tombstones: have the producer send events only. If an event was "
        f"meant, send it corrected: {REPLAY}",
    ),
    "too_large": Explanation(
        "The record is longer than events may be, so it was not read.",
        f"Send less, or raise STREAMER_EVENT_BYTES_MAX at the workers and then: {AGAIN}",
    ),
    "malformed": Explanation(
        "The value is no JSON object in UTF-8, or a name stands twice in one object of it.",
        f"Correct the producer's serializer. This one can be corrected by hand: {REPLAY}",
    ),
    "unknown_type": Explanation(
        "`type` decides what an event is, and this is none of the types there are.",
        f"See schemas/ for the types. Correct it by hand: {REPLAY}",
    ),
    "invalid": Explanation(
        "A field is missing, or is not of the form that schemas/ asks for.",
        f"Correct the producer, and this event by hand: {REPLAY}",
    ),
    "unknown_currency": Explanation(
        "The amount is in a currency that the workers have no rate for.",
        f"Add the currency to STREAMER_RATES, start the workers with it, and then: {AGAIN}",
    ),
    "self_referral": Explanation(
        "A customer cannot bring itself, so this referral counts for nobody.",
        "Nothing, if the customer tried its own code. Else correct `referred_customer_id`: "
        f"{REPLAY}",
    ),
    "out_of_range": Explanation(
        "An instant or an amount lies beyond what can be kept.",
        f"Check the unit: cents for units, or milliseconds for seconds? Correct it: {REPLAY}",
    ),
    "future": Explanation(
        "`occurred_at` lay ahead of the worker's clock by more than is tolerated.",
        "Let NTP set the clocks (`streamer doctor` compares them), or correct the offset from UTC. "
        f"When that time has come it will be taken as it is: {AGAIN}",
    ),
    "late": Explanation(
        "It lies further behind its customer's newest event than the lateness, so what it belongs "
        "to is settled, and whether it is a copy is no longer known.",
        f"Raise STREAMER_LATENESS_DAYS (up to 365) at the workers and then: {AGAIN}",
    ),
}


def explained(reason: str, place: str) -> Explanation:
    """Return what ``reason`` means, and what to do with the dead letter named ``place``."""
    if reason not in REASONS:
        return Explanation(
            "It does not say why it is here: it is of no version of streamer known to this one.",
            "Look for who else writes to the topic of dead letters.",
        )
    words, remedy = EXPLANATIONS[reason]
    return Explanation(words, remedy.format(place=place, reason=reason))
