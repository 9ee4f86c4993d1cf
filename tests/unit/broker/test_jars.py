import hashlib
from pathlib import Path

import pytest

from streamer.broker import BrokerError, jars

CONTENT = b"classes"
JAR = jars.LockedJar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREAMER_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jars, "locked_jars", lambda: [JAR])
    return tmp_path


def serve(monkeypatch: pytest.MonkeyPatch, *answers: bytes | Exception) -> list[str]:
    """Let downloads have these answers, and return the list of what was asked for."""
    asked: list[str] = []

    def fetch(coordinate: str, repository: Path) -> Path:
        answer = answers[len(asked)]
        asked.append(coordinate)
        if isinstance(answer, Exception):
            raise answer
        repository.mkdir(parents=True)
        file = repository / "fetched.jar"
        file.write_bytes(answer)
        return file

    monkeypatch.setattr(jars, "fetch", fetch)
    return asked


def test_every_jar_is_locked_once_with_a_checksum() -> None:
    locked = jars.locked_jars()
    assert len({jar.file_name for jar in locked}) == len(locked)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in locked)


def test_the_lock_is_of_the_version_that_the_code_names() -> None:
    versions = {jar.version for jar in jars.locked_jars() if jar.group == "org.apache.kafka"}
    assert versions == {jars.KAFKA_VERSION}


def test_a_lock_line_is_read() -> None:
    assert jars.parse_lock_line(f"org.example:thing:1.0 sha256:{JAR.sha256}") == JAR
    assert JAR.coordinate == "org.example:thing:1.0"


def test_a_jar_is_downloaded_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, CONTENT)
    first, second = jars.class_path(), jars.class_path()
    assert first == second
    assert first[0].read_bytes() == CONTENT
    assert asked == [JAR.coordinate]
    assert list(first[0].parent.iterdir()) == first


def test_a_damaged_jar_is_downloaded_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, CONTENT, CONTENT)
    (jar,) = jars.class_path()
    jar.write_bytes(b"half of it")
    assert jars.class_path() == [jar]
    assert jar.read_bytes() == CONTENT


def test_a_failed_download_is_tried_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, OSError("connection reset"), RuntimeError("not found"), CONTENT)
    assert jars.class_path()[0].read_bytes() == CONTENT


def test_without_a_network_it_says_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, *[OSError("no route to host")] * 3)
    with pytest.raises(BrokerError, match=r"no route to host.*network right"):
        jars.class_path()


def test_a_jar_with_another_checksum_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, b"something else")
    with pytest.raises(BrokerError, match="another checksum"):
        jars.class_path()
    assert list(jars.jar_folder().iterdir()) == []
