"""What people can do about what is held about them: see it and who used it, consent and withdraw, correct, take it along, have it erased."""

import json
import pathlib
import re
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import browser as browsing
import harness
from harness import NGSI_LD
from test_account_pages import SIZES
from test_sign_in import PASSWORD, SignInCase

PURPOSE = "dpv:ServicePersonalisation"
MARKER = "Quillfeather-Montgomery"
SOURCE = """
id: people
title: Readers of the library
steward: Library
licence: {name: none, url: https://example.org/none}
attribution: Library
classification: personal
format: csv
entity: {id: 'urn:ngsi-ld:Reader:{number}', type: Reader}
attributes:
  name: name
  email: email
  dataSubject: subject
"""
RULES = """
rules:
  - {id: tokens-write, effect: permit, who: {roles: [token-writer, token-administrator]}, actions: [write, erase, administer], what: everything}
  - id: own
    effect: permit
    who: {signedIn: true}
    actions: [read, history, export]
    what: {subject: self}
  - id: own-correct
    effect: permit
    who: {signedIn: true}
    actions: write
    what: {subject: self, attributes: [name, email]}
  - id: library-asks
    description: The library tells you of books that fit you.
    effect: permit
    who: {roles: [owner-department, token-writer]}
    actions: [read, subscribe, export]
    what: {types: Reader}
    purposes: ['dpv:ServicePersonalisation']
    consent: required
"""


