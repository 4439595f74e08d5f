"""The page that compares what was measured over time, in a real browser."""

import csv
import io
import json
import unittest
import urllib.request
import xml.dom.minidom
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import BASE_URL, PageTest, axe_source

READY = "return document.getElementById('charts')?.getAttribute('aria-busy') === 'false' && document.querySelectorAll('#charts .plot').length > 0"
BUSY = "document.getElementById('charts').setAttribute('aria-busy', 'true')"


class ExploreTest(PageTest):
    def look(self, query=""):
        self.browser.open("/explore?last=P7D" + query)
        self.browser.until(READY, "the charts are drawn")

    def query(self):
        return parse_qs(urlsplit(self.browser.driver.current_url).query)

    def element(self, selector):
        return self.browser.driver.find_element(By.CSS_SELECTOR, selector)

    def count(self, selector):
        return len(self.browser.driver.find_elements(By.CSS_SELECTOR, selector))

    def act(self, action):
        """Does something that asks the server, and waits until the answer is drawn."""
        self.browser.run(BUSY)
        action()
        self.browser.until("return document.getElementById('charts').getAttribute('aria-busy') === 'false'", "the charts are drawn anew")


class Looks(ExploreTest):
    def test_no_axe_violation_no_sideways_scroll_and_no_error_in_any_view(self):
        axe = axe_source()
        for language, theme in (("en", "dark"), ("fr", "light"), ("es", "dark"), ("ar", "light")):
            self.browser.open(f"/preferences?lang={language}&theme={theme}&return=/about")
            for width, height in ((360, 740), (1440, 900)):
                self.browser.resize(width, height)
                for show in ("time", "week"):
                    with self.subTest(language=language, theme=theme, width=width, show=show):
                        self.look_at(axe, f"explore-{show}-{language}-{theme}-{width}", show, width)

    def look_at(self, axe, name, show, width):
        self.look(f"&show={show}")
        self.browser.run("document.getElementById('picker').open = true; document.getElementById('figures').open = true")
        self.browser.until("return document.querySelectorAll('#figures-table tbody tr').length > 10", "the figures are there")
        self.browser.picture(name)
        self.assertEqual(self.browser.violations(axe), [])
        self.assertEqual(self.browser.complaints(), [])
        self.assertLessEqual(self.browser.run("return document.scrollingElement.scrollWidth"), width)
        self.assertNotRegex(self.element("main").text, r"undefined|NaN|urn:|\{|\b(GQ|CEL|KMH|WTT)\b")

    def test_without_scripts_it_says_where_to_go(self):
        self.browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        self.browser.open("/explore")
        self.assertIn("/table", self.element(".warning a").get_attribute("href"))


class Choosing(ExploreTest):
    def test_from_the_list_and_back(self):
        self.look()
        chosen = self.count("#legend li")
        box = self.element("#picker-list input:not(:checked)")
        self.act(box.click)
        self.assertEqual(self.count("#legend li"), chosen + 1)
        self.assertEqual(len(self.query()["series"]), chosen + 1)
        self.act(self.element("#legend button").click)
        self.assertEqual(self.count("#legend li"), chosen)
        self.act(self.browser.driver.back)
        self.assertEqual(self.count("#legend li"), chosen + 1)

    def test_from_the_map(self):
        self.look()
        self.element("#from-map").click()
        self.browser.until("return Number(document.getElementById('picker-map').dataset.loaded) > 0", "the map has its places")
        self.browser.picture("explore-map")
        self.assertFalse(self.element("#picker-list").is_displayed())
        self.assertEqual(self.browser.complaints(), [])

    def test_no_more_than_can_be_told_apart(self):
        self.look()
        for _ in range(8 - self.count("#legend li")):
            self.act(self.element("#picker-list input:not(:checked)").click)
        self.assertEqual(self.count("#legend li"), 8)
        self.assertEqual(self.count("#picker-list input:not(:checked):not(:disabled)"), 0)
        samples = self.browser.run("return [...document.querySelectorAll('#legend .sample')].map((one) => getComputedStyle(one).color + one.innerHTML)")
        self.assertEqual(len(set(samples)), 8)
        self.browser.picture("explore-eight")

    def test_other_units_have_a_chart_of_their_own(self):
        # A demonstration that has just begun has measured little yet.
        for _ in range(30):
            self.look()
            measures = self.browser.run("return [...document.querySelectorAll('#measure option')].map((one) => one.value)")
            if len(measures) > 1:
                break
        before = self.count("#charts figure")
        self.assertGreater(len(measures), 1)
        self.browser.run("const select = document.getElementById('kind'); select.value = 'WeatherObserved'; select.dispatchEvent(new Event('change'))")
        self.browser.until("return document.querySelectorAll('#picker-list input:not(:checked)').length > 0 && !document.querySelector('#picker-list input:checked')", "the list is that of the other kind")
        self.act(self.element("#picker-list input:not(:checked)").click)
        self.assertEqual(self.count("#charts figure"), before + 1)


