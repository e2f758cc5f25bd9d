"""Subscriptions and watches: the events of a native stream, pushed to a callback or pulled by `for` and `async for`."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from ._p2pmap import Event, Stream

K = TypeVar("K")
V = TypeVar("V")

_EXIT_WAIT = 5.0
"""Seconds that the interpreter's exit waits for a callback that is still running."""


class _Handle:
    """What a subscription and a watch have in common: a stream that belongs to this process, and ends."""

    __slots__ = ()

    _stream: Stream[Any, Any]
    _name: str

    @property
    def closed(self) -> bool:
        """Whether there will never be an event again: it was closed, or its map was."""
        return self._stream.closed

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<p2pmap.{type(self).__name__} of {self._name!r} ({state})>"

    def __reduce__(self) -> Any:
        kind = type(self).__name__.lower()
        raise TypeError(f"a p2pmap {kind} belongs to the process that opened it and cannot be pickled or copied")


class Watch(_Handle, Generic[K, V]):
    """A pulled stream of events: an iterator, and an async iterator. `Map.watch` makes it.

    It ends when it is closed, or when its map is. Usable as a context manager, sync or async, which closes it. A
    reader that falls behind is told the newest state of each key.
    """

    __slots__ = ("__weakref__", "_name", "_stream", "_taken", "_waiting")

    def __init__(self, stream: Stream[K, V], name: str) -> None:
        self._stream = stream
        self._name = name
        self._taken: deque[Event[K, V]] = deque()
        self._waiting = False

    def __iter__(self) -> Iterator[Event[K, V]]:
        return self

    def __next__(self) -> Event[K, V]:
        while (event := self._pop()) is None:
            self._taken.extend(self._stream.take())
            if not self._taken and self._stream.closed:
                raise StopIteration
        return event

    def __aiter__(self) -> AsyncIterator[Event[K, V]]:
        return self

    async def __anext__(self) -> Event[K, V]:
        while (event := self._pop()) is None:
            self._taken.extend(self._stream.take(0))
            if not self._taken:
                if self._stream.closed:
                    raise StopAsyncIteration
                await self._bell()
        return event

    def next(self, timeout: float | None = None) -> Event[K, V] | None:
        """The next event; None if none came in time, or if the watch has ended.

        Args:
            timeout: Seconds to wait; None waits for ever.

        Raises:
            InvalidArgument: `timeout` is below zero or not finite.
        """
        if not self._taken:
            self._taken.extend(self._stream.take(timeout))
        return self._pop()

    def _pop(self) -> Event[K, V] | None:
        try:
            return self._taken.popleft()
        except IndexError:
            return None

    async def _bell(self) -> None:
        """Waits until the stream's bell rings, without a thread: the running loop reads a file descriptor."""
        if self._waiting:
            raise RuntimeError("another task waits for this watch already; open one watch for each task")
        bell = self._stream.fileno()
        rung = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(bell, rung.set)
        self._waiting = True
        try:
            await rung.wait()
        finally:
            self._waiting = False
            loop.remove_reader(bell)

    def close(self) -> None:
        """Ends the watch and wakes who waits for it. Events not yet taken are dropped. Idempotent."""
        self._stream.close()
        self._taken.clear()

    def __enter__(self) -> Watch[K, V]:
        return self

    def __exit__(self, exc_type: object, exc_value: object, traceback: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Watch[K, V]:
        return self

    async def __aexit__(self, exc_type: object, exc_value: object, traceback: TracebackType | None) -> None:
        self.close()


class Subscription(_Handle):
    """A callback's registration. `Map.subscribe` makes it.

    It lasts until `unsubscribe`, or until its map closes, whether anybody holds it or not. Usable as a context manager, which
    unsubscribes.
    """

    __slots__ = ("__weakref__", "_bell", "_callback", "_calling", "_loop", "_name", "_stream", "_thread")

    def __init__(
        self,
        stream: Stream[K, V],
        name: str,
        callback: Callable[[Event[K, V]], object],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self._stream = stream
        self._name = name
        self._callback = callback
        self._loop = loop
        self._calling = threading.RLock()
        self._bell = -1
        if loop is None:
            # A thread of Python's own: its thread state stays, which makes a callback cheap, and debuggers see it.
            # The target keeps this object alive until the stream ends.
            self._thread = threading.Thread(target=self._call, name=f"p2pmap-{name}", daemon=True)
            _subscriptions.add(self)
            self._thread.start()
        else:
            loop.call_soon_threadsafe(self._listen)

    @staticmethod
    def _check(callback: Any) -> None:
        """Refuses what cannot be called back, before anything is opened for it."""
        if not callable(callback):
            raise TypeError(f"a callback must be a function of one event, not {type(callback).__name__}")
        if inspect.iscoroutinefunction(callback):
            raise TypeError("a callback cannot be a coroutine function; use `async for event in map.watch()`")

    def _call(self) -> None:
        self._stream.deliver(self._callback)

    def _listen(self) -> None:
        """On the loop: reads the bell from now on."""
        assert self._loop is not None
        if not self._stream.closed:
            self._bell = self._stream.fileno()
            self._loop.add_reader(self._bell, self._call_ready)
            self._call_ready()

    def _call_ready(self) -> None:
        """On the loop: calls back for some events, and lets others have their turn before the rest."""
        assert self._loop is not None
        with self._calling:
            more = self._stream.deliver_ready(self._callback)
        if self._stream.closed:
            self._loop.remove_reader(self._bell)
        elif more:
            self._loop.call_soon(self._call_ready)

    def unsubscribe(self) -> None:
        """Ends the subscription. Idempotent.

        When it returns, the callback is not running and will not run again. Called from the callback itself it returns at
        once, and that holds when the callback returns. So hold no lock here that the callback waits for.
        """
        self._stream.close()
        if self._loop is None:
            if self._thread is not threading.current_thread():
                self._thread.join()
            return
        with self._calling:
            pass
        if self._bell >= 0 and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.remove_reader, self._bell)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, exc_type: object, exc_value: object, traceback: TracebackType | None) -> None:
        self.unsubscribe()


_subscriptions: WeakSet[Subscription] = WeakSet()
"""Those with a thread, for the interpreter's exit."""


def join_all() -> None:
    """Waits until no callback runs. Every node has been closed before, so that all of them end."""
    for subscription in list(_subscriptions):
        if subscription._thread is not threading.current_thread():
            subscription._thread.join(_EXIT_WAIT)
