"""The data folder lies on a file system of its own (tmpfs with a size), which is filled at random moments under mixed load but for a few random pages, and
freed again. Every write meanwhile is answered, with 507 where there was no space; reads go on; with the space back writes succeed, without
a restart. In every third round the server is killed while there is no space, and started again before there is."""

import contextlib
import os
import subprocess
import time

import requests

from ground import Skip
from harness import NGSI_LD
from load import Load, entity
from watch import Watch

ROUNDS = 30
QUICK_ROUNDS = 3
MEBI_MAX = 192
PAGE = 4096
SPARE_PAGES_MAX = 40  # left free: what is written stops somewhere within a transaction
SECONDS_FULL = (0.3, 1.0)
RECOVERY_SECONDS_MAX = 5
REFUSED = (507, "disk-full")
LAMP = NGSI_LD + "/entities/urn:ngsi-ld:CrashProbe:watched"


def mount(ground, path):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEBI_MAX}m", "none", path], capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"a file system with a size can't be mounted (are you root?): {done.stderr.strip()}")
    ground.stack.callback(subprocess.run, ["umount", "--lazy", path])


class Ballast:
    """A file that takes all space there is."""

    def __init__(self, path):
        self.path = path

    def fill(self, spare_pages=0):
        descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        with contextlib.closing(os.fdopen(descriptor, "wb", buffering=0)) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * PAGE)
        if spare_pages:
            os.truncate(self.path, max(0, self.path.stat().st_size - spare_pages * PAGE))

    def free(self):
        self.path.unlink(missing_ok=True)


def recovers(server, municipality, number):
    """Seconds until a write succeeds; None when it does not."""
    started = time.monotonic()
    while time.monotonic() - started < RECOVERY_SECONDS_MAX:
        with contextlib.suppress(requests.RequestException):
            document = {"id": f"urn:ngsi-ld:Recovered:{number}", "type": "Recovered"}
            if server.post(NGSI_LD + "/entities", document, municipality=municipality).status_code in (201, 409):
                return time.monotonic() - started
        time.sleep(0.02)
    return None


def run(ground):
    disk = ground.folder / "disk"
    mount(ground, disk)
    data, ballast = disk / "data", Ballast(disk / "ballast")
    load = Load(ground)
    load.prepare(data)
    load.tolerates = lambda status, name, answer: (status, name) == REFUSED and "space" in answer.json()["detail"]
    server = ground.server(data=data).start()
    load.subscribe(server)
    server.post(NGSI_LD + "/entities", entity("urn:ngsi-ld:CrashProbe:watched", 1) | {"type": "Watched"}, municipality="birch")
    recoveries, watched, restarts = [], 0, 0
    for number in range(ground.rounds):
        load.start(server)
        time.sleep(ground.chance.uniform(0.05, 0.4))
        kills = number % 3 == 2
        with Watch(server.base + LAMP) as watch:
            ballast.fill(ground.chance.randrange(SPARE_PAGES_MAX))
            time.sleep(ground.chance.uniform(*SECONDS_FULL))
            ballast.fill()
            time.sleep(0.2)
            if not kills:
                load.stopping.set()
        watched += len(watch.milliseconds)
        for failure in watch.failures[:1]:
            ground.fault(f"a read failed while there was no space: {failure}")
        if kills:
            server.kill()
            load.stop()
            restarts += restart_without_space(ground, server, ballast)
        load.stop()
        ballast.free()
        if server.process.poll() is not None:
            server.start()
        for municipality in load.municipalities:
            seconds = recovers(server, municipality, number)
            ground.expect(seconds is not None, f"writes to {municipality} fail although there is space again")
            recoveries.append(seconds or RECOVERY_SECONDS_MAX)
        load.check(server)
        if load.faults:
            break
    load.check(server, everything=True)
    ground.figures |= {
        "acknowledged writes": load.acknowledged_count, "refused": load.refusals(), "reads while there was no space": watched,
        "starts without space": restarts, "longest until a write succeeded again": f"{max(recoveries):.2f} s"} | load.check_notifications()
    ground.expect(sum(load.refused.values()) > 0, "nothing was refused: the disk was not full")
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(data)
    ground.take(load)


def restart_without_space(ground, server, ballast):
    """It starts, and says what is wrong of what it can't do; or it ends, and says why. Returns whether it started."""
    try:
        server.start()
    except AssertionError:
        ground.expect("space" in server.log_tail() or "full" in server.log_tail(), f"it did not start without space, and did not say why: {server.log_tail(400)}")
        return False
    answer = server.post(NGSI_LD + "/entities", {"id": "urn:ngsi-ld:Full:1", "type": "Full"}, municipality="alder")
    ground.expect(answer.status_code in (201, 409, 503, 507), f"started without space, a write is answered with {answer.status_code} {answer.text[:200]}")
    return True
