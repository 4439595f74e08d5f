"""You said, we did: a measure is written at the desk, and every figure of its page is what Python computes of the same reports and the same sensors.

SCREENSHOTS=folder keeps pictures of the pages.
"""

import datetime
import decimal
import html
import json
import pathlib
import random
import re
import statistics
import sys
import xml.etree.ElementTree
import zoneinfo

import numpy

import harness
from test_cases import CaseCase
from test_service_figures import metres

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
TODAY = datetime.datetime.now(PARIS).date()
EFFECT = TODAY - datetime.timedelta(days=40)
WAVE = (EFFECT - datetime.timedelta(days=63), EFFECT - datetime.timedelta(days=1))
PLACE = (3.8767, 43.6108)
RADIUS = 400
SENSOR_RADIUS = 800
SENSOR_DAYS = 28
POLICY = """title: Who writes measures
zone: Europe/Paris
rules:
  - {id: stewards-write-no-measures, effect: forbid, who: {roles: steward}, actions: write, what: {types: CityMeasure}}
"""
SOURCE = """id: {id}
title: {id}
steward: City
licence: {{name: none, url: 'https://example.org/none'}}
attribution: City
classification: {classification}
format: ngsi-ld
"""


def moment(day, seconds):
    """A moment of a day of Paris."""
    start = datetime.datetime.combine(day, datetime.time(), PARIS)
    return (start.astimezone(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).replace(microsecond=0)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def prop(value, **more):
    return {"type": "Property", "value": value} | more


def point(longitude, latitude):
    return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [longitude, latitude]}}


def civil(at):
    return at.astimezone(PARIS).date()


class City:
    """Half a year of reports of two services around a place, and three months of sensors, by chance."""

    def __init__(self, seed=311):
        chance = random.Random(seed)
        self.reports = []
        for number in range(900):
            day = EFFECT - datetime.timedelta(days=chance.randrange(-50, 130))
            asked = moment(day, chance.choice([0, 1, 43_200, 86_399 - 3600, chance.randrange(82_000)]))
            is_closed = chance.random() < 0.7
            self.reports.append({
                "reference": "".join(chance.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(4)) + f"{number:04d}", "code": chance.choice(["noise", "noise", "pothole"]),
                "at": asked, "closed": asked + datetime.timedelta(seconds=chance.randrange(3600, 40 * 86_400)) if is_closed else None,
                "done": chance.random() < 0.8, "place": (PLACE[0] + chance.gauss(0, 0.004), PLACE[1] + chance.gauss(0, 0.003)), "district": chance.choice(["West", "East"]),
                "open": chance.random() < 0.95,
            })
        self.values = []
        for sensor, place in enumerate([(PLACE[0], PLACE[1]), (PLACE[0] + 0.004, PLACE[1]), (PLACE[0], PLACE[1] - 0.005), (PLACE[0] + 0.05, PLACE[1])]):
            for day in range(-45, 40):
                for hour in range(0, 24, 4):
                    # There are days without a value, and one sensor begins late.
                    if chance.random() < 0.1 or day in (-20, 5) or (sensor == 1 and day < -10):
                        continue
                    value = round(chance.gauss(64 if day < 0 else 58, 4) + sensor, 1)
                    self.values.append({"sensor": sensor, "place": place, "at": moment(EFFECT + datetime.timedelta(days=day), hour * 3600 + 17), "value": value})

    def entities(self, is_open):
        for one in self.reports:
            if one["open"] != is_open:
                continue
            entity = {
                "id": f"urn:ngsi-ld:Open311ServiceRequest:{one['reference']}", "type": "Open311ServiceRequest", "service_request_id": prop(one["reference"]),
                "service_code": prop(one["code"]), "service_name": prop(one["code"]), "requested_datetime": prop(text(one["at"])), "district": prop(one["district"]),
                "status": prop("closed" if one["closed"] else "open"), "step": prop(("done" if one["done"] else "declined") if one["closed"] else "new"), "location": point(*one["place"]),
                "description": prop(f"Report {one['reference']}"), "channel": prop("web"),
            }
            if one["closed"]:
                entity |= {"closed_datetime": prop(text(one["closed"])), "isDone": prop(one["done"]), "status_notes": prop("It is <settled>")}
            yield entity

    def sensors(self):
        for one in self.values:
            yield {
                "id": f"urn:ngsi-ld:NoiseLevelObserved:{one['sensor']}", "type": "NoiseLevelObserved", "location": point(*one["place"]),
                "LAeq": prop(one["value"], observedAt=text(one["at"]), unitCode="2N"),
            }

    def wave(self, days, is_included, everybody=True):
        return [one for one in self.reports if days[0] <= civil(one["at"]) <= days[1] and is_included(one) and (one["open"] or not everybody)]


