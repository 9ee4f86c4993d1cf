"""Kafka's jar files: fetched once, checked at every start.

`kafka.lock` beside this module names every jar of the class path with its SHA-256, as a Python lock
file does for wheels. So a start resolves nothing: it hashes the cached files and downloads those
that are missing or damaged. Each download goes to a folder of its own and is renamed into place, so
two brokers may start at once.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import platformdirs

from streamer.broker.errors import BrokerError

KAFKA_VERSION = "4.3.0"
"""The version of Apache Kafka that `kafka.lock` pins."""

_DOWNLOADS_AT_ONCE = 4
_DOWNLOAD_ATTEMPTS = 3
_DOWNLOAD_SECONDS_MAX = 60

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One jar of the class path and the checksum that it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """The Maven coordinate, group:artifact:version."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """The name of the file in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    def is_intact(self, file: Path) -> bool:
        """Tell whether the file is there and has the locked checksum."""
        try:
            with file.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def class_path() -> list[Path]:
    """Return the jar files of Kafka, all there and intact, downloading those that are not.

    Raises:
        BrokerError: A jar could not be downloaded, or is not the one that was locked.
    """
    return cached(locked_jars())


def cached(jars: Sequence[LockedJar]) -> list[Path]:
    """Return the files of ``jars``, all there and intact, downloading those that are not.

    Raises:
        BrokerError: A jar could not be downloaded, or is not the one that was locked.
    """
    folder = jar_folder()
    if wanting := missing_jars(jars, folder):
        logger.info("downloading %d jars of Kafka %s, once", len(wanting), KAFKA_VERSION)
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            list(pool.map(lambda jar: _download(jar, folder), wanting))
    return [folder / jar.file_name for jar in jars]


def missing_jars(jars: Iterable[LockedJar], folder: Path) -> list[LockedJar]:
    """Return the jars that are absent from the folder or damaged in it."""
    return [jar for jar in jars if not jar.is_intact(folder / jar.file_name)]


def jar_folder() -> Path:
    """Return where the jars are kept: below `STREAMER_CACHE_DIR` or the user's cache folder."""
    cache = os.environ.get("STREAMER_CACHE_DIR") or platformdirs.user_cache_path("streamer")
    return Path(cache, f"kafka-{KAFKA_VERSION}")


def locked_jars() -> list[LockedJar]:
    """Read `kafka.lock`, in class path order."""
    return parse_lock(resources.files(__package__).joinpath("kafka.lock").read_text())


def parse_lock(text: str) -> list[LockedJar]:
    """Read a lock file."""
    lines = text.splitlines()
    return [parse_lock_line(line) for line in lines if line and not line.startswith("#")]


def parse_lock_line(line: str) -> LockedJar:
    """Read one line of the lock file, `group:artifact:version sha256:HEX`."""
    coordinate, checksum = line.split()
    group, artifact, version = coordinate.split(":")
    return LockedJar(group, artifact, version, checksum.removeprefix("sha256:"))


def _download(jar: LockedJar, folder: Path) -> None:
    """Put one jar into the folder, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as staging:
        fetched = _fetch_with_retries(jar.coordinate, Path(staging))
        if not jar.is_intact(fetched):
            raise BrokerError(
                f"{jar.coordinate} arrived with another checksum than the locked one: start again, "
                "and if it stays so, ask whoever runs the Maven mirror."
            )
        fetched.replace(folder / jar.file_name)


def _fetch_with_retries(coordinate: str, staging: Path) -> Path:
    reason: Exception | None = None
    for attempt in range(1, _DOWNLOAD_ATTEMPTS + 1):
        try:
            # A folder of its own, as jgo would take half a file of the last attempt for the whole.
            return fetch(coordinate, staging / str(attempt))
        except (OSError, RuntimeError) as error:  # what requests and jgo raise
            reason = error
            logger.info("attempt %d to download %s: %s", attempt, coordinate, error)
    raise BrokerError(
        f"{coordinate} could not be downloaded ({reason}): put the network right and start again, "
        f"or copy {jar_folder()} from a machine that has started the broker before."
    ) from reason


def fetch(coordinate: str, repository: Path) -> Path:
    """Download one jar into a local Maven repository folder and return its path."""
    # Imported here because a start that finds all jars cached needs none of it.
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=repository, timeout=_DOWNLOAD_SECONDS_MAX)
    return Path(context.create_dependency(coordinate).artifact.resolve())
