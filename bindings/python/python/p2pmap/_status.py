"""What nodes, maps and options say of themselves. The native module fills these in, in the order of their fields."""

from dataclasses import dataclass
from typing import NamedTuple

from . import _p2pmap


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A connected peer.

    Attributes:
        id: Its peer id.
        addr: The address the connection uses.
        outbound: Whether this node dialled.
        round_trip: Round trip of the last ping, in seconds.
        maps: Maps that both have open.
        in_sync: Whether all maps in common were equal when last compared; None before the first comparison.
    """

    id: str
    addr: str
    outbound: bool
    round_trip: float | None
    maps: list[str]
    in_sync: bool | None


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node.

    Attributes:
        id: Its peer id.
        cluster_id: The cluster it belongs to.
        addrs: Its listen addresses.
        maps: The maps open on it.
        peers: The peers connected now.
        members: Members known, connected or not, without this one.
        rejected_messages: Messages dropped because they were malformed, oversized or for no map of this node.
    """

    id: str
    cluster_id: str
    addrs: list[str]
    maps: list[str]
    peers: list[PeerInfo]
    members: int
    rejected_messages: int


@dataclass(frozen=True, slots=True)
class MapPeer:
    """A peer, seen from a map.

    Attributes:
        id: Its peer id.
        in_sync: Whether the replicas were equal when last compared; None before the first comparison.
        last_sync_ms: When a sync with it last completed, in milliseconds since the Unix epoch.
    """

    id: str
    in_sync: bool | None
    last_sync_ms: int | None


@dataclass(frozen=True, slots=True)
class MapStatus:
    """A map.

    Attributes:
        name: Its name.
        live: Entries in the view.
        tombstones: Removed keys still remembered.
        bytes: Keys and values held, in bytes.
        digest: 64 hex digits; equal digests mean equal copies.
        peers: The peers that have it open.
        outbox: Writes that wait for the network.
        refused_entries: Entries refused by the validator or a limit, from peers.
        ahead_entries: Entries set aside because they were stamped too far ahead, from peers.
        rejected_messages: Messages dropped because they were malformed.
        gaps: Gaps seen in the chains of deltas.
        syncs: Syncs completed.
    """

    name: str
    live: int
    tombstones: int
    bytes: int
    digest: str
    peers: list[MapPeer]
    outbox: int
    refused_entries: int
    ahead_entries: int
    rejected_messages: int
    gaps: int
    syncs: int


class Option(NamedTuple):
    """A row of the table of options.

    Attributes:
        name: Its name.
        of_map: Whether it is an option of maps; a node takes it too, as the default of its maps.
        default: Its default, as text.
        allowed: What values are allowed, in words.
        about: What it does.
    """

    name: str
    of_map: bool
    default: str
    allowed: str
    about: str


def options() -> list[Option]:
    """The table of options: what `open`, `Node` and `Node.map` take besides their own arguments."""
    return [Option(*row) for row in _p2pmap.options()]
