"""The options of nodes and maps, as type checkers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Generic, Literal, TypeAlias, TypedDict, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

Path: TypeAlias = str | PathLike[str]


class _NodeOnly(TypedDict, total=False):
    """The options of nodes."""

    listen: str | Iterable[str] | None
    external_addrs: str | Iterable[str] | None
    bootstrap: str | Iterable[str] | None
    cluster_id: str | None
    cluster_secret: str | Iterable[str] | None
    ban_peers: str | Iterable[str] | None
    allow_peers: str | Iterable[str] | None
    trust: Literal["any", "tofu"] | None
    insecure: bool | None
    target_peers: int | None
    max_peers: int | None
    anti_entropy_ms: int | None
    peer_timeout_ms: int | None
    max_clock_drift_ms: int | None
    data_dir: Path | None
    identity_file: Path | None
    maps: str | Iterable[str] | Mapping[str, _MapLimits] | None


class _MapLimits(TypedDict, total=False):
    """The options of maps, but for the validator."""

    durability: Literal["none", "async", "sync"] | None
    fsync_interval_ms: int | None
    on_storage_error: Literal["refuse", "memory"] | None
    signed: bool | None
    writers: str | Iterable[str] | None
    presence: bool | None
    default_ttl_ms: int | None
    tombstone_ttl_ms: int | None
    scan_ms: int | None
    origin_retention_ms: int | None
    max_key_bytes: int | None
    max_value_bytes: int | None
    max_entries: int | None
    max_bytes: int | None


class OpenOptions(_NodeOnly, _MapLimits, Generic[_K, _V], total=False):
    validator: str | Callable[[_K, _V], object] | None


class MapOptions(_MapLimits, Generic[_K, _V], total=False):
    validator: str | Callable[[_K, _V], object] | None
