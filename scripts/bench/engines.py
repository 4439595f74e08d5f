"""The databases of history that are compared, each loaded with the same samples: files sensors.csv and samples.csv of `conurb bench history --samples`."""

import csv
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "acceptance"))

import harness

START_MS = 1_767_225_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BOX = (3.2, 43.55, 3.31, 43.66)
DISTRICT = 7
THRESHOLD = 60
START_SECONDS_MAX = 60


class Questions:
    """What is asked, with its times in milliseconds. An answer is a dictionary or a list of numbers, alike for all engines."""

    def __init__(self, days, sensors):
        self.end = START_MS + days * DAY_MS
        self.days, self.sensors = days, sensors
        west, south, east, north = BOX
        self.in_box = [row["sensor"] for row in sensors if west <= float(row["longitude"]) <= east and south <= float(row["latitude"]) <= north]
        self.kinds = sorted({row["kind"] for row in sensors})

    titles = {
        "Q1": "last value of each sensor in a box", "Q2": "hourly mean of a district, 7 days", "Q3": "top ten by mean, a day",
        "Q4": "95th percentile by kind and day, all days", "Q5": "a sensor each 5 minutes, gaps filled, all days", "Q6": "sensors above a limit within the last hour",
    }

    @property
    def week(self):
        return self.end - min(self.days, 7) * DAY_MS


