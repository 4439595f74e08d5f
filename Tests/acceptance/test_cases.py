"""Residents report, staff answer, and everybody who follows a case is told: by forms that work without scripts."""

import email
import email.policy
import html
import io
import json
import os
import pathlib
import re
import socketserver
import struct
import threading
import time
import unittest
import xml.etree.ElementTree
import zlib

import aiosmtpd.controller
import requests

import harness
from test_sign_in import SignInCase, Visitor

SERVICES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "services"
PLACE = (43.6108, 3.8767)


def png(width=64, height=48, colour=(200, 30, 30)):
    """A picture, written by hand (PNG, third edition)."""
    row = b"\0" + bytes(colour) * width

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")


class CaseCase(SignInCase):
    """A municipality with the example services, and somebody of a department."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.conurb.create_token(cls.data, "alder", "administer")
        for file in sorted(SERVICES.glob("*.yaml")):
            cls.put_service(file.stem, file.read_text())
        cls.clerk = cls.new_member("clerk", "owner-department")

    @classmethod
    def put_service(cls, code, text, expected=200):
        answer = cls.server.request(
            "PUT", f"/municipalities/alder/services/{code}", token=cls.token, data=text.encode(), headers={"Content-Type": "application/yaml"})
        assert answer.status_code == expected, answer.text
        return answer

    @classmethod
    def put_open(cls, entities, name="open"):
        """What a source of open data brings: entities as NGSI-LD writes them."""
        source, file = cls.folder / f"{name}.yaml", cls.folder / f"{name}.json"
        source.write_text(
            f"id: {name}\ntitle: {name}\nsteward: City\nlicence: {{name: none, url: 'https://example.org/none'}}\nattribution: City\nclassification: open\n"
            "format: ngsi-ld\n")
        file.write_text(json.dumps(entities))
        done = cls.conurb.import_files(cls.data, "alder", source, file)
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    def wait_for_place(cls, name):
        """Until a place can be found by its name: what there is to find is kept for some seconds."""
        deadline = time.monotonic() + 60
        while not requests.get(f"{cls.server.base}/live/search", params={"q": name}, timeout=30).json()["results"]:
            assert time.monotonic() < deadline, f"{name} is not found"
            time.sleep(0.1)

    @classmethod
    def new_member(cls, login, role):
        done = cls.conurb.run("account", "add", login, "--role", role, "--data", cls.data, "--municipality", "alder")
        assert done.returncode == 0, done.stderr
        visitor = Visitor(cls.server.base)
        answer = visitor.set_up(re.sub(r"^http://[^/]+", "", done.stdout.strip()))
        assert answer.status_code == 303, answer.text[:2000]
        return visitor

    # What a browser without scripts does

    def fill(self, visitor, code, fields, photos=(), **extra):
        """Sends the form of a service as it stands on its page, with some answers."""
        page = visitor.get(f"/services/{code}?municipality=alder").text
        token = re.search(r'name="form" value="([^"]*)"', page).group(1)
        return self.send(visitor, code, {"form": token, "municipality": "alder"} | fields | extra, photos)

    def send(self, visitor, code, fields, photos=()):
        parts = []
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                parts.append((name, (None, one)))
        parts += [(name, (file_name, data, kind)) for name, file_name, data, kind in photos]
        return visitor.session.post(
            f"{visitor.base}/services/{code}", files=parts, headers={"Origin": visitor.base}, allow_redirects=False, timeout=60)

    def report(self, visitor=None, code="pothole", photos=(), place=PLACE, **answers):
        """Files a report that is whole. The path of its private page."""
        visitor = visitor or self.visitor()
        fields = self.whole(code, place) | answers
        answer = self.fill(visitor, code, fields, photos, confirmed="yes")
        self.assertEqual(answer.status_code, 303, html.unescape(re.sub(r"<[^>]+>", " ", answer.text))[:3000])
        return answer.headers["Location"]

    def whole(self, code, place=PLACE):
        """Answers to all that a service asks, by what its form looks like."""
        page = self.visitor().get(f"/services/{code}?municipality=alder").text
        fields = {}
        for name, value in re.findall(r'<input type="radio" name="(f\.[^"]+)" value="([^"]*)"', page):
            fields.setdefault(name, value)
        for name in re.findall(r'<textarea id="[^"]*" name="(f\.[^"]+)"', page):
            fields[name] = "The words of somebody who reports this."
        place_name = re.search(r'name="(f\.[^"]+)\.lat"', page)
        if place_name:
            fields[place_name.group(1) + ".lat"], fields[place_name.group(1) + ".lon"] = str(place[0]), str(place[1])
        return fields

    def act(self, path, action, **fields):
        visitor = self.visitor()
        return visitor.post(f"{path.split('?')[0]}/{action}", fields)

    def work(self, reference, action, clerk=None, photos=(), **fields):
        """What staff do on the page of a case."""
        clerk = clerk or self.clerk
        token = clerk.field(f"/desk/{reference}", "form")
        parts = [("form", (None, token)), ("action", (None, action))]
        for name, value in fields.items():
            parts += [(name, (None, one)) for one in (value if isinstance(value, list) else [value])]
        parts += [(name, (file_name, data, kind)) for name, file_name, data, kind in photos]
        return clerk.session.post(
            f"{clerk.base}/desk/{reference}", files=parts, headers={"Origin": clerk.base}, allow_redirects=False, timeout=60)

    def reference(self, path):
        page = self.visitor().get(path).text
        return re.search(r"<bdi>([0-9A-Z]{4}-[0-9A-Z]{4})</bdi>", page).group(1).replace("-", "")

    def text(self, path, visitor=None):
        answer = (visitor or self.visitor()).get(path)
        self.assertEqual(answer.status_code, 200, answer.text[:2000])
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


class ReportTest(CaseCase):
    def test_the_list_of_services_leads_to_their_forms(self):
        page = self.visitor().get("/services?municipality=alder").text
        for file in SERVICES.glob("*.yaml"):
            self.assertIn(f"/services/{file.stem}?municipality=alder", page)
            self.assertEqual(self.visitor().get(f"/services/{file.stem}?municipality=alder").status_code, 200)

    def test_a_report_is_filed_once_however_often_it_is_sent(self):
        visitor = self.visitor()
        page = visitor.get("/services/pothole?municipality=alder").text
        fields = self.whole("pothole") | {"form": re.search(r'name="form" value="([^"]*)"', page).group(1), "municipality": "alder", "confirmed": "yes"}
        first, again = self.send(visitor, "pothole", fields), self.send(visitor, "pothole", fields)
        self.assertEqual((first.status_code, again.status_code), (303, 303), first.text[:500])
        self.assertEqual(first.headers["Location"], again.headers["Location"])

    def test_what_is_wrong_is_said_and_nothing_typed_is_lost(self):
        answer = self.fill(self.visitor(), "pothole", {"f.details": "deep & <b>round</b>", "contact.email": "not an address"},
                           [("f.photos", "a.png", png(), "image/png")])
        self.assertEqual(answer.status_code, 422)
        self.assertIn("deep &amp; &lt;b&gt;round&lt;/b&gt;", answer.text)
        self.assertIn('value="not an address"', answer.text)
        self.assertIn('name="f.photos.kept"', answer.text)
        self.assertIn('href="#contact-email"', answer.text)
        self.assertNotIn("<b>round</b>", answer.text)

    def test_a_disguised_file_is_refused_with_its_reason(self):
        for data, kind in ((b"<html><script>alert(1)</script></html>", "image/jpeg"), (b"PK\x03\x04" + b"\0" * 200, "image/png")):
            answer = self.fill(self.visitor(), "pothole", self.whole("pothole"), [("f.photos", "photo.jpg", data, kind)])
            self.assertEqual(answer.status_code, 422)
            self.assertIn("this is no photo", answer.text)

    def test_a_photo_loses_what_it_says_besides_what_it_shows(self):
        from PIL import Image

        picture, exif = Image.new("RGB", (3000, 2000), (10, 120, 200)), Image.Exif()
        exif[0x010F] = "Marker-Maker"
        exif.get_ifd(0x8825)[2] = (43.0, 36.0, 38.0)
        data = io.BytesIO()
        picture.save(data, "JPEG", exif=exif)
        path = self.report(photos=[("f.photos", "a.jpg", data.getvalue(), "image/jpeg")])
        source = html.unescape(re.search(r'<li><a href="(/attachments/[^"]+)"', self.visitor().get(path).text).group(1))
        got = self.visitor().get(source)
        self.assertEqual((got.status_code, got.headers["Content-Type"]), (200, "image/jpeg"))
        shown = Image.open(io.BytesIO(got.content))
        self.assertEqual((max(shown.size), len(shown.getexif())), (1600, 0))
        self.assertNotIn(b"Marker-Maker", got.content)

    def test_a_private_link_can_not_be_guessed(self):
        path = self.report()
        link = path.split("?")[0]
        for wrong in (link[:-1] + ("A" if link[-1] != "A" else "B"), link.rsplit(".", 1)[0] + "." + "A" * 22, "/cases/alder.AAAAAAAA." + "A" * 22, "/cases/x"):
            self.assertEqual(self.visitor().get(wrong).status_code, 404, wrong)
        page = self.visitor().get(link)
        self.assertEqual((page.headers["Referrer-Policy"], page.headers["X-Robots-Tag"]), ("no-referrer", "noindex, nofollow"))

    def test_feeds_tell_what_happens_to_those_who_may_know(self):
        name = "{http://www.w3.org/2005/Atom}"
        path = self.report(place=(43.50, 3.50), **{"f.details": "Secret <words> & more"})
        reference = self.reference(path)
        self.work(reference, "answer", answer="We <come> on Monday")
        private = self.visitor().get(path.split("?")[0] + "/feed.atom")
        self.assertEqual(private.headers["Content-Type"], "application/atom+xml; charset=utf-8")
        texts = [entry.find(name + "content").text for entry in xml.etree.ElementTree.fromstring(private.content).iter(name + "entry")]
        self.assertEqual(texts[0], "We <come> on Monday")
        public = self.visitor().get("/requests.atom?municipality=alder&service=pothole").content
        mine = [entry for entry in xml.etree.ElementTree.fromstring(public).iter(name + "entry") if entry.find(name + "id").text.endswith(reference)]
        self.assertIn("We <come> on Monday", mine[0].find(name + "content").text)
        self.assertNotIn(b"Secret", public)
        self.work(reference, "withhold", reason="It names somebody")
        self.assertNotIn(reference.encode(), self.visitor().get("/requests.atom?municipality=alder").content)

    def test_a_place_is_found_by_its_address_and_its_street(self):
        def thing(kind, number, location, **members):
            values = {name: {"type": "Property", "value": value} for name, value in members.items()}
            return {"id": f"urn:ngsi-ld:{kind}:{number}", "type": kind, "location": {"type": "GeoProperty", "value": location}} | values

        def point(longitude):
            return {"type": "Point", "coordinates": [longitude, 43.35]}

        line = {"type": "LineString", "coordinates": [[3.35, 43.36], [3.351, 43.361], [3.352, 43.36]]}
        self.put_open([
            thing("Shop", 1, point(3.351), name="Bakery", address={"streetAddress": "12 bis, rue de l’Évêché", "addressLocality": "Alder"}),
            thing("Shop", 2, point(3.352), name="Butcher", address={"streetAddress": "14 Rue de l’Évêché"}),
            thing("RoadSegment", "1a", line, name="Rue de l’Évêché"), thing("RoadSegment", "1b", line, name="RUE DE L'EVECHE")], "addresses")
        asked = {name: value for name, value in self.whole("pothole").items() if not re.search(r"\.(lat|lon)$", name)}

        def sent(address, **extra):
            return self.fill(self.visitor(), "pothole", asked | {"f.place.address": address} | extra)

        found = sent("12 BIS RUE DE L'EVECHE")
        self.assertEqual(found.status_code, 303, found.text[:500])
        case = self.server.get(f"{harness.NGSI_LD}/entities/urn:ngsi-ld:Open311ServiceRequest:{self.reference(found.headers['Location'])}", municipality="alder", token=self.token)
        self.assertEqual(case.json()["location"]["value"]["coordinates"], [3.351, 43.35])
        for address, labels in (("12 eveche", ["12 bis, rue de l’Évêché, Alder"]), ("99, rue de l'évêché, Alder", ["Rue de l’Évêché", "12 bis, rue de l’Évêché, Alder", "14 Rue de l’Évêché"]),
                                ("eveche", ["Rue de l’Évêché", "12 bis, rue de l’Évêché, Alder", "14 Rue de l’Évêché"])):
            page = sent(address)
            self.assertEqual(page.status_code, 200, address)
            choices = re.findall(r'name="f.place.candidate" value="([^"]+)"> <span>([^<]*)</span>', page.text)
            self.assertEqual([html.unescape(label) for _, label in choices], labels)
        chosen = sent(address, confirmed="yes", **{"f.place.candidate": choices[0][0]})
        self.assertEqual((chosen.status_code, choices[0][0]), (303, "3.351,43.361"), "the corner in the middle of the street")
        nowhere = sent("Boulevard of nowhere 3")
        self.assertIn(nowhere.status_code, (303, 422))

    def test_what_is_nearby_is_shown_first_and_can_be_followed(self):
        place = (43.62, 3.90)
        reference = self.reference(self.report(place=place))
        done = self.work(reference, "publish", description="A deep hole")
        self.assertEqual(done.status_code, 303, done.text[:500])
        near = self.fill(self.visitor(), "pothole", self.whole("pothole", (place[0] + 0.0002, place[1])))
        self.assertEqual(near.status_code, 200)
        self.assertIn("A deep hole", near.text)
        self.assertIn(f"/requests/{reference}?municipality=alder", near.text)
        far = self.fill(self.visitor(), "pothole", self.whole("pothole", (place[0] + 0.002, place[1])))
        self.assertEqual(far.status_code, 303)
        followed = self.visitor().post(f"/requests/{reference}/followers?municipality=alder", {"email": "grace@example.org"})
        self.assertEqual(followed.status_code, 303, followed.text[:500])
        self.assertIn("grace@example.org", self.text(followed.headers["Location"]))


class WorkTest(CaseCase):
    def test_from_report_to_reopening_and_rating(self):
        path = self.report(**{"contact.email": "ada@example.org", "contact.name": "Ada"})
        reference = self.reference(path)
        self.assertIn(reference[:4] + "-" + reference[4:], self.text("/desk", self.clerk))
        self.assertEqual(self.work(reference, "take").status_code, 303)
        self.assertEqual(self.work(reference, "note", note="Ask the works yard").status_code, 303)
        self.assertNotIn("Ask the works yard", self.text(path))
        steps = re.findall(r'name="step" value="([^"]+)"', self.clerk.get(f"/desk/{reference}").text)
        self.assertEqual(self.work(reference, "move", step=steps[0], answer="We come on Monday").status_code, 303)
        self.assertIn("We come on Monday", self.text(path))
        refused = self.work(reference, "move", step="no-such-step")
        self.assertEqual(refused.status_code, 422)
        for _ in range(5):
            steps = re.findall(r'name="step" value="([^"]+)"', self.clerk.get(f"/desk/{reference}").text)
            last = [step for step in steps if step in ("done", "repaired", "closed", "mended")] or steps
            if not steps:
                break
            self.assertEqual(self.work(reference, "move", step=last[0], answer="It is done").status_code, 303)
            if "Open again" in self.text(path):
                break
        self.assertIn("Open again", self.text(path))
        self.assertEqual(self.act(path, "rating", rating="2").status_code, 303)
        self.assertEqual(self.act(path, "reopening", text="It is still there").status_code, 303)
        self.assertNotIn("Open again", self.text(path))
        self.assertIn("It is still there", self.text(f"/desk/{reference}", self.clerk))

    def test_staff_enter_what_somebody_said(self):
        page = self.clerk.get("/desk/entry/pothole").text
        fields = self.whole("pothole") | {name: re.search(rf'name="{name}" value="([^"]*)"', page).group(1) for name in ("form", "session")}
        fields |= {"channel": "paper", "contact.telephone": "04 67 00 00 00", "confirmed": "yes", "f.details": "Read from a letter"}
        answer = self.clerk.session.post(
            f"{self.clerk.base}/desk/entry/pothole", files=[(name, (None, value)) for name, value in fields.items()],
            headers={"Origin": self.clerk.base}, allow_redirects=False, timeout=60)
        self.assertEqual(answer.status_code, 303, answer.text[:2000])
        reference = answer.headers["Location"].split("/")[-1].split("?")[0]
        page = self.text(f"/desk/{reference}", self.clerk)
        for shown in ("Read from a letter", "On paper", "04 67 00 00 00"):
            self.assertIn(shown, page)
        self.assertNotIn("04 67 00 00 00", self.visitor().get(f"/requests/{reference}?municipality=alder").text)
        found = self.clerk.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:Open311ServiceRequest:{reference}?format=simplified", headers={"NGSILD-Tenant": "alder"})
        self.assertEqual(found.json()["channel"], "paper")
        self.assertEqual(self.visitor().get("/desk/entry/pothole", allow_redirects=False).status_code, 303)

    def test_nobody_but_staff_sees_the_desk(self):
        reference = self.reference(self.report())
        self.assertEqual(self.visitor().get(f"/desk/{reference}", allow_redirects=False).status_code, 303)
        stranger = self.new_member("resident-1", "resident")
        for path in ("/desk", f"/desk/{reference}"):
            self.assertEqual(stranger.get(path).status_code, 403)

    def view(self, member, action, name="", narrowing="view=open", number=""):
        """What staff do with a view of their own."""
        token = member.field("/desk?view=open", "form")
        return member.post("/desk/views", {"form": token, "action": action, "name": name, "narrowing": narrowing, "view": number})

    def own_views(self, member):
        page = member.get("/desk?view=open").text
        return {html.unescape(name): html.unescape(href) for href, name in re.findall(r'<a class="own" href="([^"]*)"[^>]*><bdi>([^<]*)</bdi>', page)}

    def test_staff_give_names_to_views_and_open_the_desk_with_one(self):
        member = self.new_member("viewer", "owner-department")
        narrowing = "view=overdue&service=pothole&department=Roads%20%26%20Bridges&district=Mosson"
        saved = self.view(member, "saveView", "Late holes <b>", narrowing)
        self.assertEqual((saved.status_code, saved.headers["Location"]), (303, f"/desk?{narrowing}&done=saveView"))
        self.assertEqual(self.own_views(member), {"Late holes <b>": f"/desk?{narrowing}"})
        page = member.get(f"/desk?{narrowing}").text
        self.assertRegex(page, r'<a class="own" [^>]*aria-current="page"><bdi>Late holes &lt;b&gt;')
        self.assertEqual(page.count('aria-current="page"'), 2, "the view, and the desk among the pages")
        self.assertIn('<option value="Mosson" selected>', page)
        number = re.search(r'name="view" value="(\d+)"', page).group(1)

        self.assertEqual(member.get("/desk", allow_redirects=False).status_code, 200)
        self.assertEqual(self.view(member, "openWith", "", narrowing, number).status_code, 303)
        opened = member.get("/desk", allow_redirects=False)
        self.assertEqual((opened.status_code, opened.headers["Location"]), (303, f"/desk?{narrowing}"))
        self.assertEqual(member.get("/desk?view=open", allow_redirects=False).status_code, 200)
        self.assertEqual(self.view(member, "renameView", "Holes", narrowing, number).status_code, 303)
        self.assertEqual(list(self.own_views(member)), ["Holes"])
        self.assertEqual(self.view(member, "deleteView", "", narrowing, number).status_code, 303)
        self.assertEqual((self.own_views(member), member.get("/desk", allow_redirects=False).status_code), ({}, 200))

    def test_a_view_that_can_not_be_kept_says_why_and_keeps_what_was_typed(self):
        member, other = self.new_member("viewer-2", "owner-department"), self.new_member("viewer-3", "owner-department")
        self.assertEqual(self.view(member, "saveView", "Mine").status_code, 303)
        for name, said in (("mine", "Name of the view: you have one"), (" ", "Name of the view: say"), ("a" * 41, "Name of the view: at most 40")):
            answer = self.view(member, "saveView", name, "view=overdue&service=noise")
            self.assertEqual(answer.status_code, 422)
            self.assertIn(said, answer.text)
            self.assertIn(f'name="name" value="{name}"', answer.text)
            self.assertIn('<option value="noise" selected>', answer.text)
        self.assertEqual(self.view(member, "saveView", "Long", "service=" + "a" * 2000).status_code, 422)
        self.assertEqual(self.view(other, "renameView", "Theirs", number="1").status_code, 422)
        self.assertEqual(self.own_views(member), {"Mine": "/desk?view=open"})
        self.assertEqual(self.view(member, "explode").status_code, 400)
        stranger = self.new_member("resident-2", "resident")
        token = stranger.field("/account", "form")
        self.assertEqual(stranger.post("/desk/views", {"form": token, "action": "saveView", "name": "X", "narrowing": "view=open"}).status_code, 403)
        self.assertEqual(member.post("/desk/views", {"action": "saveView", "name": "X", "narrowing": "view=open"}).status_code, 403)

    def test_the_queue_is_narrowed_to_a_district_and_what_is_done_to_several_stays_there(self):
        place = (43.40, 3.40)
        area = {"type": "Polygon", "coordinates": [[[3.39, 43.39], [3.41, 43.39], [3.41, 43.41], [3.39, 43.41], [3.39, 43.39]]]}
        self.put_open([{
            "id": "urn:ngsi-ld:District:1", "type": "District", "name": {"type": "Property", "value": "Écusson"}, "location": {"type": "GeoProperty", "value": area}}], "districts")
        inside, outside = self.reference(self.report(place=place)), self.reference(self.report(place=(43.42, 3.40)))
        address = "/desk?view=open&district=%C3%89cusson"
        page = self.clerk.get(address).text
        self.assertIn('<option value="Écusson" selected>', page)
        self.assertIn(f'data-reference="{inside}"', page)
        self.assertNotIn(f'data-reference="{outside}"', page)
        token = self.clerk.field(address, "form")
        done = self.clerk.post("/desk", {"form": token, "action": "take", "reference": inside, "return": address})
        self.assertEqual(done.headers["Location"], address + "&done=bulk")
        none = self.clerk.post("/desk", {"form": token, "action": "take", "return": address})
        self.assertEqual(none.status_code, 422)
        self.assertNotIn(f'data-reference="{outside}"', none.text)

    def test_how_somebody_is_reached_is_told_to_nobody_else(self):
        path = self.report(**{"contact.email": "secret-marker@example.org", "contact.name": "Marker-Person"})
        reference = self.reference(path)
        self.assertEqual(self.work(reference, "publish", description="A hole").status_code, 303)
        public = self.visitor().get(f"/requests/{reference}?municipality=alder")
        self.assertEqual(public.status_code, 200)
        for text in ("secret-marker", "Marker-Person"):
            self.assertNotIn(text, public.text)
        found = self.visitor().get("/ngsi-ld/v1/entities?type=ServiceRequestContact", headers={"NGSILD-Tenant": "alder"})
        self.assertEqual(found.json(), [])
        self.assertNotIn(b"secret-marker", (self.data / "alder" / "municipality.sqlite").read_bytes())

    def test_what_is_merged_is_followed_as_the_other(self):
        first, second = self.report(place=(43.63, 3.91)), self.report(place=(43.63, 3.91))
        target = self.reference(first)
        self.assertEqual(self.work(self.reference(second), "merge", into=target).status_code, 303)
        self.assertEqual(self.reference(second), target)

    def test_what_is_withheld_can_be_appealed(self):
        path = self.report()
        reference = self.reference(path)
        self.assertEqual(self.work(reference, "withhold", reason="It names a neighbour").status_code, 303)
        self.assertIn("It names a neighbour", self.text(path))
        self.assertEqual(self.visitor().get(f"/requests/{reference}?municipality=alder").status_code, 404)
        self.assertEqual(self.act(path, "appeal", text="I took the name out").status_code, 303)
        self.assertIn("asks for another decision", self.text(f"/desk/{reference}", self.clerk))

    def test_forms_of_other_sites_change_nothing(self):
        path = self.report()
        foreign = requests.post(
            self.server.base + path.split("?")[0] + "/words", data={"text": "x"}, headers={"Origin": "https://elsewhere.example"}, timeout=30,
            allow_redirects=False)
        self.assertEqual(foreign.status_code, 403)


class OutsideTest(CaseCase):
    def test_a_place_elsewhere_is_refused_once_the_area_is_known(self):
        far = (48.85, 2.35)
        self.report(place=far)
        ring = [[3.7, 43.5], [4.0, 43.5], [4.0, 43.75], [3.7, 43.75], [3.7, 43.5]]
        area = {"id": "urn:ngsi-ld:Municipality:alder", "type": "Municipality", "boundary": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}}}
        self.put_open([area], "area")
        answer = self.fill(self.visitor(), "pothole", self.whole("pothole", far))
        self.assertEqual(answer.status_code, 422)
        self.assertIn("outside of the municipality", answer.text)
        self.report(place=PLACE)
        open311 = requests.post(
            self.server.base + "/open311/v2/requests.json", timeout=30,
            data={"jurisdiction_id": "alder", "service_code": "pothole", "lat": far[0], "long": far[1], "attribute[surface]": "road", "attribute[size]": "hand", "attribute[danger]": "no"})
        self.assertEqual(open311.status_code, 400, open311.text)


class Clamd(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """NOT ClamAV: a stand-in that speaks clamd's INSTREAM as clamd(8) describes it, for machines without clamd. It finds the EICAR test text and nothing else. Where
    CONURB_TEST_CLAMD names the address of a real clamd (such as unix:/run/clamav/clamd.ctl), `RealClamdTest` asks that one too."""

    daemon_threads = True
    answers = True
    says = None
    size_max = 26_214_400

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            assert self.rfile.read(10) == b"zINSTREAM\0"
            data = b""
            while count := int.from_bytes(self.rfile.read(4), "big"):
                data += self.rfile.read(count)
                if len(data) > self.server.size_max:
                    return self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
            self.server.seen.append(data)
            if not self.server.answers:
                return self.server.gate.wait(60)
            self.wfile.write(self.server.says or (b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0"))

    def __init__(self, path):
        self.seen, self.gate = [], threading.Event()
        super().__init__(str(path), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


# In two parts, so that no scanner takes this file for a harmful one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PLAN = """
id: plan
title: A plan
fields:
  - {id: words, label: What is it?, type: text, required: true}
  - {id: plan, label: The plan, type: file, mediaTypes: [application/pdf], maxCount: 2}
