"""Tokens that end and are held to something, keys of devices, and the tokens that people make for themselves."""

import datetime
import html
import re
import time
import unittest

import harness
import test_cli
from harness import NGSI_LD
from test_sign_in import SignInCase

LAMP = {"id": "urn:ngsi-ld:Lamp:7-1", "type": "Lamp", "level": {"type": "Property", "value": 1}}
BENCHES = "number;length\n1;2,5\n2;1,8\n"


def moment(**later):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


class TokenCase(SignInCase, harness.ProblemAssertions):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls.conurb.create_token(cls.data, "alder", "administer")

    def make(self, **order):
        made = self.ask("POST", "/municipalities/alder/tokens", self.administrator, {"name": "test", "right": "read"} | order)
        self.assertEqual(made.status_code, 201, made.text)
        return made.json()

    def ask(self, method, path, token, document=None, **options):
        if document is not None:
            options["json"] = document
        return self.server.request(method, path, municipality="alder", token=token, **options)

    def run_token(self, *arguments):
        return self.conurb.run("token", *arguments, "--data", self.data, "--municipality", "alder")


class LifeTest(TokenCase):
    def test_a_token_ends_in_a_year_unless_something_else_is_said(self):
        def days(expires):
            end = datetime.datetime.fromisoformat(expires.replace("Z", "+00:00"))
            return round((end - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86_400)
        self.assertEqual(days(self.make()["expiresAt"]), 365)
        self.assertNotIn("expiresAt", self.make(expiresAt=None))
        self.assertEqual(days(self.make(expiresAt=moment(days=30))["expiresAt"]), 30)
        for expires in (moment(days=-1), moment(days=4000), "soon", 7):
            with self.subTest(expires=expires):
                refused = self.ask("POST", "/municipalities/alder/tokens", self.administrator, {"name": "x", "right": "read", "expiresAt": expires})
                self.assert_problem(refused, 400, mentions="expiresAt")

    def test_when_it_has_ended_it_counts_for_nothing(self):
        token = self.make(expiresAt=moment(seconds=3))["token"]
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).status_code, 200)
        deadline = time.monotonic() + 15
        while (answer := self.ask("GET", NGSI_LD + "/types", token)).status_code == 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assert_problem(answer, 401, mentions="expired")

    def test_the_command_line_knows_all_of_it(self):
        made = self.run_token("create", "--name", "for a season", "--right", "read", "--expires", "90d", "--type", "Lamp", "--purpose", "dpv:ServiceProvision")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("until ", made.stderr)
        endless = self.run_token("create", "--name", "endless", "--right", "read", "--no-expiry")
        self.assertIn("without an end", endless.stderr)
        self.run_token("create", "--name", "sensor 7", "--device", "--source", "benches", "--id-prefix", "urn:ngsi-ld:Bench:")
        lines = {line.split("\t")[6]: line.split("\t") for line in self.run_token("list").stdout.splitlines()}
        self.assertEqual(lines["for a season"][1:2] + lines["for a season"][4:6], ["read", "-", "operator"])
        self.assertIn("types=", lines["for a season"][7])
        self.assertIn("purposes=dpv:ServiceProvision", lines["for a season"][7])
        self.assertEqual((lines["endless"][3], lines["endless"][7]), ("-", "-"))
        self.assertEqual((lines["sensor 7"][1], lines["sensor 7"][7]), ("device", "sources=benches entityIdPrefix=urn:ngsi-ld:Bench:"))
        for wrong in (["--right", "read", "--expires", "never"], ["--right", "read", "--expires", "4000d"], ["--right", "read", "--expires", "9d", "--no-expiry"],
                      ["--device", "--right", "administer"], []):
            self.assertEqual(self.run_token("create", "--name", "x", *wrong).returncode, 64, wrong)
        self.assertEqual(self.run_token("create", "--name", "x", "--device").returncode, 1, "a device is held to something")

    def test_the_day_of_the_last_use_is_known(self):
        made = self.make(name="used")
        self.ask("GET", NGSI_LD + "/types", made["token"])
        self.server.stop()
        line = next(line for line in self.run_token("list").stdout.splitlines() if line.startswith(made["id"]))
        self.server.start()
        self.assertEqual(line.split("\t")[4], moment()[:10])

    def test_making_and_revoking_is_in_the_ledger_with_what_it_is_held_to(self):
        made = self.make(name="recorded", right="write", role="device", types=["Lamp"])
        self.assertEqual(self.ask("DELETE", f"/municipalities/alder/tokens/{made['id']}", self.administrator).status_code, 204)
        entries = self.ask("GET", "/ledger/alder/entries?limit=1000", self.administrator).text
        self.assertNotIn(made["token"], entries)
        for act in ("token-created", "token-revoked", "recorded", '"role":"device"'):
            self.assertIn(act, entries.replace('\\"', '"').replace('": "', '":"'))


