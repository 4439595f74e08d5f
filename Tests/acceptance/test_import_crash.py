"""kill -9 while an import packs years of readings, many times over: what was written stays, nothing is there twice, and a run that is
begun again comes to what an undisturbed one does.

    .venv/bin/python Tests/acceptance/test_import_crash.py .build/release/conurb        (ROUNDS=5 unless set)
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

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1_000_000))))
MUNICIPALITY = "alder"
METERS, HOURS = 8, 20_000
START = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
SOURCE = """\
id: meters
title: Meters
classification: open
format: csv
entity: {id: 'urn:ngsi-ld:Meter:{meter}', type: Meter, observedAt: time}
attributes:
  energy: {field: energy, as: number, unit: KWH}
"""


def value(meter, hour):
    return round(meter * 1000 + hour * 7 / 10, 1)


def moment(hour):
    return (START + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


class ImportCrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = harness.TemporaryFolder.of(cls)
        lines = [f"{meter},{moment(hour)},{value(meter, hour)}\n" for hour in range(HOURS) for meter in range(METERS)]
        cls.body = ("meter,time,energy\n" + "".join(lines)).encode()

    def push(self, server):
        """The report; None when the connection broke."""
        try:
            answer = server.request("POST", "/sources/meters/data", data=self.body, municipality=MUNICIPALITY, timeout=300,
                                    headers={"Content-Type": "text/csv"})
        except requests.RequestException:
            return None
        self.assertEqual(answer.status_code, 200, answer.text[:300])
        return answer.json()

    def test_a_run_that_is_cut_off_can_be_begun_again(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        chance, conurb = random.Random(SEED), harness.Conurb()
        self.assertEqual(conurb.create_municipality(self.data, MUNICIPALITY).returncode, 0)
        server = harness.Server(self.data).start()
        try:
            made = server.request("PUT", "/sources/meters", data=SOURCE, municipality=MUNICIPALITY, headers={"Content-Type": "application/yaml"})
            self.assertEqual(made.status_code, 204, made.text)
            for _ in range(ROUNDS):
                pusher = threading.Thread(target=self.push, args=(server,))
                pusher.start()
                time.sleep(chance.uniform(0.1, 2.0))  # the moment of the crash is what is random here
                server.kill()
                pusher.join(timeout=60)
                verified = conurb.verify(self.data)
                self.assertEqual(verified.returncode, 0, f"seed {SEED}: {verified.stdout}{verified.stderr}")
                server.start()
            report = self.push(server)
            self.assertEqual((report["records"], report["rejected"]), (METERS * HOURS, 0))
            again = self.push(server)
            self.assertEqual((again["accepted"], again["unchanged"]), (0, METERS * HOURS))
            for meter in range(METERS):
                self.check(server, meter)
            self.assertEqual(server.stop(), 0)
        finally:
            if server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        verified = conurb.verify(self.data)
        self.assertEqual(verified.returncode, 0, f"seed {SEED}: {verified.stdout}{verified.stderr}")
        with sqlite3.connect(self.data / MUNICIPALITY / "municipality.sqlite") as file:
            packed, rows = file.execute("SELECT (SELECT coalesce(sum(count), 0) FROM chunk), (SELECT count(*) FROM instance)").fetchone()
        print(f"{packed:,} readings in chunks, {rows:,} rows", flush=True)
        self.assertEqual(packed + rows, METERS * HOURS)
        self.assertGreater(packed, METERS * HOURS / 2, "a test in which little was packed proves little")

    def check(self, server, meter):
        current = server.get(f"{NGSI_LD}/entities/urn:ngsi-ld:Meter:{meter}", municipality=MUNICIPALITY).json()
        self.assertEqual((current["energy"]["value"], current["energy"]["observedAt"]), (value(meter, HOURS - 1), moment(HOURS - 1)))
        answer = server.get("/history", municipality=MUNICIPALITY, params={
            "id": f"urn:ngsi-ld:Meter:{meter}", "attr": "energy", "from": moment(0), "to": moment(HOURS), "every": "PT1H", "fn": "last,count"})
        self.assertEqual(answer.status_code, 200, answer.text[:300])
        series = answer.json()["series"][0]["values"]
        self.assertEqual(series["last"], [value(meter, hour) for hour in range(HOURS)])
        self.assertEqual(series["count"], [1] * HOURS)


if __name__ == "__main__":
    harness.main()
