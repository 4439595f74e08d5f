"""kill -9 while old history is being thinned, many times over: no observation of what is kept is lost, none is counted twice.

    .venv/bin/python Tests/acceptance/test_retention.py .build/release/conurb        (ROUNDS=20 unless set)

Days of the last weeks are written through the temporal interface, a day a request, while the sealer and retention walk once a second: what is
two days old becomes hours, after five days days, and after fifteen nothing. After each crash `verify` must find nothing, and of every
day that was acknowledged and is kept the figures must be those of its observations, to the last digit.
"""

import datetime
import math
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
OBSERVATIONS_PER_DAY = 48
DAYS = 20
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - datetime.timedelta(days=DAYS)
DROPPED_AFTER_DAYS = 15
SETTINGS = {
    "CONURB_HISTORY_SEAL_AFTER_HOURS": "1", "CONURB_HISTORY_SEAL_ROWS_MIN": "16", "CONURB_HISTORY_SEAL_EVERY_SECONDS": "1",
    "CONURB_HISTORY_KEEP_RAW": "P2D", "CONURB_HISTORY_KEEP_HOURLY": "P5D", "CONURB_HISTORY_KEEP_DAILY": f"P{DROPPED_AFTER_DAYS}D",
    "CONURB_HISTORY_SETTLE_HOURS": "0",
}
FUNCTIONS = ("count", "sum", "min", "max", "first", "last")


def value(number):
    return number * 7919 % 1000 / 10


def moment(number):
    return (START + datetime.timedelta(minutes=number * 24 * 60 // OBSERVATIONS_PER_DAY)).strftime("%Y-%m-%dT%H:%M:%SZ")


def numbers(day):
    return range(day * OBSERVATIONS_PER_DAY, (day + 1) * OBSERVATIONS_PER_DAY)


def figures(day):
    values = [value(number) for number in numbers(day)]
    return [len(values), math.fsum(values), min(values), max(values), values[0], values[-1]]


class Writer(threading.Thread):
    """Adds days to the history of one sensor after the other until its connection breaks."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name, self.sensors, self.unexpected = server, name, {}, []

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = MUNICIPALITY
        for sensor in range(1000):
            identifier = f"urn:ngsi-ld:Sensor:{self.name}-{sensor}"
            for day in range(DAYS):
                acknowledged, _ = self.sensors.get(identifier, (0, 0))
                self.sensors[identifier] = (acknowledged, day + 1)
                document = {"id": identifier, "type": "Sensor", "level": [
                    {"type": "Property", "value": value(number), "observedAt": moment(number)} for number in numbers(day)]}
                try:
                    answer = session.post(f"{self.server.base}{NGSI_LD}/temporal/entities", json=document, timeout=20)
                except requests.RequestException:
                    return
                if answer.status_code not in (201, 204):
                    self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
                    return
                self.sensors[identifier] = (day + 1, day + 1)


class RetentionCrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()

    def test_nothing_is_lost_or_double_when_thinning_is_cut_off(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        chance = random.Random(SEED)
        server = harness.Server(self.data, environment=SETTINGS).start()
        known = {}
        try:
            for round_number in range(1, ROUNDS + 1):
                writers = [Writer(server, f"{round_number}-{index}") for index in range(WRITERS)]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(1.0, 3.0))  # the moment of the crash is what is random here
                server.kill()
                for writer in writers:
                    writer.join(timeout=30)
                    self.assertEqual(writer.unexpected, [])
                    known.update(writer.sensors)
                self.assert_verified(round_number)
                server.start()
                self.check(server, {identifier: known[identifier] for identifier in chance.sample(sorted(known), min(40, len(known)))})
            self.check(server, known)
            self.assertEqual(server.stop(), 0)
            self.assert_verified(ROUNDS)
        finally:
            if server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        with sqlite3.connect(self.data / MUNICIPALITY / "municipality.sqlite") as file:
            hourly, daily = (file.execute("SELECT coalesce(sum(count), 0) FROM summary WHERE level = ?", [level]).fetchone()[0] for level in (1, 2))
            dropped = file.execute("SELECT count(*) FROM thinned WHERE daily_us IS NOT NULL").fetchone()[0]
        print(f"{len(known)} sensors, {hourly} hours, {daily} days, {dropped} series with something dropped", flush=True)
        for count in (hourly, daily, dropped):
            self.assertGreater(count, 0, "a test in which nothing was thinned proves nothing")

    def check(self, server, sensors):
        session = requests.Session()
        kept_from = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=DROPPED_AFTER_DAYS)).date()
        for identifier, (acknowledged, awaited) in sensors.items():
            answer = session.get(f"{server.base}/history", timeout=30, params={
                "municipality": MUNICIPALITY, "id": identifier, "attr": "level", "every": "P1D", "fn": ",".join(FUNCTIONS),
                "from": moment(0), "to": TODAY.strftime("%Y-%m-%dT%H:%M:%SZ")})
            self.assertEqual(answer.status_code, 200, answer.text[:300])
            series = answer.json()["series"]
            if not series:
                self.assertEqual(acknowledged, 0, identifier)
                continue
            values = series[0]["values"]
            gone = False
            for day in range(DAYS):
                found = [values[function][day] for function in FUNCTIONS]
                where = f"{identifier}, day {day} of {acknowledged} to {awaited}, seed {SEED}"
                if found[0] is None:
                    gone = True
                    self.assertLess((START + datetime.timedelta(days=day)).date(), kept_from, where)
                elif day < acknowledged or found[0]:
                    self.assertLess(day, awaited, where)
                    self.assertEqual(found, figures(day), where)
            said = [dropped["kept"] for dropped in answer.json().get("dropped", [])]
            self.assertEqual(said, ["nothing"] if gone else [], identifier)
            self.assertEqual("NGSILD-Warning" in answer.headers, gone, identifier)

    def assert_verified(self, round_number):
        verified = self.conurb.verify(self.data)
        self.assertEqual(verified.returncode, 0, f"verify, round {round_number}, seed {SEED}:\n{verified.stdout}\n{verified.stderr}")


if __name__ == "__main__":
    harness.main()
