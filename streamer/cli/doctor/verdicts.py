"""What a check found, and the checks that need no Kafka."""

import asyncio
import os
import shutil
from collections.abc import Iterable

from aiokafka import codec
from msgspec import Struct

from streamer.cli.showing import counted
from streamer.engine.access import refusal
from streamer.settings import Settings

DISK_FREE_BYTES_MIN = 1 << 30
CONNECT_SECONDS_MAX = 3.0


class Verdict(Struct, frozen=True):
    """One finding. ``remedy`` is empty where nothing is wrong."""

    check: str
    ok: bool
    text: str
    remedy: str = ""


def disk(settings: Settings) -> Verdict:
    """Look at the disk under ``data_dir``."""
    folder = settings.data_dir.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / (1 << 30):,.1f} GiB free under {folder}"
    if not os.access(there, os.W_OK | os.X_OK):
        remedy = f"let this user write to {there}, or set STREAMER_DATA_DIR to another folder"
        return Verdict("disk", False, f"{there} cannot be written to", remedy)
    if free < DISK_FREE_BYTES_MIN:
        remedy = "free some space, or set STREAMER_DATA_DIR to a folder on another disk"
        return Verdict("disk", False, text, remedy)
    return Verdict("disk", True, text)


def codecs() -> Verdict:
    """Look for the libraries that unpack what producers may have compressed."""
    there = {
        "gzip": codec.has_gzip(),
        "snappy": codec.has_snappy(),
        "lz4": codec.has_lz4(),
        "zstd": codec.has_zstd(),
    }
    missing = [name for name, found in there.items() if not found]
    if not missing:
        return Verdict("codecs", True, f"{', '.join(there)} can be read")
    text = f"{', '.join(missing)} cannot be read: a worker would end where a producer compresses so"
    remedy = "pip install 'aiokafka[lz4,snappy,zstd]' where the workers run"
    return Verdict("codecs", False, text, remedy)


async def access(settings: Settings) -> list[Verdict]:
    """Look whether the brokers take this protocol and password; nothing where none are asked."""
    refused = await refusal(settings)
    if refused is not None:
        text, _, remedy = refused.partition(": ")
        return [Verdict("access", False, text, remedy.removesuffix("."))]
    if not settings.uses_tls and not settings.uses_sasl:
        return []
    return [Verdict("access", True, f"let in by {settings.security_protocol}")]


async def configured_brokers(settings: Settings) -> list[Verdict]:
    """Connect to every address of ``brokers``."""
    addresses = [address.strip() for address in settings.brokers.split(",")]
    refused = await _unreachable(addresses)
    verdicts = [
        Verdict(
            "brokers",
            False,
            f"{address} cannot be reached ({reason})",
            "start it (`streamer broker` runs one here), or set STREAMER_BROKERS",
        )
        for address, reason in refused.items()
    ]
    if len(refused) < len(addresses):
        reached = [address for address in addresses if address not in refused]
        verdicts.append(Verdict("brokers", True, f"{', '.join(reached)} reached"))
    return verdicts


async def advertised_brokers(addresses: Iterable[str]) -> list[Verdict]:
    """Connect to every address that the brokers themselves give to clients."""
    known = list(addresses)
    refused = await _unreachable(known)
    if not refused:
        return [Verdict("brokers", True, f"the cluster has {counted(len(known), 'broker')}")]
    return [
        Verdict(
            "brokers",
            False,
            f"the cluster sends clients to {address}, out of reach from here ({reason})",
            "start that broker, or correct its advertised.listeners",
        )
        for address, reason in refused.items()
    ]


async def _unreachable(addresses: list[str]) -> dict[str, str]:
    reasons = await asyncio.gather(*map(_try, addresses))
    return {address: reason for address, reason in zip(addresses, reasons, strict=True) if reason}


async def _try(address: str) -> str:
    """Return why nothing answers at ``address``; empty if something does."""
    host, _, port = address.rpartition(":")
    try:
        connecting = asyncio.open_connection(host.strip("[]"), int(port))
        _, writer = await asyncio.wait_for(connecting, CONNECT_SECONDS_MAX)
    except TimeoutError:
        return f"no answer within {CONNECT_SECONDS_MAX:g} s"
    except ValueError:
        return "not of the form HOST:PORT"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else "connection refused"
    writer.close()
    return ""