class BoundsTest(TokenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, number in (("Lamp", 1), ("Lamp", 2), ("Person", 1)):
            made = cls.server.post(NGSI_LD + "/entities", {"id": f"urn:ngsi-ld:{name}:{number}", "type": name}, municipality="alder", token=cls.administrator)
            assert made.status_code == 201, made.text

    def test_a_token_of_some_types_sees_and_counts_these_alone(self):
        token = self.make(types=["Lamp"])["token"]
        self.assertEqual(self.server.count("alder", token, type="Lamp"), 2)
        self.assertEqual(self.server.count("alder", token, type="Person"), 0)
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).json()["typeList"], ["Lamp"])
        self.assertEqual(self.ask("GET", NGSI_LD + "/entities/urn:ngsi-ld:Person:1", token).status_code, 404)
        writer = self.make(right="write", types=["Lamp"])["token"]
        self.assertEqual(self.ask("POST", NGSI_LD + "/entities", writer, {"id": "urn:ngsi-ld:Person:2", "type": "Person"}).status_code, 403)
        self.assertEqual(self.ask("DELETE", NGSI_LD + "/entities/urn:ngsi-ld:Person:1", writer).status_code, 404)
        self.assertEqual(self.ask("POST", NGSI_LD + "/entities", writer, LAMP | {"id": "urn:ngsi-ld:Lamp:w"}).status_code, 201)
        self.assertEqual(self.ask("DELETE", NGSI_LD + "/entities/urn:ngsi-ld:Lamp:w", writer).status_code, 204)

    def test_a_token_of_a_purpose_is_good_for_nothing_else(self):
        token = self.make(purposes=["dpv:ServiceProvision"])["token"]
        for purpose, status in ((None, 200), ("dpv:ServiceProvision", 200), ("dpv:RepairImpairments", 200), ("dpv:Marketing", 403)):
            headers = {"Conurb-Purpose": purpose} if purpose else {}
            self.assertEqual(self.ask("GET", NGSI_LD + "/types", token, headers=headers).status_code, status, purpose)

    def test_what_is_no_order_is_refused_and_named(self):
        for order, field in (({"right": "rule"}, "right"), ({"types": "Lamp"}, "types"), ({"types": []}, "types"), ({"purposes": ["fun"]}, "purposes"),
                             ({"role": "king"}, "role"), ({"role": "device"}, "right"), ({"entityIdPrefix": "urn:"}, "entityIdPrefix"), ({"scope": 1}, "scope"),
                             ({"right": "write", "role": "device"}, "types"), ({"name": ""}, "name")):
            with self.subTest(order=order):
                refused = self.ask("POST", "/municipalities/alder/tokens", self.administrator, {"name": "x", "right": "read"} | order)
                self.assert_problem(refused, 400, mentions="role" if order == {"role": "device"} else field)


class DeviceTest(TokenCase):
    def key(self, **order):
        return self.make(right="write", role="device", **order)["token"]

    def test_it_writes_what_it_is_for_and_sees_nothing(self):
        key = self.key(types=["Lamp"], entityIdPrefix="urn:ngsi-ld:Lamp:7-")
        entities = NGSI_LD + "/entities"
        self.assertEqual(self.ask("POST", entities, key, LAMP).status_code, 201)
        self.assertEqual(self.ask("PATCH", f"{entities}/{LAMP['id']}/attrs/level", key, {"value": 2}).status_code, 204)
        upserted = self.ask("POST", NGSI_LD + "/entityOperations/upsert", key, [LAMP, LAMP | {"id": "urn:ngsi-ld:Lamp:8-1"}])
        self.assertEqual(upserted.status_code, 207, upserted.text)
        self.assertIn(LAMP["id"], upserted.json()["success"])
        self.assertEqual(self.ask("POST", f"{entities}/{LAMP['id']}/attrs", key, {"on": {"type": "Property", "value": True}}).status_code, 204)
        self.assertEqual(self.ask("GET", entities, self.administrator, params={"type": "Lamp"}).json()[0]["id"], LAMP["id"])
        refused = [
            ("POST", entities, LAMP | {"id": "urn:ngsi-ld:Lamp:8-1"}), ("POST", entities, {"id": "urn:ngsi-ld:Lamp:7-2", "type": "Person"}),
            ("GET", f"{entities}/{LAMP['id']}", None),
            ("GET", entities + "?type=Lamp", None), ("GET", NGSI_LD + "/types", None), ("GET", NGSI_LD + "/temporal/entities?type=Lamp&timerel=after&timeAt=2020-01-01T00:00:00Z", None),
            ("POST", NGSI_LD + "/entityOperations/query", {"type": "Query", "entities": [{"type": "Lamp"}]}),
            ("POST", NGSI_LD + "/subscriptions", {"type": "Subscription", "entities": [{"type": "Lamp"}], "notification": {"endpoint": {"uri": "https://example.org/"}}}),
            ("POST", NGSI_LD + "/csourceRegistrations", {"type": "ContextSourceRegistration", "endpoint": "https://example.org", "information": [{"entities": [{"type": "Lamp"}]}]}),
            ("POST", NGSI_LD + "/jsonldContexts", {"@context": {"a": "https://example.org/a"}}), ("GET", "/municipalities/alder/tokens", None),
            ("POST", "/municipalities/alder/tokens", {"name": "more", "right": "administer"}),
        ]
        for method, path, document in refused:
            with self.subTest(method=method, path=path):
                self.assertEqual(self.ask(method, path, key, document).status_code, 403)
        for path in (f"{entities}/{LAMP['id']}", f"{entities}/{LAMP['id']}/attrs/level"):
            self.assertEqual(self.ask("DELETE", path, key).status_code, 404, "it sees nothing that it could erase")
        self.assertEqual(self.ask("GET", f"{entities}/{LAMP['id']}", self.administrator).status_code, 200)

    def test_it_feeds_the_source_that_it_names_and_no_other(self):
        for name in ("benches", "others"):
            text = test_cli.ImportTest.SOURCE.replace("id: benches", f"id: {name}", 1)
            put = self.server.request("PUT", f"/sources/{name}", data=text, headers={"Content-Type": "application/yaml"}, municipality="alder", token=self.administrator)
            self.assertEqual(put.status_code, 204, put.text)
        feeder, writer = self.key(sources=["benches"]), self.key(types=["Bench"])

        def push(name, key):
            return self.server.request("POST", f"/sources/{name}/data", data=BENCHES.encode(), headers={"Content-Type": "text/csv"}, municipality="alder", token=key)
        fed = push("benches", feeder)
        self.assertEqual(fed.status_code, 200, fed.text)
        self.assertEqual(self.server.count("alder", self.administrator, type="Bench"), 2)
        self.assertEqual(push("others", feeder).status_code, 403)
        self.assertEqual(push("benches", writer).status_code, 403)
        self.assertEqual(self.ask("POST", NGSI_LD + "/entities", feeder, LAMP | {"id": "urn:ngsi-ld:Lamp:f"}).status_code, 403, "not by another way")


