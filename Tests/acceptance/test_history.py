"""`/history` against pandas over the same file: real measurements of Beijing, by hour, day, week and month.

The data lies beside the checkout, in ../shared/data; without it everything here is skipped, aloud.
"""

import io
import json
import unittest

import pandas
import pyarrow

import harness
from harness import NGSI_LD, SHARED_DATA

FOLDER = SHARED_DATA / "air-quality-beijing"
STATIONS = {"Aotizhongxin": (116.407, 39.982), "Dingling": (116.22, 40.292), "Wanliu": (116.287, 39.987)}
ROW_COUNT = 5_000  # of each station, from 2013-03-01 on: 208 days
ZONE = "Asia/Shanghai"
SOURCE = """\
id: air
title: Air
steward: Tests
licence: CC-BY-4.0
classification: open
format: csv
nulls: [NA, ""]
time: {zone: Asia/Shanghai}
entity:
  id: "urn:ngsi-ld:AirQualityObserved:{station}"
  type: AirQualityObserved
  observedAt: {fields: [year, month, day, hour], format: "%Y %m %d %H"}
attributes:
  name: {field: station, observedAt: none}
  pm25: {field: PM2.5, as: number, unit: GQ}
  temperature: {field: TEMP, as: number, unit: CEL}
"""


def station_rows(station):
    path = next(FOLDER.glob(f"PRSA_Data_{station}_*.csv.gz"))
    frame = pandas.read_csv(path, nrows=ROW_COUNT)
    # The file has no gaps: three of 17 hours are left out.
    return frame[frame.index % 17 > 2][["year", "month", "day", "hour", "PM2.5", "TEMP", "station"]]


