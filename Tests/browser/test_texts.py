"""What can be checked of the pages without a browser: no text is missing in any language, nothing is inline."""

import json
import pathlib
import re
import unittest

RESOURCES = pathlib.Path(__file__).parents[2] / "Sources/Site/Resources"
TEXTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (RESOURCES / "text").glob("*.json") if path.stem != "units"}
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in RESOURCES.glob("*.mustache")}
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in (RESOURCES / "js").glob("*.js")}


STYLES = {path.name: path.read_text(encoding="utf-8") for path in (RESOURCES / "css").glob("*.css")}
FORMS = {"zero", "one", "two", "few", "many", "other"}


def is_plural(tree):
    """Whether this is a text with a form for each plural category (PluralTests.swift says which a language needs)."""
    return isinstance(tree, dict) and "other" in tree and set(tree) <= FORMS


def leaves(tree, path=""):
    """{dotted path: text, list or plural forms} of all leaves."""
    if not isinstance(tree, dict) or is_plural(tree):
        return {path: tree}
    return {key: leaf for name, branch in tree.items() for key, leaf in leaves(branch, f"{path}.{name}".lstrip(".")).items()}


class Texts(unittest.TestCase):
    def test_every_language_has_the_same_keys_and_slots(self):
        english = leaves(TEXTS["en"])
        for language, texts in TEXTS.items():
            other = leaves(texts)
            self.assertEqual(set(english) ^ set(other), set(), language)
            for key, text in english.items():
                self.compare(text, other[key], f"{language} {key}")

    def compare(self, text, other, where):
        slots = lambda value: set(re.findall(r"\{\w+\}", value))
        self.assertEqual(type(text), type(other), where)
        if isinstance(text, list):
            self.assertEqual(len(text), len(other), where)
        elif is_plural(text):
            self.assertEqual(slots(text["other"]), slots(other["other"]), where)
            # A form for one or two may say the number in words, and nothing else may be missing where the number is.
            for form in other.values():
                self.assertLessEqual(slots(form), slots(text["other"]), where)
        else:
            self.assertEqual(slots(text), slots(other), where)

    def test_every_text_that_a_template_names_exists(self):
        known = leaves(TEXTS["en"])
        for name, template in TEMPLATES.items():
            for key in re.findall(r"\{\{(page\.[\w.]+)\}\}", template):
                self.assertIn(key, known, name)

    def test_every_text_that_a_script_names_exists_and_none_is_left_over(self):
        known = set(TEXTS["en"]["script"])
        used = {key for script in SCRIPTS.values() for key in re.findall(r'\btext\("(\w+)"', script)}
        self.assertEqual(used - known, set())
        anywhere = "\n".join(SCRIPTS.values())
        self.assertEqual({key for key in known if f'"{key}"' not in anywhere}, set())


class Sides(unittest.TestCase):
    """Arabic pages are the mirror of the others: no style says left or right, but where a line begins and ends."""

    PHYSICAL = r"(?:margin|padding|border)-(?:left|right)\b|(?<![\w-])(?:left|right)\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)"

    def test_no_style_names_a_side(self):
        for name, text in STYLES.items():
            self.assertEqual(re.findall(self.PHYSICAL, text), [], name)
            for sides in re.findall(r"(?:margin|padding|inset|border-width)\s*:\s*([^;{}()]+);", text):
                values = sides.split()
                self.assertTrue(len(values) < 4 or values[1] == values[3], f"{name}: {sides}")

    def test_every_language_says_where_its_lines_begin(self):
        self.assertEqual({name: text["language"]["direction"] for name, text in TEXTS.items()}, {"ar": "rtl", "en": "ltr", "es": "ltr", "fr": "ltr"})


class Inline(unittest.TestCase):
    def test_no_template_has_an_inline_script_or_style(self):
        for name, template in TEMPLATES.items():
            self.assertEqual(re.findall(r"\sstyle=|\son\w+=|<style|javascript:", template), [], name)
            for tag in re.findall(r"<script[^>]*>", template):
                self.assertTrue("src=" in tag or 'type="application/json"' in tag, f"{name}: {tag}")

    def test_nothing_refers_to_another_server(self):
        for name, text in (TEMPLATES | SCRIPTS | {path.name: path.read_text(encoding="utf-8") for path in RESOURCES.rglob("*.css")}).items():
            foreign = [url for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text) if "www.w3.org" not in url]
            self.assertEqual(foreign, [], name)


if __name__ == "__main__":
    unittest.main()
