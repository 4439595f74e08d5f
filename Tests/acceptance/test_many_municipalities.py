"""A thousand municipalities on one installation, though only some of their files can be open at once."""

import concurrent.futures
import unittest

import requests

import harness
from harness import NGSI_LD

MUNICIPALITY_COUNT = 1_000
# Fewer than there are municipalities by far; many files are closed and opened again while the test runs.
RESIDENT_MEBI_MAX = 400


class ManyMunicipalitiesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.data = cls.folder / "data"
        cls.names = [f"town{number:04d}" for number in range(MUNICIPALITY_COUNT)]
        cls.server = harness.Server(cls.data)
        cls.enterClassContext(cls.server)

    def in_parallel(self, work):
        """`work(session, index, name)` for every municipality, four at a time, in an order that returns to closed files."""
        def part(offset):
            with requests.Session() as session:
                return [work(session, index, self.names[index]) for index in range(offset, MUNICIPALITY_COUNT, 4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return [answer for answers in pool.map(part, range(4)) for answer in answers]

    def test_each_keeps_its_own(self):
        def write(session, index, name):
            lamp = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "level": {"type": "Property", "value": index}}
            return session.post(f"{self.server.base}{NGSI_LD}/entities", json=lamp, headers={"NGSILD-Tenant": name}, timeout=60).status_code

        def read(session, index, name):
            answer = session.get(f"{self.server.base}{NGSI_LD}/entities/urn:ngsi-ld:Lamp:1?format=simplified",
                                 headers={"NGSILD-Tenant": name}, timeout=60)
            return answer.status_code == 200 and answer.json()["level"] == index

        self.assertEqual(set(self.in_parallel(write)), {201})
        self.assertTrue(all(self.in_parallel(read)))
        self.assertEqual(self.server.get("/ready").status_code, 200)
        self.assertLess(self.server.resident_bytes(peak=True), RESIDENT_MEBI_MAX * 1024 ** 2)
        listed = harness.Conurb().run("municipality", "list", "--data", self.data)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(sum(name in listed.stdout for name in self.names), MUNICIPALITY_COUNT)


if __name__ == "__main__":
    harness.main()
