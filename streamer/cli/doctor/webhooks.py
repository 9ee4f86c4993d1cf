"""Whether those who are told by webhook can be reached, and are told in time."""

import asyncio
import ssl
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streamer.cli.doctor.cluster import LAG_SECONDS_MAX, members, waited_seconds
from streamer.cli.doctor.verdicts import CONNECT_SECONDS_MAX, Verdict
from streamer.cli.reading import partitions_of, ranges
from streamer.cli.showing import counted
from streamer.endpoints import Endpoint
from streamer.settings import Settings

HTTPS_PORT, HTTP_PORT = 443, 80


async def webhooks(
    settings: Settings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> list[Verdict]:
    """Look at each endpoint of ``STREAMER_WEBHOOK_URLS``, without telling it anything."""
    return [
        await _connected(endpoint) or await _told(settings, endpoint, admin, consumer)
        for endpoint in settings.endpoints
    ]


async def _connected(endpoint: Endpoint) -> Verdict | None:
    """Return why ``endpoint`` cannot be reached; None if it can."""
    parts = urlsplit(endpoint.url.get_secret_value())
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (HTTPS_PORT if tls else HTTP_PORT)
    try:
        connecting = asyncio.open_connection(parts.hostname, port, ssl=tls)
        _, writer = await asyncio.wait_for(connecting, CONNECT_SECONDS_MAX)
    except ssl.SSLCertVerificationError as error:
        text = f"shows a certificate that is not to be trusted ({error.verify_message})"
        return _wrong(
            endpoint,
            text,
            "correct the URL or the certificate; SSL_CERT_FILE names an authority of your own",
        )
    except TimeoutError:
        text = f"does not answer within {CONNECT_SECONDS_MAX:g} s"
        return _wrong(endpoint, text, "let this machine connect to it, or correct the URL")
    except OSError as error:
        text = f"cannot be reached ({error.strerror or type(error).__name__})"
        return _wrong(endpoint, text, "start it, or correct its URL in STREAMER_WEBHOOK_URLS")
    writer.close()
    return None


async def _told(
    settings: Settings,
    endpoint: Endpoint,
    admin: AIOKafkaAdminClient,
    consumer: AIOKafkaConsumer,
) -> Verdict:
    group = settings.webhook_group_id(endpoint.name)
    tellers = await members(admin, group)
    behind, waited = await _behind(settings, endpoint, group, admin, consumer)
    if not tellers:
        return _wrong(endpoint, "is told by nobody", "start `streamer webhooks run`")
    text = f"is reached, {counted(behind, 'update')} behind" if waited else "is reached, told all"
    if waited > LAG_SECONDS_MAX:
        text += f", the oldest published {waited:,.0f} s ago"
        remedy = f"see what `streamer webhooks test {endpoint.name}` says, and that process's log"
        return _wrong(endpoint, text, remedy)
    return Verdict("webhooks", True, f"{endpoint.name} at {endpoint.origin} {text}")


async def _behind(
    settings: Settings,
    endpoint: Endpoint,
    group: str,
    admin: AIOKafkaAdminClient,
    consumer: AIOKafkaConsumer,
) -> tuple[int, float]:
    """Return how many updates are committed as not told yet, and how long the oldest waits."""
    partitions = [tp for topic in endpoint.outputs for tp in partitions_of(settings, topic)]
    firsts, ends = await ranges(consumer, partitions)
    offsets = await admin.list_consumer_group_offsets(group)
    starts: dict[TopicPartition, int] = {
        tp: max(offsets[tp].offset, firsts[tp]) for tp in partitions if tp in offsets
    }
    open_ = {tp: offset for tp, offset in starts.items() if offset < ends[tp]}
    behind = sum(ends[tp] - offset for tp, offset in open_.items())
    return behind, await waited_seconds(consumer, open_)


def _wrong(endpoint: Endpoint, text: str, remedy: str) -> Verdict:
    return Verdict("webhooks", False, f"{endpoint.name} at {endpoint.origin} {text}", remedy)
