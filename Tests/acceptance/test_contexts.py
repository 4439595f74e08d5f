"""Contexts from other servers: had once, used as long as they may be, and never waited for without end.

    .venv/bin/python Tests/acceptance/test_contexts.py .build/release/conurb

A server of ours plays the origins: one that redirects, one that says how long its documents live, one that never answers, one that
sends a body byte by byte.
"""

import http.server
import json
import socket
import threading
import time
import unittest

import harness
from harness import NGSI_LD

HOSTED = "/jsonldContexts"


class Origin:
    """Serves `documents` by path; `requests` are the paths that were asked for."""

    def __init__(self):
        self.documents, self.headers, self.requests, self.stopped = {}, {}, [], threading.Event()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                origin.requests.append(self.path)
                if self.path == "/never":
                    origin.stopped.wait(60)
                elif self.path == "/drip":
                    self.drip()
                elif self.path.startswith("/moved"):
                    self.send_response(302)
                    self.send_header("Location", self.path.replace("moved", "moved-on") if self.path.startswith("/moved-on") else "/good")
                    self.end_headers()
                elif self.path in origin.documents:
                    self.answer(origin.documents[self.path])
                else:
                    self.send_error(404)

            def answer(self, document):
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(200)
                for name, value in origin.headers.get(self.path, {"Content-Type": "application/ld+json"}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def drip(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/ld+json")
                self.end_headers()
                while not origin.stopped.wait(0.2):
                    self.wfile.write(b" ")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A reader that goes away in the middle of a body is what these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


class ContextsTest(unittest.TestCase, harness.ProblemAssertions):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.close)
        cls.origin.documents["/good"] = {"@context": {"depth": "https://example.org/depth"}}
        cls.server = harness.Server(harness.TemporaryFolder.of(cls), "--allow-private-egress")
        cls.enterClassContext(cls.server)

    def tell(self, name, context, municipality=None):
        """Creates an entity with a context."""
        entity = {"id": f"urn:ngsi-ld:Note:{name}", "type": "Note", "depth": {"type": "Property", "value": 1}, "@context": context}
        return self.server.request("POST", NGSI_LD + "/entities", data=json.dumps(entity), headers={"Content-Type": "application/ld+json"},
                                   municipality=municipality)

    def refused(self, context, status, seconds_max):
        started = time.monotonic()
        problem = self.assert_problem(self.tell("refused", context), status)
        self.assertLess(time.monotonic() - started, seconds_max)
        return problem

    def test_a_document_is_had_once_and_listed_as_cached(self):
        """Clauses 5.13.1, 5.13.3, 5.13.4.4, 5.13.5.4, 6.29.3.2, 6.30."""
        url = self.origin.url("/listed")
        self.origin.documents["/listed"] = {"@context": {"depth": "https://example.org/depth"}}
        self.origin.headers["/listed"] = {"Content-Type": "application/ld+json", "Cache-Control": "max-age=3600"}
        for number in range(3):
            self.assertEqual(self.tell(f"listed{number}", url).status_code, 201)
        self.assertEqual(self.origin.requests.count("/listed"), 1)
        self.assertIn(url, self.server.get(NGSI_LD + HOSTED + "?kind=Cached").json())
        found = [context for context in self.server.get(NGSI_LD + HOSTED + "?details=true").json() if context["URL"] == url]
        self.assertEqual([context["kind"] for context in found], ["Cached"])
        self.assertIn("expiresAt", found[0])
        one = f"{NGSI_LD}{HOSTED}/{url.replace('/', '%2F')}"
        self.assert_problem(self.server.get(one), 422)
        self.assertEqual(self.server.request("DELETE", one + "?reload=true").status_code, 204)
        self.assertEqual(self.origin.requests.count("/listed"), 2)
        self.assertEqual(self.server.request("DELETE", one).status_code, 204)
        self.assert_problem(self.server.get(one + "?details=true"), 404)

    def test_a_document_that_cannot_be_had_is_a_504_at_once(self):
        """Clauses 5.5.6, 6.3.2."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        problem = self.refused(f"http://127.0.0.1:{port}/c.jsonld", 504, seconds_max=2)
        self.assertTrue(problem["type"].endswith("/LdContextNotAvailable"))
        self.refused(self.origin.url("/nothing"), 504, seconds_max=2)

    def test_a_server_that_never_answers_is_waited_for_once_and_not_for_long(self):
        for path in ("/never", "/drip"):
            with self.subTest(path=path):
                self.refused(self.origin.url(path), 504, seconds_max=8)
                self.refused(self.origin.url(path), 504, seconds_max=1)

    def test_redirections_are_followed_and_have_a_limit(self):
        self.assertEqual(self.tell("moved", self.origin.url("/moved")).status_code, 201)
        self.refused(self.origin.url("/moved-on"), 504, seconds_max=5)

    def test_a_page_that_names_its_context_leads_there(self):
        self.origin.documents["/page"] = b"<!doctype html><title>Vocabulary</title>"
        self.origin.headers["/page"] = {"Content-Type": "text/html", "Link": '</good>; rel="alternate"; type="application/ld+json"'}
        self.assertEqual(self.tell("page", self.origin.url("/page")).status_code, 201)

    def test_what_is_no_context_is_bad_data(self):
        """Clauses 5.5.6, 5.5.7."""
        documents = (("text", b"not JSON"), ("no-context", {"depth": "https://example.org/depth"}), ("number", {"@context": 5}),
                     ("large", {"@context": {f"t{number}": f"https://example.org/{number}" for number in range(20_001)}}),
                     ("scoped", {"@context": {"depth": {"@id": "https://example.org/depth", "@context": {}}}}),
                     ("self", {"@context": self.origin.url("/self")}), ("a", {"@context": ["b"]}), ("b", {"@context": ["a"]}))
        self.origin.documents |= {"/" + name: document for name, document in documents}
        for name, _ in documents:
            with self.subTest(name=name):
                self.refused(self.origin.url("/" + name), 400, seconds_max=5)
        self.assert_problem(self.tell("nested", [[{"depth": 5}]]), 400)
        self.assertEqual(self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Note:refused").status_code, 404)

    def test_documents_lead_to_documents_and_the_last_one_wins(self):
        """Clause 4.4."""
        self.origin.documents["/outer"] = {"@context": ["good", {"Note": "https://example.org/Note"}]}
        context = [self.origin.url("/outer"), {"depth": "https://example.org/other"}]
        self.assertEqual(self.tell("outer", context).status_code, 201)
        entity = self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Note:outer").json()
        self.assertEqual(entity["type"], "https://example.org/Note")
        self.assertIn("https://example.org/other", entity)

    def test_what_takes_more_than_a_context_may_is_a_504(self):
        self.origin.documents["/huge"] = b'{"@context": {"x": "https://example.org/' + b"x" * (5 << 20) + b'"}}'
        self.refused(self.origin.url("/huge"), 504, seconds_max=8)

    def test_after_a_restart_it_is_there_without_its_origin(self):
        """Clause 5.13.1."""
        data = harness.TemporaryFolder.of(type(self))
        self.origin.documents["/gone"] = {"@context": {"Note": "https://example.org/Gone"}}
        url = self.origin.url("/gone")
        for _ in range(2):
            with harness.Server(data, "--allow-private-egress") as server:
                answer = server.get(NGSI_LD + "/entities?type=Note", headers={
                    "Link": f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'})
                self.assertEqual(answer.status_code, 200, answer.text)
            self.origin.documents.pop("/gone", None)
        self.assertEqual(self.origin.requests.count("/gone"), 1)


if __name__ == "__main__":
    harness.main()
