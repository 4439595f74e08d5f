"""The description of the interface at /openapi.json is valid OpenAPI and fits the running server."""

import re
import unittest

import openapi_spec_validator

import harness


class OpenAPITest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(harness.TemporaryFolder.of(cls))
        cls.enterClassContext(cls.server)
        answer = cls.server.get("/openapi.json")
        assert answer.status_code == 200, answer.text[:500]
        cls.media_type = answer.headers["Content-Type"]
        cls.document = answer.json()

    def operations(self):
        methods = {"get", "put", "post", "patch", "delete", "head", "options"}
        for path, item in self.document["paths"].items():
            for method in methods & set(item):
                yield method, path, item[method]

    def test_it_is_valid(self):
        self.assertTrue(self.media_type.startswith(("application/json", "application/openapi+json",
                                                    "application/vnd.oai.openapi+json")), self.media_type)
        openapi_spec_validator.validate(self.document)

    def test_every_operation_says_what_it_is_and_how_it_fails(self):
        for method, path, operation in self.operations():
            with self.subTest(operation=f"{method} {path}"):
                self.assertTrue(operation.get("summary") or operation.get("description"))
                self.assertTrue(any(status[0] == "2" or status[0] == "3" for status in operation["responses"]))
                takes_input = operation.get("requestBody") or operation.get("parameters") or "{" in path
                if takes_input:
                    self.assertTrue(any(status[0] == "4" or status == "default" for status in operation["responses"]),
                                    "an operation with input can be used wrongly: its 4xx answers are missing")

    def test_operation_names_are_unique(self):
        names = [operation["operationId"] for _, _, operation in self.operations() if "operationId" in operation]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_the_ngsi_ld_operations_are_there(self):
        described = {(method, path.rstrip("/")) for method, path, _ in self.operations()}
        described = {(method, path if path.startswith("/ngsi-ld") else "/ngsi-ld/v1" + path) for method, path in described} | described
        for method, path in [("get", "/entities"), ("post", "/entities"), ("get", "/entities/{entityId}"),
                             ("patch", "/entities/{entityId}"), ("put", "/entities/{entityId}"),
                             ("delete", "/entities/{entityId}"), ("post", "/entities/{entityId}/attrs"),
                             ("post", "/entityOperations/upsert"), ("post", "/entityOperations/query"),
                             ("get", "/temporal/entities"), ("post", "/temporal/entities"), ("get", "/temporal/entities/{entityId}"),
                             ("delete", "/temporal/entities/{entityId}"), ("post", "/temporal/entities/{entityId}/attrs"),
                             ("delete", "/temporal/entities/{entityId}/attrs/{attrId}"),
                             ("patch", "/temporal/entities/{entityId}/attrs/{attrId}/{instanceId}"),
                             ("delete", "/temporal/entities/{entityId}/attrs/{attrId}/{instanceId}"),
                             ("post", "/temporal/entityOperations/query"),
                             ("get", "/types"), ("get", "/attributes"), ("post", "/jsonldContexts")]:
            with self.subTest(operation=f"{method} {path}"):
                self.assertIn((method, "/ngsi-ld/v1" + path), described)

    def test_every_error_that_is_provoked_is_described(self):
        """Every operation on things that are not there, with bodies that are none, and with a token that is none."""
        closed = harness.Server(harness.TemporaryFolder.of(type(self)), open_access=False)
        self.enterContext(closed)
        bodies = [(None, None), (b"", "application/json"), (b"{", "application/json"), (b"{}", "application/json"), (b"[]", "application/json"),
                  (b"[{}]", "application/ld+json"), (b"text", "text/plain")]
        for method, path, operation in self.operations():
            if path in ("/live/events",):
                continue  # it goes on until the client leaves
            filled = re.sub(r"\{(\w+)\}", lambda found: "urn:ngsi-ld:Nothing:1" if found[1] == "entityId" else "nothing", path)
            described = set(operation["responses"]) - {"default"}
            for server, token in ((self.server, None), (closed, None), (closed, "conurb_nothing_" + "0" * 64)):
                for body, media_type in bodies if "requestBody" in operation else bodies[:1]:
                    headers = {"Content-Type": media_type} if media_type else {}
                    answer = server.request(method.upper(), filled, token=token, data=body, headers=headers, allow_redirects=False)
                    with self.subTest(operation=f"{method} {path}", body=body, open=server is self.server, token=token is not None):
                        self.assertIn(str(answer.status_code), described, answer.text[:300])
                        self.assertNotEqual(answer.status_code, 500, answer.text[:300])

    def test_every_described_path_is_served(self):
        """A described GET without path parameters is never answered by "no such route"."""
        for method, path, _ in self.operations():
            if method != "get" or "{" in path or "event" in path or "stream" in path:
                continue
            prefix = self.document.get("servers", [{}])[0].get("url", "")
            with self.subTest(path=path):
                answer = self.server.get((prefix if prefix.startswith("/") else "").rstrip("/") + path, stream=True)
                answer.close()
                self.assertNotIn(answer.status_code, (404, 405, 500, 501), f"GET {path}")


if __name__ == "__main__":
    harness.main()
