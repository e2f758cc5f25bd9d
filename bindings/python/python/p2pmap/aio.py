"""What waits for the network or the disk, as coroutines: `await p2pmap.aio.wait_replicated(flags, stamp, peers=2)`.

Everything else is called from coroutines as it is: reads are operations on memory, and so are writes, but for those of maps with
`durability="sync"`, which wait for the disk; a watch is an async iterator.

Each call waits on a thread of its own, so that it takes none of the event loop's; those that wait for the disk share one a map,
however many they are. Cancelling a call gives up the wait at once; what was under way then ends by itself, at the latest when its
time is up.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from ._p2pmap import Batch, Map, Node, Stamp

if TYPE_CHECKING:
    from ._options import Path
    from ._p2pmap import _Ttl

__all__ = ["apply", "connect", "dump", "flush", "load", "put", "remove", "sync", "wait_replicated"]

K = TypeVar("K")
T = TypeVar("T")
V = TypeVar("V")

_EXIT_WAIT = 5.0
"""Seconds that the interpreter's exit waits for a call whose node it has closed."""


async def connect(node: Node, addr: str, /, timeout: float = 10.0) -> str:
    """Dials a peer and waits for the connection: `Node.connect`.

    Args:
        node: The node that dials.
        addr: One of the peer's `addrs`.
        timeout: Seconds to wait.

    Returns:
        The id of the peer reached.

    Raises:
        InvalidArgument: Not an address.
        NetworkError: Nobody there, or not who the address says.
        Timeout: No connection in time.
        Closed: The node was closed.
    """
    return await _on_a_thread(lambda: node.connect(addr, timeout))


async def sync(map: Map[Any, Any], /, timeout: float = 10.0) -> None:
    """Reconciles now with every connected peer; returns when equal with each: `Map.sync`.

    Args:
        map: The map to reconcile.
        timeout: Seconds to wait.

    Raises:
        Timeout: Not equal in time; the reconciliation goes on.
        Closed: The map was closed.
    """
    await _on_a_thread(lambda: map.sync(timeout))


async def wait_replicated(map: Map[Any, Any], stamp: Stamp, /, peers: int = 1, timeout: float = 10.0) -> list[str]:
    """Waits until other nodes hold a write, or a later one to its key: `Map.wait_replicated`.

    Args:
        map: The map that was written to.
        stamp: What `put` or `apply` returned, here or elsewhere.
        peers: How many of the peers connected to this node. With 0 it returns at once.
        timeout: Seconds to wait.

    Returns:
        The ids of the peers that hold it: at least so many.

    Raises:
        Timeout: Fewer in time; the message says how many. The write goes on its way.
        InvalidArgument: `peers` is below zero, or this copy itself does not hold the write.
        Closed: The map was closed.
    """
    return await _on_a_thread(lambda: map.wait_replicated(stamp, peers, timeout))


async def put(map: Map[K, V], key: K, value: V, /, *, ttl: _Ttl = ...) -> Stamp:
    """Writes a value, and waits for the disk if the map is `sync`: `Map.put`.

    It is written, and read, at once, in the order of the calls; what is awaited is the disk. Cancelling takes nothing back.

    Args:
        map: The map to write to.
        key: The key.
        value: The value, of the map's codec.
        ttl: How long it lives, as for `Map.put`.

    Returns:
        The write's stamp.

    Raises:
        InvalidValue: The validator said no.
        TooLarge: The key or the value is over its limit.
        Full: The map is at `max_entries` or `max_bytes`.
        InvalidArgument: `ttl` is not above zero, or above 100 years.
        StorageError: The disk refused.
        Closed: The map was closed.
    """
    stamp = map._deferred().put(key, value, ttl=ttl)
    await _saved(map)
    return stamp


async def remove(map: Map[K, V], key: K, /) -> bool:
    """Removes a key, and waits for the disk if the map is `sync`: `Map.remove`.

    Args:
        map: The map to remove from.
        key: The key.

    Returns:
        Whether a live value was there.

    Raises:
        StorageError: The disk refused.
        Closed: The map was closed.
    """
    removed = map._deferred().remove(key)
    await _saved(map)
    return removed


