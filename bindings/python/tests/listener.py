"""A callback's subscription or a watch, as the conformance scripts see it."""

from __future__ import annotations

import queue
from contextlib import suppress
from typing import Any, TypeAlias

import p2pmap

Tokens: TypeAlias = list[bytes]
Map: TypeAlias = p2pmap.Map[bytes, bytes]

PATIENCE = 10.0


class Failed(Exception):
    """A step did not give what the script expects, or is not one."""


class Listener:
    """A callback's subscription and its queue, or a watch: `next` takes an event from either."""

    def __init__(self, map: Map, pulled: bool, **options: Any) -> None:
        self.last: p2pmap.Event[bytes, bytes] | None = None
        self._queue: queue.SimpleQueue[p2pmap.Event[bytes, bytes]] = queue.SimpleQueue()
        self._ended = False
        self._source = map.watch(**options) if pulled else map.subscribe(self._queue.put, **options)

    def next(self) -> Tokens:
        if isinstance(self._source, p2pmap.Watch):
            event = self._source.next(PATIENCE)
            ended = self._source.closed
        else:
            event, ended = None, self._ended
            with suppress(queue.Empty):
                event = self._queue.get(timeout=0 if ended else PATIENCE)
        if event is None:
            return [b"end" if ended else b"timeout"]
        self.last = event
        if event.kind == "synced":
            return [b"synced"]
        where = b"local" if event.local else b"remote"
        return [event.kind.encode(), event.key, or_none(event.value), or_none(event.old), where]

    def origin(self) -> Tokens:
        if self.last is None:
            raise Failed("no event was taken yet")
        if self.last.stamp is None or self.last.author is None:
            return [b"none"]
        return [self.last.author.encode(), str(self.last.stamp).encode()]

    def end(self) -> None:
        if isinstance(self._source, p2pmap.Watch):
            self._source.close()
        else:
            self._source.unsubscribe()
            self._ended = True


def or_none(value: bytes | None) -> bytes:
    return b"none" if value is None else value