class Zooming(ExploreTest):
    def span(self):
        query = self.query()
        return self.browser.run("return Date.parse(arguments[1]) - Date.parse(arguments[0])", query["from"][0], query["to"][0])

    def test_by_pulling_from_days_to_minutes_and_back(self):
        self.look()
        week = 7 * 86_400_000
        for step in range(1, 4):
            plot = self.element("#charts .plot")
            self.act(lambda: ActionChains(self.browser.driver).move_to_element_with_offset(plot, -150, 0).click_and_hold().move_by_offset(100, 0).release().perform())
            span = self.span()
            self.assertLess(span, week / 4 ** step)
        self.browser.picture("explore-minutes")
        self.act(self.browser.driver.back)
        self.assertGreater(self.span(), span)

    def test_by_keys_and_the_cursor_says_its_values(self):
        self.look()
        self.element("#charts .plot").send_keys(Keys.HOME)
        first = self.element("#charts .plot").get_attribute("aria-valuetext")
        self.element("#charts .plot").send_keys(Keys.ARROW_RIGHT)
        second = self.element("#charts .plot").get_attribute("aria-valuetext")
        self.assertNotEqual(first, second)
        self.assertRegex(second, r"\d{2}:\d{2}.*: [\d.,]+ µg/m³")
        self.assertTrue(self.element("#charts .readout").is_displayed())
        self.browser.picture("explore-cursor")
        self.act(lambda: self.element("#charts .plot").send_keys("+"))
        self.assertAlmostEqual(self.span(), 3.5 * 86_400_000, delta=1000)
        self.assertEqual(self.browser.run("return document.activeElement.className"), "plot")
        self.act(lambda: self.element("#charts .plot").send_keys("-"))
        self.assertAlmostEqual(self.span(), 7 * 86_400_000, delta=1000)

    def test_everything_and_chosen_days(self):
        self.look()
        self.act(self.element("[data-last=all]").click)
        self.assertEqual(self.query()["last"], ["all"])
        self.assertEqual(self.element("[data-last=all]").get_attribute("aria-pressed"), "true")
        day = self.element("#to").get_attribute("value")
        self.act(lambda: self.browser.run("const input = document.getElementById('from'); input.value = arguments[0]; input.dispatchEvent(new Event('change'))", day))
        self.assertAlmostEqual(self.span(), 86_400_000, delta=3_600_000)


    def test_between_two_observations_the_line_crosses_the_chart(self):
        self.look()
        series = self.browser.run("return new URLSearchParams(new URL(document.getElementById('permalink').href).search).get('series')")
        municipality, attribute, identifier = series.split(" ", 2)
        answer = json.load(urllib.request.urlopen(
            f"{BASE_URL}/live/series?" + urlencode({"municipality": municipality, "attribute": attribute, "id": identifier, "points": 1000})))
        self.assertIsNone(answer["every"], "few enough to be shown one by one")
        (first, low), (second, high) = answer["points"][-3:-1]
        self.assertGreater(second - first, 4000)
        moment = lambda part: self.browser.run("return new Date(arguments[0]).toISOString()", first + (second - first) * part)
        self.browser.open(f"/explore?series={quote(series)}&from={moment(.25)}&to={moment(.75)}")
        self.browser.until(READY, "the charts are drawn")
        self.assertEqual(self.count("#charts .mean"), 1)
        path = self.element("#charts .mean").get_attribute("d")
        self.assertEqual(len(path.split("L")), 2, "from edge to edge, without a corner")
        self.assertEqual(self.element("#charts .plot").get_attribute("aria-valuetext"), "no values")
        self.browser.run("document.getElementById('figures').open = true")
        self.assertEqual(self.count("#figures-table tbody tr"), 0)
        self.assertEqual(self.browser.complaints(), [])
        self.browser.picture("explore-between")


