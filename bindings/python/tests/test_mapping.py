"""A map is a `MutableMapping`, with p2pmap's own operations beside it."""

from __future__ import annotations

import copy
import pickle
import threading
from collections import UserDict
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor

import p2pmap
import pytest

Map = p2pmap.Map[str, bytes]


@pytest.fixture
def m(node: p2pmap.Node) -> Map:
    return node.map("m")


@pytest.fixture
def abc(m: Map) -> Map:
    m.update(b=b"2", a=b"1", c=b"3")
    return m


def test_it_is_a_mutable_mapping(m: Map) -> None:
    assert isinstance(m, MutableMapping)


def test_items_are_set_read_and_deleted(m: Map) -> None:
    m["k"] = b"v"
    assert m["k"] == b"v"
    assert "k" in m
    assert len(m) == 1
    del m["k"]
    assert "k" not in m
    assert len(m) == 0


def test_an_absent_key_is_a_key_error(m: Map) -> None:
    with pytest.raises(KeyError) as raised:
        m["absent"]
    assert raised.value.args == ("absent",)
    with pytest.raises(KeyError):
        del m["absent"]
    with pytest.raises(KeyError):
        m.pop("absent")
    with pytest.raises(KeyError):
        m.popitem()


def test_absence_has_defaults(m: Map) -> None:
    assert m.get("absent") is None
    assert m.get("absent", 7) == 7
    assert m.pop("absent", None) is None
    assert m.entry("absent") is None
    assert m.remove("absent") is False


def test_an_empty_map_is_false(m: Map) -> None:
    assert not m
    m["k"] = b""
    assert m


def test_keys_are_ordered_by_their_bytes(m: Map) -> None:
    keys = ["", "b", "a\0", "a", "é", "Z", "𝄞"]
    m.update((key, b"") for key in keys)
    assert list(m) == sorted(keys, key=str.encode)
    assert list(reversed(m)) == sorted(keys, key=str.encode, reverse=True)


def test_views_are_live_and_ordered(abc: Map) -> None:
    keys, values, items = abc.keys(), abc.values(), abc.items()
    assert list(keys) == ["a", "b", "c"]
    assert list(values) == [b"1", b"2", b"3"]
    assert list(items) == [("a", b"1"), ("b", b"2"), ("c", b"3")]
    abc["d"] = b"4"
    assert len(keys) == len(values) == len(items) == 4
    assert "d" in keys
    assert b"4" in values
    assert b"5" not in values
    assert ("d", b"4") in items
    assert ("d", b"5") not in items


def test_views_go_backwards_and_combine_as_sets(abc: Map) -> None:
    assert list(reversed(abc.keys())) == ["c", "b", "a"]
    assert list(reversed(abc.values())) == [b"3", b"2", b"1"]
    assert next(iter(reversed(abc.items()))) == ("c", b"3")
    assert abc.keys() & {"a", "x"} == {"a"}
    assert abc.keys() | {"x"} == {"a", "b", "c", "x"}


def test_update_takes_what_dict_takes(m: Map) -> None:
    class Keyed:
        def keys(self) -> Iterator[str]:
            return iter(["k"])

        def __getitem__(self, key: str) -> bytes:
            return b"keyed"

    m.update({"a": b"1"})
    m.update([("b", b"2")], c=b"3")
    m.update(UserDict(d=b"4"))
    m.update(Keyed())
    m.update(m)
    m |= {"e": b"5"}
    m.update()
    assert dict(m) == {"a": b"1", "b": b"2", "c": b"3", "d": b"4", "e": b"5", "k": b"keyed"}


def test_an_augmented_union_keeps_the_handle(m: Map) -> None:
    before = m
    m |= [("a", b"1")]
    assert m is before


def test_pop_setdefault_popitem_and_clear(abc: Map) -> None:
    assert abc.pop("b") == b"2"
    assert abc.setdefault("a", b"other") == b"1"
    assert abc.setdefault("n", b"new") == b"new"
    assert abc["n"] == b"new"
    assert abc.popitem() == ("a", b"1")
    abc.clear()
    assert list(abc) == []
    abc.clear()


def test_it_equals_a_mapping_of_equal_items(abc: Map) -> None:
    assert abc == {"a": b"1", "b": b"2", "c": b"3"}
    assert abc != {"a": b"1"}
    assert abc == abc.node.map("m")
    assert abc != [("a", b"1")]
    with pytest.raises(TypeError, match="unhashable"):
        hash(abc)


def test_iterating_survives_changes(m: Map) -> None:
    m.update((f"{index:04}", b"") for index in range(3000))
    seen = []
    for key in m:
        seen.append(key)
        del m[key]
        m["z" + key] = b""
        if len(seen) == 3000:
            break
    assert seen == [f"{index:04}" for index in range(3000)]


def test_put_returns_stamps_that_order_the_writes(m: Map, node: p2pmap.Node) -> None:
    first, second = m.put("k", b"1"), m.put("k", b"2")
    assert first < second
    assert max(first, second) == second
    assert len({first, second, first}) == 2
    assert first.author == node.id
    assert first.epoch == second.epoch
    assert first.time_ms == first.timestamp >> 16
    assert str(first) in repr(first)


