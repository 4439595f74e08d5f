"""Who somebody is: the first link, passwords, the second factor, sessions and their cookies, forms of other pages, guessing."""

import base64
import hashlib
import hmac
import html
import re
import struct
import time
import unittest

import requests

import harness
from harness import NGSI_LD

PASSWORD = "ostrich ladder nineteen"
# Hashes that cost a shipped installation 128 MiB would cost a test's debug build half a minute.
CHEAP = {"CONURB_ACCOUNTS_PASSWORD_COST": "14"}
LAMP = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "level": {"type": "Property", "value": 1}}


def one_time_code(secret, moment=None):
    """RFC 6238, by itself."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int(time.time() if moment is None else moment) // 30
    mac = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = mac[19] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7fffffff) % 1000000:06d}"


class Visitor:
    """A browser, as far as the server can tell: keeps cookies, and says where its forms come from."""

    def __init__(self, base):
        self.base, self.session = base, requests.Session()

    def get(self, path, **options):
        return self.session.get(self.base + path, timeout=30, **options)

    def post(self, path, fields, headers=None, **options):
        options.setdefault("allow_redirects", False)
        return self.session.post(self.base + path, data=fields, headers={"Origin": self.base} | (headers or {}), timeout=60, **options)

    def field(self, path, name):
        """The value of a form's field on a page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.get(path).text)
        return html.unescape(found.group(1)) if found else None

    def set_up(self, link, password=PASSWORD, **fields):
        page = self.get(link)
        login = html.unescape(re.search(r'id="login"[^>]* value="([^"]*)"', page.text).group(1))
        return self.post(link, {"name": "Somebody", "login": login, "password": password, "again": password} | fields)

    def sign_in(self, login, password=PASSWORD, municipality="alder", **options):
        return self.post("/sign-in", {"municipality": municipality, "login": login, "password": password}, **options)

    def enrol(self, password=PASSWORD):
        """Sets up a second factor. Its secret, and the recovery codes."""
        page = self.get("/account/second-factor").text
        fields = {name: html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page).group(1)) for name in ("form", "secret")}
        done = self.post("/account/second-factor", fields | {"code": one_time_code(fields["secret"]), "password": password})
        if done.status_code != 200:
            raise AssertionError(done.text[:2000])
        return fields["secret"], re.findall(r"<code>([A-Z2-7-]{29})</code>", done.text)

    def is_in(self):
        return self.get("/account", allow_redirects=False).status_code == 200


class SignInCase(unittest.TestCase):
    """A server with authentication, one municipality, and an administrator `boss` who has a password and a second factor."""

    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.data = cls.folder / "data"
        cls.conurb = harness.Conurb()
        made = cls.conurb.create_municipality(cls.data, "alder")
        assert made.returncode == 0, made.stderr
        cls.server = harness.Server(cls.data, open_access=False, environment=CHEAP | cls.environment)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        cls.first_link = cls.wait_for_link()
        boss = Visitor(cls.server.base)
        boss.set_up(cls.first_link, login="boss")
        cls.boss_codes = boss.enrol()[1]

    @classmethod
    def wait_for_link(cls):
        deadline = time.monotonic() + harness.START_SECONDS_MAX
        while time.monotonic() < deadline:
            found = re.search(r"http://\S+(/account/set-up/\S+)", cls.server.log_path.read_text())
            if found:
                return found.group(1)
            time.sleep(0.05)
        raise AssertionError(f"no link was printed:\n{cls.server.log_tail()}")

    def visitor(self):
        return Visitor(self.server.base)

    def boss(self):
        """The administrator, signed in with one of the recovery codes."""
        boss = self.visitor()
        boss.sign_in("boss")
        self.assertEqual(boss.post("/sign-in/code", {"code": type(self).boss_codes.pop()}).status_code, 303)
        return boss

    def command(self, *arguments):
        done = self.conurb.run("account", *arguments, "--data", self.data, "--municipality", "alder")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def member(self, login, role="steward", *options):
        """Somebody with a password, in a browser that is signed in."""
        link = self.command("add", login, "--role", role, *options).strip()
        visitor = self.visitor()
        answer = visitor.set_up(re.sub(r"^http://[^/]+", "", link))
        self.assertEqual(answer.status_code, 303, answer.text[:2000])
        return visitor


