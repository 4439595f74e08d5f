#!/usr/bin/env python3
"""Measures one municipality with many entities, beside two yardsticks in the same run, and writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/bench.py .build/release/conurb [--entities 1000000] [--requests 2000] [--no-write]

1. A CSV of as many rows as entities is made and brought in with `conurb import`: rows/s and peak memory. Beside it, a plain
   SQLite loop inserts the same documents in one transaction.
2. The server is asked for pages of 20, by type, by identifier, by bounding box and by a value, first with a small
   municipality and then with the full one: p50 and p99 of sequential requests on one connection, and resident memory.
   Beside it, nginx serves the same bytes as a static file to the same client.

Absolute figures belong to the machine they were taken on. What can be compared is the ratio to the yardstick, and the small
municipality with the full one: the cost of a page must not grow with the number of entities.
"""

import argparse
import contextlib
import csv
import datetime
import json
import os
import pathlib
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "Tests" / "acceptance"))

import harness
import sections
from harness import NGSI_LD

REPORT = PROJECT / "docs" / "benchmarks.md"
MARK_START, MARK_END = "<!-- million: start, written by scripts/bench/bench.py -->", "<!-- million: end -->"
SMALL_ENTITY_COUNT = 10_000
PAGE_ENTITY_COUNT = 20
WARM_UP_COUNT = 200
MUNICIPALITY = "bench"
RESIDENT_MEBI_MAX = 400
# Sensors stand on a square grid of this spacing, so that a box of a given size holds the same number at every scale.
DEGREES_BETWEEN = 0.0005
KINDS = ("temperature", "noise", "level", "count")

SOURCE = """\
id: sensors
title: Sensors of a benchmark
steward: Benchmark
licence: CC0-1.0
classification: open
format: csv
entity:
  id: "urn:ngsi-ld:Device:{number}"
  type: Device
attributes:
  name: {field: name}
  category: {field: kind}
  serialNumber: {field: number, as: integer}
  value: {field: value, as: number, unit: CEL}
  location: {point: {x: lon, y: lat}}
"""


# Made-up data


def rows(count, seed=1):
    """`number, name, kind, value, lon, lat`; the same for the same seed."""
    chance = random.Random(seed)
    width = max(1, int(count ** 0.5))
    for number in range(count):
        yield (number, f"Sensor {number:07d}", KINDS[number % len(KINDS)], round(chance.uniform(-10, 40), 2),
               round(2 + (number % width) * DEGREES_BETWEEN, 6), round(40 + (number // width) * DEGREES_BETWEEN, 6))


def document(row):
    """The same record as the NGSI-LD entity that the source makes of it."""
    number, name, kind, value, longitude, latitude = row
    return json.dumps({
        "id": f"urn:ngsi-ld:Device:{number}", "type": "Device", "name": {"type": "Property", "value": name},
        "category": {"type": "Property", "value": kind}, "serialNumber": {"type": "Property", "value": number},
        "value": {"type": "Property", "value": value, "unitCode": "CEL"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [longitude, latitude]}}}, separators=(",", ":"))


def write_csv(path, count):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("number", "name", "kind", "value", "lon", "lat"))
        writer.writerows(rows(count))


# Import


def measured_import(conurb, data, source, file, log):
    """Seconds, peak resident bytes of `conurb import`, which must end with 0."""
    made = conurb.create_municipality(data, MUNICIPALITY)
    if made.returncode != 0:
        sys.exit(f"municipality create failed: {made.stderr}")
    started = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen([conurb.binary, "import", "--data", data, "--municipality", MUNICIPALITY, "--source", source, file],
                                   stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=harness.clean_environment())
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"import failed:\n{pathlib.Path(log).read_text()[-2000:]}")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def bytes_on_disk(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def yardstick(conurb, folder, documents=None):
    """What `conurb bench yardstick` says: of a file of documents, one a line, what SQLite itself takes to insert them; else of the machine and its disk."""
    told = conurb.run("bench", "yardstick", *([documents] if documents else []), "--folder", folder)
    if told.returncode != 0:
        sys.exit(f"conurb bench yardstick failed: {told.stderr}")
    return json.loads(told.stdout)


def plain_sqlite_seconds(conurb, folder, count):
    """What SQLite itself costs for the same documents, with the same durability."""
    documents = folder / "documents"
    with open(documents, "w") as file:
        file.writelines(document(row) + "\n" for row in rows(count))
    seconds = yardstick(conurb, folder, documents)["seconds"]
    documents.unlink()
    return seconds


# Requests


class Connection:
    """One kept-alive HTTP/1.1 connection with as little of its own as possible, so that the server is what is measured."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def get(self, path):
        """Status and body."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nNGSILD-Tenant: {MUNICIPALITY}\r\n"
                            "Accept: application/json\r\n\r\n".encode())
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.receive()
        head = bytes(self.buffer[:end]).lower()
        del self.buffer[:end + 4]
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in head:
            return status, self.chunked_body()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return status, self.take(length)

    def chunked_body(self):
        body = b""
        while True:
            while (end := self.buffer.find(b"\r\n")) < 0:
                self.receive()
            size = int(bytes(self.buffer[:end]).split(b";")[0], 16)
            del self.buffer[:end + 2]
            body += self.take(size)
            self.take(2)
            if size == 0:
                return body

    def take(self, count):
        while len(self.buffer) < count:
            self.receive()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def receive(self):
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.buffer += part


