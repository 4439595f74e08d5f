"""Runs every acceptance script, then the browser tests against a running demo; ends with one line of totals.

    .venv/bin/python Tests/acceptance/run_all.py .build/release/conurb [NAME...]

NAME restricts the run to scripts whose name contains it ("cli", "browser"). Some of the longest scripts run beside the other acceptance
scripts, one after the other in a process of their own, and their output follows.
"""

import contextlib
import importlib
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
BROWSER = HERE.parent / "browser"
sys.path[:0] = [str(HERE), str(BROWSER)]

import harness

# Small enough to be ready soon, large enough that every layer of the page has something to show.
DEMO_OPTIONS = ("--seed", "7", "--municipalities", "8", "--sensors", "400", "--speed", "20")
DEMO_START_SECONDS_MAX = 300
# About half of the time that all take, and none asserts anything about time.
BESIDE = ("test_montpellier", "test_recorded_series", "test_retention", "test_import_crash", "test_instructions")


def run_browser(names):
    """The browser modules read BASE_URL. They see a demo of a fixed seed, so that what they look for is there."""
    with tempfile.TemporaryDirectory(prefix="conurb-demo-") as data:
        demo = harness.Server(data, *DEMO_OPTIONS, command="demo", start_seconds_max=DEMO_START_SECONDS_MAX)
        with demo:
            # What is shown of it is counted anew after some seconds only: nobody looks before it is there.
            demo.until_said("The metropolis lives", DEMO_START_SECONDS_MAX)
            os.environ["BASE_URL"] = demo.base
            # Scripts before may have imported it for a server of their own.
            sys.modules.pop("browser", None)
            total = harness.Counts()
            # What looks at history comes last: a demonstration that has just begun knows little of some kinds.
            for path in sorted(names, key=lambda path: path.stem == "test_explore"):
                total += harness.run_module(importlib.import_module(path.stem))
            return total


def guarded(name, run):
    """One part's counts. A part that cannot even start is a failure of that part and does not hide the others."""
    print(f"\n--- {name} ---", flush=True)
    started = time.monotonic()
    try:
        counts = run()
    except Exception:
        traceback.print_exc(file=sys.stdout)
        counts = harness.Counts(failed=1)
    print(f"{name}: {counts} ({time.monotonic() - started:.0f} s)", flush=True)
    return counts


def run_beside(names, log, pipe):
    """In another process: sends the counts of each part, and leaves their output in a file."""
    with open(log, "w", buffering=1) as output:
        sys.stdout = sys.stderr = output
        for name in names:
            pipe.send((name, guarded(name, lambda: harness.run_module(importlib.import_module(name)))))


class Beside:
    """Parts that run while others do."""

    def __init__(self, names, folder):
        self.names, self.log = names, pathlib.Path(folder) / "beside.log"
        self.pipe, other = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=run_beside, args=(names, self.log, other))
        self.process.start()
        other.close()

    def counts(self):
        """By part. One of which the process said nothing before it died has failed."""
        counts = {name: harness.Counts(failed=1) for name in self.names}
        with contextlib.suppress(EOFError):
            for _ in self.names:
                name, found = self.pipe.recv()
                counts[name] = found
        self.process.join()
        print(self.log.read_text() if self.log.exists() else f"{self.names} left no output", flush=True)
        return counts


def main():
    if len(sys.argv) > 1:
        os.environ["CONURB_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())
    if not harness.binary_path().is_file():
        sys.exit(f"no program at {harness.binary_path()}: run `make build` first, or name it as the first argument")
    wanted = sys.argv[2:]

    def chosen(folder):
        return [path for path in sorted(folder.glob("test_*.py"))
                if not wanted or any(word in str(path.relative_to(HERE.parent)) for word in wanted)]

    parts = {}
    names = [path.stem for path in chosen(HERE)]
    with tempfile.TemporaryDirectory(prefix="conurb-beside-") as folder:
        others = [name for name in names if name in BESIDE] if len(names) > len(BESIDE) else []
        beside = Beside(others, folder) if others else None
        for name in names:
            if name not in others:
                parts[name] = guarded(name, lambda: harness.run_module(importlib.import_module(name)))
        if beside:
            parts |= beside.counts()
    browser_modules = chosen(BROWSER)
    if browser_modules:
        parts["browser"] = guarded("browser", lambda: run_browser(browser_modules))

    print("\n=== Python part ===")
    total = harness.Counts()
    for name, counts in parts.items():
        print(f"{name:24} {counts}")
        total += counts
    if total.skipped:
        print(f"SKIPPED: {total.skipped} tests did not run; the reasons stand above, after \"SKIPPED:\".")
    print(total)
    sys.exit(1 if total.failed or not parts else 0)


if __name__ == "__main__":
    main()
