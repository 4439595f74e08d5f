"""Digital services: the command, and the published schema."""

import json
import pathlib
import unittest

import jsonschema
import yaml

import harness

EXAMPLES = sorted((harness.PROJECT / "examples/services").glob("*.yaml"))


class Text(yaml.SafeLoader):
    """Leaves days as text, as JSON Schema sees them."""


Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.conurb = harness.Conurb()
        self.folder = pathlib.Path(harness.TemporaryFolder.of(type(self)))

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def changed(self, name, old, new):
        """An example in which something is otherwise."""
        text = (harness.PROJECT / "examples/services" / name).read_text()
        self.assertIn(old, text)
        return self.file(name, text.replace(old, new, 1))

    def test_the_examples_have_no_faults(self):
        checked = self.conurb.run("service", "check", *EXAMPLES)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertEqual(checked.stdout, f"{len(EXAMPLES)} services: no faults\n")
        self.assertGreaterEqual(len(EXAMPLES), 8)

    def test_the_faults_of_all_files_are_told_with_line_and_key(self):
        one = self.changed("pothole.yaml", "next: [checked, planned, done, declined]", "next: [checked, plannd, done, declined]")
        two = self.changed("noise.yaml", "type: place", "type: plaice")
        checked = self.conurb.run("service", "check", one, EXAMPLES[0], two)
        self.assertEqual((checked.returncode, checked.stdout), (1, ""))
        line = one.read_text().splitlines().index("    next: [checked, plannd, done, declined]") + 1
        self.assertIn(f"{one}, line {line}: steps[0].next[1]: there is no step plannd in this service; the nearest is planned", checked.stderr)
        self.assertIn("fields[0].type: plaice is not one of text, number, choice, date, place, photo, file, consent, entity; did you mean place?", checked.stderr)
        self.assertIn("2 of 3 files are at fault", checked.stderr)

    def test_two_services_of_one_code_are_refused(self):
        copy = self.file("copy.yaml", EXAMPLES[0].read_text())
        checked = self.conurb.run("service", "check", EXAMPLES[0], copy)
        self.assertEqual(checked.returncode, 1)
        self.assertIn(f"{copy}: {EXAMPLES[0]} is called {EXAMPLES[0].stem} too", checked.stderr)

    def test_consent_is_asked_for_purposes_of_the_list(self):
        path = self.changed("parking-permit.yaml", "dpv:CommunicationManagement", "dpv:ComunicationManagement")
        checked = self.conurb.run("service", "check", path)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("field reminder: dpv:ComunicationManagement is not in the list of purposes; the nearest is dpv:CommunicationManagement", checked.stderr)
        own = self.file("purposes.yaml", "prefixes: {dpv: 'https://w3id.org/dpv#'}\npurposes: [{id: 'dpv:ComunicationManagement', title: T}]\n")
        self.assertEqual(self.conurb.run("service", "check", "--purposes", own, path).returncode, 0)

    def test_a_preview_shows_form_steps_departments_deadlines_and_notices(self):
        shown = self.conurb.run("service", "preview", harness.PROJECT / "examples/services/pothole.yaml", "--language", "fr", "--at", "2026-12-24T15:00:00Z")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        for words in (
                "Nid-de-poule ou chaussée abîmée (pothole)", "1. Où est-ce ? [place, required, public]", "( ) Grand comme une assiette",
                "Voirie secteur nord: in Hôpitaux-Facultés, Mosson", "Voirie secteur sud: all else", "Reçu [open] → Constaté sur place, Réparation prévue, Réparé, Sans suite",
                # A Thursday at four in Paris: one hour is left, Friday is Christmas.
                "A report made at 2026-12-24T16:00:00+01:00 would have to be", "answered by 2026-12-28T11:30:00+01:00 (4 hours), closed by 2026-12-29T17:00:00+01:00 (2 days)",
                "received: Nous avons reçu votre signalement 1234-5678", "public at once; its place exactly; photos after a review"):
            self.assertIn(words, shown.stdout)
        self.assertNotIn("{", shown.stdout)

    def test_every_example_can_be_seen_in_every_language(self):
        for path in EXAMPLES:
            for language in ("en", "fr", "es", "ar"):
                with self.subTest(path.name, language=language):
                    shown = self.conurb.run("service", "preview", path, "--language", language)
                    self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                    self.assertNotIn("more than 10 years ahead", shown.stdout)

    def test_a_language_that_is_not_there_is_refused(self):
        shown = self.conurb.run("service", "preview", EXAMPLES[0], "--language", "de")
        self.assertEqual(shown.returncode, 1)
        self.assertIn("is in en, ar, es, fr", shown.stderr)
        self.assertIn("can't be read", self.conurb.run("service", "preview", self.folder / "none.yaml").stderr)


class SchemaTest(unittest.TestCase):
    def setUp(self):
        self.schema = json.loads((harness.PROJECT / "docs/schemas/service.schema.json").read_text())

    def test_the_examples_are_valid_against_the_published_schema(self):
        validator = jsonschema.Draft202012Validator(self.schema)
        validator.check_schema(self.schema)
        for path in EXAMPLES:
            with self.subTest(path.name):
                validator.validate(yaml.load(path.read_text(), Loader=Text))

    def test_what_the_program_refuses_the_schema_refuses_too(self):
        conurb, folder = harness.Conurb(), pathlib.Path(harness.TemporaryFolder.of(type(self)))
        service = yaml.load((harness.PROJECT / "examples/services/noise.yaml").read_text(), Loader=Text)
        jsonschema.validate(service, self.schema)
        first = service["fields"][0]
        for number, change in enumerate((
                {"id": "Noise"}, {"titel": "x"}, {"fields": []}, {"fields": [first | {"public": True}]}, {"fields": [first | {"type": "plaice"}]},
                {"departments": []}, {"steps": service["steps"][:1]}, {"targets": [{}]}, {"targets": [{"close": "3 weeks"}]},
                {"calendar": service["calendar"] | {"hours": {"monday": "9-17"}}}, {"calendar": service["calendar"] | {"holidays": ["eastre"]}},
                {"reopen": {"within": "soon", "step": "new"}}, {"notices": {"recieved": service["notices"]["received"]}}, {"public": {"when": "never", "place": "exact"}},
                {"public": {"when": "atOnce"}}, {"retention": {"case": "for ever"}})):
            with self.subTest(change):
                self.assertRaises(jsonschema.ValidationError, jsonschema.validate, service | change, self.schema)
                path = folder / f"{number}.yaml"
                path.write_text(yaml.safe_dump(service | change, allow_unicode=True))
                self.assertEqual(conurb.run("service", "check", path).returncode, 1)


if __name__ == "__main__":
    harness.main()
