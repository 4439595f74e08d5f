"""kill -9 in the middle of concurrent writes, many times over: no acknowledged write is lost, none is half there.

    .venv/bin/python Tests/acceptance/test_crash.py .build/release/conurb        (ROUNDS=50 unless set)

Every entity carries its value twice, in `first` and `second`, always written by one request. After a crash the two must be
equal, and equal to the last acknowledged value or to the one whose answer was cut off. A batch is a group of entities that
are only ever written together: after a crash they must all carry the same value.
"""

import os
import random
import threading
import time
import unittest

import requests

import harness
from harness import NGSI_LD

ROUNDS = int(os.environ.get("ROUNDS", "50"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1_000_000))))
MUNICIPALITIES = ("alder", "birch")
WRITERS_PER_MUNICIPALITY = 4
BATCH_ENTITY_COUNT = 20
GROUPS_PER_WRITER_MAX = 12
READ_ENTITY_COUNT = 50  # entities asked for by identifier in one request
OLDER_SAMPLE_COUNT = 300
ABSENT = None


def entity(identifier, value):
    return {"id": identifier, "type": "CrashProbe",
            "first": {"type": "Property", "value": value}, "second": {"type": "Property", "value": value}}


class Writer(threading.Thread):
    """Writes to entities that only it writes to, one request at a time, until its connection breaks.

    `allowed[unit]` is the set of values that the unit may have now: one after an answer, two while an answer is awaited.
    A unit is one entity, or a group of entities written in batches. `touched` are the units of this round.
    """

    def __init__(self, name, server, municipality, memory, seed):
        super().__init__(name=name, daemon=True)
        self.server, self.municipality, self.memory = server, municipality, memory
        self.random = random.Random(seed)
        self.unexpected = []
        self.acknowledged_count = 0

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = self.municipality
        while True:
            method, path, document, expected_statuses, unit, value = self.next_request()
            before = self.memory.allowed.get(unit, {ABSENT})
            self.memory.allowed[unit] = before | {value}
            self.memory.touched.add(unit)
            try:
                answer = session.request(method, self.server.base + path, json=document, timeout=20)
            except requests.RequestException:
                return  # killed: both values stay possible
            if answer.status_code not in expected_statuses:
                self.unexpected.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                return
            self.memory.allowed[unit] = {value}
            self.acknowledged_count += 1

    def next_request(self):
        self.memory.clock += 1
        value = self.memory.clock
        draw = self.random.random()
        if draw < 0.35 or not self.memory.singles:
            unit = ("single", f"urn:ngsi-ld:CrashProbe:{self.name}-{value}")
            self.memory.singles.append(unit)
            return "POST", NGSI_LD + "/entities", entity(unit[1], value), {201}, unit, value
        if draw < 0.75:
            unit = self.random.choice(self.memory.singles)
            if self.memory.allowed[unit] == {ABSENT}:  # its creation was cut off and did not happen
                return "POST", NGSI_LD + "/entities", entity(unit[1], value), {201}, unit, value
            patch = {key: {"type": "Property", "value": value} for key in ("first", "second")}
            return "PATCH", f"{NGSI_LD}/entities/{unit[1]}", patch, {204}, unit, value
        group = self.random.randrange(GROUPS_PER_WRITER_MAX)
        unit = ("group", *(f"urn:ngsi-ld:CrashProbe:{self.name}-group{group}-{i}" for i in range(BATCH_ENTITY_COUNT)))
        return "POST", NGSI_LD + "/entityOperations/upsert", [entity(i, value) for i in unit[1:]], {201, 204}, unit, value


class Memory:
    """What one writer knows over all rounds."""

    def __init__(self):
        self.allowed, self.touched, self.singles, self.clock = {}, set(), [], 0


class CrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()

    def test_acknowledged_writes_survive_kill_9(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        chance = random.Random(SEED)
        memories = {(m, i): Memory() for m in MUNICIPALITIES for i in range(WRITERS_PER_MUNICIPALITY)}
        acknowledged = 0
        server = harness.Server(self.data).start()
        try:
            for round_number in range(1, ROUNDS + 1):
                acknowledged += self.write_until_killed(server, memories, chance)
                # `verify` opens the file as the crash left it, and so proves recovery from the outside.
                self.assert_verified(round_number)
                server.start()
                for (municipality, _), memory in memories.items():
                    self.check(server, municipality, memory, chance, round_number)
                self.check_counts(server, memories, round_number)
                if round_number % 10 == 0 or round_number == ROUNDS:
                    print(f"round {round_number}: {acknowledged} acknowledged writes, all there", flush=True)
            for (municipality, _), memory in memories.items():
                memory.touched = set(memory.allowed)
                self.check(server, municipality, memory, chance, ROUNDS)
            self.assertEqual(server.stop(), 0, "a graceful stop after the last round")
            self.assert_verified(ROUNDS)
        finally:
            if server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        self.assertGreater(acknowledged, ROUNDS, "a test that wrote next to nothing proves nothing")

    def write_until_killed(self, server, memories, chance):
        writers = [Writer(f"{municipality}{i}", server, municipality, memory, chance.random())
                   for (municipality, i), memory in memories.items()]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.1, 0.9))  # the moment of the crash is what is random here
        server.kill()
        for writer in writers:
            writer.join(timeout=30)
            self.assertFalse(writer.is_alive(), "a writer hangs although its server is dead")
        unexpected = [line for writer in writers for line in writer.unexpected]
        self.assertEqual(unexpected, [], "every write must be accepted")
        return sum(writer.acknowledged_count for writer in writers)

    def check(self, server, municipality, memory, chance, round_number):
        """Compares what is stored with what may be, and narrows what may be to what is."""
        older = sorted(set(memory.allowed) - memory.touched)
        units = sorted(memory.touched) + chance.sample(older, min(len(older), OLDER_SAMPLE_COUNT))
        values = self.read(server, municipality, [identifier for unit in units for identifier in unit[1:]])
        for unit in units:
            found = {values.get(identifier, (ABSENT, ABSENT)) for identifier in unit[1:]}
            where = f"round {round_number}, seed {SEED}, {municipality}, {unit[1]}"
            self.assertEqual(len(found), 1, f"half a batch: {found}; {where}")
            first, second = found.pop()
            self.assertEqual(first, second, f"half a write; {where}")
            self.assertIn(first, memory.allowed[unit], f"an acknowledged write is lost; {where}")
            memory.allowed[unit] = {first}
        memory.touched = set()

    def read(self, server, municipality, identifiers):
        values = {}
        session = requests.Session()
        for start in range(0, len(identifiers), READ_ENTITY_COUNT):
            some = identifiers[start:start + READ_ENTITY_COUNT]
            answer = session.get(server.base + NGSI_LD + "/entities", timeout=30,
                                 params={"id": ",".join(some), "local": "true", "format": "simplified", "limit": READ_ENTITY_COUNT},
                                 headers={"NGSILD-Tenant": municipality, "Accept": "application/json"})
            if answer.status_code == 404:  # the municipality itself was being created when the crash came
                continue
            self.assertEqual(answer.status_code, 200, answer.text[:500])
            for found in answer.json():
                values[found["id"]] = (found.get("first"), found.get("second"))
        return values

    def check_counts(self, server, memories, round_number):
        """The index by type counts exactly the entities that were found, so nothing is there twice or unseen."""
        for municipality in MUNICIPALITIES:
            expected = sum(len(unit) - 1 for (owner, _), memory in memories.items() if owner == municipality
                           for unit, values in memory.allowed.items() if values != {ABSENT})
            if expected:
                self.assertEqual(server.count(municipality, type="CrashProbe"), expected,
                                 f"round {round_number}, seed {SEED}, {municipality}")

    def assert_verified(self, round_number):
        verified = self.conurb.verify(self.data)
        self.assertEqual(verified.returncode, 0, f"verify, round {round_number}, seed {SEED}:\n{verified.stdout}\n{verified.stderr}")


if __name__ == "__main__":
    harness.main()