async def apply(map: Map[K, V], batch: Batch[K, V], /) -> Stamp | None:
    """Applies a batch whole, and waits for the disk if the map is `sync`: `Map.apply`.

    Args:
        map: The map to write to.
        batch: What to write.

    Returns:
        The stamp of its last write; None if nothing was written.

    Raises:
        TooLarge: The batch is over its limit; nothing was applied.
        InvalidValue: The validator said no to one of its values; nothing was applied.
        InvalidArgument: A `ttl` in it is zero or above 100 years; nothing was applied.
        Full: The map is at `max_entries` or `max_bytes`; nothing was applied.
        StorageError: The disk refused.
        Closed: The map was closed.
    """
    stamp = map._deferred().apply(batch)
    await _saved(map)
    return stamp


async def flush(map: Map[Any, Any], /) -> None:
    """Waits until every write made here before is on disk: `Map.flush`.

    Args:
        map: The map.

    Raises:
        StorageError: The disk refused.
        Closed: The map was closed.
    """
    saved: Future[None] = Future()
    saved.set_running_or_notify_cancel()
    with _flushing_lock:
        waiting = _flushing.setdefault(id(map), [])
        waiting.append(saved)
        if len(waiting) == 1:
            _start(lambda: _flush_for_all(map))
    await asyncio.wrap_future(saved)


async def dump(map: Map[Any, Any], path: Path, /) -> int:
    """Writes every entry to a file: `Map.dump`.

    Args:
        map: The map.
        path: The file.

    Returns:
        How many entries there are in it.

    Raises:
        StorageError: The disk refused; what was there before is as it was.
        Closed: The map was closed.
    """
    return await _on_a_thread(lambda: map.dump(path))


async def load(map: Map[Any, Any], path: Path, /) -> int:
    """Writes every entry of a file that `dump` made into a map: `Map.load`.

    Args:
        map: The map to write to.
        path: The file.

    Returns:
        How many entries were written.

    Raises:
        InvalidArgument: A line is no entry: the message says which. Nothing changed, here and in the next two cases.
        TooLarge: The key or the value of a line is over its limit.
        InvalidValue: The validator said no to a line.
        StorageError: The file cannot be read.
        Full: The map is at `max_entries` or `max_bytes`; the lines before are loaded.
        Closed: The map was closed.
    """
    return await _on_a_thread(lambda: map.load(path))


async def _saved(map: Map[Any, Any]) -> None:
    """Waits for what a write to that map waits for."""
    if map._waits():
        await flush(map)


_flushing: dict[int, list[Future[None]]] = {}
"""Who waits for the disk, by map. Each of these maps has a thread that flushes it until nobody waits any more."""

_flushing_lock = threading.Lock()


def _flush_for_all(map: Map[Any, Any]) -> None:
    """Flushes for those who wait, again for those who came meanwhile, and so on."""
    done = 0
    while True:
        with _flushing_lock:
            del _flushing[id(map)][:done]
            due = _flushing[id(map)][:]
            if not due:
                del _flushing[id(map)]
                return
        done = len(due)
        try:
            map.flush()
        except BaseException as failure:
            for saved in due:
                saved.set_exception(failure)
        else:
            for saved in due:
                saved.set_result(None)


def _in_a_child() -> None:
    """A forked child has none of these threads, and whoever asks is told that it is one."""
    global _flushing_lock
    _flushing_lock = threading.Lock()
    _flushing.clear()


os.register_at_fork(after_in_child=_in_a_child)

_threads: WeakSet[threading.Thread] = WeakSet()
"""Those that wait, for the interpreter's exit."""


def _start(run: Callable[[], None]) -> None:
    # A daemon: the exit would wait for other threads before it closes the nodes, which is what ends this one.
    thread = threading.Thread(target=run, name="p2pmap-aio", daemon=True)
    _threads.add(thread)
    thread.start()


def _on_a_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as failure:
            outcome.set_exception(failure)

    _start(run)
    return asyncio.wrap_future(outcome)


def _join_all() -> None:
    """Waits until no call waits any more. Every node has been closed before, so that all of them end."""
    for thread in list(_threads):
        thread.join(_EXIT_WAIT)