def text(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fetch(base, path, parameters):
    with urllib.request.urlopen(f"{base}{path}?{urllib.parse.urlencode(parameters)}", timeout=120) as answer:
        return json.load(answer)


def folder_bytes(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


# What Conurb keeps history in; the rest of a file is about entities, sources and runs.
HISTORY_TABLES = ("chunk", "chunk_series", "chunk_to", "chunk_form", "instance", "instance_expires")


def stored_history(path, folder):
    """(packed, with tables and indexes) bytes of history in a compact copy of a file, without what came in while a benchmark asked."""
    copy, compact = pathlib.Path(folder) / "copy.sqlite", pathlib.Path(folder) / "compact.sqlite"
    names = ", ".join(f"'{name}'" for name in HISTORY_TABLES)
    def sql(file, text):
        return subprocess.run(["sqlite3", str(file), text], check=True, capture_output=True, text=True).stdout
    sql(path, f"VACUUM INTO '{copy}'")
    sql(copy, "DELETE FROM instance WHERE entity IN (SELECT id FROM entity WHERE iri LIKE 'urn:ngsi-ld:Ingest:%')")
    sql(copy, f"VACUUM INTO '{compact}'")
    return tuple(map(int, sql(compact, f"SELECT (SELECT sum(length(data)) FROM chunk), (SELECT sum(pgsize) FROM dbstat WHERE name IN ({names}))").split("|")))


class ConurbEngine:
    name = "Conurb"

    def __init__(self, binary, data, questions):
        self.questions, self.data = questions, data
        self.server = harness.Server(data, binary=binary).start()

    def close(self):
        self.server.stop()

    def bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            return stored_history(next(pathlib.Path(self.data).rglob("municipality.sqlite")), folder)[1]

    def history(self, **parameters):
        parameters = {"municipality": "bench", "attr": "level", "zone": "UTC", "limit": 10_000} | parameters
        if "id" not in parameters:
            parameters["type"] = ",".join(self.questions.kinds)
        return fetch(self.server.base, "/history", {name.rstrip("_"): value for name, value in parameters.items()})["series"]

    def ask(self, question):
        q = self.questions
        def by_sensor(series, function):
            return {one["key"].rsplit(":", 1)[1]: one["values"][function][0] for one in series}
        if question == "Q1":
            return by_sensor(self.history(area=",".join(map(str, BOX)), from_=text(q.end - HOUR_MS), to=text(q.end), fn="last"), "last")
        if question == "Q2":
            [one] = self.history(area=f"urn:ngsi-ld:District:{DISTRICT}", from_=text(q.week), to=text(q.end), every="PT1H", fn="avg", group="all")
            return one["values"]["avg"]
        if question == "Q3":
            return by_sensor(self.history(from_=text(q.end - DAY_MS), to=text(q.end), fn="avg", order="-avg", limit=10), "avg")
        if question == "Q4":
            series = self.history(from_=text(START_MS), to=text(q.end), every="P1D", fn="p95", group="type")
            return {one["key"].rsplit("/", 1)[1]: one["values"]["p95"] for one in series}
        if question == "Q5":
            [one] = self.history(id="urn:ngsi-ld:Sensor:0", from_=text(START_MS), to=text(q.end), every="PT5M", fn="avg", fill="last")
            return one["values"]["avg"]
        return by_sensor(self.history(from_=text(q.end - HOUR_MS), to=text(q.end), fn="max", having=f"max>{THRESHOLD}"), "max")


class VictoriaMetrics:
    name = "VictoriaMetrics"

    def __init__(self, program, folder, samples, questions):
        self.questions, self.folder = questions, folder
        self.base = f"http://127.0.0.1:{harness.free_port()}"
        self.process = subprocess.Popen(
            [program, f"-storageDataPath={folder}", "-retentionPeriod=100y", f"-httpListenAddr={self.base[7:]}", "-search.maxPointsPerTimeseries=100000",
             "-search.disableCache", "-loggerLevel=ERROR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.base + "/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.05)
        self.load(samples)

    def load(self, samples):
        started = time.monotonic()
        about = {row["sensor"]: row for row in self.questions.sensors}
        for sensor, times, values in by_sensor(samples):
            metric = {"__name__": "level", "sensor": sensor, "kind": about[sensor]["kind"], "district": about[sensor]["district"]}
            line = json.dumps({"metric": metric, "values": values, "timestamps": times}).encode()
            urllib.request.urlopen(urllib.request.Request(self.base + "/api/v1/import", data=line, method="POST"), timeout=300).close()
        self.load_seconds = time.monotonic() - started
        for path in ("/internal/force_flush", "/internal/force_merge"):
            urllib.request.urlopen(self.base + path, timeout=600).close()

    def close(self):
        self.process.terminate()
        self.process.wait()

    def bytes(self):
        return folder_bytes(pathlib.Path(self.folder) / "data") + folder_bytes(pathlib.Path(self.folder) / "indexdb")

    # A window ends at its moment, which is part of it: so windows end a millisecond before the hour.
    def instant(self, query, ms):
        return {one["metric"].get("sensor", ""): float(one["value"][1]) for one in fetch(self.base, "/api/v1/query", {"query": query, "time": (ms - 1) / 1000})["data"]["result"]}

    def range(self, query, start, end, step):
        result = fetch(self.base, "/api/v1/query_range", {"query": query, "start": (start + step - 1) / 1000, "end": (end - 1) / 1000, "step": f"{step}ms", "nocache": 1})
        [one] = result["data"]["result"]
        found = {round(float(at) * 1000): float(value) for at, value in one["values"]}
        return [found.get(at) for at in range(start + step - 1, end, step)]

    def ask(self, question):
        q = self.questions
        if question == "Q1":
            return self.instant(f'last_over_time(level{{sensor=~"{"|".join(q.in_box)}"}}[1h])', q.end)
        if question == "Q2":
            series = f'level{{district="{DISTRICT}"}}[1h]'
            return self.range(f"sum(sum_over_time({series})) / sum(count_over_time({series}))", q.week, q.end, HOUR_MS)
        if question == "Q3":
            return self.instant("topk(10, avg_over_time(level[1d]))", q.end)
        if question == "Q4":
            return None  # Percentiles of raw samples over several series are not in its language.
        if question == "Q5":
            return self.range('keep_last_value(avg_over_time(level{sensor="0"}[5m]))', START_MS, q.end, 300_000)
        return self.instant(f"max_over_time(level[1h]) > {THRESHOLD}", q.end)


class SQLEngine:
    """DuckDB and chdb differ in how samples are stored and in a few words."""

    def __init__(self, questions):
        self.questions = questions

    def ask(self, question):
        q = self.questions
        if question == "Q1":
            west, south, east, north = BOX
            return dict(self.rows(f"""
                SELECT CAST(sensor AS {self.text_type}), {self.last}(value, time_ms) FROM samples
                WHERE time_ms >= {q.end - HOUR_MS} AND sensor IN (SELECT sensor FROM sensors WHERE longitude BETWEEN {west} AND {east} AND latitude BETWEEN {south} AND {north})
                GROUP BY sensor"""))
        if question == "Q2":
            return self.filled(self.rows(f"""
                SELECT {self.floor(HOUR_MS)} AS slot, avg(value) FROM samples
                WHERE time_ms >= {q.week} AND sensor IN (SELECT sensor FROM sensors WHERE district = {DISTRICT}) GROUP BY slot"""), q.week, HOUR_MS, False)
        if question == "Q3":
            return dict(self.rows(f"""
                SELECT CAST(sensor AS {self.text_type}), avg(value) AS mean FROM samples WHERE time_ms >= {q.end - DAY_MS} GROUP BY sensor ORDER BY mean DESC LIMIT 10"""))
        if question == "Q4":
            found = {kind: [None] * q.days for kind in q.kinds}
            for kind, day, value in self.rows(f"""
                    SELECT kind, {self.floor(DAY_MS)} AS day, {self.percentile} FROM samples JOIN sensors USING (sensor) GROUP BY kind, day"""):
                found[kind][(day - START_MS) // DAY_MS] = value
            return found
        if question == "Q5":
            return self.filled(self.rows(f"SELECT {self.floor(300_000)} AS slot, avg(value) FROM samples WHERE sensor = 0 GROUP BY slot"), START_MS, 300_000, True)
        return dict(self.rows(f"""
            SELECT CAST(sensor AS {self.text_type}), max(value) AS most FROM samples WHERE time_ms >= {q.end - HOUR_MS} GROUP BY sensor HAVING most > {THRESHOLD}"""))

    def filled(self, rows, start, step, fills):
        """Each period in turn; filling gaps here costs these engines less than their own words for it."""
        found, last, values = dict(rows), None, []
        for at in range(start, self.questions.end, step):
            value = found.get(at)
            last = value if value is not None else last
            values.append(last if fills else value)
        return values


class DuckDB(SQLEngine):
    name, text_type, last = "DuckDB", "VARCHAR", "arg_max"
    percentile = "quantile_cont(value, 0.95)"

    def __init__(self, folder, samples_folder, questions):
        import duckdb
        super().__init__(questions)
        self.path = pathlib.Path(folder) / "history.duckdb"
        self.connection = duckdb.connect(str(self.path))
        started = time.monotonic()
        self.connection.execute(f"CREATE TABLE sensors AS SELECT * FROM read_csv('{samples_folder}/sensors.csv')")
        self.connection.execute("CREATE TABLE samples (sensor INTEGER, time_ms BIGINT, value DOUBLE)")
        self.connection.execute(f"INSERT INTO samples SELECT * FROM read_csv('{samples_folder}/samples.csv', columns={{'sensor': 'INTEGER', 'time_ms': 'BIGINT', 'value': 'DOUBLE'}}) ORDER BY sensor, time_ms")
        self.load_seconds = time.monotonic() - started
        self.connection.execute("CHECKPOINT")

    def floor(self, step):
        return f"time_ms // {step} * {step}"

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def bytes(self):
        return self.path.stat().st_size

    def close(self):
        self.connection.close()


class ClickHouse(SQLEngine):
    name, text_type, last = "chdb", "String", "argMax"
    percentile = "quantileExactInclusive(0.95)(value)"

    def __init__(self, folder, samples_folder, questions):
        from chdb import session
        super().__init__(questions)
        self.session = session.Session(str(folder))
        started = time.monotonic()
        for statement in (
                "CREATE DATABASE bench ENGINE = Atomic",
                "CREATE TABLE bench.sensors (sensor Int32, kind LowCardinality(String), district Int32, longitude Float64, latitude Float64) ENGINE = MergeTree ORDER BY sensor",
                "CREATE TABLE bench.samples (sensor Int32, time_ms Int64 CODEC(DoubleDelta, ZSTD(3)), value Float64 CODEC(Gorilla, ZSTD(3))) ENGINE = MergeTree ORDER BY (sensor, time_ms)",
                f"INSERT INTO bench.sensors SELECT * FROM file('{samples_folder}/sensors.csv', CSVWithNames)",
                f"INSERT INTO bench.samples SELECT * FROM file('{samples_folder}/samples.csv', CSVWithNames, 'sensor Int32, time_ms Int64, value Float64')"):
            self.session.query(statement)
        self.load_seconds = time.monotonic() - started
        self.session.query("OPTIMIZE TABLE bench.samples FINAL")
        self.session.query("USE bench")
        self.session.query("SET output_format_json_quote_64bit_integers = 0")

    def floor(self, step):
        return f"intDiv(time_ms, {step}) * {step}"

    def rows(self, sql):
        return list(map(json.loads, str(self.session.query(sql, "JSONCompactEachRow")).splitlines()))

    def bytes(self):
        [[count]] = self.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench'")
        return int(count)

    def close(self):
        self.session.close()


def by_sensor(path):
    """(sensor, times, values) of each, as they follow one another in the file."""
    with open(path, encoding="ascii") as lines:
        next(lines)
        current, times, values = None, [], []
        for line in lines:
            sensor, at, value = line.rstrip("\n").split(",")
            if sensor != current:
                if current is not None:
                    yield current, times, values
                current, times, values = sensor, [], []
            times.append(int(at))
            values.append(float(value))
        if current is not None:
            yield current, times, values
