"""A store as the pipeline sees it: mappings."""

from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, Protocol, TypeVar

K = TypeVar("K")


class Keeper(Protocol):
    """What a table asks of its store."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``, be it written yet or not."""

    def put(self, key: bytes, value: bytes | None) -> None:
        """Have ``key`` written with the next batch; None takes it away."""

    def items(self, lower: bytes, upper: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give all from ``lower`` on and before ``upper``."""


class StoredTable(MutableMapping[K, bytes]):
    """Some of the keys of a store.

    Args:
        keeper: the store.
        encode: makes a key of the store from one of this mapping; ``decode`` the other way.
        lower: the keys are from here on, and before ``upper``.
    """

    def __init__(
        self,
        keeper: Keeper,
        encode: Callable[[K], bytes],
        decode: Callable[[bytes], K],
        lower: bytes,
        upper: bytes,
    ) -> None:
        self._keeper = keeper
        self._encode, self._decode = encode, decode
        self._lower, self._upper = lower, upper
        self._count: int | None = None
        """None as long as nobody has counted."""

    def __getitem__(self, key: K) -> bytes:
        value = self._keeper.get(self._encode(key))
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: K, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default``."""
        value = self._keeper.get(self._encode(key))
        return default if value is None else value

    def __contains__(self, key: object) -> bool:
        return self._keeper.get(self._encode(key)) is not None  # type: ignore[arg-type] # as dicts

    def __setitem__(self, key: K, value: bytes) -> None:
        if self._count is not None:
            self._count += key not in self
        self._keeper.put(self._encode(key), value)

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        if self._count is not None:
            self._count -= 1
        self._keeper.put(self._encode(key), None)

    def __iter__(self) -> Iterator[K]:
        return (key for key, _ in self.pairs())

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self._keeper.items(self._lower, self._upper))
        return self._count

    def forget_count(self) -> None:
        """Count anew when next asked: the store was wiped or read on behind this table's back."""
        self._count = None

    def pairs(self) -> Iterator[tuple[K, bytes]]:
        """Give all keys and values, in the order of the store."""
        decode, count = self._decode, 0
        for key, value in self._keeper.items(self._lower, self._upper):
            count += 1
            yield decode(key), value
        self._count = count

    def items(self) -> ItemsView[K, bytes]:
        """Give all keys and values by one pass."""
        return _Items(self)

    def values(self) -> ValuesView[bytes]:
        """Give all values by one pass."""
        return _Values(self)


class _Items(ItemsView[K, bytes]):
    _mapping: Mapping[K, bytes]

    def __iter__(self) -> Iterator[tuple[K, bytes]]:
        assert isinstance(self._mapping, StoredTable)  # noqa: S101 - made by it
        return self._mapping.pairs()


class _Values(ValuesView[bytes]):
    _mapping: Mapping[Any, bytes]

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._mapping, StoredTable)  # noqa: S101 - made by it
        return (value for _, value in self._mapping.pairs())
