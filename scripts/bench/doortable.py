#!/usr/bin/env python3
"""Tells what scripts/bench/door.py measured: as lines, as a section of docs/benchmarks.md, and whether the goals are reached.

    .venv/bin/python scripts/bench/doortable.py results/door.json      ends with 1 and a line for each goal that was not reached
"""

import dataclasses
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "acceptance"))

from shapes import SHAPES

MARKS = ("<!-- door: start, written by scripts/bench/door.py -->", "<!-- door: end -->")
PAGE_TO_NGINX_MIN, RETRIEVE_TO_NGINX_MIN = 0.30, 0.40
CREATE_TO_SQLITE_MIN, BATCH_TO_SQLITE_MIN = 0.15, 0.30
FLAT_SHARE_MIN = 0.85
P99_MILLISECONDS_MAX, RESIDENT_MEBI_MAX, START_MILLISECONDS_MAX = 10, 150, 100
MEBI = 1024 ** 2
# Their goal is of requests only, since a part of their time is the disk's. Of reads both ratios must reach it: on a busy machine wrk holds nginx
# up more than the server, which flatters the ratio of requests.
WITH_FLUSH = {name for name, shape in SHAPES.items() if shape.writes}


@dataclasses.dataclass(frozen=True)
class Goal:
    name: str
    wanted: str
    measured: str
    is_reached: bool

    def __str__(self):
        return f"{'reached' if self.is_reached else 'NOT reached'}: {self.name}: {self.measured}; wanted: {self.wanted}"


def goals(measurement):
    """Those of which something was measured."""
    rows, usual, sizes = measurement["rows"], measurement["usual"], measurement["sizes"]

    def row(shape, connections, entities=usual):
        return next((row for row in rows if (row["shape"], row["connections"], row["entities"], row["subscriptions"]) == (shape, connections, entities, 0)), None)

    def at_least(name, found, least, yardstick):
        if found:
            share = found["ratio"] if found["shape"] in WITH_FLUSH else min(found["ratio"], found["processorRatio"])
            yield Goal(f"{name}, {usual:,} entities", f"at least {least:.2f} of {yardstick}",
                       f"{found['ratio']:.3f} of its rate, {found['processorRatio']:.3f} by processor time", share >= least)

    yield from at_least("page of 20 by type", row("page", 50), PAGE_TO_NGINX_MIN, "nginx")
    yield from at_least("the same, each answer made anew", row("page-anew", 50), PAGE_TO_NGINX_MIN, "nginx")
    ends = row("page-anew", 50, min(sizes)), row("page-anew", 50, max(sizes))
    if all(ends) and min(sizes) != max(sizes):
        share = min(ends[1][key] / ends[0][key] for key in ("ratio", "processorRatio"))
        yield Goal(f"page of 20 by type, made anew, {max(sizes):,} entities to {min(sizes):,}", f"at least {FLAT_SHARE_MIN:.2f}", f"{share:.2f}", share >= FLAT_SHARE_MIN)
    yield from at_least("one by identifier", row("retrieve", 50), RETRIEVE_TO_NGINX_MIN, "nginx")
    yield from at_least("single creates on 64 connections", row("create", 64), CREATE_TO_SQLITE_MIN, "SQLite")
    yield from at_least("batches of 1,000", next((row for row in rows if row["shape"] == "batch-1000" and row["entities"] == usual and not row["subscriptions"]), None),
                     BATCH_TO_SQLITE_MIN, "SQLite")
    singles = [row for row in rows if row["connections"] == 50 and not SHAPES[row["shape"]].is_batch]
    if singles:
        slowest = max(singles, key=lambda row: row["p99"])
        yield Goal(f"p99 on 50 connections, the slowest of {len(singles)} without batches", f"below {P99_MILLISECONDS_MAX} ms",
                   f"{slowest['p99']:.1f} ms ({SHAPES[slowest['shape']].title}, {slowest['entities']:,} entities, {slowest['subscriptions']:,} subscriptions)",
                   slowest["p99"] < P99_MILLISECONDS_MAX)
    for memory in measurement["memory"]:
        if memory["entities"] == usual and memory["subscriptions"] == 0:
            resident = memory["resident"] / MEBI
            yield Goal(f"resident memory after all shapes, {usual:,} entities", f"under {RESIDENT_MEBI_MAX} MiB", f"{resident:.0f} MiB", resident < RESIDENT_MEBI_MAX)
    if starts := measurement["startMilliseconds"]:
        start = statistics.median(starts)
        yield Goal(f"start to first answer, {max(sizes):,} entities", f"under {START_MILLISECONDS_MAX} ms", f"{start:.0f} ms", start < START_MILLISECONDS_MAX)


