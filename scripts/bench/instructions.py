#!/usr/bin/env python3
"""Counts the processor's instructions that the server takes for each of some requests, and holds them against ceilings.

    .venv/bin/python scripts/bench/instructions.py .build/release/conurb [--write] [--only page,create] [--keep FOLDER]

Unlike seconds, instructions are much the same on any machine and whatever else it does, so that a slow-down fails the build
(Tests/acceptance/test_instructions.py). The server as it is shipped runs under callgrind and is asked over HTTP on one connection; what the kernel
does is not counted. Ceilings are in Tests/instructions.json: a fifth above what was counted when they were written. `--write` writes
them anew; whoever lets one rise says in the commit what it buys. `--keep` leaves callgrind's files, for callgrind_annotate.
"""

import argparse
import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import harness
import shapes
from harness import NGSI_LD
from shapes import SHAPES

CEILINGS = PROJECT / "Tests" / "instructions.json"
ENTITY_COUNT = 400
WARM_UP_COUNT, ASKED_COUNT = 30, 50
# A batch is as many requests in one.
BATCH_WARM_UP_COUNT, BATCH_ASKED_COUNT = 3, 5
ALIKE_ASKED_COUNT = 1000
SLACK = 1.2
START_SECONDS_MAX = 180
NEEDED = ("valgrind", "callgrind_control", "gcc", "objcopy")


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    request: shapes.Request
    status: int
    # Whether requests have the same headers: then most are answered with what was answered before, or was worked out for it (`http.microcacheBytesMax`).
    are_alike: bool = False

    @property
    def counts(self):
        if self.are_alike:
            return (WARM_UP_COUNT, ALIKE_ASKED_COUNT)
        return (BATCH_WARM_UP_COUNT, BATCH_ASKED_COUNT) if self.request.document_count > 1 else (WARM_UP_COUNT, ASKED_COUNT)


def of_shape(name, status=200):
    return Operation(name, SHAPES[name].requests[0], status)


TEMPORAL = shapes.Request("GET", shapes.TEMPORAL + "/urn:ngsi-ld:Device:{any}?attrs=value&lastN=10&options=temporalValues")
MISSING = shapes.Request("GET", NGSI_LD + "/entities/urn:ngsi-ld:Device:none")
# What makes entities comes last, so that the others find as many as are said.
OPERATIONS = (
    of_shape("page"), dataclasses.replace(of_shape("page"), name="page-repeated", are_alike=True), of_shape("retrieve"),
    dataclasses.replace(of_shape("retrieve"), name="retrieve-alike", are_alike=True), of_shape("q"), of_shape("box"), of_shape("simplified"),
    Operation("temporal", TEMPORAL, 200), Operation("missing", MISSING, 404), of_shape("patch", 204), of_shape("append", 204), of_shape("create", 201), of_shape("batch-20", 201))


def missing_tools():
    return [tool for tool in NEEDED if shutil.which(tool) is None]


