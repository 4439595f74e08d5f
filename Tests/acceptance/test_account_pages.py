"""The pages of accounts in a real browser: from the first link to signing out, wide and narrow, in languages of both directions, with and without scripts."""

import pathlib
import re
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import browser as browsing
import harness
from test_sign_in import PASSWORD, SignInCase, one_time_code

SIZES = [(360, 740), (1440, 900)]


class AccountPagesTest(SignInCase):
    def setUp(self):
        self.browser = browsing.Browser(base=self.server.base)
        self.addCleanup(self.browser.close)
        self.axe = browsing.axe_source()

    def look(self, name):
        """No violation, no sideways scroll, no complaint of the content security policy, in each size and language."""
        for language, theme in (("en", "light"), ("fr", "dark")):
            self.browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
            for width, height in SIZES:
                with self.subTest(page=name, theme=theme, width=width):
                    self.browser.resize(width, height)
                    self.browser.picture(f"{name}-{theme}-{width}")
                    self.assertEqual(self.browser.violations(self.axe), [])
                    self.assertLessEqual(self.browser.run("return document.scrollingElement.scrollWidth"), width)
        complaints = [line for line in self.browser.complaints() if "status of 422" not in line]
        self.assertEqual(complaints, [])

    def fill(self, fields, button="main form button"):
        for name, value in fields.items():
            self.browser.run("document.querySelector(`[name=\"${arguments[0]}\"]:not([type=hidden])`).value = arguments[1]", name, value)
        self.press(button)

    def press(self, selector):
        self.browser.run("window.isOld = true; document.querySelector(arguments[0]).click()", selector)
        self.browser.until("return !window.isOld && document.readyState === 'complete'", f"a new page after {selector}")

    def path(self):
        return self.browser.run("return location.pathname")

    def text(self):
        return self.browser.run("return document.querySelector('main').innerText")

    def journey(self, language, look):
        login = f"walker.{language}"
        link = re.sub(r"^http://[^/]+", "", self.command("add", login, "--role", "steward").strip())
        self.browser.open(f"/preferences?lang={language}&return={link}")
        self.assertEqual(self.browser.run("return document.documentElement.lang"), language)
        look("set-up")
        self.fill({"name": "Marie Dupont", "password": "Password1234", "again": "Password1234"})
        self.assertEqual(self.browser.run("return document.querySelector('[role=alert]') !== null"), True)
        look("set-up-refused")
        self.fill({"password": PASSWORD, "again": PASSWORD})
        self.assertEqual(self.path(), "/account/second-factor")
        look("second-factor")
        secret = self.browser.run("return document.querySelector('[name=secret]').value")
        begun = time.time()
        self.fill({"code": one_time_code(secret, begun), "password": PASSWORD})
        codes = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){5}", self.text())
        self.assertEqual(len(codes), 10)
        look("recovery-codes")
        self.browser.open("/account")
        self.assertIn("Marie Dupont", self.text())
        look("account")
        self.assertEqual(self.browser.run("return document.querySelector('.who').getAttribute('href')"), "/account")
        self.browser.open("/account/tokens")
        look("tokens")
        self.fill({"name": "my script"}, "main form.sheet button")
        self.assertRegex(self.text(), r"conurb_alder_[0-9a-f]{64}")
        look("token-made")
        self.press('form[action="/account/tokens/revoke"] button')
        self.assertNotIn("my script", self.text())
        self.browser.open("/account")
        self.press('form[action="/sign-out"] button')
        self.assertEqual(self.path(), "/sign-in")
        look("sign-in")
        self.fill({"login": login, "password": "not the password"})
        self.assertEqual(self.path(), "/sign-in")
        look("sign-in-refused")
        self.fill({"login": login, "password": PASSWORD})
        self.assertEqual(self.path(), "/sign-in/code")
        look("code")
        self.fill({"code": one_time_code(secret, begun + 30)})
        self.assertEqual(self.path(), "/account")
        self.press('form[action="/account/sessions/end"] button')
        self.assertEqual(self.path(), "/sign-in")
        self.browser.open(link)
        look("set-up-used")

    def test_the_whole_way(self):
        for language in ("en", "fr", "ar"):
            self.journey(language, self.look)

    def test_whoever_has_to_set_up_a_second_factor_is_led_there(self):
        link = re.sub(r"^http://[^/]+", "", self.command("add", "led.there", "--role", "administrator").strip())
        self.browser.open(link)
        self.fill({"password": PASSWORD, "again": PASSWORD})
        self.browser.open("/account")
        self.assertEqual(self.path(), "/account/second-factor")
        self.look("second-factor-needed")
        self.press('form[action="/sign-out"] button')
        self.assertEqual(self.path(), "/sign-in")

    def test_the_head_of_every_page_leads_to_signing_in_and_back(self):
        self.member("reader")
        self.browser.open("/about")
        self.press(".who")
        self.assertEqual(self.path(), "/sign-in")
        self.fill({"login": "reader", "password": PASSWORD})
        self.assertEqual(self.path(), "/about")

    def test_without_scripts_it_works_as_well(self):
        """Scripts of the page are switched off; those of the test go on, for they come by another way."""
        self.member("reader.too")
        self.browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        self.browser.open("/sign-in")
        for name, value in {"login": "reader.too", "password": PASSWORD}.items():
            self.browser.driver.find_element("css selector", f"#{name}").send_keys(value)
        self.browser.driver.find_element("css selector", "main form button").click()
        deadline = time.monotonic() + 30
        while not self.browser.driver.current_url.endswith("/account") and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertTrue(self.browser.driver.current_url.endswith("/account"))
        self.assertIn("reader.too", self.browser.driver.find_element("css selector", "main").text)


if __name__ == "__main__":
    harness.main()