departments: [{department: Plans}]
steps:
  - {id: new, title: Received, phase: open, next: [done]}
  - {id: done, title: Done, phase: closed, done: true}
calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
public: {when: never}
"""


class ScannedCase(CaseCase):
    def sends(self, *files, words="My plan"):
        return self.fill(self.visitor(), "plan", {"f.words": words}, [("f.plan", f"plan-{number}.pdf", data, "application/pdf") for number, data in enumerate(files)])

    def posts(self, data):
        form = {"jurisdiction_id": "alder", "service_code": "plan", "attribute[words]": "x"}
        return requests.post(self.server.base + "/open311/v2/requests.json", data=form, files={"attribute[plan]": ("plan.pdf", data)}, timeout=60)

    def downloads(self, sent):
        reference = self.reference(sent.headers["Location"])
        page = self.clerk.get(f"/desk/{reference}").text
        return [self.clerk.get(html.unescape(href)).content for href in re.findall(r'href="(/attachments/[^"]+)"', page)]

    def takes_what_is_clean(self):
        clean = b"%PDF-1.7 " + bytes(range(256)) * 1000
        sent = self.sends(clean, b"%PDF-1.4 small")
        self.assertEqual(sent.status_code, 303, sent.text[:500])
        self.assertEqual(sorted(self.downloads(sent)), sorted([clean, b"%PDF-1.4 small"]))
        self.assertEqual(self.posts(clean).status_code, 201)
        return clean


class ScannerTest(ScannedCase):
    """Files go past a scanner (see `Clamd`)."""

    @classmethod
    def setUpClass(cls):
        folder = harness.TemporaryFolder.of(cls)
        cls.clamd = Clamd(folder / "clamd.ctl")
        cls.addClassCleanup(cls.clamd.server_close)
        cls.addClassCleanup(cls.clamd.shutdown)
        cls.environment = {"CONURB_SCANNER_ADDRESS": f"unix:{folder / 'clamd.ctl'}", "CONURB_SCANNER_SECONDS_MAX": "1"}
        super().setUpClass()
        cls.put_service("plan", PLAN)

    def setUp(self):
        self.clamd.answers, self.clamd.says = True, None

    def test_clean_files_are_taken_whole_and_harmful_ones_refused_with_what_was_found(self):
        clean = self.takes_what_is_clean()
        self.assertIn(clean, self.clamd.seen, "the scanner has seen every byte")
        refused = self.sends(b"%PDF-1.7 " + EICAR, words="Typed <with> care")
        self.assertEqual(refused.status_code, 422)
        self.assertIn("this file is harmful, so it is not taken: Eicar-Test-Signature", refused.text)
        self.assertIn("Typed &lt;with&gt; care", refused.text)
        self.assertNotIn('name="f.plan.kept"', refused.text)
        answer = self.posts(b"%PDF-1.7 " + EICAR)
        self.assertEqual((answer.status_code, answer.json()[0]["description"]), (400, "attribute[plan]: it is harmful: Eicar-Test-Signature"))
        self.assertIn("a file was refused: it is harmful", self.server.log_path.read_text())

    def test_what_nobody_can_look_at_is_not_kept(self):
        self.clamd.answers = False
        self.assertIn("at the moment", self.sends(b"%PDF-1.7 slow").text)
        self.clamd.answers = True
        for says in (b"stream: what? ERROR\0", b"stream: OK", b"OK\0", b"\0", b"stream: OK" + b"x" * 2000):
            self.clamd.says = says
            answer = self.sends(b"%PDF-1.7 x")
            self.assertEqual(answer.status_code, 422, says)
            self.assertIn("at the moment", answer.text)
            self.assertEqual((self.posts(b"%PDF-1.7 x").status_code), 503, says)
        self.clamd.says = None
        self.assertEqual(self.sends().status_code, 303, "without a file nothing is to be looked at")
        self.clamd.size_max = 1000
        try:
            self.assertEqual(self.sends(b"%PDF-1.7 " + b"x" * 2_000_000).status_code, 422)
        finally:
            del self.clamd.size_max
        self.assertEqual(self.sends(b"%PDF-1.7 again").status_code, 303)

    def test_a_photo_goes_past_no_scanner(self):
        self.clamd.answers = False
        self.report(photos=[("f.photos", "a.png", png(), "image/png")])


class ScannerAwayTest(ScannedCase):
    """Nobody listens where the scanner should be."""

    environment = {"CONURB_SCANNER_ADDRESS": f"tcp:127.0.0.1:{harness.free_port()}"}

    def test_files_are_refused_while_the_scanner_is_away(self):
        self.put_service("plan", PLAN)
        answer = self.sends(b"%PDF-1.7 x")
        self.assertEqual(answer.status_code, 422)
        self.assertIn("at the moment", answer.text)
        self.assertEqual(self.posts(b"%PDF-1.7 x").status_code, 503)
        self.assertIn("could not be scanned", self.server.log_path.read_text())


@unittest.skipUnless(os.environ.get("CONURB_TEST_CLAMD"), "CONURB_TEST_CLAMD names no clamd")
class RealClamdTest(ScannedCase):
    environment = {"CONURB_SCANNER_ADDRESS": os.environ.get("CONURB_TEST_CLAMD", "")}

    def test_the_real_one_takes_what_is_clean(self):
        self.put_service("plan", PLAN.replace("application/pdf", "text/plain"))
        self.assertEqual(self.sends(b"a text").status_code, 303)
        refused = self.sends(EICAR)
        self.assertEqual(refused.status_code, 422)
        self.assertIn("this file is harmful", refused.text)


class Mailbox:
    """A mail server that keeps what it is given; it refuses receivers of `nowhere.example` for good, and the first message to each of `later.example` for now."""

    def __init__(self):
        self.messages, self.tried = [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tried.append(address)
        if address.endswith("@nowhere.example"):
            return "550 5.1.1 no such mailbox"
        if address.endswith("@later.example") and self.tried.count(address) == 1:
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos[0], email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def to(self, address):
        return [message for receiver, message in self.messages if receiver == address]

    def wait(self, address, count):
        deadline = time.monotonic() + 60
        while len(self.to(address)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{address} has {len(self.to(address))} messages, not {count}; tried: {self.tried}")
            time.sleep(0.05)
        return self.to(address)


class MailCase(CaseCase):
    """The same with a mail server."""

    @classmethod
    def setUpClass(cls):
        cls.mailbox = Mailbox()
        cls.smtp = aiosmtpd.controller.Controller(cls.mailbox, hostname="127.0.0.1", port=harness.free_port())
        cls.smtp.start()
        cls.addClassCleanup(cls.smtp.stop)
        cls.environment = {
            "CONURB_MAIL_HOST": "127.0.0.1", "CONURB_MAIL_PORT": str(cls.smtp.port), "CONURB_MAIL_SECURITY": "none", "CONURB_MAIL_FROM": "city@alder.example"}
        super().setUpClass()


class NoticeTest(MailCase):
    def test_whoever_reports_is_told_of_each_step_and_the_link_in_it_works(self):
        path = self.report(**{"contact.email": "ada@example.org"})
        reference, link = self.reference(path), path.split("?")[0]
        received = self.mailbox.wait("ada@example.org", 1)[0]
        self.assertIn(reference[:4] + "-" + reference[4:], received["Subject"])
        self.assertIn(link, received.get_content())
        self.assertIn(link, received["List-Unsubscribe"])
        self.work(reference, "answer", answer="Zażółć: we come on Monday — شكرا")
        answered = self.mailbox.wait("ada@example.org", 2)[1]
        self.assertIn("Zażółć: we come on Monday — شكرا", answered.get_content())
        self.work(reference, "note", note="only for colleagues")
        step = re.findall(r'name="step" value="([^"]+)"', self.clerk.get(f"/desk/{reference}").text)[0]
        self.work(reference, "move", step=step, answer="Done now")
        moved = self.mailbox.wait("ada@example.org", 3)[2]
        self.assertIn("Done now", moved.get_content())
        self.assertFalse(any("only for colleagues" in message.get_content() for message in self.mailbox.to("ada@example.org")))
        self.assertEqual(self.act(path, "silence", sure="yes").status_code, 303)
        self.work(reference, "answer", answer="Nobody is to get this")
        other = self.report(**{"contact.email": "last@example.org"}, place=(43.7, 3.7))
        self.mailbox.wait("last@example.org", 1)
        self.assertEqual(len(self.mailbox.to("ada@example.org")), 3, other)

    def test_where_a_service_tells_the_street_no_house_is_told_to_anybody(self):
        road = {
            "id": "urn:ngsi-ld:RoadSegment:1", "type": "RoadSegment", "name": {"type": "Property", "value": "Rue de la Loge"},
            "location": {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": [[3.3, 43.3], [3.3035, 43.3]]}}}
        self.put_open([road], "roads")
        place, house, receiver = (43.300137, 3.300463), "4711 ter rue de la Loge", "loge@example.org"
        path = self.report(code="noise", place=place, **{"f.place.address": house, "f.hours": "night", "contact.email": receiver})
        reference = self.reference(path)
        self.assertEqual(self.work(reference, "publish", description="Loud every night").status_code, 303)
        self.assertEqual(self.work(reference, "answer", answer="We measure it").status_code, 303)
        self.visitor().post(f"/requests/{reference}/followers?municipality=alder", {"email": "neighbour@example.org"})
        self.assertEqual(self.work(reference, "answer", answer="We measured it").status_code, 303)

        entity, headers = f"urn:ngsi-ld:Open311ServiceRequest:{reference}", {"NGSILD-Tenant": "alder"}
        public = [
            f"/ngsi-ld/v1/entities/{entity}", f"/ngsi-ld/v1/entities?type=Open311ServiceRequest&id={entity}", f"/ngsi-ld/v1/temporal/entities/{entity}",
            f"/open311/v2/requests/{reference}.json?jurisdiction_id=alder&extensions=true", f"/open311/v2/requests.xml?jurisdiction_id=alder&service_request_id={reference}",
            f"/open311/v2/servicerequestupdates.json?jurisdiction_id=alder&service_request_id={reference}", "/live/map?types=Open311ServiceRequest",
            f"/live/entity?municipality=alder&id={entity}", "/table?type=Open311ServiceRequest", "/table.csv?type=Open311ServiceRequest", "/table.geojson?type=Open311ServiceRequest",
            "/requests.atom?municipality=alder&service=noise", f"/requests/{reference}?municipality=alder", f"/requests/{reference}/feed.atom?municipality=alder"]
        told = 0
        for address in public:
            answer = self.visitor().get(address, headers=headers)
            told += "Rue de la Loge" in answer.text
            for secret in ("4711", "43.300137", "43.30013", "43.30014", "3.300463", "3.30046"):
                self.assertNotIn(secret, answer.text, address)
        self.assertGreaterEqual(told, 6)
        found = self.visitor().get(public[0], headers=headers).json()
        self.assertEqual(found["address_string"]["value"], "Rue de la Loge")
        longitude, latitude = found["location"]["value"]["coordinates"]
        self.assertAlmostEqual(latitude, 43.3, 6)
        self.assertAlmostEqual((longitude - 3.3) / 0.0035, 0.25, 3, "a quarter: the middle of the first of two stretches")
        near = self.fill(self.visitor(), "noise", self.whole("noise", (43.29994, 3.3016)), **{"f.place.address": "1 rue de la Loge", "f.hours": "night"})
        self.assertIn("Loud every night", near.text)
        for message in self.mailbox.wait(receiver, 3) + self.mailbox.wait("neighbour@example.org", 1):
            self.assertNotIn("4711", message.get_content() + message["Subject"])
        self.assertIn(house, self.text(f"/desk/{reference}", self.clerk))
        self.assertIn(house, self.text(path))

    def test_a_notice_is_in_the_language_of_the_form(self):
        visitor = self.visitor()
        visitor.session.headers["Accept-Language"] = "ar"
        self.report(visitor, **{"contact.email": "ar@example.org"}, place=(43.71, 3.71))
        message = self.mailbox.wait("ar@example.org", 1)[0]
        self.assertIn("وصلنا بلاغك", message["Subject"])
        self.assertEqual(message["Content-Language"], "ar")

    def test_who_follows_what_is_public_no_more_is_told_nothing(self):
        reference = self.reference(self.report(place=(43.72, 3.72)))
        self.work(reference, "publish", description="A hole")
        self.visitor().post(f"/requests/{reference}/followers?municipality=alder", {"email": "follower@example.org"})
        self.work(reference, "answer", answer="For all")
        self.mailbox.wait("follower@example.org", 1)
        self.work(reference, "withhold", reason="It names somebody")
        self.work(reference, "answer", answer="For the one who reported")
        self.report(**{"contact.email": "after@example.org"}, place=(43.73, 3.73))
        self.mailbox.wait("after@example.org", 1)
        self.assertEqual(len(self.mailbox.to("follower@example.org")), 1)

    def test_what_is_refused_for_good_is_not_tried_again(self):
        self.report(**{"contact.email": "ada@nowhere.example"}, place=(43.74, 3.74))
        self.report(**{"contact.email": "next@example.org"}, place=(43.75, 3.75))
        self.mailbox.wait("next@example.org", 1)
        self.report(**{"contact.email": "third@example.org"}, place=(43.76, 3.76))
        self.mailbox.wait("third@example.org", 1)
        self.assertEqual(self.mailbox.tried.count("ada@nowhere.example"), 1)
        self.assertNotIn("nowhere.example", self.server.log_path.read_text())


class DefinitionTest(CaseCase):
    def test_an_open_case_stays_on_the_version_that_it_began_with(self):
        text = (SERVICES / "pothole.yaml").read_text()
        path = self.report()
        title = re.search(r"<h1>([^<]+)</h1>", self.visitor().get(path).text).group(1)
        self.put_service("pothole", re.sub(r"(?m)^  en: .*$", "  en: Renamed for new cases", text, count=1))
        self.assertIn(title, self.text(path))
        self.assertIn("Renamed for new cases", self.text("/services/pothole?municipality=alder"))
        self.put_service("pothole", text)

    def test_a_faulty_definition_is_refused_with_line_and_key(self):
        done = self.put_service("pothole", (SERVICES / "pothole.yaml").read_text() + "\nfreinds: 3\n", expected=400)
        self.assertRegex(done.json()["detail"], r"line \d+: freinds")


if __name__ == "__main__":
    harness.main()
