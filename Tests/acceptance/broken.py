"""Scenarios of scripts/break as tests."""

import importlib
import sys

import harness

sys.path[:0] = [str(harness.PROJECT / "scripts" / folder) for folder in ("break", "bench")]

import run


class ScenarioAssertions:
    """Mixed into a TestCase."""

    def assert_promises_kept(self, name, seed=1, rounds=None):
        """- rounds: as many as a quick run of the scenario has where none are given."""
        rounds = rounds or importlib.import_module(name).QUICK_ROUNDS
        print(f"{name}: seed {seed}, {rounds} rounds", flush=True)
        outcome = run.run(name, harness.binary_path(), seed, rounds)
        if outcome.skipped:
            self.skipTest(outcome.skipped)
        self.assertEqual(outcome.faults, [], f"{name}, seed {seed}, {rounds} rounds: {outcome.figures}")