def test_an_entry_has_its_write(m: Map, node: p2pmap.Node) -> None:
    stamp = m.put("k", b"v")
    entry = m.entry("k")
    assert entry is not None
    assert (entry.key, entry.value, entry.stamp, entry.author) == ("k", b"v", stamp, node.id)
    assert entry.time_ms == stamp.time_ms
    assert repr(entry) == f"Entry(key='k', value=b'v', author='{node.id}')"
    match entry:
        case p2pmap.Entry(key, value):
            assert (key, value) == ("k", b"v")


def test_scans_take_every_limit(m: Map) -> None:
    m.update((key, key.encode()) for key in ["a", "b/1", "b/2", "b/3", "c"])

    def keys(scan: Iterator[p2pmap.Entry[str, bytes]]) -> list[str]:
        return [entry.key for entry in scan]

    assert keys(m.scan()) == ["a", "b/1", "b/2", "b/3", "c"]
    assert keys(m.scan(prefix="b/")) == ["b/1", "b/2", "b/3"]
    assert keys(m.scan(start="b/2", end="c")) == ["b/2", "b/3"]
    assert keys(m.scan(prefix="b/", limit=2, reverse=True)) == ["b/3", "b/2"]
    assert keys(m.scan(limit=0)) == []
    with pytest.raises(p2pmap.InvalidArgument, match="limit"):
        m.scan(limit=-1)


def test_remove_prefix_says_how_many(m: Map) -> None:
    m.update((key, b"") for key in ["a", "b/1", "b/2"])
    assert m.remove_prefix("b/") == 2
    assert m.remove_prefix("b/") == 0
    assert list(m) == ["a"]


def test_a_batch_is_applied_whole_at_the_end_of_its_block(m: Map) -> None:
    m["old"] = b""
    with m.batch() as batch:
        batch["a"] = b"1"
        batch.put("b", b"2")
        del batch["old"]
        assert len(batch) == 3
        assert dict(m) == {"old": b""}
    assert dict(m) == {"a": b"1", "b": b"2"}


def test_a_batch_whose_block_raises_is_not_applied(m: Map) -> None:
    with pytest.raises(ZeroDivisionError), m.batch() as batch:
        batch["a"] = b"1"
        _ = 1 / 0
    assert not m


def test_apply_returns_the_last_stamp_or_none(m: Map) -> None:
    batch = m.batch()
    assert m.apply(batch) is None
    batch.put("a", b"1")
    batch.put("b", b"2")
    stamp = m.apply(batch)
    entry = m.entry("b")
    assert entry is not None
    assert entry.stamp == stamp
    batch.clear()
    assert len(batch) == 0
    assert repr(batch) == "<p2pmap.Batch of 0 writes>"


def test_the_same_name_is_the_same_map(node: p2pmap.Node) -> None:
    one, other = node.map("m"), node.map("m", keys="bytes", codec="utf8")
    one["k"] = b"v"
    assert other[b"k"] == "v"
    assert node.maps() == ["m"]


def test_handles_tell_what_they_are(m: Map, node: p2pmap.Node) -> None:
    m["k"] = b"v"
    assert repr(m) == '<p2pmap.Map "m" (1 entry)>'
    assert (m.name, m.node.id, m.closed) == ("m", node.id, False)
    m.close()
    assert repr(m) == '<p2pmap.Map "m" (closed)>'
    assert m.closed
    assert repr(node) == f"<p2pmap.Node {node.id} (open)>"
    status = node.status()
    assert (status.id, status.addrs, status.maps, status.peers) == (node.id, node.addrs, [], [])


def test_a_context_manager_closes(node: p2pmap.Node) -> None:
    with node.map("m") as m:
        m["k"] = b"v"
    assert m.closed
    with p2pmap.open("alone") as alone:
        hidden = alone.node
    assert alone.closed
    assert hidden.closed


def test_a_status_counts(abc: Map) -> None:
    del abc["a"]
    status = abc.status()
    assert (status.name, status.live, status.tombstones, status.peers) == ("m", 2, 1, [])
    assert len(status.digest) == 64
    assert status.digest == abc.node.map("m").status().digest


def test_handles_refuse_to_be_pickled_and_copied(m: Map, node: p2pmap.Node) -> None:
    for handle in (m, node, m.watch(), m.subscribe(print)):
        with pytest.raises(TypeError, match="belongs to the process that opened it"):
            pickle.dumps(handle)
        with pytest.raises(TypeError, match="belongs to the process that opened it"):
            copy.copy(handle)


def test_generic_classes_are_subscriptable() -> None:
    for generic in (p2pmap.Map, p2pmap.Event, p2pmap.Entry, p2pmap.Batch):
        assert generic[str, bytes].__args__ == (str, bytes)


def test_threads_share_a_map(m: Map) -> None:
    def write(author: int) -> None:
        for index in range(500):
            m[f"{author}/{index}"] = b"v"
            m.pop(f"{author}/{index - 1}", None)

    threads = [threading.Thread(target=write, args=(author,)) for author in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(m) == [f"{author}/499" for author in range(8)]


def test_one_of_many_threads_pops_a_value(m: Map) -> None:
    for _ in range(50):
        m["token"] = b"v"
        with ThreadPoolExecutor(4) as pool:
            popped = list(pool.map(lambda key: m.pop(key, b""), ["token"] * 4))
        assert sorted(popped) == [b"", b"", b"", b"v"]
