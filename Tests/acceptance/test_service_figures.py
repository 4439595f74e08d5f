"""`/figures/services.csv` and `/figures/outcomes.csv` against pandas over the same file: half a year of real service requests of Boston.

The data lies beside the checkout, in ../shared/data; without it everything here is skipped, aloud.
"""

import html
import io
import re
import time
import unittest

import numpy
import pandas

import harness
from harness import SHARED_DATA

FILE = SHARED_DATA / "service-requests-boston-2011" / "boston-311-service-requests-2011.csv.gz"
DEFINITION = harness.PROJECT / "examples" / "sources" / "boston-311-2011.yaml"
ZONE = "America/New_York"
QUERY = "municipality=boston&from=2011-07-01&to=2011-12-31"
CITY_HALL = (-71.0587, 42.3594)  # what the file says where it knows no address
FEW = 3  # fewer closed cases than these show no times
TOLD_APART = 12  # sentences at the end of cases, the most frequent
ANSWER_COUNT = 10


def requests_of_boston():
    frame = pandas.read_csv(FILE, dtype={"case_enquiry_id": str})
    for name in ("open_dt", "target_dt", "closed_dt"):
        # The source says `ambiguous: earlier`: of the hour that comes twice, the one in summer time.
        moments = pandas.to_datetime(frame[name])
        frame[name] = moments.dt.tz_localize(ZONE, ambiguous=numpy.ones(len(moments), dtype=bool))
    frame["seconds"] = (frame["closed_dt"] - frame["open_dt"]).dt.total_seconds().where(frame["case_status"] == "Closed")
    return frame


def expected_figures(frame, key):
    groups = frame.groupby(key, dropna=False)
    figures = pandas.DataFrame({
        "cases": groups.size(), "closed": groups["case_status"].agg(lambda status: (status == "Closed").sum()), "timed": groups["seconds"].count(),
        "median_seconds": groups["seconds"].median(), "p90_seconds": groups["seconds"].quantile(0.9),
    })
    figures.loc[figures["timed"] < FEW, ["median_seconds", "p90_seconds"]] = numpy.nan
    return figures


def metres(longitudes, latitudes, longitude, latitude):
    """On the sphere with the mean radius of the earth (haversine)."""
    east, north = numpy.radians(longitudes - longitude), numpy.radians(latitudes - latitude)
    chord = numpy.sin(north / 2) ** 2 + numpy.cos(numpy.radians(latitude)) * numpy.cos(numpy.radians(latitudes)) * numpy.sin(east / 2) ** 2
    return 2 * 6_371_008.8 * numpy.arcsin(numpy.sqrt(chord))


def near_pairs(frame, metres_max=50, days_max=7):
    """Pairs of the same type, close in place and time: each request looks at all of its type that came at most so many days before it."""
    placed = frame[~((frame["longitude"] == CITY_HALL[0]) & (frame["latitude"] == CITY_HALL[1]))].dropna(subset=["longitude", "latitude"])
    pairs = []
    for _, group in placed.sort_values("open_dt").groupby("type"):
        moments = group["open_dt"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]").astype("int64")
        longitudes, latitudes = group["longitude"].to_numpy(), group["latitude"].to_numpy()
        firsts = numpy.searchsorted(moments, moments - days_max * 86_400)
        for place, first in enumerate(firsts):
            distances = metres(longitudes[first:place], latitudes[first:place], longitudes[place], latitudes[place])
            pairs += [(group.index[first + other], group.index[place], distances[other]) for other in numpy.flatnonzero(distances <= metres_max)]
    return placed, pairs


