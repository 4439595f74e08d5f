"""The pages as people meet them, in a real browser, against a running installation whose values move.

Run: BASE_URL=http://127.0.0.1:1026 python3 -m unittest discover -s Tests/browser -v
"""

import unittest
from urllib.parse import parse_qs, quote, urlsplit

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from browser import BASE_URL, PageTest, axe_source
from wire import Wire

WIDTHS = [(360, 740), (1440, 900)]
LOOKS = [("en", "light"), ("fr", "dark"), ("es", "light"), ("ar", "dark")]
DIRECTIONS = {"en": "ltr", "fr": "ltr", "es": "ltr", "ar": "rtl"}

# The first entity whose numbers the feed gives a second time and otherwise: one that will change again soon. At night there
# are few; a bus that is parked is told of again and again, and stays as it is.
NEXT_CHANGE = """
    const done = arguments[arguments.length - 1];
    const types = JSON.parse(document.getElementById("boot").textContent).layers.map((layer) => layer.key);
    const feed = new EventSource("/live/events?types=" + encodeURIComponent(types.join(",")));
    const seen = new Map();
    feed.addEventListener("change", (event) => {
        for (const one of JSON.parse(event.data)) {
            const numbers = Object.entries(one.v ?? {}).filter(([, value]) => typeof value === "number");
            if (one.x || !numbers.length) continue;
            const key = one.m + " " + one.id, known = seen.get(key);
            seen.set(key, { ...known, ...Object.fromEntries(numbers) });
            if (!known || !numbers.some(([name, value]) => name in known && known[name] !== value)) continue;
            feed.close();
            return done([one.m, one.id, one.k]);
        }
    });
    """


def moving_entity(browser):
    """(municipality, id, type) of an entity whose values change often."""
    browser.open("/about")
    return browser.driver.execute_async_script(NEXT_CHANGE)


class EveryPage(PageTest):
    """Each page, in each width, and in each language and theme once."""

    def test_has_no_axe_violation_no_sideways_scroll_and_no_error(self):
        axe = axe_source()
        municipality, identifier, kind = moving_entity(self.browser)
        entity = quote(f"{municipality} {identifier}")
        pages = {"map": "/", "panel": f"/?types={quote(kind)}&entity={entity}", "table": "/table", "table-of-a-kind": f"/table?type={quote(kind)}",
                 "table-empty": "/table?q=%E2%88%85%E2%88%85", "sources": "/sources", "about": "/about", "error": "/no-such-page"}
        # Words have no colours, and colours no words: each language once, each theme with some.
        for language, theme in LOOKS:
            self.browser.open(f"/preferences?lang={language}&theme={theme}&return=/about")
            for width, height in WIDTHS:
                self.browser.resize(width, height)
                for name, path in pages.items():
                    with self.subTest(page=name, language=language, theme=theme, width=width):
                        self.look_at(axe, f"{name}-{language}-{theme}-{width}", path, language, theme, width)

    def look_at(self, axe, name, path, language, theme, width):
        self.browser.open(path)
        self.browser.until_ready()
        if name.startswith("panel"):
            self.browser.until("return document.querySelector('#panel .hero-value')", "the panel is open")
        if name.startswith("map") and width < 500:
            self.browser.picture(name)
            self.browser.run("document.getElementById('rail-toggle').click(); document.getElementById('in-view').open = true;")
            name += "-choices"
            self.browser.until("return document.querySelector('#in-view-list button, #in-view-note:not(:empty)')", "the list is there")
        self.browser.picture(name)
        root = self.browser.run("const root = document.documentElement; return [root.lang, root.dataset.theme, root.dir]")
        self.assertEqual(root, [language, theme, DIRECTIONS[language]])
        self.assertEqual(self.browser.violations(axe), [])
        complaints = [line for line in self.browser.complaints() if "/no-such-page - " not in line]  # the 404 that we asked for
        self.assertEqual(complaints, [])
        self.assertLessEqual(self.browser.run("return document.scrollingElement.scrollWidth"), width)

    def test_names_nothing_in_the_wrong_language(self):
        for language, page, live in (("fr", "Carte", "En direct"), ("es", "Mapa", "En directo"), ("ar", "الخريطة", "مباشر")):
            self.browser.open(f"/preferences?lang={language}&return=/")
            self.browser.until_ready()
            self.assertEqual(self.browser.run("return document.querySelector('.pages a').textContent"), page)
            self.assertEqual(self.browser.run("return document.getElementById('live').textContent"), live)
            self.browser.open("/table")
            self.assertEqual(self.browser.run("return document.documentElement.lang"), language)

    def test_preferences_lead_only_to_our_own_pages(self):
        for elsewhere in ("//example.org/", "https://example.org/", "/\\example.org"):
            self.browser.open("/preferences?theme=dark&return=" + quote(elsewhere, safe=""))
            self.assertTrue(self.browser.driver.current_url.startswith(BASE_URL + "/"), elsewhere)


