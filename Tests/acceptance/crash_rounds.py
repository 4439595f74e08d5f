"""What tests of history have in common that kill the server again and again: the rounds, and writers that know what was acknowledged."""

import random
import threading
import time
import unittest

import requests

import harness
from harness import NGSI_LD


class HistoryWriter(threading.Thread):
    """Adds to the history of one sensor after the other, a part a request, until its connection breaks. `sensors` says of each how far
    it was acknowledged and how far it was asked for."""

    def __init__(self, server, name, municipality, parts):
        """`parts()`: for each part (where it ends, its instances); called for each sensor anew."""
        super().__init__(daemon=True)
        self.server, self.name, self.municipality, self.parts = server, name, municipality, parts
        self.sensors, self.unexpected = {}, []

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = self.municipality
        for sensor in range(1000):
            identifier = f"urn:ngsi-ld:Sensor:{self.name}-{sensor}"
            for end, instances in self.parts():
                acknowledged, _ = self.sensors.get(identifier, (0, 0))
                self.sensors[identifier] = (acknowledged, end)
                document = {"id": identifier, "type": "Sensor", "level": instances}
                try:
                    answer = session.post(f"{self.server.base}{NGSI_LD}/temporal/entities", json=document, timeout=20)
                except requests.RequestException:
                    return
                if answer.status_code not in (201, 204):
                    self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
                    return
                self.sensors[identifier] = (end, end)


class CrashRounds(unittest.TestCase):
    """A test says what is written (`writer`) and what must be there of sensors (`check`)."""

    @classmethod
    def setUpClass(cls):
        cls.data = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()

    def crash(self, rounds, seed, settings, *, writer_count, seconds, sample_count):
        """Kills the server in each round, after a random time. Returns all sensors that were written."""
        print(f"seed {seed}, {rounds} rounds", flush=True)
        chance = random.Random(seed)
        server = harness.Server(self.data, environment=settings).start()
        known = {}
        try:
            for round_number in range(1, rounds + 1):
                writers = [self.writer(server, f"{round_number}-{index}") for index in range(writer_count)]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(*seconds))  # the moment of the crash is what is random here
                server.kill()
                for writer in writers:
                    writer.join(timeout=30)
                    self.assertEqual(writer.unexpected, [])
                    known.update(writer.sensors)
                self.assert_verified(f"round {round_number}, seed {seed}")
                server.start()
                self.check(server, {identifier: known[identifier] for identifier in chance.sample(sorted(known), min(sample_count, len(known)))})
            self.check(server, known)
            self.assertEqual(server.stop(), 0)
            self.assert_verified(f"after all rounds, seed {seed}")
        finally:
            if server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        return known

    def assert_verified(self, where):
        verified = self.conurb.verify(self.data)
        self.assertEqual(verified.returncode, 0, f"verify, {where}:\n{verified.stdout}\n{verified.stderr}")
