"""A preloaded library lets writing, flushing and reading files of the data folder fail at a seeded rate, cuts writes short, and lets a flush take 200 ms, each
switched on for a while under mixed load and off again. What can't be done is refused with 503, or as damaged where reading failed, for SQLite says the same of both; afterwards writes succeed without a restart. Of a write that was refused because
its flush failed nobody can know what a crash will find on the disk; while the server runs it is not there. What SQLite reads through mmap the library can't reach: see
"Damaged files"."""

import time

from disk import LAMP, recovers
from harness import NGSI_LD
from load import Load, entity
from shim import Shim
from watch import Watch

ROUNDS = 25
QUICK_ROUNDS = 5
SECONDS = (0.8, 1.6)
# A busy machine makes some reads slow; were they to wait for a flush, all would be.
READ_MILLISECONDS_MAX = 100
# Of a million calls; of a flush in microseconds. A round has one of them, or the last: all at once.
FAULTS = ({"write": 20_000}, {"flush": 100_000}, {"read": 30_000}, {"short": 300_000}, {"slow": 200_000}, {"write": 5_000, "flush": 20_000, "read": 5_000, "short": 100_000, "slow": 5_000})
UNAVAILABLE, DAMAGED = (503, "file-unavailable"), (500, "damaged-file")


def run(ground):
    shim = Shim(ground.folder, ground.data, ground.seed)
    load = Load(ground)
    load.prepare(ground.data)
    server = ground.server(environment=shim.environment).start()
    load.subscribe(server)
    server.post(NGSI_LD + "/entities", entity("urn:ngsi-ld:CrashProbe:watched", 1) | {"type": "Watched"}, municipality="birch")
    slowest = 0.0
    for number in range(ground.rounds):
        faults = FAULTS[number % len(FAULTS)]
        # The last of a crash is what nobody can know.
        crashes = number % 4 == 3
        load.may_stay = crashes
        refused = {UNAVAILABLE, DAMAGED} if "read" in faults else {UNAVAILABLE}
        load.tolerates = lambda status, name, answer: (status, name) in refused
        load.start(server)
        shim.set(**faults)
        with Watch(server.base + LAMP) as watch:
            time.sleep(ground.chance.uniform(*SECONDS))
        if crashes:
            server.kill()
        shim.off()
        load.stop()
        if crashes:
            server.start()
        if faults.keys() == {"slow"}:
            slowest = max(slowest, watch.percentile(0.5))
        elif not faults.keys() & {"read"}:
            for failure in watch.failures[:1]:
                ground.fault(f"a read failed with {faults}: {failure}")
        if not ground.expect(server.process.poll() is None, f"the server ended with {faults}: {server.log_tail(1000)}"):
            server.start()
        for municipality in load.municipalities:
            ground.expect(recovers(server, municipality, number) is not None, f"writes to {municipality} fail after {faults}: {server.log_tail(600)}")
        load.check(server)
        if load.faults:
            said = [line for line in server.log_path.read_text().splitlines() if "unexpected error" in line or "internal fault" in line]
            load.note(f"... in round {number} with {faults}, {'with' if crashes else 'without'} a crash; the log: {said[-1:]}")
            break
    load.check(server, everything=True)
    ground.figures |= {
        "acknowledged writes": load.acknowledged_count, "refused": load.refusals(), "writes that failed": shim.count("write"), "flushes that failed": shim.count("flush"),
        "reads that failed": shim.count("read"), "writes cut short": shim.count("short"), "flushes of 200 ms": shim.count("slow"),
        "median of reads while flushes take 200 ms": f"{slowest:.0f} ms"} | load.check_notifications()
    ground.expect(slowest < READ_MILLISECONDS_MAX, f"reads wait for flushes: median {slowest:.0f} ms")
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.take(load)
