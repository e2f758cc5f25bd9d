"""What a process does with its nodes: exit, fork, signals, garbage; each in a process of its own."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually, Script

LIVE = """
import asyncio, sys, threading, p2pmap
m = p2pmap.open("m", validator=lambda key, value: True)
m.subscribe(lambda event: None)
m.subscribe(lambda event: sum(range(100)), snapshot=True)
threading.Thread(target=list, args=(m.watch(),), daemon=True).start()
for index in range(500):
    m[str(index)] = b"v"
"""


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Waits until a process has ended: what it wrote. It must have complained of nothing."""
    output, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    assert process.returncode == code
    return output


def test_60_exits_with_live_subscriptions_are_clean(script: Script) -> None:
    for batch in range(15):
        processes = [script(LIVE) for _ in range(4)]
        for process in processes:
            assert finish(process) == "", f"in batch {batch}"


@pytest.mark.parametrize("how", ["sys.exit(3)", "raise SystemExit(3)", "m.close(); sys.exit(3)", "del m; sys.exit(3)"])
def test_every_way_out_keeps_the_exit_code(script: Script, how: str) -> None:
    assert finish(script(LIVE + how), 3) == ""


def test_an_exit_does_not_wait_for_a_callback_for_ever(script: Script) -> None:
    process = script(
        """
        import threading, p2pmap
        from p2pmap import _watch
        _watch._EXIT_WAIT = 0.1
        m = p2pmap.open("m")
        entered = threading.Event()
        m.subscribe(lambda event: (entered.set(), threading.Event().wait()))
        m["k"] = b"v"
        entered.wait()
        """
    )
    assert finish(process) == ""


def test_a_thread_may_still_call_in_while_the_interpreter_exits(script: Script) -> None:
    process = script(
        """
        import threading, p2pmap
        m = p2pmap.open("m")
        def write():
            try:
                while True:
                    m["k"] = b"v"
            except p2pmap.Closed:
                pass
        threading.Thread(target=write, daemon=True).start()
        """
    )
    assert finish(process) == ""


INTERRUPTED: dict[str, str] = {
    "iterating": "waiting(); next(m.watch())",
    "next": "waiting(); m.watch().next()",
    "connecting": "waiting(); m.node.connect(silent, timeout=60)",
    "asyncio": "asyncio.run(anext_of(m.watch()))",
}


@pytest.mark.parametrize("what", INTERRUPTED.values(), ids=INTERRUPTED.keys())
def test_ctrl_c_ends_a_wait(script: Script, what: str) -> None:
    process = script(
        f"""
        import asyncio, signal, socket, p2pmap
        # Whoever was started from a background job ignores the signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        server = socket.create_server(("127.0.0.1", 0))
        silent = f"/ip4/127.0.0.1/tcp/{{server.getsockname()[1]}}"
        def waiting():
            print("waiting", flush=True)
        async def anext_of(events):
            waiting()  # once the loop runs: asyncio itself does not like to be interrupted while it starts
            await anext(events)
        m = p2pmap.open("m")
        try:
            {what}
        except KeyboardInterrupt:
            m["k"] = b"v"
            print("interrupted", flush=True)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    assert finish(process) == "interrupted\n"


def test_a_signal_handler_runs_during_a_wait(script: Script) -> None:
    process = script(
        """
        import signal, p2pmap
        m = p2pmap.open("m")
        signal.signal(signal.SIGUSR1, lambda *_: m.put("from", b"handler"))
        events = m.watch()
        print("waiting", flush=True)
        print(next(events).key)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGUSR1)
    assert finish(process) == "from\n"


def test_a_forked_child_fails_fast_and_the_parent_goes_on(script: Script) -> None:
    process = script(
        """
        import gc, os, sys, threading, warnings, p2pmap
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks beside threads: that is what this tries.
        node = p2pmap.Node()
        m = node.map("m")
        events = []
        subscription = m.subscribe(events.append)
        watch = m.watch()
        m["before"] = b"v"
        child = os.fork()
        if child == 0:
            failed = []
            for call in [lambda: m["before"], lambda: m.put("k", b"v"), lambda: len(m), m.watch, m.status, m.sync,
                         node.peers, node.maps, lambda: node.map("n"), lambda: m.subscribe(print), lambda: list(m)]:
                try:
                    call()
                except p2pmap.Forked as error:
                    failed.append(isinstance(error, RuntimeError))
            assert failed == [True] * 11, failed
            assert repr(m) == '<p2pmap.Map "m" (forked)>', repr(m)
            subscription.unsubscribe()
            watch.close()
            m.close(); node.close()
            own = p2pmap.open("m")
            own["k"] = b"child"
            assert own["k"] == b"child"
            del m, node, watch, subscription
            gc.collect()
            print("child", flush=True)
            sys.exit(7)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        m["after"] = b"v"
        assert next(watch).key == "before"
        assert next(watch).key == "after"
        assert sorted(m) == ["after", "before"]
        subscription.unsubscribe()
        print("parent", flush=True)
        """
    )
    assert finish(process) == "child\nparent\n"