class Taking(ExploreTest):
    def test_a_usual_week_can_be_taken_along(self):
        self.look("&show=week")
        drawn = self.browser.run("return [...document.querySelectorAll('#charts figure')].length")
        with urllib.request.urlopen(self.element("#csv").get_attribute("href")) as answer:
            lines = list(csv.DictReader(io.StringIO(answer.read().decode())))
        self.assertEqual(len({line["id"] for line in lines}), drawn)
        self.assertEqual(list(lines[0])[:2] + list(lines[0])[-6:], ["weekday", "hour", "p10", "p25", "p50", "p75", "p90", "count"])
        self.assertTrue(all(float(line["p10"]) <= float(line["p50"]) <= float(line["p90"]) for line in lines))

    def test_the_table_the_download_and_the_link_have_what_is_drawn(self):
        self.look()
        self.browser.run("document.getElementById('figures').open = true")
        self.browser.until("return document.querySelectorAll('#figures-table tbody tr').length > 0", "the figures are there")
        head = self.browser.run("return [...document.querySelectorAll('#figures-table thead th')].map((one) => one.textContent)")
        rows = self.browser.run("return [...document.querySelectorAll('#figures-table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))")
        self.assertEqual(len(head), self.count("#legend li") + 1)
        self.assertIn("µg/m³", head[1])
        with urllib.request.urlopen(self.element("#csv").get_attribute("href")) as answer:
            lines = list(csv.DictReader(io.StringIO(answer.read().decode())))
        self.assertEqual({line["attribute"] for line in lines}, {"pm25"})
        self.assertGreaterEqual(len(lines), len(rows))
        drawn = self.browser.run("return [...document.querySelectorAll('#charts .mean')].length")
        self.act(lambda: self.browser.open(self.element("#permalink").get_attribute("href")[len(BASE_URL):]))
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('#charts .mean')].length"), drawn)

    def test_the_picture_is_whole_without_the_page(self):
        self.look()
        text = self.browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1], make = URL.createObjectURL;
            URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };
            document.getElementById("picture").click();
            """)
        picture = xml.dom.minidom.parseString(text).documentElement
        self.assertEqual(picture.tagName, "svg")
        strokes = {path.getAttribute("stroke") for path in picture.getElementsByTagName("path")}
        self.assertGreaterEqual(len(strokes), 3)
        self.assertFalse([part for part in picture.getElementsByTagName("*") if part.getAttribute("class")])
        self.assertIn("PM2.5", " ".join(node.firstChild.data for node in picture.getElementsByTagName("text") if node.firstChild))

    def test_the_map_leads_here(self):
        self.look()
        municipality, attribute, identifier = self.query().get("series", [self.browser.run(
            "return new URLSearchParams(new URL(document.getElementById('permalink').href).search).get('series')")])[0].split(" ", 2)
        self.browser.open(f"/?types=AirQualityObserved&entity={quote(municipality + ' ' + identifier)}")
        link = self.browser.until("return document.querySelector('#panel-chart a[href^=\"/explore\"]')?.getAttribute('href')", "the panel has the link")
        self.browser.open(link)
        self.browser.until(READY, "the charts are drawn")
        self.assertEqual(self.count("#legend li"), 1)


if __name__ == "__main__":
    unittest.main()
