"""What a user writes, under `mypy --strict`: every `reveal` and every `ignore` here must be right. It is not run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, assert_type

import p2pmap


def maps(node: p2pmap.Node) -> None:
    assert_type(p2pmap.open("m"), p2pmap.Map[str, bytes])
    assert_type(p2pmap.open("m", codec="utf8"), p2pmap.Map[str, str])
    assert_type(p2pmap.open("m", codec="json"), p2pmap.Map[str, Any])
    assert_type(p2pmap.open("m", keys="bytes"), p2pmap.Map[bytes, bytes])
    assert_type(node.map("m", keys="bytes", codec="utf8"), p2pmap.Map[bytes, str])
    p2pmap.open("m", bootstrap=["/ip4/127.0.0.1/tcp/1"], insecure=True, max_value_bytes=3, config="p2pmap.toml", env=True)
    p2pmap.open("m", no_such_option=1)  # type: ignore[call-overload]
    p2pmap.open("m", insecure="yes")  # type: ignore[call-overload]
    p2pmap.open("m", codec="xml")  # type: ignore[call-overload]
    p2pmap.open("m", codec="utf8", validator=lambda key, value: value.isdigit())
    p2pmap.Node(maps={"flags": {"max_entries": 5, "default_ttl_ms": 1000}}, peer_timeout_ms=5000)
    node.map("m", presence=True, origin_retention_ms=1000)
    node.map("m", presence="yes")  # type: ignore[call-overload]


def mapping(m: p2pmap.Map[str, str]) -> None:
    assert_type(m["k"], str)
    assert_type(m.get("k"), str | None)
    assert_type(m.get("k", 7), str | int)
    assert_type(m.pop("k"), str)
    assert_type(m.put("k", "v"), p2pmap.Stamp)
    for ttl in (1, 0.5, timedelta(hours=1), None, ...):
        m.put("k", "v", ttl=ttl)
        m.batch().put("k", "v", ttl=ttl)
    m.put("k", "v", ttl="1 h")  # type: ignore[arg-type]
    m.put("k", "v", 1)  # type: ignore[call-arg]
    assert_type(list(m), list[str])
    assert_type(list(m.items()), list[tuple[str, str]])
    assert_type([entry.value for entry in m.scan(prefix="a")], list[str])
    m["k"] = b"bytes"  # type: ignore[assignment]
    m[b"k"] = "v"  # type: ignore[index]
    m |= {"a": "b"}
    m.update(a="b")
    with m.batch() as batch:
        batch["k"] = "v"
        batch["k"] = 7  # type: ignore[assignment]


def events(m: p2pmap.Map[str, str], loop: asyncio.AbstractEventLoop) -> None:
    def on_event(event: p2pmap.Event[str, str]) -> None:
        match event:
            case p2pmap.Event("put", key, value):
                assert_type(key, str)
                assert_type(value, str | None)
        if event.kind == "moved":  # type: ignore[comparison-overlap]
            print("never")

    assert_type(m.subscribe(on_event, snapshot=True, loop=loop), p2pmap.Subscription)
    m.subscribe(lambda event: print(event.key.upper()))
    for event in m.watch():
        assert_type(event, p2pmap.Event[str, str])


async def async_events(m: p2pmap.Map[str, str]) -> None:
    async with m.watch(prefix="a") as watch:
        async for event in watch:
            assert_type(event.old, str | None)


async def replication(m: p2pmap.Map[str, str]) -> None:
    stamp = p2pmap.Stamp(1, 1, author=m.node.id)
    assert_type(m.wait_replicated(stamp, peers=2, timeout=0.5), list[str])
    assert_type(await p2pmap.aio.wait_replicated(m, stamp, peers=2), list[str])
    assert_type(await p2pmap.aio.connect(m.node, ""), str)
    await p2pmap.aio.sync(m, timeout=1)
    assert_type(await p2pmap.aio.put(m, "k", "v", ttl=1.5), p2pmap.Stamp)
    assert_type(await p2pmap.aio.remove(m, "k"), bool)
    assert_type(await p2pmap.aio.apply(m, m.batch()), p2pmap.Stamp | None)
    assert_type(await p2pmap.aio.load(m, "file"), int)
    assert_type([(peer.id, peer.behind) for peer in m.status().peers if not peer.connected], list[tuple[str, int | None]])
    if entry := m.entry("k"):
        assert_type(entry.expires_at_ms, int | None)


def errors(m: p2pmap.Map[str, str]) -> None:
    try:
        m.sync(1)
    except TimeoutError as error:
        if isinstance(error, p2pmap.Error):
            assert_type(error.code, int)
