import zlib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streamer.broker.ports import free_ports
from streamer.cli.doctor.cluster import producer_verdict, ways_of
from streamer.cli.doctor.verdicts import configured_brokers, disk
from streamer.records.kafka import FileRecord
from streamer.records.partitioning import partition_of
from streamer.serdes.origins import HEADER, Origin, encode_origin
from streamer.settings import Settings

PARTITIONS = 7


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def rekeyed(key: bytes, topic: str, partition: int) -> Any:
    header = encode_origin(Origin(topic, partition, 12, -1))
    return FileRecord("rekeyed", 0, 0, 0, key, b"{}", (header,))


def keys() -> list[bytes]:
    """Return keys that murmur2 and CRC32 put into different partitions, none of them the last."""
    return [
        key
        for key in (f"c{number}".encode() for number in range(200))
        if partition_of(key, PARTITIONS) != crc32(key) and PARTITIONS - 1 not in
        (partition_of(key, PARTITIONS), crc32(key))
    ]  # fmt: skip


def crc32(key: bytes) -> int:
    return zlib.crc32(key) % PARTITIONS


def test_librdkafkas_own_partitioner_is_recognised() -> None:
    ways = Counter(
        ways_of([rekeyed(key, "shop.purchases", crc32(key)) for key in keys()], PARTITIONS)
    )
    assert ways == {("shop.purchases", "crc32"): len(keys())}
    verdict = producer_verdict("shop.purchases", Counter(crc32=95, other=5))
    assert not verdict.ok
    assert "100 records of shop.purchases" in verdict.text
    assert "partitioner=murmur2_random" in verdict.remedy


def test_a_wrong_key_is_recognised() -> None:
    records = [rekeyed(key, "purchases", partition_of(key, PARTITIONS)) for key in keys()]
    assert set(ways_of(records, PARTITIONS)) == {("purchases", "key")}
    assert "customer_id" in producer_verdict("purchases", Counter(key=1)).remedy


def test_anything_else_is_told_as_such() -> None:
    records = [rekeyed(key, "a/b", PARTITIONS - 1) for key in keys()]
    assert set(ways_of(records, PARTITIONS)) == {("a/b", "other")}
    mixed = producer_verdict("purchases", Counter(key=5, crc32=5))
    assert mixed.remedy == producer_verdict("purchases", Counter(other=1)).remedy


@pytest.mark.parametrize("headers", [(), ((HEADER, b"\xff"),), ((HEADER, b"a"),)])
def test_a_record_without_an_origin_does_not_matter(headers: Any) -> None:
    record: Any = FileRecord("rekeyed", 0, 0, 0, b"c1", b"{}", headers)
    assert [way for _, way in ways_of([record], PARTITIONS)] == ["other"]


def test_a_full_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path / "not" / "made" / "yet")
    assert disk(settings).ok
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**12, 10**12, 2**29))
    verdict = disk(settings)
    assert (verdict.ok, verdict.text[:12]) == (False, "0.5 GiB free")
    assert "STREAMER_DATA_DIR" in verdict.remedy


def test_a_folder_that_cannot_be_written_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    verdict = disk(Settings(data_dir=tmp_path))
    assert not verdict.ok
    assert "cannot be written" in verdict.text


async def test_brokers_that_do_not_answer_are_named() -> None:
    (port,) = free_ports("127.0.0.1", 1)
    verdicts = await configured_brokers(Settings(brokers=f"127.0.0.1:{port},nonsense"))
    assert [verdict.ok for verdict in verdicts] == [False, False]
    assert f"127.0.0.1:{port} cannot be reached (Connection refused)" in verdicts[0].text
    assert "HOST:PORT" in verdicts[1].text
