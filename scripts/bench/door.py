#!/usr/bin/env python3
"""Measures requests a second at the HTTP door, each shape beside its yardstick in the same run on the same core; writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/door.py .build/release/conurb [--quick] [--data DIR] [--json FILE] [--only SHAPE,...] [--no-write]

The server has one core to itself and wrk, which asks, another. In each round wrk asks the server and then nginx (one worker, on
the server's core), which serves the bytes of the same answer as a static file; or, for writes, `conurb bench yardstick` inserts the same documents with
SQLite in one transaction, on the server's core too while the server rests. So what the machine does meanwhile befalls both.

scripts/bench/shapes.py has the requests and the plan. `--data` keeps the filled data directories for the next run: a million
entities take minutes. All figures go to results/door.json, from which `make bench-check` says which goals were reached. `--quick` does
all of it among few entities and writes nothing: it shows that the benchmark works.
"""

import argparse
import contextlib
import csv
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import bench
import doortable
import faults
import harness
import shapes
from shapes import SHAPES

FIGURES = PROJECT / "results" / "door.json"
SCRIPT = PROJECT / "scripts" / "bench" / "door.lua"
MUNICIPALITY = "bench"
ACCEPTED = (200, 201, 204)
TIMEOUT_SECONDS = 60
WARM_UP_SECONDS = 1
ROUND_SECONDS_MAX = 60
SETTLE_SECONDS_MAX = 60
# Four at a time are enough to keep the writer busy; fifty would wait for each other longer than a round lasts.
BATCH_1000_CONNECTIONS = 4
START_COUNT = 5
# No value of a device reaches so far: subscriptions look at each change and tell none.
VALUE_MAX = 1000


# Cores


@contextlib.contextmanager
def on_core(core):
    """What is started within runs on that core, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def core_ticks(core):
    """Ticks that the core was busy, and all."""
    line = next(line for line in pathlib.Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    ticks = [int(word) for word in line.split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def processor_ticks(processes):
    """Ticks of processor time that the processes have had, in themselves and in the kernel."""
    def ticks(process):
        return sum(map(int, pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]))
    return sum(map(ticks, processes))


def children(process):
    return pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()


def nginx_processes():
    """nginx and its worker, which this program started."""
    masters = [child for child in children(os.getpid()) if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "nginx"]
    return masters + [child for master in masters for child in children(master)]


def settle(process):
    """Returns when the process has used no processor time for a fifth of a second: requests that wrk left are done."""
    deadline, before = time.monotonic() + SETTLE_SECONDS_MAX, -1
    while (now := processor_ticks([process.pid])) > before + 1 and time.monotonic() < deadline:
        before = now
        time.sleep(0.2)


# Data


def filled(conurb, data, count):
    """The data directory with so many entities, made now unless it is there already."""
    made_of = hashlib.sha256((shapes.SOURCE + repr(next(shapes.rows(count)))).encode()).hexdigest()[:12]
    folder = data / f"{count}-{made_of}"
    if folder.exists():
        return folder
    unfinished, source, file = data / "unfinished", data / "devices.yaml", data / "devices.csv"
    shutil.rmtree(unfinished, ignore_errors=True)
    source.write_text(shapes.SOURCE)
    with open(file, "w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(shapes.COLUMNS)
        writer.writerows(shapes.rows(count))
    print(f"importing {count:,} entities", flush=True)
    seconds, _ = bench.measured_import(conurb, unfinished, source, file, data / "import.log")
    print(f"  {seconds:.0f} s", flush=True)
    file.unlink()
    unfinished.rename(folder)
    return folder


def contexts_folder(folder):
    """The folder of the user's context, which no network is asked for."""
    contexts = folder / "contexts"
    contexts.mkdir(exist_ok=True)
    (contexts / "bench.jsonld").write_text(json.dumps(shapes.CONTEXT))
    (contexts / "index.json").write_text(json.dumps({shapes.CONTEXT_URL: "bench.jsonld"}))
    return contexts


