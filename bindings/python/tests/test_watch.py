"""Watches: the same events, pulled by `for` and by `async for`."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import p2pmap
import pytest

from .conftest import PATIENCE


@pytest.fixture
def m(node: p2pmap.Node) -> p2pmap.Map[str, bytes]:
    return node.map("m")


def test_a_watch_is_an_iterator(m: p2pmap.Map[str, bytes]) -> None:
    m["old"] = b"0"
    with m.watch(snapshot=True) as events:
        m["k"] = b"v"
        del m["k"]
        assert iter(events) is events
        told = [(event.kind, event.key) for _, event in zip(range(4), events, strict=False)]
    assert told == [("put", "old"), ("synced", ""), ("put", "k"), ("remove", "k")]


def test_a_watch_ends_with_its_map_after_what_was_waiting(m: p2pmap.Map[str, bytes]) -> None:
    events = m.watch()
    m.update(a=b"", b=b"")
    m.close()
    assert [event.key for event in events] == ["a", "b"]
    assert events.closed
    assert list(events) == []


def test_closing_a_watch_ends_it_at_once_and_wakes_who_waits(m: p2pmap.Map[str, bytes]) -> None:
    events = m.watch()
    ended: list[list[object]] = []
    reader = threading.Thread(target=lambda: ended.append(list(events)))
    reader.start()
    events.close()
    reader.join(PATIENCE)
    assert ended == [[]]
    events.close()
    assert repr(events) == "<p2pmap.Watch of 'm' (closed)>"


def test_next_waits_no_longer_than_it_may(m: p2pmap.Map[str, bytes]) -> None:
    events = m.watch(prefix="k")
    assert events.next(0) is None
    assert events.next(0.01) is None
    m.update(j=b"", k=b"v")
    event = events.next(PATIENCE)
    assert event is not None
    assert event.key == "k"
    with pytest.raises(p2pmap.InvalidArgument):
        events.next(-1)
    events.close()
    assert events.next() is None


def test_threads_share_a_watch(m: p2pmap.Map[str, bytes]) -> None:
    events = m.watch()
    seen: list[str] = []
    readers = [threading.Thread(target=lambda: seen.extend(event.key for event in events)) for _ in range(4)]
    for reader in readers:
        reader.start()
    m.update((f"{index:04}", b"") for index in range(2000))
    m.close()
    for reader in readers:
        reader.join(PATIENCE)
    assert sorted(seen) == [f"{index:04}" for index in range(2000)]


def test_a_forgotten_watch_goes_away(m: p2pmap.Map[str, bytes]) -> None:
    gone = weakref.ref(m.watch())
    gc.collect()
    assert gone() is None


def test_a_watch_is_an_async_iterator(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> list[str]:
        seen = []
        async with m.watch() as events:
            writing = asyncio.create_task(asyncio.to_thread(lambda: m.update((str(index), b"") for index in range(3000))))
            async for event in events:
                seen.append(event.key)
                if len(seen) == 3000:
                    break
            await writing
        return seen

    assert asyncio.run(main()) == [str(index) for index in range(3000)]


def test_async_events_come_one_by_one_while_the_loop_goes_on(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> None:
        async with m.watch() as events:
            for index in range(200):
                waiting = asyncio.ensure_future(anext(events))
                await asyncio.sleep(0)
                assert not waiting.done()
                m[str(index)] = b""
                assert (await asyncio.wait_for(waiting, PATIENCE)).key == str(index)

    asyncio.run(main())


def test_an_async_watch_ends_with_its_map_and_by_close(m: p2pmap.Map[str, bytes], node: p2pmap.Node) -> None:
    async def read(events: p2pmap.Watch[str, bytes]) -> list[str]:
        return [event.key async for event in events]

    async def main() -> None:
        events = m.watch()
        reading = asyncio.create_task(read(events))
        await asyncio.sleep(0)
        m["k"] = b""
        await asyncio.to_thread(m.close)
        assert await asyncio.wait_for(reading, PATIENCE) == ["k"]

        closed = node.map("other").watch()
        reading = asyncio.create_task(read(closed))
        await asyncio.sleep(0)
        closed.close()
        assert await asyncio.wait_for(reading, PATIENCE) == []

    asyncio.run(main())


def test_a_cancelled_wait_loses_nothing(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> None:
        async with m.watch() as events:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.01)
            m["k"] = b""
            assert (await asyncio.wait_for(anext(events), PATIENCE)).key == "k"

    asyncio.run(main())


def test_one_task_waits_at_a_time(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> None:
        async with m.watch() as events:
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one watch for each task"):
                await anext(events)
            m["k"] = b""
            assert (await asyncio.wait_for(first, PATIENCE)).key == "k"

    asyncio.run(main())


def test_a_watch_is_read_sync_and_async_by_turns(m: p2pmap.Map[str, bytes]) -> None:
    events = m.watch()
    for index in range(3):
        m[f"sync {index}"] = b""
        assert next(events).key == f"sync {index}"
        m[f"async {index}"] = b""

        async def read() -> str:
            return (await asyncio.wait_for(anext(events), PATIENCE)).key

        assert asyncio.run(read()) == f"async {index}"
