"""kill -9 while old history is being sealed into chunks, many times over: no acknowledged observation is lost, none is there twice.

    .venv/bin/python Tests/acceptance/test_sealing.py .build/release/conurb        (ROUNDS=20 unless set)

Observations of a week ago are written through the temporal interface while the sealer walks once a second. Each has a moment of
its own and a value that follows from it. After each crash `verify` must find nothing, and every observation that was acknowledged
must be there, once, with its value.
"""

import datetime
import os
import random
import sqlite3
import threading
import time
import unittest

import requests

import harness
from harness import NGSI_LD

ROUNDS = int(os.environ.get("ROUNDS", "20"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1_000_000))))
MUNICIPALITY = "alder"
WRITERS = 3
OBSERVATIONS_PER_REQUEST = 40
REQUESTS_PER_ENTITY = 20
START = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(days=7)
SETTINGS = {"CONURB_HISTORY_SEAL_AFTER_HOURS": "1", "CONURB_HISTORY_SEAL_ROWS_MIN": "16", "CONURB_HISTORY_SEAL_EVERY_SECONDS": "1"}


def value(number):
    return number * 7919 % 1000 / 10


def moment(number):
    return (START + datetime.timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Writer(threading.Thread):
    """Adds to the history of one sensor after the other, a request at a time, until its connection breaks."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name, self.sensors, self.unexpected = server, name, {}, []

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = MUNICIPALITY
        for sensor in range(1000):
            identifier = f"urn:ngsi-ld:Sensor:{self.name}-{sensor}"
            for request in range(REQUESTS_PER_ENTITY):
                numbers = range(request * OBSERVATIONS_PER_REQUEST, (request + 1) * OBSERVATIONS_PER_REQUEST)
                acknowledged, awaited = self.sensors.get(identifier, (0, 0))
                self.sensors[identifier] = (acknowledged, numbers.stop)
                document = {"id": identifier, "type": "Sensor", "level": [
                    {"type": "Property", "value": value(number), "observedAt": moment(number)} for number in numbers]}
                try:
                    answer = session.post(f"{self.server.base}{NGSI_LD}/temporal/entities", json=document, timeout=20)
                except requests.RequestException:
                    return
                if answer.status_code not in (201, 204):
                    self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
                    return
                self.sensors[identifier] = (numbers.stop, numbers.stop)


class SealingCrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()

    def test_nothing_is_lost_or_double_when_sealing_is_cut_off(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        chance = random.Random(SEED)
        server = harness.Server(self.data, environment=SETTINGS).start()
        known = {}
        try:
            for round_number in range(1, ROUNDS + 1):
                writers = [Writer(server, f"{round_number}-{index}") for index in range(WRITERS)]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(1.0, 2.5))  # the moment of the crash is what is random here
                server.kill()
                for writer in writers:
                    writer.join(timeout=30)
                    self.assertEqual(writer.unexpected, [])
                    known.update(writer.sensors)
                self.assert_verified(round_number)
                server.start()
                self.check(server, {identifier: known[identifier] for identifier in chance.sample(sorted(known), min(60, len(known)))})
            self.check(server, known)
            self.assertEqual(server.stop(), 0)
            self.assert_verified(ROUNDS)
        finally:
            if server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        with sqlite3.connect(self.data / MUNICIPALITY / "municipality.sqlite") as file:
            chunks, sealed = file.execute("SELECT count(*), coalesce(sum(count), 0) FROM chunk").fetchone()
            rows = file.execute("SELECT count(*) FROM instance").fetchone()[0]
        print(f"{len(known)} sensors, {sealed} observations in {chunks} chunks, {rows} rows", flush=True)
        self.assertGreater(sealed, 0, "a test in which nothing was sealed proves nothing")

    def check(self, server, sensors):
        session = requests.Session()
        for identifier, (acknowledged, awaited) in sensors.items():
            answer = session.get(f"{server.base}{NGSI_LD}/temporal/entities/{identifier}", timeout=30,
                                 params={"options": "temporalValues", "timeproperty": "observedAt", "timerel": "after", "timeAt": moment(-1)},
                                 headers={"NGSILD-Tenant": MUNICIPALITY})
            if answer.status_code == 404:
                self.assertEqual(acknowledged, 0, identifier)
                continue
            self.assertEqual(answer.status_code, 200, answer.text[:300])
            found = [(at[:19] + "Z", number) for number, at in answer.json()["level"]["values"]]
            self.assertIn(len(found), (acknowledged, awaited), f"{identifier}, seed {SEED}")
            self.assertEqual(found, [(moment(number), value(number)) for number in range(len(found))], f"{identifier}, seed {SEED}")

    def assert_verified(self, round_number):
        verified = self.conurb.verify(self.data)
        self.assertEqual(verified.returncode, 0, f"verify, round {round_number}, seed {SEED}:\n{verified.stdout}\n{verified.stderr}")


if __name__ == "__main__":
    harness.main()