def rate(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def documents_note(row):
    return f" ({row['requestsPerSecond'] * row['documents']:,.0f} documents/s)" if row["documents"] > 1 else ""


def line(row):
    """One row for the terminal."""
    return (f"  {SHAPES[row['shape']].title}, {row['connections']} connections: {rate(row['requestsPerSecond'])}/s{documents_note(row)}, p50 {row['p50']:.2f} ms, "
            f"p99 {row['p99']:.2f} ms; yardstick {rate(row['yardstickPerSecond'])}/s, ratio {row['ratio']:.3f} ({row['ratioMin']:.3f} to {row['ratioMax']:.3f}); "
            f"processor {row['processorMicroseconds']:.0f} µs to {row['yardstickMicroseconds']:.1f}, ratio {row['processorRatio']:.3f}; "
            f"busy {row['serverCoreBusy']:.0%} and {row['askingCoreBusy']:.0%}")


def table(rows, varied):
    """Rows of docs/benchmarks.md; `varied` names the column that tells them apart: entities, connections or subscriptions."""
    lines = [f"| shape | {varied} | requests/s | p50 / p99 | yardstick/s | ratio of requests | ratio of processor time | cores busy |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in sorted(rows, key=lambda row: (list(SHAPES).index(row["shape"]), row[varied])):
        lines.append(
            f"| {SHAPES[row['shape']].title} | {row[varied]:,} | {rate(row['requestsPerSecond'])}{documents_note(row)} | {row['p50']:.2f} / {row['p99']:.2f} ms | "
            f"{rate(row['yardstickPerSecond'])} | **{row['ratio']:.3f}** ({row['ratioMin']:.3f} to {row['ratioMax']:.3f}) | "
            f"**{row['processorRatio']:.3f}** ({rate(row['yardstickMicroseconds'])} to {row['processorMicroseconds']:,.0f} µs) | {row['serverCoreBusy']:.0%}, {row['askingCoreBusy']:.0%} |")
    return "\n".join(lines)


def section(measurement):
    rows, usual = measurement["rows"], measurement["usual"]
    plain = [row for row in rows if row["subscriptions"] == 0]
    varied = [row for row in plain if row["entities"] == usual]
    asked_variously = {row["shape"] for row in varied if row["connections"] not in (50, 4)}
    subscribed = {row["shape"] for row in rows if row["subscriptions"]}
    page_bytes = next((row["bytes"] for row in rows if row["shape"] == "page"), 0)
    reached = "\n".join(f"| {goal.name} | {goal.wanted} | {goal.measured} | {'reached' if goal.is_reached else '**not reached**'} |" for goal in goals(measurement))
    memory = "\n".join(f"| {some['entities']:,} | {some['subscriptions']:,} | {some['resident'] / MEBI:.0f} MiB | {some['peak'] / MEBI:.0f} MiB |" for some in measurement["memory"])
    starts = sorted(measurement["startMilliseconds"])
    by_subscriptions = "None were made in this run." if not subscribed else table([row for row in rows if row["entities"] == usual and row["shape"] in subscribed and row["connections"] in (50, 4)], "subscriptions")
    return f"""\
## At the HTTP door

Taken on {measurement['date']} with {measurement['version']} on {measurement['machine']} by `scripts/bench/door.py`; appending 4,096 bytes and flushing
them takes this disk {measurement['flushMicroseconds'] / 1000:.2f} ms (median). The load average was {measurement['load']:.1f} before it. The server runs on one core, with history on and each write
flushed before its answer, as it comes; access is open, as on a developer's machine. wrk asks from the other core, as fast as the answers come. Medians of {measurement['roundCount']} rounds of
{measurement['roundSeconds']} s each, the yardstick right after the server in each round and on the same core:

- for reads nginx with one worker, which serves the bytes of one such answer as a static file, to as many connections;
- for writes `conurb bench yardstick`, which inserts the same documents with SQLite in one transaction and flushes it: of a batch its entities, of a
  merge-patch or an append the body;
- for the mixture the time that four answers of nginx and one insert take.

The page of 20 by type is asked with the same bytes each time, as nginx is asked for its file: the server gives such an answer again within the second, unless
something was written since (`http.microcacheBytesMax`). In the row below it each request has another header, so that each answer is made anew; a page with a
user's context and a simplified one are asked with the same bytes too. Entities by identifier are asked with the same headers each time, as one program asks that goes through many: how they are answered is worked out once
a second; in the row below it each has another header. All other requests differ as their values do, which among 100 entities come again within a second.

A page of 20 entities of five attributes has {page_bytes:,} bytes. Identifiers, boxes and values are random by a seed. Every shape is measured at every size; connections and
subscriptions are varied each alone, where they matter: all of it crossed would take days. In brackets are the least and the
greatest ratio of a round, and the processor time of a request, the kernel's with it, at the yardstick and at the server; "cores busy" is the server's and wrk's while the server is asked. Where
wrk's is busy on other work, nginx has to wait for wrk more than the server does: then the ratio of processor time is the one to believe. p50 and p99 are as wrk corrects
them. An answer other than 2xx, or 207, ends the run.

{reached and '| goal | wanted | measured | |' + chr(10) + '|---|---|---|---|' + chr(10) + reached}

All shapes on 50 connections (batches of 1,000 on 4), no subscriptions. Creates and batches add to the entities, so they come last:

{table([row for row in plain if row['connections'] == 50 or row['shape'] == 'batch-1000'], 'entities')}

Connections, {usual:,} entities, no subscriptions:

{table([row for row in varied if row['shape'] in asked_variously], 'connections')}

Subscriptions on the attribute that is written, which ask for values and places that don't come, {usual:,} entities, 50 connections. Reads don't look at them; the page
stands for all reads:

{by_subscriptions}

Resident memory of the server at the end of all that it was asked, and its peak:

| entities | subscriptions | at the end | peak |
|---:|---:|---:|---:|
{memory}

From the start of the process to the end of the first answer with an entity, with {max(measurement['sizes']):,} entities in the file, in the operating system's cache:
{statistics.median(starts):.0f} ms ({starts[0]:.0f} to {starts[-1]:.0f}, {len(starts)} starts).
"""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    measurement = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(f"Measured on {measurement['date']} with {measurement['version']} on {measurement['machine']}:")
    told = list(goals(measurement))
    if not told:
        sys.exit("no goal was measured: none of what they ask for is among these figures")
    for goal in told:
        print(goal)
    sys.exit(0 if all(goal.is_reached for goal in told) else 1)


if __name__ == "__main__":
    main()
