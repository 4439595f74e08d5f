"""Answers that are given again within a second: never once something was written, to nobody but who sends the same bytes, and never to what is no request.

    .venv/bin/python Tests/acceptance/test_microcache.py .build/release/conurb
"""

import contextlib
import json
import re
import socket
import threading
import unittest

import harness
from harness import NGSI_LD

ROUNDS = 300
ID = "urn:ngsi-ld:Lamp:1"
PAGE = NGSI_LD + "/entities?type=Lamp"
SOURCE = """
id: lamps
title: Street lamps
steward: Public works
licence: {name: none, url: https://example.org/none}
attribution: Public works
classification: open
format: csv
entity: {id: 'urn:ngsi-ld:Lamp:{number}', type: Lamp}
attributes:
  power: power
"""
NOBODY_READS = """
rules:
  - {id: tokens, effect: permit, who: {roles: [token-writer, token-administrator]}, actions: [read, write, erase, administer], what: everything}
"""


def lamp(value):
    return {"id": ID, "type": "Lamp", "power": {"type": "Property", "value": value}}


class Connection:
    """A connection on which the same bytes are sent again and again."""

    def __init__(self, server, path=PAGE, headers=""):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """Status, head and body of the next answer."""
        while True:
            head, end, body = self.rest.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head) if end else None
            if end and (length is None or len(body) >= int(length[1])):
                size = int(length[1]) if length else 0
                self.rest = body[size:]
                return int(head.split(b" ", 2)[1]), head, body[:size]
            part = self.socket.recv(65_536)
            if not part:
                raise AssertionError(f"the connection was closed after {self.rest[:200]}")
            self.rest += part

    def answer_head(self):
        """The head of the next answer, which has no body."""
        while b"\r\n\r\n" not in self.rest:
            part = self.socket.recv(65_536)
            if not part:
                raise AssertionError(f"the connection was closed after {self.rest[:200]}")
            self.rest += part
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head

    def ask(self):
        self.send(self.request)
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def reused(server):
    return int(re.search(r"^conurb_http_answers_reused_total (\d+)$", server.get("/metrics").text, re.M)[1])


@contextlib.contextmanager
def crowd(server, check, **options):
    """Others who ask the same all the while; each answer is handed to `check`, with what it returned before the question."""
    over, faults = threading.Event(), []

    def ask():
        try:
            with Connection(server, **options) as connection:
                while not over.is_set():
                    before = check()
                    check(before, *connection.ask())
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]


class OpenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(harness.TemporaryFolder.of(cls))
        cls.enterClassContext(cls.server)
        assert cls.server.post(NGSI_LD + "/entities", lamp(0)).status_code == 201

    def patch(self, value):
        answer = self.server.request("PATCH", f"{NGSI_LD}/entities/{ID}", json={"power": {"value": value}})
        self.assertEqual(answer.status_code, 204, answer.text)

    def test_who_asks_again_is_answered_the_same(self):
        before = reused(self.server)
        with Connection(self.server) as one, Connection(self.server) as other:
            first = one.ask()
            for _ in range(ROUNDS):
                for status, head, body in (one.ask(), other.ask()):
                    self.assertEqual((status, body), (200, first[2]))
                    self.assertEqual(re.sub(rb"Date: [^\r]*", b"", head), re.sub(rb"Date: [^\r]*", b"", first[1]))
        self.assertGreater(reused(self.server) - before, ROUNDS // 3, "of twice as many as there are rounds; on a machine that does much else each takes long")

    def test_what_was_acknowledged_is_in_every_answer_from_then_on(self):
        before, acknowledged = reused(self.server), [0]

        def check(known=None, status=None, _=None, body=None):
            if known is None:
                return acknowledged[0]
            value = json.loads(body)[0]["power"]["value"]
            if status != 200 or value < known:
                raise AssertionError(f"{status}: {value} was answered after {known} had been acknowledged")

        self.patch(0)
        with crowd(self.server, check), Connection(self.server) as own:
            for value in range(1, ROUNDS + 1):
                self.patch(value)
                acknowledged[0] = value
                for _ in range(3):
                    self.assertEqual(json.loads(own.ask()[2])[0]["power"]["value"], value)
        self.assertGreater(reused(self.server), before)

    def test_entities_asked_for_one_after_another_are_as_they_are(self):
        """Each is another one, so that none was answered before; what is not there, or reads otherwise in a path, is asked for in between."""
        lamps = {f"urn:ngsi-ld:Lamp:each-{number}": lamp(number) | {"id": f"urn:ngsi-ld:Lamp:each-{number}", "note": {"type": "Property", "value": "x" * number}}
                 for number in range(ROUNDS)}
        self.assertEqual(self.server.post(NGSI_LD + "/entityOperations/create", list(lamps.values())).status_code, 201)
        before = reused(self.server)
        with Connection(self.server) as one:
            for id, entity in lamps.items():
                for path, status in ((id, 200), (id.replace(":Lamp", "%3ALamp"), 200), (id + "-none", 404), ("", 400)):
                    one.send(f"GET {NGSI_LD}/entities/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    answer = one.answer()
                    self.assertEqual(answer[0], status, (path, answer))
                    if status == 200:
                        self.assertEqual(json.loads(answer[2]), entity)
        self.assertGreater(reused(self.server) - before, ROUNDS // 3)

    def test_what_was_acknowledged_is_in_the_answer_for_each_entity(self):
        ids = [f"urn:ngsi-ld:Lamp:told-{number}" for number in range(20)]
        self.assertEqual(self.server.post(NGSI_LD + "/entityOperations/create", [lamp(0) | {"id": id} for id in ids]).status_code, 201)
        known, over, faults = dict.fromkeys(ids, 0), threading.Event(), []

        def ask():
            with Connection(self.server) as connection:
                while not over.is_set():
                    for id in ids:
                        before = known[id]
                        connection.send(f"GET {NGSI_LD}/entities/{id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        status, _, body = connection.answer()
                        if status != 200 or json.loads(body)["id"] != id or json.loads(body)["power"]["value"] < before:
                            faults.append(f"{status}: {body} after {before} had been acknowledged")

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for value in range(1, 30):
                for id in ids:
                    answer = self.server.request("PATCH", f"{NGSI_LD}/entities/{id}", json={"power": {"value": value}})
                    self.assertEqual(answer.status_code, 204, answer.text)
                    known[id] = value
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(faults, [])

    def test_who_writes_and_reads_on_one_connection_reads_what_was_written(self):
        ids = [f"urn:ngsi-ld:Lamp:own-{number}" for number in range(50)]
        self.assertEqual(self.server.post(NGSI_LD + "/entityOperations/create", [lamp(0) | {"id": id} for id in ids]).status_code, 201)
        before = reused(self.server)
        with Connection(self.server) as one:
            for value in range(1, 6):
                for id in ids:
                    body = json.dumps({"power": {"value": value}}).encode()
                    one.send(f"PATCH {NGSI_LD}/entities/{id} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                    status = int(one.answer_head().split(b" ", 2)[1])
                    self.assertEqual(status, 204)
                    for other in (id, ids[0]):
                        one.send(f"GET {NGSI_LD}/entities/{other} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        status, _, text = one.answer()
                        self.assertEqual((status, json.loads(text)), (200, lamp(value) | {"id": other}))
        self.assertGreater(reused(self.server) - before, 100)

    def test_a_context_that_is_gone_is_gone(self):
        for _ in range(5):
            made = self.server.post(NGSI_LD + "/jsonldContexts", {"@context": {"Lantern": "https://uri.etsi.org/ngsi-ld/default-context/Lamp"}})
            self.assertEqual(made.status_code, 201, made.text)
            path = made.headers["Location"]
            link = f'Link: <{self.server.base}{path}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"\r\n'
            options = {"path": NGSI_LD + "/entities?type=Lantern", "headers": link}

            def check(*_):
                return True

            with crowd(self.server, check, **options), Connection(self.server, **options) as own:
                while own.ask()[0] != 200 or reused(self.server) == 0:
                    pass
                self.assertEqual(self.server.request("DELETE", path).status_code, 204)
                for _ in range(20):
                    self.assertNotEqual(own.ask()[0], 200)

    def test_what_belongs_to_a_body_is_no_request(self):
        with Connection(self.server) as one:
            for _ in range(3):
                self.assertEqual(one.ask()[0], 200)
            for kind in (b"GET /health", b"POST " + NGSI_LD.encode() + b"/entities"):
                with Connection(self.server) as other:
                    for _ in range(3):
                        self.assertEqual(other.ask()[0], 200)
                    before = reused(self.server)
                    other.send(kind + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (2 * len(one.request)))
                    # In parts of their own, as they would be asked.
                    one.ask()
                    other.send(one.request)
                    one.ask()
                    other.send(one.request)
                    status = other.answer()[0]
                    self.assertEqual(status, 200 if kind.startswith(b"GET") else 400)
                    other.socket.settimeout(0.3)
                    with self.assertRaises(TimeoutError, msg="one request, one answer"):
                        other.answer()
                    self.assertLessEqual(reused(self.server) - before, 2)

    def test_what_is_sent_in_parts_or_ahead_is_answered_in_order(self):
        with Connection(self.server) as one, Connection(self.server, path=NGSI_LD + "/entities/" + ID) as other:
            for _ in range(3):
                page, entity = one.ask(), other.ask()
            for parts in ([one.request + other.request], [one.request[:40], one.request[40:] + other.request], [one.request, other.request]):
                with Connection(self.server) as both:
                    for part in parts:
                        both.send(part)
                    self.assertEqual([both.answer()[2], both.answer()[2]], [page[2], entity[2]])

    def test_one_byte_more_is_another_question(self):
        with Connection(self.server) as page, Connection(self.server, path=PAGE + "&options=keyValues") as simplified:
            for _ in range(10):
                self.assertIsInstance(json.loads(page.ask()[2])[0]["power"], dict)
                self.assertNotIsInstance(json.loads(simplified.ask()[2])[0]["power"], dict)

    def test_what_ends_a_connection_ends_it(self):
        for _ in range(5):
            with Connection(self.server, headers="Connection: close\r\n") as one:
                status, head, _ = one.ask()
                self.assertEqual(status, 200)
                self.assertIn(b"\r\nconnection: close", head.lower())
                self.assertEqual(one.socket.recv(1), b"")


class RulesTest(unittest.TestCase):
    def test_rules_count_at_once_and_who_shows_a_token_is_answered_anew(self):
        conurb, folder = harness.Conurb(), harness.TemporaryFolder.of(type(self))
        data = folder / "data"
        for municipality in ("default", "alder"):
            conurb.create_municipality(data, municipality)
        token = conurb.create_token(data, "alder", "administer")
        rules, source, rows = folder / "rules.yaml", folder / "lamps.yaml", folder / "lamps.csv"
        rules.write_text(NOBODY_READS)
        source.write_text(SOURCE)
        rows.write_text("number,power\n1,40\n")
        done = conurb.import_files(data, "alder", source, rows)
        self.assertEqual(done.returncode, 0, done.stderr)
        tenant = "NGSILD-Tenant: alder\r\n"
        with harness.Server(data, open_access=False) as server:
            with Connection(server, headers=tenant) as anybody, Connection(server, headers=f"{tenant}Authorization: Bearer {token}\r\n") as holder:
                for _ in range(50):
                    self.assertEqual(len(json.loads(anybody.ask()[2])), 1)
                before = reused(server)
                self.assertGreater(before, 0)
                for _ in range(50):
                    self.assertEqual(len(json.loads(holder.ask()[2])), 1)
                self.assertEqual(reused(server), before)

                def check(*_):
                    return True

                with crowd(server, check, headers=tenant):
                    done = conurb.run("policy", "put", rules, "--data", data, "--municipality", "alder")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    for _ in range(20):
                        self.assertNotIn(ID.encode(), anybody.ask()[2])
                self.assertIn(ID.encode(), holder.ask()[2])


class OffTest(unittest.TestCase):
    def test_nothing_is_given_again_where_there_is_no_room_for_it(self):
        folder = harness.TemporaryFolder.of(type(self))
        with harness.Server(folder, environment={"CONURB_HTTP_MICROCACHE_BYTES_MAX": "0"}) as server, Connection(server) as one:
            self.assertEqual(server.post(NGSI_LD + "/entities", lamp(1)).status_code, 201)
            for _ in range(50):
                self.assertEqual(one.ask()[0], 200)
            self.assertEqual(reused(server), 0)


if __name__ == "__main__":
    harness.main()