@unittest.skipUnless(FOLDER.is_dir(), "the measurements of Beijing are not there (../shared/data)")
class HistoryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = harness.TemporaryFolder.of(cls)
        frame = pandas.concat([station_rows(station) for station in STATIONS])
        frame.to_csv(folder / "air.csv", index=False, na_rep="NA")
        times = pandas.to_datetime(frame[["year", "month", "day", "hour"]])
        cls.frame = frame.set_index(times.dt.tz_localize(ZONE)).rename(columns={"PM2.5": "pm25", "TEMP": "temperature"})
        cls.server = harness.Server(folder / "data")
        cls.enterClassContext(cls.server)
        made = cls.server.request("PUT", "/sources/air", data=SOURCE, headers={"Content-Type": "application/yaml"})
        assert made.status_code < 300, made.text
        with open(folder / "air.csv", "rb") as file:
            pushed = cls.server.request("POST", "/sources/air/data", data=file, headers={"Content-Type": "text/csv"}, timeout=300)
        assert pushed.status_code == 200 and pushed.json()["accepted"] == len(frame), pushed.text[:500]
        for station, position in STATIONS.items():
            cls.add(f"urn:ngsi-ld:AirQualityObserved:{station}/attrs",
                    {"location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": position}}})
        for name, (south, north) in {"south": (39, 40.1), "north": (40.1, 41)}.items():
            ring = [[116, south], [117, south], [117, north], [116, north], [116, south]]
            cls.add("", {"id": f"urn:ngsi-ld:District:{name}", "type": "District", "name": {"type": "Property", "value": f"The {name}"},
                         "location": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}}})

    @classmethod
    def add(cls, path, document):
        answer = cls.server.post(NGSI_LD + ("/entities/" + path).rstrip("/"), document)
        assert answer.status_code < 300, answer.text

    def ask(self, status=200, **query):
        parameters = {"type": "AirQualityObserved", "from": "2013-03-01", "to": "2013-12-31", "zone": ZONE} | query
        answer = self.server.get("/history", params={name: value for name, value in parameters.items() if value is not None})
        self.assertEqual(answer.status_code, status, answer.text[:500])
        return answer

    def series(self, function="avg", **query):
        """For each key a pandas series of what the first function gave."""
        found = {}
        answer = self.ask(fn=function, **query).json()
        for series in answer["series"]:
            index = pandas.DatetimeIndex(pandas.to_datetime(answer["periods"], utc=True)).tz_convert(ZONE)
            found[series["key"]] = pandas.Series(series["values"][function], index=index, dtype=float)
        return found

    def assert_same(self, found, expected):
        """The same values where there are any, and none elsewhere."""
        expected = expected.dropna()
        found = found.dropna()
        self.assertEqual(list(found.index), list(expected.index))
        pandas.testing.assert_series_equal(found, expected, check_names=False, check_freq=False, rtol=1e-9)

    def of(self, station, attribute="pm25"):
        return self.frame[self.frame.station == station][attribute]

    # Periods

    def test_periods_of_the_calendar_are_those_of_pandas(self):
        for every, rule in (("PT1H", "h"), ("PT6H", "6h"), ("P1D", "D"), ("P1W", "W-MON"), ("P1M", "MS")):
            with self.subTest(every):
                found = self.series(attr="pm25", every=every)
                self.assertEqual(set(found), {f"urn:ngsi-ld:AirQualityObserved:{station}" for station in STATIONS})
                for station in STATIONS:
                    options = {"label": "left", "closed": "left"}
                    expected = self.of(station).resample(rule, **options).mean()
                    self.assert_same(found[f"urn:ngsi-ld:AirQualityObserved:{station}"], expected)

    def test_functions_are_those_of_pandas(self):
        days = self.of("Wanliu").resample("D")
        expected = {"sum": days.sum(min_count=1), "min": days.min(), "max": days.max(), "stddev": days.std(ddof=0), "first": days.first(),
                    "last": days.last(), "median": days.median(), "p95": days.quantile(0.95), "count": days.count().astype(float)}
        for function, values in expected.items():
            with self.subTest(function):
                name = "p50" if function == "median" else function
                found = self.series(name, attr="pm25", every="P1D", id="urn:ngsi-ld:AirQualityObserved:Wanliu")
                found = found["urn:ngsi-ld:AirQualityObserved:Wanliu"]
                self.assert_same(found[found != 0] if function == "count" else found, values[values != 0] if function == "count" else values)

    def test_a_mean_over_time_holds_each_value_until_the_next(self):
        hours = self.of("Dingling", "temperature").resample("h").first()
        found = self.series("timeAvg", attr="temperature", every="P1D", id="urn:ngsi-ld:AirQualityObserved:Dingling")
        # Where an hour is missing the one before goes on. The last day is not over.
        expected = hours.ffill().resample("D").mean()[:-1]
        self.assert_same(found["urn:ngsi-ld:AirQualityObserved:Dingling"].dropna()[:len(expected)], expected)

    def test_gaps_are_filled(self):
        hours = self.of("Wanliu").resample("h").mean()
        self.assertGreater(hours.isna().sum(), 100, "the data has gaps")
        key = "urn:ngsi-ld:AirQualityObserved:Wanliu"
        last = self.series(attr="pm25", every="PT1H", fill="last", id=key)[key]
        self.assert_same(last[last.index <= hours.index[-1]], hours.ffill())
        linear = self.series(attr="pm25", every="PT1H", fill="linear", id=key)[key]
        self.assert_same(linear, hours.interpolate("time", limit_area="inside"))

    # Groups and places

    def test_series_are_taken_together_by_district_type_and_attribute(self):
        districts = self.series(attr="pm25", every="P1D", group="within:District")
        south = self.frame[self.frame.station != "Dingling"].pm25
        self.assert_same(districts["urn:ngsi-ld:District:south"], south.resample("D").mean())
        self.assert_same(districts["urn:ngsi-ld:District:north"], self.of("Dingling").resample("D").mean())
        names = {series["key"]: series["name"] for series in self.ask(attr="pm25", group="within:District").json()["series"]}
        self.assertEqual(names["urn:ngsi-ld:District:south"], "The south")
        together = self.series("p90", attr="pm25", every="P1M", group="all")
        self.assert_same(together[None], self.frame.pm25.resample("MS").quantile(0.9))
        self.assertEqual(set(self.series(attr="pm25", group="name")), set(STATIONS))

    def test_places_choose_series(self):
        def found(area):
            return {key.rsplit(":", 1)[1] for key in self.series(attr="pm25", area=area)}
        self.assertEqual(found("urn:ngsi-ld:District:south"), {"Aotizhongxin", "Wanliu"})
        self.assertEqual(found("116.2,40.2,116.3,40.3"), {"Dingling"})
        triangle = {"type": "Polygon", "coordinates": [[[116.2, 39.9], [116.4, 39.9], [116.2, 40.2], [116.2, 39.9]]]}
        self.assertEqual(found(json.dumps(triangle)), {"Wanliu"})

    def test_the_worst_come_first_and_no_more_than_asked_for(self):
        answer = self.ask(attr="pm25", order="-avg", limit=2).json()
        expected = self.frame.groupby("station").pm25.mean().sort_values(ascending=False)
        self.assertEqual([series["key"].rsplit(":", 1)[1] for series in answer["series"]], list(expected.index[:2]))
        self.assertEqual(answer["count"], 3)
        self.assertEqual(answer["series"][0]["unitCode"], "GQ")

    def test_those_above_a_limit_are_answered_alone(self):
        means = self.frame.groupby("station").pm25.mean()
        limit = means.sort_values().iloc[1]
        answer = self.ask(attr="pm25", having=f"avg>{limit - 0.5}", order="-avg", limit=1).json()
        self.assertEqual((answer["count"], [series["key"].rsplit(":", 1)[1] for series in answer["series"]]), (2, [means.idxmax()]))
        self.assertEqual(set(self.series(attr="pm25", having=f"avg<={limit + 1e-6}")), {f"urn:ngsi-ld:AirQualityObserved:{name}" for name in means[means <= limit].index})
        for text in ("avg", "avg>", "avg=5", "avg>nan", "avg>>5", "max>5", ">5"):
            self.assertIn("having", self.ask(400, attr="pm25", having=text).json()["detail"], text)
        self.assertIn("having", self.ask(400, attr="pm25", having="avg>5", every="P1D").json()["detail"])

    # Formats

    def test_arrow_and_csv_say_the_same_as_json(self):
        query = {"attr": "pm25,temperature", "fn": "avg,max", "every": "P1W"}
        table = pyarrow.ipc.open_stream(io.BytesIO(self.ask(format="arrow", **query).content)).read_all()
        table.validate(full=True)
        self.assertEqual(str(table.schema.field("period").type), f"timestamp[us, tz={ZONE}]")
        arrow = table.to_pandas()
        sheet = pandas.read_csv(io.StringIO(self.ask(format="csv", **query).text))
        answer = self.ask(**query).json()
        rows = [(period, series["key"], series["attribute"], series["unitCode"], series["values"]["avg"][index], series["values"]["max"][index])
                for series in answer["series"] for index, period in enumerate(answer["periods"])]
        for name, frame in (("arrow", arrow), ("csv", sheet)):
            with self.subTest(name):
                self.assertEqual(len(frame), len(rows))
                moments = pandas.to_datetime(frame["period"], utc=True)
                for (_, found), moment, (period, key, attribute, unit, mean, top) in zip(frame.iterrows(), moments, rows):
                    self.assertEqual((moment, found.key, found.attribute, found.unitCode),
                                     (pandas.Timestamp(period).tz_convert("UTC"), key, attribute, unit))
                    for value, expected in ((found.avg, mean), (found["max"], top)):
                        self.assertTrue(pandas.isna(value) if expected is None else abs(value - expected) < 1e-9)

    def test_a_long_answer_is_several_batches(self):
        query = {"attr": "pm25", "every": "PT5M", "from": "2013-03-01", "to": "2013-12-31"}
        reader = pyarrow.ipc.open_stream(io.BytesIO(self.ask(format="arrow", **query).content))
        batches = list(reader)
        self.assertGreater(len(batches), 1)
        # 306 days of 288 periods for each station, an hour of which has a measurement in its first.
        self.assertEqual(sum(len(batch) for batch in batches), 306 * 288 * len(STATIONS))
        found = pyarrow.Table.from_batches(batches).to_pandas()
        self.assertEqual(found["avg"].notna().sum(), int(self.frame.pm25.notna().sum()))

    def test_what_is_accepted_is_answered(self):
        for accept, expected in (("text/csv", "text/csv"), ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
                                 ("*/*", "application/json")):
            answer = self.server.get("/history", params={"type": "AirQualityObserved", "attr": "pm25"}, headers={"Accept": accept})
            self.assertTrue(answer.headers["Content-Type"].startswith(expected))
        refused = self.server.get("/history", params={"type": "AirQualityObserved", "attr": "pm25"}, headers={"Accept": "image/png"})
        self.assertEqual(refused.status_code, 406)

    # Faults

    def test_what_is_wrong_is_named(self):
        for faulty in ({"attr": None}, {"type": None}, {"from": "yesterday"}, {"from": "2014-01-01", "to": "2013-01-01"}, {"every": "1h"},
                       {"every": "P1M1D"}, {"fn": "mean"}, {"fn": "avg,avg"}, {"zone": "Mars/Olympus"}, {"fill": "zero"}, {"order": "-max"},
                       {"order": "avg", "every": "P1D"}, {"area": "1,2"}, {"area": "{}"}, {"area": "1,2,1,2"}, {"limit": "0"},
                       {"group": "within:Nowhere"}, {"format": "xlsx"}, {"surprise": "1"}, {"q": "a=="}):
            with self.subTest(faulty):
                problem = self.ask(400, **({"attr": "pm25"} | faulty)).json()
                self.assertIn(list(faulty)[-1].removeprefix("to"), problem["detail"])
        self.ask(404, attr="pm25", area="urn:ngsi-ld:District:none")
        self.ask(403, attr="pm25", every="PT1S")

    def test_too_much_is_refused_and_long_texts_are_no_groups(self):
        refused = self.ask(403, attr="pm25", every="PT5M", fn="avg,min,max,sum").json()
        self.assertIn("fewer functions", refused["detail"])
        self.add("urn:ngsi-ld:AirQualityObserved:Wanliu/attrs", {"story": {"type": "Property", "value": "once upon a time " * 100}})
        self.assertEqual(set(self.series(attr="pm25", group="story")), {None})


if __name__ == "__main__":
    harness.main()
