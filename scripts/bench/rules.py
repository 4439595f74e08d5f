#!/usr/bin/env python3
"""Measures what rules of access cost: the same requests under more and more of them, in turn, in the same run; writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/rules.py .build/release/conurb [--entities 20000] [--requests 100] [--rounds 5] [--no-write]

The yardstick is the reader of whom rules say "everything up to a class": nothing has to be asked of an entity then.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import bench
import harness
from harness import NGSI_LD

MARKS = ("<!-- rules: start, written by scripts/bench/rules.py -->", "<!-- rules: end -->")
MUNICIPALITY = "alder"
BATCH = 1000
AREA = "[3, 43, 4, 44]"
RULES = {
    "everything up to a class": "{id: a, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: internal}}}",
    "one type is forbidden": "{id: a, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: internal}}},"
                             "{id: b, effect: forbid, who: anyone, actions: all, what: {types: Secret}}",
    "one attribute is forbidden": "{id: a, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: internal}}},"
                                  "{id: b, effect: forbid, who: anyone, actions: all, what: {attributes: a9}}",
    "within an area": "{id: a, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: internal}, within: %s}}" % AREA,
    "places to 500 metres": "{id: a, effect: permit, who: anyone, actions: all, what: {classifications: {upTo: internal}},"
                            " narrow: {place: {roundTo: 500}}}",
}
QUESTIONS = {
    "one entity": "/entities/urn:ngsi-ld:Lamp:{number}",
    "a page of 20 by type": "/entities?type=Lamp&limit=20",
    "a page of 20 by value": "/entities?type=Lamp&q=a1=={value}&limit=20",
    "a page of 20 near a point": "/entities?type=Lamp&georel=near;maxDistance==2000&geometry=Point&coordinates=[3.5,43.5]&limit=20",
    "the count of a type": "/entities?type=Lamp&limit=0&count=true",
}


def entities(first, count, chance):
    for number in range(first, first + count):
        place = {"type": "Point", "coordinates": [round(chance.uniform(3, 4), 6), round(chance.uniform(43, 44), 6)]}
        attributes = {f"a{index}": {"type": "Property", "value": (number * 31 + index) % 1000} for index in range(10)}
        yield {"id": f"urn:ngsi-ld:Lamp:{number}", "type": "Lamp", "location": {"type": "GeoProperty", "value": place}} | attributes


def fill(server, token, count):
    chance = random.Random(1)
    for first in range(0, count, BATCH):
        answer = server.post(NGSI_LD + "/entityOperations/create", list(entities(first, min(BATCH, count - first), chance)),
                             municipality=MUNICIPALITY, token=token)
        if answer.status_code != 201:
            sys.exit(f"creating gave {answer.status_code}: {answer.text[:300]}")


def put_rules(server, token, rules):
    answer = server.request("PUT", f"/municipalities/{MUNICIPALITY}/policies", token=token, json=[{"name": "rules", "text": f"rules: [{rules}]"}])
    if answer.status_code != 204:
        sys.exit(f"rules gave {answer.status_code}: {answer.text[:300]}")


def times(server, token, path, arguments, chance):
    """Milliseconds of each request, and how many bytes the last answer had."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"NGSILD-Tenant": MUNICIPALITY, "Authorization": f"Bearer {token}"}
    taken = []
    for _ in range(arguments.requests):
        target = NGSI_LD + path.format(number=chance.randrange(arguments.entities), value=chance.randrange(1000))
        started = time.perf_counter()
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status != 200:
            sys.exit(f"{target} gave {answer.status}: {body[:300]}")
    connection.close()
    return taken


def measure(server, administrator, reader, arguments):
    """Medians of rounds, by rules and question."""
    found = {(rules, question): [] for rules in RULES for question in QUESTIONS}
    for number in range(arguments.rounds):
        for rules, text in RULES.items():
            put_rules(server, administrator, text + ", {id: run, effect: permit, who: {roles: token-administrator}, actions: all, what: everything}")
            for question, path in QUESTIONS.items():
                found[rules, question].append(statistics.median(times(server, reader, path, arguments, random.Random(number))))
    return {key: statistics.median(values) for key, values in found.items()}


def section(arguments, version, medians):
    plain = next(iter(RULES))

    def cell(rules, question):
        value = medians[rules, question]
        return f"{value:.2f} ms" if rules == plain else f"{value:.2f} ms ({value / medians[plain, question]:.1f})"
    lines = [f"| {rules} | " + " | ".join(cell(rules, question) for question in QUESTIONS) + " |" for rules in RULES]
    return f"""\
## What rules of access cost

Taken on {datetime.date.today().isoformat()} with {version} on {bench.machine()} by `scripts/bench/rules.py`: {arguments.entities:,} entities of ten numbers and a place,
medians of {arguments.rounds} rounds of {arguments.requests} requests on one connection, all rules in turn in each round; client and server share the cores with whatever
else ran (the load average was {arguments.load:.1f} before it). In brackets: to the first line, of which nothing has to be asked of an entity.

| rules say | {" | ".join(QUESTIONS)} |
|---|{"---:|" * len(QUESTIONS)}
{chr(10).join(lines)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    binary, arguments.load = arguments.binary.resolve(), os.getloadavg()[0]
    conurb = harness.Conurb(binary)
    version = conurb.run("version").stdout.strip().splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="conurb-rules-") as data:
        conurb.create_municipality(data, MUNICIPALITY)
        administrator, reader = (conurb.create_token(data, MUNICIPALITY, right) for right in ("administer", "read"))
        with harness.Server(data, binary=binary, open_access=False) as server:
            fill(server, administrator, arguments.entities)
            medians = measure(server, administrator, reader, arguments)
    text = section(arguments, version, medians)
    print(text)
    if not arguments.no_write:
        bench.write_section(text, MARKS)


if __name__ == "__main__":
    main()
