"""What the server takes for a request, in instructions of the processor: a slow-down fails here on any machine, however busy."""

import pathlib
import sys
import unittest

import harness

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench"))
import instructions


class InstructionsTest(unittest.TestCase):
    def test_no_request_takes_more_than_its_ceiling(self):
        if missing := instructions.missing_tools():
            self.skipTest(f"{', '.join(missing)} not installed: instructions were not counted")
        counts = instructions.least(harness.binary_path())
        self.assertEqual(set(counts), set(instructions.ceilings()))
        self.assertEqual(instructions.above(counts), [])


if __name__ == "__main__":
    harness.main()
