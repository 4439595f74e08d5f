"""schemathesis makes requests of the OpenAPI document: none is answered by a 5xx, none by a status or in a media type that the document does not say.

A short run of a fixed seed is part of `make test`. CONURB_SCHEMATHESIS=100 asks for so many requests of each operation, and for those at the borders of
what the document allows: some minutes.
"""

import json
import os
import pathlib
import subprocess
import unittest

import harness

SCHEMATHESIS = harness.PROJECT / ".venv" / "schemathesis" / "bin" / "st"
EXAMPLES = int(os.environ.get("CONURB_SCHEMATHESIS", 0))
EXAMPLES_STANDARD = 2
SECONDS_MAX = 600 if not EXAMPLES else 7200
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"
# It goes on until the client leaves.
ENDLESS = ("/live/events",)


class SchemathesisTest(unittest.TestCase):
    def setUp(self):
        if not SCHEMATHESIS.is_file():
            self.skipTest("schemathesis is not installed: scripts/install-dependencies test")

    def document(self, server):
        """What is not described is an error here, so the answer that stands for all others is left out."""
        document = server.get("/openapi.json").json()
        for path in ENDLESS:
            del document["paths"][path]
        for item in document["paths"].values():
            for operation in item.values():
                del operation["responses"]["default"]
        path = server.data / "openapi.json"
        path.write_text(json.dumps(document))
        return path, sum(map(len, document["paths"].values()))

    def run_against(self, folder, token=None):
        with harness.Server(folder, open_access=token is None) as server:
            document, operation_count = self.document(server)
            self.assertGreater(operation_count, 200)
            options = ["--phases", "coverage,fuzzing" if EXAMPLES else "fuzzing", "--max-examples", EXAMPLES or EXAMPLES_STANDARD]
            if token:
                options += ["--header", f"Authorization: Bearer {token}"]
            environment = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(pathlib.Path(__file__).parent)}
            run = subprocess.run(
                [SCHEMATHESIS, "--no-color", "run", document, "--url", server.base, "--header", "NGSILD-Tenant: alder", "--checks", CHECKS,
                 "--generation-deterministic", "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--request-timeout", "30",
                 *map(str, options)],
                env=harness.clean_environment(environment), capture_output=True, text=True, timeout=SECONDS_MAX, cwd=server.data, check=False)
            print(run.stdout[-1200:])
            self.assertEqual(run.returncode, 0, run.stdout[-20000:] + run.stderr[-2000:])
            self.assertEqual(server.get("/ready").status_code, 200)

    def test_whoever_asks_the_answer_is_described(self):
        folder = harness.TemporaryFolder.of(type(self))
        harness.Conurb().create_municipality(folder, "alder")
        self.run_against(folder)

    def test_an_administrator_gets_no_other_answers(self):
        folder = harness.TemporaryFolder.of(type(self))
        harness.Conurb().create_municipality(folder, "alder")
        self.run_against(folder, harness.Conurb().create_token(folder, "alder", "administer"))


if __name__ == "__main__":
    harness.main()
