"""Subscriptions: changes of the view, pushed to a callback on a thread or on an event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from queue import Queue
from typing import Any

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually

Event = p2pmap.Event[str, bytes]


@pytest.fixture
def m(node: p2pmap.Node) -> p2pmap.Map[str, bytes]:
    return node.map("m")


def test_a_callback_is_told_every_change_in_order(m: p2pmap.Map[str, bytes], node: p2pmap.Node) -> None:
    events: Queue[Event] = Queue()
    m.subscribe(events.put)
    stamp = m.put("k", b"1")
    m["k"] = b"2"
    m["k"] = b"2"
    del m["k"]
    put, overwrite, remove = (events.get(timeout=PATIENCE) for _ in range(3))
    assert (put.kind, put.key, put.value, put.old) == ("put", "k", b"1", None)
    assert (put.stamp, put.author, put.local) == (stamp, node.id, True)
    assert (overwrite.kind, overwrite.value, overwrite.old) == ("put", b"2", b"1")
    assert (remove.kind, remove.value, remove.old) == ("remove", None, b"2")
    assert events.empty()


def test_events_match_by_position(m: p2pmap.Map[str, bytes]) -> None:
    events: Queue[Event] = Queue()
    m.subscribe(events.put)
    m["k"] = b"v"
    event = events.get(timeout=PATIENCE)
    match event:
        case p2pmap.Event("put", key, value, old, stamp, author, local):
            assert (key, value, old, local) == ("k", b"v", None, True)
            assert stamp is not None
            assert author == stamp.author
        case _:
            pytest.fail("it did not match")
    assert repr(event).startswith("Event(kind='put', key='k', value=b'v', old=None, author='12D3")


def test_a_snapshot_comes_first_and_ends_with_synced(m: p2pmap.Map[str, bytes]) -> None:
    m.update(a=b"1", b=b"2")
    events: Queue[Event] = Queue()
    m.subscribe(events.put, snapshot=True)
    m["c"] = b"3"
    seen = [events.get(timeout=PATIENCE) for _ in range(4)]
    assert sorted((event.kind, event.key) for event in seen[:2]) == [("put", "a"), ("put", "b")]
    synced = seen[2]
    assert (synced.kind, synced.key, synced.value, synced.stamp, synced.author) == ("synced", "", None, None, None)
    assert seen[3].key == "c"


def test_a_prefix_limits_what_is_told(m: p2pmap.Map[str, bytes]) -> None:
    events: Queue[Event] = Queue()
    m.subscribe(events.put, prefix="ui/")
    m.update([("db/x", b""), ("ui/x", b""), ("uj", b"")])
    assert events.get(timeout=PATIENCE).key == "ui/x"
    assert events.empty()


def test_a_subscription_lives_without_being_held(m: p2pmap.Map[str, bytes]) -> None:
    events: Queue[Event] = Queue()
    m.subscribe(lambda event: events.put(event))
    gc.collect()
    m["k"] = b"v"
    assert events.get(timeout=PATIENCE).key == "k"


def test_a_subscription_keeps_its_node_open() -> None:
    events: Queue[Event] = Queue()
    with p2pmap.open("m").subscribe(events.put, snapshot=True) as subscription:
        gc.collect()
        assert events.get(timeout=PATIENCE).kind == "synced"
        assert not subscription.closed


def test_nothing_is_called_back_after_unsubscribe(m: p2pmap.Map[str, bytes]) -> None:
    for _ in range(30):
        running = threading.Event()
        calls: list[int] = []

        def on_event(event: Event, running: threading.Event = running, calls: list[int] = calls) -> None:
            running.set()
            calls.append(len(calls))

        subscription = m.subscribe(on_event)
        writer = threading.Thread(target=lambda: m.update((str(index), b"") for index in range(300)))
        writer.start()
        assert running.wait(PATIENCE)
        subscription.unsubscribe()
        after = len(calls)
        writer.join()
        m.clear()
        assert len(calls) == after
        assert subscription.closed
        subscription.unsubscribe()


def test_unsubscribe_waits_for_a_running_callback(m: p2pmap.Map[str, bytes]) -> None:
    entered, leave = threading.Event(), threading.Event()
    finished: list[bool] = []

    def on_event(event: Event) -> None:
        entered.set()
        leave.wait(PATIENCE)
        finished.append(True)

    subscription = m.subscribe(on_event)
    m["k"] = b"v"
    assert entered.wait(PATIENCE)
    threading.Timer(0.05, leave.set).start()
    subscription.unsubscribe()
    assert finished == [True]


def test_a_callback_may_unsubscribe_itself(m: p2pmap.Map[str, bytes]) -> None:
    seen: Queue[Event] = Queue()

    def on_event(event: Event) -> None:
        subscription.unsubscribe()
        seen.put(event)

    subscription = m.subscribe(on_event)
    m.update(a=b"", b=b"", c=b"")
    assert seen.get(timeout=PATIENCE).key == "a"
    subscription.unsubscribe()
    assert seen.empty()


def test_a_callback_may_write_and_close(m: p2pmap.Map[str, bytes], eventually: Eventually) -> None:
    def on_event(event: Event) -> None:
        if event.key == "close":
            m.close()
        else:
            m["close"] = m[event.key]

    subscription = m.subscribe(on_event)
    m["k"] = b"v"
    eventually(lambda: m.closed)
    eventually(lambda: subscription.closed)


def test_what_a_callback_raises_is_unraisable_and_ends_nothing(
    m: p2pmap.Map[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: Queue[Any] = Queue()
    monkeypatch.setattr(sys, "unraisablehook", lambda args: raised.put((args.exc_type, args.object)))

    def on_event(event: Event) -> None:
        raise LookupError(event.key)

    m.subscribe(on_event)
    m.update(a=b"", b=b"")
    assert [raised.get(timeout=PATIENCE) for _ in range(2)] == [(LookupError, on_event)] * 2


def test_a_slow_callback_ends_at_the_newest_state(m: p2pmap.Map[str, bytes]) -> None:
    go_on = threading.Event()
    seen: Queue[Event] = Queue()

    def on_event(event: Event) -> None:
        go_on.wait(PATIENCE)
        seen.put(event)

    m.subscribe(on_event)
    for index in range(20_000):
        m["k"] = b"%d" % index
    m["last"] = b""
    go_on.set()
    values = []
    while (event := seen.get(timeout=PATIENCE)).key == "k":
        values.append(event.value)
    assert values[-1] == b"19999"
    assert len(values) < 20_000


def test_a_busy_main_thread_does_not_starve_callbacks(m: p2pmap.Map[str, bytes]) -> None:
    seen: list[Event] = []
    m.subscribe(seen.append)
    m.update((str(index), b"") for index in range(5000))
    while len(seen) < 5000:
        sum(range(1000))
    assert [event.key for event in seen[:3]] == ["0", "1", "2"]


def test_closing_the_map_tells_what_was_waiting_and_ends(m: p2pmap.Map[str, bytes], eventually: Eventually) -> None:
    seen: list[Event] = []
    subscription = m.subscribe(seen.append)
    m["k"] = b"v"
    m.close()
    eventually(lambda: subscription.closed)
    eventually(lambda: [event.key for event in seen] == ["k"])
    subscription.unsubscribe()


def test_a_context_manager_unsubscribes(m: p2pmap.Map[str, bytes]) -> None:
    with m.subscribe(print) as subscription:
        assert repr(subscription) == "<p2pmap.Subscription of 'm' (open)>"
    assert subscription.closed
    assert repr(subscription) == "<p2pmap.Subscription of 'm' (closed)>"


def test_an_ended_subscription_lets_go_of_its_callback(m: p2pmap.Map[str, bytes]) -> None:
    class Callback:
        def __call__(self, event: Event) -> None: ...

    callback = Callback()
    gone = weakref.ref(callback)
    subscription = m.subscribe(callback)
    subscription.unsubscribe()
    del callback, subscription
    gc.collect()
    assert gone() is None


def test_no_thread_is_left_behind(m: p2pmap.Map[str, bytes]) -> None:
    before = threading.active_count()
    subscriptions = [m.subscribe(print) for _ in range(10)]
    assert threading.active_count() == before + 10
    for subscription in subscriptions:
        subscription.unsubscribe()
    assert threading.active_count() == before


def test_what_cannot_be_called_back_is_refused(m: p2pmap.Map[str, bytes]) -> None:
    async def coroutine(event: Event) -> None: ...

    wrong: list[Any] = [None, "print", coroutine]
    for callback in wrong:
        with pytest.raises(TypeError, match="a callback"):
            m.subscribe(callback)


def test_a_loop_calls_back_on_its_own_thread(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        done = asyncio.Event()

        def on_event(event: Event) -> None:
            seen.append((event.key, threading.get_ident()))
            if event.key == "999":
                done.set()

        subscription = m.subscribe(on_event, loop=asyncio.get_running_loop())
        await asyncio.to_thread(lambda: m.update((str(index), b"") for index in range(1000)))
        await asyncio.wait_for(done.wait(), PATIENCE)
        subscription.unsubscribe()
        m["after"] = b""
        await asyncio.sleep(0)
        return seen

    seen = asyncio.run(main())
    assert seen == [(str(index), threading.get_ident()) for index in range(1000)]


def test_a_loops_callback_may_unsubscribe_itself_and_others_may_from_threads(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: asyncio.Queue[str] = asyncio.Queue()

        def once(event: Event) -> None:
            first.unsubscribe()
            seen.put_nowait(event.key)

        first = m.subscribe(once, loop=loop)
        second = m.subscribe(lambda event: seen.put_nowait("second " + event.key), loop=loop)
        m.update(a=b"", b=b"")
        got = [await asyncio.wait_for(seen.get(), PATIENCE) for _ in range(3)]
        assert sorted(got) == ["a", "second a", "second b"]
        await asyncio.to_thread(second.unsubscribe)
        m["c"] = b""
        with m.watch(snapshot=True) as events:
            async for event in events:
                if event.kind == "synced":
                    break
        assert seen.empty()

    asyncio.run(main())


def test_a_map_that_closes_leaves_nothing_on_the_loop(m: p2pmap.Map[str, bytes]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        subscription = m.subscribe(print, loop=loop)
        await asyncio.sleep(0)
        bell = subscription._bell
        assert bell >= 0
        m.close()
        for _ in range(3):
            await asyncio.sleep(0)  # The bell has rung: the loop finds it when it polls next.
        assert subscription.closed
        assert not loop.remove_reader(bell)

    asyncio.run(main())