class RightsTest(SignInCase):
    def held(self, number, subject, name="Ada", email="ada@example.org"):
        """What a source of personal data brings about somebody."""
        source, rows = self.folder / "people.yaml", self.folder / f"people-{number}.csv"
        source.write_text(SOURCE)
        rows.write_text(f"number,name,email,subject\n{number},{name},{email},{subject}\n")
        done = self.conurb.import_files(self.data, "alder", source, rows)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rules = cls.folder / "rules.yaml"
        rules.write_text(RULES)
        done = cls.conurb.run("policy", "put", rules, "--data", cls.data, "--municipality", "alder")
        assert done.returncode == 0, done.stderr

    def subject(self, resident):
        return resident.get("/account/data.json").json()["subject"]

    def press(self, resident, path, **fields):
        token = resident.field("/account/data", "form")
        return resident.post(path, {"form": token} | fields)

    def readers(self, visitor, purpose=PURPOSE):
        answer = visitor.get(NGSI_LD + "/entities?type=Reader&count=true", headers={"NGSILD-Tenant": "alder", "Conurb-Purpose": purpose})
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(int(answer.headers["NGSILD-Results-Count"]), len(answer.json()))
        return [entity["id"] for entity in answer.json()]

    def proof(self, resident, path):
        """The ledger is signed within a second."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = resident.get(path)
            if answer.status_code != 503:
                return answer
        raise AssertionError(answer.text)

    def test_the_whole_way(self):
        resident, department = self.member("ada", "resident"), self.member("library", "owner-department")
        subject = self.subject(resident)
        self.held(1, subject, name=MARKER)
        page = resident.get("/account/data").text
        self.assertIn(MARKER, page)
        self.assertIn("The library tells you of books that fit you.", page)
        self.assertIn("Nobody yet.", page)
        self.assertEqual(self.readers(department), [], "nobody sees it before")

        self.assertEqual(self.press(resident, "/account/data/consent", purpose="dpv:Marketing").status_code, 400)
        given = self.press(resident, "/account/data/consent", purpose=PURPOSE)
        self.assertEqual((given.status_code, given.headers["Location"]), (303, "/account/data?done=consentGiven"))
        self.assertEqual(self.readers(department), ["urn:ngsi-ld:Reader:1"])
        self.assertEqual(self.readers(department, "dpv:Marketing"), [], "for nothing else")
        token = self.conurb.create_token(self.data, "alder", "write")
        subscription = {"type": "Subscription", "id": "urn:ngsi-ld:Subscription:1", "entities": [{"type": "Reader"}],
                        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/nobody"}}}
        made = self.server.post(NGSI_LD + "/subscriptions", subscription, municipality="alder", token=token, headers={"Conurb-Purpose": PURPOSE})
        self.assertEqual(made.status_code, 201, made.text)

        page = resident.get("/account/data").text
        self.assertIn("Owner department", page)
        self.assertNotIn("Nobody yet.", page)
        path = re.search(r'href="(/account/data/uses/\d+/proof)"', page).group(1)
        proof = self.proof(resident, path)
        self.assertEqual(proof.status_code, 200, proof.text)
        self.assertEqual(department.get(path).status_code, 404, "a proof is for whom it is about")
        (self.folder / "use.tlog-proof").write_text(proof.text)
        key = self.conurb.run("ledger", "key", "--municipality", "alder", "--data", self.data).stdout.strip()
        self.assertTrue(key)
        verified = self.conurb.run("ledger", "verify", "--key", key, "--proof", self.folder / "use.tlog-proof")
        self.assertEqual(verified.returncode, 0, verified.stderr + verified.stdout)
        self.assertIn("personal-data-used", verified.stdout)
        self.assertIn(PURPOSE, verified.stdout)

        everything = resident.get("/account/data.json").json()
        self.assertTrue(everything["complete"])
        self.assertEqual([entity["id"] for entity in everything["entities"]], ["urn:ngsi-ld:Reader:1"])
        self.assertEqual([record["event"][0]["event_state"] for record in everything["consents"]], ["consent-given"])
        self.assertEqual([use["entry"]["purpose"] for use in everything["uses"]], [PURPOSE])
        self.assertIn(MARKER, json.dumps(everything["history"]))

        withdrawn = self.press(resident, "/account/data/withdrawal", purpose=PURPOSE)
        self.assertEqual(withdrawn.status_code, 303)
        self.assertEqual(self.readers(department), [])
        before = self.server.get(NGSI_LD + "/subscriptions/urn:ngsi-ld:Subscription:1", municipality="alder", token=token).json()
        self.held(1, subject, name=MARKER, email="new@example.org")
        uses = resident.get("/account/data.json").json()["uses"]
        self.assertEqual(len(uses), len(everything["uses"]), "nobody was told")
        after = self.server.get(NGSI_LD + "/subscriptions/urn:ngsi-ld:Subscription:1", municipality="alder", token=token).json()
        self.assertEqual(before["notification"].get("timesSent", 0), after["notification"].get("timesSent", 0))

        namespace = "https://uri.etsi.org/ngsi-ld/default-context/"
        fields = {"id": "urn:ngsi-ld:Reader:1", "kind": "text"}
        corrected = self.press(resident, "/account/data/correct", attribute=namespace + "email", value="right@example.org", **fields)
        self.assertEqual(corrected.status_code, 303, corrected.text[:2000])
        self.assertIn("right@example.org", resident.get("/account/data").text)
        refused = self.press(resident, "/account/data/correct", attribute=namespace + "dataSubject", value="account:boss", **fields)
        self.assertEqual(refused.status_code, 422)
        number = self.press(resident, "/account/data/correct", attribute=namespace + "email", value="7", id=fields["id"], kind="number")
        self.assertEqual(number.status_code, 422)

        self.assertEqual(self.press(resident, "/account/data/erase", password="wrong wrong wrong", confirm="yes").status_code, 422)
        self.assertEqual(self.press(resident, "/account/data/erase", password=PASSWORD).status_code, 422)
        self.assertTrue(resident.is_in())
        erased = self.press(resident, "/account/data/erase", password=PASSWORD, confirm="yes")
        self.assertEqual(erased.status_code, 200, erased.text[:2000])
        self.assertFalse(resident.is_in())
        self.assert_nowhere(MARKER, "right@example.org", "new@example.org")
        self.assertEqual(self.conurb.verify(self.data).returncode, 0)
        self.assertEqual(self.visitor().sign_in("ada").status_code, 422)

    def assert_nowhere(self, *words):
        for path in self.data.rglob("*"):
            if path.is_file():
                found = [word for word in words if word.encode() in path.read_bytes()]
                self.assertEqual(found, [], path)

    def test_views_of_the_desk_are_taken_along_and_erased(self):
        name = "Letters-of-Quillfeather"
        clerk = self.member("viewer", "owner-department")
        token = clerk.field("/desk?view=open", "form")
        saved = clerk.post("/desk/views", {"form": token, "action": "saveView", "name": name, "narrowing": "view=mine"})
        self.assertEqual(saved.status_code, 303, saved.text[:500])
        self.assertEqual(clerk.get("/account/data.json").json()["deskViews"], [{"name": name, "narrowing": "view=mine"}])
        self.assertIn(name, clerk.get("/desk?view=open").text)
        self.assert_nowhere(name)
        erased = self.press(clerk, "/account/data/erase", password=PASSWORD, confirm="yes")
        self.assertEqual(erased.status_code, 200, erased.text[:2000])
        self.assertEqual(self.conurb.verify(self.data).returncode, 0)

    def test_erasing_from_the_command_line(self):
        resident = self.member("grace", "resident")
        self.held(2, self.subject(resident), name="Zwischenmeister-Grace")
        done = self.conurb.run("resident", "erase", "grace", "--data", self.data, "--municipality", "alder")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 entities", done.stdout)
        self.assert_nowhere("Zwischenmeister-Grace")
        self.assertFalse(resident.is_in())
        again = self.conurb.run("resident", "erase", "grace", "--data", self.data, "--municipality", "alder")
        self.assertEqual(again.returncode, 1)

    def test_forms_of_elsewhere_change_nothing(self):
        resident = self.member("mallory", "resident")
        for path in ("/account/data/consent", "/account/data/withdrawal", "/account/data/correct", "/account/data/erase"):
            answer = resident.post(path, {"purpose": PURPOSE, "password": PASSWORD, "confirm": "yes"})
            self.assertEqual(answer.status_code, 403, path)
        self.assertTrue(resident.is_in())
        self.assertEqual(self.visitor().get("/account/data", allow_redirects=False).status_code, 303)

    def test_the_page_in_a_browser(self):
        browser = browsing.Browser(base=self.server.base)
        self.addCleanup(browser.close)
        axe = browsing.axe_source()
        resident = self.member("marie", "resident")
        self.held(3, self.subject(resident), name="Marie Dupont")
        department = self.member("branch", "owner-department")
        self.press(resident, "/account/data/consent", purpose=PURPOSE)
        self.assertIn("urn:ngsi-ld:Reader:3", self.readers(department))

        def press(selector):
            browser.run("window.isOld = true; document.querySelector(arguments[0]).click()", selector)
            browser.until("return !window.isOld && document.readyState === 'complete'", f"a new page after {selector}")

        def text():
            return browser.run("return document.querySelector('main').innerText")

        def look(page):
            for width, height in SIZES:
                with self.subTest(page=page, width=width):
                    browser.resize(width, height)
                    browser.picture(f"{page}-{width}")
                    self.assertEqual(browser.violations(axe), [])
                    self.assertLessEqual(browser.run("return document.scrollingElement.scrollWidth"), width)

        browser.open("/sign-in")
        browser.run("document.querySelector('#login').value = 'marie'; document.querySelector('#password').value = arguments[0]", PASSWORD)
        press("main form button")
        for language in ("en", "fr", "ar"):
            browser.open(f"/preferences?lang={language}&return=/account/data")
            self.assertIn("Marie Dupont", text())
            browser.run("for (const part of document.querySelectorAll('main details')) part.open = true")
            look(f"data-{language}")
        press('form[action="/account/data/withdrawal"] button')
        self.assertEqual(self.readers(department), [])
        browser.open("/account/data/erase")
        look("erase")
        browser.run("document.querySelector('#password').value = arguments[0]; document.querySelector('#confirm').checked = true", PASSWORD)
        press("main form button")
        look("erased")
        self.assertFalse(resident.is_in())
        self.assertEqual([line for line in browser.complaints() if "status of 422" not in line], [])


if __name__ == "__main__":
    harness.main()
