"""Which dead letters are meant, and how one is named: by the place of the record refused."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated, NamedTuple

import typer
from aiokafka import ConsumerRecord

from streamer.cli.showing import UsageError, counted, instant_of_option, shown_text
from streamer.records.dead_letters import REASONS
from streamer.records.instants import NEVER, from_datetime
from streamer.serdes.dead_letters import ReadableDeadLetter, readable_dead_letter
from streamer.settings import Settings

Reason = Annotated[
    str | None,
    typer.Option(help="Only those refused for this reason.", autocompletion=lambda: list(REASONS)),
]
Since = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="Only those refused since this time.")
]

_PLACE = re.compile(r"(.+)/(\d{1,9})/(\d{1,18})")


class Choice(NamedTuple):
    """What dead letters must be like."""

    reason: str | None = None
    since: int = NEVER

    def takes(self, letter: ReadableDeadLetter) -> bool:
        """Return whether ``letter`` is one of them."""
        return self.reason in {None, letter.reason} and failed_at_of(letter) >= self.since


ALL = Choice()


class Place(NamedTuple):
    """Where the refused record stands in its topic, whose name is whole."""

    topic: str
    partition: int
    offset: int


def chosen(reason: str | None, since: str | None) -> Choice:
    """Return the choice that the options make.

    Raises:
        UsageError: there is no such reason, or ``since`` is no instant.
    """
    if reason is not None and reason not in REASONS:
        raise UsageError(f"{reason!r} is no reason: give one of {', '.join(REASONS)}.")
    return Choice(reason, NEVER if since is None else instant_of_option("--since", since))


def failed_at_of(letter: ReadableDeadLetter) -> int:
    """Return when the record was refused; NEVER where somebody else's record does not say."""
    try:
        return from_datetime(datetime.fromisoformat(letter.failed_at))
    except (ValueError, TypeError):
        return NEVER


def readable(record: ConsumerRecord) -> ReadableDeadLetter:
    """Return what a record of the dead letters' topic says."""
    return readable_dead_letter(record.key, record.value, record.headers, record.timestamp)


def place_of(letter: ReadableDeadLetter) -> str:
    """Return the name of a dead letter, as `dlq list` shows it and `dlq show` takes it."""
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def parsed_place(settings: Settings, text: str) -> Place:
    """Return the place that ``text`` names, with the topics' prefix or without it.

    Raises:
        UsageError: it names none.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} names no dead letter: give TOPIC/PARTITION/OFFSET as `streamer dlq list` "
            "shows it."
        )
    topic = match[1] if match[1].startswith(settings.topic_prefix) else settings.topics[match[1]]
    return Place(topic, int(match[2]), int(match[3]))


def told_by_reason(by_reason: Counter[str]) -> str:
    """Return how many dead letters there are of each reason, for a terminal."""
    reasons = ", ".join(
        f"{number:,} {shown_text(reason)}" for reason, number in by_reason.most_common()
    )
    return f"{counted(by_reason.total(), 'dead letter')}: {reasons}"
