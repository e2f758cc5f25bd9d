"""Two nodes in one process share a map. Run `python quickstart.py`."""

import p2pmap

with (
    p2pmap.open("flags", codec="json") as seed,
    p2pmap.open("flags", codec="json", bootstrap=seed.node.addrs) as flags,
):
    flags.subscribe(
        lambda event: print(f"{event.kind} {event.key} = {event.value} ({'local' if event.local else 'from a peer'})")
    )

    flags["dark_mode"] = {"on": True}
    for event in seed.watch(snapshot=True):
        if event.key == "dark_mode":
            break
    print(f"the seed reads {seed['dark_mode']}")

    seed["new_search"] = {"on": False}
    for event in flags.watch(snapshot=True):
        if event.key == "new_search":
            break
    print(f"both hold {list(flags)}")