def is_near(one):
    return one["code"] == "noise" and metres(numpy.array([one["place"][0]]), numpy.array([one["place"][1]]), *PLACE)[0] <= RADIUS


def number(value):
    """As the page writes numbers in English."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    shown = str(decimal.Decimal(float(value)).quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP))
    shown = shown.rstrip("0").rstrip(".") if digits else shown
    return "0" if float(shown) == 0 else shown


def duration(seconds):
    name, size = ("day", 86_400) if seconds >= 172_800 else ("hour", 3600) if seconds >= 7200 else ("minute", 60)
    count = int(seconds / size + 0.5)
    return f"{count} {name}{'' if count == 1 else 's'}"


class MeasureCase(CaseCase):
    environment = {"CONURB_SITE_TIME_ZONE": "Europe/Paris"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.city = City()
        ring = [[3.80, 43.55], [PLACE[0], 43.55], [PLACE[0], 43.66], [3.80, 43.66], [3.80, 43.55]]
        district = {
            "id": "urn:ngsi-ld:District:west", "type": "District", "name": prop("West"), "population": prop(20_000), "location": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}}}
        for name, classification, entities in (("reports", "open", cls.city.entities(True)), ("hidden-reports", "internal", cls.city.entities(False)),
                                               ("sensors", "open", cls.city.sensors()), ("districts", "open", [district])):
            source, file = cls.folder / f"{name}.yaml", cls.folder / f"{name}.json"
            source.write_text(SOURCE.format(id=name, classification=classification))
            file.write_text(json.dumps(list(entities)))
            done = cls.conurb.import_files(cls.data, "alder", source, file)
            assert done.returncode == 0, done.stdout + done.stderr
        cls.whole_form = {
            "title.en": "Quiet asphalt & <b>fewer lorries</b>", "text.en": "We laid quiet asphalt.\nLorries take <script>alert(1)</script> another road.", "title.fr": "Enrobé phonique",
            "text.fr": "Nous avons posé un enrobé phonique.", "effectiveOn": EFFECT.isoformat(), "services": ["noise"], "reportsFrom": WAVE[0].isoformat(), "reportsTo": "",
            "latitude": str(PLACE[1]), "longitude": str(PLACE[0]), "radius": str(RADIUS), "indicator": "NoiseLevelObserved LAeq", "indicatorRadius": str(SENSOR_RADIUS),
            "indicatorDays": str(SENSOR_DAYS),
        }

    def write(self, path="/desk/measures/new", visitor=None, **fields):
        visitor = visitor or self.clerk
        token = visitor.field("/account", "form")
        parts = [("form", (None, token or ""))]
        for name, value in fields.items():
            parts += [(name, (None, one)) for one in (value if isinstance(value, list) else [value])]
        return visitor.session.post(visitor.base + path, files=parts, headers={"Origin": visitor.base}, allow_redirects=False, timeout=60)

    def written(self, **changes):
        """The path of a measure's page, and its key."""
        before = self.keys()
        answer = self.write(**(self.whole_form | changes))
        self.assertEqual(answer.status_code, 303, html.unescape(re.sub(r"<[^>]+>", " ", answer.text))[:3000])
        key, = self.keys() - before
        return f"/measures/{key}?municipality=alder", key

    def keys(self):
        keys, page = set(), 1
        while found := re.findall(r'href="/desk/measures/([0-9A-Z]{8})"', self.clerk.get(f"/desk/measures?page={page}").text):
            keys, page = keys | set(found), page + 1
        return keys

    def page(self, path, language="en", visitor=None):
        answer = (visitor or self.visitor()).get(path, headers={"Accept-Language": language})
        self.assertEqual(answer.status_code, 200, answer.text[:1000])
        return answer.text

    @staticmethod
    def rows(page, table):
        """Of a table that compares: what stands before and after, by the words of its row."""
        body = re.search(rf'aria-labelledby="{table}".*?<tbody[^>]*>(.*?)</tbody>', page, re.DOTALL).group(1)
        found = re.findall(r'scope="row">(.*?)</th><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>', body)
        return {html.unescape(label): tuple(html.unescape(re.sub("<[^>]+>", "", cell)) for cell in cells) for label, *cells in found}

    @staticmethod
    def listed(page, heading):
        """The rows of the table beneath a chart."""
        body = re.search(rf"<summary>{heading}</summary>.*?<tbody>(.*?)</tbody>", page, re.DOTALL).group(1)
        return [[html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in re.findall(r"<tr>(.*?)</tr>", body)]


class FigureTest(MeasureCase):
    @staticmethod
    def difference(before, after, unit=""):
        def signed(value):
            return ("+" if value > 0 else "") + number(value)
        return f"{signed(after - before)}{unit} ({signed(round((after - before) / abs(before) * 100, 1))}%)"

    def expected_reports(self, before, after, before_days, after_days):
        rates = len(before) * 30 / before_days, len(after) * 30 / after_days

        def median(cases):
            times = [(one["closed"] - one["at"]).total_seconds() for one in cases if one["closed"] and one["done"]]
            return duration(statistics.median(times)) if len(times) >= 3 else "too few"
        return {
            "Reports": (str(len(before)), str(len(after)), ""), "In 30 days": (number(rates[0]), number(rates[1]), self.difference(*rates)),
            "Closed of these": (*(str(sum(1 for one in cases if one["closed"])) for cases in (before, after)), ""), "Half closed within": (median(before), median(after), ""),
        }

    def expected_weeks(self, cases):
        weeks = {}
        for one in cases:
            week = (civil(one["at"]) - EFFECT).days // 7
            weeks[week] = weeks.get(week, 0) + 1
        return weeks

    def check_reports(self, page, is_included, everybody=True):
        after_days = (EFFECT, TODAY - datetime.timedelta(days=1))
        before, after = (self.city.wave(days, is_included, everybody) for days in (WAVE, after_days))
        self.assertGreater(min(len(before), len(after)), 5)
        self.assertEqual(self.rows(page, "reports-heading"), self.expected_reports(before, after, 63, 40))
        weeks = self.expected_weeks(before + after)
        listed = self.listed(page, "The weeks as a table")
        self.assertEqual([int(count) for _, count in listed], [weeks.get(week, 0) for week in range(-9, 6)])
        self.assertIn(f"<strong>{len(before)} reports, ", page)
        self.assertIn(f"at most {max(weeks.values())} in a week", page)
        return before

    def expected_window(self, sensors, first, last):
        values = [one for one in self.city.values if one["sensor"] in sensors and first <= civil(one["at"]) <= last]
        return {
            "Mean": f"{number(numpy.mean([one['value'] for one in values]))}\u00a0dB", "Values": str(len(values)),
            "Days with values": f"{len({civil(one['at']) for one in values})} of {(last - first).days + 1}", "Sensors with values": str(len({one['sensor'] for one in values})),
        }, [one["value"] for one in values]

    def check_sensors(self, page, sensors):
        day = datetime.timedelta(days=1)
        (before, first), (after, second) = (self.expected_window(sensors, *days) for days in ((EFFECT - SENSOR_DAYS * day, EFFECT - day), (EFFECT, EFFECT + (SENSOR_DAYS - 1) * day)))
        differences = {"Mean": self.difference(numpy.mean(first), numpy.mean(second), "\u00a0dB")}
        self.assertEqual(self.rows(page, "sensors-heading"), {label: (before[label], after[label], differences.get(label, "")) for label in before})
        self.assertEqual(sum(int(count) for *_, count in self.listed(page, "The means as a table")), len(first) + len(second))

    def test_around_a_place_every_figure_is_what_python_computes(self):
        path, _ = self.written()
        page = self.page(path)
        before = self.check_reports(page, is_near)
        self.check_sensors(page, {0, 1, 2})
        self.assertIn("Only 40 days of 63 since then are over.", page)
        self.assertIn("does not prove", page)
        newest = sorted(before, key=lambda one: one["at"], reverse=True)[:5]
        self.assertEqual(set(re.findall(r'href="/requests/([0-9A-Z]{8})\?', page)), {one["reference"] for one in newest})

    def test_in_a_district_every_figure_is_what_python_computes(self):
        path, _ = self.written(radius="", district="West", indicatorRadius="", services=["noise", "pothole"])
        page = self.page(path)
        self.check_reports(page, lambda one: one["district"] == "West")
        # The district ends at the place: two of the sensors stand on its border.
        self.check_sensors(page, {0, 2})

    def test_in_the_whole_municipality_staff_count_what_only_they_see(self):
        path, _ = self.written(radius="", indicatorRadius="", latitude="", longitude="")
        page = self.page(path)
        self.check_reports(page, lambda one: one["code"] == "noise")
        self.check_sensors(page, {0, 1, 2, 3})
        self.check_reports(self.page(path, visitor=self.clerk), lambda one: one["code"] == "noise", everybody=False)

    def test_a_measure_of_today_and_one_to_come_say_that_it_is_too_early(self):
        for day in (TODAY, TODAY + datetime.timedelta(days=20)):
            path, _ = self.written(effectiveOn=day.isoformat(), reportsTo=WAVE[1].isoformat())
            page = self.page(path)
            self.assertEqual(self.rows(page, "reports-heading")["Reports"][1], "0")
            self.assertEqual(self.rows(page, "sensors-heading")["Mean"][1], "too few values")
            self.assertEqual({cells[2] for table in ("reports-heading", "sensors-heading") for cells in self.rows(page, table).values()}, {""})
            self.assertIn("Only 0 days of 63 since then are over.", page)

    def test_where_no_sensor_is_the_page_says_so(self):
        path, _ = self.written(latitude="43.2", longitude="3.2")
        self.assertIn("No sensor that measures this is there.", self.page(path))
        path, _ = self.written(radius="", district="East", indicatorRadius="")
        self.assertIn("Where East lies is not known here", self.page(path))


class DeskTest(MeasureCase):
    def test_what_is_wrong_is_said_and_nothing_typed_is_lost(self):
        answer = self.write(**(self.whole_form | {
            "title.en": '"><script>alert(2)</script>', "text.fr": "", "services": [], "radius": "near", "reportsFrom": "2026-13-01", "district": "Nowhere & <i>there</i>", "indicatorUnit": "µg/m³"}))
        self.assertEqual(answer.status_code, 422)
        for field in ("services", "radius", "reportsFrom", "text-fr", "indicatorUnit"):
            self.assertIn(f'href="#measure-{field}"', answer.text, field)
            self.assertIn(f'id="measure-{field}"', answer.text, field)
        self.assertIn('value="&quot;&gt;&lt;script&gt;alert(2)&lt;/script&gt;"', answer.text)
        for kept in ("We laid quiet asphalt.", 'value="near"', 'value="Nowhere &amp; &lt;i&gt;there&lt;/i&gt;"', 'value="Enrobé phonique"', 'value="2026-13-01"', f'value="{PLACE[1]}"',
                     'value="NoiseLevelObserved LAeq" selected', f'value="{SENSOR_RADIUS}"', 'value="µg/m³"'):
            self.assertIn(kept, answer.text)
        self.assertNotIn("<script>alert", answer.text)

    def test_what_is_written_is_escaped_in_every_language_and_whole(self):
        path, _ = self.written()
        for language in ("en", "fr", "es", "ar"):
            page = self.page(path, language)
            self.assertIn(f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"', page)
            self.assertNotIn("<script>alert", page)
            self.assertNotRegex(page, r"\{\{|Optional\(|>(measures?|figures|deskmeasures?|case)\.[a-zA-Z.]+<")
            title, own = ("Enrobé phonique", "") if language == "fr" else ("Quiet asphalt &amp; &lt;b&gt;fewer lorries&lt;/b&gt;", "" if language == "en" else ' lang="en"')
            self.assertIn(f'<h1 dir="auto"{own}>{title}</h1>', page)
            for address in ("/measures?municipality=alder", "/figures/services?municipality=alder", "/services?municipality=alder"):
                self.assertNotRegex(self.page(address, language), r"\{\{|Optional\(|>(measures?|figures|services|case)\.[a-zA-Z.]+<")

    def test_the_list_has_the_newest_first_and_turns_its_pages(self):
        days = [EFFECT - datetime.timedelta(days=number) for number in range(100, 125)]
        written = {self.written(effectiveOn=day.isoformat(), reportsFrom=(day - datetime.timedelta(days=30)).isoformat())[1]: day for day in days}
        found, address = [], "/measures?municipality=alder"
        while address:
            page = self.page(address)
            found += re.findall(r'<h2><a href="/measures/([0-9A-Z]{8})\?', page)
            following = re.findall(r'<a href="(/measures\?[^"]*page=\d+[^"]*)">Next', page)
            address = html.unescape(following[0]) if following else None
        mine = [key for key in found if key in written]
        self.assertEqual(mine, sorted(written, key=written.get, reverse=True))
        self.assertEqual(len(found), len(set(found)))
        for leading in ("/figures/services?municipality=alder", "/services?municipality=alder"):
            self.assertIn('href="/measures?municipality=alder"', self.page(leading))

    def test_a_measure_is_changed_withdrawn_and_shown_again(self):
        path, key = self.written()
        changed = self.write(f"/desk/measures/{key}", **(self.whole_form | {"title.en": "Only the asphalt", "title.fr": "", "text.fr": ""}))
        self.assertEqual(changed.status_code, 303, changed.text[:1000])
        page = self.page(path, "fr")
        self.assertIn("Only the asphalt", page)
        self.assertNotIn("phonique", page)
        self.assertEqual(self.write(f"/desk/measures/{key}", action="withdraw").status_code, 303)
        for address in (path, f"/ngsi-ld/v1/entities/urn:ngsi-ld:CityMeasure:{key}"):
            self.assertEqual(self.visitor().get(address, headers={"NGSILD-Tenant": "alder"}).status_code, 404, address)
        self.assertNotIn(key, self.page("/measures?municipality=alder") + self.page("/measures.atom?municipality=alder"))
        self.assertIn("not public", self.page(f"/desk/measures/{key}", visitor=self.clerk))
        self.assertEqual(self.write(f"/desk/measures/{key}", action="show").status_code, 303)
        self.assertIn("Only the asphalt", self.page(path))
        history = self.server.get(f"/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:CityMeasure:{key}?attrs=title", municipality="alder", token=self.token)
        self.assertEqual(history.status_code, 200, history.text[:500])
        self.assertIn("fewer lorries", history.text)

    def test_a_feed_tells_of_measures(self):
        path, key = self.written()
        feed = self.visitor().get("/measures.atom?municipality=alder")
        self.assertEqual(feed.headers["Content-Type"], "application/atom+xml; charset=utf-8")
        name = "{http://www.w3.org/2005/Atom}"
        entry, = [entry for entry in xml.etree.ElementTree.fromstring(feed.content).iter(name + "entry") if entry.find(name + "id").text.endswith(key)]
        self.assertEqual(entry.find(name + "title").text, self.whole_form["title.en"])
        self.assertTrue(entry.find(name + "link").get("href").endswith(path))

    def test_who_has_no_right_is_refused(self):
        reader = self.new_member("reader", "analyst")
        self.assertEqual(reader.get("/desk/measures/new").status_code, 403)
        self.assertEqual(self.write(visitor=reader, **self.whole_form).status_code, 403)
        anybody = self.visitor().get("/desk/measures/new", allow_redirects=False)
        self.assertEqual((anybody.status_code, anybody.headers["Location"][:9]), (303, "/sign-in?"))
        own = self.clerk.session.post(
            self.clerk.base + "/desk/measures/new", files=[(name, (None, value)) for name, value in (("form", "guessed"), ("title.en", "x"))], headers={"Origin": self.clerk.base}, timeout=60)
        self.assertEqual(own.status_code, 403)

    def test_a_rule_can_forbid_it(self):
        steward = self.new_member("steward", "steward")
        rules = self.folder / "rules.yaml"
        rules.write_text(POLICY)
        count = len(self.keys())
        default = harness.PROJECT / "policies" / "default.yaml"
        for files, status in (([default, rules], 403), ([default], 303)):
            done = self.conurb.run("policy", "put", *files, "--data", self.data, "--municipality", "alder")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.write(visitor=steward, **self.whole_form).status_code, status)
            self.assertEqual(len(self.keys()), count + (status == 303))

    def test_over_ngsi_ld_a_measure_is_public_once_somebody_shows_it(self):
        street = {"type": "LineString", "coordinates": [[3.87, 43.60], [3.88, 43.61]]}
        entity = {
            "id": "urn:ngsi-ld:CityMeasure:Benches-2026", "type": "CityMeasure", "title": {"type": "LanguageProperty", "languageMap": {"en": "New benches", "ar": "مقاعد جديدة"}},
            "effectiveOn": prop(EFFECT.isoformat()), "answersServices": prop(["pothole"]), "district": prop("East"), "location": {"type": "GeoProperty", "value": street}}
        made = self.server.post("/ngsi-ld/v1/entities", entity, municipality="alder", token=self.token)
        self.assertEqual(made.status_code, 201, made.text)
        path = "/measures/Benches-2026?municipality=alder"
        self.assertEqual(self.visitor().get(path).status_code, 404)
        self.assertEqual(self.write("/desk/measures/Benches-2026", action="show").status_code, 303)
        self.assertIn("مقاعد جديدة", self.page(path, "ar"))
        # Mended at the desk, a street stays a street.
        form = {"title.en": "New benches, painted", "text.en": "Six", "effectiveOn": EFFECT.isoformat(), "services": ["pothole"], "reportsFrom": (EFFECT - datetime.timedelta(days=365)).isoformat(),
                "latitude": str((43.60 + 43.61) / 2), "longitude": str((3.87 + 3.88) / 2), "district": "East"}
        self.assertEqual(self.write("/desk/measures/Benches-2026", **form).status_code, 303)
        kept = self.server.get("/ngsi-ld/v1/entities/urn:ngsi-ld:CityMeasure:Benches-2026", municipality="alder", token=self.token).json()
        self.assertEqual(kept["location"]["value"], street)
        self.assertEqual(kept["title"]["languageMap"], {"en": "New benches, painted"})
        days = (EFFECT - datetime.timedelta(days=365), EFFECT - datetime.timedelta(days=1))
        count = len(self.city.wave(days, lambda one: one["code"] == "pothole" and one["district"] == "East"))
        self.assertEqual(self.rows(self.page(path), "reports-heading")["Reports"][0], str(count))

    def test_reports_of_the_wave_lead_to_the_measure(self):
        # The newest of those that others wrote here.
        _, key = self.written(effectiveOn=(EFFECT + datetime.timedelta(days=1)).isoformat(), reportsTo=WAVE[1].isoformat())
        inside = self.city.wave(WAVE, is_near)[0]
        outside = self.city.wave(WAVE, lambda one: one["code"] == "pothole")[0]
        late = self.city.wave((EFFECT, TODAY), is_near)[0]
        self.assertIn(f"/measures/{key}", self.page(f"/requests/{inside['reference']}?municipality=alder"))
        for other in (outside, late):
            self.assertNotIn(f"/measures/{key}", self.page(f"/requests/{other['reference']}?municipality=alder"))


class ServiceOutcomesTest(MeasureCase):
    def test_what_was_decided_is_counted_by_step_in_the_reader_s_language(self):
        first, last = EFFECT - datetime.timedelta(days=200), TODAY
        query = f"municipality=alder&service=noise&from={first}&to={last}"
        cases = [one for one in self.city.wave((first, last), lambda one: one["code"] == "noise") if one["closed"]]
        done = sum(1 for one in cases if one["done"])
        expected = {"done": done, "declined": len(cases) - done}
        for language, titles in (("en", ("Settled", "No action", "On the web")), ("ar", ("سُوّيت المسألة", "دون إجراء", "عبر الموقع"))):
            page = self.page(f"/figures/services?{query}", language)
            tally = dict(re.findall(r"<li><bdi>(.*?)</bdi> <span><strong>([\d,]+)</strong>", page))
            self.assertEqual({titles[0]: tally[titles[0]], titles[1]: tally[titles[1]]}, {titles[0]: str(expected["done"]), titles[1]: str(expected["declined"])})
            self.assertIn(f"<bdi>{titles[2]}</bdi>", page)
        shown = re.findall(r'<p class="answer-head">.*?href="/requests/([0-9A-Z]{8})\?.*?<p class="said" dir="auto">(.*?)</p>', page, re.DOTALL)
        newest = sorted(cases, key=lambda one: (-one["closed"].timestamp(), one["reference"]))[:10]
        self.assertEqual([reference for reference, _ in shown], [one["reference"] for one in newest])
        self.assertEqual({words for _, words in shown}, {"It is &lt;settled&gt;"})
        table = self.server.get(f"/figures/outcomes.csv?{query}").text.splitlines()
        found = {}
        for line in table[1:]:
            cells = line.split(",")
            found[cells[3]] = found.get(cells[3], 0) + int(cells[5])
        self.assertEqual(found, expected)

    def test_of_all_services_every_closed_case_is_in_one_line(self):
        first = EFFECT - datetime.timedelta(days=200)
        page = self.page(f"/figures/services?municipality=alder&from={first}&to={TODAY}")
        decided = page[page.index("What was decided"):page.index("What was said at the end")]
        closed = [one for one in self.city.wave((first, TODAY), lambda one: True) if one["closed"]]
        self.assertEqual(sum(int(count) for count in re.findall(r"<strong>(\d+)</strong>", decided)), len(closed))
        self.assertIn(f"{len(closed)} closed cases", decided)

    def test_staff_are_led_to_public_pages_alone(self):
        first = EFFECT - datetime.timedelta(days=200)
        page = self.page(f"/figures/services?municipality=alder&service=noise&from={first}&to={TODAY}", visitor=self.clerk)
        hidden = {one["reference"] for one in self.city.reports if not one["open"]}
        self.assertTrue(hidden.isdisjoint(re.findall(r"/requests/([0-9A-Z]{8})", page)))


class LookTest(MeasureCase):
    def test_the_pages_are_for_everybody(self):
        import browser as browsing
        from test_account_pages import SIZES

        path, key = self.written()
        self.written(radius="", district="West", indicatorRadius="", effectiveOn=(TODAY - datetime.timedelta(days=3)).isoformat())
        axe = browsing.axe_source()
        for language, theme in (("en", "light"), ("ar", "dark")):
            browser = browsing.Browser(1440, 900, language=language, base=self.server.base)
            self.addCleanup(browser.close)
            browser.open("/about")
            browser.driver.add_cookie({"name": "theme", "value": theme, "path": "/"})
            for cookie in self.clerk.session.cookies:
                browser.driver.add_cookie({"name": cookie.name, "value": cookie.value, "path": "/"})
            for page, name in (("/measures?municipality=alder", "measures"), (path, "measure"), ("/figures/services?municipality=alder&service=noise", "outcomes"),
                               ("/desk/measures", "desk-measures"), (f"/desk/measures/{key}", "desk-measure")):
                browser.open(page)
                for width, height in SIZES:
                    with self.subTest(page=name, width=width, language=language):
                        browser.resize(width, height)
                        browser.picture(f"{name}-{language}-{width}")
                        self.assertEqual(browser.violations(axe), [])
                        self.assertLessEqual(browser.run("return document.scrollingElement.scrollWidth"), width)
            self.assertEqual(browser.complaints(), [])


if __name__ == "__main__":
    harness.main()