class Languages(PageTest):
    def test_the_list_of_languages_opens_closes_and_leads_back_to_the_page(self):
        self.browser.open("/table?q=a")
        self.browser.until_ready()
        self.browser.run("document.querySelector('.languages summary').focus()")
        self.press(Keys.ENTER)
        names = self.browser.run("return [...document.querySelectorAll('.languages button')].map((one) => one.checkVisibility() && one.textContent)")
        self.assertEqual(set(names), {"English", "Français", "Español", "العربية"})
        self.press(Keys.TAB, Keys.ESCAPE)
        self.assertEqual(self.browser.run("return [document.querySelector('.languages').open, document.activeElement.tagName]"), [False, "SUMMARY"])
        self.press(Keys.ENTER)
        self.browser.driver.find_element(By.TAG_NAME, "h1").click()
        self.assertFalse(self.browser.run("return document.querySelector('.languages').open"))
        self.browser.driver.find_element(By.CSS_SELECTOR, ".languages summary").click()
        self.browser.driver.find_element(By.CSS_SELECTOR, ".languages [value=ar]").click()
        self.browser.until("return document.documentElement.lang === 'ar' && location.search === '?q=a'", "the same page in Arabic")
        self.assertEqual(self.browser.run("return document.querySelector('.languages [aria-current=true]').textContent"), "العربية")

    def test_texts_have_the_plural_forms_that_the_browser_asks_for(self):
        for language in DIRECTIONS:
            self.browser.open(f"/preferences?lang={language}&return=/about")
            self.browser.until_ready()
            asked, had = self.browser.run("""
                const { locale, strings } = JSON.parse(document.getElementById("boot").textContent);
                return [new Intl.PluralRules(locale).resolvedOptions().pluralCategories.toSorted(), Object.keys(strings.things).toSorted()];
                """)
            self.assertEqual(asked, had, language)


