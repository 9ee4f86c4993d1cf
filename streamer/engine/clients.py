"""Kafka clients as this engine needs them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streamer.settings import ConfigurationError, Settings

BATCH_BYTES_MAX = 900_000
"""Kafka's default for a topic's batches is 1,048,588 bytes."""

DEAD_LETTER_BYTES_MAX = 67_108_864
"""A dead letter is its record and some headers: it must fit wherever the record did."""

TRANSACTION_SECONDS_MAX = 60
"""Then the broker ends a transaction that is still open."""

STOP_SECONDS_MAX = 5
"""Of a producer: it waits for what it has sent."""


def connection(settings: Settings) -> dict[str, Any]:
    """Return the keywords that every client shares.

    Raises:
        ConfigurationError: a file of certificates cannot be used.
    """
    keywords: dict[str, Any] = {
        "bootstrap_servers": settings.brokers,
        "client_id": f"streamer-{settings.group_id}",
        "security_protocol": settings.security_protocol,
    }
    if settings.uses_tls:
        keywords["ssl_context"] = tls_context(settings)
    if settings.uses_sasl:
        keywords["sasl_mechanism"] = settings.sasl_mechanism
        keywords["sasl_plain_username"] = settings.sasl_username
        keywords["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return keywords


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return what checks the brokers' certificates, and that they are of the host asked for.

    Raises:
        ConfigurationError: a file of certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    except OSError as error:  # an SSLError is one too
        raise ConfigurationError(
            f"STREAMER_SSL_CA_FILE, {settings.ssl_ca_file}, cannot be used ({error}): it must hold "
            "certificates in PEM form."
        ) from None
    if settings.ssl_certificate_file is not None:
        # Never None: OpenSSL would ask on the terminal.
        password = settings.ssl_key_password.get_secret_value()
        try:
            context.load_cert_chain(
                settings.ssl_certificate_file, settings.ssl_key_file, lambda: password
            )
        except OSError as error:
            raise ConfigurationError(
                f"STREAMER_SSL_CERTIFICATE_FILE, {settings.ssl_certificate_file}, or its key "
                f"cannot be used ({error}): they must be a pair in PEM form, and "
                "STREAMER_SSL_KEY_PASSWORD right if the key is encrypted."
            ) from None
    return context


def transactional_producer(settings: Settings, of: int | str) -> AIOKafkaProducer:
    """Return the producer ``of`` a partition, or a task; starting it fences every earlier one."""
    return AIOKafkaProducer(
        **connection(settings),
        transactional_id=f"{settings.group_id}-{settings.topic_prefix}{of}",
        compression_type=None if settings.compression == "none" else settings.compression,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=DEAD_LETTER_BYTES_MAX,
        request_timeout_ms=30_000,
        transaction_timeout_ms=TRANSACTION_SECONDS_MAX * 1000,
        retry_backoff_ms=5,  # the default, 100, is most of a transaction's time
    )


async def stop(producer: AIOKafkaProducer) -> None:
    """Stop ``producer``, also one that hangs or has failed: nothing of it is left behind."""
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.stop()
    except (KafkaError, TimeoutError):
        # Else its connections and their tasks would stay. A task of its own, as it is cancelled
        # where the time was up while they were being closed.
        closing = asyncio.create_task(producer.client.close())
        await asyncio.wait([closing], timeout=STOP_SECONDS_MAX)
        closing.cancel()
    _retrieve_errors(producer)


def _retrieve_errors(producer: AIOKafkaProducer) -> None:
    """Look at the errors for which nobody waits: asyncio would log them as ones no one has seen.

    Once a producer has failed, being fenced included, these are of the end of its transaction, and
    of its batches that have not been sent.
    """
    batches = chain.from_iterable(producer._message_accumulator._batches.values())  # noqa: SLF001 - no one else can
    ends = producer._txn_manager.wait_for_transaction_end(), *(one._drain_waiter for one in batches)  # noqa: SLF001 - as above
    for end in ends:
        if end is not None and end.done() and not end.cancelled():
            end.exception()


def durable_producer(settings: Settings) -> AIOKafkaProducer:
    """Return a producer whose records, once acknowledged, are with all replicas, each once."""
    return AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=DEAD_LETTER_BYTES_MAX,
    )


def plain_consumer(settings: Settings) -> AIOKafkaConsumer:
    """Return a consumer of no group that sees what is committed."""
    return AIOKafkaConsumer(
        **connection(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=8_388_608,
        fetch_max_bytes=52_428_800,
        check_crcs=False,
        retry_backoff_ms=20,
    )


@asynccontextmanager
async def assigned(
    settings: Settings, tps: Iterable[TopicPartition]
) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a ``plain_consumer`` of ``tps``, stopped at the end; say where each is to begin.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    consumer = plain_consumer(settings)
    try:
        await consumer.start()
        consumer.assign(tps)
        yield consumer
    finally:
        await consumer.stop()
