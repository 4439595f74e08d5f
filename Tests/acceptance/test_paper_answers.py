"""A spreadsheet of paper answers becomes cases: each row once, however often, at once or broken off it is imported; what is wrong says where.

    .venv/bin/python Tests/acceptance/test_paper_answers.py .build/release/conurb        (ROUNDS=3 unless set)
"""

import concurrent.futures
import csv
import io
import os
import random
import re
import sqlite3
import threading
import time
import unittest

import requests

import harness
from test_cases import MailCase

EXAMPLE = harness.PROJECT / "examples" / "paper" / "pothole-letters.yaml"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1_000_000))))
COLUMNS = ["numéro", "reçu le", "endroit", "taille", "danger", "lettre", "longitude", "latitude", "adresse", "nom", "courriel", "téléphone", "remarque"]
AREA = [[3.7, 43.5], [4.0, 43.5], [4.0, 43.75], [3.7, 43.75], [3.7, 43.5]]


def letter(number, **changes):
    """A row that is whole. Places are far enough from each other that none is like another."""
    row = {
        "numéro": f"L-{number:05}", "reçu le": f"{number % 28 + 1:02}/10/2026", "endroit": "chaussée", "taille": "main", "danger": "non",
        "lettre": f"Lettre numéro {number} ; « il y a un trou »", "longitude": f"{3.72 + number % 50 * 0.005:.4f}".replace(".", ","),
        "latitude": f"{43.52 + number // 50 % 40 * 0.005:.4f}".replace(".", ","), "nom": f"Personne {number}",
    }
    return row | changes


def table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=";", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class TrialTest(unittest.TestCase):
    """Sources are tried out without a municipality."""

    SERVICE = harness.PROJECT / "examples" / "services" / "pothole.yaml"

    def setUp(self):
        self.folder, self.conurb = harness.TemporaryFolder.of(type(self)), harness.Conurb()

    def test_a_source_is_checked_against_its_service(self):
        done = self.conurb.run("source", "check", EXAMPLE, *sorted((harness.PROJECT / "examples" / "sources").glob("*.yaml")))
        self.assertEqual((done.returncode, done.stdout[-17:]), (0, "sources: no faults\n"[-17:]), done.stderr)
        self.assertEqual(self.conurb.run("source", "check", EXAMPLE, "--service", self.SERVICE).returncode, 0)
        wrong = self.folder / "wrong.yaml"
        wrong.write_text(EXAMPLE.read_text().replace("size: {", "siz: {"))
        done = self.conurb.run("source", "check", wrong, "--service", self.SERVICE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wrong\.yaml, line \d+: cases\.fields\.siz: the service pothole has no such question; the nearest is size")
        wrong.write_text(EXAMPLE.read_text().replace("channel: paper", "channel: papr"))
        self.assertRegex(self.conurb.run("source", "check", wrong).stderr, r"line \d+: cases\.channel: papr is not one of")

    def test_a_preview_shows_what_rows_become_and_what_is_wrong(self):
        done = self.conurb.run("source", "preview", EXAMPLE, EXAMPLE.with_suffix(".csv"), "--service", self.SERVICE, "--show", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("line 2: 2026-001", "  received: 2026-11-01T23:00:00Z", "  place: 43.6108,3.8767, 12 rue Haute", "  surface: road", "  size: plate", "  danger: yes",
                     "  contact: name Ana Pons, telephone 04 67 00 00 01, language fr", "2 records: 2 accepted, 0 unchanged, 0 rejected"):
            self.assertIn(line + "\n", done.stdout)
        self.assertNotIn("2026-002", done.stdout)
        file = self.folder / "wrong.csv"
        file.write_bytes(table([letter(1), letter(2, taille="?")]))
        done = self.conurb.run("source", "preview", EXAMPLE, file, "--service", self.SERVICE)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("line 3: taille: “?” is not among the values", done.stdout)


class PaperCase(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.put_area()

    @classmethod
    def put_area(cls):
        area = {"id": "urn:ngsi-ld:Municipality:alder", "type": "Municipality", "boundary": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [AREA]}}}
        stop = {"id": "urn:ngsi-ld:BusStop:1", "type": "BusStop", "name": {"type": "Property", "value": "Gare Saint-Roch"},
                "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.8805, 43.6045]}}}
        district = {"id": "urn:ngsi-ld:District:east", "type": "District", "name": {"type": "Property", "value": "East"},
                    "boundary": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [[[3.85, 43.5], [4.0, 43.5], [4.0, 43.75], [3.85, 43.75], [3.85, 43.5]]]}}}
        cls.put_open([area, stop, district])
        cls.wait_for_place("Gare Saint-Roch")

    def put_source(self, name, change=lambda text: text, expected=204):
        text = change(EXAMPLE.read_text().replace("id: pothole-letters", f"id: {name}"))
        answer = self.server.request("PUT", f"/sources/{name}", municipality="alder", token=self.token, data=text.encode(), headers={"Content-Type": "application/yaml"})
        self.assertEqual(answer.status_code, expected, answer.text)
        return answer

    def push(self, name, rows, token=None, **options):
        answer = self.server.request(
            "POST", f"/sources/{name}/data", municipality="alder", token=token or self.token, data=table(rows), headers={"Content-Type": "text/csv"}, timeout=600, **options)
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        return answer.json()

    def counts(self, report):
        return report["records"], report["accepted"], report["unchanged"], report["rejected"]

    def on_paper(self, first_day):
        """How many cases of October came on paper, as the public figures say. They are kept for a minute, so each question has a day of its own."""
        answer = self.server.get(f"/figures/services.csv?municipality=alder&from={first_day}&to=2026-11-01")
        rows = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["service_code"] == "pothole"]
        self.assertEqual([row["channels"] for row in rows], [f"paper: {row['cases']}" for row in rows])
        return sum(int(row["cases"]) for row in rows)

    def requests_with(self, words):
        """The cases whose dossier says something, as staff see them."""
        answer = self.clerk.get("/ngsi-ld/v1/entities", headers={"NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}, params={
            "type": "ServiceRequestDossier", "format": "simplified", "limit": 1000, "options": "keyValues"})
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        return [dossier["refersToRequest"].rsplit(":", 1)[1] for dossier in answer.json() if words in dossier.get("description", "")]

    def filed_numbers(self):
        """Of all cases, the numbers of the letters that they came from, as often as they stand there."""
        answer = self.clerk.get("/ngsi-ld/v1/entities", headers={"NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}, params={
            "type": "ServiceRequestDossier", "options": "keyValues", "limit": 1000, "count": "true"})
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        found = [re.match(r"Lettre numéro (\d+) ;", dossier.get("description", "")) for dossier in answer.json()]
        self.assertLess(int(answer.headers["NGSILD-Results-Count"]), 1000, "one page is all that is read here")
        return sorted(int(match.group(1)) for match in found if match)