def subscriptions(count):
    """They watch what the requests change, and ask for values and places that never come."""
    documents = []
    for number in range(count):
        document = {"id": f"urn:ngsi-ld:Subscription:{number}", "type": "Subscription", "entities": [{"type": shapes.TYPE}],
                    "watchedAttributes": ["value"], "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}}}
        if number % 3 < 2:
            document["q"] = f"value{('==', '>')[number % 3]}{VALUE_MAX + number}"
        else:
            document["geoQ"] = {"georel": "near;maxDistance==100", "geometry": "Point", "coordinates": [-170 + number % 100, -60 + number // 100 * 0.1]}
        documents.append(document)
    return documents


# One measurement


class Asker:
    """Runs wrk on its core, against the server or nginx, and keeps count of what was asked."""

    def __init__(self, entity_count, cores):
        self.entity_count, (self.server_core, self.core) = entity_count, cores
        self.run_count, self.made_count, self.in_flight_max, self.bodies = 0, 0, 0, {}

    def ask(self, port, shape, connections, seconds, processes, requests=None):
        """Requests a second, p50 and p99 in milliseconds, the processor time that `processes` had for each, and how busy both cores were."""
        self.run_count += 1
        header = f"NGSILD-Tenant: {MUNICIPALITY}\r\nAccept: application/json\r\n" + (f"Link: {shape.link}\r\n" if shape.link else "") + shape.headers
        arguments = [self.entity_count, self.run_count, f"r{self.run_count}", int(time.time()), header]
        for request in requests or shape.requests:
            arguments += [request.weight, request.method, request.path, request.document_count, request.document]
        before, ticks = [core_ticks(core) for core in (self.server_core, self.core)], processor_ticks(processes)
        with on_core(self.core):
            ran = subprocess.run(
                ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s", "-s", SCRIPT, f"http://127.0.0.1:{port}",
                 "--", *map(str, arguments)], capture_output=True, text=True)
        after, ticks = [core_ticks(core) for core in (self.server_core, self.core)], processor_ticks(processes) - ticks
        if ran.returncode != 0:
            sys.exit(f"{shape.name}: wrk ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
        told = json.loads(ran.stdout.strip().splitlines()[-1])
        if any(told[fault] for fault in ("refused", "partial", "broken", "unconnected", "late")) or seconds > ROUND_SECONDS_MAX:
            sys.exit(f"{shape.name} at port {port} on {connections} connections among {self.entity_count:,} entities failed: {told}")
        if shape.is_growing and not requests:
            batch = shape.requests[0].document_count
            self.made_count += told["requests"] * batch
            self.in_flight_max += connections * batch
        if told["requests"] < connections:  # each connection waits for its first answer still
            return self.ask(port, shape, connections, seconds * 2, processes, requests)
        return {"requestsPerSecond": told["requests"] / told["microseconds"] * 1e6, "p50": told["p50"] / 1000, "p99": told["p99"] / 1000,
                "requests": told["requests"], "processorMicroseconds": ticks * 1e6 / os.sysconf("SC_CLK_TCK") / told["requests"],
                "serverCoreBusy": busy(before[0], after[0]), "askingCoreBusy": busy(before[1], after[1])}


def busy(before, after):
    return (after[0] - before[0]) / max(1, after[1] - before[1])


class Yardsticks:
    """nginx with a static file for each shape, and SQLite with a file of documents for each, as `conurb bench yardstick` has it."""

    def __init__(self, conurb, folder, nginx_port, document_count, core):
        self.conurb, self.folder, self.nginx_port, self.document_count, self.core = conurb, folder, nginx_port, document_count, core

    def static(self, shape, body):
        # Other bytes have another name, since nginx keeps files open.
        name = f"{shape.name}-{hashlib.sha256(body).hexdigest()[:12]}.json"
        (self.folder / "static").mkdir(exist_ok=True)
        (self.folder / "static" / name).write_bytes(body)
        return (shapes.Request("GET", "/" + name),)

    def sqlite(self, shape, entity_count):
        """Documents a second, and microseconds of processor time for each."""
        document = shape.writes[0].document
        documents = self.folder / f"{hashlib.sha256(document.encode()).hexdigest()[:12]}-{entity_count}.documents"
        if not documents.exists():
            documents.write_text("".join(shapes.sample(document, entity_count, number) + "\n" for number in range(self.document_count)))
        with on_core(self.core):
            told = bench.yardstick(self.conurb, self.folder, documents)
        return told["documents"] / told["seconds"], told["processorSeconds"] / told["documents"] * 1e6


def probe(server, shape, entity_count):
    """Sends one request of each kind, which must be accepted; the body of the last one that was read."""
    body, made_count = b"", 0
    for request in shape.requests:
        documents = [shapes.sample(request.document, entity_count, number) for number in range(request.document_count)]
        text = "[" + ",".join(documents) + "]" if len(documents) > 1 else "".join(documents)
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if documents else {}) | ({"Link": shape.link} if shape.link else {})
        answer = server.request(request.method, shapes.sample(request.path, entity_count), municipality=MUNICIPALITY, data=text or None, headers=headers)
        if answer.status_code not in ACCEPTED:
            sys.exit(f"{shape.name}: {answer.status_code}: {answer.text[:500]}")
        made_count += len(documents) if shape.is_growing else 0
        if request.method == "GET":
            body = answer.content
            found = json.loads(body)
            if isinstance(found, list) and len(found) != shapes.PAGE_ENTITY_COUNT:
                sys.exit(f"{shape.name}: {len(found)} entities instead of {shapes.PAGE_ENTITY_COUNT}: {answer.url}")
    return body, made_count


def measured(cell, group, server, asker, yardsticks, options):
    """One row of the table: the medians of the rounds, and each round's ratio to the yardstick."""
    shape, connections = SHAPES[cell[0]], BATCH_1000_CONNECTIONS if cell[0] == "batch-1000" else cell[1]
    documents = max(1, *(request.document_count for request in shape.requests))
    seconds = options.seconds * 2 if documents == 1000 else options.seconds
    if shape.name not in asker.bodies:
        asker.bodies[shape.name], made_count = probe(server, shape, group.entity_count)
        asker.made_count += made_count
    body = asker.bodies[shape.name]
    static = yardsticks.static(shape, body) if body else None
    asker.ask(server.port, shape, connections, WARM_UP_SECONDS, [server.process.pid])
    read_share = sum(request.weight for request in shape.requests if not request.document_count) / sum(request.weight for request in shape.requests)
    rounds = []
    for _ in range(options.rounds):
        settle(server.process)
        told = asker.ask(server.port, shape, connections, seconds, [server.process.pid])
        settle(server.process)
        # What the yardstick takes for one request, by the clock and of the processor.
        seconds_each, microseconds_each = 0.0, 0.0
        if body:
            asked = asker.ask(yardsticks.nginx_port, shape, connections, options.seconds, nginx_processes(), static)
            seconds_each += read_share / asked["requestsPerSecond"]
            microseconds_each += read_share * asked["processorMicroseconds"]
        if shape.writes:
            documents_per_second, microseconds = yardsticks.sqlite(shape, group.entity_count)
            seconds_each += (1 - read_share) * documents / documents_per_second
            microseconds_each += (1 - read_share) * documents * microseconds
        rounds.append(told | {"yardstickPerSecond": 1 / seconds_each, "ratio": told["requestsPerSecond"] * seconds_each,
                              "yardstickMicroseconds": microseconds_each, "processorRatio": microseconds_each / max(1, told["processorMicroseconds"])})

    def median(key):
        return statistics.median(some[key] for some in rounds)
    row = {"shape": shape.name, "entities": group.entity_count, "subscriptions": group.subscription_count, "connections": connections,
           "documents": documents, "bytes": len(body), "errors": 0, "rounds": rounds}
    row |= {key: median(key) for key in ("requestsPerSecond", "p50", "p99", "yardstickPerSecond", "ratio", "processorMicroseconds", "yardstickMicroseconds",
                                       "processorRatio", "serverCoreBusy", "askingCoreBusy")}
    row["ratioMin"], row["ratioMax"] = min(some["ratio"] for some in rounds), max(some["ratio"] for some in rounds)
    print(doortable.line(row), flush=True)
    return row


# A group of measurements on one start of the server


def measured_group(conurb, group, folder, source, yardsticks, cores, options):
    """The rows of a group, its memory, and with the largest number of entities the milliseconds of starts."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(source, data)
    print(f"{group.entity_count:,} entities, {group.subscription_count:,} subscriptions", flush=True)
    environment = {"CONURB_SUBSCRIPTIONS_COUNT_MAX": str(max(10_000, group.subscription_count))}
    server = harness.Server(data, "--contexts", contexts_folder(folder), "--allow-private-egress", binary=conurb.binary, environment=environment)
    with on_core(cores[0]):
        server.start()
    try:
        faults.create_subscriptions(server.port, subscriptions(group.subscription_count), MUNICIPALITY)
        asker = Asker(group.entity_count, cores)
        rows = [measured(cell, group, server, asker, yardsticks, options) for cell in group.cells if cell[0] in options.only]
        settle(server.process)
        memory = {"entities": group.entity_count, "subscriptions": group.subscription_count, "resident": server.resident_bytes(), "peak": server.resident_bytes(peak=True)}
        found, least = server.count(MUNICIPALITY, type=shapes.TYPE), group.entity_count + asker.made_count
        if not least <= found <= least + asker.in_flight_max:
            sys.exit(f"{found:,} entities are there instead of {least:,} and at most {asker.in_flight_max:,} whose answer wrk did not await")
    finally:
        server.stop()
        server.log_path.unlink(missing_ok=True)
    starts = []
    if group.entity_count == max(options.sizes) and group.subscription_count == 0:
        starts = [start_milliseconds(conurb.binary, data, cores[0]) for _ in range(START_COUNT)]
    shutil.rmtree(data)
    return rows, memory, starts


def start_milliseconds(binary, data, core):
    """From the start of the process to the end of the first answer with an entity, the file in the operating system's cache."""
    port = harness.free_port()
    environment = harness.clean_environment({"CONURB_PORT": str(port), "CONURB_HOST": "127.0.0.1"})
    with on_core(core):
        started = time.monotonic()
        process = subprocess.Popen([binary, "serve", "--open", "--data", data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        while time.monotonic() - started < harness.START_SECONDS_MAX:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", shapes.ENTITIES + "/urn:ngsi-ld:Device:7", headers={"NGSILD-Tenant": MUNICIPALITY})
                if connection.getresponse().status == 200:
                    return (time.monotonic() - started) * 1000
            time.sleep(0.0005)
        sys.exit("the server did not answer after its start")
    finally:
        process.terminate()
        process.wait()


# The run


def run(conurb, options, folder):
    """All that was measured, as it is written to JSON."""
    cores = sorted(os.sched_getaffinity(0))[-2:][::-1]
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the server, one for wrk")
    data = (options.data or folder / "filled").resolve()
    data.mkdir(parents=True, exist_ok=True)
    measurement = bench.yardstick(conurb, folder)  # the version, the machine and how long its disk takes
    measurement |= {
        "date": datetime.date.today().isoformat(), "machine": bench.machine(), "load": os.getloadavg()[0], "usual": options.usual, "sizes": options.sizes, "roundCount": options.rounds, "roundSeconds": options.seconds, "rows": [], "memory": [], "startMilliseconds": []}
    sources = {count: filled(conurb, data, count) for count in sorted(options.sizes)}
    os.sched_setaffinity(0, {cores[1]})
    with on_core(cores[0]):
        nginx = contextlib.ExitStack()
        port = nginx.enter_context(bench.nginx(folder))
    with nginx:
        if port is None:
            sys.exit("nginx is needed: scripts/install-dependencies bench")
        yardsticks = Yardsticks(conurb, folder, port, options.documents, cores[0])
        for group in shapes.plan(options.sizes, options.usual, options.subscriptions):
            rows, memory, starts = measured_group(conurb, group, folder, sources[group.entity_count], yardsticks, cores, options)
            measurement["rows"] += rows
            measurement["memory"].append(memory)
            measurement["startMilliseconds"] += starts
            if options.json:  # what a later failure must not take away
                options.json.parent.mkdir(parents=True, exist_ok=True)
                options.json.write_text(json.dumps(measurement, indent=1) + "\n")
    return measurement


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="few entities, short rounds, nothing written")
    parser.add_argument("--sizes", type=lambda text: [int(word) for word in text.split(",")], help="numbers of entities (100,100000,1000000)")
    parser.add_argument("--usual", type=int, help="the number at which connections and subscriptions are varied (100000)")
    parser.add_argument("--subscriptions", type=lambda text: [int(word) for word in text.split(",") if word], help="(1000,10000)")
    parser.add_argument("--rounds", type=int, help="(3; 1 with --quick)")
    parser.add_argument("--seconds", type=int, help="of a round (3; 1 with --quick)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SHAPES), help="names of shapes: " + ", ".join(SHAPES))
    parser.add_argument("--data", type=pathlib.Path, help="where filled data directories are kept (default: a temporary folder)")
    parser.add_argument("--folder", type=pathlib.Path, help="where the run works, on the disk that is measured (default: a temporary folder)")
    parser.add_argument("--json", type=pathlib.Path, help="where all figures are written (results/door.json; with --quick or --no-write nowhere)")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    options = parser.parse_args()
    full = {"sizes": [100, 100_000, 1_000_000], "usual": 100_000, "subscriptions": [1_000, 10_000], "rounds": 3, "seconds": 3, "documents": 50_000}
    quick = {"sizes": [100, 5_000], "usual": 5_000, "subscriptions": [100], "rounds": 1, "seconds": 1, "documents": 20_000}
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    if options.usual not in options.sizes:
        options.usual = sorted(options.sizes)[len(options.sizes) // 2]
    if not (options.json or options.quick or options.no_write):
        options.json = FIGURES
    conurb = harness.Conurb(options.binary.resolve())
    with contextlib.ExitStack() as stack:
        folder = (options.folder or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conurb-door-")))).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        measurement = run(conurb, options, folder)
    text = doortable.section(measurement)
    print("\n" + text)
    if not options.no_write and not options.quick:
        bench.write_section(text, doortable.MARKS)


if __name__ == "__main__":
    main()
