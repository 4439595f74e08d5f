#!/usr/bin/env python3
"""Measures how soon a change is told, with many subscriptions beside those that match and without, and writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/subscriptions.py .build/release/conurb [--subscriptions 100000] [--changes 1000] [--no-write]

One entity is changed again and again. Three subscriptions match each change; all others are on the same type and attribute and ask
for another value, a greater one, or another place. For each change and each of the three the time is taken from its
acknowledgement, which follows the commit, to the first byte of the notification at the receiver. What has arrived before the
acknowledgement was read counts as 0.
"""

import argparse
import datetime
import http.client
import json
import multiprocessing
import pathlib
import socket
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import bench
import faults
import harness
from harness import NGSI_LD

MARKS = ("<!-- subscriptions: start, written by scripts/bench/subscriptions.py -->", "<!-- subscriptions: end -->")
MATCHING_COUNT = 3
WARM_UP_COUNT = 50
WAIT_SECONDS_MAX = 30
# Of all changes; no other subscription reaches so far.
LEVEL_MAX = 1_000_000


def receive(port, pipe):
    """A receiver's process: accepts connections, sends the moment of each request's first byte, answers 200."""
    import selectors
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    selector, buffers = selectors.DefaultSelector(), {}
    selector.register(listener, selectors.EVENT_READ)
    pipe.send("ready")
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                buffers[connection] = [bytearray(), None]
                continue
            connection = key.fileobj
            data, moment = connection.recv(65_536), time.monotonic()
            if not data:
                selector.unregister(connection)
                connection.close()
                continue
            state = buffers[connection]
            state[1] = state[1] or moment
            state[0] += data
            end = state[0].find(b"\r\n\r\n")
            if end < 0:
                continue
            length = int(bytes(state[0][:end]).lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(state[0]) < end + 4 + length:
                continue
            notification = json.loads(bytes(state[0][end + 4:]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            pipe.send((notification["data"][0]["level"]["value"], state[1]))
            buffers[connection] = [bytearray(), None]


def document(level):
    return {"id": "urn:ngsi-ld:Lamp:probe", "type": "Lamp", "level": {"type": "Property", "value": level},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.0, 43.0]}}}


def subscription(number, uri, **members):
    return {"id": f"urn:ngsi-ld:Subscription:{number}", "type": "Subscription", "entities": [{"type": "Lamp"}], "watchedAttributes": ["level"],
            "notification": {"endpoint": {"uri": uri}}} | members


def near(longitude, latitude):
    return {"georel": "near;maxDistance==100", "geometry": "Point", "coordinates": [longitude, latitude]}


def subscriptions(count, uri):
    """Three that match every change, and others that match none."""
    matching = [subscription("all", uri), subscription("low", uri, q=f"level<{LEVEL_MAX}"), subscription("near", uri, geoQ=near(3.0, 43.0))]
    others = []
    for number in range(count - MATCHING_COUNT):
        kind, place = number % 3, number // 3
        if kind == 0:
            others.append(subscription(number, uri, q=f"level=={LEVEL_MAX + number}"))
        elif kind == 1:
            others.append(subscription(number, uri, q=f"level>{LEVEL_MAX + number}"))
        else:
            others.append(subscription(number, uri, geoQ=near(-170 + place % 300, -60 + place // 300 * 0.1)))
    return others + matching


def measure(binary, count, change_count, folder):
    """Milliseconds of each telling, sorted; and the peak resident bytes of the server."""
    port = harness.free_port()
    pipe, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=receive, args=(port, other), daemon=True)
    process.start()
    pipe.recv()
    try:
        with harness.Server(folder / f"data-{count}", "--allow-private-egress", binary=binary,
                            environment={"CONURB_SUBSCRIPTIONS_COUNT_MAX": str(max(10_000, count))}) as server:
            print(f"creating {count:,} subscriptions", flush=True)
            faults.create_subscriptions(server.port, subscriptions(count, f"http://127.0.0.1:{port}/"))
            print(f"changing an entity {change_count:,} times", flush=True)
            return changes(server, pipe, change_count), server.resident_bytes(peak=True)
    finally:
        process.terminate()
        process.join(10)


def changes(server, pipe, change_count):
    connection, times = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60), []
    for level in range(1, WARM_UP_COUNT + change_count + 1):
        connection.request("POST", NGSI_LD + "/entityOperations/upsert?options=update", json.dumps([document(level)]), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        acknowledged = time.monotonic()
        if answer.status not in (201, 204):
            sys.exit(f"a change gave {answer.status}")
        for _ in range(MATCHING_COUNT):
            if not pipe.poll(WAIT_SECONDS_MAX):
                sys.exit(f"change {level} was not told within {WAIT_SECONDS_MAX} s")
            told, moment = pipe.recv()
            if told != level:
                sys.exit(f"change {told} was told instead of {level}")
            if level > WARM_UP_COUNT:
                times.append(max(0, moment - acknowledged) * 1000)
    return sorted(times)


def section(arguments, version, few, many):
    def row(count, times, resident):
        return f"| {count:,} | {bench.quantile(times, 0.5):.2f} ms | {bench.quantile(times, 0.99):.2f} ms | {resident / 1024 ** 2:.0f} MiB |"
    return f"""\
## Telling of changes among many subscriptions

Taken on {datetime.date.today().isoformat()} with {version} on {bench.machine()} by `scripts/bench/subscriptions.py`.

One entity is changed {arguments.changes:,} times. {MATCHING_COUNT} subscriptions match each change; all others are on the same type and attribute and ask for
another value, a greater one or another place. From the acknowledgement of a change to the first byte at the receiver:

| subscriptions, of which {MATCHING_COUNT} match | p50 | p99 | peak resident memory |
|---:|---:|---:|---:|
{row(MATCHING_COUNT, *few)}
{row(arguments.subscriptions, *many)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    version = harness.Conurb(binary).run("version").stdout.strip().splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="conurb-subscriptions-") as folder:
        few, many = (measure(binary, count, arguments.changes, pathlib.Path(folder)) for count in (MATCHING_COUNT, arguments.subscriptions))
    text = section(arguments, version, few, many)
    print("\n" + text)
    if not arguments.no_write:
        bench.write_section(text, MARKS)


if __name__ == "__main__":
    main()
