"""The store is a dictionary that survives, up to a place in the changelog that it knows."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.engine.store.errors import StoreError, StoreLockedError
from streamer.engine.store.store import Label, Position, Store, sweep
from streamer.pipeline import Message
from streamer.serdes.rows import CHECKPOINT_KEY, MODEL_KEY

LABEL = Label("a-cluster", "customers-changelog", 0)
IDS = st.sampled_from(["ann", "bob", "cy", "\0", "zoé"])
VALUES = st.binary(max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "flush", "scan", "reopen"]), IDS, VALUES),
    max_size=30,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "0", LABEL)
    yield opened
    opened.close()


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_tables_are_dictionaries_that_survive(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store, oracle = Store(folder, LABEL), dict[str, bytes]()
    for what, customer, value in steps:
        rows, told, erased = store.tables
        if what == "put":
            rows[customer] = oracle[customer] = value
            told[customer] = value + b"told"
            erased[b"\xfd" + customer.encode()] = value
        elif what == "drop":
            assert rows.pop(customer, None) == oracle.pop(customer, None)
            told.pop(customer, None)
        elif what == "flush":
            store.flush()
        elif what == "scan":
            assert dict(rows.items()) == oracle
            assert sorted(told.values()) == sorted(value + b"told" for value in oracle.values())
        else:
            store.close()
            store = Store(folder, LABEL)
        assert len(store.tables.rows) == len(oracle)
        assert (customer in store.tables.rows) == (customer in oracle)
        assert store.tables.rows.get(customer) == oracle.get(customer)
    assert set(store.tables.rows) == set(store.tables.told) == oracle.keys()
    store.close()


def test_the_place_is_the_one_behind_the_last_checkpoint(tmp_path: Path) -> None:
    store = Store(tmp_path, LABEL)
    assert store.position is None
    store.note([(7, b"ann", b"row"), (8, CHECKPOINT_KEY, b"one"), (9, MODEL_KEY, b"model")])
    store.commit([Message(b"bob", b"row"), Message(CHECKPOINT_KEY, b"two")], begin=20)
    store.commit([Message(CHECKPOINT_KEY, b"three")], begin=-1)  # the broker did not say where
    store.close()
    again = Store(tmp_path, LABEL)
    assert again.position == Position(22, b"two")
    assert dict(again.kept()) == {MODEL_KEY: b"model", CHECKPOINT_KEY: b"three"}
    again.close()


@pytest.mark.parametrize(
    "label",
    [
        Label("another-cluster", "customers-changelog", 0),
        Label("a-cluster", "another.customers-changelog", 0),
        Label("a-cluster", "customers-changelog", 1),
        Label("a-cluster", "customers-changelog", 0, version=2),
    ],
)
def test_another_ones_store_has_no_place(tmp_path: Path, label: Label) -> None:
    store = Store(tmp_path, LABEL)
    store.note([(8, CHECKPOINT_KEY, b"one")])
    store.close()
    other = Store(tmp_path, label)
    assert other.position is None
    other.close()


def test_what_was_wiped_is_gone(store: Store) -> None:
    store.tables.rows["ann"] = b"row"
    store.note([(8, CHECKPOINT_KEY, b"one")])
    store.flush()
    store.tables.rows["bob"] = b"row"
    store.wipe()
    assert not list(store.tables.rows)
    assert len(store.tables.rows) == 0
    assert (store.position, list(store.kept())) == (None, [])


def test_a_store_has_one_owner(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreLockedError, match="STREAMER_DATA_DIR"):
        Store(tmp_path / "0", LABEL)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="nothing is lost"):
        Store(tmp_path / "file", LABEL)


def test_an_erased_id_is_in_no_file(tmp_path: Path) -> None:
    store, name = Store(tmp_path, LABEL), "an-id-that-nothing-else-has"
    for number in range(200):
        store.tables.rows[f"{number}"] = os.urandom(100)
    for one in (name, "0"):
        store.tables.rows[one] = store.tables.told[one] = name.encode()
    store.flush()
    store.compact()
    assert found(tmp_path, name)
    for one in (name, "0"):
        del store.tables.rows[one], store.tables.told[one]
    store.flush()
    store.compact()
    store.close()
    Store(tmp_path, LABEL).close()  # its list of files names the first and last key of each
    assert not found(tmp_path, name)


def found(folder: Path, name: str) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return [file for file in files if name.encode() in file.read_bytes()]


def test_stores_that_nobody_has_used_for_long_are_removed(tmp_path: Path) -> None:
    for number in range(4):
        Store(tmp_path / f"{number}", LABEL).close()
    held = Store(tmp_path / "3", LABEL)
    long_ago = time.time() - 90_000
    for number in (0, 1, 3):
        os.utime(tmp_path / f"{number}" / "lock", (long_ago, long_ago))
    sweep(tmp_path, {0})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["0", "2", "3"]
    held.close()
