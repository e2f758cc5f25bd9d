"""Waiting until others hold a write, in threads and in coroutines, and what a status says of them."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
import threading
import time
from collections.abc import Iterator

import p2pmap
import pytest
from p2pmap import aio

from .conftest import PATIENCE, Eventually, Script

Map = p2pmap.Map[str, bytes]

BRIEF = 0.05
"""Seconds: for a wait that must end in vain."""


@pytest.fixture
def m(node: p2pmap.Node) -> Map:
    return node.map("m")


@pytest.fixture
def other(m: Map) -> Iterator[Map]:
    with p2pmap.open("m", bootstrap=m.node.addrs) as other:
        yield other


def test_it_says_who_holds_a_write(m: Map, other: Map) -> None:
    stamp = m.put("k", b"v")
    assert m.wait_replicated(stamp, timeout=PATIENCE) == [other.node.id]
    assert other["k"] == b"v"
    stamp = other.put("k", b"w")
    assert other.wait_replicated(stamp, 1, PATIENCE) == [m.node.id]


def test_the_stamp_of_a_batch_stands_for_all_of_it(m: Map, other: Map) -> None:
    with m.batch() as batch:
        batch["a"] = b"1"
        batch["b"] = b"2"
    stamp = m.apply(batch)
    assert stamp is not None
    m.wait_replicated(stamp, timeout=PATIENCE)
    assert dict(other) == {"a": b"1", "b": b"2"}


def test_too_few_in_time_is_a_timeout_that_says_how_many(m: Map, other: Map) -> None:
    stamp = m.put("k", b"v")
    m.wait_replicated(stamp, timeout=PATIENCE)
    with pytest.raises(p2pmap.Timeout, match=r"^1 of 2 peers held") as raised:
        m.wait_replicated(stamp, peers=2, timeout=BRIEF)
    assert isinstance(raised.value, TimeoutError)
    assert m.wait_replicated(stamp, timeout=PATIENCE) == [other.node.id]


def test_nobody_is_waited_for_when_none_is_asked_for(m: Map) -> None:
    assert m.wait_replicated(m.put("k", b"v"), peers=0, timeout=0) == []


def test_a_write_that_is_not_held_here_is_refused(m: Map) -> None:
    stamp = m.put("k", b"v")
    later = p2pmap.Stamp(stamp.timestamp + 1, stamp.epoch, stamp.author)
    with pytest.raises(p2pmap.InvalidArgument):
        m.wait_replicated(later, timeout=PATIENCE)
    with pytest.raises(p2pmap.InvalidArgument, match="`peers` is below zero"):
        m.wait_replicated(stamp, peers=-1)
    with pytest.raises(p2pmap.InvalidArgument, match="`timeout`"):
        m.wait_replicated(stamp, timeout=-1)
    m.close()
    with pytest.raises(p2pmap.Closed):
        m.wait_replicated(stamp, timeout=PATIENCE)


def test_a_stamp_is_its_three_parts(m: Map, other: Map) -> None:
    stamp = m.put("k", b"v")
    match stamp:
        case p2pmap.Stamp(timestamp, epoch, author):
            again = p2pmap.Stamp(timestamp, epoch=epoch, author=author)
        case _:
            pytest.fail("no match")
    assert (again, str(again), hash(again)) == (stamp, str(stamp), hash(stamp))
    assert pickle.loads(pickle.dumps(stamp)) == copy.copy(stamp) == stamp
    assert m.wait_replicated(again, timeout=PATIENCE) == [other.node.id]
    with pytest.raises(p2pmap.InvalidArgument, match="not a peer id"):
        p2pmap.Stamp(1, 1, "0")
    with pytest.raises(OverflowError):
        p2pmap.Stamp(-1, 1, stamp.author)


def test_waiting_leaves_python_to_other_threads(m: Map) -> None:
    stamp = m.put("k", b"v")
    held: list[str] = []
    waiting = threading.Thread(target=lambda: held.extend(m.wait_replicated(stamp, timeout=PATIENCE)))
    waiting.start()
    with p2pmap.open("m", bootstrap=m.node.addrs) as other:
        waiting.join(PATIENCE)
        assert held == [other.node.id]


def test_the_twin_of_coroutines_leaves_the_loop_to_others(m: Map) -> None:
    async def main() -> None:
        stamp = m.put("k", b"v")
        waiting = asyncio.create_task(aio.wait_replicated(m, stamp, 1, PATIENCE))
        await asyncio.sleep(0)
        with p2pmap.Node() as node:
            assert await aio.connect(node, m.node.addrs[0], PATIENCE) == m.node.id
            other = node.map("m")
            assert await waiting == [node.id]
            await aio.sync(other, PATIENCE)
            assert dict(other) == {"k": b"v"}
            with pytest.raises(p2pmap.Timeout):
                await aio.wait_replicated(m, stamp, peers=2, timeout=BRIEF)

    asyncio.run(main())


def test_a_cancelled_wait_is_given_up_at_once(m: Map) -> None:
    async def main() -> None:
        waiting = asyncio.create_task(aio.wait_replicated(m, m.put("k", b"v"), timeout=1000))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    before = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - before < PATIENCE


def test_a_wait_does_not_hold_up_the_exit(script: Script) -> None:
    source = """
        import asyncio, p2pmap
        from p2pmap import aio

        async def main():
            m = p2pmap.open("m")
            wait = asyncio.create_task(aio.wait_replicated(m, m.put("k", b""), timeout=1000))
            await asyncio.sleep(0)

        asyncio.run(main())
        print("over")
    """
    output, errors = script(source).communicate(timeout=PATIENCE)
    assert (output, errors) == ("over\n", "")


def test_a_status_of_one_alone_has_every_field(m: Map) -> None:
    m["k"] = b"v"
    fields = dataclasses.asdict(m.status())
    assert len(fields.pop("digest")) == 64
    assert fields.pop("bytes") >= 2
    assert fields.pop("outbox") in (0, 1)
    assert fields.pop("clock_ahead_ms") >= 0
    assert fields == {
        "name": "m",
        "live": 1,
        "tombstones": 0,
        "hidden": 0,
        "peers": [],
        "refused_entries": 0,
        "ahead_entries": 0,
        "rejected_messages": 0,
        "gaps": 0,
        "syncs": 0,
        "self_checks": 0,
        "forgotten": 0,
        "origins": 1,
        "durability": "none",
        "storage_error": None,
        "cut_bytes": 0,
        "log_bytes": 0,
    }
    status = m.node.status()
    assert (status.clock_drift_ms, status.clock_suspect, status.identity_error) == (None, False, None)


def test_a_status_tells_how_each_peer_compares(m: Map, other: Map, eventually: Eventually) -> None:
    m["k"] = b"v"
    m.sync(PATIENCE)
    eventually(lambda: [(peer.in_sync, peer.behind) for peer in m.status().peers] == [(True, 0)])
    eventually(lambda: [peer.drift_ms is not None for peer in m.status().peers] == [True])
    (peer,) = m.status().peers
    assert (peer.id, peer.connected, peer.ahead_entries, peer.holds_up_forgetting) == (other.node.id, True, 0, False)
    assert peer.drift_ms is not None and abs(peer.drift_ms) < PATIENCE * 1000
    eventually(lambda: m.node.peers()[0].drift_ms is not None)
    eventually(lambda: m.node.status().clock_drift_ms is not None)
    assert m.node.status().clock_suspect is False
