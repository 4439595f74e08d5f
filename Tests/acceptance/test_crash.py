"""kill -9 in the middle of concurrent writes, many times over: no acknowledged write is lost, none is half there (scripts/break/kill.py).

    .venv/bin/python Tests/acceptance/test_crash.py .build/release/conurb        (ROUNDS=50 unless set)
"""

import os
import random
import unittest

import broken
import harness

ROUNDS = int(os.environ.get("ROUNDS", "50"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1_000_000))))


class CrashTest(unittest.TestCase, broken.ScenarioAssertions):
    def test_acknowledged_writes_survive_kill_9(self):
        self.assert_promises_kept("kill", SEED, ROUNDS)


if __name__ == "__main__":
    harness.main()