class RightToLeft(PageTest):
    """What the mirror turns, and what it does not."""

    def setUp(self):
        super().setUp()
        self.browser.open("/preferences?lang=ar&return=/about")

    def left(self, selector):
        """How far from the left edge the middle of an element is."""
        return self.browser.run("const box = document.querySelector(arguments[0]).getBoundingClientRect(); return box.left + box.width / 2", selector)

    def test_the_frame_is_mirrored_and_time_is_not(self):
        self.browser.open("/")
        self.browser.until_ready()
        for begins, ends in ((".brand", ".preferences"), (".rail", ".stage"), (".layer input", ".layer-count"), (".leaflet-control-zoom", ".stage")):
            self.assertGreater(self.left(begins), self.left(ends), f"{begins} before {ends}")
        for earlier, later in (("#play", "#live"), ("#time-ticks :first-child", "#time-ticks :last-child")):
            self.assertLess(self.left(earlier), self.left(later), f"{earlier} before {later}")

    def test_a_place_opens_beside_the_map_that_shows_it(self):
        place = self.browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            fetch("/live/search?limit=1&types=WeatherObserved").then((answer) => answer.json()).then(({ results: [one] }) => done(one));
            """)
        self.browser.open(f"/?types={quote(place['type'])}&entity={quote(place['municipality'] + ' ' + place['id'])}")
        self.browser.until_ready()
        self.browser.until("return document.querySelector('#panel .chart svg')", "the panel shows its chart")
        self.assertLess(self.left("#panel"), self.left("#map"))
        centre = self.browser.until("return new URLSearchParams(location.search).get('view')", "the map went there")
        self.assertGreater(place["position"][0], float(centre.split(",")[1]), "the place lies right of the middle, for the panel covers the left")
        ticks = self.browser.run("return [...document.querySelectorAll('#panel .chart-text[text-anchor=middle]')].map((one) => [one.getBoundingClientRect().left, one.textContent])")
        self.assertEqual([name for _, name in sorted(ticks)], [name for _, name in ticks])
        line = self.browser.run("""
            const svg = document.querySelector('#panel .chart svg').getBoundingClientRect();
            return [...document.querySelectorAll('#panel .chart-text')].every((one) => { const box = one.getBoundingClientRect(); return box.left >= svg.left - 1 && box.right <= svg.right + 1; });
            """)
        self.assertTrue(line, "what stands beside the chart stays within it")


class EveryLayer(PageTest):
    """Each type of entity that has a place: on the map, and opened."""

    def layers(self):
        self.browser.open("/")
        self.browser.until_ready()
        return self.browser.run("return JSON.parse(document.getElementById('boot').textContent).layers")

    def test_has_a_mark_of_its_own_and_a_count(self):
        layers = self.layers()
        self.assertGreaterEqual(len(layers), 14, "the demo's types are there, the meters too")
        self.assertEqual(len({layer["shape"] for layer in layers}), len(layers))
        drawn = self.browser.run("return [...document.querySelectorAll('#layers .layer-shape path')].map((one) => one.getAttribute('d'))")
        self.assertGreaterEqual(len(set(drawn)), len(layers))
        self.assertTrue(all(layer["count"] > 0 for layer in layers))

    def test_opens_in_human_words(self):
        axe = axe_source()
        for layer in self.layers():
            with self.subTest(layer=layer["key"]):
                self.browser.open("/about")
                found = self.browser.driver.execute_async_script("""
                    const done = arguments[arguments.length - 1];
                    fetch("/live/search?limit=1&types=" + encodeURIComponent(arguments[0])).then((answer) => answer.json()).then((found) => done(found.results[0]));
                    """, layer["key"])
                self.browser.open(f"/?types={quote(layer['key'])}&entity={quote(found['municipality'] + ' ' + found['id'])}")
                self.browser.until_ready()
                self.browser.until("return document.querySelector('#panel .readings')", "the panel is open")
                self.browser.picture(f"opened-{layer['key']}")
                said = self.browser.run("return [...document.querySelectorAll('#panel h2, #panel .hero, #panel .readings')].map((one) => one.innerText).join('\\n')")
                self.assertNotRegex(said, r"urn:|[a-z]{2}[A-Z][a-z]{2}|\b(C62|GQ|CEL|KMH|WTT|MTR|E32|2N|A97|MTS|DD)\b")
                self.assertEqual(self.browser.violations(axe), [])


class Municipalities(PageTest):
    def span(self, path):
        """How many degrees of longitude the map shows."""
        self.browser.open(path)
        self.browser.until_ready()
        boot = self.browser.run("return JSON.parse(document.getElementById('boot').textContent)")
        requested = self.browser.until("return performance.getEntriesByType('resource').map((one) => one.name).filter((name) => name.includes('/live/map')).pop()",
                                       "the map asked for its places")
        west, _, east, _ = map(float, parse_qs(urlsplit(requested).query)["bbox"][0].split(","))
        return east - west, boot["boxes"]

    def test_the_address_of_one_shows_it_alone(self):
        whole, boxes = self.span("/")
        for key in list(boxes)[:2]:
            span, _ = self.span(f"/?municipality={quote(key)}")
            self.assertLess(span, whole)
            self.assertGreaterEqual(span, boxes[key][2] - boxes[key][0])


class LiveValues(PageTest):
    def test_the_panel_changes_as_the_city_changes(self):
        municipality, identifier, kind = moving_entity(self.browser)
        self.browser.open(f"/?types={quote(kind)}&entity={quote(municipality + ' ' + identifier)}")
        self.browser.until_ready()
        before = self.browser.until("return document.querySelector('#panel .readings')?.textContent", "the panel shows values")
        self.browser.until("return document.querySelector('#panel .changed') && document.querySelector('#panel .readings').textContent !== arguments[0]",
                           "a value of the open place changed", before)

    def test_the_table_changes_as_the_city_changes(self):
        _, _, kind = moving_entity(self.browser)
        self.browser.open(f"/table?type={quote(kind)}&sort=-updated&size=100")
        before = self.browser.until("return document.querySelector('table.entities tbody')?.textContent", "the table has rows")
        self.browser.until("return document.querySelector('.entities .changed') && document.querySelector('table.entities tbody').textContent !== arguments[0]",
                           "a cell changed", before)

    def test_a_lost_connection_is_said_and_resumed_after_the_last_event(self):
        wire = Wire(BASE_URL)
        self.addCleanup(wire.close)
        self.browser.driver.get(wire.url + "/")
        self.browser.until_ready()
        self.browser.until("return document.getElementById('feed').classList.contains('beat')", "a first change came")
        wire.cut()
        self.browser.until("return document.getElementById('feed').dataset.state === 'offline'", "the page says that it is disconnected")
        self.browser.picture("disconnected")
        self.browser.network()
        wire.mend()
        self.browser.run("document.getElementById('feed').classList.remove('beat')")
        self.browser.until("return document.getElementById('feed').dataset.state === 'live' && document.getElementById('feed').classList.contains('beat')",
                           "changes come again")
        requests = [event["request"] for name, event in self.browser.network()
                    if name == "Network.requestWillBeSent" and "/live/events" in event["request"]["url"]]
        self.assertTrue(requests, "the feed was asked for again")
        self.assertTrue(all("after=" in one["url"] or "Last-Event-ID" in one["headers"] for one in requests))

    def test_a_hidden_page_pauses(self):
        self.browser.open("/")
        self.browser.until_ready()
        self.browser.run("""
            Object.defineProperty(document, "visibilityState", { get: () => window.shownAs ?? "visible" });
            window.shownAs = "hidden";
            document.dispatchEvent(new Event("visibilitychange"));
            """)
        self.browser.until("return document.getElementById('feed').dataset.state === 'paused'", "the feed pauses")
        self.browser.run("window.shownAs = 'visible'; document.dispatchEvent(new Event('visibilitychange'));")
        self.browser.until("return document.getElementById('feed').dataset.state === 'live'", "the feed resumes")


class Keyboard(PageTest):
    def test_the_first_stop_is_the_skip_link_and_every_stop_shows(self):
        self.browser.open("/")
        self.browser.until_ready()
        stops = []
        for _ in range(60):
            self.press(Keys.TAB)
            shown, name = self.browser.run("""
                const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
                const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 4 && box.height > 4;
                return [shown, one === document.body ? "BODY" : one.id || one.name || one.className || one.tagName];
                """)
            if name == "BODY":
                break
            self.assertTrue(shown, f"focus is visible on {name}")
            stops.append(name)
        self.assertEqual(stops[0], "skip")
        for wanted in ("search", "municipality", "types", "map", "time"):
            self.assertIn(wanted, [stop.split(" ")[0] for stop in stops])
        self.assertTrue(any("in-view" in stop or stop == "SUMMARY" for stop in stops))

    def test_a_place_opens_from_the_list_and_gives_the_focus_back(self):
        self.browser.open("/")
        self.browser.until_ready()
        self.browser.run("document.querySelector('.skip-map').focus()")
        self.press(Keys.ENTER)
        self.browser.until("return document.querySelector('#in-view-list button')", "the list of places is filled")
        self.assertEqual(self.browser.run("return document.activeElement.tagName"), "SUMMARY")
        self.press(Keys.TAB)
        key = self.browser.run("return document.activeElement.dataset.key")
        self.assertTrue(key)
        self.press(Keys.ENTER)
        self.browser.until("return document.activeElement.matches('#panel h2')", "the focus is on the name of the place")
        self.press(Keys.ESCAPE)
        self.assertTrue(self.browser.run("return document.getElementById('panel').hidden"))
        self.assertNotEqual(self.focused(), "BODY")

    def test_search_finds_by_name_with_arrows_and_enter(self):
        self.browser.open("/")
        self.browser.until_ready()
        name = self.browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            fetch("/live/search?limit=1&lang=en&types=" + encodeURIComponent(document.querySelector("input[name=types]").value))
                .then((answer) => answer.json()).then((found) => done(found.results[0].name));
            """)
        field = self.browser.driver.find_element(By.ID, "search")
        field.send_keys(name)
        self.browser.until("return document.getElementById('search').getAttribute('aria-expanded') === 'true'", "results are shown")
        field.send_keys(Keys.ARROW_DOWN)
        self.assertEqual(self.browser.run("return document.getElementById('search').getAttribute('aria-activedescendant')"), "result-0")
        field.send_keys(Keys.ENTER)
        self.browser.until("return document.querySelector('#panel h2')?.textContent === arguments[0]", "the place is open", name)

    def test_search_says_when_it_finds_nothing(self):
        self.browser.open("/")
        self.browser.until_ready()
        self.browser.driver.find_element(By.ID, "search").send_keys("no such name anywhere")
        self.browser.until("const said = document.getElementById('search-status'); return said.textContent && said.offsetWidth > 20", "it is said, and seen")

    def test_what_was_changed_can_be_undone(self):
        self.browser.open("/")
        self.browser.until_ready()
        before = self.browser.run("return new URLSearchParams(location.search).get('view')")
        self.browser.driver.find_element(By.CSS_SELECTOR, ".leaflet-control-zoom-in").click()
        self.browser.until("return new URLSearchParams(location.search).get('view') !== arguments[0]", "the view is nearer", before)
        self.browser.driver.find_element(By.CSS_SELECTOR, ".leaflet-bar button").click()
        self.browser.until("return document.querySelector('#map').getAnimations().length === 0 && Number(new URLSearchParams(location.search).get('view').split(',')[2]) < 13",
                           "all is in view again")
        for theme in ("dark", "light"):
            self.browser.driver.find_element(By.CSS_SELECTOR, f"[data-theme-to={theme}]").send_keys(Keys.ENTER)
        self.assertEqual(self.browser.run("return document.documentElement.dataset.theme"), "auto")

    def test_the_slider_shows_the_past_and_the_button_returns(self):
        self.browser.open("/")
        self.browser.until_ready()
        self.browser.run("document.getElementById('time').focus()")
        self.press(Keys.PAGE_DOWN)
        self.browser.until("return document.getElementById('feed').dataset.state === 'past'", "the page shows the past")
        self.assertTrue(self.browser.run("return document.getElementById('time').getAttribute('aria-valuetext')"))
        self.browser.until("return !document.getElementById('live').disabled", "there is a way back")
        place = self.browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            fetch("/live/search?limit=1&types=WeatherObserved").then((answer) => answer.json()).then((found) => done(found.results[0].name));
            """)
        self.browser.driver.find_element(By.ID, "search").send_keys(place)
        self.browser.until("return document.querySelector('#search-results li')", "results are shown")
        self.press(Keys.ENTER)
        self.browser.until("return document.querySelector('#panel .age time')", "the panel shows when values were observed")
        self.assertIsNone(self.browser.run("return document.querySelector('#panel .age time').dataset.age ?? null"), "as a time, not as an age of today")
        self.browser.driver.find_element(By.ID, "live").send_keys(Keys.ENTER)
        self.browser.until("return document.getElementById('feed').dataset.state === 'live'", "the page is live again")


class Zoom(PageTest):
    def test_zooming_by_button_and_key_loads_the_nearer_view_without_an_error(self):
        self.browser.open("/")
        self.browser.until_ready()
        self.browser.driver.find_element(By.CSS_SELECTOR, ".leaflet-control-zoom-in").click()
        self.browser.run("document.getElementById('map').focus()")
        for key in ("+", Keys.ARROW_LEFT):
            before = self.browser.run("return new URLSearchParams(location.search).get('view')")
            self.press(key)
            self.browser.until("return new URLSearchParams(location.search).get('view') !== arguments[0]", f"the view moved by {key}", before)
        self.assertEqual(self.browser.complaints(), [])


class WithoutScripts(PageTest):
    def test_the_table_sorts_filters_and_pages(self):
        self.browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        self.browser.open("/table")
        driver = self.browser.driver
        self.assertTrue(driver.find_elements(By.CSS_SELECTOR, "table.entities tbody tr"))
        # A click may return before the page that it leads to has come.
        shown = WebDriverWait(driver, 10)
        driver.find_element(By.CSS_SELECTOR, "thead a").click()
        shown.until(lambda _: driver.find_elements(By.CSS_SELECTOR, "th[aria-sort=descending]"))
        self.assertIn("sort=", driver.current_url)
        driver.find_element(By.ID, "q").send_keys("no such name anywhere")
        driver.find_element(By.CSS_SELECTOR, ".filters .primary").click()
        shown.until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".empty"))

    def test_the_map_page_leads_to_the_table(self):
        self.browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        self.browser.open("/")
        self.assertTrue(self.browser.driver.find_element(By.CSS_SELECTOR, ".no-script a").is_displayed())


if __name__ == "__main__":
    unittest.main()
