"""What the acceptance scripts share: the program under test, a running server, and the closing line.

Every script is a unittest module that also runs alone:  .venv/bin/python Tests/acceptance/test_cli.py .build/release/conurb
It prints what it skipped, why, and ends with "N passed, N failed, N skipped".

The forms of the commands stand in `Conurb` only, so a renamed option is mended in one place.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import requests

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SHARED_DATA = PROJECT.parent / "shared" / "data"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30

# A proxy of the machine is for the world outside, never for a server on loopback.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

NGSI_LD = "/ngsi-ld/v1"
CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"


def binary_path() -> pathlib.Path:
    """The program under test: the environment variable CONURB_BINARY, else the release build of this checkout."""
    return pathlib.Path(os.environ.get("CONURB_BINARY", PROJECT / ".build" / "release" / "conurb")).resolve()


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(extra=None) -> dict:
    """This process's environment without settings of Conurb, so that a developer's shell does not decide a test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONURB_")}
    kept["NO_COLOR"] = "1"
    return kept | (extra or {})


class Conurb:
    """The command line. Each method runs one subcommand to its end and returns a CompletedProcess (text)."""

    def __init__(self, binary=None):
        self.binary = pathlib.Path(binary) if binary else binary_path()

    def run(self, *arguments, environment=None, stdin=None, timeout=120, cwd=None):
        return subprocess.run(
            [str(self.binary), *map(str, arguments)], capture_output=True, text=True, input=stdin, timeout=timeout,
            env=clean_environment(environment), cwd=cwd, errors="replace")

    def import_files(self, data, municipality, source, *files, timeout=600):
        """Runs in the data folder's parent, so that a file of rejected rows lands there and not in the checkout."""
        return self.run("import", "--data", data, "--municipality", municipality, "--source", source, *files, timeout=timeout,
                        cwd=pathlib.Path(data).parent)

    def export(self, data, municipality, *options):
        return self.run("export", "--data", data, "--municipality", municipality, *options)

    def create_municipality(self, data, name):
        return self.run("municipality", "create", name, "--data", data)

    def backup(self, data, municipality, file):
        return self.run("backup", "--data", data, "--municipality", municipality, file)

    def restore(self, data, municipality, file):
        return self.run("restore", "--data", data, "--municipality", municipality, file)

    def list_tokens(self, data, municipality):
        return self.run("token", "list", "--data", data, "--municipality", municipality)

    def revoke_token(self, data, municipality, identifier):
        return self.run("token", "revoke", identifier, "--data", data, "--municipality", municipality)

    def verify(self, data, *options):
        return self.run("verify", "--data", data, *options)

    def create_token(self, data, municipality, right):
        """The secret of a new token: `token create` prints it alone on standard output, all else on standard error."""
        made = self.run("token", "create", "--data", data, "--municipality", municipality, "--right", right,
                        "--name", f"acceptance test, {right}")
        if made.returncode != 0:
            raise AssertionError(f"token create failed with {made.returncode}: {made.stderr}")
        return made.stdout.strip().splitlines()[-1].strip()


