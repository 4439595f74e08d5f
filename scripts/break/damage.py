"""Pages of one municipality's file are damaged, while the server is down and while it runs: bytes of a page replaced by random ones or by zeros, one bit turned over, the file cut off. Every other municipality is served as if
nothing had happened, writes, notifications and expiry included. Of the damaged one an answer is right or is refused as damaged, and the log names it; `conurb verify` finds
what was damaged, unless no part of the file uses it."""

import collections
import json
import shutil
import time

import requests

from harness import NGSI_LD
from load import Load

ROUNDS = 40
QUICK_ROUNDS = 5
PAGE = 4096
LOAD_SECONDS = 3
LOOKED_AT_MAX = 150
EXPIRY_SECONDS_MAX = 8
WAYS = ("random", "zeros", "bit", "cut", "random while it runs", "cut while it runs")
REFUSED = (500, 503)


def damage(chance, file, way):
    """Says what it did. The file's first page is one of the pages."""
    size = file.stat().st_size
    page = chance.randrange(size // PAGE)
    with open(file, "r+b") as damaged:
        if way.startswith("cut"):
            end = chance.randrange(1, size // PAGE) * PAGE
            damaged.truncate(end)
            return f"cut to {end // PAGE} of {size // PAGE} pages"
        damaged.seek(page * PAGE)
        if way == "bit":
            offset = chance.randrange(PAGE)
            damaged.seek(page * PAGE + offset)
            [before] = damaged.read(1)
            damaged.seek(page * PAGE + offset)
            damaged.write(bytes([before ^ 1 << chance.randrange(8)]))
        else:
            damaged.write(chance.randbytes(PAGE) if way.startswith("random") else bytes(PAGE))
    return f"{way.split()[0]} in page {page + 1} of {size // PAGE}"


def run(ground):
    load = Load(ground)
    load.prepare(ground.data)
    # Without this a program that is ended by a signal is looked at by Swift's backtracer for half a minute first.
    server = ground.server(environment={"SWIFT_BACKTRACE": "enable=no"}).start()
    load.subscribe(server)
    load.start(server)
    time.sleep(LOAD_SECONDS)
    load.stop()
    load.check(server, everything=True)
    load.check_notifications()
    expected = everything(server, "alder")
    expected = dict(ground.chance.sample(sorted(expected.items()), min(LOOKED_AT_MAX, len(expected))))
    server.stop()
    load.check_files(ground.data)
    whole = ground.folder / "whole"
    shutil.copytree(ground.data, whole, ignore=shutil.ignore_patterns("*.sock"))
    seen = collections.Counter()
    for number in range(ground.rounds):
        way = WAYS[number % len(WAYS)]
        shutil.rmtree(ground.data)
        shutil.copytree(whole, ground.data)
        log_start = server.log_path.stat().st_size
        what = round_(ground, server, way, number, expected, seen)
        said = server.log_path.read_bytes()[log_start:].decode(errors="replace")
        if seen.pop("refused in this round", 0):
            ground.expect('"municipality":"alder"' in said and '"level":"error"' in said, f"{what}: the log does not name the municipality: {said[-400:]}")
    ground.figures |= {"files damaged": ground.rounds, "entities asked for each time": len(expected)} | dict(seen)
    ground.take(load)


def everything(server, municipality):
    """All entities by identifier, each as its JSON."""
    found, offset = {}, 0
    while True:
        answer = server.get(NGSI_LD + "/entities", params={"local": "true", "limit": 500, "offset": offset, "type": "CrashProbe"}, municipality=municipality)
        assert answer.status_code == 200, answer.text
        found |= {entity["id"]: json.dumps(entity, sort_keys=True) for entity in answer.json()}
        if len(answer.json()) < 500:
            return found
        offset += 500


def round_(ground, server, way, number, expected, seen):
    runs, file = way.endswith("runs"), ground.data / "alder" / "municipality.sqlite"
    if not runs:
        what = damage(ground.chance, file, way)
    try:
        server.start()
    except AssertionError as error:
        ground.fault(f"{what}: it does not start: {error}")
        return what
    if runs:
        # Something of it is in memory by then.
        server.get(NGSI_LD + "/entities", params={"type": "CrashProbe", "limit": 5}, municipality="alder")
        what = damage(ground.chance, file, way) + " while it runs"
    try:
        look(ground, server, what, number, expected, seen)
    except requests.RequestException as error:
        time.sleep(0.5)
        status = server.process.poll()
        seen["servers that ended"] += status is not None
        ground.fault(f"{what}: the server ended with {status}, for all municipalities" if status is not None else f"{what}: {error}")
    if server.process.poll() is None:
        # The file at rest is what is verified; a damaged one may keep it from stopping with 0, not from stopping.
        try:
            server.stop()
        except AssertionError as error:
            ground.fault(f"{what}: {str(error)[:100]}")
    verified = ground.conurb.verify(ground.data)
    seen["found by verify" if verified.returncode else "not found by verify"] += 1
    if verified.returncode:
        ground.expect("alder" in verified.stdout + verified.stderr, f"{what}: verify does not name the municipality: {verified.stdout[:300]} {verified.stderr[:300]}")
    elif ground.integrity(file) != "ok":
        ground.fault(f"{what}: verify says it is clean, SQLite does not: {ground.integrity(file)[:200]}")
    return what


def look(ground, server, what, number, expected, seen):
    # The damaged one.
    wrong = refused = 0
    for identifier, entity in expected.items():
        answer = server.get(f"{NGSI_LD}/entities/{identifier}", municipality="alder")
        if answer.status_code in REFUSED:
            refused += 1
            name = answer.json()["type"].rpartition("/")[2]
            seen[f"answers {answer.status_code} {name}"] += 1
            ground.expect(name in ("damaged-file", "file-unavailable", "unusable-file"), f"{what}: refused as {name}: {answer.text[:200]}")
        elif answer.status_code != 200 or json.dumps(answer.json(), sort_keys=True) != entity:
            wrong += 1
    seen["wrong answers"] += wrong
    if wrong:
        seen["files with wrong answers"] += 1
    if refused:
        seen["refused in this round"] = 1
        seen["files with refused answers"] += 1
    listed = server.get(NGSI_LD + "/entities", params={"type": "CrashProbe", "limit": 100}, municipality="alder").status_code
    written = server.post(NGSI_LD + "/entities", {"id": f"urn:ngsi-ld:New:{number}", "type": "New"}, municipality="alder").status_code
    ground.expect(listed in (200, *REFUSED) and written in (201, *REFUSED), f"{what}: a page is answered with {listed}, a write with {written}")
    # The other one.
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    passing = {"id": f"urn:ngsi-ld:Passing:{number}", "type": "Passing", "expiresAt": soon}
    made = server.post(NGSI_LD + "/entities", passing, municipality="birch")
    ground.expect(made.status_code == 201, f"{what}: a write to another municipality is answered with {made.status_code} {made.text[:200]}")
    found = server.count("birch", type="CrashProbe")
    ground.expect(found > 0, f"{what}: another municipality has {found} entities")
    ground.expect(server.get("/ready").status_code == 200, f"{what}: it is not ready")
    ground.expect(is_swept(ground, server), f"{what}: what expires in another municipality is not removed any more")


def is_swept(ground, server):
    """Whether the journal of the other municipality tells that what expired was removed: an expired entity is not shown anyway."""
    deadline = time.monotonic() + EXPIRY_SECONDS_MAX
    while time.monotonic() < deadline:
        history = server.get(NGSI_LD + "/temporal/entities", params={"type": "Passing", "timerel": "after", "timeAt": "2000-01-01T00:00:00Z", "timeproperty": "modifiedAt"}, municipality="birch")
        if ground.rows(ground.data / "birch" / "municipality.sqlite", "SELECT count(*) FROM entity WHERE iri LIKE 'urn:ngsi-ld:Passing:%'") == [(0,)]:
            return history.status_code == 200
        time.sleep(0.2)
    return False