class FirstStartTest(SignInCase):
    def test_the_link_works_once_and_makes_an_administrator(self):
        boss = self.boss()
        self.assertTrue(boss.is_in())
        self.assertEqual(boss.get("/municipalities/alder").status_code, 200)
        again = self.visitor().get(self.first_link)
        self.assertNotIn('type="password"', again.text)
        refused = self.visitor().post(self.first_link, {"name": "x", "login": "boss", "password": PASSWORD, "again": PASSWORD})
        self.assertEqual(refused.status_code, 422)

    def test_a_second_start_prints_none(self):
        with harness.Server(self.folder / "other", open_access=False, environment=CHEAP) as server:
            case = type("Case", (FirstStartTest,), {})
            case.server = server
            link = case.wait_for_link()
            Visitor(server.base).set_up(link, login="boss")
            server.stop()
            server.log_path.write_text("")
            server.start()
            Visitor(server.base).get("/sign-in")
            server.stop()
            self.assertNotIn("/account/set-up/", server.log_path.read_text())

    def test_there_is_no_default_password(self):
        for login in ("administrator", "admin", "boss"):
            for password in ("", "administrator", "admin", "password", "conurb"):
                self.assertIn(self.visitor().sign_in(login, password).status_code, (422, 429))


class PasswordTest(SignInCase):
    def test_weak_passwords_are_refused(self):
        link = re.sub(r"^http://[^/]+", "", self.command("add", "weak.person", "--role", "steward").strip())
        for password in ("short", "Password1234", "qwertyuiop12", "weak.person12", "aaaaaaaaaaaaaaa"):
            with self.subTest(password=password):
                answer = self.visitor().set_up(link, password)
                self.assertEqual(answer.status_code, 422)
                self.assertIn('role="alert"', answer.text)
        self.assertEqual(self.visitor().set_up(link, PASSWORD, again="something else here").status_code, 422)
        self.assertEqual(self.visitor().set_up(link).status_code, 303)

    def test_it_can_be_changed_and_ends_other_sessions(self):
        mine = self.member("changer")
        other = self.visitor()
        other.sign_in("changer")
        self.assertTrue(other.is_in())
        form = mine.field("/account", "form")
        wrong = mine.post("/account/password", {"form": form, "old": "not mine at all", "new": "grue lunaire, midi", "again": "grue lunaire, midi"})
        self.assertEqual(wrong.status_code, 422)
        done = mine.post("/account/password", {"form": form, "old": PASSWORD, "new": "grue lunaire, midi", "again": "grue lunaire, midi"})
        self.assertEqual(done.status_code, 303)
        self.assertTrue(mine.is_in())
        self.assertFalse(other.is_in())
        self.assertEqual(self.visitor().sign_in("changer").status_code, 422)
        self.assertEqual(self.visitor().sign_in("changer", "grue lunaire, midi").status_code, 303)

    def test_unknown_and_wrong_look_alike(self):
        self.member("known")
        answers = [self.visitor().sign_in(login, "wrong wrong wrong") for login in ("known", "unknown")]
        texts = [answer.text.replace("unknown", "known") for answer in answers]
        clean = [re.sub(r'"(now|cursor)":[^,]*', "", text) for text in texts]
        self.assertEqual(*[answer.status_code for answer in answers])
        self.assertEqual(*clean)


