"""Maps whose entries are there only while their author is."""

from __future__ import annotations

from collections.abc import Iterator

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually

Map = p2pmap.Map[str, str]

PATIENT = 3_600_000
"""A `peer_timeout_ms` that no test lives to see: who goes in time has said goodbye."""


@pytest.fixture
def here() -> Iterator[Map]:
    with p2pmap.open("m", codec="utf8", presence=True, scan_ms=10, peer_timeout_ms=PATIENT) as here:
        yield here


@pytest.fixture
def there(here: Map) -> Iterator[p2pmap.Node]:
    with p2pmap.Node(bootstrap=here.node.addrs, presence=True, scan_ms=10, peer_timeout_ms=PATIENT) as there:
        yield there


def next_event(watch: p2pmap.Watch[str, str]) -> p2pmap.Event[str, str]:
    event = watch.next(PATIENCE)
    assert event is not None
    return event


def test_entries_go_with_their_author_and_come_back_with_it(here: Map, there: p2pmap.Node, eventually: Eventually) -> None:
    here["mine"] = "here"
    with here.watch(prefix="their") as watch:
        theirs = there.map("m", codec="utf8")
        stamp = theirs.put("theirs", "there")
        shown = next_event(watch)
        assert (shown.kind, shown.value, shown.local) == ("put", "there", False)
        theirs.close()
        pruned = next_event(watch)
        assert (pruned.kind, pruned.key, pruned.value, pruned.old) == ("prune", "theirs", None, "there")
        assert (pruned.stamp, pruned.author, pruned.local) == (stamp, there.id, False)
        assert dict(here) == {"mine": "here"}
        assert here.status().hidden == 1
        again = there.map("m", codec="utf8")
        back = next_event(watch)
        assert (back.kind, back.key, back.value, back.old) == ("put", "theirs", "there", None)
        eventually(lambda: dict(here) == dict(again) == {"mine": "here", "theirs": "there"})
        assert here.status().hidden == 0


def test_a_node_that_closes_takes_its_entries_with_it(here: Map, there: p2pmap.Node, eventually: Eventually) -> None:
    there.map("m", codec="utf8").update(a="1", b="2")
    eventually(lambda: len(here) == 2)
    there.close()
    eventually(lambda: not here)
    assert here.status().hidden == 2


def test_a_map_without_presence_keeps_them(node: p2pmap.Node, eventually: Eventually) -> None:
    m = node.map("plain", codec="utf8", scan_ms=10)
    with p2pmap.open("plain", codec="utf8", bootstrap=node.addrs) as other:
        other["k"] = "v"
        eventually(lambda: "k" in m)
    eventually(lambda: not node.peers())
    assert m["k"] == "v"
    assert m.status().hidden == 0