class Server:
    """`conurb serve` on a free loopback port. `with Server(data) as server:` starts it and waits until it is ready."""

    def __init__(self, data, *options, binary=None, open_access=True, environment=None, command="serve",
                 start_seconds_max=START_SECONDS_MAX):
        self.binary = pathlib.Path(binary) if binary else binary_path()
        self.data, self.options, self.command = pathlib.Path(data), options, command
        self.open_access, self.environment = open_access, environment
        self.start_seconds_max = start_seconds_max
        self.port = free_port()
        self.process = None
        self.log_path = pathlib.Path(tempfile.mkstemp(prefix="conurb-log-")[1])

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        arguments = [str(self.binary), self.command, "--data", str(self.data)]
        environment = {"CONURB_PORT": str(self.port), "CONURB_HOST": "127.0.0.1"} | (self.environment or {})
        if self.command == "serve":
            arguments += ["--open"] if self.open_access else []
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments + list(map(str, self.options)), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=clean_environment(environment))
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def wait_until_ready(self):
        deadline = time.monotonic() + self.start_seconds_max
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode} before it was ready:\n{self.log_tail()}")
            with contextlib.suppress(requests.RequestException):
                if requests.get(self.base + "/ready", timeout=2).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the server was not ready after {self.start_seconds_max} s:\n{self.log_tail()}")

    def until_said(self, words, seconds_max):
        """Returns once the program wrote these words."""
        deadline = time.monotonic() + seconds_max
        while words not in self.log_path.read_text(errors="replace"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"it did not say {words!r} within {seconds_max} s:\n{self.log_tail()}")
            time.sleep(0.1)

    def kill(self):
        """As a power cut looks from inside: no handler runs, nothing is flushed."""
        self.process.kill()
        self.process.wait(timeout=STOP_SECONDS_MAX)

    def stop(self):
        """The exit status after SIGTERM."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not stop within {STOP_SECONDS_MAX} s of SIGTERM:\n{self.log_tail()}")
        return self.process.returncode if self.process else None

    def log_tail(self, byte_count=4000):
        return self.log_path.read_bytes()[-byte_count:].decode(errors="replace")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.log_path.unlink(missing_ok=True)

    def request(self, method, path, *, municipality=None, token=None, **options):
        headers = dict(options.pop("headers", {}))
        if municipality:
            headers["NGSILD-Tenant"] = municipality
        if token:
            headers["Authorization"] = f"Bearer {token}"
        options.setdefault("timeout", 30)
        return requests.request(method, self.base + path, headers=headers, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, document, **options):
        return self.request("POST", path, json=document, **options)

    def count(self, municipality, token=None, **query):
        """How many entities a query finds, without fetching one."""
        answer = self.get(NGSI_LD + "/entities", params=query | {"count": "true", "limit": 0},
                          municipality=municipality, token=token)
        if answer.status_code != 200:
            raise AssertionError(f"counting {query} gave {answer.status_code}: {answer.text[:500]}")
        return int(answer.headers["NGSILD-Results-Count"])

    def count_within(self, municipality, geometry, **query):
        """How many entities lie within `geometry` (GeoJSON), asked by POST because outlines are longer than URLs may be."""
        selector = {"type": query.pop("type")} if "type" in query else {}
        document = {"type": "Query", "geoQ": {"georel": "within", "geometry": geometry["type"],
                                              "coordinates": geometry["coordinates"]}}
        if selector:
            document["entities"] = [selector]
        answer = self.post(NGSI_LD + "/entityOperations/query?count=true&limit=0", document, municipality=municipality, timeout=120)
        if answer.status_code != 200:
            raise AssertionError(f"counting within an outline gave {answer.status_code}: {answer.text[:500]}")
        return int(answer.headers["NGSILD-Results-Count"])

    def resident_bytes(self, peak=False):
        """Resident memory now, or its peak since the start."""
        field = "VmHWM:" if peak else "VmRSS:"
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        raise AssertionError("no memory figures for the server's process")


class TemporaryFolder:
    """A folder for one test class: `cls.folder = TemporaryFolder.of(cls)` removes it when the class is done."""

    @staticmethod
    def of(test_class):
        path = pathlib.Path(tempfile.mkdtemp(prefix="conurb-test-"))
        test_class.addClassCleanup(shutil.rmtree, path, ignore_errors=True)
        return path


class ProblemAssertions:
    """Mixed into a TestCase: an error is RFC 9457 problem details, with the status it says and a detail for the reader."""

    def assert_problem(self, answer, status, mentions=None):
        allowed = status if isinstance(status, tuple) else (status,)
        body = answer.text[:500]
        self.assertIn(answer.status_code, allowed, f"{answer.request.method} {answer.request.path_url[:200]}: {body}")
        self.assertEqual(answer.headers.get("Content-Type", "").split(";")[0], "application/problem+json", body)
        problem = json.loads(answer.content)
        self.assertIsInstance(problem.get("type"), str, body)
        self.assertIsInstance(problem.get("title"), str, body)
        self.assertEqual(problem.get("status", answer.status_code), answer.status_code, body)
        if mentions:
            self.assertIn(mentions.lower(), (problem.get("detail", "") + problem["title"]).lower(), body)
        return problem


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run_module(module) -> Counts:
    """Runs a unittest module. Skips are repeated loudly at its end."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    for test, reason in result.skipped:
        print(f"SKIPPED: {test}: {reason}")
    # A failing sub-test is listed once for each; the test that holds them counts once. A class or module that failed
    # in its set-up is an _ErrorHolder that was never counted as run: it is one failure of its own.
    def case(test):
        return getattr(test, "test_case", test)
    failed = {case(test).id() for test, _ in result.failures + result.errors} | {
        test.id() for test in result.unexpectedSuccesses}
    skipped = {case(test).id() for test, _ in result.skipped} - failed
    set_up = sum(1 for name in failed | skipped if name.startswith(("setUpClass", "setUpModule", "tearDown")))
    passed = result.testsRun - (len(failed) + len(skipped) - set_up)
    return Counts(passed, len(failed), len(skipped))


def main(module_name="__main__"):
    """The entry of a script run alone: its first argument is the program under test."""
    if len(sys.argv) > 1:
        os.environ["CONURB_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())
    if not binary_path().is_file():
        sys.exit(f"no program at {binary_path()}: run `make build` first, or name it as the first argument")
    counts = run_module(sys.modules[module_name])
    print(counts)
    sys.exit(1 if counts.failed else 0)
