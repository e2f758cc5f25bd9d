"""Events to a callback in Python, beside native calls of the same callback: `events.py COUNT ROUNDS`.

The callback is held up at its first call, until all of the events wait.
"""

from __future__ import annotations

import statistics
import sys
import threading
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns

import p2pmap
from load import VALUE, key_of, say

BATCH = 256
GOAL = ">= 2 M/s"

Event = p2pmap.Event[str, bytes]


class Gate:
    """Holds up a callback at its first call, and knows when it has been told of everything."""

    def __init__(self, events: int) -> None:
        self.entered, self.opened, self.done = threading.Event(), threading.Event(), threading.Event()
        self.events = events
        self.passed = self.ended = 0

    def reached(self) -> int:
        """What the callback counted has come; how many come next."""
        if self.passed == 0:
            self.entered.set()
            self.opened.wait()
        else:
            self.ended = perf_counter_ns()
            self.done.set()
        self.passed += 1
        return self.events

    def open(self) -> int:
        """Opens it; nanoseconds until everything has passed."""
        start = perf_counter_ns()
        self.opened.set()
        self.done.wait()
        return self.ended - start


def counting(gate: Gate) -> Callable[[object], None]:
    """A callback that only counts."""
    left = 1

    def callback(_event: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            left = gate.reached()

    return callback


def reading(gate: Gate) -> Callable[[Event], None]:
    """A callback that looks at each key and value, too."""
    count = counting(gate)

    def callback(event: Event) -> None:
        _ = event.key, event.value
        count(event)

    return callback


def told(mapping: p2pmap.Map[str, bytes], make: Callable[[Gate], Callable[[Event], None]], events: int, turn: int) -> int:
    """Nanoseconds in which a callback is told of so many puts."""
    gate = Gate(events)
    with mapping.subscribe(make(gate)):
        mapping["first"] = b"%d" % turn
        gate.entered.wait()
        value = b"%10d" % turn + VALUE[10:]
        for number in range(events):
            mapping[key_of(number)] = value
        return gate.open()


def called(events: int) -> int:
    """The same for native calls, which take it from lists as long as a batch."""
    gate = Gate(events)
    callback = counting(gate)
    batches = [[object()]] + [[object()] * min(BATCH, events - at) for at in range(0, events, BATCH)]

    def call() -> None:
        for batch in batches:
            deque(map(callback, batch), maxlen=0)

    thread = threading.Thread(target=call)
    thread.start()
    gate.entered.wait()
    took = gate.open()
    thread.join()
    return took


def main(events: int, rounds: int) -> None:
    """Measures by turns."""
    ours, read, floor = [], [], []
    with p2pmap.open("bench") as mapping:
        for turn in range(0, 2 * rounds, 2):
            ours.append(told(mapping, counting, events, turn))
            read.append(told(mapping, reading, events, turn + 1))
            floor.append(called(events))

    def rate(took: list[int]) -> float:
        return events * 1e9 / statistics.median(took)

    native = "native calls of it"
    say("Python: events to a callback", rate(ours), native, rate(floor), GOAL)
    say("Python: the same, looking at key and value", rate(read), f"{native}, which looks at nothing", rate(floor), "")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
