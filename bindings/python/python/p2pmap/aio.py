"""What waits for the network, as coroutines: `await p2pmap.aio.wait_replicated(flags, stamp, peers=2)`.

Everything else is called from coroutines as it is: reads and writes are operations on memory, and a watch is an async iterator.

Each call waits on a thread of its own, so that it takes none of the event loop's. Cancelling it gives up the wait at once; what
was under way then ends by itself, at the latest when its time is up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar
from weakref import WeakSet

from ._p2pmap import Map, Node, Stamp

__all__ = ["connect", "sync", "wait_replicated"]

T = TypeVar("T")

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


_threads: WeakSet[threading.Thread] = WeakSet()
"""Those that wait, for the interpreter's exit."""


def _on_a_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as failure:
            outcome.set_exception(failure)

    # A daemon: the exit would wait for other threads before it closes the nodes, which is what ends this one.
    thread = threading.Thread(target=run, name="p2pmap-aio", daemon=True)
    _threads.add(thread)
    thread.start()
    return asyncio.wrap_future(outcome)


def _join_all() -> None:
    """Waits until no call waits any more. Every node has been closed before, so that all of them end."""
    for thread in list(_threads):
        thread.join(_EXIT_WAIT)
