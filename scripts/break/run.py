#!/usr/bin/env python3
"""Breaks things on purpose and says whether the promises held: each scenario replaces its own section of docs/reliability.md.

    .venv/bin/python scripts/break/run.py .build/release/conurb [SCENARIO ...] [--seed N] [--rounds N] [--no-write]

Without a name every scenario runs, which takes an hour. Ends with 1 and a line for each promise that was broken.
"""

import argparse
import datetime
import importlib
import pathlib
import sys
import time
import traceback

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "scripts" / "break"), str(PROJECT / "scripts" / "bench"), str(PROJECT / "Tests" / "acceptance")]

import bench
import harness
import sections
from ground import Ground, Skip

REPORT = PROJECT / "docs" / "reliability.md"
INTRODUCTION = ("<!-- break: start, written by scripts/break/run.py -->", "<!-- break: end -->")
TITLES = {
    "kill": "Killed at random instants",
    "disk": "Disk full",
    "failing": "A disk that fails and is slow",
    "clock": "A clock that jumps",
    "crowd": "Idle and slow connections",
    "peers": "Peers that break off",
    "restarts": "Restart storm",
    "two": "Two processes on one data directory",
    "damage": "Damaged files",
    "memory": "256 MiB of memory",
}
FAULTS_SHOWN_MAX = 12


class Outcome:
    """What one scenario came to."""

    def __init__(self, name, module, ground, seconds, skipped=None):
        self.name, self.module, self.seconds, self.skipped = name, module, seconds, skipped
        self.seed, self.rounds, self.figures, self.faults = ground.seed, ground.rounds, ground.figures, ground.faults

    @property
    def verdict(self):
        return f"skipped: {self.skipped}" if self.skipped else f"{len(self.faults)} promises broken" if self.faults else "kept"

    def section(self, version):
        figures = "".join(f"| {name} | {value if isinstance(value, str) else f'{value:,}'} |\n" for name, value in self.figures.items())
        # Several times the same fault is told once.
        broken = "".join(f"- {text[:400]}\n" for text in list(dict.fromkeys(self.faults))[:FAULTS_SHOWN_MAX])
        return f"""\
### {TITLES[self.name]}: {self.verdict if self.skipped else f"**{self.verdict}**"}

{self.module.__doc__.strip()}

{self.rounds} rounds with seed {self.seed} in {self.seconds:.0f} s, on {datetime.date.today().isoformat()} with {version}. Again:
`.venv/bin/python scripts/break/run.py .build/release/conurb {self.name} --seed {self.seed} --rounds {self.rounds}`
{chr(10) + '| | |' + chr(10) + '|---|---:|' + chr(10) + figures if figures else ''}{chr(10) + broken if broken else ''}"""


def run(name, binary, seed, rounds=None, say=print):
    """The outcome of one scenario. What it throws counts as a broken promise."""
    module = importlib.import_module(name)
    ground, started, skipped = Ground(name, binary, seed, rounds or module.ROUNDS, say), time.monotonic(), None
    try:
        with ground:
            module.run(ground)
    except Skip as reason:
        skipped = str(reason)
    except Exception as error:
        traceback.print_exc()
        ground.fault(f"{type(error).__name__}: {error}")
    return Outcome(name, module, ground, time.monotonic() - started, skipped)


def introduction():
    return f"""\
## Broken on purpose

Written by `scripts/break/run.py` on {bench.machine()}; `make break` runs all of it. Each part says what was done, with which seed, what was counted, whether
the promises held, and the line that runs it again. A seed gives the same requests and the same faults; when exactly they meet is up to the machine. The promises: nothing that was
acknowledged is lost, nothing half-written is seen, what is refused leaves nothing behind, and the server says what is wrong.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(TITLES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, help="instead of the number that each scenario has")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/reliability.md alone")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(TITLES):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(TITLES)}")
    version = harness.Conurb(options.binary.resolve()).run("version").stdout.strip().splitlines()[0]
    broken = []
    for name in options.scenarios or TITLES:
        print(f"{name}: {TITLES[name]}", flush=True)
        outcome = run(name, options.binary, options.seed, options.rounds, lambda text: print(text, flush=True))
        print(f"{'SKIPPED: ' if outcome.skipped else ''}{name}: {outcome.verdict} ({outcome.seconds:.0f} s)\n{outcome.section(version)}", flush=True)
        broken += [f"{name}: {fault}" for fault in outcome.faults]
        if not options.no_write:
            sections.write(REPORT, "Reliability", introduction(), INTRODUCTION)
            sections.write(REPORT, "Reliability", outcome.section(version), (f"<!-- break {name}: start -->", f"<!-- break {name}: end -->"))
    sys.exit("\n".join(list(dict.fromkeys(broken))[:20]) if broken else 0)


if __name__ == "__main__":
    main()
