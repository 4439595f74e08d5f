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

import requests

import harness
from crash_rounds import CrashRounds, HistoryWriter

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


def parts():
    for day in range(DAYS):
        yield day + 1, [{"type": "Property", "value": value(number), "observedAt": moment(number)} for number in numbers(day)]


class RetentionCrashTest(CrashRounds):
    def writer(self, server, name):
        return HistoryWriter(server, name, MUNICIPALITY, parts)

    def test_nothing_is_lost_or_double_when_thinning_is_cut_off(self):
        known = self.crash(ROUNDS, SEED, SETTINGS, writer_count=WRITERS, seconds=(1.0, 3.0), sample_count=40)
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


if __name__ == "__main__":
    harness.main()
