#!/usr/bin/env python3
"""Measures how many samples a second are taken in over HTTP, durably, in batches of 1,000, with sealing running; writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/ingest.py .build/release/conurb [--batches 200] [--rounds 3] [--connections 4] [--lines 1000000] [--no-write]

Three ways in: a batch upsert of 1,000 entities with one sample each; 1,000 lines of CSV pushed into a source, one of each sensor;
and 1,000 samples of one sensor added to its temporal evolution. The samples are hours old and packed while more arrive: the setting
is an hour, and walks follow one another. Beside each way somebody changes one small entity again and again: how long that takes is how
long the writer is held. Yardstick in the same rounds: a loop of Python and SQLite that inserts the same samples, 1,000 a transaction, each
flushed to disk. Bodies are made before the clock starts.

Then years of hourly readings of some meters come as one CSV through `conurb import`, sorted by time and sorted by meter, and once more.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import bench
import harness
from harness import NGSI_LD

MARKS = ("<!-- ingest: start, written by scripts/bench/ingest.py -->", "<!-- ingest: end -->")
BATCH_COUNT = 1000
ATTRIBUTE = "level"
SETTINGS = {"CONURB_HISTORY_SEAL_AFTER_HOURS": "1", "CONURB_HISTORY_SEAL_ROWS_MIN": "16", "CONURB_HISTORY_SEAL_EVERY_SECONDS": "1"}
PROBE_PAUSE_SECONDS = 0.01
SOURCE = f"""\
id: ingest
title: Sensors of a benchmark
classification: open
format: csv
entity:
  id: "urn:ngsi-ld:Sensor:{{sensor}}"
  type: Sensor
  observedAt: time
attributes:
  {ATTRIBUTE}: {{field: value, as: number, unit: CEL}}
"""


class Samples:
    """Sensors that say a value each minute; each round and way has sensors of its own."""

    def __init__(self, name, first):
        self.name, self.first = name, first

    def value(self, sensor, step):
        return round(20 + (sensor * 7919 + step * 31) % 400 / 10 - 10, 1)

    def time(self, step):
        return (self.first + datetime.timedelta(minutes=step)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def identifier(self, sensor):
        return f"urn:ngsi-ld:Sensor:{self.name}-{sensor}"

    def instance(self, sensor, step):
        return {"type": "Property", "value": self.value(sensor, step), "unitCode": "CEL", "observedAt": self.time(step)}

    def upsert(self, step):
        entities = [{"id": self.identifier(sensor), "type": "Sensor", ATTRIBUTE: self.instance(sensor, step)} for sensor in range(BATCH_COUNT)]
        return "POST", NGSI_LD + "/entityOperations/upsert?options=update", json.dumps(entities), "application/json"

    def push(self, step):
        lines = ["sensor,time,value"] + [f"{self.name}-{sensor},{self.time(step)},{self.value(sensor, step)}" for sensor in range(BATCH_COUNT)]
        return "POST", "/sources/ingest/data", "\n".join(lines) + "\n", "text/csv"

    def evolution(self, sensor):
        document = {"id": self.identifier(sensor), "type": "Sensor", ATTRIBUTE: [self.instance(sensor, step) for step in range(BATCH_COUNT)]}
        return "POST", NGSI_LD + "/temporal/entities", json.dumps(document), "application/json"


WAYS = {"batch upsert, one sample of each of 1,000 entities": "upsert", "CSV pushed into a source, one line of each of 1,000 sensors": "push",
        "temporal evolution, 1,000 samples of one sensor": "evolution"}


def send(port, requests, times):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    for method, path, body, media_type in requests:
        started = time.monotonic()
        connection.request(method, path, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201, 204):
            sys.exit(f"{path} gave {answer.status}: {text[:300]}")
        times.append((time.monotonic() - started) * 1000)


def probe(port, is_over, times):
    """One small change after the other, each on its way for as long as the writer lets it wait."""
    connection, number = http.client.HTTPConnection("127.0.0.1", port, timeout=300), 0
    while not is_over.wait(PROBE_PAUSE_SECONDS):
        number += 1
        document = {"id": "urn:ngsi-ld:Lamp:probe", "type": "Lamp", "level": {"type": "Property", "value": number}}
        started = time.monotonic()
        connection.request("POST", NGSI_LD + "/entityOperations/upsert", json.dumps([document]), {"Content-Type": "application/json"})
        connection.getresponse().read()
        times.append((time.monotonic() - started) * 1000)


def measured(port, requests, connection_count):
    """Samples a second, milliseconds of each batch, milliseconds of each small change beside them."""
    parts, times, probed = [requests[number::connection_count] for number in range(connection_count)], [], []
    over = threading.Event()
    prober = threading.Thread(target=probe, args=(port, over, probed))
    senders = [threading.Thread(target=send, args=(port, part, times)) for part in parts]
    prober.start()
    started = time.monotonic()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.monotonic() - started
    over.set()
    prober.join()
    if len(times) != len(requests):
        sys.exit("a connection broke off")
    return len(requests) * BATCH_COUNT / seconds, times, probed


def plain_sqlite(path, batch_count):
    """Samples a second of a loop that inserts the same samples with the same durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("""CREATE TABLE instance (entity INTEGER, attribute INTEGER, dataset TEXT, at_us INTEGER, late_us INTEGER, form INTEGER,
        value ANY, unit TEXT, PRIMARY KEY (entity, attribute, dataset, at_us, late_us)) WITHOUT ROWID""")
    batches = [[(sensor, 1, "", step * 60_000_000, 7_200_000_000, 8, 20.5, "CEL") for sensor in range(BATCH_COUNT)] for step in range(batch_count)]
    started = time.monotonic()
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?)", batch)
        connection.execute("COMMIT")
    seconds = time.monotonic() - started
    connection.close()
    return batch_count * BATCH_COUNT / seconds