def queries(count, chance):
    """For each kind of page a function that makes its next address. `count` is the number of entities there are."""
    page = f"limit={PAGE_ENTITY_COUNT}"
    width = max(1, int(count ** 0.5))
    side = 4.5 * DEGREES_BETWEEN  # a box of 5 by 5 sensors

    def box():
        west = 2 + chance.randrange(max(1, width - 5)) * DEGREES_BETWEEN - DEGREES_BETWEEN / 4
        south = 40 + chance.randrange(max(1, width - 5)) * DEGREES_BETWEEN - DEGREES_BETWEEN / 4
        ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
        coordinates = urllib.parse.quote(json.dumps([[[round(x, 6), round(y, 6)] for x, y in ring]], separators=(",", ":")))
        return f"/entities?type=Device&georel=within&geometry=Polygon&coordinates={coordinates}&{page}"

    def identifiers():
        return ",".join(f"urn:ngsi-ld:Device:{chance.randrange(count)}" for _ in range(PAGE_ENTITY_COUNT))

    def span():
        low = chance.randrange(max(1, count - 20))
        return urllib.parse.quote(f"serialNumber>={low};serialNumber<{low + 20}")

    return {
        "by type, first page": lambda: f"/entities?type=Device&{page}",
        "by type, a later page": lambda: f"/entities?type=Device&{page}&offset={PAGE_ENTITY_COUNT * chance.randrange(1, 50)}",
        "one entity by identifier": lambda: f"/entities/urn:ngsi-ld:Device:{chance.randrange(count)}",
        "20 entities by identifier": lambda: f"/entities?type=Device&id={identifiers()}&{page}",
        "by bounding box": box,
        "by q, 20 of all match": lambda: f"/entities?type=Device&q={span()}&{page}",
        "by q, a quarter of all match": lambda: f"/entities?type=Device&q=category==%22{chance.choice(KINDS)}%22&{page}",
    }


def latencies(connection, make_path, request_count):
    """Milliseconds of each request, sorted; and the last body."""
    for _ in range(min(WARM_UP_COUNT, request_count)):
        connection.get(make_path())
    times, body = [], b""
    for _ in range(request_count):
        path = make_path()
        started = time.perf_counter()
        status, body = connection.get(path)
        times.append((time.perf_counter() - started) * 1000)
        if status != 200:
            sys.exit(f"GET {path} gave {status}: {body[:500]!r}")
    return sorted(times), body


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def read_through(folder):
    """Brings the files into the operating system's cache, so that no figure depends on which of them happened to be there."""
    for path in folder.rglob("*.sqlite"):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def measure_pages(conurb, data, count, request_count):
    """By kind of page: (p50, p99, body); and the peak resident bytes of the server over all of them."""
    read_through(pathlib.Path(data))
    chance = random.Random(7)
    with harness.Server(data, binary=conurb.binary) as server:
        found = server.count(MUNICIPALITY, type="Device")
        if found != count:
            sys.exit(f"{found} entities are there instead of {count}")
        connection = Connection(server.port)
        measured = {}
        for name, make_path in queries(count, chance).items():
            times, body = latencies(connection, lambda: NGSI_LD + make_path(), request_count)
            if b"urn:ngsi-ld:Device:" not in body:
                sys.exit(f"a page {name} is empty: the measurement would be of nothing")
            measured[name] = (quantile(times, 0.5), quantile(times, 0.99), body)
        return measured, server.resident_bytes(peak=True)


