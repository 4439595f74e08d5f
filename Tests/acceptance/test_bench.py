"""`conurb bench` with nothing but the binary, and `make bench-check`, which fails where a goal was missed.

    .venv/bin/python Tests/acceptance/test_bench.py .build/release/conurb
"""

import copy
import json
import subprocess
import sys
import tempfile
import unittest

import harness

CHECK = harness.PROJECT / "scripts" / "bench" / "doortable.py"


class BenchTest(unittest.TestCase):
    def setUp(self):
        self.folder, self.conurb = harness.TemporaryFolder.of(self), harness.Conurb()

    def figures(self, told):
        self.assertEqual(told.returncode, 0, told.stderr)
        figures = json.loads(told.stdout)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("conurb-bench-")], [], "what was written stays behind")
        return figures

    def test_writes_are_told_beside_sqlite_as_a_table_and_as_json(self):
        told = self.conurb.run("bench", "--entities", 2000, "--folder", self.folder, "--json", self.folder / "figures.json")
        self.assertEqual(told.returncode, 0, told.stderr)
        figures = json.loads((self.folder / "figures.json").read_text())
        self.assertEqual([(some["name"], some["count"]) for some in figures["writes"]], [
            ("created, in batches of 1,000", 2000), ("created one by one, 64 at once", 200), ("an attribute changed, 64 at once", 200)])
        lines = told.stdout.splitlines()
        for some in figures["writes"]:
            self.assertAlmostEqual(some["perSecond"], some["count"] / some["seconds"])
            self.assertAlmostEqual(some["ratio"], some["perSecond"] / some["yardstickPerSecond"])
            line = next(line for line in lines if line.startswith(some["name"]))
            self.assertEqual(line.split()[-3:], [str(int(some["perSecond"])), str(int(some["yardstickPerSecond"])), f"{some['ratio']:.3f}"])
        self.assertTrue(lines[0].startswith(figures["version"]), lines[0])
        self.assertIn(f"{figures['cores']} cores ({figures['processor']})", lines[0])
        self.assertIn(f"Linux {figures['kernel']}", lines[0])
        self.assertGreater(figures["flushMicroseconds"], 0)

    def test_json_alone_is_for_programs(self):
        figures = self.figures(self.conurb.run("bench", "writes", "--entities", 1000, "--folder", self.folder, "--json", "-"))
        self.assertEqual(len(figures["writes"]), 3)

    def test_the_yardstick_inserts_the_documents_that_it_is_given(self):
        documents = self.folder / "documents"
        documents.write_text("".join(json.dumps({"number": number}) + "\n" for number in range(500)))
        figures = self.figures(self.conurb.run("bench", "yardstick", documents, "--folder", self.folder))
        self.assertEqual((figures["documents"], set(figures)), (500, {"documents", "seconds", "processorSeconds"}))
        about = self.figures(self.conurb.run("bench", "yardstick", "--folder", self.folder))
        self.assertEqual(set(about), {"version", "cores", "processor", "memoryBytes", "kernel", "flushMicroseconds"})

    def test_what_cannot_be_measured_is_said(self):
        for arguments, word in [(["--entities", 10], "--entities"), (["--folder", self.folder / "none"], "--folder"), (["yardstick", "none"], "none")]:
            told = self.conurb.run("bench", *arguments)
            self.assertNotEqual(told.returncode, 0, arguments)
            self.assertIn(word, told.stderr)

    def test_help_says_what_it_does(self):
        told = self.conurb.run("bench", "--help")
        for word in ("SQLite", "--json", "yardstick", "history", "writes"):
            self.assertIn(word, told.stdout)


ROW = {"entities": 100_000, "subscriptions": 0, "ratio": 0.9, "processorRatio": 0.9, "p99": 5.0}
MEASUREMENT = {
    "date": "2026-11-27", "version": "conurb", "machine": "a machine", "usual": 100_000, "sizes": [100, 100_000], "startMilliseconds": [50.0],
    "memory": [{"entities": 100_000, "subscriptions": 0, "resident": 100 << 20}],
    "rows": [ROW | {"shape": shape, "connections": connections, "entities": entities} for shape, connections, entities in [
        ("page", 50, 100_000), ("retrieve", 50, 100_000), ("create", 64, 100_000), ("batch-1000", 4, 100_000), ("page-anew", 50, 100_000), ("page-anew", 50, 100)]]}


class CheckTest(unittest.TestCase):
    def check(self, measurement):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(measurement, file)
            file.flush()
            return subprocess.run([sys.executable, CHECK, file.name], capture_output=True, text=True)

    def test_it_ends_well_where_all_goals_are_reached(self):
        told = self.check(MEASUREMENT)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertEqual(len([line for line in told.stdout.splitlines() if line.startswith("reached: ")]), 9)

    def test_each_goal_that_is_missed_fails_it_and_is_named(self):
        def missed(name, change):
            measurement = copy.deepcopy(MEASUREMENT)
            change(measurement)
            told = self.check(measurement)
            self.assertEqual(told.returncode, 1, name)
            self.assertTrue(any(line.startswith(f"NOT reached: {name}") for line in told.stdout.splitlines()), told.stdout)

        missed("page of 20 by type, 100,000 entities:", lambda some: some["rows"][0].update(processorRatio=0.29))
        missed("the same, each answer made anew", lambda some: some["rows"][4].update(ratio=0.29))
        missed("page of 20 by type, made anew, 100,000 entities to 100", lambda some: some["rows"][4].update(ratio=0.5))
        missed("one by identifier", lambda some: some["rows"][1].update(ratio=0.39))
        missed("single creates", lambda some: some["rows"][2].update(ratio=0.14))
        missed("batches of 1,000", lambda some: some["rows"][3].update(ratio=0.29))
        missed("p99", lambda some: some["rows"][1].update(p99=10.0))
        missed("resident memory", lambda some: some["memory"][0].update(resident=150 << 20))
        missed("start to first answer", lambda some: some.update(startMilliseconds=[100.0]))

    def test_figures_without_any_goal_fail_it(self):
        told = self.check(MEASUREMENT | {"rows": [], "memory": [], "startMilliseconds": []})
        self.assertEqual(told.returncode, 1)
        self.assertIn("no goal was measured", told.stderr)


if __name__ == "__main__":
    harness.main()
