"""A limit of 256 MiB of memory under mixed load with batches of 4 and 15 MB and of 1,000 entities by 32 writers and pages of them by 8 readers: a control group where one can be made (the whole process and its file cache), else RLIMIT_DATA.
`http.largeBodiesBytesMax` is 8 MiB, so that one body of 15 MB or two of 4 MB are worked on at a time and others are told to come again, and `files.cacheBytesMax` is 48 MiB. The server does not die of it, or where it does nothing
that was acknowledged is lost."""

import os
import pathlib
import resource
import subprocess
import threading
import time

import requests

from ground import Skip
from harness import NGSI_LD
from load import USUAL, Load

ROUNDS = 6
QUICK_ROUNDS = 1
SECONDS = 15
MEBI = 1024 ** 2
LIMIT = 256 * MEBI
LARGE_BODIES = 8 * MEBI
CACHE = 48 * MEBI
READER_COUNT = 8
REFUSED = {(503, "overloaded"), (503, "file-unavailable"), (413, "body-too-large")}


class Group:
    """A control group with the limit, of version 2 or 1; or none."""

    def __init__(self, ground):
        self.path, self.kind = None, "RLIMIT_DATA"
        name = f"conurb-break-{os.getpid()}"
        for parent, setting, kind in (("/sys/fs/cgroup", "memory.max", "cgroup v2"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "cgroup v1")):
            path = pathlib.Path(parent) / name
            try:
                path.mkdir()
            except OSError:
                continue
            ground.stack.callback(path.rmdir)
            # Where the controller is not there neither is its file, and in what is no control group none would work.
            if (path / setting).exists():
                (path / setting).write_text(str(LIMIT))
                self.path, self.kind = path, kind
                return

    def add(self, process):
        """From here on what it takes counts; what it had before is little."""
        if self.path:
            (self.path / "cgroup.procs").write_text(str(process.pid))
        else:
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (LIMIT, LIMIT))

    def peak(self):
        for name in ("memory.peak", "memory.max_usage_in_bytes") if self.path else ():
            if (self.path / name).exists():
                return int((self.path / name).read_text())
        return None


def read(server, stopping, found):
    """Asks for pages of large entities until it is stopped."""
    session = requests.Session()
    while not stopping.is_set():
        try:
            answer = session.get(server.base + NGSI_LD + "/entities", params={"type": "CrashProbe", "limit": 200}, headers={"NGSILD-Tenant": "birch"}, timeout=30)
            found[answer.status_code] = found.get(answer.status_code, 0) + 1
        except requests.RequestException:
            session.close()
            stopping.wait(0.1)


def run(ground):
    group = Group(ground)
    load = Load(ground, USUAL | {"large": 12, "huge": 4, "many": 60}, writers=16, seconds_max=60)
    load.prepare(ground.data)
    load.tolerates = lambda status, name, answer: (status, name) in REFUSED
    server = ground.server(environment={"SWIFT_BACKTRACE": "enable=no", "CONURB_HTTP_LARGE_BODIES_BYTES_MAX": str(LARGE_BODIES), "CONURB_FILES_CACHE_BYTES_MAX": str(CACHE)}).start()
    load.subscribe(server)
    # Before the limit holds, the descriptors of all are open and all code is in memory.
    deaths, pages, peaks = 0, {}, []
    for number in range(ground.rounds):
        group.add(server.process)
        stopping = threading.Event()
        readers = [threading.Thread(target=read, args=(server, stopping, pages), daemon=True) for _ in range(READER_COUNT)]
        load.start(server)
        for reader in readers:
            reader.start()
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends and server.process.poll() is None:
            time.sleep(0.1)
        died = server.process.poll()
        if died is None:
            peaks.append(server.resident_bytes(peak=True))
        stopping.set()
        load.stop()
        for reader in readers:
            reader.join(60)
        if died is not None:
            deaths += 1
            ground.fault(f"it died with {died} in round {number + 1}: {server.log_tail(300)}")
            server.start()
        load.check(server)
        if load.faults:
            break
    load.check(server, everything=True)
    ground.figures |= {
        "limited by": group.kind, "acknowledged writes": load.acknowledged_count, "refused": load.refusals(), "deaths": deaths,
        "pages of 200": ", ".join(f"{count:,} × {status}" for status, count in sorted(pages.items())),
        "counted against the limit at most": f"{(group.peak() or 0) / MEBI:.0f} MiB", "resident at most": f"{max(peaks, default=0) / MEBI:.0f} MiB", "file of a municipality at the end": f"{(ground.data / 'birch' / 'municipality.sqlite').stat().st_size / MEBI:.0f} MiB"}
    ground.figures |= load.check_notifications()
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.take(load)
