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

import requests

import harness
from crash_rounds import CrashRounds, HistoryWriter
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


def parts():
    for request in range(REQUESTS_PER_ENTITY):
        numbers = range(request * OBSERVATIONS_PER_REQUEST, (request + 1) * OBSERVATIONS_PER_REQUEST)
        yield numbers.stop, [{"type": "Property", "value": value(number), "observedAt": moment(number)} for number in numbers]


class SealingCrashTest(CrashRounds):
    def writer(self, server, name):
        return HistoryWriter(server, name, MUNICIPALITY, parts)

    def test_nothing_is_lost_or_double_when_sealing_is_cut_off(self):
        known = self.crash(ROUNDS, SEED, SETTINGS, writer_count=WRITERS, seconds=(1.0, 2.5), sample_count=60)
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


if __name__ == "__main__":
    harness.main()
