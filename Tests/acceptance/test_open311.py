"""Open311 GeoReport v2 and the update extension of FixMyStreet, against the specification and public clients."""

import concurrent.futures
import csv
import datetime
import gzip
import re
import struct
import unittest
import xml.etree.ElementTree as ElementTree
import zlib
import zoneinfo

import requests

import harness

V2 = "/open311/v2"
YAML = {"Content-Type": "application/yaml"}

# A service with a question of each kind that Open311 can ask.
LAMP = """
id: street-light
title: {en: Street light, fr: Éclairage public}
help: {en: 'Lamps that are out <or> flicker & more', fr: Lampadaires éteints}
group: {en: Streets, fr: Rues}
keywords: [lamp, dark]
fields:
  - {id: place, label: {en: Where?, fr: 'Où ?'}, type: place, required: true}
  - id: fault
    label: {en: What is wrong?, fr: 'Quel est le problème ?'}
    type: choice
    required: true
    public: true
    choices: [{id: out, label: {en: It is out, fr: Il est éteint}}, {id: flickers, label: {en: It flickers, fr: Il clignote}}]
  - {id: seen, label: {en: Where from?, fr: 'D’où ?'}, type: choice, several: true, public: true, choices: [{id: street, label: {en: Street, fr: Rue}}, {id: home, label: {en: Home, fr: Maison}}]}
  - {id: since, label: {en: Since when?, fr: 'Depuis quand ?'}, help: {en: The day, fr: Le jour}, type: date, when: past}
  - {id: count, label: {en: How many?, fr: 'Combien ?'}, type: number, min: 1, max: 50, whole: true, public: true}
  - {id: number, label: {en: Number on the post, fr: Numéro}, type: text, maxLength: 12}
  - {id: story, label: {en: The story, fr: L’histoire}, type: text, lines: 3}
  - {id: why, label: {en: Why?, fr: 'Pourquoi ?'}, type: text, asked: {field: fault, is: flickers}, required: true}
  - {id: told, label: {en: May we tell you more?, fr: 'En savoir plus ?'}, type: consent, purpose: 'dpv:CommunicationManagement'}
  - {id: description, label: {en: What else?, fr: 'Quoi encore ?'}, type: text, lines: 4, maxLength: 1000, public: true}
departments: [{department: Lights}]
steps:
  - {id: new, title: {en: Received, fr: Reçu}, phase: open, next: [ordered, done, declined]}
  - {id: ordered, title: {en: Ordered, fr: Commandé}, phase: working, next: [done, declined]}
  - {id: done, title: {en: Mended, fr: Réparé}, phase: closed, done: true, next: [ordered]}
  - {id: declined, title: {en: Declined, fr: Refusé}, phase: closed, needsAnswer: true}
targets: [{answer: 1 days, close: 5 days}]
calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
notices:
  received:
    subject: {en: Thank you, fr: Merci}
    text: {en: '{service} {reference} has arrived in {municipality}: {link}', fr: '{service} {reference} : {link}'}
public: {when: atOnce, place: exact, photos: reviewed}
"""
# One that nobody sees before somebody has looked at it, is nowhere, and asks for no description.
PERMIT = """
id: permit
title: A permit
fields:
  - {id: plate, label: Plate, type: text, required: true, pattern: licencePlate}
departments: [{department: Parking}]
steps:
  - {id: new, title: Received, phase: open, next: [granted]}
  - {id: granted, title: Granted, phase: closed, done: true}
calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
public: {when: reviewed, place: hidden}
"""

# One whose photos are public at once, and whose place is not told exactly.
GRAFFITI = """
id: graffiti
title: Graffiti
fields:
  - {id: place, label: Where?, type: place, required: true}
  - {id: photos, label: Photos, type: photo, maxCount: 2}
departments: [{department: Cleaning}]
steps:
  - {id: new, title: Received, phase: open, next: [removed]}
  - {id: removed, title: Removed, phase: closed, done: true}
calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
public: {when: atOnce, place: {roundTo: 500}, photos: atOnce}
"""

# Names and types of the specification's example responses; None stands for what its JSON examples have null.
TEXT, MAYBE, FLAG, NUMBER = (str,), (str, type(None)), (bool,), (float, int, type(None))
SERVICE = {"service_code": TEXT, "service_name": TEXT, "description": MAYBE, "metadata": FLAG, "type": TEXT, "keywords": TEXT, "group": MAYBE}
ATTRIBUTE = {"variable": FLAG, "code": TEXT, "datatype": TEXT, "required": FLAG, "datatype_description": MAYBE, "order": (int,), "description": TEXT}
REQUEST = {
    "service_request_id": TEXT, "status": TEXT, "status_notes": MAYBE, "service_name": MAYBE, "service_code": MAYBE, "description": MAYBE,
    "agency_responsible": MAYBE, "service_notice": MAYBE, "requested_datetime": MAYBE, "updated_datetime": MAYBE, "expected_datetime": MAYBE, "address": MAYBE,
    "address_id": MAYBE, "zipcode": MAYBE, "lat": NUMBER, "long": NUMBER, "media_url": MAYBE}
UPDATE = {"update_id": TEXT, "service_request_id": TEXT, "status": TEXT, "updated_datetime": TEXT, "description": TEXT, "media_url": MAYBE}
W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
SINGULAR = {"services": "service", "attributes": "attribute", "values": "value", "service_requests": "request", "errors": "error", "endpoints": "endpoint",
            "formats": "format", "service_request_updates": "request_update", "photos": "photo", "answers": "answer", "value": "value"}


def as_elements(name, value):
    """A JSON answer in the XML that the Spark convention makes of it, as nested lists of names and texts."""
    if value is None:
        return [name, ""]
    if isinstance(value, bool):
        return [name, "true" if value else "false"]
    if isinstance(value, dict):
        return [name, [as_elements(key, member) for key, member in value.items()]]
    if isinstance(value, list):
        return [name, [as_elements(SINGULAR[name], element) for element in value] or ""]
    return [name, float(value) if isinstance(value, (int, float)) else value]


def elements(node, expected):
    """The same of parsed XML; numbers are compared as such where the JSON has them."""
    if len(node):
        return [node.tag, [elements(child, expected[1][index] if isinstance(expected[1], list) and index < len(expected[1]) else ["", ""])
                           for index, child in enumerate(node)]]
    return [node.tag, float(node.text) if isinstance(expected[1], float) else node.text or ""]