@contextlib.contextmanager
def nginx(folder):
    """nginx with one worker, serving `folder`/static. Yields its port, or nothing where nginx is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not program:
        print("SKIPPED: the nginx yardstick, because nginx is not installed")
        yield None
        return
    (folder / "static").mkdir(exist_ok=True)
    os.chmod(folder, 0o755)
    port = harness.free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""\
{user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/json; sendfile on; tcp_nodelay on; keepalive_requests 100000000;
  open_file_cache max=100; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}/static; }} }}
""")
    process = subprocess.Popen([program, "-c", str(configuration), "-e", f"{folder}/nginx.log"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def measure_static(folder, pages, request_count):
    """By kind of page: (p50, p99) of nginx for the same bytes."""
    with nginx(folder) as port:
        if port is None:
            return {}
        measured = {}
        for number, (name, (_, _, body)) in enumerate(pages.items()):
            (folder / "static" / f"{number}.json").write_bytes(body)
            times, _ = latencies(Connection(port), lambda: f"/{number}.json", request_count)
            measured[name] = (quantile(times, 0.5), quantile(times, 0.99))
        return measured


# Telling


def machine():
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(next(line.split()[1] for line in pathlib.Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")))
    kernel = platform.release().split("-")[0]
    return f"{os.cpu_count()} cores ({model}), {memory / 1024 ** 2:.0f} GiB, {platform.system()} {kernel}"


def table(small, full, static, small_count, full_count):
    lines = [f"| page of {PAGE_ENTITY_COUNT} | {small_count:,} entities p50 / p99 | {full_count:,} entities p50 / p99 "
             "| growth of p50 | bytes | nginx p50 / p99 | p50 to nginx |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for name, (p50, p99, body) in full.items():
        before = small[name]
        yardstick = static.get(name)
        lines.append(f"| {name} | {before[0]:.2f} / {before[1]:.2f} ms | {p50:.2f} / {p99:.2f} ms | {p50 / before[0]:.2f} | {len(body):,} | "
                     + (f"{yardstick[0]:.2f} / {yardstick[1]:.2f} ms | {p50 / yardstick[0]:.1f} |" if yardstick else "not measured | |"))
    return "\n".join(lines)


def section(arguments, version, imported, disk_bytes, plain_seconds, small, full, static, resident):
    seconds, peak = imported
    count = arguments.entities
    return f"""\
## One municipality with {count:,} entities

Taken on {datetime.date.today().isoformat()} with {version} on {machine()}. `make bench` repeats it.

Import of a CSV of {count:,} rows: {seconds:.0f} s, **{count / seconds:,.0f} rows/s**, peak memory **{peak / 1024 ** 2:.0f} MiB**.
A plain SQLite loop inserts the same documents in one transaction in {plain_seconds:.1f} s ({count / plain_seconds:,.0f} rows/s);
the import, which also reads, maps, checks, indexes and journals, takes {seconds / plain_seconds:.1f} times as long.
The municipality then takes {disk_bytes / 1024 ** 2:,.0f} MiB on disk, {disk_bytes / count:,.0f} bytes an entity with its five attributes, indexes
and journal.

Pages, {arguments.requests:,} sequential requests each on one connection, the file in the operating system's cache and no cache in front:

{table(small, full, static, min(SMALL_ENTITY_COUNT, count), count)}

Peak resident memory of the server during these requests: **{resident / 1024 ** 2:.0f} MiB** (promised: under {RESIDENT_MEBI_MAX} MiB).
"""


def write_section(text, marks=(MARK_START, MARK_END)):
    sections.write(REPORT, "Benchmarks", text, marks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--folder", type=pathlib.Path, help="where to keep the data of the run (default: a temporary folder)")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    conurb = harness.Conurb(arguments.binary.resolve())
    version = conurb.run("version").stdout.strip().splitlines()[0]

    with contextlib.ExitStack() as stack:
        folder = arguments.folder or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conurb-bench-")))
        folder = folder.resolve()
        folder.mkdir(exist_ok=True)
        source = folder / "sensors.yaml"
        source.write_text(SOURCE)
        pages, imported, resident = {}, None, 0
        for count in sorted({min(SMALL_ENTITY_COUNT, arguments.entities), arguments.entities}):
            file, data = folder / f"{count}.csv", folder / f"data-{count}"
            shutil.rmtree(data, ignore_errors=True)
            write_csv(file, count)
            print(f"importing {count:,} rows", flush=True)
            imported = measured_import(conurb, data, source, file, folder / "import.log")
            print(f"asking for pages among {count:,} entities", flush=True)
            pages[count], resident = measure_pages(conurb, data, count, arguments.requests)
        disk_bytes = bytes_on_disk(data)
        print("measuring the yardsticks", flush=True)
        plain_seconds = plain_sqlite_seconds(conurb, folder, arguments.entities)
        full = pages[arguments.entities]
        static = measure_static(folder, full, arguments.requests)

    text = section(arguments, version, imported, disk_bytes, plain_seconds, pages[min(pages)], full, static, resident)
    print("\n" + text)
    if not arguments.no_write:
        write_section(text)
    if resident > RESIDENT_MEBI_MAX * 1024 ** 2:
        sys.exit(f"resident memory is over {RESIDENT_MEBI_MAX} MiB")


if __name__ == "__main__":
    main()
