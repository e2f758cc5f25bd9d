"""Options: Python's types as the core's names and strings, and validators that are functions."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import p2pmap
import pytest


def limit(m: p2pmap.Map[str, bytes]) -> int:
    """The greatest value that a map takes, found out by asking."""
    low, high = 0, 5_000_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            m["k"] = bytes(middle)
            low = middle
        except p2pmap.TooLarge:
            high = middle
    return low


def test_numbers_switches_lists_and_none_are_taken() -> None:
    options: dict[str, Any] = {
        "max_value_bytes": 3,
        "insecure": False,
        "listen": ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"],
        "bootstrap": (),
        "cluster_id": None,
    }
    with p2pmap.Node(**options) as node:
        assert [("/tcp/" in addr, "/udp/" in addr) for addr in sorted(node.addrs)] == [(True, False), (False, True)]
        assert limit(node.map("m")) == 3


def test_a_mapping_declares_maps() -> None:
    with p2pmap.Node(maps={"flags": {"max_value_bytes": 3}, "services": {}}) as node:
        assert node.maps() == ["flags", "services"]
        assert limit(node.map("flags")) == 3


def test_arguments_win_over_the_environment_and_that_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "p2pmap.toml"
    file.write_text("max_value_bytes = 3\nmax_key_bytes = 3\n")
    monkeypatch.setenv("P2PMAP_MAX_VALUE_BYTES", "4")
    cases: list[tuple[dict[str, Any], int]] = [({}, 3), ({"env": True}, 4), ({"env": True, "max_value_bytes": 5}, 5)]
    for options, expected in cases:
        with p2pmap.open("m", config=file, **options) as m:
            assert limit(m) == expected
            with pytest.raises(p2pmap.TooLarge):
                m["four"] = b""


@pytest.mark.parametrize(
    "options",
    [
        {"no_such_option": 1},
        {"max_value_bytes": "many"},
        {"max_value_bytes": -1},
        {"max_value_bytes": 1.5},
        {"insecure": "perhaps"},
        {"listen": ["/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0"]},
        {"config": "/no/such/file.toml"},
    ],
)
def test_what_the_core_does_not_allow_is_invalid_config(options: dict[str, Any]) -> None:
    with pytest.raises(p2pmap.InvalidConfig) as raised:
        p2pmap.Node(**options)
    assert next(iter(options)) in str(raised.value) or "config" in options


def test_other_types_are_type_errors() -> None:
    options: dict[str, Any] = {"listen": object()}
    with pytest.raises(TypeError, match=r"`listen`.*object"):
        p2pmap.Node(**options)


def test_other_options_for_an_open_map_are_refused(node: p2pmap.Node) -> None:
    node.map("m", max_value_bytes=100)
    assert node.map("m", max_value_bytes=100).name == "m"
    with pytest.raises(p2pmap.InvalidConfig):
        node.map("m", max_value_bytes=101)


def test_the_table_of_options_is_that_of_the_core() -> None:
    rows = p2pmap.options()
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    assert {"listen", "bootstrap", "max_value_bytes", "validator"} <= set(names)
    assert all(row.about and row.allowed for row in rows)


def test_the_stubs_know_every_option() -> None:
    stubs = ast.parse(Path(p2pmap.__file__).with_name("_options.py").read_text())

    def fields(name: str) -> set[str]:
        (found,) = (node for node in stubs.body if isinstance(node, ast.ClassDef) and node.name == name)
        return {ast.unparse(field.target) for field in found.body if isinstance(field, ast.AnnAssign)}

    rows = p2pmap.options()
    assert fields("_NodeOnly") == {row.name for row in rows if not row.of_map}
    assert fields("_MapLimits") | {"validator"} == {row.name for row in rows if row.of_map}


def test_a_validator_refuses_by_false_and_by_raising(node: p2pmap.Node) -> None:
    def judge(key: str, value: Any) -> bool | None:
        if key == "port":
            assert 0 < value < 65536, "out of range"
            return None
        return key != "forbidden"

    m = node.map("m", codec="json", validator=judge)
    m["port"] = 80
    m["other"] = "anything"
    with pytest.raises(p2pmap.InvalidValue, match="AssertionError: out of range"):
        m["port"] = 0
    with pytest.raises(p2pmap.InvalidValue, match="said no"):
        m["forbidden"] = 1
    with pytest.raises(p2pmap.InvalidValue), m.batch() as batch:
        batch["fine"] = 1
        batch["forbidden"] = 1
    assert dict(m) == {"port": 80, "other": "anything"}


def test_a_validator_may_use_the_map_it_judges(node: p2pmap.Node) -> None:
    m: p2pmap.Map[str, bytes]

    def judge(key: str, value: bytes) -> bool:
        return m.get(key, b"") <= value

    m = node.map("m", validator=judge)
    m["k"] = b"2"
    with pytest.raises(p2pmap.InvalidValue):
        m["k"] = b"1"


def test_a_validator_of_a_node_sees_bytes() -> None:
    seen: list[tuple[object, object]] = []
    with p2pmap.Node(validator=lambda key, value: seen.append((key, value))) as node:
        node.map("m", codec="json")["k"] = 1
    assert seen == [(b"k", b"1")]


def test_the_same_function_is_the_same_option(node: p2pmap.Node) -> None:
    def judge(key: str, value: bytes) -> bool:
        return value != b"no"

    node.map("m", validator=judge)
    again = node.map("m", validator=judge)
    with pytest.raises(p2pmap.InvalidValue):
        again["k"] = b"no"
    with pytest.raises(p2pmap.InvalidConfig):
        node.map("m", validator=lambda key, value: True)


def test_a_validator_by_name_is_the_cores(node: p2pmap.Node) -> None:
    m = node.map("m", validator="json")
    m["k"] = b"{}"
    with pytest.raises(p2pmap.InvalidValue):
        m["k"] = b"{"