def test_a_child_forked_while_threads_write_does_not_hang(script: Script) -> None:
    process = script(
        """
        import os, threading, warnings, p2pmap
        warnings.simplefilter("ignore", DeprecationWarning)
        m = p2pmap.open("m")
        m.subscribe(lambda event: None)
        stop = threading.Event()
        def write():
            index = 0
            while not stop.is_set():
                m[str(index % 100)] = b"%d" % index
                index += 1
        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers: writer.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                try:
                    m["k"] = b"v"
                except p2pmap.Forked:
                    own = p2pmap.open("own")
                    own["k"] = b"v"
                    own.close()
                    m.close()
                    os._exit(0)
                os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        """
    )
    assert finish(process) == ""


def threads_of_process() -> int:
    return len(os.listdir("/proc/self/task"))


def files_of_process() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def settled() -> None:
    """What a process starts once and keeps, such as the timer thread of a dependency, is there before anything is counted."""
    p2pmap.open("m").close()
    gc.collect()


@pytest.mark.usefixtures("settled")
def test_a_dropped_map_closes_its_node(eventually: Eventually) -> None:
    before = threads_of_process(), files_of_process()
    m = p2pmap.open("m")
    gone = weakref.ref(m)
    assert threads_of_process() > before[0]
    del m
    gc.collect()
    assert gone() is None
    eventually(lambda: (threads_of_process(), files_of_process()) == before)


def test_a_node_lives_as_long_as_one_of_its_maps() -> None:
    m = p2pmap.Node().map("m")
    gc.collect()
    m["k"] = b"v"
    assert not m.node.closed
    node = m.node
    del m
    gc.collect()
    assert not node.closed
    assert node.maps() == ["m"]
    node.close()


@pytest.mark.usefixtures("settled")
def test_a_cycle_through_a_validator_and_a_callback_is_let_go(eventually: Eventually) -> None:
    before = threads_of_process()

    class Service:
        def __init__(self) -> None:
            self.m = p2pmap.open("m")
            self.subscription = self.m.subscribe(self.on_event)

        def on_event(self, event: p2pmap.Event[str, bytes]) -> None: ...

    service = Service()
    gone = weakref.ref(service)
    service.m.close()
    del service
    eventually(lambda: threads_of_process() == before)
    gc.collect()
    assert gone() is None


@pytest.mark.usefixtures("settled")
def test_opening_and_closing_a_hundred_times_leaves_nothing_behind(eventually: Eventually) -> None:
    def once() -> None:
        with p2pmap.open("m") as m, m.watch() as events, m.subscribe(len_of_key):
            m["k"] = b"v"
            assert next(events).key == "k"

    before = threads_of_process(), files_of_process()
    for _ in range(100):
        once()
    eventually(lambda: (threads_of_process(), files_of_process()) == before)


def len_of_key(event: p2pmap.Event[str, bytes]) -> int:
    return len(event.key)


def test_reading_and_writing_leave_no_references_behind(node: p2pmap.Node) -> None:
    m = node.map("m", codec="json")
    key, value, default = f"key-{os.getpid()}", {"a": [1]}, object()
    operations: list[Callable[[], object]] = [
        lambda: m.put(key, value),
        lambda: m[key],
        lambda: m.get(key, default),
        lambda: key in m,
        lambda: m.entry(key),
        lambda: list(m.items()),
        lambda: m.get("absent", default),
        lambda: m.pop("absent", default),
        lambda: m.update({key: value}),
        lambda: m == {key: value},
    ]
    for operation in operations:
        operation()
        before = [sys.getrefcount(thing) for thing in (key, value, default)]
        for _ in range(100):
            operation()
        assert [sys.getrefcount(thing) for thing in (key, value, default)] == before


def test_the_network_thread_of_a_validator_does_not_deadlock_a_close(eventually: Eventually) -> None:
    """Closing waits for the network thread, which waits for the GIL in a validator: the close must have let go of it."""
    entered, go_on = threading.Event(), threading.Event()

    def slow(key: str, value: bytes) -> bool:
        if threading.current_thread() is not threading.main_thread():
            entered.set()
            go_on.wait(0.2)
        return True

    with p2pmap.Node() as seed, p2pmap.Node(bootstrap=seed.addrs) as other:
        writer, reader = seed.map("m"), other.map("m", validator=slow)
        writer["k"] = b"v"
        assert entered.wait(PATIENCE)
        other.close()
        assert reader.closed


def test_the_type_checker_sees_the_types(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    source = Path(__file__).with_name("typing_of_users.py")
    output, errors, code = mypy.run(["--strict", "--cache-dir", str(tmp_path), str(source)])
    assert (code, errors) == (0, ""), output
