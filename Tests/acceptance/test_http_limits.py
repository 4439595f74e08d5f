"""What a careless or hostile client meets: every refusal is a problem+json with the right status, never a 5xx,
and the server goes on answering others."""

import concurrent.futures
import contextlib
import json
import os
import re
import select
import socket
import time
import unittest

import harness
from harness import NGSI_LD

MEBI = 1024 * 1024
# Small limits, so that the borders can be met quickly. Each is a documented setting.
HEADER_BYTES_MAX = 8192
BODY_SECONDS_MAX = 2
ANSWER_SECONDS_MAX = 2
CONNECTIONS_MAX = 4
RESTING_MAX = 32  # connections that are kept besides when nothing is asked on them
SETTINGS = {
    "CONURB_HTTP_BODY_BYTES_MAX": str(1 * MEBI),
    "CONURB_HTTP_HEADER_BYTES_MAX": str(HEADER_BYTES_MAX),
    "CONURB_HTTP_BODY_SECONDS_MAX": str(BODY_SECONDS_MAX),
    "CONURB_HTTP_IDLE_SECONDS_MAX": "5",
}
SLOW_CLIENT_COUNT = 100
JSON = {"Content-Type": "application/json"}


class LimitsTest(unittest.TestCase, harness.ProblemAssertions):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(harness.TemporaryFolder.of(cls), environment=SETTINGS)
        cls.enterClassContext(cls.server)

    def tearDown(self):
        self.assertEqual(self.server.get("/health", timeout=5).status_code, 200, "the server still answers others")

    def post(self, body, headers=JSON, path="/entities"):
        return self.server.request("POST", NGSI_LD + path, data=body, headers=headers)

    # Bodies

    def test_a_body_over_the_limit_is_refused_with_413(self):
        entity = {"id": "urn:ngsi-ld:Note:big", "type": "Note", "text": {"type": "Property", "value": "x" * (2 * MEBI)}}
        self.assert_problem(self.post(json.dumps(entity)), 413)

    def test_a_chunked_body_is_refused_with_411(self):
        """Clause 6.3.4 of NGSI-LD asks for a Content-Length, so nothing of a body without one is read."""
        answer = self.raw_chunked(b"x" * 65_536, chunk_count=64)
        self.assertIn(b" 411 ", answer.split(b"\r\n", 1)[0])

    def test_a_body_within_the_limit_is_accepted(self):
        entity = {"id": "urn:ngsi-ld:Note:large", "type": "Note", "text": {"type": "Property", "value": "x" * (MEBI // 2)}}
        self.assertEqual(self.post(json.dumps(entity)).status_code, 201)

    def test_deep_nesting_is_refused_with_400(self):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            for depth in (1_000, 50_000):
                with self.subTest(opening=opening, depth=depth):
                    middle = "" if opening == "[" else "1"
                    value = opening * depth + middle + closing * depth
                    body = '{"id":"urn:ngsi-ld:Note:deep","type":"Note","text":{"type":"Property","value":%s}}' % value
                    self.assert_problem(self.post(body), 400)

    def test_what_is_not_json_is_refused_with_400(self):
        """Clauses 4.6.4, 5.5.4, 6.3.2."""
        for body in (b"", b"{", b"[1,", b"nul", b'{"id":1}}', b"\xff\xfe\x00", b'{"id":"\xc3\x28"}', b"{}\x00", b'"text"', b"17", b"null"):
            with self.subTest(body=body):
                self.assert_problem(self.post(body), (400, 411) if body == b"" else 400)

    def test_numbers_that_json_has_not_are_refused(self):
        for number in ("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "1e", "0x10", "1e99999"):
            with self.subTest(number=number):
                body = '{"id":"urn:ngsi-ld:Note:n","type":"Note","n":{"type":"Property","value":%s}}' % number
                self.assert_problem(self.post(body), 400)

    def test_a_refused_body_leaves_nothing_behind(self):
        """Clauses 5.5.4, 5.6.1."""
        entity = {"id": "urn:ngsi-ld:Note:refused", "type": "Note", "good": {"type": "Property", "value": 1},
                  "bad": {"type": "NoSuchKind", "value": 1}}
        self.assert_problem(self.post(json.dumps(entity)), 400)
        self.assertEqual(self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Note:refused").status_code, 404)

    # Media types and methods

    def test_unsupported_media_types_are_refused_with_415(self):
        """Clause 6.3.4."""
        for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "image/png"):
            with self.subTest(media_type=media_type):
                self.assert_problem(self.post(b"{}", {"Content-Type": media_type}), 415)

    def test_an_unacceptable_answer_is_refused_with_406(self):
        """Clause 6.3.4."""
        self.assert_problem(self.server.get(NGSI_LD + "/entities?type=Note", headers={"Accept": "application/pdf"}), 406)

    def test_methods_a_resource_has_not_are_refused_with_405_and_allow(self):
        """Clause 6.3.2."""
        for method, path in (("PUT", "/entities"), ("PATCH", "/types"), ("POST", "/attributes"), ("DELETE", "/entityOperations/query")):
            with self.subTest(method=method, path=path):
                answer = self.server.request(method, NGSI_LD + path, data=b"{}", headers=JSON)
                self.assert_problem(answer, 405)
                self.assertTrue(answer.headers.get("Allow"), "RFC 9110 asks for Allow with 405")

    def test_an_unknown_method_is_refused(self):
        status = self.raw_status(b"BREW /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        self.assertIn(status, (400, 405, 501))  # 501 is what RFC 9110 (9.1) asks for a method nobody knows

    def test_unknown_paths_are_problems(self):
        for path in ("/nowhere", NGSI_LD + "/nowhere", "/ngsi-ld/v9/entities", "/..%2f..%2fetc/passwd"):
            with self.subTest(path=path):
                self.assert_problem(self.server.get(path), (400, 404))

    # Query parameters

    def test_bad_parameters_are_refused_with_400_and_named(self):
        """Clauses 4.9, 4.10, 4.17, 5.5.9.1, 6.4.3.2."""
        for query, field in (("type=Note&limit=-1", "limit"), ("type=Note&limit=many", "limit"),
                             ("type=Note&limit=100000000", "limit"), ("type=Note&offset=-5", "offset"), ("type=Note&q=((((", "q"),
                             ("type=Note&q=" + "(" * 5_000, "q"), ("type=Note&georel=near&geometry=Point&coordinates=[1,2]", "geo"),
                             ("type=Note&georel=within&geometry=Polygon&coordinates=[[", "coordinates"),
                             ("type=Note&idPattern=" + "(a*)*" * 200 + "[", "idPattern"), ("type=(A,(B", "type")):
            with self.subTest(query=query[:80]):
                answer = self.server.get(f"{NGSI_LD}/entities?{query}")
                # Beyond "too many results" (403 in NGSI-LD, 5.5.4) all of these are malformed.
                self.assert_problem(answer, (400, 403), mentions=field)

    def test_a_hostile_pattern_does_not_occupy_the_server(self):
        for number in range(20):
            entity = {"id": f"urn:ngsi-ld:Pattern:{'a' * 60}{number}", "type": "Pattern"}
            self.assertIn(self.post(json.dumps(entity)).status_code, (201, 409))
        started = time.monotonic()
        answer = self.server.get(NGSI_LD + "/entities", params={"type": "Pattern", "idPattern": "urn:ngsi-ld:Pattern:(a+)+$"})
        self.assertLess(time.monotonic() - started, 5)
        self.assertLess(answer.status_code, 500)

    # Headers

    def test_headers_over_the_limit_are_refused_with_431(self):
        for headers in (b"X-Long: " + b"y" * (HEADER_BYTES_MAX + 1) + b"\r\n", b"".join(b"X-%d: y\r\n" % number for number in range(200)),
                        b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(HEADER_BYTES_MAX // 1000 + 1))):
            with self.subTest(headers=headers[:30]):
                self.assert_raw_problem(b"GET /health HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n", 431, "headers-too-large")

    def test_headers_within_the_limit_are_taken(self):
        long = b"X-Long: " + b"y" * (HEADER_BYTES_MAX - 200) + b"\r\n"
        self.assertEqual(self.raw_status(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + long + b"\r\n"), 200)

    def test_headers_far_over_the_limit_do_no_harm(self):
        """The connection may be closed before the client has read why."""
        self.assertIn(self.raw_status(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * MEBI + b"\r\n\r\n"), (400, 431))

    def test_a_long_address_is_refused(self):
        self.assert_raw_problem(b"GET /" + b"a" * (HEADER_BYTES_MAX + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "headers-too-large")

    def test_what_is_not_http_is_refused(self):
        for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" + os.urandom(512)):
            with self.subTest(noise=noise[:20]):
                self.assert_raw_problem(noise, 400, "malformed-request")

    def test_two_lengths_are_refused(self):
        """Two readings of where a request ends let one request hide in another."""
        for headers in (b"Content-Length: 2\r\nContent-Length: 30\r\n", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"):
            with self.subTest(headers=headers):
                request = b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + headers + b"\r\n{}"
                self.assertEqual(self.raw_status(request), 400)

    # Slow clients and many of them

    def test_slow_clients_do_not_keep_others_waiting_and_are_told(self):
        """Half of them stop altogether, half go on byte by byte: each is told after the time that a body may take."""
        slow = [socket.create_connection(("127.0.0.1", self.server.port), timeout=20) for _ in range(SLOW_CLIENT_COUNT)]
        try:
            for connection in slow:
                connection.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
                                   b"Content-Type: application/json\r\n\r\n{")
            started = time.monotonic()
            self.assertEqual(self.server.get("/health", timeout=5).status_code, 200)
            self.assertLess(time.monotonic() - started, 2)
            trickling, answers = set(slow[::2]), {connection: b"" for connection in slow}
            waiting = set(slow)
            while waiting and time.monotonic() - started < BODY_SECONDS_MAX + 15:
                for connection in select.select(waiting, [], [], 0.2)[0]:
                    part = connection.recv(65_536)
                    answers[connection] += part
                    if not part:
                        waiting.discard(connection)
                for connection in trickling & waiting:
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        trickling.discard(connection)
            self.assertFalse(waiting, "each is let go")
            for answer in answers.values():
                head, _, body = answer.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 408 "), head[:40])
                self.assertTrue(json.loads(body)["type"].endswith("/body-too-slow"))
        finally:
            for connection in slow:
                connection.close()

    def test_a_body_that_takes_its_time_within_the_limit_is_taken(self):
        entity = json.dumps({"id": "urn:ngsi-ld:Note:slow", "type": "Note"}).encode()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as connection:
            connection.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n"
                               b"Content-Type: application/json\r\n\r\n" % len(entity))
            for start in range(0, len(entity), 8):
                select.select([], [], [], BODY_SECONDS_MAX / 2 / (len(entity) / 8))
                connection.sendall(entity[start:start + 8])
            self.assertIn(b" 201 ", self.read_until_closed(connection).split(b"\r\n", 1)[0])

    def test_an_upload_that_breaks_off_is_not_taken_for_a_whole_one(self):
        source = ("id: levels\ntitle: Levels\nsteward: Tests\nlicence: CC0-1.0\nclassification: open\nformat: csv\nentity:\n"
                  "  id: \"urn:ngsi-ld:Level:{number}\"\n  type: Level\nattributes:\n  level: {field: level, as: number}\n")
        declared = self.server.request("PUT", "/sources/levels", data=source, headers={"Content-Type": "application/yaml"})
        self.assertLess(declared.status_code, 300, declared.text)
        rows = b"number,level\n1,10.5\n2,20.5\n"
        for sent in (rows[:-3], rows[:-6]):  # cut within a value, which would be another one
            with self.subTest(sent=sent):
                self.raw_answer(b"POST /sources/levels/data HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n"
                                % len(rows) + sent)
                cut = self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Level:2", timeout=5)
                self.assertEqual(cut.status_code, 404, cut.text)
        whole = self.server.request("POST", "/sources/levels/data", data=rows, headers={"Content-Type": "text/csv"})
        self.assertEqual(whole.status_code, 200, whole.text)
        self.assertEqual(self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Level:2").json()["level"]["value"], 20.5)

    def test_a_fault_after_a_request_does_not_answer_it(self):
        entity = json.dumps({"id": "urn:ngsi-ld:Note:followed", "type": "Note"}).encode()
        answer = self.raw_answer(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                                 % len(entity) + entity + b"this is no request\r\n\r\n")
        self.assertIn(b" 201 ", answer.split(b"\r\n", 1)[0])

    def test_who_asks_for_another_protocol_is_answered_and_let_go(self):
        """What reads requests reads none after such a one: it would be waited for in vain, and what is sent on the connection kept in memory."""
        upgrade = "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        entity = json.dumps({"id": "urn:ngsi-ld:Note:upgrade", "type": "Note"})
        post = f"POST {NGSI_LD}/entities HTTP/1.1\r\n{upgrade}Content-Type: application/json\r\nContent-Length: {len(entity)}\r\n\r\n{entity}"
        page = f"GET {NGSI_LD}/entities?type=Note HTTP/1.1\r\n"
        cases = [(post, b" 201 "), (f"GET /version HTTP/1.1\r\n{upgrade}\r\n", b" 200 "), ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", b" 40")]
        cases += [(f"{page}{upgrade}\r\n", b" 200 ")] * 5
        for request, status in cases:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=4) as one:
                one.sendall(request.encode())
                answer = b""
                while part := one.recv(65_536):
                    answer += part
                self.assertIn(status, answer.split(b"\r\n", 1)[0], request)
                self.assertIn(b"\r\nconnection: close\r\n", answer.lower())
        # Of requests sent ahead those before it have their answers.
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=4) as one:
            one.sendall(f"{page}Host: x\r\n\r\n{page}{upgrade}\r\n{page}Host: x\r\n\r\n".encode())
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while part := one.recv(65_536):
                    answer += part
            self.assertEqual(answer.count(b"HTTP/1.1 200 "), 2)

    def test_what_is_sent_behind_a_request_for_another_protocol_is_not_kept(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=0.5) as one:
            one.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            sent, deadline = 0, time.monotonic() + 10
            with self.assertRaises(OSError, msg="the connection is closed, or nothing is taken any more"):
                while time.monotonic() < deadline:
                    sent += one.send(b"x" * MEBI)
            self.assertLess(sent, 64 * MEBI)

    def test_requests_sent_ahead_are_answered_in_their_order(self):
        """Some are answered on the thread of the connection, others elsewhere; the client sees no difference."""
        entity = json.dumps({"id": "urn:ngsi-ld:Note:ahead", "type": "Note", "text": {"type": "Property", "value": "first"}}).encode()
        change = json.dumps({"text": {"type": "Property", "value": "second"}}).encode()

        def request(line, body=None):
            length = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body) if body is not None else b""
            return line + b" HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n" + (body or b"")

        path = b"/ngsi-ld/v1/entities"
        turns = [
            (request(b"POST " + path, entity), 201, None), (request(b"GET /health"), 200, None),
            (request(b"GET " + path + b"/urn:ngsi-ld:Note:ahead"), 200, "first"),
            (request(b"PATCH " + path + b"/urn:ngsi-ld:Note:ahead", change), 204, None),
            (request(b"GET " + path + b"?id=urn:ngsi-ld:Note:ahead&type=Note"), 200, "second"), (request(b"GET /openapi.json"), 200, None),
            (request(b"GET " + path + b"/urn:ngsi-ld:Note:none"), 404, None), (request(b"GET /metrics"), 200, None),
            (request(b"DELETE " + path + b"/urn:ngsi-ld:Note:ahead"), 204, None),
            (request(b"GET " + path + b"/urn:ngsi-ld:Note:ahead"), 404, None),
        ]
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as connection:
            connection.sendall(b"".join(turn[0] for turn in turns) * 3)
            answers = connection.makefile("rb")
            for sent, status, text in turns * 3:
                with self.subTest(sent=sent[:60]):
                    self.assertEqual(int(answers.readline().split()[1]), status)
                    headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(answers.readline, b"\r\n"))
                    body = answers.read(int(headers.get("content-length", 0)))
                    if text:
                        found = json.loads(body)
                        self.assertEqual((found[0] if isinstance(found, list) else found)["text"]["value"], text)

    def test_a_crowd_is_served(self):
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            statuses = set(pool.map(lambda _: self.server.get(NGSI_LD + "/types").status_code, range(400)))
        self.assertEqual(statuses, {200})

    # Raw connections

    def assert_raw_problem(self, request, status, name):
        head, _, body = self.raw_answer(request).partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 %d " % status), head[:80])
        self.assertIn(b"application/problem+json", head)
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["type"].endswith("/" + name), problem)

    def raw_status(self, request):
        """The status of the answer, or 400 where the server closes the connection without a word, which refuses as well."""
        first_line = self.raw_answer(request).split(b"\r\n", 1)[0].split()
        return int(first_line[1]) if len(first_line) > 1 and first_line[1].isdigit() else 400

    def raw_answer(self, request):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it may have answered and closed before it had read everything
            return self.read_until_closed(connection)

    def raw_chunked(self, chunk, chunk_count):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as connection:
            connection.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n")
            try:
                for _ in range(chunk_count):
                    connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                connection.sendall(b"0\r\n\r\n")
            except OSError:
                pass
            return self.read_until_closed(connection)

    @staticmethod
    def read_until_closed(connection):
        """What arrives until the connection is closed, one whole answer is there, or the connection's timeout passes."""
        received = b""
        try:
            while part := connection.recv(65_536):
                received += part
                head, end, body = received.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                if end and length and len(body) >= int(length[1]):
                    break
        except OSError:
            pass
        return received


class ConnectionsTest(unittest.TestCase):
    """One connection more than there may be."""

    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(
            harness.TemporaryFolder.of(cls),
            environment={"CONURB_HTTP_CONNECTIONS_MAX": str(CONNECTIONS_MAX), "CONURB_HTTP_ANSWER_SECONDS_MAX": str(ANSWER_SECONDS_MAX)})
        cls.enterClassContext(cls.server)

    @staticmethod
    def asked(connection):
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        return LimitsTest.read_until_closed(connection)

    def connection(self):
        return self.enterContext(socket.create_connection(("127.0.0.1", self.server.port), timeout=15))

    def test_a_request_too_many_is_told_so_and_served_once_another_has_ended(self):
        half = b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
        busy, answer, deadline = [], b"", time.monotonic() + 15
        while b" 503 " not in answer.split(b"\r\n", 1)[0] and time.monotonic() < deadline:  # each has to have been read
            # One that was not read in time, on a machine that is busy with others, asked for nothing and was closed for the next.
            closed = select.select(busy, [], [], 0)[0]
            busy = [connection for connection in busy if connection not in closed]
            while len(busy) < CONNECTIONS_MAX:
                busy.append(self.connection())
                busy[-1].sendall(half)
            answer = self.asked(self.connection())
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 503 "), head)
        self.assertTrue(json.loads(body)["type"].endswith("/too-many-connections"))
        busy[0].sendall(b"}")
        self.assertIn(b" 400 ", LimitsTest.read_until_closed(busy[0]), "those that were there are served on")
        while b" 200 " not in answer and time.monotonic() < deadline:
            answer = self.asked(self.connection())
        self.assertIn(b" 200 ", answer)

    def test_those_that_ask_nothing_give_up_their_places_at_once(self):
        crowd = []
        for _ in range(RESTING_MAX + CONNECTIONS_MAX):
            crowd += [self.connection(), self.connection()]
            self.assertIn(b" 200 ", self.asked(crowd[-1]))
        started = time.monotonic()
        self.assertIn(b" 200 ", self.asked(self.connection()))
        self.assertLess(time.monotonic() - started, 5, "http.idleSecondsMax is 60")
        self.assertEqual(crowd[0].recv(1), b"", "the one that asked nothing for longest")
        self.assertIn(b" 200 ", self.asked(crowd[-1]), "the last ones stay")

    def that_takes_nothing(self):
        """A connection that has asked for more than it takes."""
        connection = self.enterContext(socket.socket())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(15)
        connection.connect(("127.0.0.1", self.server.port))
        connection.sendall(b"GET /ngsi-ld/v1/entities?type=Note&limit=20 HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection

    def test_those_that_do_not_take_their_answer_are_let_go(self):
        for number in range(20):
            note = {"id": f"urn:ngsi-ld:Note:{number}", "type": "Note", "text": {"type": "Property", "value": "x" * MEBI}}
            self.assertEqual(self.server.request("POST", NGSI_LD + "/entities", data=json.dumps(note), headers=JSON).status_code, 201)
        # Where the machine is so busy that the last comes when the first has been let go, all come again.
        answer, deadline = b"", time.monotonic() + 60
        while b" 503 " not in answer.split(b"\r\n", 1)[0]:
            self.assertLess(time.monotonic(), deadline, "each of them takes a place")
            idle = [self.that_takes_nothing() for _ in range(CONNECTIONS_MAX)]
            for connection in idle:
                connection.recv(1_000)
            answer = self.asked(self.connection())
        answer, deadline = b"", time.monotonic() + ANSWER_SECONDS_MAX + 15
        while b" 200 " not in answer and time.monotonic() < deadline:
            answer = self.asked(self.connection())
        self.assertIn(b" 200 ", answer, "none of them keeps it")


class LargeBodiesTest(unittest.TestCase, harness.ProblemAssertions):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(harness.TemporaryFolder.of(cls), environment={"CONURB_HTTP_LARGE_BODIES_BYTES_MAX": str(4 * MEBI)})
        cls.enterClassContext(cls.server)

    def post(self, name, byte_count):
        entity = {"id": f"urn:ngsi-ld:Note:{name}", "type": "Note", "text": {"type": "Property", "value": "x" * byte_count}}
        return self.server.request("POST", NGSI_LD + "/entities", data=json.dumps(entity), headers=JSON)

    def test_more_than_there_is_memory_for_is_told_to_come_again(self):
        self.assertEqual(self.post("alone", 6 * MEBI).status_code, 201, "one alone is taken whatever its size")
        deadline = time.monotonic() + 10
        while True:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as slow:
                slow.sendall(b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{" % (3 * MEBI))
                answer = self.post("second", 2 * MEBI)
                # Where the second was there first, the slow one was told to come again.
                if answer.status_code == 201 and time.monotonic() < deadline:
                    self.server.request("DELETE", NGSI_LD + "/entities/urn:ngsi-ld:Note:second")
                    continue
                self.assert_problem(answer, 503, "large bodies")
                self.assertEqual(answer.headers.get("Retry-After"), "1")
                self.assertEqual(self.post("small", MEBI // 2).status_code, 201, "small ones do not count")
                break
        deadline = time.monotonic() + 10
        while (answer := self.post("third", 2 * MEBI)).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(answer.status_code, 201, "who left gives back what he held")


if __name__ == "__main__":
    harness.main()