def run(binary, arguments, folder):
    """For each way and for SQLite samples a second of each round; for each way times of batches and of small changes; rows that were sealed."""
    rates, times, probed = {name: [] for name in [*WAYS, "SQLite"]}, {name: [] for name in WAYS}, {name: [] for name in WAYS}
    with harness.Server(folder / "data", binary=binary, environment=SETTINGS) as server:
        answer = server.request("PUT", "/sources/ingest", data=SOURCE, headers={"Content-Type": "application/yaml"})
        if answer.status_code != 204:
            sys.exit(f"the source gave {answer.status_code}: {answer.text}")
        first = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=arguments.batches + BATCH_COUNT + 120)
        for number in range(arguments.rounds):
            for name, way in WAYS.items():
                samples = Samples(f"{way}-{number}", first)
                requests = [getattr(samples, way)(step) for step in range(arguments.batches)]
                rate, batch_times, probe_times = measured(server.port, requests, arguments.connections)
                print(f"round {number + 1}: {name}: {rate:,.0f} samples/s, p99 {bench.quantile(sorted(batch_times), 0.99):.0f} ms, "
                      f"small changes p99 {bench.quantile(sorted(probe_times), 0.99):.1f} ms", flush=True)
                rates[name].append(rate)
                times[name] += batch_times
                probed[name] += probe_times
            rates["SQLite"].append(plain_sqlite(folder / f"plain-{number}.sqlite", arguments.batches))
            print(f"round {number + 1}: SQLite: {rates['SQLite'][-1]:,.0f} samples/s", flush=True)
        sealed = sum(int(count) for count in re.findall(r'history was sealed.*?rows"?[=:]\s*"?(\d+)', server.log_path.read_text()))
        resident = server.resident_bytes(peak=True)
    checked = harness.Conurb(binary).verify(folder / "data")
    if checked.returncode != 0:
        sys.exit(f"verify: {checked.stdout}{checked.stderr}")
    return rates, times, probed, sealed, resident


METER_COUNT = 20
METERS = """\
id: meters
title: Meters of a benchmark
classification: open
format: csv
entity: {id: 'urn:ngsi-ld:Meter:{meter}', type: Meter, observedAt: time}
attributes:
  energy: {field: energy, as: number, unit: KWH}
"""


