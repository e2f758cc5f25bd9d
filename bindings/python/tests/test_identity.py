"""Who a node is, whom it bans, and who may write."""

from __future__ import annotations

import stat
from pathlib import Path

import p2pmap
import pytest

from .conftest import PATIENCE, Eventually


def test_a_generated_identity_is_whoever_opens_a_node_with_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    identity = p2pmap.generate_identity(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with p2pmap.Node(identity_file=path) as node:
        assert node.id == identity
    with pytest.raises(p2pmap.InvalidArgument):
        p2pmap.generate_identity(str(path))
    with pytest.raises(p2pmap.InvalidConfig, match="generate_identity"):
        p2pmap.Node(identity_file=tmp_path / "missing")
    path.chmod(0o644)
    with pytest.raises(p2pmap.InvalidConfig, match="chmod 600"):
        p2pmap.Node(identity_file=path)


def test_who_is_banned_is_put_out_and_told_so(node: p2pmap.Node, eventually: Eventually) -> None:
    assert node.banned() == []
    with p2pmap.Node(bootstrap=node.addrs) as other:
        eventually(lambda: len(node.peers()) == 1 == len(other.peers()))
        node.ban(other.id)
        eventually(lambda: node.peers() == [] == other.peers())
        with pytest.raises(p2pmap.NetworkError, match="banned"):
            other.connect(node.addrs[0], timeout=PATIENCE)
        assert node.banned() == [other.id]
        with p2pmap.Node(ban_peers=[other.id]) as strict:
            assert strict.banned() == [other.id]
    for wrong in (node.id, "nobody0"):
        with pytest.raises(p2pmap.InvalidArgument):
            node.ban(wrong)


def test_only_writers_write(node: p2pmap.Node, eventually: Eventually) -> None:
    with p2pmap.Node(bootstrap=node.addrs) as other:
        writers = [node.id, f"team/={other.id}"]
        m, theirs = (each.map("m", signed=True, writers=writers) for each in (node, other))
        m["sky"] = b"blue"
        eventually(lambda: theirs.get("sky") == b"blue")
        theirs["team/a"] = b"1"
        eventually(lambda: m.get("team/a") == b"1")
        with pytest.raises(p2pmap.NotPermitted, match="writers"):
            theirs["sky"] = b"grey"
        with pytest.raises(PermissionError):
            del theirs["sky"]
        assert m["sky"] == b"blue"
