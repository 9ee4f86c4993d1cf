"""``streamer customer``: what is known of one customer."""

import asyncio
from typing import Annotated, Any

import msgspec
import typer
from aiokafka import TopicPartition
from rich.console import Console

from streamer.cli.card import card
from streamer.cli.reading import last_of_key, reading
from streamer.cli.showing import print_json, shown_instant
from streamer.errors import StreamerError
from streamer.records.kafka import CHANGELOG, CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.records.partitioning import partition_of
from streamer.serdes.rows import decode_erased, erased_key
from streamer.settings import Settings, load_settings

TOPICS = {"ltv": LTV_UPDATES, "churn_risk": CHURN_RISK_UPDATES}
Update = dict[str, Any] | None


class UnknownCustomerError(StreamerError):
    """No score of this customer has been published."""


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="As in the events.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print both updates as JSON.")] = False,
) -> None:
    """Show what is known of a customer: the latest value and churn risk, as published.

    Example: streamer customer 00001 --json
    """
    settings = load_settings()
    updates = asyncio.run(latest_updates(settings, customer_id))
    if not any(updates.values()):
        erased_at = asyncio.run(when_erased(settings, customer_id))
        if erased_at is not None:
            raise UnknownCustomerError(
                f"customer {customer_id!r} was erased: nothing that happened up to "
                f"{shown_instant(erased_at)} is kept."
            )
        raise UnknownCustomerError(
            f"no score of customer {customer_id!r} is in {settings.topics[LTV_UPDATES]}: check the "
            "id, and see `streamer dlq list` for events that were refused."
        )
    if json:
        print_json({"customer_id": customer_id, **updates})
    else:
        Console().print(card(customer_id, updates["ltv"], updates["churn_risk"]))


async def when_erased(settings: Settings, customer_id: str) -> int | None:
    """Return the instant up to which a customer was erased; None if it was not.

    Raises:
        TopicError: a topic is missing.
        KafkaError: Kafka is out of reach.
    """
    name = customer_id.encode(errors="surrogateescape")
    number = partition_of(name, settings.partitions)
    async with reading(settings, CHANGELOG) as consumer:
        tp = TopicPartition(settings.topics[CHANGELOG], number)
        record = await last_of_key(consumer, tp, erased_key(name))
    return None if record is None else decode_erased(record.value).erased_at


async def latest_updates(settings: Settings, customer_id: str) -> dict[str, Update]:
    """Return the last ``ltv`` and ``churn_risk`` updates of a customer; none where there is none.

    Raises:
        TopicError: a topic is missing.
        KafkaError: Kafka is out of reach.
    """
    key = customer_id.encode(errors="surrogateescape")  # the shell's own bytes
    number = partition_of(key, settings.partitions)
    updates: dict[str, Update] = {}
    async with reading(settings, *TOPICS.values()) as consumer:
        for name, topic in TOPICS.items():
            tp = TopicPartition(settings.topics[topic], number)
            record = await last_of_key(consumer, tp, key)
            value = record and record.value
            updates[name] = msgspec.json.decode(value) if value else None
    return updates
