"""On what a run was measured."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from streamer.broker.jars import KAFKA_VERSION
from streamer.broker.java import find_java, java_major

PEERS = Path(__file__).parent / "peers"
PACKAGES = ("streamer", "aiokafka", "faust-streaming", "orjson", "msgspec")


class Machine(Struct, frozen=True):
    """The machine and what else it was doing as the run began."""

    cpu: str
    cores: int
    system: str
    load_average: float


def this_machine() -> Machine:
    """Return what this machine is."""
    return Machine(_cpu(), os.cpu_count() or 0, platform.platform(), os.getloadavg()[0])


def versions() -> dict[str, str]:
    """Return the versions that figures depend on."""
    return {
        "python": platform.python_version(),
        "kafka and kafka streams": KAFKA_VERSION,
        "quix streams": _wanted("quix"),
        "bytewax": _wanted("bytewax"),
        "java": str(java_major(find_java())),
        **{package: version(package) for package in PACKAGES},
    }


def _wanted(peer: str) -> str:
    return (PEERS / f"{peer}.in").read_text().partition("==")[2].split()[0]


def _cpu() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
