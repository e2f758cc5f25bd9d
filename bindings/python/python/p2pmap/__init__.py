"""A replicated key-value map that lives inside your process.

Every process that opens the map `flags` holds a full copy of it: reads are reads of local memory, writes are local and reach
every other copy by themselves, and no server has to run anywhere.

    import p2pmap

    flags = p2pmap.open("flags", bootstrap=["/ip4/127.0.0.1/tcp/7400"], codec="json")
    flags["dark_mode"] = {"on": True}
    flags.subscribe(lambda event: print(event.kind, event.key, event.value))

`open` makes a node behind the scenes; `Node` is there for several maps, or for control.
"""

import atexit
import os
from collections.abc import MutableMapping

from . import _p2pmap, _watch, aio
from ._errors import (
    AddressInUse,
    Closed,
    Corrupted,
    Error,
    Forked,
    Full,
    InternalError,
    InvalidArgument,
    InvalidConfig,
    InvalidValue,
    Locked,
    NetworkError,
    NotPermitted,
    StorageError,
    Timeout,
    TooLarge,
    Unsupported,
)
from ._p2pmap import Batch, Entry, Event, Map, Node, Scan, Stamp, __version__, generate_identity, open
from ._status import MapPeer, MapStatus, NodeStatus, Option, PeerInfo, options
from ._watch import Subscription, Watch

__all__ = [
    "AddressInUse",
    "Batch",
    "Closed",
    "Corrupted",
    "Entry",
    "Error",
    "Event",
    "Forked",
    "Full",
    "InternalError",
    "InvalidArgument",
    "InvalidConfig",
    "InvalidValue",
    "Locked",
    "Map",
    "MapPeer",
    "MapStatus",
    "NetworkError",
    "Node",
    "NodeStatus",
    "NotPermitted",
    "Option",
    "PeerInfo",
    "Scan",
    "Stamp",
    "StorageError",
    "Subscription",
    "Timeout",
    "TooLarge",
    "Unsupported",
    "Watch",
    "__version__",
    "aio",
    "generate_identity",
    "open",
    "options",
]

MutableMapping.register(Map)


@atexit.register
def _close_all() -> None:
    """Ends every thread that may call into Python, while Python still runs."""
    _p2pmap.close_all()
    _watch.join_all()
    aio._join_all()


os.register_at_fork(after_in_child=_p2pmap.forked_in_child)
