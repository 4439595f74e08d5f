#!/usr/bin/env python3
"""Shows that notifications survive what goes wrong, and writes its section of docs/reliability.md.

    .venv/bin/python scripts/bench/faults.py .build/release/conurb [--subscriptions 10000] [--rate 2000] [--seconds 60] [--kills 5]

Entities are changed through batch requests, at a fixed rate, by writers of which each has entities of its own. Each entity is
watched by four subscriptions, one at each of four local receivers: one is quick, one slow, one refuses whatever it is sent, one
dies and comes back. Meanwhile the server is killed with SIGKILL and started again, several times.

A change that matches and was acknowledged must reach every receiver that ends up alive at least once, and be told for the
first time after all earlier ones of its entity. What is told more than once is counted. The run fails when something is
missing or out of order.
"""

import argparse
import asyncio
import datetime
import http.client
import json
import multiprocessing
import pathlib
import sys
import tempfile
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import bench
import harness
import sections
from harness import NGSI_LD

REPORT = PROJECT / "docs" / "reliability.md"
MARKS = ("<!-- notifications: start, written by scripts/bench/faults.py -->", "<!-- notifications: end -->")
WRITER_COUNT = 4
BATCH_ENTITY_COUNT = 100
# Of a receiver that makes no progress for so long nothing more is expected.
STALL_SECONDS_MAX = 90
SLOW_SECONDS = 0.02
KINDS = ("quick", "slow", "refusing", "returning")


# Receivers


class Receiving(asyncio.Protocol):
    """As much of HTTP/1.1 as the server speaks to an endpoint: requests with a Content-Length, one after another."""

    def __init__(self, state):
        self.state, self.buffer, self.transport, self.queue = state, bytearray(), None, asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport
        self.state["connections"].add(self)
        self.task = asyncio.get_running_loop().create_task(self.answer())

    def connection_lost(self, _):
        self.state["connections"].discard(self)
        self.task.cancel()

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.queue.put_nowait(bytes(self.buffer[end + 4:end + 4 + length]))
            del self.buffer[:end + 4 + length]

    async def answer(self):
        while True:
            body = await self.queue.get()
            if self.state["delay"]:
                await asyncio.sleep(self.state["delay"])
            if self.state["kind"] == "refusing":
                self.state["refused"] += 1
                self.transport.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                continue
            for entity in json.loads(body)["data"]:
                self.state["told"].setdefault(int(entity["id"].rpartition(":")[2]), []).append(entity["level"]["value"])
            self.state["last"] = time.monotonic()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def receive(kind, port, pipe):
    """A receiver's process. It obeys `die`, `return`, `count` and `tell`, and ends with `end`."""

    async def run():
        loop = asyncio.get_running_loop()
        state = {"kind": kind, "delay": SLOW_SECONDS if kind == "slow" else 0, "told": {}, "refused": 0, "last": 0.0, "connections": set()}
        listen = lambda: loop.create_server(lambda: Receiving(state), "127.0.0.1", port, reuse_address=True, backlog=1024)
        server = await listen()
        pipe.send("ready")
        while True:
            order = await loop.run_in_executor(None, pipe.recv)
            if order == "die":
                server.close()
                for connection in list(state["connections"]):
                    connection.transport.abort()
            elif order == "return":
                server = await listen()
            elif order == "count":
                pipe.send((sum(map(len, state["told"].values())), state["refused"]))
            elif order == "tell":
                pipe.send((state["told"], state["last"]))
            elif order == "end":
                return

    asyncio.run(run())


class Receiver:
    def __init__(self, kind):
        self.kind, self.port = kind, harness.free_port()
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=receive, args=(kind, self.port, other), daemon=True)
        self.process.start()
        self.pipe.recv()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}/notify"

    def order(self, what):
        self.pipe.send(what)

    def ask(self, what):
        self.pipe.send(what)
        return self.pipe.recv()

    def close(self):
        self.order("end")
        self.process.join(10)


# The load


