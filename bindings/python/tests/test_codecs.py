"""Keys and values as Python objects: what goes in, what comes out, what is refused."""

from __future__ import annotations

import array
import json
from collections.abc import Callable
from typing import Any

import p2pmap
import pytest


def test_bytes_values_take_any_buffer(node: p2pmap.Node) -> None:
    m: p2pmap.Map[str, Any] = node.map("m")
    values: list[Any] = [b"v", bytearray(b"v"), memoryview(b"v"), memoryview(b"xvx")[1:2], array.array("B", b"v")]
    for value in values:
        m["k"] = value
        assert m["k"] == b"v"
        assert type(m["k"]) is bytes


def test_bytes_keys_take_any_buffer(node: p2pmap.Node) -> None:
    m: p2pmap.Map[Any, bytes] = node.map("m", keys="bytes")
    key: Any = memoryview(b"\xff\0")
    m[bytearray(key)] = b"v"
    assert m[key] == b"v"
    assert list(m) == [b"\xff\0"]


@pytest.mark.parametrize("wrong", ["text", 7, None, [1], 1.5])
def test_other_values_than_bytes_are_refused(node: p2pmap.Node, wrong: Any) -> None:
    m: p2pmap.Map[str, Any] = node.map("m")
    with pytest.raises(TypeError, match=r"a value must be bytes, not .*codec="):
        m["k"] = wrong
    assert not m


@pytest.mark.parametrize("wrong", [b"bytes", 7, None])
def test_other_keys_than_text_are_refused_everywhere(node: p2pmap.Node, wrong: Any) -> None:
    m: p2pmap.Map[Any, bytes] = node.map("m")
    calls: list[Callable[[], object]] = [
        lambda: m[wrong],
        lambda: m.get(wrong),
        lambda: m.put(wrong, b""),
        lambda: wrong in m,
        lambda: m.remove(wrong),
        lambda: m.remove_prefix(wrong),
        lambda: m.batch().put(wrong, b""),
        lambda: m.entry(wrong),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="a key must be str, not"):
            call()
    if wrong is not None:
        with pytest.raises(TypeError, match="a key must be str, not"):
            m.scan(prefix=wrong)


def test_text_keys_are_refused_where_keys_are_bytes(node: p2pmap.Node) -> None:
    m: p2pmap.Map[Any, bytes] = node.map("m", keys="bytes")
    with pytest.raises(TypeError, match="a key must be bytes, not str"):
        m["k"] = b"v"


def test_every_byte_key_has_a_text_that_goes_back(node: p2pmap.Node) -> None:
    raw, text = node.map("m", keys="bytes"), node.map("m")
    raw[b"\xff\xfe/\xc3\xa9"] = b"v"
    (key,) = text
    assert key == "\udcff\udcfe/é"
    assert text[key] == b"v"
    del text[key]
    assert not raw


def test_utf8_values_are_text(node: p2pmap.Node) -> None:
    m: p2pmap.Map[str, Any] = node.map("m", codec="utf8")
    m["k"] = "grün\0"
    assert m["k"] == "grün\0"
    assert node.map("m")["k"] == "grün\0".encode()
    with pytest.raises(TypeError, match="a value must be str, not bytes"):
        m["k"] = b"v"
    with pytest.raises(UnicodeEncodeError):
        m["k"] = "\ud800"
    assert m["k"] == "grün\0"


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "é", [], {"a": [1, {"b": None}]}, 2**70])
def test_json_values_come_back(node: p2pmap.Node, value: object) -> None:
    m = node.map("m", codec="json")
    m["k"] = value
    assert m["k"] == value
    assert m.get("k", "default") == value
    assert json.loads(node.map("m")["k"]) == value


def test_json_is_compact_and_not_escaped(node: p2pmap.Node) -> None:
    node.map("m", codec="json")["k"] = {"a": ["é", 1]}
    assert node.map("m")["k"] == '{"a":["é",1]}'.encode()


def test_what_json_has_not_is_refused(node: p2pmap.Node) -> None:
    m = node.map("m", codec="json")
    with pytest.raises(TypeError):
        m["k"] = b"bytes"
    with pytest.raises(ValueError, match="JSON"):
        m["k"] = float("nan")
    assert not m


def test_a_value_of_another_codec_spoils_only_itself(node: p2pmap.Node) -> None:
    raw = node.map("m")
    raw.update(a=b'"fine"', b=b"\xff", c=b"not json")
    m, text = node.map("m", codec="json"), node.map("m", codec="utf8")
    assert m["a"] == "fine"
    with pytest.raises(json.JSONDecodeError):
        m["c"]
    with pytest.raises(UnicodeDecodeError):
        m["b"]
    with pytest.raises(UnicodeDecodeError):
        text.get("b")
    entries = list(m.scan())
    assert [entry.key for entry in entries] == ["a", "b", "c"]
    assert entries[0].value == "fine"
    assert "value=<JSONDecodeError>" in repr(entries[2])
    with pytest.raises(ValueError):
        _ = entries[2].value
    assert list(m.keys()) == ["a", "b", "c"]


def test_a_lazy_value_is_decoded_once(node: p2pmap.Node) -> None:
    m = node.map("m", codec="json")
    m["k"] = {"a": 1}
    entry = m.entry("k")
    assert entry is not None
    assert entry.value is entry.value
    assert m["k"] is not m["k"]


def test_every_reading_call_decodes(node: p2pmap.Node) -> None:
    m = node.map("m", codec="json")
    m["k"] = {"a": 1}
    value = {"a": 1}
    assert m.get("k") == value
    assert m.setdefault("k", None) == value
    assert list(m.values()) == [value]
    assert list(m.items()) == [("k", value)]
    with m.watch(snapshot=True) as events:
        assert next(events).value == value
    assert m.pop("k") == value
    m["k"] = value
    assert m.popitem() == ("k", value)


def test_unknown_codecs_are_refused(node: p2pmap.Node) -> None:
    unknown: Any = "xml"
    with pytest.raises(p2pmap.InvalidConfig, match=r"`codec`.*'utf8'"):
        node.map("m", codec=unknown)
    with pytest.raises(p2pmap.InvalidConfig, match=r"`keys`.*'bytes'"):
        p2pmap.open("m", keys=unknown)
    assert node.maps() == []
