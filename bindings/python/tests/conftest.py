from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

import p2pmap
import pytest

PATIENCE = 20.0
"""Seconds after which what must happen is taken not to happen. No test passes because time went by."""


class Eventually(Protocol):
    def __call__(self, condition: Callable[[], object]) -> None: ...


class Script(Protocol):
    def __call__(self, source: str, *args: str) -> subprocess.Popen[str]: ...


@pytest.fixture
def node() -> Iterator[p2pmap.Node]:
    """A node that listens on loopback, on a port that the system chooses."""
    with p2pmap.Node() as node:
        yield node


@pytest.fixture
def eventually() -> Eventually:
    """Returns when a condition holds, and fails if it does not come to hold."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.005)

    return wait


@pytest.fixture
def script() -> Iterator[Script]:
    """Runs Python source in a process of its own, with pipes to all three of its streams."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(source), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            if process.poll() is None:
                process.kill()
            with suppress(ValueError, BrokenPipeError):
                process.communicate()
