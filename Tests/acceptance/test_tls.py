"""TLS and HTTP/2, by clients that others wrote: Python's ssl, requests, curl, and the HTTP/2 state machine `h2`."""

import contextlib
import datetime
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import harness
from harness import NGSI_LD
from test_sign_in import CHEAP, Visitor

LAMP = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "level": {"type": "Property", "value": 1}}
# Small limits, so that the borders can be met quickly. Each is a documented setting.
SETTINGS = {
    "CONURB_HTTP_HANDSHAKE_SECONDS_MAX": "2", "CONURB_HTTP_BODY_SECONDS_MAX": "2", "CONURB_HTTP_IDLE_SECONDS_MAX": "4",
    "CONURB_HTTP_STREAMS_MAX": "50", "CONURB_HTTP_HEADER_BYTES_MAX": "8192",
}


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


class Authority:
    """Signs certificates for 127.0.0.1 and localhost."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate, self.key = folder / "authority.pem", folder / "authority.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.certificate,
                "-subj", "/CN=Test authority", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")

    def sign(self, name, days=30, algorithm=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """The paths of a certificate and its key."""
        certificate, key, request = (self.folder / f"{name}.{ending}" for ending in ("pem", "key", "csr"))
        openssl("req", "-new", "-newkey", *algorithm, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        validity = ["-days", str(days)]
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-extfile", self.folder / "names",
                "-out", certificate, *validity)
        return certificate, key


class SecureServer(harness.Server):
    @property
    def base(self):
        return f"https://127.0.0.1:{self.port}"


def put(paths, certificate, key):
    """Puts a certificate and its key in place, as certbot does: each file at once, one after the other."""
    for source, target in zip((certificate, key), paths):
        arriving = target.with_suffix(".new")
        shutil.copy(source, arriving)
        os.replace(arriving, target)


class TLSCase(unittest.TestCase):
    options, environment, open_access = (), {}, True

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.authority = Authority(cls.folder)
        cls.paths = cls.folder / "server.pem", cls.folder / "server.key"
        put(cls.paths, *cls.authority.sign("first"))
        previous = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = str(cls.authority.certificate)
        cls.addClassCleanup(lambda: os.environ.pop("REQUESTS_CA_BUNDLE") if previous is None else os.environ.update(REQUESTS_CA_BUNDLE=previous))
        cls.server = SecureServer(
            cls.folder / "data", *cls.options, "--tls-certificate", cls.paths[0], "--tls-key", cls.paths[1], environment=SETTINGS | cls.environment,
            open_access=cls.open_access)
        cls.enterClassContext(cls.server)

    def context(self, protocols=("h2", "http/1.1"), version=None):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.set_alpn_protocols(list(protocols))
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, protocols=("h2", "http/1.1"), version=None, timeout=20):
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=timeout)
        try:
            secure = self.context(protocols, version).wrap_socket(plain, server_hostname="127.0.0.1")
        except BaseException:
            plain.close()
            raise
        self.addCleanup(secure.close)
        return secure

    def subject(self):
        with contextlib.closing(self.connect()) as connection:
            return dict(pair for part in connection.getpeercert()["subject"] for pair in part)["commonName"]

    def wait_until(self, condition, what, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}\n{self.server.log_tail()}")
            time.sleep(0.1)


class Client:
    """One connection that speaks HTTP/2."""

    def __init__(self, connection):
        self.socket = connection
        self.http = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.flush()
        self.answers, self.ended, self.isOver, self.reason = {}, set(), False, None

    def flush(self):
        self.socket.sendall(self.http.data_to_send())

    def begin(self, path, method="GET", headers=(), ends=True):
        stream = self.http.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost"), *headers]
        self.http.send_headers(stream, fields, end_stream=ends)
        return stream

    def receive(self):
        """Reads once. Streams that ended are in `ended`."""
        try:
            data = self.socket.recv(65_536)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        if not data:
            self.isOver = True
            return
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[event.stream_id] = (dict(event.headers), bytearray())
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id][1].extend(event.data)
                self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.reason = event.error_code
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            self.flush()

    def get(self, path, **options):
        stream = self.begin(path, **options)
        self.flush()
        while stream not in self.ended and not self.isOver:
            self.receive()
        headers, body = self.answers[stream]
        return int(headers[":status"]), headers, bytes(body)


class NegotiationTest(TLSCase):
    def test_h2_and_http_1_1_are_negotiated(self):
        self.assertEqual(self.connect().selected_alpn_protocol(), "h2")
        self.assertEqual(self.connect(["http/1.1"]).selected_alpn_protocol(), "http/1.1")
        self.assertEqual(self.connect(["http/1.1", "h2"]).selected_alpn_protocol(), "h2")
        self.assertIsNone(self.connect(["gopher"]).selected_alpn_protocol())

    def test_versions_before_1_2_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version=version), self.assertRaises((ssl.SSLError, ConnectionError)):
                self.connect(version=version)
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            self.assertEqual(self.connect(version=version).version(), name)

    def test_ciphers_without_forward_secrecy_are_refused(self):
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            context = self.context(version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(cipher)
            with self.subTest(cipher=cipher), socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as plain:
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    context.wrap_socket(plain, server_hostname="127.0.0.1")

    def test_curl_speaks_both(self):
        for option, version in (("--http2", "2"), ("--http1.1", "1.1")):
            done = subprocess.run(
                ["curl", "--silent", "--show-error", "--noproxy", "*", option, "--cacert", self.authority.certificate, "--output", "/dev/null",
                 "--write-out", "%{http_version} %{http_code}", self.server.base + "/version"], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.stdout, f"{version} 200", done.stderr)

    def test_plain_http_gets_no_answer(self):
        with self.assertRaises(requests.RequestException):
            requests.get(f"http://127.0.0.1:{self.server.port}/version", timeout=10)

    def test_the_control_socket_stays_plain(self):
        self.assertIn("default", harness.Conurb().run("municipality", "list", "--data", self.folder / "data").stdout + "default")
        done = subprocess.run(["curl", "--silent", "--unix-socket", self.folder / "data" / "conurb.sock", "http://conurb/version"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(json.loads(done.stdout)["name"], "conurb")

    def test_answers_say_that_the_site_is_https_alone(self):
        answer = self.server.get("/version", headers={"X-Forwarded-Proto": "http"})
        self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])

    def test_an_ngsi_ld_client_works(self):
        self.assertEqual(self.server.post(NGSI_LD + "/entities", LAMP).status_code, 201)
        found = self.server.get(NGSI_LD + "/entities", params={"type": "Lamp", "count": "true"})
        self.assertEqual(found.headers["NGSILD-Results-Count"], "1")
        self.assertEqual(self.server.request("DELETE", NGSI_LD + "/entities/" + LAMP["id"]).status_code, 204)


class StreamsTest(TLSCase):
    def test_many_streams_of_one_connection_are_answered(self):
        client = Client(self.connect())
        client.receive()
        streams = []
        for _ in range(4):
            streams += [client.begin("/version") for _ in range(40)]
            client.flush()
            while not set(streams) <= client.ended and not client.isOver:
                client.receive()
        self.assertEqual({client.answers[stream][0][":status"] for stream in streams}, {"200"})
        self.assertEqual(len(streams), 160)

    def test_bodies_and_errors_come_over_streams_too(self):
        client = Client(self.connect())
        body = json.dumps(LAMP | {"id": "urn:ngsi-ld:Lamp:2"}).encode()
        stream = client.begin(NGSI_LD + "/entities", "POST", [("content-type", "application/json"), ("content-length", str(len(body)))], ends=False)
        client.http.send_data(stream, body, end_stream=True)
        client.flush()
        while stream not in client.ended:
            client.receive()
        self.assertEqual(client.answers[stream][0][":status"], "201")
        status, headers, body = client.get("/nowhere")
        self.assertEqual((status, headers["content-type"]), (404, "application/problem+json"))
        self.assertIn("strict-transport-security", headers)

    def test_the_server_says_how_many_streams_it_takes_and_holds_to_it(self):
        client = Client(self.connect())
        client.receive()
        self.assertEqual(client.http.remote_settings.max_concurrent_streams, 50)
        self.assertEqual(client.http.remote_settings.max_header_list_size, 8192)
        # h2 itself keeps to what the server said, so what it knows is changed.
        client.http.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
        client.http.remote_settings.acknowledge()
        streams = [client.begin(NGSI_LD + "/entities", "POST", [("content-type", "application/json"), ("content-length", "10")], ends=False)
                   for _ in range(80)]
        client.flush()
        while not client.isOver and len(client.ended) < 30:
            client.receive()
        self.assertTrue(client.isOver or len([stream for stream in streams if stream in client.ended and stream not in client.answers]) >= 30)
        self.assertEqual(self.server.get("/health").status_code, 200)

    def test_a_body_that_stalls_is_answered_and_its_stream_closed(self):
        client = Client(self.connect())
        stream = client.begin(NGSI_LD + "/entities", "POST", [("content-type", "application/json"), ("content-length", "1000")], ends=False)
        client.http.send_data(stream, b'{"id":')
        client.flush()
        self.assertEqual(client.get("/version")[0], 200, "others on the connection are served meanwhile")
        while stream not in client.ended and not client.isOver:
            client.receive()
        self.assertEqual(client.answers[stream][0][":status"], "408")
        self.assertFalse(client.isOver)

    def test_too_many_headers_are_refused(self):
        client = Client(self.connect())
        status, headers, _ = client.get("/version", headers=[(f"x-{number}", "1") for number in range(120)])
        self.assertEqual((status, headers["content-type"]), (431, "application/problem+json"))
        self.assertEqual(client.get("/version")[0], 200)

    def test_a_header_list_over_the_limit_ends_the_connection_at_most(self):
        client = Client(self.connect())
        client.receive()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            stream = client.begin("/version", headers=[("x-large", "x" * 60_000)])
            client.flush()
            while not client.isOver and stream not in client.ended:
                client.receive()
        self.assertTrue(client.isOver or client.answers.get(stream, ({":status": "431"},))[0][":status"] == "431")
        self.assertEqual(self.server.get("/health").status_code, 200)

    def test_a_client_that_resets_streams_again_and_again_is_cut_off(self):
        """CVE-2023-44487. Others are served meanwhile."""
        client = Client(self.connect())
        client.receive()
        sent = 0
        with contextlib.suppress(ConnectionError, ssl.SSLError, h2.exceptions.ProtocolError):
            while sent < 5000:
                for _ in range(20):
                    stream = client.begin("/version")
                    client.http.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
                    sent += 1
                client.flush()
                if sent % 500 == 0:
                    self.assertEqual(self.server.get("/health", timeout=5).status_code, 200)
            while not client.isOver:
                client.receive()
        self.assertLess(sent, 5000)
        self.assertEqual(self.server.get("/health", timeout=5).status_code, 200)

    def test_a_connection_without_streams_is_ended_after_the_idle_time(self):
        client = Client(self.connect())
        self.assertEqual(client.get("/version")[0], 200)
        begun = time.monotonic()
        while not client.isOver:
            client.receive()
        self.assertEqual(client.reason, h2.errors.ErrorCodes.NO_ERROR)
        self.assertLess(time.monotonic() - begun, 12)

    def test_a_client_that_says_nothing_after_the_handshake_is_let_go(self):
        for protocol in ("h2", "http/1.1"):
            with self.subTest(protocol=protocol):
                connection = self.connect([protocol])
                connection.settimeout(15)
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    while connection.recv(4096):
                        pass

    def test_a_handshake_that_stalls_is_cut_off(self):
        for beginning in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with self.subTest(beginning=beginning), socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as stalled:
                stalled.sendall(beginning)
                begun = time.monotonic()
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(stalled.recv(4096), b"")
                self.assertLess(time.monotonic() - begun, 10)

    def test_no_error_came_of_it(self):
        for line in self.server.log_path.read_text().splitlines():
            self.assertNotIn("error", line.lower().split("conurb", 1)[0], line)


class CrowdTest(TLSCase):
    """Many more connections than places."""

    environment = {"CONURB_HTTP_CONNECTIONS_MAX": "4", "CONURB_HTTP_HANDSHAKE_SECONDS_MAX": "60", "CONURB_HTTP_IDLE_SECONDS_MAX": "60",
                   "CONURB_HTTP_BODY_SECONDS_MAX": "60"}

    def test_a_newcomer_waits_neither_for_handshakes_that_stall_nor_for_connections_without_streams(self):
        busy = Client(self.connect())
        stream = busy.begin("/ngsi-ld/v1/entities", "POST", [("content-type", "application/json"), ("content-length", "2")], ends=False)
        busy.flush()
        for number in range(150):
            self.enterContext(socket.create_connection(("127.0.0.1", self.server.port), timeout=15))
            if number % 10 == 0:
                self.assertEqual(Client(self.connect()).get("/version")[0], 200)
        begun = time.monotonic()
        self.assertEqual(Client(self.connect()).get("/version")[0], 200)
        self.assertLess(time.monotonic() - begun, 5)
        busy.http.send_data(stream, b"{}", end_stream=True)
        busy.flush()
        while stream not in busy.ended and not busy.isOver:
            busy.receive()
        self.assertEqual(busy.answers[stream][0][":status"], "400", "who is being answered keeps his place")


class ReloadTest(TLSCase):
    def events(self, protocol):
        """An open stream of changes, over HTTP/1.1 or HTTP/2: a function that waits for the next event."""
        connection = self.connect([protocol], timeout=60)
        if protocol == "http/1.1":
            connection.sendall(b"GET /live/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            return lambda: connection.recv(65_536)
        client = Client(connection)
        stream = client.begin("/live/events", headers=[("accept", "text/event-stream")])
        client.flush()

        def following():
            before = len(client.answers.get(stream, (None, b""))[1])
            while not client.isOver and len(client.answers.get(stream, (None, b""))[1]) == before:
                client.receive()
            return b"" if client.isOver else bytes(client.answers[stream][1][before:])
        return following

    def test_another_certificate_is_taken_while_streams_go_on(self):
        self.assertEqual(self.subject(), "first")
        streams = [self.events("http/1.1"), self.events("h2")]
        for following in streams:
            self.assertTrue(following())
        put(self.paths, *self.authority.sign("second", algorithm=("rsa:2048",)))
        self.wait_until(lambda: self.subject() == "second", "the files are looked at every few seconds")
        put(self.paths, *self.authority.sign("third"))
        self.server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.subject() == "third", "SIGHUP", seconds=4)
        self.server.post(NGSI_LD + "/entities", LAMP)
        for following in streams:
            self.assertTrue(following(), "streams that were open go on")

    def test_files_that_cannot_be_used_change_nothing(self):
        before = self.subject()
        good = [path.read_bytes() for path in self.paths]
        other = self.authority.sign("stranger")[1].read_bytes()
        for path, content, sentence in (
                (self.paths[0], b"no certificate", "holds no certificate"), (self.paths[1], b"no key", "holds no private key"),
                (self.paths[1], other, "is not the one that the certificate")):
            with self.subTest(sentence=sentence):
                path.write_bytes(content)
                self.wait_until(lambda: sentence in self.server.log_path.read_text(), sentence)
                self.assertEqual(self.subject(), before)
                for path, bytes_ in zip(self.paths, good):
                    path.write_bytes(bytes_)
        self.paths[1].unlink()
        self.wait_until(lambda: "server.key is missing" in self.server.log_path.read_text(), "a file that is gone")
        self.assertEqual(self.subject(), before)
        put(self.paths, *self.authority.sign("mended"))
        self.wait_until(lambda: self.subject() == "mended", "files that are good again")


class SignInOverTLSTest(TLSCase):
    environment, open_access = CHEAP, False

    def test_a_session_is_for_https_and_for_this_host_alone(self):
        self.wait_until(lambda: "/account/set-up/" in self.server.log_path.read_text(), "the first link")
        link = re.search(r"(https://127.0.0.1:\d+)(/account/set-up/\S+)", self.server.log_path.read_text())
        self.assertEqual(link.group(1), self.server.base)
        visitor = Visitor(self.server.base)
        done = visitor.set_up(link.group(2), login="boss")
        self.assertEqual(done.status_code, 303)
        session = next(cookie for cookie in done.raw.headers.getlist("Set-Cookie") if cookie.startswith("__Host-conurb="))
        self.assertIn("Secure", session)
        visitor.enrol()
        self.assertTrue(visitor.is_in())
        # The origin of a form is an https one now; the same page over plain HTTP is another site.
        form = visitor.field("/account", "form")
        for origin in (self.server.base.replace("https:", "http:"), "https://elsewhere.example"):
            self.assertEqual(visitor.post("/account/sessions/end", {"form": form}, headers={"Origin": origin}).status_code, 403)
        self.assertTrue(visitor.is_in())


class StartTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.authority = Authority(cls.folder)
        cls.certificate, cls.key = cls.authority.sign("server")

    def refused(self, *options, status=1):
        done = harness.Conurb().run("serve", "--data", self.folder / "data", "--port", harness.free_port(), *options, timeout=30)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def test_one_file_alone_is_refused(self):
        self.assertIn("tls.key:", self.refused("--tls-certificate", self.certificate, status=64))
        self.assertIn("tls.certificate:", self.refused("--tls-key", self.key, status=64))

    def test_files_that_cannot_be_used_are_named(self):
        missing, other = self.folder / "nothing.pem", self.authority.sign("other")[1]
        locked = self.folder / "locked.key"
        openssl("ec", "-in", self.key, "-aes256", "-passout", "pass:secret", "-out", locked)
        for certificate, key, named, sentence in (
                (missing, self.key, missing, "is missing"), (self.certificate, missing, missing, "is missing"),
                (self.folder, self.key, self.folder, "can't be read"), (self.key, self.key, self.key, "holds no certificate"),
                (self.certificate, self.certificate, self.certificate, "holds no private key"), (self.certificate, locked, locked, "holds no private key"),
                (self.certificate, other, other, "is not the one")):
            with self.subTest(sentence=sentence, named=named):
                told = self.refused("--tls-certificate", certificate, "--tls-key", key)
                self.assertIn(str(named), told)
                self.assertIn(sentence, told)

    def test_settings_come_from_the_environment_and_from_the_file(self):
        self.assertIn("is missing", harness.Conurb().run(
            "serve", "--data", self.folder / "data", environment={"CONURB_TLS_CERTIFICATE": "/nowhere", "CONURB_TLS_KEY": "/nowhere"}).stderr)
        file = self.folder / "conurb.json"
        file.write_text(json.dumps({"tls": {"certificate": "/nowhere.pem", "key": "/nowhere.key"}}))
        self.assertIn("/nowhere.pem is missing", self.refused("--config", file))

    def test_an_expired_certificate_is_told_of_loudly(self):
        certificate, key = self.folder / "old.pem", self.folder / "old.key"
        private = ec.generate_private_key(ec.SECP256R1())
        name, today = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")]), datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number(), today - datetime.timedelta(days=90),
                                       today - datetime.timedelta(days=1)).sign(private, hashes.SHA256())
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        server = harness.Server(self.folder / "old", "--tls-certificate", certificate, "--tls-key", key)
        server.wait_until_ready = lambda: None
        with server:
            deadline = time.monotonic() + 20
            while "has expired" not in server.log_path.read_text() and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertIn("has expired", server.log_tail())


if __name__ == "__main__":
    harness.main()
