"""Plays the conformance scripts of `tests/conformance` against live nodes. The format is described there, in README.md.

Usage: python -m tests.conformance SCRIPT...
"""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import p2pmap

from .listener import PATIENCE, Failed, Listener, Map, Tokens, or_none

FEATURES = {"byte_keys", "validator_function"}
ESCAPES = {b"s": b" ", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


class Skipped(Exception):
    """The script needs a feature that is not there."""


class Player:
    """Plays the steps of one script: holds what the script has opened, by name, and closes it at the end."""

    def __init__(self) -> None:
        self.nodes: dict[str, p2pmap.Node] = {}
        self.maps: dict[str, Map] = {}
        self.listeners: dict[str, Listener] = {}
        self.sockets: list[socket.socket] = []
        self.directories: list[TemporaryDirectory[str]] = []
        self.variables: dict[str, bytes] = {}

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.end()
        handles: list[p2pmap.Node | Map | socket.socket] = [*self.maps.values(), *self.nodes.values(), *self.sockets]
        for handle in handles:
            handle.close()
        for directory in self.directories:
            directory.cleanup()

    def step(self, line: str) -> None:
        """Plays a step until it gives what is expected, or once if it is not awaited."""
        awaited = line.startswith("await ")
        words = line.removeprefix("await ").split(" ")
        if "" in words:
            raise Failed("tokens stand between single spaces")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._attempt(words)
            except Failed:
                if not awaited or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _attempt(self, words: list[str]) -> None:
        arrow = next((index for index, word in enumerate(words) if word in ("->", "=>")), len(words))
        op, *args = words[:arrow]
        message = ""
        try:
            got = self._perform(op, args)
        except p2pmap.Error as error:
            got, message = [b"!" + error.kind.encode()], f" ({error})"
        match words[arrow:]:
            case ["->", *tokens] if tokens:
                expected = [self._decode(token) for token in tokens]
                if got != expected:
                    raise Failed(f"expected {show(expected)} got {show(got)}{message}")
            case [] if not message:
                return
            case ["=>", variable] if len(got) == 1 and not message:
                self.variables[variable] = got[0]
            case _:
                raise Failed(f"unexpected {show(got)}{message}")

    def _perform(self, op: str, args: list[str]) -> Tokens:
        if op == "close" and args[0] in self.nodes:
            self.nodes[args[0]].close()
            return [b"ok"]
        operation: Callable[..., Tokens] | None = getattr(self, f"op_{op}", None)
        if operation is None:
            raise Failed(f"no such operation: {op}")
        try:
            return operation(*args)
        except (KeyError, TypeError) as error:
            raise Failed(f"{op}: {error!r}") from error

    def _decode(self, token: str) -> bytes:
        if token.startswith("$"):
            return self.variables[token[1:]]
        if token == '""':
            return b""
        written, star, count = token.rpartition("*")
        return unescape(written) * int(count) if star else unescape(token)

    def _options(self, tokens: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        for token in tokens:
            name, _, value = token.partition("=")
            yield name, self._decode(value)

    def _open_options(self, tokens: tuple[str, ...]) -> dict[str, Any]:
        options: dict[str, Any] = {name: value.decode() for name, value in self._options(tokens)}
        if function := options.pop("function", None):
            options["validator"] = validator(function)
        return options

    def _scan(self, name: str, options: tuple[str, ...]) -> Iterator[p2pmap.Entry[bytes, bytes]]:
        parse: dict[str, Callable[[bytes], Any]] = {"limit": int, "reverse": b"true".__eq__}
        return self.maps[name].scan(**{option: parse.get(option, bytes)(value) for option, value in self._options(options)})

    # Nodes.

    def op_node(self, name: str, *options: str) -> Tokens:
        self.nodes[name] = p2pmap.Node(**self._open_options(options))
        return [b"ok"]

    def op_id(self, node: str) -> Tokens:
        return [text(self.nodes[node].id)]

    def op_addr(self, node: str) -> Tokens:
        return [text(self.nodes[node].addrs[0])]

    def op_connect(self, node: str, addr: str, ms: str = "10000") -> Tokens:
        return [text(self.nodes[node].connect(self._decode(addr).decode(), int(ms) / 1000))]

    def op_peers(self, node: str) -> Tokens:
        return many(sorted(text(peer.id) for peer in self.nodes[node].peers()))

    def op_maps(self, node: str) -> Tokens:
        return many(sorted(text(name) for name in self.nodes[node].maps()))

    # Maps.

    def op_map(self, name: str, node: str, map: str, *options: str) -> Tokens:
        self.maps[name] = self.nodes[node].map(self._decode(map).decode(), keys="bytes", **self._open_options(options))
        return [b"ok"]

    def op_open(self, name: str, map: str, *options: str) -> Tokens:
        self.maps[name] = p2pmap.open(self._decode(map).decode(), keys="bytes", **self._open_options(options))
        return [b"ok"]

    def op_close(self, map: str) -> Tokens:
        self.maps[map].close()
        return [b"ok"]

    def op_destroy(self, map: str) -> Tokens:
        self.maps[map].destroy()
        return [b"ok"]

    def op_put(self, map: str, key: str, value: str, *options: str) -> Tokens:
        ttl = {name: lifetime(value) for name, value in self._options(options)}
        return [text(self.maps[map].put(self._decode(key), self._decode(value), **ttl))]

    def op_get(self, map: str, key: str) -> Tokens:
        return [or_none(self.maps[map].get(self._decode(key)))]

    def op_entry(self, map: str, key: str) -> Tokens:
        entry = self.maps[map].entry(self._decode(key))
        return [entry.value, text(entry.author), text(entry.stamp)] if entry else [b"none"]

    def op_expires(self, map: str, key: str) -> Tokens:
        entry = self.maps[map].entry(self._decode(key))
        if entry is None or entry.expires_at_ms is None:
            return [b"never" if entry else b"none"]
        return [b"later" if entry.expires_at_ms > entry.time_ms else b"at once"]

    def op_contains(self, map: str, key: str) -> Tokens:
        return [truth(self._decode(key) in self.maps[map])]

    def op_len(self, map: str) -> Tokens:
        return [text(len(self.maps[map]))]

    def op_is_empty(self, map: str) -> Tokens:
        return [truth(not self.maps[map])]

    def op_remove(self, map: str, key: str) -> Tokens:
        return [truth(self.maps[map].remove(self._decode(key)))]

    def op_remove_prefix(self, map: str, prefix: str) -> Tokens:
        return [text(self.maps[map].remove_prefix(self._decode(prefix)))]

    def op_apply(self, map: str, *writes: str) -> Tokens:
        batch = self.maps[map].batch()
        words = iter(writes)
        for write in words:
            if write == "put":
                batch.put(self._decode(next(words)), self._decode(next(words)))
            elif write == "put_ttl":
                batch.put(self._decode(next(words)), self._decode(next(words)), ttl=lifetime(self._decode(next(words))))
            elif write == "remove":
                batch.remove(self._decode(next(words)))
            else:
                raise Failed(f"apply: {write} is neither put, put_ttl nor remove")
        return [text(self.maps[map].apply(batch) or "none")]

    def op_fill(self, map: str, prefix: str, count: str, value: str) -> Tokens:
        opened, start, filler = self.maps[map], self._decode(prefix), self._decode(value)
        for index in range(int(count)):
            opened[start + b"%06d" % index] = filler
        return [b"ok"]

    def op_keys(self, map: str, *options: str) -> Tokens:
        return many([entry.key for entry in self._scan(map, options)])

    def op_values(self, map: str, *options: str) -> Tokens:
        return many([entry.value for entry in self._scan(map, options)])

    def op_scan(self, map: str, *options: str) -> Tokens:
        return many([part for entry in self._scan(map, options) for part in (entry.key, entry.value)])

    def op_count(self, map: str, *options: str) -> Tokens:
        return [text(sum(1 for _ in self._scan(map, options)))]

    def op_status(self, map: str) -> Tokens:
        status = self.maps[map].status()
        return [text(status.live), text(status.tombstones)]

    def op_hidden(self, map: str) -> Tokens:
        return [text(self.maps[map].status().hidden)]

    def op_flush(self, map: str) -> Tokens:
        self.maps[map].flush()
        return [b"ok"]

    def op_dump(self, map: str, path: str) -> Tokens:
        return [text(self.maps[map].dump(self._decode(path).decode()))]

    def op_load(self, map: str, path: str) -> Tokens:
        return [text(self.maps[map].load(Path(self._decode(path).decode())))]

    def op_durability(self, map: str) -> Tokens:
        status = self.maps[map].status()
        return [text(status.durability), text(status.storage_error or "none")]

    def op_equal(self, one: str, other: str) -> Tokens:
        return [truth(self.maps[one].status().digest == self.maps[other].status().digest)]

    def op_sync(self, map: str, ms: str = "10000") -> Tokens:
        self.maps[map].sync(int(ms) / 1000)
        return [b"ok"]

    def op_wait(self, map: str, stamp: str, peers: str, ms: str = "10000") -> Tokens:
        timestamp, epoch, author = self._decode(stamp).decode().split("-")
        written = p2pmap.Stamp(int(timestamp, 16), int(epoch, 16), author)
        holders = self.maps[map].wait_replicated(written, int(peers), int(ms) / 1000)
        if len(holders) < int(peers) or len(set(holders)) < len(holders):
            raise Failed(f"wait: told of {holders}")
        return [b"ok"]

    # Subscriptions.

    def op_subscribe(self, name: str, map: str, *options: str, pulled: bool = False) -> Tokens:
        parsed: dict[str, Any] = dict(self._options(options))
        parsed["snapshot"] = parsed.get("snapshot") == b"true"
        self.listeners[name] = Listener(self.maps[map], pulled, **parsed)
        return [b"ok"]

    def op_watch(self, name: str, map: str, *options: str) -> Tokens:
        return self.op_subscribe(name, map, *options, pulled=True)

    def op_event(self, name: str) -> Tokens:
        return self.listeners[name].next()

    def op_origin(self, name: str) -> Tokens:
        return self.listeners[name].origin()

    def op_unsubscribe(self, name: str) -> Tokens:
        self.listeners[name].end()
        return [b"ok"]

    # The runner's own.

    def op_socket(self) -> Tokens:
        self.sockets.append(socket.create_server(("127.0.0.1", 0)))
        return [b"/ip4/127.0.0.1/tcp/%d" % self.sockets[-1].getsockname()[1]]

    def op_path(self) -> Tokens:
        self.directories.append(TemporaryDirectory(prefix="p2pmap-script-"))
        return [text(Path(self.directories[-1].name) / "new")]

    def op_write(self, path: str, content: str) -> Tokens:
        Path(self._decode(path).decode()).write_bytes(self._decode(content))
        return [b"ok"]

    def op_requires(self, feature: str) -> Tokens:
        if feature not in FEATURES:
            raise Skipped(f"requires {feature}")
        return [b"ok"]


def validator(function: str) -> Callable[[bytes, bytes], bool]:
    """`refuse:TEXT` says no to a value equal to TEXT, `throw:TEXT` raises on it."""
    verb, _, refused = function.partition(":")

    def judge(_key: bytes, value: bytes) -> bool:
        if value == refused.encode() and verb == "throw":
            raise ValueError("not this one")
        return value != refused.encode()

    return judge


def lifetime(ms: bytes) -> float | None:
    return None if ms == b"never" else int(ms) / 1000


def unescape(written: str) -> bytes:
    def replace(match: re.Match[bytes]) -> bytes:
        return bytes.fromhex(match[1][1:].decode()) if match[1][:1] == b"x" else ESCAPES[match[1]]

    return re.sub(rb"\\(x[0-9a-f]{2}|.)", replace, written.encode())


def text(value: object) -> bytes:
    return str(value).encode()


def truth(value: bool) -> bytes:
    return b"true" if value else b"false"


def many(tokens: Tokens) -> Tokens:
    return tokens or [b"none"]


def show(tokens: Tokens) -> str:
    return " ".join(repr(token[:40])[2:-1] + ("..." if len(token) > 40 else "") for token in tokens)


def play(path: Path) -> tuple[int, str]:
    """Plays a script: how many steps passed, and the line that says how it went."""
    player, passed, reached = Player(), 0, 0
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line and not line.startswith("#"):
                reached = number
                player.step(line)
                passed += 1
    except Skipped as why:
        return 0, f"skip {path}: {why}"
    except Exception as why:
        reason = str(why) if isinstance(why, Failed) else repr(why)
        return passed, f"FAIL {path}:{reached} {reason}"
    finally:
        player.close()
    return passed, f"ok {path}"


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    scripts = steps = failed = 0
    for path in paths:
        passed, line = play(Path(path))
        print(line, flush=True)
        scripts += not line.startswith("skip")
        failed += line.startswith("FAIL")
        steps += passed
    print(f"conformance: {scripts} scripts, {steps} steps passed" + (f", {failed} failed" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
