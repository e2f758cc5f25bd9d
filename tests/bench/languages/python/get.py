"""Reads from Python, beside native calls that return as much: `get.py ENTRIES ROUNDS`. Each figure has the loop in it."""

from __future__ import annotations

import sys
from array import array

import p2pmap
from load import VALUE, Block, Reader, blocks, key_of, medians, say

GOAL = "<= 1.3"
WARM_UP = 200


def native_calls(value: bytes) -> dict[str, Reader]:
    """What makes new bytes of a value's size in one native call; the fastest of them is the floor."""
    numbers, longer, whole, shorter = array("B", value), value + b"-", slice(len(value)), value[:-1]

    def tobytes(keys: Block) -> None:
        for _ in keys:
            numbers.tobytes()

    def subscript(keys: Block) -> None:
        for _ in keys:
            longer[whole]

    def ljust(keys: Block) -> None:
        for _ in keys:
            shorter.ljust(100)

    return {"array.tobytes()": tobytes, "bytes[slice]": subscript, "bytes.ljust()": ljust}


def native_text_calls(value: str) -> dict[str, Reader]:
    """The same with text."""
    longer, whole, shorter, raw = value + "-", slice(len(value)), value[:-1], value.encode()

    def subscript(keys: Block) -> None:
        for _ in keys:
            longer[whole]

    def ljust(keys: Block) -> None:
        for _ in keys:
            shorter.ljust(100)

    def decode(keys: Block) -> None:
        for _ in keys:
            raw.decode()

    return {"str[slice]": subscript, "str.ljust()": ljust, "bytes.decode()": decode}


def fastest(calls: dict[str, Reader], keys: list[Block]) -> tuple[str, Reader]:
    """That call, and what it is."""
    times = medians(list(calls.values()), keys, WARM_UP)
    _, name = min(zip(times, calls, strict=True))
    return name, calls[name]


def by_index(mapping: p2pmap.Map[str, bytes] | p2pmap.Map[str, str]) -> Reader:
    """`mapping[key]`."""

    def read(keys: Block) -> None:
        for key in keys:
            mapping[key]

    return read


def by_get(mapping: p2pmap.Map[str, bytes] | p2pmap.Map[str, str]) -> Reader:
    """`mapping.get(key)`."""

    def read(keys: Block) -> None:
        for key in keys:
            mapping.get(key)

    return read


def looked_up(plain: dict[str, bytes]) -> Reader:
    """A dict alone."""

    def read(keys: Block) -> None:
        for key in keys:
            plain[key]

    return read


def looked_up_and_copied(plain: dict[str, bytes]) -> Reader:
    """A dict, and new bytes of what it holds."""
    whole = slice(len(VALUE))

    def read(keys: Block) -> None:
        for key in keys:
            plain[key][whole]

    return read


def main(entries: int, rounds: int) -> None:
    """Fills a map and a dict, and reads them by turns."""
    with p2pmap.Node() as node:
        values, texts = node.map("bench"), node.map("bench", codec="utf8")
        # One byte longer, so that a slice of it is new bytes.
        plain = {key_of(number): VALUE + bytes([number % 100]) for number in range(entries)}
        for number in range(entries):
            values[key_of(number)] = VALUE
        for how, keys in blocks(entries).items():
            name, native = fastest(native_calls(VALUE), keys)
            text_name, native_text = fastest(native_text_calls(VALUE.decode()), keys)
            readers = [by_index(values), by_get(values), by_index(texts), by_get(texts), native, native_text]
            index, get, text_index, text_get, floor, text_floor, alone, copied = medians(
                [*readers, looked_up(plain), looked_up_and_copied(plain)], keys, rounds
            )
            if how == "hot":
                say(f"Python: m[key], bytes, {how}", index, name, floor, GOAL)
                say(f"Python: m.get(key), bytes, {how}", get, name, floor, GOAL)
                say(f"Python: m[key], text, {how}", text_index, text_name, text_floor, GOAL)
                say(f"Python: m.get(key), text, {how}", text_get, text_name, text_floor, GOAL)
            say(f"Python: m[key], bytes, {how}", index, "a dict", alone, "")
            say(f"Python: m[key], bytes, {how}", index, "a dict, value copied by a slice", copied, "")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
