"""What scripts/break breaks on purpose, in small; the whole of it is `make break`. Killing is test_crash.py.

    .venv/bin/python Tests/acceptance/test_break.py .build/release/conurb
"""

import unittest

import broken
import harness


class BreakTest(unittest.TestCase, broken.ScenarioAssertions):
    def test_a_full_disk_is_said_and_passes(self):
        self.assert_promises_kept("disk")

    def test_a_disk_that_fails_is_said_and_passes(self):
        self.assert_promises_kept("failing")

    def test_a_clock_that_jumps_loses_nothing_and_holds_up_nothing(self):
        self.assert_promises_kept("clock")

    def test_a_crowd_of_idle_and_slow_connections_is_let_go(self):
        self.assert_promises_kept("crowd")

    def test_peers_that_break_off_leave_nothing_half_done(self):
        self.assert_promises_kept("peers")

    def test_restarts_in_quick_turn_lose_nothing(self):
        self.assert_promises_kept("restarts")

    def test_a_second_process_on_a_data_directory_is_refused(self):
        self.assert_promises_kept("two")

    def test_a_damaged_file_is_said_and_holds_up_no_other(self):
        self.assert_promises_kept("damage")


if __name__ == "__main__":
    harness.main()
