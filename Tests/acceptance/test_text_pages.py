"""The pages as text: with curl, and with the text browsers that are here, somebody reads what can be reported, reports it, and follows it.

    .venv/bin/python Tests/acceptance/test_text_pages.py .build/release/conurb
"""

import re
import shlex
import shutil
import socket
import subprocess
import unicodedata

import requests

import harness
from test_cases import PLACE, CaseCase, png

CURL = shutil.which("curl")
BROWSERS = [name for name in ("w3m", "lynx") if shutil.which(name)]


class TextCase(CaseCase):
    def setUp(self):
        if not CURL:
            self.skipTest("SKIPPED: there is no curl here")

    def curl(self, *arguments):
        """Status, media type and text."""
        done = subprocess.run([CURL, "-sS", "-w", "\n%{http_code} %{content_type}", *map(str, arguments)], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        text, _, end = done.stdout.decode().rpartition("\n")
        status, _, kind = end.partition(" ")
        return int(status), kind, text

    def page(self, path, *arguments, status=200):
        found, kind, text = self.curl(*arguments, self.server.base + path)
        self.assertEqual((found, kind), (status, "text/plain; charset=utf-8"), text)
        self.check_lines(text)
        return text

    def check_lines(self, text):
        self.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            width = sum(0 if unicodedata.category(sign) in ("Mn", "Me", "Cf") else 1 for sign in line)
            # Commands and addresses stay whole, to be copied.
            if "://" not in line and not line.lstrip().startswith(("--data", "curl", "municipality=")):
                self.assertLessEqual(width, 72, line)
        self.assertEqual([sign for sign in text if unicodedata.category(sign) == "Cc" and sign != "\n"], [])

    def file(self, *arguments, code="pothole", status=201, query="?municipality=alder"):
        return self.page(f"/text/services/{code}{query}", *arguments, status=status)

    def answers(self, place=PLACE, **more):
        fields = {"place": f"{place[0]},{place[1]}", "surface": "road", "size": "hand", "danger": "no"} | more
        return [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]

    def case_of(self, text):
        reference = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", text).group(0).replace("-", "")
        return reference, re.search(r"http://\S+?(/cases/alder\.[^\s']+)", text).group(1)


class ReadingTest(TextCase):
    def test_the_first_page_leads_to_every_service(self):
        text = self.page("/text?municipality=alder")
        for file in sorted((harness.PROJECT / "examples" / "services").glob("*.yaml")):
            self.assertRegex(text, rf"(?m)^{file.stem}$")
            asked = self.page(f"/text/services/{file.stem}?municipality=alder")
            self.assertIn(f"'{self.server.base}/text/services/{file.stem}?municipality=alder'", asked)
        self.assertEqual(self.page("/services?municipality=alder", "-H", "Accept: text/plain"), text)

    def test_pages_stay_pages_for_browsers(self):
        for accept in ("*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html, text/plain, */*;q=0.01"):
            answer = requests.get(self.server.base + "/services?municipality=alder", headers={"Accept": accept}, timeout=30)
            self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8", accept)

    def test_it_speaks_the_language_of_its_reader(self):
        for code, words in (("en", "What is asked"), ("fr", "Ce qui est demandé"), ("es", "Lo que se pregunta"), ("ar", "ما يُسأل عنه")):
            self.assertIn(words, self.page("/text/services/pothole?municipality=alder", "-H", f"Accept-Language: {code}"))
            self.assertIn(words, self.page(f"/text/services/pothole?municipality=alder&lang={code}", "-H", "Accept-Language: en"))

    def test_what_is_not_there_is_said_as_text(self):
        for path in ("/text/services/none?municipality=alder", "/text/requests/AAAAAAAA?municipality=alder", "/text/cases/alder.AAAAAAAA." + "A" * 22,
                     "/text/cases/x", "/text?municipality=nowhere", "/text/requests/nothing?municipality=alder"):
            self.assertTrue(self.page(path, status=404).startswith("404 "), path)
        self.assertIn("from:", self.page("/text/figures?municipality=alder&from=yesterday", status=400))

    def test_a_client_of_http_1_0_is_not_kept_waiting(self):
        """w3m and lynx read until the connection is closed; RFC 9112, section 9.3."""
        for head, is_closed in (("GET /text HTTP/1.0\r\n", True), ("GET /text HTTP/1.1\r\nConnection: Close\r\n", True), ("GET /text HTTP/1.1\r\n", False)):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as connection:
                connection.sendall(head.encode() + b"Host: localhost\r\n\r\n")
                got = b""
                while b"lang=ar" not in got:
                    part = connection.recv(65536)
                    self.assertTrue(part, got)
                    got += part
                connection.settimeout(10 if is_closed else 0.2)
                try:
                    self.assertEqual((connection.recv(65536).strip(), is_closed), (b"", True), head)
                except TimeoutError:
                    self.assertFalse(is_closed, head)

    def test_text_browsers_show_it_as_it_is(self):
        if not BROWSERS:
            self.skipTest("SKIPPED: neither w3m nor lynx is here")
        address = f"{self.server.base}/text/services/pothole?municipality=alder"
        for browser in BROWSERS:
            shown = subprocess.run([browser, "-dump", address], capture_output=True, timeout=60, text=True).stdout
            self.assertIn("How to report", shown)
            # What they send says that they would have pages; those work in them too.
            page = subprocess.run([browser, "-dump", f"{self.server.base}/services/pothole?municipality=alder"], capture_output=True, timeout=60, text=True).stdout
            self.assertIn("Pothole or damaged road", page)


class FilingTest(TextCase):
    def test_the_command_of_the_page_reports_once_its_gaps_are_filled(self):
        text = self.page("/text/services/pothole?municipality=alder")
        command = text[text.index("curl \\"):].replace("\\\n", " ")
        unfilled = self.run_command(command)
        for name in ("place", "surface", "size", "danger"):
            self.assertRegex(unfilled, rf"(?m)^{name}: ")
        for name, value in (("place", "43.6012,3.8012"), ("surface", "road"), ("size", "hand"), ("danger", "no")):
            self.assertIn(f"'{name}=…'", command)
            command = command.replace(f"'{name}=…'", f"'{name}={value}'")
        first, again = self.run_command(command), self.run_command(command)
        self.assertEqual(first, again)
        reference, link = self.case_of(first)
        page = self.text(link)
        self.assertIn(f"{reference[:4]}-{reference[4:]}", page)
        found = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:Open311ServiceRequest:{reference}?options=keyValues", headers={"NGSILD-Tenant": "alder"})
        self.assertEqual(found.json()["channel"], "text")
        # The page makes a new name each time: it is another report.
        self.assertNotEqual(text, self.page("/text/services/pothole?municipality=alder"))

    def run_command(self, command):
        done = subprocess.run(shlex.split(command) + ["-sS"], capture_output=True, timeout=60, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_lines(done.stdout)
        return done.stdout

    def test_what_is_wrong_is_said_by_the_name_of_its_field(self):
        text = self.file("-d", "surface=moon", "-d", "nonsense=1", "-d", "contact.email=nobody", status=422)
        for line in ("place: this is needed", "surface: choose one of these", "size: this is needed", "nonsense: this is not asked",
                     "contact.email: write an e-mail address such as name@example.org"):
            self.assertRegex(text, rf"(?m)^{re.escape(line)}$")
        self.assertIn("place: this is no place", self.file(*self.answers(place=(143, 3)), status=422))
        self.assertIn("form: ", self.file(*self.answers(), "-d", "form=short", status=400))
        self.assertIn("415", self.file("-H", "Content-Type: text/plain", "-d", "x", status=415))
        large = self.folder / "large.txt"
        large.write_text("details=" + "x" * 300_000)
        self.assertIn("413", self.file("-d", f"@{large}", status=413))

    def test_a_report_with_all_that_belongs_to_it(self):
        photo = self.folder / "hole.png"
        photo.write_bytes(png())
        fields = {"place": "43.6411,3.8411", "surface": "pavement", "size": "plate", "danger": "yes", "details": "Deep & dark", "contact.name": "Ada",
                  "contact.email": "ada@example.org"}
        text = self.file(*[part for name, value in fields.items() for part in ("-F", f"{name}={value}")], "-F", f"photos=@{photo};type=image/png", "-F", "lang=fr")
        self.assertIn("Merci", text)
        reference, link = self.case_of(text)
        page = self.text(link)
        self.assertIn("Deep & dark", page)
        self.assertIn("ada@example.org", page)
        self.assertIn("/attachments/", self.visitor().get(link).text)
        shown = self.page("/text" + link)
        self.assertIn("Deep & dark", shown)
        self.assertNotIn("ada@example.org", shown)
        photo = re.search(r"(?m)^http://\S+?(/attachments/\S+)$", shown).group(1)
        self.assertEqual(self.visitor().get(photo).headers["Content-Type"], "image/jpeg")

    def test_a_place_can_be_named_and_several_are_told_of(self):
        stops = [("Fontaine", 3.8612, 43.6612), ("Marché", 3.8712, 43.6712), ("Marché", 3.8812, 43.6812)]
        self.put_open([{
            "id": f"urn:ngsi-ld:BusStop:{number}", "type": "BusStop", "name": {"type": "Property", "value": name},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, lat]}}} for number, (name, lon, lat) in enumerate(stops)])
        self.wait_for_place("Fontaine")
        rest = self.answers()[2:]
        reference, _ = self.case_of(self.file("-d", "place=Fontaine", *rest))
        dossier = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:ServiceRequestDossier:{reference}?options=keyValues",
                                 headers={"NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}).json()
        self.assertEqual(dossier["location"]["coordinates"], [3.8612, 43.6612])
        text = self.file("--data-urlencode", "place=Marché", *rest, status=409)
        self.assertIn("--data-urlencode 'place=43.6712,3.8712'", text)
        self.assertIn("-d confirmed=yes", text)

    def test_what_is_nearby_is_told_first(self):
        place = (43.6911, 3.7911)
        reference, _ = self.case_of(self.file(*self.answers(place)))
        self.assertEqual(self.work(reference, "publish", description="A deep hole \x1b]0;x\x07").status_code, 303)
        text = self.file(*self.answers(place), status=409)
        self.assertIn("A deep hole", text)
        self.assertIn(f"/text/requests/{reference}?municipality=alder", text)
        self.assertIn("-d confirmed=yes", text)
        other, _ = self.case_of(self.file(*self.answers(place), "-d", "confirmed=yes"))
        self.assertNotEqual(other, reference)
        self.assertIn("A deep hole", self.page(f"/text/requests/{reference}?municipality=alder"))

    def test_a_word_that_somebody_else_used_shows_nobody_their_report(self):
        word = ["-d", "form=1234567890123456"]
        mine, _ = self.case_of(self.file(*self.answers((43.70, 3.70)), *word))
        theirs, _ = self.case_of(self.file(*self.answers((43.71, 3.71)), *word))
        self.assertNotEqual(mine, theirs)
        again, _ = self.case_of(self.file(*self.answers((43.70, 3.70)), *word))
        self.assertEqual(again, mine)

    def test_nothing_that_somebody_writes_reaches_a_terminal_as_a_command(self):
        evil = "one\x1b[31mtwo\x9b2Jthree\x07four\u202efive\u2067six"
        refused = self.file(*self.answers((43.72, 3.72), details=evil), status=422)
        self.assertIn("details:", refused)
        # By a way in that takes it, and by staff.
        reference, link = self.case_of(self.file(*self.answers((43.72, 3.72), details="plain words")))
        self.work(reference, "answer", answer=evil)
        self.work(reference, "publish", description=evil)
        for path in (f"/text{link}", f"/text/requests/{reference}?municipality=alder"):
            text = self.page(path)
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\u202e", text)
            self.assertNotIn("\u2067", text)
        unknown = self.file("-d", "%1b%5b31mx=1", status=422)
        self.assertNotIn("\x1b", unknown)

    def test_a_page_of_another_site_files_nothing_and_nobody_is_taken_along(self):
        before = self.server.count("alder", self.token, type="Open311ServiceRequest")
        for header in ("Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"):
            self.assertIn("403", self.file("-H", header, *self.answers(), status=403))
        self.assertEqual(self.server.count("alder", self.token, type="Open311ServiceRequest"), before)
        # Somebody who is signed in and sends it knowingly is nobody here: it is not among what is held about them.
        text = self.clerk.session.post(f"{self.server.base}/text/services/pothole?municipality=alder", timeout=30, headers={"Origin": self.server.base}, data={
            "place": "43.7311,3.7311", "surface": "road", "size": "hand", "danger": "no"}).text
        reference, _ = self.case_of(text)
        dossier = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:ServiceRequestDossier:{reference}?options=keyValues",
                                 headers={"NGSILD-Tenant": "alder", "Conurb-Purpose": "dpv:RequestedServiceProvision"}).json()
        self.assertEqual(dossier["dataSubject"], f"case:{reference}")

    def test_a_case_is_followed_and_added_to(self):
        reference, link = self.case_of(self.file(*self.answers((43.74, 3.74), details="The first words")))
        self.work(reference, "answer", answer="We come on Monday, and that is a long answer which has to be broken into more than one line of a terminal")
        text = self.page("/text" + link)
        self.assertEqual(text, self.page(link, "-H", "Accept: text/plain"))
        self.assertIn("We come on Monday", text)
        command = re.search(r"curl -L (?:.|\n)*?'http://\S+/words'", text).group(0).replace("\\\n", " ").replace("text=…", "text=Something more")
        self.assertIn("Something more", self.run_command(command))
        head = requests.get(self.server.base + "/text" + link, timeout=30).headers
        self.assertEqual((head["Referrer-Policy"], head["X-Robots-Tag"], head["Cache-Control"]), ("no-referrer", "noindex, nofollow", "no-store"))
        self.assertEqual(self.work(reference, "withhold", reason="It names somebody").status_code, 303)
        self.page(f"/text/requests/{reference}?municipality=alder", status=404)


