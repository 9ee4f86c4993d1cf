"""Waiting until what is committed can be read.

Kafka answers a commit once it is decided, and marks it in each partition after that. On a busy
machine a subscriber is behind by seconds: a fit would know of half of the customers.
"""

import asyncio

from aiokafka import AIOKafkaConsumer

from streamer.cli.reading import ANSWER_SECONDS_MAX, partitions_of, reading
from streamer.engine.clients import connection
from streamer.records.kafka import CHANGELOG, CHURN_RISK_UPDATES, DEAD_LETTERS, LTV_UPDATES
from streamer.settings import Settings

READ = (CHANGELOG, LTV_UPDATES, CHURN_RISK_UPDATES, DEAD_LETTERS)
POLL_SECONDS = 0.05


async def settle(settings: Settings) -> None:
    """Return when all that has been written by now can be read by a subscriber.

    Raises:
        KafkaError: no broker answers.
    """
    partitions = [tp for topic in READ for tp in partitions_of(settings, topic)]
    async with reading(settings, *READ) as subscriber:
        written = AIOKafkaConsumer(**connection(settings), isolation_level="read_uncommitted")
        try:
            await written.start()
            ends = await written.end_offsets(partitions)
        finally:
            await written.stop()
        async with asyncio.timeout(ANSWER_SECONDS_MAX * len(READ)):
            while True:
                readable = await subscriber.end_offsets(partitions)
                if all(readable[tp] >= end for tp, end in ends.items()):
                    return
                await asyncio.sleep(POLL_SECONDS)