class CookieTest(SignInCase):
    def test_over_https_the_cookie_is_for_this_host_alone(self):
        self.member("cookie")
        answer = self.visitor().sign_in("cookie", headers={"X-Forwarded-Proto": "https", "Origin": self.server.base.replace("http:", "https:")})
        cookies = answer.raw.headers.getlist("Set-Cookie")
        session = next(cookie for cookie in cookies if cookie.startswith("__Host-conurb="))
        for flag in ("Path=/", "HttpOnly", "Secure", "SameSite=Lax"):
            self.assertIn(flag, session)
        self.assertNotIn("Domain", session)
        self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])

    def test_without_https_there_is_none_but_on_the_machine_itself(self):
        self.member("plain")
        here = self.visitor().sign_in("plain")
        session = next(cookie for cookie in here.raw.headers.getlist("Set-Cookie") if cookie.startswith("conurb-session="))
        self.assertIn("HttpOnly", session)
        self.assertNotIn("Secure", session)
        elsewhere = self.visitor().sign_in("plain", headers={"Host": "city.example", "Origin": "http://city.example"})
        self.assertEqual(elsewhere.status_code, 422)
        self.assertNotIn("Set-Cookie", elsewhere.headers)
        # A cookie that came without HTTPS to a name that anybody may have counts for nothing.
        visitor = self.visitor()
        visitor.sign_in("plain")
        self.assertEqual(visitor.get("/account", headers={"Host": "city.example"}, allow_redirects=False).status_code, 303)

    def test_signing_in_changes_the_session(self):
        visitor = self.member("rotating")
        before = visitor.session.cookies["conurb-session"]
        visitor.sign_in("rotating")
        self.assertNotEqual(before, visitor.session.cookies["conurb-session"])
        old = requests.get(self.server.base + "/account", cookies={"conurb-session": before}, allow_redirects=False, timeout=30)
        self.assertEqual((old.status_code, old.headers["Location"].startswith("/sign-in")), (303, True), "what the browser had before counts no more")

    def test_a_session_opens_the_doors_of_its_municipality_alone(self):
        self.assertEqual(self.conurb.create_municipality(self.data, "birch").returncode, 0)
        boss = self.boss()
        self.assertEqual(boss.get("/municipalities/alder/tokens").status_code, 200)
        self.assertEqual(boss.get("/municipalities/birch/tokens").status_code, 401)
        self.assertEqual(boss.get(NGSI_LD + "/types", headers={"NGSILD-Tenant": "birch"}).status_code, 200)

    def test_every_page_tells_browsers_to_be_strict(self):
        for path in ("/", "/sign-in", "/about", NGSI_LD + "/types"):
            headers = self.visitor().get(path, headers={"Accept": "text/html,*/*"}).headers
            with self.subTest(path=path):
                policy = headers["Content-Security-Policy"]
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertNotIn("unsafe", policy)
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["Referrer-Policy"], "same-origin")
                self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
                self.assertNotIn("Strict-Transport-Security", headers, "this was no HTTPS")
        page = self.visitor().get("/sign-in")
        self.assertEqual(page.headers["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertIn("camera=()", page.headers["Permissions-Policy"])


class ForeignFormTest(SignInCase, harness.ProblemAssertions):
    """A form or a script of another page, that a signed-in browser is made to send."""

    def test_it_changes_nothing(self):
        boss = self.boss()
        form = boss.field("/account", "form")
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                        {"Origin": None}, {"Sec-Fetch-Site": "none", "Origin": self.server.base}):
            with self.subTest(headers=headers):
                refused = boss.post("/account/sessions/end", {"form": form}, headers=headers)
                self.assert_problem(refused, 403)
                answer = boss.session.post(
                    self.server.base + NGSI_LD + "/entities", json=LAMP, timeout=30,
                    headers={"NGSILD-Tenant": "alder", "Origin": self.server.base} | headers)
                self.assert_problem(answer, 403)
                deleted = boss.session.delete(
                    self.server.base + "/municipalities/alder/accounts/boss", timeout=30, headers={"Origin": self.server.base} | headers)
                self.assert_problem(deleted, 403)
        self.assertTrue(boss.is_in())

    def test_a_form_without_the_token_of_its_session_is_refused(self):
        boss, other = self.boss(), self.boss()
        for fields in ({"other": "x"}, {"form": ""}, {"form": other.field("/account", "form")}):
            self.assert_problem(boss.post("/account/sessions/end", fields), 403)
            self.assert_problem(boss.post("/sign-out", fields), 403)
        self.assertTrue(boss.is_in() and other.is_in())

    def test_own_scripts_may_write(self):
        steward = self.member("writer")
        made = steward.session.post(
            self.server.base + NGSI_LD + "/entities", json=LAMP | {"id": "urn:ngsi-ld:Lamp:own"}, timeout=30,
            headers={"NGSILD-Tenant": "alder", "Sec-Fetch-Site": "same-origin", "Origin": self.server.base})
        self.assertEqual(made.status_code, 201, made.text)

    def test_nobody_is_signed_in_to_an_account_of_somebody_else(self):
        visitor = self.visitor()
        answer = visitor.sign_in("boss", headers={"Origin": "https://evil.example"})
        self.assertEqual(answer.status_code, 422)
        self.assertNotIn("Set-Cookie", answer.headers)


class SessionTest(SignInCase):
    def test_signing_out_ends_it_on_the_server(self):
        visitor = self.member("leaver")
        cookie = visitor.session.cookies["conurb-session"]
        self.assertEqual(visitor.post("/sign-out", {"form": visitor.field("/account", "form")}).status_code, 303)
        visitor.session.cookies.set("conurb-session", cookie)
        self.assertFalse(visitor.is_in())

    def test_signing_out_everywhere_ends_all(self):
        here, there = self.member("everywhere"), self.visitor()
        there.sign_in("everywhere")
        self.assertEqual(here.get("/account").text.count("<li><strong><bdi>python-requests"), 2)
        here.post("/account/sessions/end", {"form": here.field("/account", "form")})
        self.assertFalse(here.is_in() or there.is_in())

    def test_disabling_ends_all_at_once(self):
        visitor = self.member("disabled")
        self.command("disable", "disabled")
        self.assertFalse(visitor.is_in())
        self.assertEqual(self.visitor().sign_in("disabled").status_code, 422)
        self.assertIn("disabled\tdisabled\t", self.command("list"))
        self.command("enable", "disabled")
        self.assertEqual(self.visitor().sign_in("disabled").status_code, 303)

    def test_other_roles_count_from_the_next_request(self):
        visitor = self.member("riser")
        self.assertEqual(visitor.get("/municipalities/alder").status_code, 403)
        self.command("roles", "riser", "--role", "administrator")
        self.assertFalse(visitor.is_in(), "who gets other roles signs in anew")
        visitor.sign_in("riser")
        self.assertEqual(visitor.get("/municipalities/alder").status_code, 401, "and whoever can do much needs a second factor")
        visitor.enrol()
        self.assertEqual(visitor.get("/municipalities/alder").status_code, 200)

    def test_a_supplier_has_an_end(self):
        refused = self.conurb.run("account", "add", "works", "--role", "supplier", "--data", self.data, "--municipality", "alder")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("endsAt", refused.stderr)
        self.assertTrue(self.member("works", "supplier", "--until", "2099-12-31T23:00:00Z").is_in())

    def test_removing_an_account_removes_what_it_had(self):
        visitor = self.member("gone")
        self.command("remove", "gone")
        self.assertFalse(visitor.is_in())
        self.assertNotIn("gone", self.command("list"))


class SecondFactorTest(SignInCase):
    def test_from_enrolment_to_recovery(self):
        visitor = self.member("factor")
        secret, form = visitor.field("/account/second-factor", "secret"), visitor.field("/account", "form")
        page = visitor.get("/account/second-factor").text
        self.assertIn('class="qr"', page)
        enrolled_at = time.time()
        wrong = visitor.post("/account/second-factor", {"form": form, "secret": secret, "code": "000000", "password": PASSWORD})
        self.assertEqual(wrong.status_code, 422)
        self.assertIn(secret, wrong.text, "the same secret again")
        code = one_time_code(secret, enrolled_at)
        done = visitor.post("/account/second-factor", {"form": form, "secret": secret, "code": code, "password": PASSWORD})
        self.assertEqual(done.status_code, 200, done.text[:1500])
        recovery = re.findall(r"<code>([A-Z2-7-]{29})</code>", done.text)
        self.assertEqual(len(set(recovery)), 10)

        other = self.visitor()
        answer = other.sign_in("factor")
        self.assertEqual(answer.status_code, 303)
        self.assertTrue(answer.headers["Location"].startswith("/sign-in/code"))
        self.assertFalse(other.is_in())
        self.assertEqual(other.get("/municipalities/alder").status_code, 401)
        self.assertEqual(other.post("/sign-in/code", {"code": code}).status_code, 422, "it was used to enrol")
        following = one_time_code(secret, enrolled_at + 30)
        self.assertEqual(other.post("/sign-in/code", {"code": following}).status_code, 303)
        self.assertTrue(other.is_in())

        replaying = self.visitor()
        replaying.sign_in("factor")
        self.assertEqual(replaying.post("/sign-in/code", {"code": following}).status_code, 422)
        self.assertEqual(replaying.post("/sign-in/code", {"code": recovery[0].lower()}).status_code, 303)
        again = self.visitor()
        again.sign_in("factor")
        self.assertEqual(again.post("/sign-in/code", {"code": recovery[0]}).status_code, 422)

        removed = replaying.post("/account/second-factor/remove", {"form": replaying.field("/account", "form"), "password": PASSWORD})
        self.assertEqual(removed.status_code, 303)
        self.assertEqual(self.visitor().sign_in("factor").headers["Location"], "/account")


    def test_who_can_do_much_sets_one_up_before_anything_else(self):
        for role in ("administrator", "security-lead", "data-protection-officer"):
            with self.subTest(role=role):
                visitor = self.member(f"held.{role}", role)
                for path in ("/account", "/account/tokens"):
                    answer = visitor.get(path, allow_redirects=False)
                    self.assertEqual((answer.status_code, answer.headers["Location"]), (303, "/account/second-factor"))
                page = visitor.get("/account/second-factor").text
                self.assertNotIn('href="/account"', page.split("<main", 1)[1], "there is no later")
                form = html.unescape(re.search(r'name="form" value="([^"]*)"', page).group(1))
                for path, fields in (("/account/password", {"old": PASSWORD, "new": "grue lunaire, midi", "again": "grue lunaire, midi"}),
                                     ("/account/tokens", {"name": "mine", "right": "read", "days": "7"}), ("/account/sessions/end", {})):
                    answer = visitor.post(path, {"form": form} | fields)
                    self.assertEqual((answer.status_code, answer.headers["Location"]), (303, "/account/second-factor"))
                self.assertIn(visitor.get("/municipalities/alder").status_code, (401,))
                self.assertEqual(visitor.get(NGSI_LD + "/entities?type=Lamp", headers={"NGSILD-Tenant": "alder"}).status_code, 200, "as anybody")
                visitor.enrol()
                self.assertTrue(visitor.is_in())
        leaver = self.member("held.leaver", "administrator")
        page = leaver.get("/account/second-factor").text
        form = html.unescape(re.search(r'name="form" value="([^"]*)"', page).group(1))
        self.assertEqual(leaver.post("/sign-out", {"form": form}).headers["Location"], "/sign-in")

    def test_an_administrator_takes_off_a_lost_one(self):
        visitor = self.member("lost", "security-lead")
        visitor.enrol()
        self.command("reset-second-factor", "lost")
        self.assertFalse(visitor.is_in())
        again = self.visitor()
        self.assertEqual(again.sign_in("lost").headers["Location"], "/account")
        self.assertFalse(again.is_in())
        again.enrol()
        self.assertTrue(again.is_in())
        refused = self.conurb.run("account", "reset-second-factor", "boss.nobody", "--data", self.data, "--municipality", "alder")
        self.assertEqual(refused.returncode, 1)

    def test_the_secret_is_not_in_the_file(self):
        secret, _ = self.member("sealed").enrol()
        raw = base64.b32decode(secret)
        for path in (self.data / "alder").iterdir():
            self.assertNotIn(raw, path.read_bytes(), path.name)

    def test_what_happened_is_in_the_ledger(self):
        visitor = self.member("witnessed", "security-lead")
        visitor.enrol()
        for _ in range(2):
            self.visitor().sign_in("witnessed", "guess guess guess")
        visitor.post("/account/sessions/end", {"form": visitor.field("/account", "form")})
        self.command("reset-second-factor", "witnessed")
        log = self.conurb.run("ledger", "log", "--municipality", "alder", "--data", self.data).stdout
        for act in ("signed-in", "password-changed", "second-factor-set", "signed-out-everywhere", "second-factor-reset"):
            self.assertIn(act, log)
        self.assertNotIn("sign-ins-failed", log, "the hour is not over")
        self.assertNotIn("witnessed", log)


class EverybodyTest(SignInCase):
    environment = {"CONURB_ACCOUNTS_REQUIRE_SECOND_FACTOR": "all"}

    def test_a_second_factor_can_be_asked_of_everybody(self):
        visitor = self.member("anybody", "resident")
        self.assertFalse(visitor.is_in())
        visitor.enrol()
        self.assertTrue(visitor.is_in())

    def test_failures_are_written_when_the_program_ends(self):
        self.member("guessed", "resident")
        for _ in range(3):
            self.visitor().sign_in("guessed", "guess guess guess")
        self.server.stop()
        log = self.conurb.run("ledger", "log", "--municipality", "alder", "--data", self.data).stdout
        self.server.start()
        self.assertEqual(log.count("sign-ins-failed"), 1, log)


class NobodyTest(SignInCase):
    environment = {"CONURB_ACCOUNTS_REQUIRE_SECOND_FACTOR": "none"}

    def test_or_of_nobody(self):
        self.assertTrue(self.member("trusted", "administrator").is_in())

    def test_what_is_no_list_of_roles_is_refused(self):
        refused = self.conurb.run("serve", "--data", self.folder / "x", environment={"CONURB_ACCOUNTS_REQUIRE_SECOND_FACTOR": "kings"})
        self.assertEqual(refused.returncode, 64)
        self.assertIn("accounts.requireSecondFactor", refused.stderr)


class GuessingTest(SignInCase):
    def test_it_gets_slower_and_the_owner_still_gets_in(self):
        owner = self.member("victim")
        seen = []
        for _ in range(9):
            seen.append(self.visitor().sign_in("victim", "guess guess guess", headers={"X-Forwarded-For": "198.51.100.9"}))
        self.assertEqual([answer.status_code for answer in seen[:5]], [422] * 5)
        slowed = [answer for answer in seen if answer.status_code == 429]
        self.assertTrue(slowed)
        self.assertGreaterEqual(int(slowed[0].headers["Retry-After"]), 1)
        # From elsewhere, behind the same connection for somebody else, and from a browser that is known.
        self.assertEqual(self.visitor().sign_in("victim", headers={"X-Forwarded-For": "203.0.113.80"}).status_code, 303)
        self.assertEqual(self.visitor().sign_in("boss", headers={"X-Forwarded-For": "198.51.100.9"}).status_code, 303)
        self.assertEqual(owner.sign_in("victim", headers={"X-Forwarded-For": "198.51.100.9"}).status_code, 303)

    def test_an_unknown_login_is_slowed_down_alike(self):
        codes = [self.visitor().sign_in("nobody.here", "guess guess guess", headers={"X-Forwarded-For": "198.51.100.77"}).status_code for _ in range(7)]
        self.assertEqual(codes[:5], [422] * 5)
        self.assertIn(429, codes)


if __name__ == "__main__":
    harness.main()
