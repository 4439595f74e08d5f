"""Reports in a real browser at phone size: with a photo from the form to the tracked case, the answer of staff, opened again and closed; with scripts and without; kept on the device
while there is no connection."""

import pathlib
import re
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import browser as browsing
import harness
from test_account_pages import SIZES
from test_cases import MailCase, png

PHONE = (360, 740)
LANGUAGES = (("en", "light"), ("ar", "dark"))


class ReportPagesTest(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.photo = cls.folder / "photo.png"
        cls.photo.write_bytes(png(2400, 1200))

    def open(self, scripts=True, language="en"):
        browser = browsing.Browser(*PHONE, language=language, base=self.server.base)
        self.addCleanup(browser.close)
        if not scripts:
            browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        return browser

    def find(self, browser, selector):
        return browser.driver.find_element("css selector", selector)

    def press(self, browser, selector):
        """Presses a button and waits for the page that follows."""
        button = self.find(browser, selector)
        browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        self.until(lambda: self.is_gone(button), f"a new page after {selector}")
        self.until(lambda: browser.driver.execute_script("return document.readyState") == "complete", "the page is whole")

    @staticmethod
    def is_gone(element):
        try:
            element.is_enabled()
            return False
        except Exception as error:
            return "stale" in str(error).lower() or "no such" in str(error).lower()

    def until(self, condition, what):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"never came true: {what}")
            time.sleep(0.05)

    def choose(self, browser, name, value):
        box = self.find(browser, f'[name="{name}"][value="{value}"]')
        browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
        box.click()

    def look(self, browser, name):
        """No violation, no sideways scroll, no complaint of the content security policy, wide and narrow."""
        axe = browsing.axe_source()
        for width, height in SIZES:
            with self.subTest(page=name, width=width):
                browser.resize(width, height)
                browser.picture(f"{name}-{width}")
                self.assertEqual(browser.violations(axe), [])
                self.assertLessEqual(browser.run("return document.scrollingElement.scrollWidth"), width)
        browser.resize(*PHONE)
        self.assertEqual([line for line in browser.complaints() if "status of 422" not in line], [])

    def journey(self, scripts):
        """From the list of services to a case that was closed, opened again and closed, with a photo and the notices of it."""
        receiver, browser = f"ada-{scripts}@example.org", self.open(scripts)
        browser.open("/services?municipality=alder")
        self.press(browser, 'a[href^="/services/pothole"]')
        if scripts:
            self.until(lambda: browser.driver.find_elements("css selector", ".place-map.leaflet-container"), "the map")
            self.find(browser, ".place-map").click()
            self.assertRegex(self.find(browser, "[data-latitude]").get_attribute("value"), r"^-?\d+\.\d{6}$")
        else:
            for name, value in (("lat", "43.61"), ("lon", "3.88")):
                self.find(browser, f'[name="f.place.{name}"]').send_keys(value)
        for field in ("surface", "size", "danger"):
            box = self.find(browser, f'[name="f.{field}"]')
            self.choose(browser, f"f.{field}", box.get_attribute("value"))
        self.find(browser, '[name="f.details"]').send_keys("A hole as deep as a hand")
        self.find(browser, '[name="f.photos"]').send_keys(str(self.photo))
        self.find(browser, '[name="contact.email"]').send_keys("not yet right")
        self.press(browser, "[data-submit]")
        # Something is wrong, and nothing is lost: the photo neither.
        self.assertEqual(self.find(browser, '[name="f.details"]').get_attribute("value"), "A hole as deep as a hand")
        self.assertTrue(self.find(browser, '[name="f.photos.kept"]').is_selected())
        self.find(browser, '[name="contact.email"]').clear()
        self.find(browser, '[name="contact.email"]').send_keys(receiver)
        self.press(browser, "[data-submit]")
        if "/cases/" not in browser.driver.current_url:
            self.press(browser, "[data-submit]")
        self.assertIn("/cases/alder.", browser.driver.current_url)
        link = browser.driver.current_url.split("?")[0]
        self.assertEqual(len(browser.driver.find_elements("css selector", ".photos img")), 1)
        reference = self.reference(link.removeprefix(self.server.base))
        self.assertIn(link.removeprefix(self.server.base), self.mailbox.wait(receiver, 1)[0].get_content())
        self.work(reference, "answer", answer="We come tomorrow")
        self.assertIn("We come tomorrow", self.mailbox.wait(receiver, 2)[1].get_content())
        self.close(reference)
        browser.open(link.removeprefix(self.server.base))
        self.find(browser, "#reopen").send_keys("It is still there")
        self.press(browser, 'form[action$="/reopening"] button')
        self.close(reference)
        browser.open(link.removeprefix(self.server.base))
        self.choose(browser, "rating", "5")
        self.press(browser, 'form[action$="/rating"] button')
        self.assertTrue(self.find(browser, '[name="rating"][value="5"]').is_selected())

    def close(self, reference):
        for _ in range(6):
            steps = re.findall(r'name="step" value="([^"]+)"', self.clerk.get(f"/desk/{reference}").text)
            if not steps:
                return
            self.assertEqual(self.work(reference, "move", step="done" if "done" in steps else steps[0], answer="It is mended").status_code, 303)

    def test_with_scripts(self):
        self.journey(True)

    def test_without_scripts(self):
        self.journey(False)

    def offline(self, browser, is_offline):
        browser.command("Network.enable")
        browser.command("Network.emulateNetworkConditions", {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def fill_in(self, browser, fields):
        for name, value in fields.items():
            found = browser.driver.find_elements("css selector", f'[name="{name}"]')
            if found[0].get_attribute("type") in ("radio", "checkbox"):
                self.choose(browser, name, value)
            else:
                browser.run("arguments[0].value = arguments[1]", found[0], value)

    def test_without_a_connection_a_report_waits_on_the_device_and_is_sent_later(self):
        browser, answers = self.open(), self.whole("pothole", (43.66, 3.94))
        for fields, text in ((answers, "is sent"), ({"f.details": "Not whole"}, "taken as it is")):
            browser.open("/services/pothole?municipality=alder")
            self.fill_in(browser, fields)
            self.find(browser, '[name="f.photos"]').send_keys(str(self.photo))
            self.offline(browser, True)
            browser.run("document.querySelector('[data-submit]').click()")
            self.until(lambda: "kept on this device" in self.find(browser, "[data-said]").text, "the report is kept")
            self.offline(browser, False)
            browser.open("/services?municipality=alder")
            self.until(lambda: text in self.find(browser, "#waiting").text, text)
            self.press(browser, "#waiting a")
        # What was refused is in its form again, and is sent once it is whole.
        self.until(lambda: self.find(browser, '[name="f.details"]').get_attribute("value") == "Not whole", "the form is as it was")
        self.assertEqual(browser.run("return document.querySelector('[name=\"f.photos\"]').files.length"), 1)
        self.fill_in(browser, answers | {"f.details": "Whole now"})
        self.press(browser, "[data-submit]")
        if "/cases/" not in browser.driver.current_url:
            self.press(browser, "[data-submit]")
        self.assertIn("/cases/alder.", browser.driver.current_url)
        browser.open("/services?municipality=alder")
        self.assertEqual(self.find(browser, "#waiting").text, "")

    def test_the_pages_are_for_everybody(self):
        reference = self.reference(path := self.report(photos=[("f.photos", "a.png", png(), "image/png")], place=(43.64, 3.93)))
        for language, theme in LANGUAGES:
            browser = self.open(language=language)
            browser.open("/about")
            browser.driver.add_cookie({"name": "theme", "value": theme, "path": "/"})
            for page, name in (("/services?municipality=alder", "services"), ("/services/pothole?municipality=alder", "report"),
                               ("/services/grant-application?municipality=alder", "grant"), (path.split("?")[0], "case"),
                               (f"/requests/{reference}?municipality=alder", "public-case")):
                browser.open(page)
                self.look(browser, f"{name}-{language}")
            for cookie in self.clerk.session.cookies:
                browser.driver.add_cookie({"name": cookie.name, "value": cookie.value, "path": "/"})
            for page, name in (("/desk", "desk"), (f"/desk/{reference}", "desk-case")):
                browser.open(page)
                self.look(browser, f"{name}-{language}")
            # A view of one's own, by forms alone.
            browser.open(f"/desk?view=overdue&service={'waste' if language == 'en' else 'noise'}")
            browser.run("document.querySelector('.own-view').open = true")
            self.find(browser, "#view-name").send_keys(f"Late bins of the old town ({language})")
            self.press(browser, 'button[value="saveView"]')
            browser.run("document.querySelector('.own-view').open = true")
            self.assertEqual(self.find(browser, '.views [aria-current="page"]').text, f"Late bins of the old town ({language})")
            self.look(browser, f"desk-view-{language}")


if __name__ == "__main__":
    harness.main()