def write_meters(path, line_count, is_by_meter):
    hours, first = line_count // METER_COUNT, datetime.datetime(2015, 1, 1)
    times = [(first + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in range(hours)]

    def line(meter, hour):
        return f"{meter},{times[hour]},{meter * 1000 + hour * 37 % 900 / 10 + hour:.1f}\n"
    with open(path, "w") as file:
        file.write("meter,time,energy\n")
        if is_by_meter:
            file.writelines(line(meter, hour) for meter in range(METER_COUNT) for hour in range(hours))
        else:
            file.writelines(line(meter, hour) for hour in range(hours) for meter in range(METER_COUNT))


def imported(binary, folder, name, file):
    """Seconds, peak resident bytes and the last line of `conurb import` into a municipality."""
    started = time.monotonic()
    with open(folder / "import.log", "wb") as log:
        process = subprocess.Popen([binary, "import", "--data", folder / "imports", "--municipality", name, "--create", "--source",
                                    folder / "meters.yaml", file], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                                   env=harness.clean_environment())
        _, status, usage = os.wait4(process.pid, 0)
    text = (folder / "import.log").read_text()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"import failed:\n{text[-2000:]}")
    return time.monotonic() - started, usage.ru_maxrss * 1024, text.strip().splitlines()[-1]


def imports(binary, folder, line_count):
    """Rows of a table: for each order of lines seconds and peak memory of the import and of the same again; bytes on disk."""
    (folder / "meters.yaml").write_text(METERS)
    rows = []
    for order, is_by_meter in (("time", False), ("meter", True)):
        file, name = folder / f"{order}.csv", f"by-{order}"
        write_meters(file, line_count, is_by_meter)
        first, second = imported(binary, folder, name, file), imported(binary, folder, name, file)
        if " 0 unchanged" not in first[2] or " 0 accepted" not in second[2]:
            sys.exit(f"{first[2]}; again: {second[2]}")
        size = bench.bytes_on_disk(folder / "imports" / name)
        print(f"import by {order}: {first[0]:.1f} s, again {second[0]:.1f} s", flush=True)
        rows.append(f"| {order} | {first[0]:.1f} s | {line_count / first[0]:,.0f} | {first[1] / 1024 ** 2:.0f} MiB | {second[0]:.1f} s | "
                    f"{size / line_count:.1f} |")
        file.unlink()
    return rows


def section(arguments, version, rates, times, probed, sealed, resident, import_rows):
    plain = statistics.median(rates["SQLite"])

    def row(name):
        rate, (batches, changes) = statistics.median(rates[name]), (sorted(times[name]), sorted(probed[name]))
        return (f"| {name} | {rate:,.0f} | {rate / plain:.2f} | {bench.quantile(batches, 0.5):.0f} / {bench.quantile(batches, 0.99):.0f} ms | "
                f"{bench.quantile(changes, 0.5):.1f} / {bench.quantile(changes, 0.99):.1f} ms |")
    return f"""\
## Samples over HTTP

Taken on {datetime.date.today().isoformat()} with {version} on {bench.machine()} by `scripts/bench/ingest.py`, medians of {arguments.rounds} rounds of
{arguments.batches} batches of 1,000 samples on {arguments.connections} connections; client and server share the cores with
whatever else ran (the load average was {arguments.load:.1f} before it). Each answer follows the flush to disk. Sealing
runs all the while: it packed {sealed:,} rows. A loop of SQLite that inserts the same samples, 1,000 a transaction with the same durability, makes
{plain:,.0f} a second. Besides, one small entity is changed again and again: what that takes is how long the writer is held.

| way in | samples/s | to SQLite | a batch, p50 / p99 | a small change meanwhile, p50 / p99 |
|---|---:|---:|---:|---:|
{chr(10).join(row(name) for name in WAYS)}

Peak resident memory of the server: {resident / 1024 ** 2:.0f} MiB. `verify` found nothing amiss.

`conurb import` of a CSV of {arguments.lines:,} hourly readings of {METER_COUNT} meters, which are packed as they arrive; the time of a start of the program is in it:

| sorted by | first import | lines/s | peak memory | again, changing nothing | bytes a reading on disk |
|---|---:|---:|---:|---:|---:|
{chr(10).join(import_rows)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the imported file")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    binary, arguments.load = arguments.binary.resolve(), os.getloadavg()[0]
    version = harness.Conurb(binary).run("version").stdout.strip().splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="conurb-ingest-") as folder:
        folder = pathlib.Path(folder)
        figures = run(binary, arguments, folder)
        text = section(arguments, version, *figures, imports(binary, folder, arguments.lines))
    print("\n" + text)
    if not arguments.no_write:
        bench.write_section(text, MARKS)


if __name__ == "__main__":
    main()
