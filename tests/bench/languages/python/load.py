"""The load and the clock, as the other programs here have them."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter_ns

BLOCK = 1000
"""So many calls are timed together."""
HOT = 64
"""Keys that stay in the processor's cache."""
VALUE = b"v" * 100

Block = Sequence[str]
Reader = Callable[[Block], None]


def key_of(number: int) -> str:
    """The key of that number: 16 digits."""
    return f"{number:016}"


def blocks(entries: int) -> dict[str, list[Block]]:
    """The keys to read, in blocks: hot ones, and all of them in an order that no cache foresees."""
    keys = [key_of(number) for number in range(entries)]
    random.Random(7).shuffle(keys)
    return {
        "hot": [[keys[at % HOT] for at in range(BLOCK)]],
        f"uniform over {count(entries)}": [keys[at : at + BLOCK] for at in range(0, entries, BLOCK)],
    }


def count(entries: int) -> str:
    """A count of entries, for people."""
    return f"{entries // 1_000_000} M" if entries >= 1_000_000 else f"{entries // 1000} k"


def medians(readers: Sequence[Reader], keys: Sequence[Block], rounds: int) -> list[float]:
    """The median nanoseconds of one call of each reader, which have their turns by blocks."""
    took: list[list[int]] = [[] for _ in readers]
    turn = 0
    for _ in range(rounds):
        for reader, samples in zip(readers, took, strict=True):
            block = keys[turn % len(keys)]
            turn += 1
            start = perf_counter_ns()
            reader(block)
            samples.append(perf_counter_ns() - start)
    return [statistics.median(samples) / BLOCK for samples in took]


def say(what: str, ours: float, floor: str, floor_is: float, goal: str) -> None:
    """One line of the table."""
    print(what, f"{ours:.1f}", floor, f"{floor_is:.1f}", goal, sep="\t", flush=True)
