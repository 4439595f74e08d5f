"""Recorded series of real cities through `conurb import`, packed, and read back through the temporal interface, equal to the files.

The data lies beside the checkout, in ../shared/data, and is never copied; what of it is missing is skipped, aloud. What is expected is
read with Python's own csv module. Of several values of one moment the last in the file counts.
"""

import csv
import datetime
import gzip
import io
import sqlite3
import time
import unittest

import harness
from harness import NGSI_LD, SHARED_DATA

MUNICIPALITY = "alder"
# All of it is older than an hour, and walks follow one another.
SETTINGS = {"CONURB_HISTORY_SEAL_AFTER_HOURS": "1", "CONURB_HISTORY_SEAL_ROWS_MIN": "64", "CONURB_HISTORY_SEAL_EVERY_SECONDS": "1"}
SEAL_SECONDS_MAX = 300
# Of all instances; the rest are the last of each series, and what lies between chunks.
SEALED_SHARE_MIN = 0.9


class Recorded:
    """Files of one form: a source definition, and what it makes of them.

    `entity` is a format string over the columns; `moment` makes an aware datetime of a row; `numbers` says the columns by attribute.
    """

    def __init__(self, name, files, entity, observed_at, moment, numbers, extra=""):
        self.name, self.entity, self.observed_at, self.moment, self.numbers, self.extra = name, entity, observed_at, moment, numbers, extra
        self.files = sorted(path for pattern in files for path in SHARED_DATA.glob(pattern))

    def definition(self):
        attributes = "\n".join(f"  {attribute}: {{field: '{column}', as: number}}" for attribute, column in self.numbers.items())
        return (f"id: {self.name}\ntitle: {self.name}\nclassification: open\nformat: csv\nnulls: [NA]\n{self.extra}entity:\n"
                f"  id: 'urn:ngsi-ld:Series:{self.entity}'\n  type: Series\n  observedAt: {self.observed_at}\nattributes:\n{attributes}\n")

    def expected(self):
        """By entity and attribute: the values by moment."""
        series = {}
        for path in self.files:
            with (gzip.open(path, "rt", newline="") if path.suffix == ".gz" else open(path, newline="")) as file:
                for row in csv.DictReader(file):
                    entity, moment = self.entity.format(**row), self.moment(row)
                    for attribute, column in self.numbers.items():
                        if row[column] not in ("", "NA"):
                            series.setdefault((entity, attribute), {})[moment] = float(row[column])
        return series


def read(text, pattern):
    return datetime.datetime.strptime(text, pattern).replace(tzinfo=datetime.timezone.utc)


def meter(number, kind="electricity"):
    return Recorded(
        f"{kind}-{number}", [f"smart-meters/uk-{kind}-hdd-only-hourly-sample-{number}.csv.gz"], f"{kind}-{number}", "start",
        lambda row: datetime.datetime.fromisoformat(row["start"]).replace(tzinfo=datetime.timezone.utc), {"energy": "value"})


def utility(name):
    return Recorded(
        f"load-{name.lower()}", [f"electricity-pjm-hourly/{name}_hourly.csv.gz"], name, "Datetime",
        lambda row: read(row["Datetime"], "%Y-%m-%d %H:%M:%S"), {"load": f"{name}_MW"})


BEIJING = Recorded(
    "beijing", ["air-quality-beijing/PRSA_Data_*.csv.gz"], "{station}", "{fields: [year, month, day, hour], format: '%Y %m %d %H'}",
    lambda row: datetime.datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), tzinfo=datetime.timezone.utc),
    {"pm25": "PM2.5", "so2": "SO2", "co": "CO", "temperature": "TEMP", "pressure": "PRES"})
OSLO = Recorded(
    "oslo", ["bikeshare-oslo-gbfs/station_status-2023-06.csv.gz"], "{station_id}", "{field: last_updated, format: unix}",
    lambda row: datetime.datetime.fromtimestamp(int(row["last_updated"]), datetime.timezone.utc),
    {"bikes": "num_bikes_available", "docks": "num_docks_available"})
MARIGNANE = Recorded(
    "marignane", ["weather-marignane/marignane-daily-temperature-1980-2024.csv"], "marignane", "DATE",
    lambda row: read(row["DATE"], "%Y-%m-%d"), {"least": "TN", "greatest": "TX", "mean": "TM", "range": "TAMPLI"})
PARKING = Recorded(
    "parking", ["traffic-parking-aarhus/aarhus_parking.csv.gz"], "{garagecode}", "updatetime",
    lambda row: datetime.datetime.fromisoformat(row["updatetime"]).replace(tzinfo=datetime.timezone.utc), {"vehicles": "vehiclecount"})
TRAFFIC = Recorded(
    "traffic", ["traffic-parking-aarhus/trafficData158324.csv"], "road-{REPORT_ID}", "TIMESTAMP",
    lambda row: read(row["TIMESTAMP"], "%Y-%m-%dT%H:%M:%S"), {"speed": "avgSpeed", "count": "vehicleCount"})

