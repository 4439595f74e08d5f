"""Rules of access: the command, the published schema, and decisions held against Cedar, an engine that others wrote."""

import itertools
import json
import os
import pathlib
import unittest

import jsonschema
import yaml

import cedar_oracle
import harness

# CONURB_ORACLE_POLICIES=100000 runs as many policies, each with REQUESTS_PER_POLICY requests; CONURB_ORACLE_SEED begins elsewhere.
POLICY_COUNT = int(os.environ.get("CONURB_ORACLE_POLICIES", "2000"))
FIRST_SEED = int(os.environ.get("CONURB_ORACLE_SEED", "1"))
REQUESTS_PER_POLICY = 8
BATCH = 500


class Text(yaml.SafeLoader):
    """Leaves days as text, as JSON Schema sees them."""


Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class CedarTest(unittest.TestCase):
    def test_decisions_are_those_of_cedar(self):
        request_count, shown_count = 0, 0
        batches = -(-POLICY_COUNT // BATCH)
        for seed in range(FIRST_SEED, FIRST_SEED + batches):
            batch = cedar_oracle.Batch(seed, BATCH, REQUESTS_PER_POLICY)
            ours, theirs = batch.conurb(harness.binary_path()), batch.cedar()
            differences = list(batch.differences(ours, theirs))
            if differences:
                self.fail(f"seed {seed}: {len(differences)} differences, first {batch.describe(*differences[0])}")
            request_count += sum(map(len, ours))
            shown_count += sum(map(cedar_oracle.is_shown, itertools.chain(*ours)))
        print(f"seeds {FIRST_SEED} to {FIRST_SEED + batches - 1}: {batches * BATCH} policies, {request_count} requests, "
              f"{shown_count} permitted; 0 differences")
        # Were nearly all refused, agreement would say little.
        self.assertGreater(shown_count, request_count * 0.1)
        self.assertLess(shown_count, request_count * 0.9)

    def test_the_comparison_notices_when_one_side_leaves_out_any_kind_of_condition(self):
        batch = cedar_oracle.Batch(0, BATCH, REQUESTS_PER_POLICY)
        ours = batch.conurb(harness.binary_path())
        self.assertEqual(list(batch.differences(ours, batch.cedar())), [])
        for kind in cedar_oracle.KINDS:
            with self.subTest(kind):
                self.assertIsNotNone(next(batch.differences(ours, batch.cedar(without=kind)), None))


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.conurb = harness.Conurb()
        self.folder = pathlib.Path(harness.TemporaryFolder.of(type(self)))

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_the_shipped_policy_has_no_faults_and_holds_its_tests(self):
        checked = self.conurb.run("policy", "check")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertIn("no faults", checked.stdout)
        tested = self.conurb.run("policy", "test")
        self.assertEqual(tested.returncode, 0, tested.stdout)
        self.assertIn(" 0 do not", tested.stdout)

    def test_a_fault_names_file_line_and_key(self):
        path = self.file("faulty.yaml", "rules:\n  - id: a\n    effect: permit\n    who: {roles: [auditr]}\n    actions: read\n    what: everything\n")
        checked = self.conurb.run("policy", "check", path)
        self.assertEqual(checked.returncode, 1)
        self.assertIn(f"{path}, line 4: rules[0].who.roles[0]: auditr is not one of", checked.stderr)
        self.assertIn("did you mean auditor?", checked.stderr)

    def test_a_test_that_does_not_hold_is_named_and_the_exit_code_is_2(self):
        rules = self.file("rules.yaml", "rules:\n  - {id: a, effect: permit, who: anyone, actions: read, what: everything}\n")
        tests = self.file("tests.yaml", "tests:\n  - name: Nobody sees it\n    action: read\n    resource: {classification: personal}\n    expect: refuse\n")
        tested = self.conurb.run("policy", "test", rules, tests)
        self.assertEqual(tested.returncode, 2)
        self.assertIn(f"{tests}, line 2: Nobody sees it\n  expected refuse, found permit (a)", tested.stdout)
        self.assertIn("1 tests: 0 hold, 1 do not", tested.stdout)

    def test_rules_without_tests_cannot_be_tested(self):
        rules = self.file("alone.yaml", "rules: []\n")
        tested = self.conurb.run("policy", "test", rules)
        self.assertEqual(tested.returncode, 1)
        self.assertIn("none of the files has tests", tested.stderr)

    def test_explain_says_who_could_see_a_thing_and_which_rule_says_so(self):
        explained = self.conurb.run("policy", "explain", "--classification", "special", "--type", "CareRequest", "--attribute", "name")
        self.assertEqual(explained.returncode, 0, explained.stderr)
        parties, current = {}, None
        for line in explained.stdout.splitlines():
            if line.startswith(" "):
                parties[current].append(line.strip())
            else:
                current = line
                parties[current] = []
        self.assertEqual(parties["anonymous"], ["for any purpose or none: refuse (no rule permits it)"])
        self.assertEqual(parties["token-reader"], ["for any purpose or none: permit (tokens-read)", "name: shown"])
        self.assertIn("for dpv:LegalCompliance, dpv:RightsFulfillment: permit (officer-fulfils-rights)", parties["data-protection-officer"])
        self.assertIn("for dpv:ServiceProvision, with the person's consent: permit (department-special-with-consent)", parties["owner-department"])

    def test_decide_answers_lines(self):
        question = {"action": "read", "resource": {"classification": "open"}, "attributes": ["name"]}
        decided = self.conurb.run("policy", "decide", stdin=json.dumps({"questions": [question, question | {"action": "write"}]}) + "\n")
        self.assertEqual(json.loads(decided.stdout)["answers"], [
            {"decision": "permit", "rules": ["open-data"], "attributes": {"name": {"access": "shown"}}},
            {"decision": "refuse", "rules": [], "attributes": {"name": {"access": "hidden"}}}])
        faulty = self.conurb.run("policy", "decide", stdin=json.dumps({"questions": [question | {"action": "look"}]}) + "\n")
        self.assertEqual(faulty.returncode, 1)
        self.assertIn("line 1 of standard input: line 1: action: look is not one of", faulty.stderr)


class SchemaTest(unittest.TestCase):
    def test_files_are_valid_against_the_published_schema(self):
        schema = json.loads((harness.PROJECT / "docs/schemas/policy.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        files = [*(harness.PROJECT / "policies").glob("*.yaml"), *(harness.PROJECT / "examples/policies").glob("*.yaml")]
        self.assertGreater(len(files), 3)
        for path in files:
            with self.subTest(path.name):
                validator.validate(yaml.load(path.read_text(), Loader=Text))

    def test_what_the_program_refuses_the_schema_refuses_too(self):
        schema = json.loads((harness.PROJECT / "docs/schemas/policy.schema.json").read_text())
        rule = {"id": "a", "effect": "permit", "who": "anyone", "actions": "read", "what": "everything"}
        jsonschema.validate({"rules": [rule]}, schema)
        for change in ({"effect": "allow"}, {"who": {"roles": ["king"]}}, {"who": {}}, {"actions": "look"}, {"what": {"typs": "Bus"}},
                       {"consent": "asked"}, {"narrow": {"aggregates": {"k": 1}}}, {"from": "tomorrow"}, {"id": "A"}, {"colour": "red"}):
            with self.subTest(change):
                self.assertRaises(jsonschema.ValidationError, jsonschema.validate, {"rules": [rule | change]}, schema)


if __name__ == "__main__":
    harness.main()
