"""The fault run of scripts/bench/faults.py in small: kill -9, a slow receiver, one that refuses and one that dies and returns.

    .venv/bin/python Tests/acceptance/test_faults.py .build/release/conurb
"""

import sys
import unittest

import harness

sys.path.append(str(harness.PROJECT / "scripts" / "bench"))

import faults


class FaultTest(unittest.TestCase):
    def test_every_acknowledged_change_reaches_every_receiver_that_lives_whatever_dies_in_between(self):
        folder = harness.TemporaryFolder.of(type(self))
        figures = faults.run(harness.binary_path(), subscription_count=80, rate=200, seconds=8, kills=2, match_every=4, folder=folder)
        self.assertEqual(faults.judged(figures), [], figures)


if __name__ == "__main__":
    harness.main()
