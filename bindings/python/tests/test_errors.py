"""Errors: every kind has its class, and every class that can be met here is."""

from __future__ import annotations

import socket
from collections.abc import Callable

import p2pmap
import pytest
from p2pmap import _errors

BUILTINS: list[tuple[type[p2pmap.Error], type[Exception], int]] = [
    (p2pmap.InvalidArgument, ValueError, -1),
    (p2pmap.InvalidConfig, ValueError, -2),
    (p2pmap.InvalidValue, ValueError, -3),
    (p2pmap.TooLarge, ValueError, -4),
    (p2pmap.Closed, Exception, -5),
    (p2pmap.Locked, OSError, -6),
    (p2pmap.StorageError, OSError, -7),
    (p2pmap.Corrupted, Exception, -8),
    (p2pmap.NetworkError, ConnectionError, -9),
    (p2pmap.AddressInUse, OSError, -10),
    (p2pmap.Timeout, TimeoutError, -11),
    (p2pmap.Full, Exception, -12),
    (p2pmap.Unsupported, Exception, -13),
    (p2pmap.Forked, RuntimeError, -14),
    (p2pmap.NotPermitted, PermissionError, -15),
    (p2pmap.InternalError, Exception, -100),
]


@pytest.mark.parametrize(("error", "builtin", "code"), BUILTINS)
def test_each_class_is_also_what_python_calls_it(error: type[p2pmap.Error], builtin: type[Exception], code: int) -> None:
    assert issubclass(error, p2pmap.Error)
    assert issubclass(error, builtin)
    assert error.code == code
    assert _errors.CLASSES[error.kind] is error
    assert str(error("message")) == "message"
    assert error.__doc__


def test_no_kind_was_forgotten() -> None:
    assert {error for error, _, _ in BUILTINS} == set(p2pmap.Error.__subclasses__()) == set(_errors.CLASSES.values())
    assert {error.__name__ for error, _, _ in BUILTINS} <= set(p2pmap.__all__)


def test_too_large(node: p2pmap.Node) -> None:
    m = node.map("m", max_key_bytes=2, max_value_bytes=2)
    with pytest.raises(p2pmap.TooLarge, match="max_key_bytes"):
        m["abc"] = b""
    with pytest.raises(p2pmap.TooLarge, match="max_value_bytes"):
        m["a"] = b"abc"
    assert m.get("abc") is None


def test_full(node: p2pmap.Node) -> None:
    m = node.map("m", max_entries=1)
    m["a"] = b""
    with pytest.raises(p2pmap.Full, match="max_entries"):
        m["b"] = b""
    m["a"] = b"still"


def test_invalid_argument(node: p2pmap.Node) -> None:
    with pytest.raises(p2pmap.InvalidArgument):
        node.connect("not an address")
    for timeout in (-1.0, float("nan"), float("inf")):
        with pytest.raises(p2pmap.InvalidArgument, match="timeout"):
            node.connect(node.addrs[0], timeout)


def test_network_error(node: p2pmap.Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(p2pmap.NetworkError):
        node.connect(f"/ip4/127.0.0.1/tcp/{port}")


def test_timeout(node: p2pmap.Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(p2pmap.Timeout):
        node.connect(f"/ip4/127.0.0.1/tcp/{server.getsockname()[1]}", timeout=0.05)


def test_address_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(p2pmap.AddressInUse):
        p2pmap.Node(listen=f"/ip4/127.0.0.1/tcp/{server.getsockname()[1]}")


def test_closed(node: p2pmap.Node) -> None:
    m = node.map("m")
    m.close()
    m.close()
    calls: list[Callable[[], object]] = [
        lambda: m["k"],
        lambda: m.get("k"),
        lambda: m.put("k", b""),
        lambda: m.pop("k", None),
        lambda: "k" in m,
        lambda: len(m),
        lambda: list(m),
        lambda: list(m.items()),
        lambda: m.remove("k"),
        lambda: m.remove_prefix("k"),
        lambda: m.apply(m.batch()),
        lambda: m.scan(),
        lambda: m.clear(),
        lambda: m.watch(),
        lambda: m.subscribe(print),
        lambda: m.sync(1),
        lambda: m.status(),
    ]
    for call in calls:
        with pytest.raises(p2pmap.Closed):
            call()
    node.close()
    node.close()
    of_node: list[Callable[[], object]] = [node.peers, node.status, node.maps, lambda: node.map("m")]
    for call in of_node:
        with pytest.raises(p2pmap.Closed):
            call()
    assert repr(node).endswith("(closed)>")


def test_a_message_never_holds_a_value(node: p2pmap.Node) -> None:
    m = node.map("m", max_value_bytes=8, codec="utf8")
    with pytest.raises(p2pmap.TooLarge) as raised:
        m["k"] = "secret and long"
    assert "secret" not in str(raised.value)