def png(width=64, height=48):
    """A red picture (PNG, third edition)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress((b"\0" + b"\xc8\x1e\x1e" * width) * height)) + chunk(b"IEND", b"")


class Open311Case(unittest.TestCase):
    open_access = False

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.data = cls.folder / "data"
        cls.conurb = harness.Conurb()
        assert cls.conurb.create_municipality(cls.data, "alder").returncode == 0
        cls.writer = cls.conurb.create_token(cls.data, "alder", "write")
        cls.reader = cls.conurb.create_token(cls.data, "alder", "read")
        cls.administrator = cls.conurb.create_token(cls.data, "alder", "administer")
        cls.server = harness.Server(cls.data, open_access=False, environment={"CONURB_SITE_TIME_ZONE": "Europe/Paris"})
        cls.enterClassContext(cls.server)
        for code, text in (("street-light", LAMP), ("permit", PERMIT), ("graffiti", GRAFFITI)):
            cls.put_service(code, text)

    @classmethod
    def put_service(cls, code, text, municipality="alder", token=None):
        answer = cls.server.request("PUT", f"/municipalities/{municipality}/services/{code}", token=token or cls.administrator, data=text.encode(), headers=YAML)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # What is asked in both formats, held against each other.

    def both(self, path, root, expected=200, **parameters):
        answer = self.server.get(f"{V2}/{path}.json", params=parameters)
        self.assertEqual(answer.status_code, expected, answer.text[:500])
        self.assertEqual(answer.headers["Content-Type"], "application/json; charset=utf-8")
        self.same_in_xml(answer.json(), self.server.get(f"{V2}/{path}.xml", params=parameters), root, expected)
        return answer.json()

    def same_in_xml(self, value, answer, root, status):
        self.assertEqual(answer.status_code, status, answer.text[:500])
        self.assertEqual(answer.headers["Content-Type"], "text/xml; charset=utf-8")
        self.assertTrue(answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>'))
        expected = as_elements(root, value)
        self.assertEqual(elements(ElementTree.fromstring(answer.content), expected), expected)

    def post(self, fields, suffix="json", status=201, path="requests", **options):
        answer = self.server.request("POST", f"{V2}/{path}.{suffix}", data=fields, **options)
        self.assertEqual(answer.status_code, status, answer.text[:800])
        return answer.json() if suffix == "json" else answer

    def file(self, **fields):
        report = {"service_code": "street-light", "lat": "43.61", "long": "3.87", "attribute[fault]": "out", "description": "It is dark"}
        return self.post({name: value for name, value in (report | fields).items() if value is not None})[0]["service_request_id"]

    def has_shape(self, members, shape):
        self.assertEqual(list(members), list(shape))
        for name, types in shape.items():
            self.assertIsInstance(members[name], types, name)

    def refused(self, answer, status, *mentions):
        self.assertEqual(answer.status_code, status, answer.text[:500])
        errors = answer.json()
        self.assertIsInstance(errors, list)
        for error in errors:
            self.has_shape(error, {"code": (int,), "description": TEXT})
        words = " | ".join(error["description"] for error in errors)
        for mention in mentions:
            self.assertIn(mention, words)
        return errors


class ServicesTest(Open311Case):
    def test_discovery_says_where_and_how(self):
        document = self.both("discovery", "discovery")
        self.assertEqual(list(document), ["changeset", "contact", "key_service", "endpoints"])
        self.assertTrue(document["contact"] and document["key_service"])
        [endpoint] = document["endpoints"]
        self.assertEqual(list(endpoint), ["specification", "url", "changeset", "type", "formats"])
        self.assertEqual(endpoint["specification"], "http://wiki.open311.org/GeoReport_v2")
        self.assertEqual(endpoint["url"], self.server.base + V2)
        self.assertEqual((endpoint["type"], endpoint["formats"]), ("production", ["text/xml", "application/json"]))
        self.assertRegex(document["changeset"], W3C)

    def test_the_changeset_grows_when_a_definition_changes(self):
        before = self.server.get(V2 + "/discovery.json").json()["changeset"]
        self.put_service("permit", PERMIT + "# changed\n")
        self.assertGreaterEqual(self.server.get(V2 + "/discovery.json").json()["changeset"], before)

    def test_services_are_listed(self):
        services = self.both("services", "services")
        for service in services:
            self.has_shape(service, SERVICE)
        lamp = next(service for service in services if service["service_code"] == "street-light")
        self.assertEqual(lamp, {"service_code": "street-light", "service_name": "Street light", "description": "Lamps that are out <or> flicker & more",
                                "metadata": True, "type": "realtime", "keywords": "lamp, dark", "group": "Streets"})

    def test_titles_are_in_the_language_that_is_asked_for(self):
        for language, name in (("fr", "Éclairage public"), ("fr-CA", "Éclairage public"), ("de", "Street light"), ("", "Street light")):
            with self.subTest(language=language):
                services = self.both("services", "services", lang=language)
                self.assertIn(name, [service["service_name"] for service in services])
        self.refused(self.server.get(V2 + "/services.json", params={"lang": "<fr>"}), 400, "lang")

    def test_a_definition_says_what_is_asked(self):
        definition = self.both("services/street-light", "service_definition")
        self.assertEqual(list(definition), ["service_code", "attributes"])
        self.assertEqual(definition["service_code"], "street-light")
        for attribute in definition["attributes"]:
            values = attribute.pop("values", [])
            self.has_shape(attribute, ATTRIBUTE)
            for value in values:
                self.has_shape(value, {"key": TEXT, "name": TEXT})
            self.assertEqual(bool(values), "valuelist" in attribute["datatype"])
        self.assertEqual([(each["code"], each["datatype"], each["required"], each["order"]) for each in definition["attributes"]], [
            ("fault", "singlevaluelist", True, 1), ("seen", "multivaluelist", False, 2), ("since", "datetime", False, 3), ("count", "number", False, 4),
            ("number", "string", False, 5), ("story", "text", False, 6), ("why", "string", False, 7), ("told", "singlevaluelist", False, 8)])
        french = self.both("services/street-light", "service_definition", lang="fr")["attributes"][0]
        self.assertEqual(french["values"], [{"key": "out", "name": "Il est éteint"}, {"key": "flickers", "name": "Il clignote"}])

    def test_what_is_not_there_is_404(self):
        for path, mention in (("services/nothing", "service_code"), ("requests/nothing", "service_request_id"), ("tokens/nothing", "token")):
            with self.subTest(path=path):
                errors = self.both(path, "errors", 404)
                self.assertEqual(errors[0]["code"], 404)
                self.assertIn(mention, errors[0]["description"])

    def test_a_path_without_a_format_is_answered_in_xml(self):
        answer = self.server.get(V2 + "/services/street-light")
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (404, "text/xml; charset=utf-8"))
        self.assertEqual(ElementTree.fromstring(answer.content).find("error/code").text, "404")

    def test_a_service_that_is_withdrawn_takes_nothing_more(self):
        self.put_service("short-lived", PERMIT.replace("id: permit", "id: short-lived"))
        self.assertEqual(self.server.request("DELETE", "/municipalities/alder/services/short-lived", token=self.administrator).status_code, 204)
        self.assertNotIn("short-lived", [service["service_code"] for service in self.both("services", "services")])
        self.both("services/short-lived", "errors", 404)
        self.refused(self.server.request("POST", V2 + "/requests.json", data={"service_code": "short-lived"}), 404, "service_code")


class AdministrationTest(Open311Case, harness.ProblemAssertions):
    def test_definitions_have_versions_and_errors_their_line_and_key(self):
        path = "/municipalities/alder/services/permit"
        put = lambda text, token=self.administrator: self.server.request("PUT", path, token=token, data=text.encode(), headers=YAML)
        first = put(PERMIT).json()["version"]
        self.assertEqual(put(PERMIT).json(), {"code": "permit", "version": first})
        self.assertEqual(put(PERMIT + "# more\n").json()["version"], first + 1)
        self.assertEqual(self.server.get(path, token=self.administrator).content.decode(), PERMIT + "# more\n")
        listed = self.server.get("/municipalities/alder/services", token=self.administrator).json()
        self.assertIn({"code": "permit", "version": first + 1, "offered": True}, listed)
        self.assert_problem(put(PERMIT.replace("type: text", "type: texts")), 400, mentions="line 5: fields[0].type")
        self.assert_problem(put(LAMP), 400, mentions="id:")
        self.assert_problem(put(PERMIT, self.writer), 403)
        self.assert_problem(put(PERMIT, None), 401)
        self.assert_problem(self.server.request("DELETE", "/municipalities/alder/services/nothing", token=self.administrator), 404)

    def test_a_municipality_may_take_requests_with_a_key_alone(self):
        path = "/municipalities/alder/open311"
        put = lambda body, token=self.administrator: self.server.request("PUT", path, token=token, json=body)
        self.assert_problem(put({"requiresKey": "yes"}), 400, mentions="requiresKey")
        self.assert_problem(put({"other": 1}), 400, mentions="other")
        self.assert_problem(put({"requiresKey": True}, self.writer), 403)
        self.assertEqual(put({"requiresKey": True, "contact": "call 311", "keyService": "write to us"}).status_code, 204)
        try:
            self.assertEqual(self.server.get(path, token=self.administrator).json(), {"requiresKey": True, "contact": "call 311", "keyService": "write to us"})
            document = self.both("discovery", "discovery", jurisdiction_id="alder")
            self.assertEqual((document["contact"], document["key_service"]), ("call 311", "write to us"))
            form = {"service_code": "street-light", "lat": "43.6", "long": "3.8", "attribute[fault]": "out"}
            ask = lambda more: self.server.request("POST", V2 + "/requests.json", data=form | more)
            self.refused(ask({}), 403, "api_key")
            self.refused(ask({"api_key": "nonsense"}), 403, "api_key")
            self.assertEqual(ask({"api_key": self.writer}).status_code, 201)
        finally:
            self.assertEqual(put({}).status_code, 204)


class FilingTest(Open311Case):
    def test_the_example_of_the_specification(self):
        """Its form, with the attributes of a service that is here, answered with its members."""
        form = ("api_key=&jurisdiction_id=alder&service_code=street-light&lat=43.61076524078&long=3.8712212043&address_string=1234+5th+street"
                "&email=smit333%40sfgov.edu&device_id=tt222111&account_id=123456&first_name=john&last_name=smith&phone=111111111"
                "&description=A+large+sinkhole+is+destroying+the+street&media_url=http%3A%2F%2Ffarm3.static.flickr.com%2F2002%2F2212426634_5ed477a060.jpg"
                "&attribute[fault]=out&attribute[number]=COISL001")
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = self.post(form, "xml", headers=headers)
        root = ElementTree.fromstring(answer.content)
        self.assertEqual([root.tag] + [child.tag for child in root], ["service_requests", "request"])
        self.assertEqual([child.tag for child in root[0]], ["service_request_id", "service_notice", "account_id"])
        [filed] = self.post(form, headers=headers)
        self.has_shape(filed, {"service_request_id": TEXT, "service_notice": MAYBE, "account_id": (type(None),)})
        shown = f"{filed['service_request_id'][:4]}-{filed['service_request_id'][4:]}"
        self.assertRegex(filed["service_notice"], rf"^Street light {shown} has arrived in alder: {self.server.base}/cases/alder\.\S+\.\S+$")
        [request] = self.both(f"requests/{filed['service_request_id']}", "service_requests")
        self.has_shape(request, REQUEST)
        for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
            self.assertRegex(request[name], W3C)
        self.assertEqual(request["requested_datetime"][-6:], datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Paris")).strftime("%z")[:3] + ":00")
        self.assertEqual({name: request[name] for name in ("status", "status_notes", "service_name", "service_code", "description", "agency_responsible", "address", "lat",
                                                           "long", "zipcode", "address_id")},
                         {"status": "open", "status_notes": None, "service_name": "Street light", "service_code": "street-light",
                          "description": "A large sinkhole is destroying the street", "agency_responsible": "Lights", "address": "1234 5th street",
                          "lat": 43.61076524078, "long": 3.8712212043, "zipcode": None, "address_id": None})

    def test_what_is_said_of_people_and_pictures_is_for_staff_alone(self):
        secrets = {"email": "jane@city.example", "first_name": "Jane", "last_name": "Secretive", "phone": "+33 4 67 00 00 00", "media_url": "https://pictures.example/x.jpg"}
        id = self.file(**secrets)
        for token in (None, self.writer):
            text = self.server.get(f"{V2}/requests/{id}.json", params={"extensions": "true", "api_key": token or ""}).text
            for secret in list(secrets.values()) + ["pictures.example"]:
                self.assertNotIn(secret, text)
        entities = {kind: self.server.get(f"{harness.NGSI_LD}/entities/urn:ngsi-ld:{kind}:{id}", params={"options": "keyValues"}, municipality="alder", token=self.writer).json()
                    for kind in ("ServiceRequestDossier", "ServiceRequestContact", "Open311ServiceRequest")}
        self.assertEqual(entities["ServiceRequestDossier"]["note"], "media_url: https://pictures.example/x.jpg")
        self.assertEqual(entities["ServiceRequestContact"]["name"], "Jane Secretive")
        self.assertEqual(entities["Open311ServiceRequest"]["channel"], "open311")

    def test_a_form_with_parts_and_json_say_the_same_as_a_form(self):
        form = {"service_code": "street-light", "lat": "43.61", "long": "3.87", "attribute[fault]": "flickers", "attribute[why]": "wind", "attribute[count]": "3",
                "attribute[since]": "2024-02-29T12:00:00Z", "attribute[told]": "yes", "description": "Line one\nline <two>"}
        pairs = list(form.items()) + [("attribute[seen][]", "street"), ("attribute[seen][]", "home")]
        document = {"service_code": "street-light", "lat": 43.61, "long": 3.87, "description": "Line one\nline <two>", "api_key": None,
                    "attribute": {"fault": "flickers", "why": "wind", "count": 3, "since": "2024-02-29", "told": True, "seen": ["street", "home"]}}
        ids = [self.post(pairs)[0]["service_request_id"],
               self.post(None, files=[(name, (None, value)) for name, value in pairs])[0]["service_request_id"],
               self.server.request("POST", V2 + "/requests.json", json=document).json()[0]["service_request_id"]]
        shown = [self.both(f"requests/{id}", "service_requests", extensions="true")[0] for id in ids]
        dossiers = [self.server.get(f"{harness.NGSI_LD}/entities/urn:ngsi-ld:ServiceRequestDossier:{id}", params={"options": "keyValues"}, municipality="alder",
                                    token=self.writer).json() for id in ids]
        self.assertEqual(shown[0]["extended_attributes"]["answers"],
                         [{"code": "fault", "value": ["flickers"]}, {"code": "seen", "value": ["street", "home"]}, {"code": "count", "value": 3}])
        for each in shown:
            self.assertEqual({name: each[name] for name in ("description", "lat", "long")}, {"description": "Line one\nline <two>", "lat": 43.61, "long": 3.87})
            self.assertEqual(each["extended_attributes"]["answers"], shown[0]["extended_attributes"]["answers"])
        for each in dossiers:
            self.assertEqual(each["answers"], {"since": "2024-02-29", "why": "wind", "told": True})

    def test_everything_that_is_wrong_is_told_at_once(self):
        form = {"service_code": "street-light", "lat": "91", "long": "east", "email": "nobody", "phone": "call me", "attribute[fault]": "exploded", "attribute[count]": "1.5",
                "attribute[since]": "2999-01-01", "attribute[number]": "x" * 13, "attribute[none]": "?", "description": "y" * 4001, "first_name": "z" * 201}
        self.refused(self.server.request("POST", V2 + "/requests.json", data=form), 400, "lat ", "long ", "email", "phone", "attribute[fault]", "attribute[count]",
                     "attribute[since]", "attribute[number]", "attribute[none]", "description", "first_name")
        answer = self.post(form, "xml", 400)
        self.assertGreaterEqual(len(ElementTree.fromstring(answer.content).findall("error")), 10)

    def test_each_fault_names_its_parameter(self):
        good = {"service_code": "street-light", "lat": "43.6", "long": "3.8", "attribute[fault]": "out"}
        for change, status, mention in (
                ({"service_code": None}, 400, "service_code"), ({"service_code": "nothing"}, 404, "service_code"), ({"service_code": "street-light@1"}, 404, "service_code"),
                ({"jurisdiction_id": "elsewhere"}, 404, "jurisdiction_id"), ({"jurisdiction_id": "../x"}, 404, "jurisdiction_id"),
                ({"lat": None}, 400, "lat, long"), ({"lat": None, "long": None}, 400, "address_string"), ({"lat": None, "long": None, "address_id": "7"}, 400, "address_id"),
                ({"lat": "nan"}, 400, "lat"), ({"attribute[fault]": None}, 400, "attribute[fault]"), ({"attribute[fault]": "flickers"}, 400, "attribute[why]"),
                ({"api_key": "nonsense"}, 403, "api_key"), ({"api_key": self.reader}, 403, "api_key"), ({"lang": "12345678901234567890123456789012345x"}, 400, "lang"),
                ({"description": "a\x00b"}, 400, "description"), ({"address_string": "x" * 301}, 400, "address_string"), ({"media_url": "x" * 2001}, 400, "media_url")):
            with self.subTest(change=change):
                form = {name: value for name, value in (good | change).items() if value is not None}
                self.refused(self.server.request("POST", V2 + "/requests.json", data=form), status, mention)

    def test_bodies_that_are_none_are_refused(self):
        post = lambda body, kind: self.server.request("POST", V2 + "/requests.json", data=body, headers={"Content-Type": kind} if kind else {})
        for body, kind, code, mention in (
                (b"", "application/json", 400, "JSON"), (b"{", "application/json", 400, "JSON"), (b"[]", "application/json", 400, "JSON"),
                (b'{"service_code": {"a": 1}}', "application/json", 400, "service_code"), (b'{"attribute": {"seen": [["x"]]}}', "application/json", 400, "attribute[seen]"),
                (b"service_code=%FF", "application/x-www-form-urlencoded", 400, "UTF-8"), (b"\xff", "application/x-www-form-urlencoded", 400, "UTF-8"),
                (b"x", "text/plain", 415, "Content-Type"), (b"x", "multipart/form-data", 415, "Content-Type"), (b"x", "multipart/form-data; boundary=b", 400, "form"),
                (b"a=" + b"x" * 1_000_001, "application/x-www-form-urlencoded", 413, "1000000"), (b"&a=1" * 101, "application/x-www-form-urlencoded", 400, "100")):
            with self.subTest(body=body[:40], kind=kind):
                errors = self.refused(post(body, kind), 400, mention)
                self.assertEqual(errors[0]["code"], code)

    def test_an_address_is_a_place_too(self):
        id = self.file(lat=None, long=None, address_string="12 rue de la Loge")
        [request] = self.both(f"requests/{id}", "service_requests")
        self.assertEqual((request["address"], request["lat"], request["long"]), ("12 rue de la Loge", None, None))

    def test_photos_are_not_lost_in_silence(self):
        answer = self.server.request("POST", V2 + "/requests.json", data={"service_code": "permit", "attribute[plate]": "AB-123-CD"}, files={"media": b"\xff\xd8\xff"})
        self.refused(answer, 400, "media")

    def test_a_photo_is_made_safe_and_its_address_answered(self):
        form = {"service_code": "graffiti", "lat": "43.6108", "long": "3.8767", "address_string": "12 rue Foch", "jurisdiction_id": "alder"}
        picture = png()
        filed = self.post(form, files=[("media", ("a.png", picture, "image/png")), ("media", ("b.png", picture, "image/png"))])
        [request] = self.both(f"requests/{filed[0]['service_request_id']}", "service_requests", extensions="true")
        photo = requests.get(request["media_url"], timeout=30)
        self.assertEqual((photo.status_code, photo.headers["Content-Type"], photo.content[:3]), (200, "image/jpeg", b"\xff\xd8\xff"))
        self.assertEqual(len(request["extended_attributes"]["photos"]), 2)
        self.assertIsNone(request["address"], "an address tells what the place does not")
        self.assertNotEqual((request["lat"], request["long"]), (43.6108, 3.8767))
        for files, mention in (([("media", ("a.png", picture[:60], "image/png"))], "media"), ([("media", ("a.jpg", b"<svg onload=alert(1)>", "image/jpeg"))], "media"),
                               ([("media", (f"{n}.png", picture, "image/png")) for n in range(3)], "media")):
            self.refused(self.server.request("POST", V2 + "/requests.json", data=form, files=files), 400, mention)

    def test_a_service_that_is_nowhere_needs_no_place(self):
        filed = self.post({"service_code": "permit", "attribute[plate]": "AB-123-CD", "description": "Soon please", "lat": "43.6", "long": "3.8"})
        self.assertIsNone(filed[0]["service_notice"])
        dossier = self.server.get(f"{harness.NGSI_LD}/entities/urn:ngsi-ld:ServiceRequestDossier:{filed[0]['service_request_id']}", params={"options": "keyValues"},
                                  municipality="alder", token=self.writer).json()
        self.assertEqual((dossier["note"], dossier["answers"]), ("Soon please", {"plate": "AB-123-CD"}))

    def test_what_is_not_public_is_not_there(self):
        form = {"service_code": "permit", "attribute[plate]": "AB-123-CD"}
        [filed] = self.post(form | {"api_key": self.writer, "extensions": "true"})
        id = filed["service_request_id"]
        self.assertTrue(filed["link"].startswith(f"{self.server.base}/cases/alder.{id}."))
        self.both(f"requests/{id}", "errors", 404)
        self.both(f"tokens/{id}", "errors", 404)
        self.assertEqual(self.both("requests", "service_requests", service_request_id=id), [])
        self.assertNotIn(id, [each["service_request_id"] for each in self.both("requests", "service_requests", service_code="permit")])
        for token, key in ((self.reader, None), (None, self.reader)):
            answer = self.server.get(f"{V2}/requests/{id}.json", token=token, params={"api_key": key or ""})
            self.assertEqual(answer.json()[0]["service_request_id"], id)
        self.refused(self.server.get(f"{V2}/requests/{id}.json", params={"api_key": "nonsense"}), 403, "api_key")

    def test_an_identifier_is_the_token_of_itself(self):
        id = self.file()
        self.assertEqual(self.both(f"tokens/{id}", "service_requests"), [{"service_request_id": id, "token": id}])


class ListingTest(Open311Case):
    """Requests at known moments, in and beside what is asked for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        entities = []
        for number in range(260):
            moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=8 * number)
            is_closed = number % 3 == 0
            entity = {"id": f"urn:ngsi-ld:Open311ServiceRequest:elsewhere:{number}", "type": "Open311ServiceRequest",
                      "service_request_id": {"type": "Property", "value": 900000 + number if number % 2 else str(900000 + number)},
                      "service_code": {"type": "Property", "value": f"code-{number % 4}"}, "status": {"type": "Property", "value": "closed" if is_closed else "open"},
                      "requested_datetime": {"type": "Property", "value": {"@type": "DateTime", "@value": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}},
                      "zipcode": {"type": "Property", "value": "02108"}, "address_string": {"type": "Property", "value": f"{number} Main St"},
                      "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.8 + number / 1000, 43.6]}}}
            if is_closed:
                entity["updated_datetime"] = {"type": "Property", "value": {"@type": "DateTime", "@value": (moment + datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")}}
            entities.append(entity)
        made = cls.server.request("POST", harness.NGSI_LD + "/entityOperations/create", municipality="alder", token=cls.administrator, json=entities)
        assert made.status_code == 201, made.text[:500]

    SPAN = {"start_date": "2024-01-01T00:00:00Z", "end_date": "2024-03-28T00:00:00Z"}

    def numbers(self, **parameters):
        return [int(each["service_request_id"]) - 900000 for each in self.both("requests", "service_requests", api_key=self.reader, **parameters)]

    def test_what_is_internal_is_in_no_list(self):
        self.assertEqual(self.both("requests", "service_requests", **self.SPAN), [])
        self.both("requests/900003", "errors", 404)

    def test_what_a_source_brought_is_answered_too(self):
        [request] = self.both("requests/900003", "service_requests", api_key=self.reader)
        self.has_shape(request, REQUEST)
        self.assertEqual((request["service_request_id"], request["status"], request["requested_datetime"], request["updated_datetime"], request["address"], request["zipcode"],
                          request["lat"], request["long"]),
                         ("900003", "closed", "2024-01-02T01:00:00+01:00", "2024-02-01T01:00:00+01:00", "3 Main St", "02108", 43.6, 3.803))
        [request] = self.both("requests/900004", "service_requests", api_key=self.reader)
        self.assertEqual(request["updated_datetime"], request["requested_datetime"])

    def test_the_span_has_both_its_ends_and_the_newest_come_first(self):
        expected = [number for number in range(260) if 0 <= number * 8 <= 87 * 24]
        self.assertEqual(self.numbers(**self.SPAN), expected[::-1])
        self.assertEqual(self.numbers(start_date="2024-01-01T08:00:00Z", end_date="2024-01-01T16:00:00Z"), [2, 1])
        self.assertEqual(self.numbers(start_date="2024-01-01T09:00:00+01:00", end_date="2024-01-01T15:59:59Z"), [1])

    def test_a_span_with_one_end_has_90_days(self):
        self.assertEqual(self.numbers(start_date="2024-01-01T00:00:00Z"), list(range(259, -1, -1)))
        self.assertEqual(self.numbers(end_date="2024-01-01T08:00:00Z"), [1, 0])
        self.assertEqual(self.numbers(), [])

    def test_requests_are_narrowed_by_service_and_status(self):
        self.assertEqual(self.numbers(**self.SPAN, service_code="code-1"), [n for n in range(259, -1, -1) if n % 4 == 1])
        self.assertEqual(self.numbers(**self.SPAN, service_code="code-1, code-3,nothing"), [n for n in range(259, -1, -1) if n % 2 == 1])
        self.assertEqual(self.numbers(**self.SPAN, status="closed"), [n for n in range(259, -1, -1) if n % 3 == 0])
        self.assertEqual(self.numbers(**self.SPAN, status="open", service_code="code-0"), [n for n in range(259, -1, -1) if n % 3 and n % 4 == 0])
        self.assertEqual(len(self.numbers(**self.SPAN, status="open,closed")), 260)

    def test_pages_are_parts_of_the_list(self):
        whole = self.numbers(**self.SPAN)
        for size in (1, 7, 100, 1000):
            with self.subTest(size=size):
                pages = [self.numbers(**self.SPAN, page_size=size, page=page) for page in range(1, 4)]
                self.assertEqual(sum(pages, []), whole[:3 * size])
        self.assertEqual(self.numbers(**self.SPAN, page=300, page_size=1), [])

    def test_identifiers_override_everything_else(self):
        ids = "900007,900002,nothing,900002"
        self.assertEqual(self.numbers(service_request_id=ids, status="nonsense", start_date="never", page_size="0"), [7, 2])

    def test_references_may_be_written_as_people_write_them(self):
        id = self.file()
        written = f"{id[:4].lower()}-{id[4:].lower()}"
        self.assertEqual([each["service_request_id"] for each in self.both("requests", "service_requests", service_request_id=written)], [id])

    def test_requests_near_a_point_are_found(self):
        near = self.numbers(**self.SPAN, lat="43.6", long="3.85", radius="250")
        self.assertEqual(near, [53, 52, 51, 50, 49, 48, 47])
        self.assertEqual(len(self.numbers(**self.SPAN, lat="43.6", long="3.85")), 25)
        self.assertEqual(self.numbers(**self.SPAN, lat="0", long="0", radius="50000"), [])

    def test_requests_are_found_by_when_they_changed(self):
        changed = [n for n in range(259, -1, -1) if n % 3 == 0 and 10 * 24 <= 8 * n <= 20 * 24]
        span = {"updated_after": "2024-02-10T00:00:00Z", "updated_before": "2024-02-20T00:00:00Z"}
        self.assertEqual(self.numbers(**span), changed)
        self.assertEqual(self.numbers(**span, start_date="2024-01-01", end_date="2024-01-15T00:00:00Z"), [n for n in changed if 8 * n <= 14 * 24])
        self.assertEqual(self.numbers(**span, page=2, page_size=4), changed[4:8])

    def test_each_bad_parameter_is_named(self):
        for parameters, mention in (
                ({"start_date": "yesterday"}, "start_date"), ({"end_date": "2024-13-01T00:00:00Z"}, "end_date"),
                ({"start_date": "2024-02-01T00:00:00Z", "end_date": "2024-01-01T00:00:00Z"}, "start_date, end_date"),
                ({"start_date": "2024-01-01T00:00:00Z", "end_date": "2024-03-31T00:00:01Z"}, "90 days"), ({"status": "new"}, "status"), ({"page": "0"}, "page"),
                ({"page_size": "1001"}, "page_size"), ({"page_size": "many"}, "page_size"), ({"page": "101", "page_size": "1000"}, "page"), ({"lat": "1"}, "lat, long"),
                ({"radius": "5"}, "lat, long"), ({"lat": "1", "long": "181"}, "long"), ({"lat": "1", "long": "1", "radius": "50001"}, "radius"),
                ({"updated_after": "x"}, "updated_after"), ({"service_code": ",".join(["x"] * 201)}, "service_code"), ({"service_request_id": ",".join(["1"] * 201)}, "service_request_id"),
                ({"service_request_id": "x" * 201}, "service_request_id"),
                ({"updated_after": "2024-02-01T00:00:00Z", "updated_before": "2024-01-01T00:00:00Z"}, "updated_after")):
            with self.subTest(parameters={name: value[:30] for name, value in parameters.items()}):
                errors = self.both("requests", "errors", 400, **parameters)
                self.assertIn(mention, errors[0]["description"])
        self.assertEqual(len(self.numbers(start_date="2024-01-01T00:00:00Z", end_date="2024-03-31T00:00:00Z")), 260, "90 days are not too many")


class UpdatesTest(Open311Case):
    def updates(self, id):
        return self.both("servicerequestupdates", "service_request_updates", service_request_id=id)

    def test_what_is_said_comes_back(self):
        """The form that FixMyStreet posts (Open311.pm), and the elements that it reads."""
        id = self.file()
        self.assertEqual(self.updates(id), [], "that it was reported is no update")
        form = {"api_key": self.writer, "jurisdiction_id": "alder", "update_id": "38362", "updated_datetime": "2024-01-01T10:00:00+01:00", "service_request_id": id,
                "service_request_id_ext": "80", "status": "OPEN", "email": "test@example.com", "description": "A crew is on its way", "last_name": "User", "title": "Mr",
                "public_anonymity_required": "FALSE", "media_url": ""}
        answer = self.post(form, "xml", path="servicerequestupdates")
        root = ElementTree.fromstring(answer.content)
        self.assertEqual((root.tag, root[0].tag, root[0][0].tag), ("service_request_updates", "request_update", "update_id"))
        [said] = self.updates(id)
        self.has_shape(said, UPDATE)
        self.assertEqual((said["update_id"], said["service_request_id"], said["status"], said["description"]), (root[0][0].text, id, "OPEN", "A crew is on its way"))
        self.assertRegex(said["updated_datetime"], W3C)
        self.assertEqual(self.both(f"requests/{id}", "service_requests")[0]["status_notes"], "A crew is on its way")

    def test_a_status_brings_a_request_into_a_step_of_its_service(self):
        id = self.file()
        self.say(id, "in_progress", None)
        self.say(id, "CLOSED", "It shines again")
        [request] = self.both(f"requests/{id}", "service_requests", extensions="true", lang="fr")
        self.assertEqual((request["status"], request["status_notes"], request["service_name"]), ("closed", "It shines again", "Éclairage public"))
        self.assertEqual((request["extended_attributes"]["step"], request["extended_attributes"]["step_name"]), ("done", "Réparé"))
        self.say(id, "OPEN", "It is dark again")
        self.assertEqual([(each["status"], each["description"]) for each in self.updates(id)],
                         [("OPEN", "Ordered"), ("CLOSED", "It shines again"), ("OPEN", "It is dark again")])
        french = self.both("servicerequestupdates", "service_request_updates", service_request_id=id, lang="fr")
        self.assertEqual(french[0]["description"], "Commandé")
        self.assertEqual(len({each["update_id"] for each in french}), 3)

    def say(self, id, status, description, expected=201):
        form = {"api_key": self.writer, "service_request_id": id, "status": status, "description": description}
        answer = self.server.request("POST", V2 + "/servicerequestupdates.json", data={name: value for name, value in form.items() if value is not None})
        self.assertEqual(answer.status_code, expected, answer.text)
        return answer

    def test_what_can_not_be_done_is_refused(self):
        id = self.file()
        self.refused(self.say(id, "duplicate", None, 400), 400, "description")
        self.say(id, "duplicate", "Known since Monday")
        self.refused(self.say(id, "OPEN", "again", 400), 400, "status")
        self.refused(self.say(id, "CLOSED", None, 400), 400, "description, status")
        self.refused(self.say(id, "nonsense", None, 400), 400, "status")
        self.refused(self.say("nothing", "OPEN", "x", 404), 404, "service_request_id")
        self.refused(self.say("ZZZZZZZZ", "OPEN", "x", 404), 404, "service_request_id")
        self.refused(self.say(id, "OPEN", "x" * 4001, 400), 400, "description")

    def test_what_is_sent_twice_is_said_once(self):
        id, other = self.file(), self.file(lat="43.7")
        self.say(id, "in_progress", None)
        form = {"api_key": self.writer, "service_request_id": id, "status": "CLOSED", "description": "It shines again", "update_id": "fms-7"}
        post = lambda more={}: self.post(form | more, path="servicerequestupdates")[0]["update_id"]
        first = post()
        self.say(id, "OPEN", "It is dark again")
        self.assertEqual(post(), first, "what it led to is over by now, and is not done again")
        self.assertEqual(post({"status": "nonsense", "description": "other words"}), first)
        self.assertEqual([each["description"] for each in self.updates(id)], ["Ordered", "It shines again", "It is dark again"])
        self.assertEqual(self.updates(id)[1]["update_id"], first)
        self.assertNotEqual(post({"update_id": "fms-8"}), first)
        elsewhere = post({"service_request_id": other})
        self.assertNotEqual(elsewhere, first, "the name is one of the request")
        extended = form | {"update_id_ext": "fms-9", "description": "By the other name", "status": ""}
        del extended["update_id"]
        self.assertEqual(len({self.post(extended, path="servicerequestupdates")[0]["update_id"] for _ in range(3)}), 1)
        long = self.server.request("POST", V2 + "/servicerequestupdates.json", data=form | {"update_id": "x" * 201})
        self.refused(long, 400, "update_id")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            same = {"description": "At once", "status": "", "update_id": "fms-10"}
            self.assertEqual(len(set(pool.map(lambda _: post(same), range(8)))), 1)
        self.assertEqual([each["description"] for each in self.updates(id)].count("At once"), 1)

    def test_a_request_that_a_source_brought_has_updates_too(self):
        def value(text):
            return {"type": "Property", "value": text}

        def brought(number, **members):
            return {"id": f"urn:ngsi-ld:Open311ServiceRequest:elsewhere:{number}", "type": "Open311ServiceRequest", "service_request_id": value(f"E-{number}"),
                    "service_code": value("pothole"), "requested_datetime": value("2024-01-01T00:00:00Z")} | {name: value(text) for name, text in members.items()}

        made = self.server.request("POST", harness.NGSI_LD + "/entityOperations/create", municipality="alder", token=self.administrator,
                                   json=[brought(1, status="open"), brought(2, status="closed", status_notes="Filled")])
        self.assertEqual(made.status_code, 201, made.text[:500])
        updates = lambda id: [(each["status"], each["description"]) for each in self.both("servicerequestupdates", "service_request_updates", service_request_id=id, api_key=self.reader)]
        self.assertEqual((updates("E-1"), updates("E-2")), ([], [("CLOSED", "Filled")]))
        self.say("E-1", None, "A crew looks at it")
        self.refused(self.say("E-1", "IN_PROGRESS", None, 400), 400, "description, status")
        self.say("E-1", "FIXED", "Filled on Monday")
        self.refused(self.say("E-1", "ordered", "x", 400), 400, "status")
        self.assertEqual(updates("E-1"), [("OPEN", "A crew looks at it"), ("CLOSED", "Filled on Monday")])
        [request] = self.both("requests/E-1", "service_requests", api_key=self.reader)
        self.assertEqual((request["status"], request["status_notes"]), ("closed", "Filled on Monday"))
        form = {"api_key": self.writer, "service_request_id": "E-1", "status": "OPEN", "description": "Again", "update_id": "7"}
        self.assertEqual(len({self.post(form, path="servicerequestupdates")[0]["update_id"] for _ in range(2)}), 1)
        self.assertEqual(len(updates("E-1")), 3)
        self.refused(self.server.request("POST", V2 + "/servicerequestupdates.json", data=form, files={"media": png()}), 400, "media")

    def test_only_a_key_that_may_write_says_something(self):
        id = self.file()
        for key in (None, self.reader, "nonsense"):
            form = {"service_request_id": id, "description": "x"} | ({"api_key": key} if key else {})
            self.refused(self.server.request("POST", V2 + "/servicerequestupdates.json", data=form), 403, "api_key")
        self.assertEqual(self.updates(id), [])
        answer = self.server.request("POST", V2 + "/servicerequestupdates.json", data={"service_request_id": id, "description": "by header"}, token=self.writer)
        self.assertEqual(answer.status_code, 201)

    def test_updates_of_a_span_of_time(self):
        id = self.file()
        self.say(id, "OPEN", "now")
        [said] = self.updates(id)
        everything = self.both("servicerequestupdates", "service_request_updates")
        self.assertIn(said, everything)
        self.assertEqual(everything, sorted(everything, key=lambda each: int(each["update_id"].split("-")[1])))
        self.assertEqual(self.both("servicerequestupdates", "service_request_updates", start_date="2020-01-01T00:00:00Z", end_date="2020-01-31T00:00:00Z"), [])
        for parameters, mention in (({"start_date": "2020-01-01T00:00:00Z", "end_date": "2020-02-02T00:00:00Z"}, "31 days"), ({"start_date": "x"}, "start_date")):
            self.assertIn(mention, self.both("servicerequestupdates", "errors", 400, **parameters)[0]["description"])

    def test_notes_of_staff_and_what_is_not_public_stay_inside(self):
        [filed] = self.post({"service_code": "permit", "attribute[plate]": "AB-123-CD"})
        self.say(filed["service_request_id"], "closed", "granted to AB-123-CD")
        self.assertEqual(self.updates(filed["service_request_id"]), [])
        self.assertNotIn("AB-123-CD", self.server.get(V2 + "/servicerequestupdates.json").text)
        seen = self.server.get(V2 + "/servicerequestupdates.json", params={"api_key": self.reader, "service_request_id": filed["service_request_id"]}).json()
        self.assertEqual([(each["status"], each["description"]) for each in seen], [("CLOSED", "granted to AB-123-CD")])


class JurisdictionTest(Open311Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.conurb.create_municipality(cls.data, "birch").returncode == 0
        cls.put_service("street-light", LAMP, "birch", cls.conurb.create_token(cls.data, "birch", "administer"))

    def test_each_of_several_has_to_be_named(self):
        for path in ("services", "services/street-light", "requests", "requests/900001", "tokens/1", "servicerequestupdates"):
            with self.subTest(path=path):
                self.assertIn("jurisdiction_id", self.both(path, "errors", 400)[0]["description"])
                self.assertIn("jurisdiction_id", self.both(path, "errors", 404, jurisdiction_id="cedar")[0]["description"])
        self.refused(self.server.request("POST", V2 + "/requests.json", data={"service_code": "street-light"}), 400, "jurisdiction_id")

    def test_requests_stay_where_they_were_filed(self):
        id = self.file(jurisdiction_id="birch")
        self.assertEqual(self.both(f"requests/{id}", "service_requests", jurisdiction_id="birch")[0]["service_request_id"], id)
        self.both(f"requests/{id}", "errors", 404, jurisdiction_id="alder")
        self.assertEqual(self.both("requests", "service_requests", jurisdiction_id="alder", service_request_id=id), [])

    def test_a_key_of_another_municipality_opens_nothing(self):
        form = {"service_code": "street-light", "lat": "43.6", "long": "3.8", "attribute[fault]": "out", "jurisdiction_id": "birch", "api_key": self.writer}
        self.refused(self.server.request("POST", V2 + "/requests.json", data=form), 403, "api_key")


class BostonTest(Open311Case):
    """58,251 requests of half a year that a source brought, held against the file itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = harness.SHARED_DATA / "service-requests-boston-2011" / "boston-311-service-requests-2011.csv.gz"
        if not file.is_file():
            raise unittest.SkipTest(f"{file} is not there")
        data = cls.folder / "boston"
        assert cls.conurb.create_municipality(data, "boston").returncode == 0
        done = cls.conurb.import_files(data, "boston", harness.PROJECT / "examples" / "sources" / "boston-311-2011.yaml", file)
        assert done.returncode in (0, 2), done.stderr[-2000:]
        cls.server = harness.Server(data, open_access=False, environment={"CONURB_SITE_TIME_ZONE": "America/New_York"})
        cls.enterClassContext(cls.server)
        zone = zoneinfo.ZoneInfo("America/New_York")
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            cls.rows = [(datetime.datetime.strptime(row["open_dt"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone), row) for row in csv.DictReader(lines)]

    def page(self, number, **parameters):
        answer = self.server.get(V2 + "/requests.json", params=parameters | {"page": number}, timeout=120)
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        return answer.json()

    def whole(self, **parameters):
        found, number = [], 1
        while page := self.page(number, **parameters):
            found, number = found + page, number + 1
        return found

    def between(self, span):
        """The moments and identifiers of the file within a span, the newest first."""
        begin, end = (datetime.datetime.fromisoformat(text) for text in span.values())
        return sorted(((moment, row["case_enquiry_id"]) for moment, row in self.rows if begin <= moment <= end), reverse=True)

    @staticmethod
    def moments(requests):
        return [datetime.datetime.fromisoformat(each["requested_datetime"]) for each in requests]

    def test_a_span_may_hold_more_than_can_be_sorted_at_once(self):
        span = {"start_date": "2011-07-01T00:00:00-04:00", "end_date": "2011-09-28T23:59:59-04:00"}
        expected = [moment for moment, _ in self.between(span)]
        self.assertGreater(len(expected), 20_000)
        for number in (1, 2, 21):
            self.assertEqual(self.moments(self.page(number, **span)), expected[1000 * (number - 1):1000 * number], f"page {number}")
        self.assertEqual(self.page(len(expected) // 1000 + 2, **span), [])

    def test_a_list_is_whole(self):
        span = {"start_date": "2011-08-01T00:00:00-04:00", "end_date": "2011-08-14T23:59:59-04:00"}
        expected, found = self.between(span), self.whole(**span, page_size=700)
        self.assertEqual(self.moments(found), [moment for moment, _ in expected])
        self.assertEqual(sorted(each["service_request_id"] for each in found), sorted(id for _, id in expected))

    def test_figures_of_a_service_are_those_of_the_file(self):
        span = {"start_date": "2011-10-01T00:00:00-04:00", "end_date": "2011-10-31T23:59:59-04:00"}
        begin, end = (datetime.datetime.fromisoformat(text) for text in span.values())
        kind = "Street Light Outages"
        code = self.page(1, service_request_id=next(row["case_enquiry_id"] for _, row in self.rows if row["type"] == kind))[0]["service_code"]
        for status in ("open", "closed"):
            expected = {row["case_enquiry_id"] for moment, row in self.rows
                        if begin <= moment <= end and row["type"] == kind and row["case_status"].lower() == status}
            found = self.whole(**span, service_code=code, status=status)
            self.assertEqual({each["service_request_id"] for each in found}, expected)
            for each in found:
                self.has_shape(each, REQUEST)

    def test_a_single_request_has_what_its_row_has(self):
        moment, row = self.rows[12_345]
        [request] = self.both(f"requests/{row['case_enquiry_id']}", "service_requests")
        self.assertEqual(datetime.datetime.fromisoformat(request["requested_datetime"]), moment)
        self.assertEqual((request["service_name"], request["status"], request["zipcode"] or ""), (row["type"], row["case_status"].lower(), row["location_zipcode"]))


class ClientTest(Open311Case):
    """`georeport` of PyPI, a public client, as it is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            import georeport
        except ImportError:
            raise unittest.SkipTest("the package georeport is not installed")
        cls.client = {kind: georeport.GeoReport(cls.server.base + V2, jurisdiction="alder", output_format=kind) for kind in ("json", "xml")}

    def test_it_reads_what_is_here(self):
        first, second = self.file(description="One"), self.file(description="Two <&>")
        for kind, client in self.client.items():
            with self.subTest(kind=kind):
                self.assertEqual({each["service_code"] for each in client.get_service_list()}, {"street-light", "permit", "graffiti"})
                self.assertEqual(client.get_service_definition("street-light")["service_code"], "street-light")
                self.assertEqual(client.get_service_request(second)["description"], "Two <&>")
                found = client.get_service_requests(service_request_id=f"{first},{second}")
                self.assertEqual([each["description"] for each in found], ["One", "Two <&>"])
                found = client.get_service_requests(service_code="street-light", status="open", start_date=self.moment(-1), end_date=self.moment(1))
                self.assertEqual({each["service_request_id"] for each in found}, {first, second})
                with self.assertRaises(requests.HTTPError):
                    client.get_service_request("nothing")

    @staticmethod
    def moment(hours):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    harness.main()
