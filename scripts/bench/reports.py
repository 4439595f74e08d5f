#!/usr/bin/env python3
"""Measures a busy hour at the counter: residents file reports while staff work their queues; writes docs/benchmarks.md.

    .venv/bin/python scripts/bench/reports.py .build/release/conurb [--reports 500] [--staff 50] [--seconds 60] [--filed 2000] [--no-write]

The yardstick is `/about`, a page that asks nothing of cases, taken under the same load in the same run.
"""

import argparse
import datetime
import http.client
import io
import os
import pathlib
import random
import re
import statistics
import sys
import threading
import time
import urllib.parse
import uuid

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

from PIL import Image

import bench
import harness
import test_cases

MARKS = ("<!-- reports: start, written by scripts/bench/reports.py -->", "<!-- reports: end -->")


def multipart(fields, photo=None):
    """A form as browsers send it: its media type and its bytes."""
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    if photo:
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="f.photos"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'.encode() + photo + b"\r\n")
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


class Client:
    """One browser: one connection, its cookies, and how long each kind of request took."""

    def __init__(self, port, times, address, cookies=""):
        self.port, self.times, self.address, self.cookies = port, times, address, cookies
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, kind, method, path, body=None, media_type=None):
        headers = {"Cookie": self.cookies, "Origin": f"http://127.0.0.1:{self.port}", "X-Forwarded-For": self.address, "Accept": "text/html"}
        if media_type:
            headers["Content-Type"] = media_type
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        self.times.setdefault(kind, []).append(((time.perf_counter() - started) * 1000, answer.status))
        return answer, text.decode("utf-8", "replace")


def report(client, chance, answers, photo):
    _, page = client.ask("the form of a report", "GET", "/services/pothole?municipality=alder")
    token = re.search(r'name="form" value="([^"]*)"', page).group(1)
    fields = answers | {"form": token, "municipality": "alder", "confirmed": "yes", "f.place.lat": f"{chance.uniform(43.5, 43.7):.6f}", "f.place.lon": f"{chance.uniform(3.8, 4.0):.6f}"}
    media_type, body = multipart(fields, photo)
    answer, text = client.ask("filing it with a photo" if photo else "filing it", "POST", "/services/pothole", body, media_type)
    if answer.status != 303:
        raise RuntimeError(f"filing gave {answer.status}: {text[:300]}")
    return answer.getheader("Location")


def resident(port, number, stop, period, times, answers, photo):
    chance, due = random.Random(number), time.perf_counter() + random.Random(number).uniform(0, period)
    while not stop.wait(max(0, due - time.perf_counter())):
        client = Client(port, times, f"10.{number % 200}.{chance.randrange(250)}.{chance.randrange(250)}")
        target = report(client, chance, answers, photo if chance.random() < .5 else None)
        client.ask("the private page", "GET", urllib.parse.urlsplit(target).path)
        client.ask("/about (yardstick)", "GET", "/about")
        client.connection.close()
        due += period


def clerk(port, number, stop, times, cookies, form):
    chance = random.Random(1000 + number)
    client = Client(port, times, f"10.250.0.{number}", cookies)
    while not stop.wait(chance.uniform(1, 3)):
        answer, page = client.ask("the queue", "GET", chance.choice(["/desk", "/desk?view=overdue", "/desk?service=pothole", f"/desk?page={chance.randrange(10)}"]))
        found = re.findall(r'href="/desk/([0-9A-Z]{8})"', page)
        if answer.status != 200 or not found:
            continue
        reference = chance.choice(found)
        client.ask("a case at the desk", "GET", f"/desk/{reference}")
        if chance.random() < .3:
            media_type, body = multipart({"form": form, "action": "answer", "answer": "We have looked at it and come next week."})
            client.ask("answering", "POST", f"/desk/{reference}", body, media_type)


def jpeg():
    noise = Image.effect_noise((1600, 1200), 60).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=60)
    return out.getvalue()


def run(case, arguments):
    port, answers = case.server.port, case.whole("pothole")
    photo, cookies = jpeg(), "; ".join(f"{one.name}={one.value}" for one in case.clerk.session.cookies)
    chance, scratch = random.Random(7), {}
    for number in range(arguments.filed):
        report(Client(port, scratch, f"10.1.{number // 250}.{number % 250}"), chance, answers, None)
    first = re.search(r'href="/desk/([0-9A-Z]{8})"', case.clerk.get("/desk").text).group(1)
    form = case.clerk.field(f"/desk/{first}", "form")
    times, stop = {}, threading.Event()
    workers = 25
    period = workers * 60 / arguments.reports
    threads = [threading.Thread(target=resident, args=(port, number, stop, period, times, answers, photo), daemon=True) for number in range(workers)]
    threads += [threading.Thread(target=clerk, args=(port, number, stop, times, cookies, form), daemon=True) for number in range(arguments.staff)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(arguments.seconds)
    stop.set()
    for thread in threads:
        thread.join(timeout=60)
    return times, time.perf_counter() - started, case.server.resident_bytes()


def section(arguments, version, times, seconds, resident_bytes, size):
    rows = []
    for kind in ["the form of a report", "filing it", "filing it with a photo", "the private page", "the queue", "a case at the desk", "answering", "/about (yardstick)"]:
        taken = [ms for ms, _ in times.get(kind, [])]
        bad = sum(status >= 400 for _, status in times.get(kind, []))
        if taken:
            rows.append(f"| {kind} | {len(taken):,} | {statistics.median(taken):.1f} ms | {statistics.quantiles(taken, n=100)[98]:.1f} ms | {bad} |")
    filed = sum(len(times.get(kind, [])) for kind in ("filing it", "filing it with a photo"))
    return f"""\
## Reports and the desk at a busy hour

Taken on {datetime.date.today().isoformat()} with {version} on {bench.machine()} by `scripts/bench/reports.py`: {arguments.filed:,} open cases, then for {seconds:.0f} s
{filed / seconds * 60:.0f} reports a minute, half of them with a photo of {size:,} bytes, while {arguments.staff} sessions of staff look at their queues, open cases and answer. Clients and server
share the cores with whatever else ran (the load average was {arguments.load:.1f} before it). {resident_bytes / 2**20:.0f} MiB resident at the end. Refused: answers of 400 and above.

| request | count | median | p99 | refused |
|---|---:|---:|---:|---:|
{chr(10).join(rows)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--reports", type=int, default=500, help="a minute")
    parser.add_argument("--staff", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--filed", type=int, default=2000, help="cases that are open before it begins")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    os.environ["CONURB_BINARY"], arguments.load = str(arguments.binary.resolve()), os.getloadavg()[0]
    version = harness.Conurb().run("version").stdout.strip().splitlines()[0]
    case = type("BusyHour", (test_cases.CaseCase,), {"runTest": lambda self: None})
    case.setUpClass()
    try:
        times, seconds, resident_bytes = run(case(), arguments)
    finally:
        case.doClassCleanups()
    text = section(arguments, version, times, seconds, resident_bytes, len(jpeg()))
    print(text)
    if not arguments.no_write:
        bench.write_section(text, MARKS)


if __name__ == "__main__":
    main()
