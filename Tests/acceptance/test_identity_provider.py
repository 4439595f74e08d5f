"""Identity providers outside: bearer tokens of an issuer, good and forged; signing in at a real OpenID provider, in a real browser."""

import base64
import hmac
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import uuid

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import browser as browsing
import harness
from harness import NGSI_LD
from test_sign_in import CHEAP

AUDIENCE = "https://alder.example/api"


def encoded(value):
    data = json.dumps(value).encode() if isinstance(value, (dict, list)) else value
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return encoded(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A signing key with its public form."""

    def __init__(self, algorithm, identifier=None):
        self.algorithm, self.identifier = algorithm, identifier or uuid.uuid4().hex
        if algorithm in ("RS256", "PS256"):
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif algorithm == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = ed25519.Ed25519PrivateKey.generate()

    @property
    def public(self):
        shared = {"kid": self.identifier, "use": "sig", "alg": self.algorithm}
        if self.algorithm in ("RS256", "PS256"):
            numbers = self.key.public_key().public_numbers()
            return shared | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if self.algorithm == "ES256":
            numbers = self.key.public_key().public_numbers()
            return shared | {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return shared | {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw)}

    @property
    def pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "PS256":
            return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.key.sign(data)

    def token(self, claims, **header):
        head = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.identifier} | header
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{encoded(head)}.{encoded(claims)}"
        return f"{signed}.{encoded(self.sign(signed.encode()))}"


class Issuer:
    """Serves a description and keys, and counts how often it is asked."""

    def __init__(self):
        self.keys, self.asked = [], 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    body = {"issuer": issuer.address, "jwks_uri": issuer.address + "/keys"}
                else:
                    issuer.asked += 1
                    body = {"keys": [key.public for key in issuer.keys] + [{"kty": "oct", "kid": "shared", "k": encoded(b"secret" * 8)}]}
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class BearerCase(unittest.TestCase, harness.ProblemAssertions):
    """A server that takes the tokens of an issuer."""

    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.addClassCleanup(cls.issuer.close)
        cls.keys = {algorithm: Key(algorithm) for algorithm in ("RS256", "PS256", "ES256", "EdDSA")}
        cls.issuer.keys = list(cls.keys.values())
        data = harness.TemporaryFolder.of(cls) / "data"
        for name in ("alder", "birch"):
            made = harness.Conurb().create_municipality(data, name)
            assert made.returncode == 0, made.stderr
        cls.server = harness.Server(data, open_access=False, environment=CHEAP | {
            "CONURB_JWT_ISSUER": cls.issuer.address, "CONURB_JWT_AUDIENCE": AUDIENCE, "CONURB_JWT_MUNICIPALITY": "alder",
            "CONURB_JWT_ROLES_CLAIM": "realm.roles", "CONURB_JWT_ROLES": "city-admins=administrator", "CONURB_ALLOW_PRIVATE_EGRESS": "true"})
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def claims(self, **changes):
        now = int(time.time())
        claims = {"iss": self.issuer.address, "aud": AUDIENCE, "sub": "service-7", "iat": now, "exp": now + 300, "realm": {"roles": ["city-admins", "other"]}} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def ask(self, token, municipality="alder"):
        return self.server.get(f"/municipalities/{municipality}", token=token)


class BearerTest(BearerCase):
    def test_every_algorithm_that_is_allowed_is_understood(self):
        for algorithm, key in self.keys.items():
            with self.subTest(algorithm=algorithm):
                self.assertEqual(self.ask(key.token(self.claims())).status_code, 200)
                self.assertEqual(self.ask(key.token(self.claims(aud=["https://other.example", AUDIENCE]), typ="JWT")).status_code, 200)

    def test_roles_of_the_claim_count(self):
        key = self.keys["ES256"]
        self.assert_problem(self.ask(key.token(self.claims(realm={"roles": ["steward"]}))), 403)
        self.assert_problem(self.ask(key.token(self.claims(realm=None))), 403)
        reading = self.server.get(NGSI_LD + "/types", token=key.token(self.claims(realm=None)), municipality="alder")
        self.assertEqual(reading.status_code, 200)

    def test_it_is_of_use_in_its_municipality_alone(self):
        token = self.keys["ES256"].token(self.claims())
        self.assert_problem(self.ask(token, "birch"), 401)
        self.assert_problem(self.server.get("/municipalities", token=token), 403)

    def test_what_is_forged_or_for_somebody_else_is_refused(self):
        now, key, stranger = int(time.time()), self.keys["RS256"], Key("RS256")
        good = key.token(self.claims())
        head, body, signature = good.split(".")
        other_body = encoded(self.claims(sub="somebody-else"))
        none = f"{encoded({'alg': 'none', 'typ': 'at+jwt', 'kid': key.identifier})}.{body}."
        refused = {
            "expired": key.token(self.claims(exp=now - 60)), "without an end": key.token(self.claims(exp=None)),
            "an end that is no number": key.token(self.claims(exp="tomorrow")), "not yet": key.token(self.claims(nbf=now + 600)),
            "from the future": key.token(self.claims(iat=now + 600)), "for years": key.token(self.claims(exp=now + 10 ** 8)),
            "another audience": key.token(self.claims(aud="https://other.example")), "no audience": key.token(self.claims(aud=None)),
            "another issuer": key.token(self.claims(iss="https://evil.example")), "no issuer": key.token(self.claims(iss=None)),
            "no subject": key.token(self.claims(sub=None)), "another type": key.token(self.claims(), typ="logout+jwt"), "no type": key.token(self.claims(), typ=None),
            "extensions": key.token(self.claims(), crit=["b64"]), "unknown key": stranger.token(self.claims()),
            "another's key by its name": Key("RS256", key.identifier).token(self.claims()),
            "a key that is for something else": key.token(self.claims(), kid=self.keys["ES256"].identifier),
            "alg none": none, "alg None": none.replace(none.split(".")[0], encoded({"alg": "None", "typ": "at+jwt"})), "no signature": f"{head}.{body}.",
            "changed": f"{head}.{other_body}.{signature}", "padded": good + "=", "no name among many keys": key.token(self.claims(), kid=None, alg="PS256"),
            "half": f"{head}.{body}", "long": good + "A" * 20_000, "not even JSON": f"{encoded(b'x')}.{body}.{signature}",
        }
        # The public key taken for a shared secret, in the forms in which it can be had.
        for name, secret in {"pem": key.pem, "pem stripped": key.pem.strip(), "jwk": json.dumps(key.public).encode(), "oct": b"secret" * 8}.items():
            for kid in (key.identifier, "shared"):
                signed = f"{encoded({'alg': 'HS256', 'typ': 'at+jwt', 'kid': kid})}.{body}"
                refused[f"HS256 with {name} as {kid}"] = f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"
        for name, token in refused.items():
            with self.subTest(name):
                self.assert_problem(self.ask(token), 401)
        self.assertEqual(self.ask(good).status_code, 200)

    def test_an_embedded_key_counts_for_nothing(self):
        stranger = Key("RS256", "mine")
        for header in ({"jwk": stranger.public}, {"jku": "http://127.0.0.1:1/keys"}, {"x5c": ["MII"]}):
            self.assert_problem(self.ask(stranger.token(self.claims(), **header)), 401)


class UnknownKeyTest(BearerCase):
    def test_it_does_not_have_the_issuer_asked_again_and_again(self):
        self.assertEqual(self.ask(self.keys["ES256"].token(self.claims())).status_code, 200)
        asked = self.issuer.asked
        for _ in range(20):
            self.assert_problem(self.ask(Key("EdDSA").token(self.claims())), 401)
        self.assertLessEqual(self.issuer.asked, asked + 1)


class ProviderTest(unittest.TestCase):
    """oidc-provider-mock as a process of its own, and Chromium."""

    @classmethod
    def setUpClass(cls):
        port = harness.free_port()
        cls.provider = f"http://127.0.0.1:{port}"
        claims = {"sub": "marie", "email": "marie@alder.example", "name": "Marie Dupont", "roles": ["steward"]}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", "--user-claims", json.dumps(claims)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        deadline = time.monotonic() + harness.START_SECONDS_MAX
        while True:
            try:
                requests.get(cls.provider + "/jwks", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        folder = harness.TemporaryFolder.of(cls)
        data, secret = folder / "data", folder / "secret"
        secret.write_text("a secret of ours\n")
        made = harness.Conurb().create_municipality(data, "alder")
        assert made.returncode == 0, made.stderr
        cls.server = harness.Server(data, open_access=False, environment=CHEAP | {
            "CONURB_OIDC_ISSUER": cls.provider, "CONURB_OIDC_CLIENT_ID": "conurb", "CONURB_OIDC_CLIENT_SECRET_FILE": str(secret),
            "CONURB_OIDC_MUNICIPALITY": "alder", "CONURB_ALLOW_PRIVATE_EGRESS": "true"})
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.browser = browsing.Browser(base=self.server.base)
        self.addCleanup(self.browser.close)

    def click(self, selector):
        self.browser.until("return document.querySelector(arguments[0])", selector, selector)
        self.browser.run("document.querySelector(arguments[0]).click()", selector)

    def go_to_provider(self):
        self.browser.open("/sign-in?return=/about")
        self.click('a[href^="/sign-in/provider"]')
        self.browser.until("return location.href.startsWith(arguments[0])", "the provider's page is there", self.provider)

    def test_somebody_signs_in_and_out(self):
        self.go_to_provider()
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.browser.driver.current_url).query)
        self.assertEqual(asked["response_type"], ["code"])
        self.assertEqual(asked["code_challenge_method"], ["S256"])
        self.assertTrue(all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge")))
        self.click('button[name="sub"][value="marie"], button[value="marie"]')
        self.browser.until("return location.pathname === '/about'", "back where it began")
        self.browser.open("/account")
        text = self.browser.run("return document.querySelector('main').innerText")
        self.assertIn("Marie Dupont", text)
        self.assertIn("Steward", text)
        ours = [line for line in self.browser.complaints() if line.startswith(self.server.base)]
        self.assertEqual(ours, [], "the provider's own page may want what there is not")
        again = self.browser.driver.get_cookie("conurb-session")
        self.assertTrue(again["httpOnly"])
        self.assertEqual(again["sameSite"], "Lax")
        self.assertIsNone(self.browser.driver.get_cookie("conurb-errand"))
        self.click('form[action="/sign-out"] button')
        self.browser.until("return location.pathname === '/sign-in'", "signed out")
        self.assertIsNone(self.browser.driver.get_cookie("conurb-session"))

    def answer(self, session):
        """Goes through the provider without a browser: the address that it sends back to, not followed."""
        begun = session.get(self.server.base + "/sign-in/provider", params={"return": "/about"}, allow_redirects=False, timeout=30)
        self.assertEqual(begun.status_code, 303, begun.text)
        given = requests.post(begun.headers["Location"], data={"sub": "marie"}, allow_redirects=False, timeout=30)
        self.assertEqual(given.status_code, 302, given.text[:500])
        return given.headers["Location"]

    def refuse(self, session, address):
        answer = session.get(address, allow_redirects=False, timeout=30)
        self.assertEqual(answer.status_code, 422, f"{address}: {answer.headers}")
        self.assertIsNone(session.cookies.get("conurb-session"))

    def test_an_answer_counts_once_and_in_the_browser_that_asked(self):
        mine, other = requests.Session(), requests.Session()
        address = self.answer(mine)
        self.refuse(other, address)
        self.answer(other)
        self.refuse(other, address)
        errand = mine.cookies["conurb-errand"]
        self.assertEqual(mine.get(address, allow_redirects=False, timeout=30).status_code, 303)
        self.assertIsNotNone(mine.cookies.get("conurb-session"))
        replaying = requests.Session()
        replaying.cookies.set("conurb-errand", errand)
        self.refuse(replaying, address)

    def test_an_answer_that_was_changed_is_refused(self):
        for name, value in (("state", "A" * 43), ("state", ""), ("code", "made-up"), ("iss", "https://evil.example")):
            with self.subTest(name=name, value=value):
                session = requests.Session()
                address = urllib.parse.urlsplit(self.answer(session))
                query = dict(urllib.parse.parse_qsl(address.query)) | {name: value}
                self.refuse(session, address._replace(query=urllib.parse.urlencode(query)).geturl())

    def test_who_declines_is_not_let_in(self):
        session = requests.Session()
        address = urllib.parse.urlsplit(self.answer(session))
        state = urllib.parse.parse_qs(address.query)["state"][0]
        query = urllib.parse.urlencode({"error": "access_denied", "state": state})
        self.refuse(session, address._replace(query=query).geturl())


if __name__ == "__main__":
    harness.main()
