"""Entries that expire: how a put says how long, and what happens when the time has run out."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually

Map = p2pmap.Map[str, bytes]
Ttl = float | timedelta | None

HOUR = 3600.0
SOON = 0.03
"""Seconds: short, since what comes after is awaited."""

REFUSED: list[Any] = [0, 0.0, -1, math.nan, math.inf, 10**400, timedelta(0), timedelta(days=-1), timedelta(days=36526)]


@pytest.fixture
def m(node: p2pmap.Node) -> Map:
    return node.map("m", scan_ms=10)


@pytest.fixture
def hourly(node: p2pmap.Node) -> Map:
    return node.map("hourly", default_ttl_ms=3_600_000)


def expiry(m: Map, key: str) -> int | None:
    entry = m.entry(key)
    assert entry is not None
    return entry.expires_at_ms


def until_expired(watch: p2pmap.Watch[str, bytes], key: str) -> p2pmap.Event[str, bytes]:
    while True:
        event = watch.next(PATIENCE)
        assert event is not None
        if (event.kind, event.key) == ("expire", key):
            return event


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_an_entry_expires_and_subscribers_are_told(m: Map, node: p2pmap.Node) -> None:
    with m.watch() as watch:
        stamp = m.put("k", b"v", ttl=SOON)
        put, expired = watch.next(PATIENCE), watch.next(PATIENCE)
    assert put is not None and expired is not None
    assert (put.kind, put.value, put.stamp) == ("put", b"v", stamp)
    assert (expired.kind, expired.key, expired.value, expired.old) == ("expire", "k", None, b"v")
    assert (expired.stamp, expired.author, expired.local) == (stamp, node.id, True)
    assert "k" not in m
    assert m.get("k") is None
    assert m.entry("k") is None
    assert list(m) == [] and len(m) == 0
    assert m.remove("k") is False


@pytest.mark.parametrize("ttl", [HOUR, int(HOUR), timedelta(hours=1)])
def test_seconds_and_timedeltas_say_the_same(m: Map, ttl: float | timedelta) -> None:
    before = now_ms()
    m.put("k", b"v", ttl=ttl)
    expires = expiry(m, "k")
    assert expires is not None
    assert before + 3_600_000 <= expires <= now_ms() + 3_600_000


def test_a_put_without_ttl_goes_by_the_map(m: Map, hourly: Map) -> None:
    for put in (m.put, m.__setitem__):
        put("k", b"v")
        assert expiry(m, "k") is None
    before = now_ms()
    for put in (hourly.put, hourly.__setitem__):
        put("k", b"v")
        assert (expiry(hourly, "k") or 0) >= before + 3_600_000
    hourly.put("k", b"v", ttl=...)
    assert (expiry(hourly, "k") or 0) >= before + 3_600_000


def test_none_is_for_ever_whatever_the_map_says(hourly: Map) -> None:
    hourly.put("k", b"v", ttl=None)
    assert expiry(hourly, "k") is None


def test_a_put_renews(m: Map) -> None:
    with m.watch() as watch:
        m.put("renewed", b"1", ttl=SOON)
        m.put("renewed", b"2", ttl=HOUR)
        m.put("kept", b"1", ttl=SOON)
        m.put("kept", b"2", ttl=None)
        m.put("last", b"", ttl=SOON)
        until_expired(watch, "last")
    assert dict(m) == {"kept": b"2", "renewed": b"2"}


@pytest.mark.parametrize("ttl", REFUSED, ids=str)
def test_what_is_no_time_to_live_is_refused(m: Map, ttl: Ttl) -> None:
    with pytest.raises(p2pmap.InvalidArgument):
        m.put("k", b"v", ttl=ttl)
    with pytest.raises(p2pmap.InvalidArgument), m.batch() as batch:
        batch.put("other", b"v")
        batch.put("k", b"v", ttl=ttl)
    assert not m


@pytest.mark.parametrize("ttl", ["5", b"5", [5], object()])
def test_what_is_no_number_is_a_type_error(m: Map, ttl: Any) -> None:
    with pytest.raises(TypeError, match="`ttl` must be a number of seconds or a timedelta"):
        m.put("k", b"v", ttl=ttl)
    with pytest.raises(TypeError, match="`ttl` must be a number of seconds or a timedelta"):
        m.batch().put("k", b"v", ttl=ttl)
    assert not m


def test_a_batch_says_it_for_each_of_its_puts(hourly: Map) -> None:
    before = now_ms()
    with hourly.batch() as batch:
        batch["default"] = b""
        batch.put("day", b"", ttl=timedelta(days=1))
        batch.put("never", b"", ttl=None)
    assert before + 3_600_000 <= (expiry(hourly, "default") or 0) < before + 86_400_000
    assert (expiry(hourly, "day") or 0) >= before + 86_400_000
    assert expiry(hourly, "never") is None


def test_the_entries_of_a_scan_have_their_expiry(m: Map) -> None:
    m.put("a", b"", ttl=HOUR)
    m.put("b", b"")
    assert [(entry.key, entry.expires_at_ms is None) for entry in m.scan()] == [("a", False), ("b", True)]
    match m.entry("b"):
        case p2pmap.Entry(key, _, _, _, _, expires_at_ms):
            assert (key, expires_at_ms) == ("b", None)
        case other:
            pytest.fail(f"no match: {other!r}")


def test_an_entry_expires_on_every_node(m: Map, node: p2pmap.Node, eventually: Eventually) -> None:
    with p2pmap.open("m", bootstrap=node.addrs, scan_ms=10) as other, other.watch() as watch:
        m.wait_replicated(m.put("k", b"long", ttl=HOUR), timeout=PATIENCE)
        assert other["k"] == b"long"
        # It may have run out before it arrives there: then the value before is that of the first put.
        stamp = m.put("k", b"short", ttl=SOON)
        expired = until_expired(watch, "k")
        assert expired.old in (b"long", b"short")
        assert (expired.value, expired.stamp, expired.author, expired.local) == (None, stamp, node.id, False)
        eventually(lambda: not m and not other)
        assert other.status().digest == m.status().digest