class FiguresTest(TextCase):
    def test_what_came_as_text_is_in_the_figures(self):
        self.file(*self.answers((43.70, 3.70)))
        self.report(place=(43.73, 3.73))
        self.work(self.reference(self.report(place=(43.74, 3.75))), "publish", description="x")
        for reference in [entity["id"].rsplit(":", 1)[1] for entity in self.clerk.get(
                "/ngsi-ld/v1/entities?type=Open311ServiceRequest&options=keyValues", headers={"NGSILD-Tenant": "alder"}).json()]:
            self.work(reference, "publish", description="A hole")
        table = self.server.get("/figures/services.csv?municipality=alder").text
        self.assertRegex(table, r"text: 1")
        text = self.page("/text/figures?municipality=alder")
        self.assertIn("Pothole or damaged road", text)
        self.assertIn("How they came in", text)
        self.assertIn("3", text)
        self.assertIn("How they came in", self.page("/figures/services?municipality=alder", "-H", "Accept: text/plain"))


class ThrottleTest(TextCase):
    def test_one_connection_may_file_as_much_as_with_the_form(self):
        statuses = []
        for number in range(310):
            answer = requests.post(f"{self.server.base}/text/services/pothole?municipality=alder", timeout=30, data={"place": "none"})
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                break
        self.assertEqual(statuses[:300], [422] * 300)
        self.assertEqual(statuses[-1], 429)
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")


if __name__ == "__main__":
    harness.main()
