"""The views that `keys()`, `values()` and `items()` return: live, in the order of the keys, and safe beside writers.

The base classes would look up each key again while iterating, and fail on one that was removed meanwhile.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TypeVar

from ._p2pmap import Map

K = TypeVar("K")
V = TypeVar("V")


class Keys(KeysView[K]):
    """A map's keys."""

    _mapping: Map[K, object]

    def __reversed__(self) -> Iterator[K]:
        return reversed(self._mapping)


class Values(ValuesView[V]):
    """A map's values."""

    _mapping: Map[object, V]

    def __contains__(self, value: object) -> bool:
        return any(value is mine or value == mine for mine in self)

    def __iter__(self) -> Iterator[V]:
        return self._mapping._values(False)

    def __reversed__(self) -> Iterator[V]:
        return self._mapping._values(True)


class Items(ItemsView[K, V]):
    """A map's pairs of key and value."""

    _mapping: Map[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._items(False)

    def __reversed__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._items(True)