@unittest.skipUnless(FILE.is_file(), "the requests of Boston are not there (../shared/data/service-requests-boston-2011)")
class ServiceFiguresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.frame = requests_of_boston()
        cls.folder = harness.TemporaryFolder.of(cls)
        data = cls.folder / "data"
        conurb = harness.Conurb()
        made = conurb.create_municipality(data, "boston")
        assert made.returncode == 0, made.stderr
        done = conurb.import_files(data, "boston", DEFINITION, "--create", FILE, timeout=900)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        cls.server = harness.Server(data, environment={"CONURB_SITE_TIME_ZONE": ZONE})
        cls.enterClassContext(cls.server)

    def table(self, more=""):
        answer = self.server.get(f"/figures/services.csv?{QUERY}{more}")
        self.assertEqual(answer.status_code, 200, answer.text[:1000])
        return pandas.read_csv(io.StringIO(answer.text))

    def assert_figures(self, found, expected):
        self.assertEqual(sorted(found.index), sorted(expected.index))
        expected = expected.loc[found.index]
        for name in ("cases", "closed", "median_seconds", "p90_seconds"):
            pandas.testing.assert_series_equal(found[name].astype(float), expected[name].astype(float), check_names=False, rtol=1e-12, obj=name)

    def test_every_type_has_the_figures_of_pandas(self):
        found = self.table().set_index("service_name")
        self.assertEqual(len(found), 141)
        self.assert_figures(found, expected_figures(self.frame, "type"))

    def test_every_neighbourhood_of_three_types_has_the_figures_of_pandas(self):
        codes = self.table().set_index("service_name")["service_code"]
        for kind in self.frame["type"].value_counts().index[:3]:
            found = self.table(f"&service={codes[kind]}")
            found["district"] = found["district"].fillna("")
            part = self.frame[self.frame["type"] == kind].copy()
            # A name of blanks is none, as the source has it.
            part["neighborhood"] = part["neighborhood"].fillna("").str.strip()
            with self.subTest(kind):
                self.assert_figures(found.set_index("district"), expected_figures(part, "neighborhood"))

    def ends(self, frame):
        """What was said at the end of closed requests, as the city is told of it: with single blanks, nothing where nothing was said."""
        closed = frame[frame["case_status"] == "Closed"]
        return closed["closure_reason"].fillna("").str.split().str.join(" ").str[:200].str.rstrip()

    def expected_outcomes(self, frame):
        counts = self.ends(frame).value_counts().to_dict()
        expected = {"Closed": counts.pop("")} if "" in counts else {}
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        rest = sum(count for _, count in ordered[TOLD_APART:])
        return expected | dict(ordered[:TOLD_APART]) | ({"Others": rest} if rest else {})

    def test_how_requests_of_every_type_ended_is_what_pandas_counts(self):
        answer = self.server.get(f"/figures/outcomes.csv?{QUERY}")
        self.assertEqual(answer.status_code, 200, answer.text[:1000])
        found = pandas.read_csv(io.StringIO(answer.text), keep_default_na=False)
        closed = self.frame[self.frame["case_status"] == "Closed"]
        self.assertEqual(found["cases"].sum(), len(closed))
        for kind, part in closed.groupby("type"):
            rows = found[found["service_name"] == kind]
            self.assertEqual(dict(zip(rows["outcome"], rows["cases"])), self.expected_outcomes(part), kind)
            self.assertAlmostEqual(rows["share"].sum(), 1)

    def test_the_last_answers_are_those_that_were_given_last(self):
        codes = self.table().set_index("service_name")["service_code"]
        for kind in self.frame["type"].value_counts().index[:3]:
            page = self.server.get(f"/figures/services?{QUERY}&service={codes[kind]}").text
            shown = re.findall(r'<li><p class="answer-head"><time datetime="([^"]+)".*? · <bdi>(\d+)</bdi></p>\s*<p class="said" dir="auto">(.*?)</p>', page, re.DOTALL)
            closed = self.frame[(self.frame["type"] == kind) & (self.frame["case_status"] == "Closed")].dropna(subset=["closure_reason"])
            closed = closed[closed["closure_reason"].str.strip() != ""].sort_values(["closed_dt", "case_enquiry_id"], ascending=[False, True]).head(ANSWER_COUNT)
            self.assertEqual([reference for _, reference, _ in shown], closed["case_enquiry_id"].tolist(), kind)
            self.assertEqual([html.unescape(text).split() for _, _, text in shown], closed["closure_reason"].str.split().tolist(), kind)
            self.assertEqual([pandas.Timestamp(at) for at, _, _ in shown], closed["closed_dt"].tolist(), kind)

    def test_the_page_shows_the_same_in_every_language(self):
        for language in ("en", "fr", "es", "ar"):
            answer = self.server.get(f"/figures/services?{QUERY}", headers={"Accept-Language": language})
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(len(re.findall(r'<th role="rowheader"', answer.text)), 141, language)

    def test_figures_come_soon_and_at_once_when_asked_again(self):
        started = time.monotonic()
        self.assertEqual(self.server.get("/figures/services?municipality=boston&from=2011-07-02&to=2011-12-31").status_code, 200)
        cold = time.monotonic() - started
        started = time.monotonic()
        self.server.get("/figures/services?municipality=boston&from=2011-07-02&to=2011-12-31")
        print(f"\nfigures of 58,000 cases: {cold:.2f} s, again {time.monotonic() - started:.3f} s")

    def test_duplicates_are_counted_and_some_shown(self):
        placed, pairs = near_pairs(self.frame)
        later = {second for _, second, _ in pairs}
        print(f"\n{len(placed):,} requests with a position: {len(later):,} had an earlier one of their type within 50 m and 7 days ({len(pairs):,} pairs). Ten of them:")
        for place in numpy.random.default_rng(311).choice(len(pairs), 10, replace=False):
            first, second, distance = pairs[place]
            one, other = self.frame.loc[first], self.frame.loc[second]
            print(f"  {one['type']}: {distance:.0f} m, {other['open_dt'] - one['open_dt']}\n    {one['case_title']} | {one['location']}\n    {other['case_title']} | {other['location']}")
        self.assertGreater(len(pairs), 0)


if __name__ == "__main__":
    harness.main()