class CountedServer(harness.Server):
    """A server under callgrind, which counts while it is told to."""

    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        preloaded, bare, start = self.folder / "mainqueue.so", self.folder / "conurb", self.folder / "start"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", preloaded, pathlib.Path(__file__).with_name("mainqueue.c")], check=True)
        # Valgrind gives up on the debugging information of some compilers.
        subprocess.run(["objcopy", "--strip-debug", binary, bare], check=True)
        start.write_text(f"#!/bin/sh\nLD_PRELOAD={preloaded} exec valgrind --tool=callgrind --instr-atstart=no "
                         f"--callgrind-out-file={self.folder}/counts {bare} \"$@\"\n")
        start.chmod(0o755)
        # Under callgrind everything takes fifty times as long, and what is broken off for that would be counted twice.
        super().__init__(self.folder / "data", binary=start, environment={"CONURB_QUERY_PROMPT_MILLISECONDS_MAX": "1000"}, start_seconds_max=START_SECONDS_MAX)

    def control(self, *options):
        subprocess.run(["callgrind_control", *options, str(self.process.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def counted(self, name, ask):
        """The instructions that all threads took while it was asked."""
        for before in self.folder.glob("counts.*"):
            before.unlink()
        self.control("-i", "on")
        ask()
        self.control("-i", "off")
        self.control(f"--dump={name}")
        dumps = sorted(self.folder.glob("counts.*"))
        return sum(int(total) for dump in dumps for total in re.findall(r"^totals: (\d+)$", dump.read_text(errors="replace"), re.M))


def fill(server):
    """The entities that scripts/bench/door.py imports."""
    entities = []
    for number, name, about, value, time, west, south in shapes.rows(ENTITY_COUNT):
        entity = json.loads(shapes.sample(shapes.entity(number), ENTITY_COUNT))
        for attribute, shown in (("name", name), ("description", about), ("serialNumber", number)):
            entity[attribute]["value"] = shown
        entity["value"] |= {"value": value, "observedAt": time}
        entity["location"]["value"]["coordinates"] = [west, south]
        entities.append(entity)
    answer = server.request("POST", shapes.UPSERT, json=entities, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text


def ask(connection, operation, first, count):
    """Asks so often, each time with other values, on a connection that is kept."""
    request = operation.request
    for number in range(first, first + count):
        documents = [shapes.sample(request.document, ENTITY_COUNT, number * 1000 + part) for part in range(request.document_count)]
        body = f"[{','.join(documents)}]" if len(documents) > 1 else "".join(documents)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))} if documents else {}
        if not operation.are_alike:
            headers["X-Request-Id"] = str(number)
        connection.request(request.method, shapes.sample(request.path, ENTITY_COUNT, number), body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == operation.status, (operation.name, answer.status, text[:300])


def count(binary, names=None, keep=None):
    """Instructions per request, by name."""
    counts = {}
    with tempfile.TemporaryDirectory(prefix="conurb-instructions-") as folder, CountedServer(binary, folder) as server:
        fill(server)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        for operation in OPERATIONS:
            if names and operation.name not in names:
                continue
            warm_up, asked = operation.counts
            ask(connection, operation, 0, warm_up)
            total = server.counted(operation.name, lambda: ask(connection, operation, warm_up, asked))
            counts[operation.name] = round(total / asked)
            if keep:
                for dump in pathlib.Path(folder).glob("counts.*"):
                    shutil.copy(dump, pathlib.Path(keep) / f"{operation.name}.callgrind")
        connection.close()
    return counts


def ceilings():
    return json.loads(CEILINGS.read_text())


def least(binary, rounds=3):
    """The same, and of what was above its ceiling the least of some counts: what the server does of itself now and then falls into one or another."""
    counts = count(binary)
    for _ in range(rounds - 1):
        again = [name for name, counted in counts.items() if counted > ceilings().get(name, counted)]
        if not again:
            break
        counts |= {name: min(counts[name], counted) for name, counted in count(binary, again).items()}
    return counts


def above(counts):
    """What is over its ceiling, in words."""
    allowed = ceilings()
    return [f"{name}: {counted:,} instructions, where {allowed.get(name, 0):,} are allowed" for name, counted in counts.items()
            if counted > allowed.get(name, 0)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--write", action="store_true", help="write the ceilings anew")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of operations: " + ", ".join(o.name for o in OPERATIONS))
    parser.add_argument("--keep", help="a folder for callgrind's files")
    options = parser.parse_args()
    if missing := missing_tools():
        sys.exit(f"needs {', '.join(missing)} (scripts/install-dependencies test)")
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    counts = count(options.binary, options.only, options.keep)
    known = ceilings() if CEILINGS.exists() else {}
    for name, counted in counts.items():
        print(f"{name:12} {counted:>12,}" + (f"   ceiling {known[name]:>12,}" if name in known else ""))
    if options.write:
        CEILINGS.write_text(json.dumps(known | {name: int(round(counted * SLACK, -3)) for name, counted in counts.items()}, indent=2) + "\n")
    elif faults := above(counts):
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