class PaperTest(PaperCase):
    def test_a_file_of_letters_becomes_cases_and_says_what_is_wrong(self):
        self.put_source("letters")
        wrong = {
            7: {"taille": "énorme"}, 20: {"courriel": "pas une adresse"}, 33: {"numéro": ""}, 46: {"reçu le": "31/02/2026"}, 59: {"reçu le": ""},
            72: {"longitude": "2,35", "latitude": "48,85"}, 85: {"longitude": "", "latitude": ""}, 98: {"longitude": "3,8x"}, 111: {"danger": "peut-être"},
            124: {"numéro": "L-00001"}, 137: {"reçu le": "01/10/2099"}, 150: {"nom": "N" * 201}, 163: {"endroit": ""}, 176: {"latitude": "143,6"},
        }
        rows = [letter(number, **wrong.get(number, {})) for number in range(1, 231)]
        rows[200] |= {"longitude": "", "latitude": "", "adresse": "Gare Saint-Roch"}
        rows[201] |= {"longitude": "", "latitude": "", "adresse": "derrière la boulangerie"}
        rows[202] |= {"courriel": "ana@example.org", "lettre": "Markerword <b>trou</b> rouge", "nom": "Marker-Person", "remarque": "au crayon"}
        before = self.on_paper("2026-09-01")
        report = self.push("letters", rows)
        self.assertEqual(self.counts(report), (230, 216, 0, 14), report)
        self.assertEqual(report["flagged"], 1)
        found = {(rule["id"], rule["severity"]): rule for rule in report["rules"]}
        self.assertEqual({key: rule["count"] for key, rule in found.items()}, {
            ("enumeration", "reject"): 1, ("case-answers", "reject"): 4, ("case-key", "reject"): 2, ("time", "reject"): 3, ("case-place", "reject"): 1, ("geometry", "reject"): 2,
            ("type", "reject"): 1, ("case-place", "flag"): 1})
        reasons = {finding["line"]: (finding["field"], finding["reason"]) for rule in report["rules"] for finding in rule["first"]}
        self.assertEqual(reasons[8], ("taille", "“énorme” is not among the values"))
        self.assertEqual(reasons[86], ("longitude, latitude, adresse", "place is needed"))
        self.assertEqual(reasons[164], ("endroit", "surface is needed"))
        self.assertEqual(reasons[73], ("place", "the place is outside of the municipality"))
        self.assertEqual(reasons[203], ("adresse", "no place here has this name: the case has no position"))
        self.check_one_case(rows)
        self.check_nothing_personal_is_open()
        # As many as were accepted, each once; and the same again changes nothing.
        accepted = [number for number in range(1, 231) if number not in wrong and number != 203]
        self.assertEqual([number for number in self.filed_numbers() if number < 1000], accepted)
        self.assertEqual(self.counts(self.push("letters", rows)), (230, 0, 216, 14))
        more = rows + [letter(number) for number in range(231, 241)]
        more[6] |= {"taille": "main"}
        self.assertEqual(self.counts(self.push("letters", more)), (240, 11, 216, 13))
        self.assertEqual(len([number for number in self.filed_numbers() if number < 1000]), 226)
        self.assertEqual(self.on_paper("2026-09-02") - before, 227)

    def check_one_case(self, rows):
        """A row is in every way what staff would have entered."""
        reference = self.requests_with("Markerword")[0]
        found = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:Open311ServiceRequest:{reference}?options=keyValues", headers={"NGSILD-Tenant": "alder"}).json()
        self.assertEqual((found["channel"], found["requested_datetime"], found["status"]), ("paper", "2026-10-07T22:00:00Z", "open"))
        self.assertGreater(found["expected_datetime"], found["requested_datetime"])
        page = self.text(f"/desk/{reference}", self.clerk)
        for words in ("Markerword <b>trou</b> rouge", "au crayon"):
            self.assertIn(words, page)
        contact = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:ServiceRequestContact:{reference}?options=keyValues", headers={
            "NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}).json()
        self.assertEqual((contact["name"], contact["email"], contact["preferredLanguage"]), ("Marker-Person", "ana@example.org", "fr"))
        message = self.mailbox.wait("ana@example.org", 1)[0]
        self.assertIn(f"{reference[:4]}-{reference[4:]}", message["Subject"])
        self.assertEqual(message["Content-Language"], "fr")
        link = re.search(r"/cases/\S+", message.get_content()).group(0)
        self.assertIn("Markerword", self.text(link))
        # The place whose name was written is where the case is.
        named = self.requests_with("Lettre numéro 201 ;")[0]
        placed = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:ServiceRequestDossier:{named}?options=keyValues", headers={
            "NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}).json()
        self.assertEqual(placed["location"]["coordinates"], [3.8805, 43.6045])
        whole = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:Open311ServiceRequest:{named}?options=keyValues", headers={"NGSILD-Tenant": "alder"}).json()
        self.assertEqual(whole["district"], "East")

    def check_nothing_personal_is_open(self):
        file = self.data / "alder" / "municipality.sqlite"
        kept = b"".join(path.read_bytes() for path in file.parent.glob("municipality.sqlite*"))
        for marker in (b"Marker-Person", b"Markerword", b"ana@example.org", b"L-00003"):
            self.assertNotIn(marker, kept)
        stored = self.server.get("/sources", token=self.token, municipality="alder", headers={"Accept": "application/json"})
        self.assertNotIn("énorme", stored.text)

    def test_the_rejected_rows_come_back_and_can_be_mended(self):
        self.put_source("mended")
        source, file = self.folder / "mended.yaml", self.folder / "mended.csv"
        source.write_text(EXAMPLE.read_text().replace("id: pothole-letters", "id: mended"))
        file.write_bytes(table([letter(1001), letter(1002, taille="?"), letter(1003, longitude="2,35", latitude="48,85")]))
        done = self.conurb.import_files(self.data, "alder", source, file)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        rejected = sorted(self.folder.glob("*rejected*"))
        self.assertEqual(len(rejected), 1, list(self.folder.iterdir()))
        text = rejected[0].read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        self.assertEqual([(row["numéro"], row["rejected_rule"]) for row in rows], [("L-01002", "enumeration"), ("L-01003", "case-place")])
        rejected[0].write_text(text.replace(";?;", ";main;").replace("2,35", "3,75").replace("48,85", "43,74"), "utf-8")
        done = self.conurb.import_files(self.data, "alder", source, rejected[0])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([number for number in self.filed_numbers() if 1000 < number < 1010], [1001, 1002, 1003])

    def test_the_example_is_filed_whole(self):
        done = self.conurb.import_files(self.data, "alder", EXAMPLE, EXAMPLE.with_suffix(".csv"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(self.requests_with("Une dalle est descellée.")), 1)

    def test_a_definition_is_held_against_its_service(self):
        for change, words in (
            (lambda text: text.replace("service: pothole", "service: pothol"), "line 13: cases.service: the municipality offers no service pothol; the nearest is pothole"),
            (lambda text: text.replace("size: {", "siz: {"), "cases.fields.siz: the service pothole has no such question; the nearest is size"),
            (lambda text: text.replace("classification: personal", "classification: open"), "classification: cases hold what people wrote"),
        ):
            self.assertIn(words, self.put_source("faulty", change, expected=400).json()["detail"])

    def test_who_may_not_enter_cases_may_not_import_them(self):
        self.put_source("rights")
        for held in (["--right", "read"], ["--device", "--source", "rights"], ["--right", "write", "--type", "Lamp"], None):
            token = held and self.new_token(*held)
            answer = self.server.request(
                "POST", "/sources/rights/data", municipality="alder", token=token, data=table([letter(3001)]), headers={"Content-Type": "text/csv"})
            self.assertEqual(answer.status_code, 403 if held else 401, answer.text)
        self.assertEqual([number for number in self.filed_numbers() if number == 3001], [])
        self.assertEqual(self.counts(self.push("rights", [letter(3001)])), (1, 1, 0, 0), "nothing of it was half done")

    def new_token(self, *options):
        made = self.conurb.run("token", "create", "--data", self.data, "--municipality", "alder", "--name", "a test", *options)
        self.assertEqual(made.returncode, 0, made.stderr)
        return made.stdout.strip().splitlines()[-1]

    def test_a_service_that_asks_more_does_not_refuse_what_was_filed(self):
        text = (harness.PROJECT / "examples" / "services" / "pothole.yaml").read_text()
        self.put_source("older")
        self.assertEqual(self.counts(self.push("older", [letter(4001)])), (1, 1, 0, 0))
        self.put_service("pothole", text.replace("max: 5000", "max: 5000").replace("      - id: hand\n", "      - id: palm\n"))
        try:
            self.assertEqual(self.counts(self.push("older", [letter(4001), letter(4002)])), (2, 0, 1, 1))
        finally:
            self.put_service("pothole", text)

    def test_the_same_file_imported_by_several_at_once_is_filed_once(self):
        self.put_source("at-once")
        rows = [letter(number) for number in range(5001, 5201)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(lambda _: self.push("at-once", rows), range(4)))
        self.assertEqual(sum(report["accepted"] for report in reports), 200)
        self.assertEqual(sum(report["unchanged"] for report in reports), 600)
        self.assertEqual([number for number in self.filed_numbers() if 5000 < number < 5300], list(range(5001, 5201)))


class CrashTest(PaperCase):
    def test_a_run_that_is_cut_off_is_begun_again_and_every_row_is_one_case(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        chance = random.Random(SEED)
        self.put_source("crash")
        rows = [letter(number) for number in range(1, 401)]
        cut = 0
        for _ in range(ROUNDS):
            pusher = threading.Thread(target=self.push_broken, args=(rows,))
            pusher.start()
            before = self.filed_count()
            # A crash within the run is what is looked for: after some more cases, as chance has it.
            wanted, deadline = before + chance.randint(1, 100), time.monotonic() + 60
            while self.filed_count() < wanted and pusher.is_alive() and time.monotonic() < deadline:
                time.sleep(0.002)
            self.server.kill()
            pusher.join(timeout=60)
            cut += 0 < self.filed_count() < len(rows)
            self.assertEqual(self.conurb.verify(self.data).returncode, 0)
            self.server.start()
        filed = self.filed_count()
        print(f"{cut} runs cut off, {filed} of {len(rows)} rows filed before the last", flush=True)
        self.assertGreater(cut, 0, f"seed {SEED}: no run was cut off, so nothing was tried")
        self.assertEqual(self.counts(self.push("crash", rows)), (400, 400 - filed, filed, 0), f"seed {SEED}")
        self.assertEqual(self.filed_numbers(), list(range(1, 401)), f"seed {SEED}")
        self.assertEqual(self.counts(self.push("crash", rows)), (400, 0, 400, 0))
        self.assertEqual(self.conurb.verify(self.data).returncode, 0)

    def push_broken(self, rows):
        try:
            self.push("crash", rows)
        except requests.RequestException:
            pass

    def filed_count(self):
        with sqlite3.connect(f"file:{self.data}/alder/municipality.sqlite?mode=ro", uri=True) as file:
            return file.execute("SELECT count(*) FROM filed_row").fetchone()[0]


if __name__ == "__main__":
    harness.main()