class OwnTokenTest(TokenCase):
    def make_own(self, visitor, **fields):
        form = visitor.field("/account/tokens", "form")
        return visitor.post("/account/tokens", {"form": form, "name": "my script", "right": "read", "days": "90", "types": ""} | fields)

    def token(self, page):
        found = re.search(r"conurb_alder_[0-9a-f]{64}", page.text)
        return found.group(0) if found else None

    def test_from_making_to_revoking(self):
        visitor = self.member("maker")
        page = self.make_own(visitor, right="write")
        self.assertEqual(page.status_code, 200)
        token = self.token(page)
        self.assertNotIn(token, visitor.get("/account/tokens").text, "it is shown once")
        self.assertEqual(self.ask("POST", NGSI_LD + "/entities", token, LAMP | {"id": "urn:ngsi-ld:Lamp:own"}).status_code, 201)
        self.assertEqual(self.ask("GET", "/municipalities/alder", token).status_code, 403)
        identifier = visitor.field("/account/tokens", "id")
        other = self.member("other.maker")
        other.post("/account/tokens/revoke", {"form": other.field("/account/tokens", "form"), "id": identifier})
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).status_code, 200, "it is somebody else's")
        visitor.post("/account/tokens/revoke", {"form": visitor.field("/account/tokens", "form"), "id": identifier})
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).status_code, 401)

    def test_it_is_never_more_than_its_owner(self):
        resident = self.member("modest", "resident")
        self.assertNotIn('value="write"', resident.get("/account/tokens").text)
        for fields in ({"right": "write"}, {"right": "administer"}):
            self.assertEqual(self.make_own(resident, **fields).status_code, 422)
        for fields in ({"days": "366"}, {"days": "0"}, {"name": ""}, {"right": "rule"}):
            self.assertEqual(self.make_own(resident, **fields).status_code, 422)
        steward = self.member("losing")
        token = self.token(self.make_own(steward, right="write"))
        self.command("roles", "losing", "--role", "resident")
        self.assertEqual(self.ask("POST", NGSI_LD + "/entities", token, LAMP | {"id": "urn:ngsi-ld:Lamp:late"}).status_code, 403)

    def test_it_counts_for_nothing_without_its_owner(self):
        visitor = self.member("leaving")
        token = self.token(self.make_own(visitor))
        self.command("disable", "leaving")
        self.assert_problem(self.ask("GET", NGSI_LD + "/types", token), 401, mentions="account")
        self.command("enable", "leaving")
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).status_code, 200)
        self.command("remove", "leaving")
        self.assertEqual(self.ask("GET", NGSI_LD + "/types", token).status_code, 401)
        self.assertNotIn("my script", "".join(line for line in self.run_token("list").stdout.splitlines() if "leaving" in line))

    def test_a_form_of_another_page_makes_none(self):
        visitor = self.member("tricked")
        form = visitor.field("/account/tokens", "form")
        for headers, fields in (({"Origin": "https://evil.example"}, {"form": form}), ({}, {"form": "x"})):
            refused = visitor.post("/account/tokens", {"name": "x", "right": "read", "days": "7"} | fields, headers=headers)
            self.assertEqual(refused.status_code, 403)
        self.assertNotIn("/account/tokens/revoke", html.unescape(visitor.get("/account/tokens").text))


if __name__ == "__main__":
    harness.main()
