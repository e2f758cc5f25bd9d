"""One of several processes, each in its own language, that share the map `services`: a small service registry.

Usage: python services.py NAME BOOTSTRAP-ADDRESS-OR-"" SERVICES-FILE PART PARTS
Then it takes commands on standard input, and answers each with one line.
"""

import sys
import time
from statistics import median_low

import p2pmap

name, bootstrap, path, part, parts = sys.argv[1:]
node = p2pmap.Node(bootstrap=bootstrap or None, env=True)
services = node.map("services", codec="utf8")
events = 0
latencies: list[int] = []


def say(line: str) -> None:
    """One write a line: callbacks run on a thread of their own."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def now_us() -> int:
    """The wall clock, in microseconds since the Unix epoch."""
    return time.time_ns() // 1000


def on_event(event: p2pmap.Event[str, str]) -> None:
    """Prints every change but the pings, which say how long a write took to get here."""
    global events
    if event.kind == "synced":
        return
    if not event.key.startswith("~ping/"):
        events += 1
        say(f"event {event.kind} {event.key} {'local' if event.local else 'remote'} {event.author}")
    elif event.value is not None and not event.local:
        latencies.append(now_us() - int(event.value))


def load(text: str) -> None:
    """Writes this process's part: `http 80/tcp www # World Wide Web` is the entry `http/tcp` -> `80 www`."""
    lines = [words for line in text.splitlines() if (words := line.partition("#")[0].split())]
    for service, port_and_protocol, *aliases in lines[int(part) :: int(parts)]:
        port, protocol = port_and_protocol.split("/")
        services[f"{service}/{protocol}"] = " ".join([port, *aliases])


def run(command: str) -> str:
    """Carries out one command and returns its answer."""
    match command.split(" ", 2):
        case ["put", key, value]:
            services[key] = value
            return "ok"
        case ["remove", key]:
            return f"ok {str(services.remove(key)).lower()}"
        case ["ping", count]:
            for _ in range(int(count)):
                services[f"~ping/{name}"] = str(now_us())
                time.sleep(0.005)
            services.remove(f"~ping/{name}")
            return "ok"
        case ["report"]:
            status = services.status()
            latency = median_low(latencies) if latencies else "-"
            return f"report entries={status.live} digest={status.digest} events={events} latency_us={latency}"
        case _:
            return "error unknown command"


for addr in node.addrs:
    say(f"addr {addr}")
services.subscribe(on_event, snapshot=True)
with open(path, encoding="utf-8") as file:
    load(file.read())
for line in sys.stdin:
    if line == "quit\n":
        break
    say(run(line.rstrip("\n")))
node.close()
