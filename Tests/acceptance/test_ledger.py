"""The ledger, verified from outside by Go's own notes and tree (Debian's golang-golang-x-mod-dev): the live log is accepted, and one that was
forged, forked, truncated, reordered or back-dated is refused. Nothing of Conurb's code takes part in the verification (`outside/main.go`).

Needs Go; without it everything here is skipped, aloud.
"""

import base64
import functools
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time
import unittest

import requests

import harness

PACKAGES = pathlib.Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
HERE = pathlib.Path(__file__).resolve().parent
ALDER, BIRCH = "alder", "birch"
WITNESS_SECONDS_MAX = 30
FULL = 256


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Copy:
    """A log as files, served to whoever verifies it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(self.folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def tile_paths(size):
    """The tiles and bundles of a tree of this size (C2SP tlog-tiles); fewer than a thousand of a level."""
    levels = [("entries", size)] + [(str(level), size >> 8 * level) for level in range(3)]
    for name, count in levels:
        for start in range(0, count, FULL):
            width = min(FULL, count - start)
            yield f"tile/{name}/{start // FULL:03d}" + (f".p/{width}" if width < FULL else "")


def bundle(leaves):
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unbundle(data):
    leaves = []
    while data:
        length = int.from_bytes(data[:2], "big")
        leaves.append(data[2:2 + length])
        data = data[2 + length:]
    return leaves


def at(leaf):
    """The time that a leaf says, in milliseconds."""
    return int(leaf.split(b"\n")[1])


def with_time(leaf, time_ms):
    lines = leaf.split(b"\n")
    return b"\n".join([lines[0], str(time_ms).encode(), *lines[2:]])


@unittest.skipUnless(shutil.which("go") and PACKAGES.is_dir(), "Go and golang-golang-x-mod-dev are not installed")
class LedgerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()
        cls.verifier = cls.folder / "outside"
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": str(cls.folder / "cache")}
        built = subprocess.run(["go", "build", "-o", str(cls.verifier), "."], cwd=HERE / "outside", env=environment, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        cls.data = cls.folder / "data"
        for name in (ALDER, BIRCH):
            cls.run_conurb("municipality", "create", name)
        cls.run_conurb("ledger", "witness", "add", "--municipality", ALDER, f"conurb:{BIRCH}")
        cls.key = cls.run_conurb("ledger", "key", "--municipality", ALDER).strip()
        cls.witness = cls.run_conurb("ledger", "key", "--municipality", BIRCH, "--witness").strip()
        cls.server = harness.Server(cls.data)
        cls.enterClassContext(cls.server)
        cls.act(3)
        cls.size = cls.cosigned_size()
        cls.older = cls.folder / "older"
        cls.older.write_bytes(cls.get("checkpoint"))
        # More than one tile of leaves, so that the tree has a second level.
        cls.act(2 * FULL)
        cls.size = cls.cosigned_size()

    @classmethod
    def run_conurb(cls, *arguments, data=None):
        done = cls.conurb.run(*arguments, "--data", data or cls.data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @classmethod
    def act(cls, count):
        """Does something that is recorded."""
        with requests.Session() as session:
            for number in range(count):
                answer = session.post(f"{cls.server.base}/municipalities/{ALDER}/tokens", json={"name": f"team {number}", "right": "read"}, timeout=30)
                assert answer.status_code == 201, answer.text

    @classmethod
    def get(cls, path):
        answer = cls.server.get(f"/ledger/{ALDER}/{path}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.content

    @classmethod
    def cosigned_size(cls):
        """Waits until the newest checkpoint covers everything and the neighbour has signed it too."""
        recorded = len(cls.entries())
        deadline = time.monotonic() + WITNESS_SECONDS_MAX
        while time.monotonic() < deadline:
            lines = cls.get("checkpoint").decode().split("\n")
            if int(lines[1]) == recorded and sum(line.startswith("\u2014") for line in lines) == 2:
                return recorded
            time.sleep(0.1)
        raise AssertionError(f"no co-signed checkpoint of {recorded} acts: {lines}")

    @classmethod
    def entries(cls):
        entries = []
        while page := cls.server.get(f"/ledger/{ALDER}/entries?limit=1000&after={len(entries) - 1}").json():
            entries += page
        return entries

    def verify(self, address, *options, key=None):
        return subprocess.run([str(self.verifier), "verify", "-key", key or self.key, *map(str, options), address],
                              capture_output=True, text=True, timeout=120)

    def assert_accepted(self, *arguments, **options):
        done = self.verify(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_refused(self, reason, *arguments, **options):
        done = self.verify(*arguments, **options)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stdout, reason)

    def fetched(self, name):
        """The live log as files."""
        folder = self.folder / name
        done = self.conurb.run("ledger", "fetch", f"{self.server.base}/ledger/{ALDER}", folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder

    def leaves(self):
        return [leaf for path in tile_paths(self.size) if "entries" in path for leaf in unbundle(self.get(path))]

    def forged(self, name, leaves):
        """A log over any leaves, signed by whoever has stolen the ledger's key."""
        folder = self.folder / name
        lines = "".join(base64.b64encode(leaf).decode() + "\n" for leaf in leaves)
        done = subprocess.run([str(self.verifier), "forge", "-secret", str(self.data / "_keys" / f"{ALDER}.key"), str(folder)],
                              input=lines, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return folder

    # ---- What is right

    def test_the_live_log_is_accepted_with_its_witness_and_what_was_seen_before(self):
        live = f"{self.server.base}/ledger/{ALDER}"
        said = self.assert_accepted(live, "-witness", self.witness, "-older", self.older)
        self.assertEqual(said, f"accepted: {self.size} leaves\n")
        self.assertGreater(self.size, 2 * FULL)

    def test_every_ledger_of_the_installation_is_accepted(self):
        for name in (BIRCH, "_installation"):
            key = self.run_conurb("ledger", "key", "--municipality", name).strip()
            self.assert_accepted(f"{self.server.base}/ledger/{name}", key=key)

    def test_a_faithful_copy_is_accepted_and_so_is_what_its_files_say(self):
        folder = self.fetched("faithful")
        with Copy(folder) as copy:
            self.assert_accepted(copy.address, "-witness", self.witness, "-older", self.older)
        done = self.conurb.run("ledger", "verify", "--key", self.key, "--key", self.witness, "--older", self.older, folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("co-signed by", done.stdout)
        self.assertIn("clean", done.stdout)

    def test_a_copy_that_is_fetched_again_is_held_against_what_was_there_before(self):
        folder = self.fetched("again")
        tiles = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        self.assertEqual(tiles, {"checkpoint", *tile_paths(self.size)})
        (folder / "checkpoint").write_bytes(self.older.read_bytes())
        self.fetched("again")
        self.assertTrue(list(folder.glob("checkpoint.*")))
        done = self.conurb.run("ledger", "verify", "--key", self.key, folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count(self.key.split("+")[0]), 2)
        with Copy(self.forged("other-past", self.leaves()[1:])) as copy:
            self.assertEqual(self.conurb.run("ledger", "fetch", copy.address, folder).returncode, 0)
        self.assert_found_from_files(folder)

    def test_the_forger_makes_logs_as_they_should_be(self):
        """Else what is refused below could be refused for another reason."""
        with Copy(self.forged("honest", self.leaves())) as copy:
            self.assert_accepted(copy.address, "-older", self.older)

    # ---- What is wrong

    def test_another_key_and_a_missing_witness_are_refused(self):
        other = self.run_conurb("ledger", "key", "--municipality", BIRCH).strip()
        live = f"{self.server.base}/ledger/{ALDER}"
        self.assert_refused("checkpoint: note has no verifiable signatures", live, key=other)
        with Copy(self.forged("unwitnessed", self.leaves())) as copy:
            self.assert_refused("1 of 2 keys signed it", copy.address, "-witness", self.witness)

    def test_a_forged_leaf_is_refused(self):
        folder = self.fetched("forged-leaf")
        path = folder / "tile/entries/000"
        leaves = unbundle(path.read_bytes())
        leaves[7] = leaves[8]
        path.write_bytes(bundle(leaves))
        with Copy(folder) as copy:
            self.assert_refused("leaf 7", copy.address)
        self.assert_found_from_files(folder)

    def test_a_forged_hash_is_refused(self):
        for name in ("0/000", "0/001", "1/000.p/2"):
            folder = self.fetched("forged-hash-" + name.replace("/", "-"))
            path = folder / "tile" / name
            data = bytearray(path.read_bytes())
            data[40] ^= 1
            path.write_bytes(data)
            with self.subTest(tile=name), Copy(folder) as copy:
                self.assert_refused("refused", copy.address, "-older", self.older)
            self.assert_found_from_files(folder)

    def test_a_forged_checkpoint_is_refused(self):
        folder = self.fetched("forged-checkpoint")
        path = folder / "checkpoint"
        text = path.read_text()
        path.write_text(text.replace(f"\n{self.size}\n", f"\n{self.size - 1}\n", 1))
        with Copy(folder) as copy:
            self.assert_refused("invalid signature", copy.address)
        self.assert_found_from_files(folder)

    def test_a_forked_log_is_refused_though_its_own_key_signed_it(self):
        leaves = self.leaves()
        leaves[1] = with_time(leaves[1], at(leaves[1]) + 1)
        folder = self.forged("forked", leaves)
        with Copy(folder) as copy:
            self.assert_accepted(copy.address)  # whoever knows nothing else can't tell
            self.assert_refused("forked", copy.address, "-older", self.older)
        self.assert_found_from_files(folder, "--older", self.older)

    def test_a_truncated_log_is_refused(self):
        later = self.folder / "later"
        later.write_bytes(self.get("checkpoint"))
        folder = self.forged("truncated", self.leaves()[:-1])
        with Copy(folder) as copy:
            self.assert_refused("truncated", copy.address, "-older", later)
        self.assert_found_from_files(folder, "--older", later)
        cut = self.fetched("cut")
        bundle_path = cut / "tile/entries/000"
        bundle_path.write_bytes(bundle_path.read_bytes()[:-10])
        with Copy(cut) as copy:
            self.assert_refused("ends early", copy.address)
        self.assert_found_from_files(cut)

    def test_a_reordered_log_is_refused(self):
        folder = self.fetched("reordered")
        path = folder / "tile/entries/000"
        leaves = unbundle(path.read_bytes())
        leaves[20], leaves[21] = leaves[21], leaves[20]
        path.write_bytes(bundle(leaves))
        with Copy(folder) as copy:
            self.assert_refused("leaf 20", copy.address)
        self.assert_found_from_files(folder)
        leaves = self.leaves()
        leaves[0], leaves[1] = leaves[1], leaves[0]
        with Copy(self.forged("reordered-and-signed", leaves)) as copy:
            self.assert_refused("forked|back-dated", copy.address, "-older", self.older)

    def test_a_back_dated_act_is_refused(self):
        leaves = self.leaves()
        leaves.append(with_time(leaves[-1], at(leaves[0]) - 1000))
        folder = self.forged("back-dated", leaves)
        with Copy(folder) as copy:
            self.assert_refused("back-dated", copy.address, "-older", self.older)
        self.assert_found_from_files(folder)

    def assert_found_from_files(self, folder, *options):
        """Conurb's own verifier of files finds it too."""
        done = self.conurb.run("ledger", "verify", "--key", self.key, *options, folder)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\d+ faults")

    # ---- Files at rest

    def test_a_backup_is_verified_from_the_file_alone_and_a_proof_says_what_was_done(self):
        backup, proof = self.folder / "alder.sqlite", self.folder / "act.tlog-proof"
        self.assertEqual(self.conurb.backup(self.data, BIRCH, backup).returncode, 0)
        key = self.run_conurb("ledger", "key", "--municipality", BIRCH).strip()
        proof.write_text(self.run_conurb("ledger", "proof", "--municipality", BIRCH, "0"))
        done = self.conurb.run("ledger", "verify", "--key", key, "--proof", proof, backup)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"act":"municipality-created"', done.stdout)
        without_key = self.conurb.run("ledger", "verify", backup)
        self.assertIn("not verified", without_key.stdout)
        proof.write_text(proof.read_text().replace("index 0", "index 1"))
        self.assertEqual(self.conurb.run("ledger", "verify", "--key", key, "--proof", proof).returncode, 2)

    def test_whoever_may_not_administer_gets_proofs_and_no_entries(self):
        with harness.Server(self.folder / "closed", open_access=False) as closed:
            self.run_conurb("municipality", "create", ALDER, data=self.folder / "closed")
            self.assertEqual(closed.get(f"/ledger/{ALDER}/checkpoint").status_code, 200)
            self.assertEqual(closed.get(f"/ledger/{ALDER}/entries").status_code, 401)
            answer = closed.get(f"/ledger/{ALDER}/proof/0")
            self.assertEqual(answer.status_code, 200)
            said = json.loads(base64.b64decode(answer.text.split("\n")[1].removeprefix("extra ")))
            self.assertEqual(set(said), {"leaf"})
            token = self.conurb.create_token(self.folder / "closed", ALDER, "administer")
            answer = closed.get(f"/ledger/{ALDER}/entries", token=token)
            self.assertEqual([entry["entry"]["act"] for entry in answer.json()], ["municipality-created", "token-created"])
            self.assertEqual(closed.post(f"/ledger/{ALDER}/renewal", None, token=token).status_code, 403)
            erased = closed.request("DELETE", f"/ledger/{ALDER}/entries/1", token=token)
            self.assertEqual(erased.status_code, 204)
            self.assertTrue(closed.get(f"/ledger/{ALDER}/entries", token=token).json()[1]["erased"])


class ActsTest(unittest.TestCase):
    """What is recorded, and what is not. Needs no Go."""

    def test_whatever_an_administrator_does_is_recorded_and_what_is_refused_is_not(self):
        folder, conurb = harness.TemporaryFolder.of(type(self)), harness.Conurb()
        data, source = folder / "data", "airlr-stations"
        self.assertEqual(conurb.create_municipality(data, ALDER).returncode, 0)
        administrator = conurb.create_token(data, ALDER, "administer")
        writer = conurb.create_token(data, ALDER, "write")
        definition = (harness.PROJECT / "examples" / "sources" / f"{source}.yaml").read_bytes()
        registration = {"type": "ContextSourceRegistration", "id": "urn:ngsi-ld:ContextSourceRegistration:1", "endpoint": "http://203.0.113.1:1026",
                        "information": [{"entities": [{"type": "Lamp"}]}]}
        context = {"@context": {"Lamp": "https://example.org/Lamp"}}
        with harness.Server(data, open_access=False) as server:
            def ask(method, path, *statuses, token=administrator, **options):
                answer = server.request(method, path, token=token, municipality=ALDER, **options)
                self.assertIn(answer.status_code, statuses or (200, 201, 204), f"{method} {path}: {answer.text[:300]}")
                return answer

            yaml = {"Content-Type": "application/yaml"}
            ask("PUT", f"/sources/{source}", data=definition, headers=yaml)
            ask("PUT", f"/sources/{source}", 403, token=writer, data=definition, headers=yaml)
            ask("PUT", f"/sources/{source}", 400, data="id: other", headers=yaml)
            ask("DELETE", f"/sources/{source}")
            ask("DELETE", f"/sources/{source}", 404)
            ask("PUT", f"/municipalities/{ALDER}/contexts?url=https://example.org/c", json=context)
            ask("POST", harness.NGSI_LD + "/csourceRegistrations", json=registration)
            ask("POST", harness.NGSI_LD + "/csourceRegistrations", 409, json=registration)
            ask("PATCH", harness.NGSI_LD + f"/csourceRegistrations/{registration['id']}", json={"endpoint": "http://203.0.113.2:1026"})
            ask("DELETE", harness.NGSI_LD + f"/csourceRegistrations/{registration['id']}")
            ask("GET", f"/municipalities/{ALDER}/entities.ndjson")
            ask("GET", f"/municipalities/{ALDER}/entities.ndjson", 403, token=writer)
            ask("GET", f"/municipalities/{ALDER}/backup")
            tokens = ask("GET", f"/municipalities/{ALDER}/tokens").json()
            identifiers = {token["right"]: token["id"] for token in tokens}
            ask("DELETE", f"/municipalities/{ALDER}/tokens/{identifiers['write']}")
            entries = [entry["entry"] for entry in ask("GET", f"/ledger/{ALDER}/entries").json()]
        # The link that the first start prints.
        self.assertEqual([entry["act"] for entry in entries if entry["act"].startswith("account-")], ["account-created", "account-invited"])
        entries = [entry for entry in entries if not entry["act"].startswith("account-")]
        self.assertEqual([entry["act"] for entry in entries], [
            "municipality-created", "token-created", "token-created", "source-declared", "published", "source-withdrawn", "context-kept", "registration-put",
            "registration-put", "registration-removed", "entities-exported", "backup-taken", "token-revoked"])
        self.assertEqual({entry["by"] for entry in entries[3:]}, {f"token:{identifiers['administer']}"})
        self.assertEqual({entry["by"] for entry in entries[:3]}, {"operator"})
        self.assertEqual({entry["purpose"] for entry in entries}, {"administration"})
        self.assertEqual(entries[3]["details"]["classification"], "open")
        self.assertNotIn(administrator, json.dumps(entries))


class KeysTest(unittest.TestCase):
    """Where keys are, and what happens without them. Needs no Go."""

    def test_keys_lie_where_the_setting_says_for_servers_and_commands(self):
        folder, conurb = harness.TemporaryFolder.of(type(self)), harness.Conurb()
        data, keys = folder / "data", folder / "elsewhere"
        environment = {"CONURB_KEYS": str(keys)}
        self.assertEqual(conurb.create_municipality(data, ALDER).returncode, 0)
        key = conurb.run("ledger", "key", "--municipality", ALDER, "--data", data, environment=environment)
        self.assertEqual(key.returncode, 0, key.stderr)
        self.assertTrue((keys / f"{ALDER}.key").is_file())
        self.assertFalse((data / "_keys").exists())
        self.assertEqual((keys / f"{ALDER}.key").stat().st_mode & 0o777, 0o600)
        configuration = folder / "conurb.json"
        configuration.write_text(json.dumps({"keys": str(keys)}))
        with harness.Server(data, "--config", configuration) as server:
            self.assertIn(key.stdout.split("+")[0], server.get(f"/ledger/{ALDER}/checkpoint").text)
        self.assertFalse((data / "_keys").exists())

    def test_an_older_backup_that_was_put_back_is_not_signed_until_the_ledger_is_renewed(self):
        folder, conurb = harness.TemporaryFolder.of(type(self)), harness.Conurb()
        data, backup = folder / "data", folder / "alder.conurb"
        self.assertEqual(conurb.create_municipality(data, ALDER).returncode, 0)
        self.assertEqual(conurb.backup(data, ALDER, backup).returncode, 0)
        conurb.create_token(data, ALDER, "read")
        with harness.Server(data) as server:
            before = server.get(f"/ledger/{ALDER}/checkpoint").text.split("\n")
        self.assertEqual(before[1], "3")
        self.assertEqual(conurb.run("municipality", "remove", "--yes", ALDER, "--data", data).returncode, 0)
        self.assertEqual(conurb.restore(data, ALDER, backup).returncode, 0)
        with harness.Server(data) as server:
            answer = server.get(f"/ledger/{ALDER}/checkpoint")
            self.assertEqual(answer.status_code, 503)
            self.assertIn("conurb ledger renew", answer.json()["detail"])
            self.assertEqual(server.get(f"/ledger/{ALDER}/entries").status_code, 200, "all else goes on")
            self.assertEqual(conurb.run("ledger", "renew", "--municipality", ALDER, "--data", data).returncode, 0)
            after = server.get(f"/ledger/{ALDER}/checkpoint").text.split("\n")
            self.assertNotEqual(after[0], before[0])
        acts = [json.loads(line)["entry"]["act"] for line in
                conurb.run("ledger", "log", "--municipality", "_installation", "--data", data).stdout.splitlines()]
        self.assertEqual(acts, ["municipality-created", "municipality-removed", "municipality-restored"])
        self.assertIn("_installation: 0 entities, 0 changes, 0 instances, 3 acts: clean", conurb.verify(data).stdout)
        self.assertEqual(conurb.backup(data, "_installation", folder / "installation.conurb").returncode, 0)


class CrashTest(unittest.TestCase):
    """kill -9 while acts are done: every act that was answered is in the ledger, and nothing was signed that is not."""

    ROUNDS = int(os.environ.get("ROUNDS", "50")) // 5

    def test_acts_that_were_answered_survive_and_no_checkpoint_is_ahead_of_the_tree(self):
        folder = harness.TemporaryFolder.of(type(self))
        data, conurb = folder / "data", harness.Conurb()
        self.assertEqual(conurb.create_municipality(data, ALDER).returncode, 0)
        key = conurb.run("ledger", "key", "--municipality", ALDER, "--data", data).stdout.strip()
        server, acknowledged, signed = harness.Server(data), set(), []
        try:
            for round_number in range(self.ROUNDS):
                server.start()
                threads = [threading.Thread(target=self.act, args=(server, acknowledged), daemon=True) for _ in range(3)]
                threads.append(threading.Thread(target=self.look, args=(server, signed), daemon=True))
                for thread in threads:
                    thread.start()
                time.sleep(0.3 + 0.1 * (round_number % 7))  # the moment of the crash is what varies here
                server.kill()
                for thread in threads:
                    thread.join(timeout=30)
                kept = folder / "kept"
                options = []
                if signed:
                    kept.write_bytes(signed[-1])
                    options = ["--older", kept]
                verified = conurb.run("ledger", "verify", "--key", key, *options, data / ALDER / "municipality.sqlite")
                self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
                self.assertIn("clean", conurb.verify(data).stdout)
            logged = conurb.run("ledger", "log", "--municipality", ALDER, "--data", data).stdout.splitlines()
            recorded = {json.loads(line)["entry"].get("about") for line in logged}
            self.assertEqual(acknowledged - recorded, set())
            self.assertGreater(len(acknowledged), self.ROUNDS)
            self.assertGreater(len(signed), 1)
        finally:
            if server.process and server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)

    @staticmethod
    def act(server, acknowledged):
        with requests.Session() as session:
            while True:
                try:
                    answer = session.post(f"{server.base}/municipalities/{ALDER}/tokens", json={"name": "crash", "right": "read"}, timeout=20)
                except requests.RequestException:
                    return
                acknowledged.add(answer.json()["id"])

    @staticmethod
    def look(server, signed):
        with requests.Session() as session:
            while True:
                try:
                    answer = session.get(f"{server.base}/ledger/{ALDER}/checkpoint", timeout=20)
                except requests.RequestException:
                    return
                if answer.status_code == 200 and (not signed or signed[-1] != answer.content):
                    signed.append(answer.content)


if __name__ == "__main__":
    harness.main()
