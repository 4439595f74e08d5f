"""A headless Chromium for the tests of the pages, and the few questions we ask it.

Environment:
  BASE_URL     address of a running installation whose values move, e.g. http://127.0.0.1:1026
  SCREENSHOTS  folder for a picture of every page, language, theme and width (optional)
  AXE          path of axe.min.js; else the copy inside the Python package axe-playwright-python
  CHROMIUM, CHROMEDRIVER  paths; else Debian's
"""

import importlib.util
import json
import os
import pathlib
import shutil
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

BASE_URL = os.environ.get("BASE_URL", "").rstrip("/")
SCREENSHOTS = os.environ.get("SCREENSHOTS")
WAIT_SECONDS = 60
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_source():
    """The text of axe-core. A missing axe-core is an error: an accessibility test that cannot look must not pass."""
    given = os.environ.get("AXE")
    if given:
        return pathlib.Path(given).read_text(encoding="utf-8")
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        raise RuntimeError("axe-core is missing: pip install -r Tests/browser/requirements.txt, or set AXE")
    return (pathlib.Path(package.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


class Browser:
    """One Chromium with an empty profile, `width` by `height` CSS pixels."""

    def __init__(self, width=1440, height=900, language="en", dark=False, base=BASE_URL):
        self.base = base
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("CHROMIUM") or shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--lang={language}"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(WAIT_SECONDS)
        self.resize(width, height)
        self.emulate(dark)

    def close(self):
        self.driver.quit()

    def resize(self, width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", size)

    def emulate(self, dark):
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                    {"name": "prefers-reduced-motion", "value": "reduce"}]
        self.command("Emulation.setEmulatedMedia", {"features": features})

    def command(self, name, parameters=None):
        return self.driver.execute_cdp_cmd(name, parameters or {})

    def open(self, path):
        self.driver.get(self.base + path)

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)

    def until(self, script, what, *values):
        """Waits until `script` returns something true, and returns it; `what` is the sentence of the failure."""
        return WebDriverWait(self.driver, WAIT_SECONDS, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(script, *values), f"never came true: {what}")

    def until_ready(self):
        """The page has what it loads: the map its places and its feed, the others their text."""
        self.until("""
            const text = document.getElementById("in-view-count"), charts = document.getElementById("charts");
            return document.readyState === "complete" && charts?.getAttribute("aria-busy") !== "true" && (!text || (text.textContent !== "" && document.getElementById("feed").dataset.state === "live"));
            """, "the page is ready")

    def violations(self, axe):
        """What axe-core finds on the page as it is now, as short lines."""
        self.run(axe)
        found = self.driver.execute_async_script("""
            const [rules, done] = arguments;
            axe.run(document, { runOnly: { type: "tag", values: rules } }).then((result) => done(result.violations), (failure) => done([{ id: String(failure), nodes: [] }]));
            """, AXE_RULES)
        return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
                for one in found for node in one["nodes"] or [{"target": ""}]]

    def network(self):
        """The browser's network events since the last call, as (method, parameters)."""
        events = [json.loads(line["message"])["message"] for line in self.driver.get_log("performance")]
        return [(event["method"], event["params"]) for event in events if event["method"].startswith("Network.")]

    def complaints(self):
        """Errors on the console since the last call: script errors and violations of the content security policy."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def picture(self, name):
        if SCREENSHOTS:
            folder = pathlib.Path(SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(folder / f"{name}.png"))


class PageTest(unittest.TestCase):
    width, height = 1440, 900

    def setUp(self):
        if not BASE_URL:
            self.fail("BASE_URL is not set: start an installation and give its address")
        self.browser = Browser(self.width, self.height)
        self.addCleanup(self.browser.close)

    def press(self, *keys):
        for key in keys:
            self.browser.driver.switch_to.active_element.send_keys(key)

    def focused(self):
        return self.browser.run("const one = document.activeElement; return one.id || one.className || one.tagName;")
