"""What nodes, maps and options say of themselves. The native module fills these in, by the names of their fields."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

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
        drift_ms: How far its clock is ahead of this node's, in milliseconds; behind when negative. None before it was compared.
        in_sync: Whether all maps in common were equal when last compared; None before each was.
    """

    id: str
    addr: str
    outbound: bool
    round_trip: float | None
    maps: list[str]
    drift_ms: int | None
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
        rejected_messages: Messages dropped because they were malformed or oversized, before any map was concerned.
        clock_drift_ms: The median of the peers' `drift_ms`: how far the others are ahead. None without peers.
        clock_suspect: Whether this node's clock is the odd one out: most peers agree with each other, and not with it. What it
            writes may be set aside by all, or lose against older writes: mend the clock.
        identity_error: Why this node has left the network for good, if so: another one runs with its identity, because its
            `data_dir` was copied. Its maps are read, and take no writes (`Locked`).
        admission_error: Why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in
            common, another cluster, not allowed, another version. None once a dialled node is a peer.
    """

    id: str
    cluster_id: str
    addrs: list[str]
    maps: list[str]
    peers: list[PeerInfo]
    members: int
    rejected_messages: int
    clock_drift_ms: int | None
    clock_suspect: bool
    identity_error: str | None
    admission_error: str | None


@dataclass(frozen=True, slots=True)
class MapPeer:
    """A peer, seen from a map; also a node that is not connected, if it is the author of something that is wrong.

    Attributes:
        id: Its peer id.
        connected: Whether it is connected and has the map open.
        in_sync: Whether the replicas were equal when last compared; None before the first comparison.
        behind: Entries held here that it lacked when last compared; None before the first comparison.
        drift_ms: How far its clock is ahead of this node's, in milliseconds; behind when negative. None before it was compared.
        ahead_entries: Entries of this author set aside, each time they came, because they were stamped too far ahead.
        holds_up_forgetting: Whether removals cannot be forgotten until writes of this author arrive, which are known of and
            missing here.
        last_sync_ms: When a sync from it last completed, in milliseconds since the Unix epoch.
    """

    id: str
    connected: bool
    in_sync: bool | None
    behind: int | None
    drift_ms: int | None
    ahead_entries: int
    holds_up_forgetting: bool
    last_sync_ms: int | None


@dataclass(frozen=True, slots=True)
class MapStatus:
    """A map.

    Attributes:
        name: Its name.
        live: Entries in the view.
        tombstones: Removals, and entries that expired, still remembered.
        hidden: Entries that presence hides, because their author is gone.
        bytes: Keys and values held, in bytes.
        digest: 64 hex digits; equal digests mean equal copies.
        peers: The connected peers that have it open, and authors that something is wrong with.
        outbox: Writes that wait for the network.
        refused_entries: Entries refused by the validator or a limit, from peers.
        ahead_entries: Entries set aside because they were stamped too far ahead, from peers.
        rejected_messages: Messages dropped because they were malformed.
        gaps: Deltas that arrived with something missing before them.
        syncs: Pulls completed.
        self_checks: Comparisons that found the same writes seen and yet another state: a full sync follows each.
        forgotten: Removals and expired entries forgotten since the map was opened.
        origins: Openings of this map, by any node, that its causal context names.
        clock_ahead_ms: How far this map's clock is ahead of this node's wall clock, because a peer's or its own was.
        durability: How long what is written lasts.
        storage_error: Why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as
            `on_storage_error` says.
        cut_bytes: What was cut off a torn log when the map was opened.
        log_bytes: Log on disk beside the snapshot.
    """

    name: str
    live: int
    tombstones: int
    hidden: int
    bytes: int
    digest: str
    peers: list[MapPeer]
    outbox: int
    refused_entries: int
    ahead_entries: int
    rejected_messages: int
    gaps: int
    syncs: int
    self_checks: int
    forgotten: int
    origins: int
    clock_ahead_ms: int
    durability: Literal["none", "async", "sync"]
    storage_error: str | None
    cut_bytes: int
    log_bytes: int


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
