"""What waits for the disk: durable maps, dumps, and their coroutines."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any, TypeAlias

import p2pmap
import pytest
from p2pmap import aio

Map: TypeAlias = p2pmap.Map[str, bytes]


def kept(path: Path, name: str = "m") -> Map:
    return p2pmap.open(name, data_dir=path / "data", durability="sync")


def test_a_durable_map_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    with kept(tmp_path) as m:
        m["a"] = b"1"
        m.put("b", b"2", ttl=3600)
        m.update({"c": b"3", "d": b"4"})
        del m["c"]
        assert m.pop("d") == b"4"
        with m.batch() as batch:
            batch["e"] = b"5"
    with kept(tmp_path) as m:
        assert dict(m) == {"a": b"1", "b": b"2", "e": b"5"}
        assert m.popitem() == ("a", b"1")
        m.clear()
    with kept(tmp_path) as m:
        assert not m


def test_a_coroutine_writes_at_once_and_waits_for_the_disk(tmp_path: Path) -> None:
    async def write() -> None:
        with kept(tmp_path) as m:
            stamps = await asyncio.gather(*(aio.put(m, "k", b"%d" % i) for i in range(100)))
            assert stamps == sorted(stamps), "in the order of the calls"
            assert m["k"] == b"99"
            value: Any = bytearray(b"before")
            putting = asyncio.create_task(aio.put(m, "buffer", value))
            await asyncio.sleep(0)
            value[:] = b"after!"
            await putting
            batch = m.batch()
            batch["b"] = b"2"
            assert await aio.apply(m, batch) is not None
            assert await aio.apply(m, m.batch()) is None
            assert await aio.remove(m, "b") and not await aio.remove(m, "b")
            with pytest.raises(p2pmap.TooLarge):
                await aio.put(m, "k", bytes(2_000_000))
            await aio.put(m, "lease", b"x", ttl=3600)
            shutil.copytree(tmp_path / "data", tmp_path / "copy" / "data")

    asyncio.run(write())
    with kept(tmp_path / "copy") as m:
        assert dict(m) == {"buffer": b"before", "k": b"99", "lease": b"x"}


def test_coroutines_that_wait_for_one_disk_share_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, flush = threading.Event(), aio._flush_for_all

    def flush_when_all_wait(m: Map) -> None:
        gate.wait()
        flush(m)

    monkeypatch.setattr(aio, "_flush_for_all", flush_when_all_wait)

    async def write() -> None:
        with kept(tmp_path) as m:
            puts = [asyncio.create_task(aio.put(m, f"k{number}", b"v")) for number in range(300)]
            await asyncio.sleep(0)
            assert len(m) == 300 and not any(put.done() for put in puts)
            assert sum(thread.name == "p2pmap-aio" for thread in threading.enumerate()) == 1
            gate.set()
            await asyncio.gather(*puts)
            await aio.flush(m)

    asyncio.run(write())
    with kept(tmp_path) as m:
        assert len(m) == 300


def test_coroutines_write_to_maps_in_memory_too(tmp_path: Path) -> None:
    async def write() -> None:
        with p2pmap.open("m") as m:
            await aio.put(m, "k", b"v")
            await aio.flush(m)
            assert m["k"] == b"v"
            assert await aio.dump(m, tmp_path / "dump") == 1
            assert await aio.remove(m, "k")
            assert await aio.load(m, tmp_path / "dump") == 1
            assert m["k"] == b"v"

    asyncio.run(write())


def test_a_disk_that_is_gone_is_told_and_reads_go_on(tmp_path: Path) -> None:
    with kept(tmp_path) as m:
        m["a"] = b"1"
        status = m.status()
        assert (status.durability, status.storage_error, status.cut_bytes) == ("sync", None, 0)
        assert status.log_bytes > 0
        shutil.rmtree(tmp_path / "data")
        with pytest.raises(p2pmap.StorageError):
            m["b"] = b"2"
        assert str(tmp_path) in (m.status().storage_error or "")
        with pytest.raises(p2pmap.StorageError):
            asyncio.run(aio.put(m, "b", b"2"))
        assert m["a"] == b"1"


def test_other_threads_run_while_a_write_waits_for_the_disk(tmp_path: Path) -> None:
    with kept(tmp_path) as m:
        writers = [threading.Thread(target=lambda i=i: [m.put(f"{i}/{k}", b"") for k in range(50)]) for i in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(m) == 400


def test_a_map_is_dumped_and_loaded(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    with p2pmap.open("m") as m, p2pmap.open("n") as n:
        m["a"] = b"\xff\x00"
        m.put("b", b"x", ttl=3600)
        assert (m.dump(file), n.load(str(file))) == (2, 2)
        assert dict(n) == dict(m)
        one, other = n.entry("b"), m.entry("b")
        assert one and other and one.expires_at_ms == other.expires_at_ms
        with file.open("a") as dump:
            dump.write("no json\n")
        n.clear()
        with pytest.raises(p2pmap.InvalidArgument, match="line 3 "):
            n.load(file)
        assert not n
        with pytest.raises(p2pmap.StorageError):
            m.dump(tmp_path)
        with pytest.raises(TypeError):
            m.dump(1)  # type: ignore[arg-type]


def test_a_copy_of_a_directory_is_refused_when_it_meets_the_original(tmp_path: Path) -> None:
    with kept(tmp_path) as m:
        m["a"] = b"1"
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        with p2pmap.open("m", data_dir=tmp_path / "copy", durability="sync") as copy:
            with pytest.raises(p2pmap.Locked, match="identity"):
                copy.node.connect(m.node.addrs[0])
            with pytest.raises(p2pmap.Locked):
                copy["b"] = b"2"
            assert str(tmp_path / "copy") in (copy.node.status().identity_error or "")
            assert copy["a"] == b"1"
        m["b"] = b"2"
        assert m.node.status().identity_error is None