class Writer(threading.Thread):
    """Raises the level of each of its entities, batch after batch. Every `match_every`th level raises the alarm that is subscribed to."""

    def __init__(self, entities, batches_per_second, match_every):
        super().__init__(daemon=True)
        self.entities, self.pause, self.match_every = entities, 1 / batches_per_second, match_every
        self.level = {entity: 0 for entity in entities}
        self.acknowledged = {entity: [] for entity in entities}
        self.acknowledged_count = 0
        self.port, self.stop, self.unexpected, self.failed_count = None, threading.Event(), [], 0

    def run(self):
        connection, next_entity, due = None, 0, time.monotonic()
        while not self.stop.is_set():
            if self.port is None:
                time.sleep(0.005)
                due = time.monotonic()
                continue
            time.sleep(max(0, due - time.monotonic()))
            due = max(due + self.pause, time.monotonic() - 1)
            count = min(BATCH_ENTITY_COUNT, len(self.entities))
            batch = [self.entities[(next_entity + i) % len(self.entities)] for i in range(count)]
            next_entity = (next_entity + count) % len(self.entities)
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.write(connection, batch)
            except (OSError, http.client.HTTPException):
                connection = None
                self.failed_count += 1

    def write(self, connection, batch):
        for entity in batch:
            self.level[entity] += 1
        body = json.dumps([document(entity, self.level[entity], self.match_every) for entity in batch])
        connection.request("POST", NGSI_LD + "/entityOperations/upsert?options=update", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (201, 204):
            self.unexpected.append(f"{answer.status} {text[:200]!r}")
            return
        self.acknowledged_count += len(batch)
        for entity in batch:
            if self.level[entity] % self.match_every == 0:
                self.acknowledged[entity].append(self.level[entity])


def document(entity, level, match_every):
    return {"id": f"urn:ngsi-ld:Lamp:{entity}", "type": "Lamp", "level": {"type": "Property", "value": level},
            "alarm": {"type": "Property", "value": level % match_every == 0}}


def subscribe(server, entity, receiver):
    return {"id": f"urn:ngsi-ld:Subscription:{entity}-{receiver.kind}", "type": "Subscription",
            "entities": [{"type": "Lamp", "id": f"urn:ngsi-ld:Lamp:{entity}"}], "watchedAttributes": ["level"], "q": "alarm==true",
            "notification": {"endpoint": {"uri": receiver.uri}}}


def create_subscriptions(port, documents, municipality=None):
    headers = {"Content-Type": "application/json"} | ({"NGSILD-Tenant": municipality} if municipality else {})

    def create(some):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for document in some:
            connection.request("POST", NGSI_LD + "/subscriptions", json.dumps(document), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                failures.append(f"{answer.status} {text[:300]!r}")
                return

    failures = []
    threads = [threading.Thread(target=create, args=(documents[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise AssertionError(f"a subscription could not be created: {failures[0]}")


# The run


def run(binary, subscription_count, rate, seconds, kills, match_every, folder, say=print):
    """The figures of a run; see `judged` for whether it is good."""
    receivers = [Receiver(kind) for kind in KINDS]
    server = harness.Server(pathlib.Path(folder) / "data", "--allow-private-egress", binary=binary,
                            environment={"CONURB_SUBSCRIPTIONS_COUNT_MAX": str(max(10_000, subscription_count))})
    try:
        return measured(server.start(), receivers, subscription_count, rate, seconds, kills, match_every, say)
    finally:
        if server.process.poll() is None:
            server.kill()
        server.log_path.unlink(missing_ok=True)
        for receiver in receivers:
            receiver.close()


def measured(server, receivers, subscription_count, rate, seconds, kills, match_every, say):
    entities = list(range(max(1, subscription_count // len(receivers))))
    say(f"creating {len(entities) * len(receivers):,} subscriptions")
    create_subscriptions(server.port, [subscribe(server, entity, receiver) for entity in entities for receiver in receivers])
    writers = [Writer(entities[i::WRITER_COUNT], rate / BATCH_ENTITY_COUNT / WRITER_COUNT * scale(entities), match_every)
               for i in range(min(WRITER_COUNT, len(entities)))]
    say(f"writing {rate:,} changes a second for {seconds} s, {kills} kills")
    started, restarts = time.monotonic(), with_faults(server, receivers, writers, seconds, kills)
    written_seconds = time.monotonic() - started
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join()
    stopped = time.monotonic()
    acknowledged = {entity: levels for writer in writers for entity, levels in writer.acknowledged.items()}
    wait_for_the_rest(receivers, sum(map(len, acknowledged.values())), say)
    figures = {"subscriptions": len(entities) * len(receivers), "seconds": written_seconds, "kills": kills, "restarts": restarts,
               "acknowledged": sum(writer.acknowledged_count for writer in writers), "failed": sum(writer.failed_count for writer in writers),
               "unexpected": [line for writer in writers for line in writer.unexpected],
               "matching": sum(map(len, acknowledged.values())), "peak": server.resident_bytes(peak=True), "receivers": {}}
    for receiver in receivers:
        told, last = receiver.ask("tell")
        figures["receivers"][receiver.kind] = compared(acknowledged, told) | {"refused": receiver.ask("count")[1], "after": max(0, last - stopped)}
    return figures


def scale(entities):
    """Few entities make small batches; then there are more of them."""
    per_writer = max(1, len(entities) // WRITER_COUNT)
    return BATCH_ENTITY_COUNT / min(BATCH_ENTITY_COUNT, per_writer)


def with_faults(server, receivers, writers, seconds, kills):
    """Kills the server and lets a receiver die and return while the writers write. Returns how long each restart took."""
    returning = next(receiver for receiver in receivers if receiver.kind == "returning")
    happenings = sorted([(seconds * (i + 1) / (kills + 1), "kill") for i in range(kills)] + [(seconds * 0.2, "die"), (seconds * 0.6, "return")])
    for writer in writers:
        writer.port = server.port
        writer.start()
    started, restarts = time.monotonic(), []
    for moment, what in happenings:
        time.sleep(max(0, started + moment - time.monotonic()))
        if what == "kill":
            for writer in writers:
                writer.port = None
            server.kill()
            killed = time.monotonic()
            server.start()
            restarts.append(time.monotonic() - killed)
            for writer in writers:
                writer.port = server.port
        else:
            returning.order(what)
    time.sleep(max(0, started + seconds - time.monotonic()))
    return restarts


def wait_for_the_rest(receivers, matching_count, say):
    """Until every receiver that lives has at least as many as there are, or nothing more comes."""
    living = [receiver for receiver in receivers if receiver.kind != "refusing"]
    before, since = None, time.monotonic()
    while time.monotonic() - since < STALL_SECONDS_MAX:
        counts = [receiver.ask("count")[0] for receiver in living]
        if counts != before:
            before, since = counts, time.monotonic()
        # What is told twice counts twice: whether all is there is looked at when it could be.
        if min(counts) >= matching_count and time.monotonic() - since > 3:
            return
        time.sleep(0.5)
    say(f"nothing more came for {STALL_SECONDS_MAX} s")


def compared(acknowledged, told):
    missing = disordered = duplicates = count = 0
    for entity, levels in acknowledged.items():
        heard = told.get(entity, [])
        first = list(dict.fromkeys(heard))
        count += len(heard)
        missing += len(set(levels) - set(first))
        disordered += first != sorted(first)
        duplicates += len(heard) - len(first)
    return {"told": count, "missing": missing, "disordered": disordered, "duplicates": duplicates}


def judged(figures):
    """What is wrong with a run; empty when nothing is."""
    faults = [f"unexpected answer: {line}" for line in figures["unexpected"]]
    for kind, receiver in figures["receivers"].items():
        if kind == "refusing":
            if not receiver["refused"] and figures["matching"]:
                faults.append("the receiver that refuses was never spoken to")
        elif receiver["missing"] or receiver["disordered"]:
            faults.append(f"{kind}: {receiver['missing']} of {figures['matching']} changes are missing, {receiver['disordered']} entities out of order")
    if not figures["matching"]:
        faults.append("no change matched: the run shows nothing")
    return faults


# Telling


def report(figures, arguments, version):
    lines = [f"| {kind} | {r['told']:,} | {r['missing']:,} | {r['disordered']:,} | {r['duplicates']:,} ({100 * r['duplicates'] / max(1, r['told']):.2f} %) | {r['after']:.1f} s |"
             for kind, r in figures["receivers"].items() if kind != "refusing"]
    refused = figures["receivers"]["refusing"]["refused"]
    table = "\n".join(lines)
    return f"""\
## Notifications

Written by `scripts/bench/faults.py` on {datetime.date.today().isoformat()} with {version} on {bench.machine()}.

{figures['subscriptions']:,} subscriptions on {figures['subscriptions'] // len(KINDS):,} entities, four receivers, {arguments.rate:,} changes/s asked for through batch requests for
{arguments.seconds} s; of each entity every {arguments.match_every}th change matches. The server is killed with `kill -9` {figures['kills']} times and started again
({', '.join(f'{seconds:.1f} s' for seconds in figures['restarts'])} until it served). One receiver takes {SLOW_SECONDS * 1000:.0f} ms for each answer, one answers 403 to everything, one dies after a fifth of
the time and comes back after three fifths.

{figures['acknowledged']:,} changes were acknowledged, **{figures['acknowledged'] / figures['seconds']:,.0f}/s** with the restarts in between; {figures['failed']:,} batches were not, for the server died or was
away. **{figures['matching']:,}** acknowledged changes matched, and each had to reach each receiver that ends up alive.

| receiver | told | missing | entities out of order | told again | last one after the writing |
|---|---:|---:|---:|---:|---:|
{table}

The receiver that refuses was sent {refused:,} notifications, was told none twice for that, and held up nobody. Peak resident memory of the
last process: {figures['peak'] / 1024 ** 2:.0f} MiB.

*Missing* and *out of order* are promised to be 0: delivery is at least once, and of an entity nothing is told for the first time after
a later change. *Told again* is what a crash costs: notifications that a receiver had taken before the server could write that down.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=2_000, help="changes a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--match-every", type=int, default=10, help="of each entity every so many-th change matches")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/reliability.md alone")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    version = harness.Conurb(binary).run("version").stdout.strip().splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="conurb-faults-") as folder:
        figures = run(binary, arguments.subscriptions, arguments.rate, arguments.seconds, arguments.kills, arguments.match_every, folder,
                      lambda text: print(text, flush=True))
    text = report(figures, arguments, version)
    print("\n" + text)
    if not arguments.no_write:
        sections.write(REPORT, "Reliability", text, MARKS)
    faults = judged(figures)
    if faults:
        sys.exit("\n".join(faults[:20]))


if __name__ == "__main__":
    main()
