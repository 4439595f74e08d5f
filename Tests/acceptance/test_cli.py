"""The command line: help, exit codes, settings, tokens, the lock, backup and restore."""

import gzip
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest

import requests

import harness
from harness import NGSI_LD

SUBCOMMANDS = [
    ["serve"], ["demo"], ["import"], ["export"], ["backup"], ["restore"], ["verify"], ["version"],
    ["municipality"], ["municipality", "create"], ["municipality", "list"], ["municipality", "show"], ["municipality", "remove"],
    ["context"], ["context", "add"], ["context", "list"], ["context", "remove"],
    ["token"], ["token", "create"], ["token", "list"], ["token", "revoke"],
    ["account"], ["account", "add"], ["account", "list"], ["account", "invite"], ["account", "roles"], ["account", "disable"], ["account", "enable"],
    ["account", "remove"],
]
EXIT_USAGE = 64  # EX_USAGE, what swift-argument-parser gives for arguments it does not understand

LAMP = {"id": "urn:ngsi-ld:Streetlight:1", "type": "Streetlight", "powerState": {"type": "Property", "value": "on"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.88, 43.61]}}}


def entities(count):
    return [{"id": f"urn:ngsi-ld:Bench:{number}", "type": "Bench",
             "number": {"type": "Property", "value": number, "unitCode": "C62"},
             "name": {"type": "LanguageProperty", "languageMap": {"en": f"bench {number}", "fr": f"banc {number}"}},
             "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3 + number / 1000, 43 + number / 1000]}}}
            for number in range(count)]


class HelpTest(unittest.TestCase):
    def setUp(self):
        self.conurb = harness.Conurb()

    def test_every_subcommand_explains_itself(self):
        for path in [[]] + SUBCOMMANDS:
            with self.subTest(command=" ".join(path)):
                asked = self.conurb.run(*path, "--help")
                self.assertEqual(asked.returncode, 0, asked.stderr)
                self.assertIn("USAGE: conurb", asked.stdout)
                overview = asked.stdout.partition("USAGE:")[0]
                self.assertRegex(overview, r"\w{3}", "an overview line stands above the usage")

    def test_the_help_names_every_subcommand(self):
        top = self.conurb.run("--help").stdout
        for path in SUBCOMMANDS:
            if len(path) == 1:
                self.assertRegex(top, rf"(?m)^\s+{path[0]}\s")

    def test_version(self):
        for arguments in (["version"], ["--version"]):
            told = self.conurb.run(*arguments)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertRegex(told.stdout, r"\d+\.\d+\.\d+")

    def test_what_it_does_not_understand_is_a_usage_error(self):
        for arguments in (["frobnicate"], ["serve", "--no-such-option"], ["serve", "--port", "many"], ["municipality", "frobnicate"],
                          ["import"], ["serve", "--port", "70000"], ["token", "create", "--municipality", "alder", "--right", "everything"]):
            with self.subTest(arguments=arguments):
                refused = self.conurb.run(*arguments)
                self.assertEqual(refused.returncode, EXIT_USAGE, refused.stdout + refused.stderr)
                self.assertTrue(refused.stderr.strip(), "the reason goes to standard error")

    def test_completion_scripts_are_accepted_by_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            made = self.conurb.run("--generate-completion-script", shell)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertIn("municipality", made.stdout)
            if shutil.which(shell):
                checked = subprocess.run([shell, "-n"], input=made.stdout, capture_output=True, text=True, timeout=30)
                self.assertEqual(checked.returncode, 0, checked.stderr)


class DataFolderTest(unittest.TestCase, harness.ProblemAssertions):
    def setUp(self):
        self.conurb = harness.Conurb()
        self.folder = harness.TemporaryFolder.of(type(self))
        self.data = self.folder / "data"

    def test_the_life_of_a_municipality(self):
        self.assertEqual(self.conurb.create_municipality(self.data, "alder").returncode, 0)
        self.assertNotEqual(self.conurb.create_municipality(self.data, "alder").returncode, 0, "it exists already")
        for bad in ("", "../up", "A B", "a/b", "x" * 300):
            with self.subTest(name=bad):
                self.assertNotEqual(self.conurb.create_municipality(self.data, bad).returncode, 0)
        listed = self.conurb.run("municipality", "list", "--data", self.data)
        self.assertIn("alder", listed.stdout)
        shown = self.conurb.run("municipality", "show", "alder", "--data", self.data)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertNotEqual(self.conurb.run("municipality", "show", "nobody", "--data", self.data).returncode, 0)
        unconfirmed = self.conurb.run("municipality", "remove", "alder", "--data", self.data, stdin="\n")
        self.assertNotEqual(unconfirmed.returncode, 0, "removal asks first; an empty answer is no")
        self.assertIn("alder", self.conurb.run("municipality", "list", "--data", self.data).stdout)
        removed = self.conurb.run("municipality", "remove", "alder", "--data", self.data, "--yes")
        self.assertEqual(removed.returncode, 0, removed.stderr)
        self.assertNotIn("alder", self.conurb.run("municipality", "list", "--data", self.data).stdout)

    def test_contexts_are_added_listed_and_removed(self):
        document = self.folder / "context.jsonld"
        document.write_text(json.dumps({"@context": {"Bench": "https://example.org/terms#Bench"}}))
        url = "https://example.org/terms.jsonld"
        added = self.conurb.run("context", "add", url, document, "--data", self.data)
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertIn(url, self.conurb.run("context", "list", "--data", self.data).stdout)
        self.assertEqual(self.conurb.run("context", "remove", url, "--data", self.data).returncode, 0)
        self.assertNotIn(url, self.conurb.run("context", "list", "--data", self.data).stdout)
        document.write_text("{ this is not JSON")
        self.assertNotEqual(self.conurb.run("context", "add", url, document, "--data", self.data).returncode, 0)

    def test_a_second_process_is_kept_out_with_a_clear_message(self):
        with harness.Server(self.data):
            second = self.conurb.run("serve", "--data", self.data, "--port", harness.free_port(), "--open")
            self.assertNotIn(second.returncode, (0, EXIT_USAGE))
            self.assertIn(str(self.data), second.stderr)
            self.assertRegex(second.stderr.lower(), r"in use|locked|another process")
        with harness.Server(self.data):
            pass  # the lock went with the process

    def test_a_file_of_a_newer_version_is_refused(self):
        self.conurb.create_municipality(self.data, "alder")
        files = [path for path in self.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"
                 and "alder" in str(path)]
        self.assertEqual(len(files), 1, "one municipality, one file")
        connection = sqlite3.connect(files[0])
        connection.execute("INSERT INTO grdb_migrations VALUES ('a migration of a later version')")
        connection.commit()
        connection.close()
        refused = self.conurb.verify(self.data)
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex((refused.stdout + refused.stderr).lower(), r"newer|later")

    def test_damage_is_found_by_verify(self):
        with harness.Server(self.data) as server:
            made = server.post(NGSI_LD + "/entityOperations/create", entities(200), municipality="alder")
            self.assertEqual(made.status_code, 201, made.text[:300])
        self.assertEqual(self.conurb.verify(self.data).returncode, 0)
        files = [path for path in (self.data / "alder").rglob("*") if path.is_file()]
        file = max(files, key=lambda path: path.stat().st_size)
        with open(file, "r+b") as stored:
            stored.seek(file.stat().st_size // 2)
            stored.write(os.urandom(8_192))
        damaged = self.conurb.verify(self.data)
        self.assertNotEqual(damaged.returncode, 0)
        self.assertIn("alder", damaged.stdout + damaged.stderr)

    def test_a_backup_restored_elsewhere_answers_alike(self):
        queries = ["type=Bench&limit=100&orderBy=number", "type=Bench&q=number%3E150&limit=100", "type=Bench&format=simplified&lang=fr&limit=7&offset=3",
                   "type=Bench&georel=near;maxDistance==2000&geometry=Point&coordinates=[3.1,43.1]&limit=100",
                   "type=Bench&count=true&limit=0", "type=Streetlight", "idPattern=.*:1$&type=Bench,Streetlight&options=sysAttrs"]
        paths = [f"{NGSI_LD}/entities?{query}" for query in queries] + [NGSI_LD + "/types", NGSI_LD + "/attributes",
                 NGSI_LD + "/types/Bench", NGSI_LD + "/entities/urn:ngsi-ld:Bench:17"]
        backup = self.folder / "alder.backup"
        with harness.Server(self.data) as server:
            self.assertEqual(server.post(NGSI_LD + "/entityOperations/create", entities(200), municipality="alder").status_code, 201)
            self.assertEqual(server.post(NGSI_LD + "/entities", LAMP, municipality="alder").status_code, 201)
            made = self.conurb.backup(self.data, "alder", backup)
            self.assertEqual(made.returncode, 0, "a backup of a running server: " + made.stderr)
            self.assertTrue(backup.is_file(), "one file")
            before = {path: self.answer(server, path) for path in paths}
            self.assertEqual(server.post(NGSI_LD + "/entities", LAMP | {"id": "urn:ngsi-ld:Streetlight:2"}, municipality="alder").status_code, 201)
        elsewhere = self.folder / "elsewhere"
        restored = self.conurb.restore(elsewhere, "alder", backup)
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertEqual(self.conurb.verify(elsewhere).returncode, 0)
        self.assertNotEqual(self.conurb.restore(elsewhere, "alder", backup).returncode, 0, "what is there is not overwritten unasked")
        with harness.Server(elsewhere) as server:
            for path, expected in before.items():
                with self.subTest(path=path):
                    self.assertEqual(self.answer(server, path), expected)

    def answer(self, server, path):
        got = server.get(path, municipality="alder")
        self.assertEqual(got.status_code, 200, f"{path}: {got.text[:300]}")
        return got.headers.get("NGSILD-Results-Count"), got.json()

    def test_what_is_no_backup_is_refused(self):
        junk = self.folder / "junk.backup"
        junk.write_bytes(os.urandom(10_000))
        refused = self.conurb.restore(self.folder / "fresh", "alder", junk)
        self.assertNotEqual(refused.returncode, 0)
        self.assertNotIn("alder", self.conurb.run("municipality", "list", "--data", self.folder / "fresh").stdout)

    def test_what_is_exported_can_be_imported(self):
        with harness.Server(self.data) as server:
            server.post(NGSI_LD + "/entityOperations/create", entities(50), municipality="alder")
        exported = self.conurb.export(self.data, "alder")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        found = [json.loads(line) for line in exported.stdout.splitlines() if line.strip()]
        self.assertEqual({entity["id"] for entity in found}, {entity["id"] for entity in entities(50)})


class ImportTest(unittest.TestCase):
    """Import with a small source of our own; the metropolis of Montpellier has a script to itself."""

    SOURCE = """\
id: benches
title: Benches
description: Public benches of a made-up town.
steward: Parks department
licence: CC-BY-4.0
classification: open
format: csv
csv:
  separator: ";"
numbers:
  decimal: ","
entity:
  id: "urn:ngsi-ld:Bench:{number}"
  type: Bench
attributes:
  number: {field: number, as: integer}
  length: {field: length, as: number, unit: MTR}
rules:
  - {id: a-bench-has-a-number, field: number, required: true}
  - {id: a-bench-has-the-length-of-a-bench, field: length, range: {min: 0.5, max: 10}}
"""

    def setUp(self):
        self.conurb = harness.Conurb()
        self.folder = harness.TemporaryFolder.of(type(self))
        self.data = self.folder / "data"
        self.source = self.folder / "benches.yaml"
        self.source.write_text(self.SOURCE)
        self.rows = self.folder / "benches.csv"
        self.assertEqual(self.conurb.create_municipality(self.data, "alder").returncode, 0)

    def import_rows(self, *lines):
        self.rows.write_text("number;length\n" + "".join(line + "\n" for line in lines))
        return self.conurb.import_files(self.data, "alder", self.source, self.rows)

    def test_exit_codes_say_whether_anything_was_rejected(self):
        good = self.import_rows("1;2,5", "2;1,75")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        bad = self.import_rows("3;2,5", "4;99", "5;abc")
        self.assertNotIn(bad.returncode, (0, EXIT_USAGE), bad.stdout + bad.stderr)
        rejected = [path for path in self.folder.rglob("*") if path.is_file() and "reject" in path.name]
        self.assertEqual(len(rejected), 1, "rejected rows go to a file beside the input or in the data folder")
        text = rejected[0].read_text()
        self.assertIn("99", text)
        self.assertIn("abc", text)
        self.assertNotIn("2,5", text, "accepted rows are not among them")
        with harness.Server(self.data) as server:
            self.assertEqual(server.count("alder", type="Bench"), 3)

    def test_a_wrong_key_names_its_line_and_the_nearest_key(self):
        self.source.write_text(self.SOURCE.replace("numbers:", "nubmers:"))
        refused = self.import_rows("1;2,5")
        self.assertNotEqual(refused.returncode, 0)
        line_number = self.SOURCE[:self.SOURCE.index("numbers:")].count("\n") + 1
        self.assertRegex(refused.stderr, rf"\b{line_number}\b")
        self.assertIn("numbers", refused.stderr, "the nearest key")

    def test_a_missing_file_or_municipality_is_an_error(self):
        self.assertNotEqual(self.conurb.import_files(self.data, "alder", self.source, self.folder / "none.csv").returncode, 0)
        self.rows.write_text("number;length\n1;2,5\n")
        mistyped = self.conurb.import_files(self.data, "aldre", self.source, self.rows)
        self.assertNotEqual(mistyped.returncode, 0)
        self.assertRegex(mistyped.stderr, r"aldre.*alder")
        self.assertNotIn("aldre", self.conurb.run("municipality", "list", "--data", self.data).stdout, "and none is made by mistake")

    def test_a_new_municipality_is_made_when_asked_for_and_the_first_without(self):
        self.rows.write_text("number;length\n1;2,5\n")
        wanted = self.conurb.import_files(self.data, "birch", self.source, "--create", self.rows)
        self.assertEqual(wanted.returncode, 0, wanted.stderr)
        first = self.conurb.import_files(self.folder / "empty", "birch", self.source, self.rows)
        self.assertEqual(first.returncode, 0, first.stderr)

    def test_gzip_is_read_as_it_is(self):
        packed = self.folder / "benches.csv.gz"
        packed.write_bytes(gzip.compress(b"number;length\n7;1,5\n"))
        done = self.conurb.import_files(self.data, "alder", self.source, packed)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class SettingsTest(unittest.TestCase):
    def setUp(self):
        self.conurb = harness.Conurb()
        self.folder = harness.TemporaryFolder.of(type(self))

    def test_open_is_refused_on_a_host_that_others_can_reach(self):
        file = self.folder / "open.json"
        file.write_text(json.dumps({"open": True}))
        ways = (["serve", "--open"], {}), (["serve"], {"CONURB_OPEN": "true"}), (["serve", "--config", file], {}), (["demo"], {})
        for host in ("0.0.0.0", "::", "192.0.2.1", "conurb.example.org", "127.example.org", "::ffff:192.0.2.1"):
            for arguments, environment in ways:
                with self.subTest(host=host, arguments=arguments, environment=environment):
                    refused = self.conurb.run(*arguments, "--host", host, "--port", harness.free_port(), "--data", self.folder / "d", timeout=20,
                                              environment=environment)
                    self.assertEqual(refused.returncode, 64, refused.stderr)
                    self.assertIn(f"open: authentication can't be switched off on {host}, for others can reach it", refused.stderr)
        self.assertFalse((self.folder / "d").exists())

    def test_open_switches_off_nothing_but_authentication(self):
        lamp = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp"}
        with harness.Server(self.folder / "open") as server:
            def status(method, path, headers=None, body=None):
                return server.request(method, path, headers=headers or {}, json=body).status_code
            address = f"http://127.0.0.1:{server.port}"
            # A page elsewhere has the browser of this machine send something; a page of ours; a program.
            for headers, expected in (({"Origin": "https://elsewhere.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "null"}, 403),
                                      ({"Origin": address}, 201), ({}, 409)):
                with self.subTest(headers=headers):
                    self.assertEqual(status("POST", NGSI_LD + "/entities", headers, lamp), expected)
            # A name of somebody else's that leads here (DNS rebinding), as a browser says it and as a program may.
            browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
            self.assertEqual(status("GET", NGSI_LD + "/types", browser | {"Host": "rebound.example"}), 403)
            for host in ("localhost", "127.0.0.1", "[::1]", f"localhost:{server.port}"):
                self.assertEqual(status("GET", NGSI_LD + "/types", browser | {"Host": host}), 200)
            self.assertEqual(status("GET", NGSI_LD + "/types", {"Host": "rebound.example"}), 200)
            page = server.get("/about")
            self.assertIn("default-src", page.headers["Content-Security-Policy"])
            self.assertEqual(page.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(server.request("POST", NGSI_LD + "/entities", data="x" * (17 << 20), headers={"Content-Type": "application/json"}).status_code, 413)
            # What is done is recorded, and by whom: anybody.
            self.assertEqual(status("PUT", "/municipalities/alder"), 201)
            self.assertEqual(status("POST", "/municipalities/alder/tokens", None, {"name": "for a test", "right": "read"}), 201)
            acts = server.get("/ledger/alder/entries").json()
            self.assertIn(("token-created", "open"), [(act["entry"]["act"], act["entry"]["by"]) for act in acts])

    def test_the_environment_sets_what_options_set(self):
        port = harness.free_port()
        self.assert_serves(port, [], {"CONURB_DATA": str(self.folder / "env"), "CONURB_PORT": str(port), "CONURB_OPEN": "true"})

    def test_a_wrong_setting_keeps_the_server_from_starting_and_is_named(self):
        for number, (key, wrong) in enumerate((
                ("port", "abc"), ("port", "81650000"), ("open", "maybe"), ("createMunicipalities", "perhaps"), ("http", {"bodyBytesMax": "lots"}),
                ("log", {"level": "loud"}), ("history", {"keepRaw": "90 days"}), ("history", {"keepRaw": "P9D", "keepDaily": "P99D"}), ("site", {"timeZone": "Mars/Phobos"}), ("prot", 8080))):
            with self.subTest(key=key, value=wrong):
                file = self.folder / f"wrong-{number}.json"
                file.write_text(json.dumps({key: wrong}))
                refused = self.conurb.run("serve", "--data", self.folder / "d", "--config", file, timeout=20)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn(key, refused.stderr)
        refused = self.conurb.run("serve", "--data", self.folder / "d", environment={"CONURB_PORT": "abc"}, timeout=20)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("port", refused.stderr)

    def test_settings_of_the_demo_are_settings_like_others(self):
        for key, wrong in (("speed", 5000), ("seed", -1), ("municipalities", 3), ("sensors", "many")):
            file = self.folder / f"demo-{key}.json"
            file.write_text(json.dumps({"demo": {key: wrong}}))
            for asked in (["--config", file], {f"CONURB_DEMO_{key.upper()}": str(wrong)}):
                with self.subTest(key=key, asked=asked):
                    options, environment = (asked, None) if isinstance(asked, list) else ([], asked)
                    refused = self.conurb.run("demo", "--data", self.folder / "d", *options, environment=environment, timeout=20)
                    self.assertEqual(refused.returncode, EXIT_USAGE, refused.stderr)
                    self.assertIn(f"demo.{key}", refused.stderr)

    def test_a_demo_goes_on_in_its_own_folder_only(self):
        data = self.folder / "demo"
        small = {"CONURB_DEMO_SENSORS": "10", "CONURB_DEMO_SEED": "3"}
        for _ in range(2):
            with harness.Server(data, command="demo", environment=small) as demo:
                self.assertEqual(demo.get("/ready").status_code, 200)
        other = self.conurb.run("demo", "--data", data, "--sensors", "10", "--seed", "4", timeout=60)
        self.assertEqual(other.returncode, EXIT_USAGE, other.stderr)
        self.assertRegex(other.stderr, r'holds the metropolis of .*"seed":"3"')
        real = self.folder / "real"
        self.assertEqual(self.conurb.create_municipality(real, "town").returncode, 0)
        among = self.conurb.run("demo", "--data", real, timeout=60)
        self.assertEqual(among.returncode, EXIT_USAGE, among.stderr)
        self.assertIn("not simulated", among.stderr)

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for command in ("serve", "demo"):
                with self.subTest(command=command):
                    refused = self.conurb.run(command, "--data", self.folder / f"taken-{command}", "--port", port, timeout=60)
                    self.assertEqual(refused.returncode, 1, refused.stderr)
                    self.assertRegex(refused.stderr, rf"port.*127\.0\.0\.1:{port}.*another program")

    def test_a_mistyped_folder_is_not_an_empty_one(self):
        for command in (("verify",), ("municipality", "list")):
            with self.subTest(command=command):
                refused = self.conurb.run(*command, "--data", self.folder / "mistyped")
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn("mistyped", refused.stderr)
                self.assertFalse((self.folder / "mistyped").exists())

    def test_files_are_for_their_owner_alone(self):
        data = self.folder / "private"
        self.assertEqual(self.conurb.create_municipality(data, "town").returncode, 0)
        for path in (data, *data.rglob("*")):
            with self.subTest(path=path.name):
                self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_one_damaged_file_hides_no_other_municipality(self):
        data = self.folder / "one-damaged"
        for name in ("broken", "whole"):
            self.assertEqual(self.conurb.create_municipality(data, name).returncode, 0)
        (data / "broken" / "municipality.sqlite").write_bytes(b"not a database at all" * 500)
        checked = self.conurb.verify(data)
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("broken", checked.stdout)
        self.assertIn("not a municipality's file", checked.stdout)
        self.assertRegex(checked.stdout, r"whole: .*clean")
        with harness.Server(data) as server:
            for page in ("/", "/sources", "/table?municipality=whole", "/live/layers"):
                with self.subTest(page=page):
                    self.assertEqual(server.get(page).status_code, 200)

    def test_a_configuration_file_sets_what_options_set(self):
        port = harness.free_port()
        file = self.folder / "conurb.json"
        file.write_text(json.dumps({"data": str(self.folder / "file"), "port": port, "open": True, "host": "127.0.0.1"}))
        self.assert_serves(port, ["--config", str(file)], {})

    def test_an_option_wins_over_the_environment_and_that_over_the_file(self):
        file = self.folder / "order.json"
        wrong, right = harness.free_port(), harness.free_port()
        file.write_text(json.dumps({"data": str(self.folder / "order"), "port": wrong, "open": True}))
        self.assert_serves(right, ["--config", str(file)], {"CONURB_PORT": str(right)})
        self.assert_serves(right, ["--config", str(file), "--port", str(right)], {"CONURB_PORT": str(wrong)})

    def test_a_missing_or_broken_configuration_file_is_an_error(self):
        broken = self.folder / "broken.json"
        broken.write_text("{")
        for file in (self.folder / "none.json", broken):
            refused = self.conurb.run("serve", "--config", file, "--data", self.folder / "d2", timeout=20)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(file.name, refused.stderr)

    def assert_serves(self, port, arguments, environment):
        process = subprocess.Popen([str(self.conurb.binary), "serve", *arguments], env=harness.clean_environment(environment),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        server = harness.Server(self.folder)
        server.log_path.unlink()
        server.port, server.process = port, process
        try:
            for _ in range(200):
                self.assertIsNone(process.poll(), "the server ended: " + (process.stderr.read().decode() if process.poll() is not None else ""))
                try:
                    if server.get("/ready", timeout=2).status_code == 200:
                        answer = server.get(NGSI_LD + "/types")
                        self.assertEqual(answer.status_code, 200, "--open came from the setting")
                        return
                except requests.RequestException:
                    pass
                time.sleep(0.05)
            self.fail(f"nothing answers on port {port}")
        finally:
            server.stop()
            process.stderr.close()


class TokenTest(unittest.TestCase, harness.ProblemAssertions):
    """Who may do what, as a matrix: no token, a wrong one, reading, writing, administration, and another municipality's."""

    @classmethod
    def setUpClass(cls):
        cls.conurb = harness.Conurb()
        cls.data = harness.TemporaryFolder.of(cls) / "data"
        for name in ("alder", "birch"):
            made = cls.conurb.create_municipality(cls.data, name)
            assert made.returncode == 0, made.stderr
        cls.tokens = {"none": None, "wrong": "no-such-token"}
        for right in ("read", "write", "administer"):
            cls.tokens[right] = cls.conurb.create_token(cls.data, "alder", right)
        cls.tokens["elsewhere"] = cls.conurb.create_token(cls.data, "birch", "administer")
        cls.server = harness.Server(cls.data, open_access=False)
        cls.enterClassContext(cls.server)
        made = cls.server.post(NGSI_LD + "/entities", LAMP, municipality="alder", token=cls.tokens["write"])
        assert made.status_code == 201, made.text

    CHANGE = {"powerState": {"type": "Property", "value": "off"}}
    # Without a token, what is not classified `open` is not there at all: 404, not a refusal that would tell of it.
    MATRIX = [  # operation, then the status for each holder:                  none wrong read write administer elsewhere
        ("GET", "/entities/urn:ngsi-ld:Streetlight:1", None,                  (404, 401, 200, 200, 200, 401)),
        ("GET", "/entities?type=Streetlight", None,                           (200, 401, 200, 200, 200, 401)),
        ("GET", "/types", None,                                               (200, 401, 200, 200, 200, 401)),
        ("POST", "/entities", LAMP,                                           (401, 401, 403, 409, 409, 401)),
        ("PATCH", "/entities/urn:ngsi-ld:Streetlight:1", CHANGE,              (401, 401, 403, 204, 204, 401)),
        ("POST", "/entityOperations/upsert", [LAMP],                          (401, 401, 403, 204, 204, 401)),
        ("DELETE", "/entities/urn:ngsi-ld:Streetlight:none", None,            (401, 401, 403, 404, 404, 401)),
    ]

    def test_the_matrix(self):
        for method, path, document, statuses in self.MATRIX:
            for (holder, token), status in zip(self.tokens.items(), statuses, strict=True):
                with self.subTest(operation=f"{method} {path}", holder=holder):
                    answer = self.server.request(method, NGSI_LD + path, json=document, municipality="alder", token=token)
                    if status < 400:
                        self.assertEqual(answer.status_code, status, answer.text[:300])
                    else:
                        self.assert_problem(answer, status)
                    if status == 401:
                        self.assertIn("Bearer", answer.headers.get("WWW-Authenticate", ""), "RFC 6750, section 3")

    def test_what_is_not_open_is_neither_shown_nor_counted_without_a_token(self):
        self.assertEqual(self.server.get(NGSI_LD + "/entities?type=Streetlight", municipality="alder").json(), [])
        self.assertEqual(self.server.count("alder", type="Streetlight"), 0)
        self.assertEqual(self.server.count("alder", token=self.tokens["read"], type="Streetlight"), 1)
        self.assertNotIn("Streetlight", self.server.get(NGSI_LD + "/types", municipality="alder").text)

    def test_probes_need_no_token(self):
        for path in ("/health", "/ready"):
            self.assertEqual(self.server.get(path).status_code, 200)

    def test_tokens_are_stored_hashed(self):
        stored = b"".join(path.read_bytes() for path in self.data.rglob("*") if path.is_file())
        for holder in ("read", "write", "administer", "elsewhere"):
            self.assertNotIn(self.tokens[holder].encode(), stored)

    def test_a_token_is_made_and_revoked_while_the_server_runs(self):
        token = self.conurb.create_token(self.data, "birch", "read")
        self.assertEqual(self.server.get(NGSI_LD + "/types", municipality="birch", token=token).status_code, 200)
        listed = self.conurb.list_tokens(self.data, "birch")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertNotIn(token, listed.stdout, "a token is shown once")
        line = next(line for line in listed.stdout.splitlines() if re.search(r"\bread\b", line))
        identifier = re.search(r"\b[0-9a-f]{12}\b", line)[0]
        revoked = self.conurb.revoke_token(self.data, "birch", identifier)
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        self.assert_problem(self.server.get(NGSI_LD + "/types", municipality="birch", token=token), 401)
        self.assertNotEqual(self.conurb.revoke_token(self.data, "birch", identifier).returncode, 0, "it is gone already")


class StoppingTest(unittest.TestCase):
    def test_sigterm_ends_it_with_status_0_and_keeps_what_was_acknowledged(self):
        data = harness.TemporaryFolder.of(type(self))
        with harness.Server(data) as server:
            self.assertEqual(server.post(NGSI_LD + "/entities", LAMP).status_code, 201)
            self.assertEqual(server.stop(), 0)
        with harness.Server(data) as server:
            self.assertEqual(server.get(NGSI_LD + "/entities/" + LAMP["id"]).status_code, 200)

    def test_metrics_and_probes(self):
        with harness.Server(harness.TemporaryFolder.of(type(self))) as server:
            server.get(NGSI_LD + "/types")
            metrics = server.get("/metrics")
            self.assertEqual(metrics.status_code, 200)
            self.assertTrue(metrics.headers["Content-Type"].startswith("text/plain"))
            for line in metrics.text.splitlines():
                self.assertRegex(line, r'^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eEinfNa]+( \d+)?|)$')


if __name__ == "__main__":
    harness.main()