SETS = {
    "air-quality-beijing": [BEIJING], "electricity-pjm-hourly": [utility(name) for name in ("COMED", "DAYTON", "DEOK")],
    "smart-meters": [meter(0), meter(1), meter(2), meter(0, "gas")], "bikeshare-oslo-gbfs": [OSLO], "weather-marignane": [MARIGNANE],
    "traffic-parking-aarhus": [PARKING, TRAFFIC],
}


class RecordedSeriesTest(unittest.TestCase):
    def check(self, folder_name):
        if not (SHARED_DATA / folder_name).is_dir():
            self.skipTest(f"../shared/data/{folder_name} is not there")
        folder = harness.TemporaryFolder.of(type(self)) / folder_name
        folder.mkdir()
        conurb, expected = harness.Conurb(), {}
        self.assertEqual(conurb.create_municipality(folder / "data", MUNICIPALITY).returncode, 0)
        with harness.Server(folder / "data", environment=SETTINGS | {"CONURB_PAGE_INSTANCES_MAX": "50000"}) as server:
            for recorded in SETS[folder_name]:
                source = folder / f"{recorded.name}.yaml"
                source.write_text(recorded.definition())
                began = time.monotonic()
                done = conurb.import_files(folder / "data", MUNICIPALITY, source, *recorded.files)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                print(f"{recorded.name}: {done.stdout.strip().splitlines()[-1].rpartition('/')[2]}, {time.monotonic() - began:.1f} s", flush=True)
                self.assertIn(" 0 rejected", done.stdout)
                expected |= recorded.expected()
            count = sum(len(series) for series in expected.values())
            self.await_sealed(folder / "data", count)
            for (entity, attribute), series in expected.items():
                found = self.answered(server, entity, attribute)
                differing = [moment for moment in series.keys() | found.keys() if series.get(moment) != found.get(moment)]
                self.assertFalse(differing, f"{len(differing)} of {len(series)} of {entity} {attribute}, such as {min(differing, default=None)}")
            self.assert_unchanged(conurb, folder, SETS[folder_name][0])
        verified = conurb.verify(folder / "data")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def await_sealed(self, data, count):
        deadline = time.monotonic() + SEAL_SECONDS_MAX
        with sqlite3.connect(f"file:{data / MUNICIPALITY / 'municipality.sqlite'}?mode=ro", uri=True) as file:
            while True:
                sealed, size = file.execute("SELECT coalesce(sum(count), 0), coalesce(sum(length(data)), 0) FROM chunk").fetchone()
                if sealed >= count * SEALED_SHARE_MIN:
                    print(f"{count:,} instances, {sealed:,} of them packed, {size / sealed:.2f} bytes each with the time of recording", flush=True)
                    return
                self.assertLess(time.monotonic(), deadline, f"{sealed} of {count} are sealed after {SEAL_SECONDS_MAX} s")
                time.sleep(0.5)

    def answered(self, server, entity, attribute):
        """All pages of one series."""
        parameters = {"attrs": attribute, "options": "temporalValues", "timeproperty": "observedAt", "timerel": "after", "timeAt": "1900-01-01T00:00:00Z"}
        values = {}
        while True:
            answer = server.get(f"{NGSI_LD}/temporal/entities/urn:ngsi-ld:Series:{entity}", params=parameters, municipality=MUNICIPALITY)
            self.assertIn(answer.status_code, (200, 206), answer.text[:300])
            for number, at in answer.json()[attribute]["values"]:
                moment = datetime.datetime.fromisoformat(at)
                self.assertFalse(moment in values, f"{moment} is told twice")
                values[moment] = number
            if answer.status_code == 200:
                return values
            # The next page begins just after the last instance.
            parameters["timeAt"] = (max(values) + datetime.timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def assert_unchanged(self, conurb, folder, recorded):
        """Said again, it is known."""
        if any(len(series) != row_count for series, row_count in self.counts(recorded)):
            return  # moments that the file says twice, once each way, change back and forth
        done = conurb.import_files(folder / "data", MUNICIPALITY, folder / f"{recorded.name}.yaml", *recorded.files)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout.strip().splitlines()[-1], r" 0 accepted, [1-9]\d* unchanged, 0 rejected")

    @staticmethod
    def counts(recorded):
        rows = {}
        for path in recorded.files:
            text = gzip.open(path, "rt", newline="").read() if path.suffix == ".gz" else path.read_text()
            for row in csv.DictReader(io.StringIO(text)):
                for attribute, column in recorded.numbers.items():
                    if row[column] not in ("", "NA"):
                        key = (recorded.entity.format(**row), attribute)
                        rows[key] = rows.get(key, 0) + 1
        expected = recorded.expected()
        return [(expected[key], count) for key, count in rows.items()]

    def test_air_quality_of_beijing(self):
        self.check("air-quality-beijing")

    def test_electric_load_whose_rows_are_not_in_order(self):
        self.check("electricity-pjm-hourly")

    def test_smart_meters(self):
        self.check("smart-meters")

    def test_bicycles_of_oslo(self):
        self.check("bikeshare-oslo-gbfs")

    def test_weather_of_marignane(self):
        self.check("weather-marignane")

    def test_car_parks_and_traffic_of_aarhus(self):
        self.check("traffic-parking-aarhus")


if __name__ == "__main__":
    harness.main()
