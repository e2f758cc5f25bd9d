"""Nodes in several processes share a map: as the network brings it, through the Python package."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually, Script

EXAMPLES = Path(__file__).parents[1] / "examples"

PEER = """
import sys, p2pmap
m = p2pmap.open("m", codec="json", bootstrap=sys.argv[1:])
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


class Peer:
    """Another process with the same map, that evaluates what it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, expression: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def m() -> Iterator[p2pmap.Map[str, object]]:
    with p2pmap.open("m", codec="json") as m:
        yield m


@pytest.fixture
def peer(m: p2pmap.Map[str, object], script: Script) -> Peer:
    return Peer(script(PEER, *m.node.addrs))


def test_two_processes_converge(m: p2pmap.Map[str, object], peer: Peer, eventually: Eventually) -> None:
    m["here"] = {"from": "here"}
    assert peer.ask("m.put('there', {'from': 'there'}).author == m.node.id") == "True"
    eventually(lambda: m.get("there") == {"from": "there"})
    eventually(lambda: peer.ask("m.get('here')") == "{'from': 'here'}")
    m.update((str(index), index) for index in range(2000))
    del m["there"]
    eventually(lambda: peer.ask("m.status().digest") == repr(m.status().digest))
    assert peer.ask("len(m)") == str(len(m)) == "2001"
    m.sync(PATIENCE)


def test_events_say_where_they_come_from(m: p2pmap.Map[str, object], peer: Peer) -> None:
    events: Queue[p2pmap.Event[str, object]] = Queue()
    m.subscribe(events.put)
    author = peer.ask("m.put('k', [1]).author")
    event = events.get(timeout=PATIENCE)
    assert (event.kind, event.key, event.value, event.old, event.local) == ("put", "k", [1], None, False)
    assert repr(event.author) == author
    assert peer.ask("m.remove('k')") == "True"
    event = events.get(timeout=PATIENCE)
    assert (event.kind, event.key, event.value, event.old, event.local) == ("remove", "k", None, [1], False)


def test_peers_are_seen_on_both_sides(m: p2pmap.Map[str, object], peer: Peer, eventually: Eventually) -> None:
    other = peer.ask("m.node.id")
    eventually(lambda: [repr(peer.id) for peer in m.node.peers()] == [other])
    eventually(lambda: [repr(peer.id) for peer in m.status().peers] == [other])
    (seen,) = m.node.peers()
    assert not seen.outbound
    assert seen.maps == ["m"]
    eventually(lambda: m.node.peers()[0].round_trip is not None)
    assert 0 < (m.node.peers()[0].round_trip or 0) < PATIENCE
    peer.process.kill()
    eventually(lambda: not m.node.peers())


def test_connect_says_who_was_reached(m: p2pmap.Map[str, object]) -> None:
    with p2pmap.Node() as other:
        assert other.connect(m.node.addrs[0]) == m.node.id


def test_a_validator_function_judges_what_arrives(peer: Peer, m: p2pmap.Map[str, object], eventually: Eventually) -> None:
    assert peer.ask("m.update(small=1, large=1000)") == "None"
    judged: Queue[object] = Queue()

    def judge(key: str, value: int) -> bool:
        judged.put(value)
        return value < 100

    with p2pmap.open("m", codec="json", bootstrap=m.node.addrs, validator=judge) as strict:
        eventually(lambda: "small" in strict)
        eventually(lambda: strict.status().refused_entries > 0)
        assert dict(strict) == {"small": 1}
    assert {judged.get(timeout=PATIENCE), judged.get(timeout=PATIENCE)} == {1, 1000}


def test_remote_events_reach_an_event_loop(m: p2pmap.Map[str, object], peer: Peer) -> None:
    async def main() -> list[str]:
        async with m.watch(snapshot=True) as events:
            assert (await anext(events)).kind == "synced"
            await asyncio.to_thread(peer.ask, "m.update((str(index), index) for index in range(500))")
            return [(await asyncio.wait_for(anext(events), PATIENCE)).key for _ in range(500)]

    assert sorted(asyncio.run(main())) == sorted(str(index) for index in range(500))


def test_the_quickstart_runs() -> None:
    result = subprocess.run([sys.executable, EXAMPLES / "quickstart.py"], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stderr) == (0, "")
    assert "the seed reads {'on': True}" in result.stdout
    assert "both hold ['dark_mode', 'new_search']" in result.stdout


def test_the_services_example_keeps_its_contract(tmp_path: Path, eventually: Eventually) -> None:
    services = tmp_path / "services"
    services.write_text("# comment\n\nhttp 80/tcp www # World Wide Web\nssh 22/tcp\ndomain 53/udp\n")

    def start(name: str, bootstrap: str, part: str) -> Peer:
        command: list[str | Path] = [sys.executable, EXAMPLES / "services.py", name, bootstrap, services, part, "2"]
        return Peer(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def lines(peer: Peer, until: str) -> list[str]:
        assert peer.process.stdout is not None
        seen: list[str] = []
        while not seen or not seen[-1].startswith(until):
            seen.append(peer.process.stdout.readline().rstrip("\n"))
            assert seen[-1], f"ended before {until}"
        return seen

    def tell(peer: Peer, command: str, until: str) -> list[str]:
        assert peer.process.stdin is not None
        peer.process.stdin.write(command + "\n")
        peer.process.stdin.flush()
        return lines(peer, until)

    one = start("one", "", "0")
    addr = lines(one, "addr")[0].removeprefix("addr ")
    other = start("other", addr, "1")
    told = lines(one, "event put ssh/tcp remote")
    assert any(line.startswith("event put http/tcp local ") for line in told)
    assert tell(other, "put new/tcp 1 2  3", "ok")[-1] == "ok"
    lines(one, "event put new/tcp remote")
    assert tell(one, "remove new/tcp", "ok")[-1] == "ok true"
    assert tell(one, "remove new/tcp", "ok")[-1] == "ok false"
    assert tell(one, "ping 5", "ok")[-1] == "ok"
    assert tell(one, "nonsense", "error")[-1] == "error unknown command"

    def reports() -> list[dict[str, str]]:
        answers = [tell(peer, "report", "report")[-1] for peer in (one, other)]
        return [dict(field.split("=") for field in answer.split()[1:]) for answer in answers]

    eventually(lambda: len({report["digest"] for report in reports()}) == 1)
    eventually(lambda: reports()[1]["latency_us"] != "-")
    for report in reports():
        assert report["entries"] == "3"
    assert reports()[0]["latency_us"] == "-"
    assert reports()[0]["events"] == "5"
    for peer in (one, other):
        assert peer.process.stdin is not None
        peer.process.communicate("quit\n", timeout=PATIENCE)
        assert peer.process.returncode == 0
