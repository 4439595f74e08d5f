"""Notifications reach their receivers, also across kill -9: no acknowledged change is lost, and order holds for each entity.

    .venv/bin/python Tests/acceptance/test_subscriptions.py .build/release/conurb        (KILLS=4 unless set)

A receiver of ours answers 200 and remembers what it was told. Repetitions are allowed (delivery is at least once); a change
that was acknowledged and never told is not, nor is one that is told for the first time after a later one of its entity.
The MQTT part needs the programs mosquitto and mosquitto_sub and is skipped aloud without them.
"""

import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import requests

import harness
from harness import NGSI_LD

KILLS = int(os.environ.get("KILLS", "4"))
SECONDS_BETWEEN_KILLS = 2
ENTITY_COUNT = 8
WAIT_SECONDS_MAX = 40


class Receiver:
    """An HTTP endpoint on a free port. `status` decides its answer for a request number; it may take its time."""

    def __init__(self, status=lambda number: 200, delay=lambda: 0.0):
        self.lock, self.told, self.request_count = threading.Lock(), [], 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(delay())
                with receiver.lock:
                    receiver.request_count += 1
                    answer = status(receiver.request_count)
                    if answer == 200:
                        receiver.told.append((dict(self.headers), json.loads(body)))
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A sender that was killed in the middle of a request is what these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server.server_port}/notify"

    def values(self, attribute="level"):
        """For each entity the values it was told to have, in the order of the telling."""
        values = {}
        with self.lock:
            for _, notification in self.told:
                for entity in notification["data"]:
                    values.setdefault(entity["id"], []).append(entity[attribute]["value"])
        return values

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_until(condition, seconds_max=WAIT_SECONDS_MAX):
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def lamp(number, level):
    return {"id": f"urn:ngsi-ld:Lamp:{number}", "type": "Lamp", "level": {"type": "Property", "value": level}}


def subscription(uri, **members):
    notification = {"endpoint": {"uri": uri} | members.pop("endpoint", {})}
    return {"type": "Subscription", "entities": [{"type": "Lamp"}], "notification": notification} | members


class Writer(threading.Thread):
    """Sets the level of one lamp to 1, 2, 3 … and remembers which were acknowledged, over as many servers as there are."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.number, self.level, self.acknowledged, self.unexpected = number, 0, [], []
        self.server, self.stop = None, threading.Event()

    def run(self):
        session = requests.Session()
        while not self.stop.is_set():
            server, level = self.server, self.level + 1
            if server is None:
                time.sleep(0.01)
                continue
            self.level = level
            try:
                answer = session.post(server.base + NGSI_LD + "/entityOperations/upsert?options=update", json=[lamp(self.number, level)],
                                      timeout=10)
            except requests.RequestException:
                session.close()
                time.sleep(0.02)
                continue
            if answer.status_code in (201, 204):
                self.acknowledged.append(level)
            else:
                self.unexpected.append(f"{answer.status_code} {answer.text[:200]}")
                return
            time.sleep(0.03)  # slower than the receiver, on a fast machine too


class DeliveryTest(unittest.TestCase):
    def setUp(self):
        self.data = harness.TemporaryFolder.of(type(self)) / "data"

    def create(self, server, document):
        answer = server.post(NGSI_LD + "/subscriptions", document)
        self.assertEqual(answer.status_code, 201, answer.text[:300])
        return answer.headers["Location"]

    def test_no_acknowledged_change_is_lost_and_order_holds_when_the_server_is_killed(self):
        """Clause 5.8.6."""
        chance = random.Random(7)
        receiver = Receiver(delay=lambda: chance.random() * 0.01)
        self.addCleanup(receiver.close)
        writers = [Writer(number) for number in range(ENTITY_COUNT)]
        server = harness.Server(self.data, "--allow-private-egress").start()
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        self.create(server, subscription(receiver.uri))
        for writer in writers:
            writer.server = server
            writer.start()
        for _ in range(KILLS):
            time.sleep(SECONDS_BETWEEN_KILLS)
            server.kill()
            server.start()
        time.sleep(SECONDS_BETWEEN_KILLS)
        for writer in writers:
            writer.stop.set()
            writer.join()
        self.assertEqual([writer.unexpected for writer in writers if writer.unexpected], [])
        acknowledged = {f"urn:ngsi-ld:Lamp:{writer.number}": writer.acknowledged for writer in writers}
        count = sum(map(len, acknowledged.values()))
        self.assertGreater(count, ENTITY_COUNT * KILLS)
        missing = lambda: {name: sorted(set(levels) - set(receiver.values().get(name, []))) for name, levels in acknowledged.items()}
        # As long as it goes on: what is asked here is whether all arrives, not how fast.
        while (waiting := sum(map(len, missing().values()))) and wait_until(lambda: sum(map(len, missing().values())) < waiting):
            pass
        self.assertEqual({name: levels for name, levels in missing().items() if levels}, {}, f"of {count} acknowledged changes")
        for name, told in receiver.values().items():
            first = list(dict.fromkeys(told))
            self.assertEqual(first, sorted(first), f"{name} was told of out of order")
        server.stop()

    def test_a_receiver_that_is_away_for_a_while_gets_everything_in_order(self):
        """Clause 5.8.6."""
        receiver = Receiver(status=lambda number: 503 if number <= 2 else 200)
        self.addCleanup(receiver.close)
        with harness.Server(self.data, "--allow-private-egress") as server:
            location = self.create(server, subscription(receiver.uri))
            for level in range(1, 6):
                self.assertIn(server.post(NGSI_LD + "/entityOperations/upsert?options=update", [lamp(1, level)]).status_code, (201, 204))
            self.assertTrue(wait_until(lambda: receiver.values().get("urn:ngsi-ld:Lamp:1") == [1, 2, 3, 4, 5]), receiver.values())
            wait_until(lambda: server.get(location).json()["notification"].get("status") == "ok", 5)
            notification = server.get(location).json()["notification"]
            self.assertEqual(notification["status"], "ok")
            self.assertEqual(notification["timesFailed"], 2)
            self.assertEqual(notification["timesSent"], 7)

    def test_a_receiver_that_refuses_is_not_asked_twice_and_holds_up_nobody(self):
        refusing, other = Receiver(status=lambda number: 401), Receiver()
        self.addCleanup(refusing.close)
        self.addCleanup(other.close)
        with harness.Server(self.data, "--allow-private-egress") as server:
            location = self.create(server, subscription(refusing.uri))
            self.create(server, subscription(other.uri))
            for level in range(1, 4):
                self.assertIn(server.post(NGSI_LD + "/entityOperations/upsert?options=update", [lamp(1, level)]).status_code, (201, 204))
            self.assertTrue(wait_until(lambda: other.values().get("urn:ngsi-ld:Lamp:1") == [1, 2, 3]), other.values())
            self.assertTrue(wait_until(lambda: server.get(location).json()["notification"].get("timesFailed") == 3))
            self.assertEqual(refusing.request_count, 3)

    def test_names_are_resolved_and_tried_one_after_another(self):
        receiver = Receiver()  # on 127.0.0.1 only; the name may stand for ::1 as well
        self.addCleanup(receiver.close)
        with harness.Server(self.data, "--allow-private-egress") as server:
            self.create(server, subscription(receiver.uri.replace("127.0.0.1", "localhost")))
            self.assertEqual(server.post(NGSI_LD + "/entities", lamp(1, 1)).status_code, 201)
            self.assertTrue(wait_until(lambda: receiver.told))
            self.assertTrue(receiver.told[0][0]["Host"].startswith("localhost:"))

    def test_a_server_that_ends_does_not_wait_for_a_receiver_that_hangs(self):
        receiver = Receiver(delay=lambda: 25.0)
        self.addCleanup(receiver.close)
        with harness.Server(self.data, "--allow-private-egress") as server:
            self.create(server, subscription(receiver.uri, endpoint={"timeout": 30000}))
            self.assertEqual(server.post(NGSI_LD + "/entities", lamp(1, 1)).status_code, 201)
            time.sleep(0.5)  # the request is on its way then, or will not begin any more
            started = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - started, 12)
            self.assertNotIn("error", server.log_tail())

    def test_private_addresses_are_not_notified_unless_allowed(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        with harness.Server(self.data) as server:
            location = self.create(server, subscription(receiver.uri))
            self.assertEqual(server.post(NGSI_LD + "/entities", lamp(1, 1)).status_code, 201)
            self.assertTrue(wait_until(lambda: server.get(location).json()["notification"].get("status") == "failed", 20))
            self.assertEqual(receiver.request_count, 0)

    def test_without_a_token_subscriptions_are_neither_made_nor_seen(self):
        program = harness.Conurb()
        program.create_municipality(self.data, "alder")
        with harness.Server(self.data, open_access=False) as server:
            for method, path, body in [("POST", "", subscription("http://203.0.113.1/")), ("GET", "", None), ("GET", "/urn:s:1", None),
                                       ("PATCH", "/urn:s:1", {"isActive": True}), ("DELETE", "/urn:s:1", None)]:
                answer = server.request(method, NGSI_LD + "/subscriptions" + path, json=body, municipality="alder")
                self.assertEqual(answer.status_code, 401, f"{method} {path}: {answer.text[:200]}")

    def test_what_a_receiver_is_told_and_with_which_headers(self):
        """Clauses 5.2.15, 5.2.22, 6.3.8."""
        receiver = Receiver()
        self.addCleanup(receiver.close)
        with harness.Server(self.data, "--allow-private-egress") as server:
            endpoint = {"accept": "application/ld+json", "receiverInfo": [{"key": "X-Key", "value": "v"}]}
            self.assertEqual(server.post(NGSI_LD + "/subscriptions", subscription(receiver.uri, endpoint=endpoint), municipality="alder").status_code, 201)
            self.assertEqual(server.post(NGSI_LD + "/entities", lamp(1, 1), municipality="alder").status_code, 201)
            self.assertTrue(wait_until(lambda: receiver.told))
            headers, notification = receiver.told[0]
            self.assertEqual(headers["X-Key"], "v")
            self.assertEqual(headers["NGSILD-Tenant"], "alder")
            self.assertEqual(headers["Content-Type"], "application/ld+json")
            self.assertEqual(notification["@context"], harness.CORE_CONTEXT)


@unittest.skipUnless(shutil.which("mosquitto") and shutil.which("mosquitto_sub"), "mosquitto and mosquitto_sub are not installed")
class MQTTTest(unittest.TestCase):
    """Clause 7.2, against a real broker."""

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.port = harness.free_port()
        passwords = cls.folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "city", "s3cret"], check=True)
        passwords.chmod(0o644)
        cls.tls_port, certificate, key = harness.free_port(), cls.folder / "certificate.pem", cls.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        (cls.folder / "mosquitto.conf").write_text(
            f"allow_anonymous false\npassword_file {passwords}\nuser root\nlistener {cls.port} 127.0.0.1\n"
            f"listener {cls.tls_port}\ncertfile {certificate}\nkeyfile {key}\nlog_dest file {cls.folder}/mosquitto.log\n")
        cls.broker = subprocess.Popen([shutil.which("mosquitto"), "-c", cls.folder / "mosquitto.conf"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.broker.wait)
        cls.addClassCleanup(cls.broker.terminate)
        cls.server = harness.Server(cls.folder / "data", "--allow-private-egress", environment={"SSL_CERT_FILE": str(certificate)})
        cls.enterClassContext(cls.server)

    @contextlib.contextmanager
    def listening(self, topic, seconds=15):
        """Yields a function that returns the one message that arrives on a topic."""
        output = tempfile.TemporaryFile("w+")
        listener = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-u", "city", "-P", "s3cret", "-t", topic,
                                     "-q", "2", "-C", "1", "-W", str(seconds), "-d", "-F", "MESSAGE %p"], stdout=output, stderr=output, text=True)

        def lines():
            output.seek(0)
            return output.read().splitlines()

        def message():
            listener.wait(timeout=seconds + 5)
            found = [line.removeprefix("MESSAGE ") for line in lines() if line.startswith("MESSAGE ")]
            self.assertEqual(len(found), 1, lines())
            return json.loads(found[0])

        try:
            self.assertTrue(wait_until(lambda: any("SUBACK" in line for line in lines()), 10), lines())
            yield message
        finally:
            listener.kill()
            listener.wait()

    def notify(self, topic, **endpoint):
        uri = f"mqtt://city:s3cret@127.0.0.1:{self.port}/{topic}"
        answer = self.server.post(NGSI_LD + "/subscriptions", subscription(uri, endpoint=endpoint))
        self.assertEqual(answer.status_code, 201, answer.text[:300])
        self.addCleanup(lambda: self.server.request("DELETE", answer.headers["Location"]))
        number = abs(hash(topic)) % 10**9
        self.assertEqual(self.server.post(NGSI_LD + "/entities", lamp(number, 1)).status_code, 201)
        return answer.headers["Location"]

    def test_every_version_and_quality_of_service(self):
        """Clause 7.2."""
        for version in ("mqtt3.1.1", "mqtt5.0"):
            for quality in ("0", "1", "2"):
                topic = f"city/{version}/{quality}"
                with self.subTest(topic), self.listening(topic) as message:
                    location = self.notify(topic, notifierInfo=[{"key": "MQTT-Version", "value": version}, {"key": "MQTT-QoS", "value": quality}],
                                           receiverInfo=[{"key": "purpose", "value": "test"}])
                    told = message()
                    self.assertEqual(told["metadata"]["Content-Type"], "application/json")
                    self.assertIn("json-ld#context", told["metadata"]["Link"])
                    self.assertEqual(told["metadata"]["purpose"], "test")
                    self.assertEqual(told["body"]["type"], "Notification")
                    self.assertEqual(told["body"]["data"][0]["level"]["value"], 1)
                    self.assertTrue(wait_until(lambda: self.server.get(location).json()["notification"].get("status") == "ok", 10))
                    self.server.request("DELETE", location)

    def test_messages_to_one_broker_share_a_connection(self):
        connected = lambda: (self.folder / "mosquitto.log").read_text().count("New client connected")
        uri = f"mqtt://city:s3cret@127.0.0.1:{self.port}/city/shared"
        location = self.server.post(NGSI_LD + "/subscriptions", subscription(uri, endpoint={
            "notifierInfo": [{"key": "MQTT-QoS", "value": "1"}, {"key": "MQTT-Version", "value": "mqtt3.1.1"}]})).headers["Location"]
        self.addCleanup(lambda: self.server.request("DELETE", location))
        before = connected()
        for level in range(1, 6):
            self.assertIn(self.server.post(NGSI_LD + "/entityOperations/upsert?options=update", [lamp(77, level)]).status_code, (201, 204))
            self.assertTrue(wait_until(lambda: self.server.get(location).json()["notification"].get("timesSent") == level, 10))
        self.assertEqual(self.server.get(location).json()["notification"]["status"], "ok")
        self.assertLessEqual(connected() - before, 1)

    def test_a_message_that_takes_too_long_breaks_off_no_other_on_its_connection(self):
        connected = lambda: (self.folder / "mosquitto.log").read_text().count("New client connected")
        state = lambda location: self.server.get(location).json()["notification"]
        upsert = lambda level: self.server.post(NGSI_LD + "/entityOperations/upsert?options=update", [lamp(78, level)]).status_code
        before, locations = connected(), []
        for name, more in (("hasty", {"timeout": 500}), ("patient", {})):
            uri = f"mqtt://city:s3cret@127.0.0.1:{self.port}/city/{name}"
            endpoint = {"notifierInfo": [{"key": "MQTT-QoS", "value": "1"}], **more}
            locations.append(self.server.post(NGSI_LD + "/subscriptions", subscription(uri, endpoint=endpoint)).headers["Location"])
            self.addCleanup(self.server.request, "DELETE", locations[-1])
        hasty, patient = locations
        self.assertIn(upsert(1), (201, 204))
        for location in locations:
            self.assertTrue(wait_until(lambda: state(location).get("timesSent") == 1, 10))
        self.broker.send_signal(signal.SIGSTOP)
        try:
            self.assertIn(upsert(2), (201, 204))
            self.assertTrue(wait_until(lambda: state(hasty).get("timesFailed", 0) >= 2, 8))
        finally:
            self.broker.send_signal(signal.SIGCONT)
        self.assertTrue(wait_until(lambda: state(patient).get("timesSent") == 2, 10))
        self.assertEqual(state(patient).get("timesFailed", 0), 0)
        self.assertLessEqual(connected() - before, 1)

    def test_mqtts_is_spoken_to_brokers_whose_certificate_is_trusted_and_to_no_others(self):
        """Clause 7.2."""
        # Not the name in the certificate: refused, though the authority is known.
        wrong = self.server.post(NGSI_LD + "/subscriptions", subscription(f"mqtts://city:s3cret@127.0.0.1:{self.tls_port}/city/wrong"))
        self.addCleanup(lambda: self.server.request("DELETE", wrong.headers["Location"]))
        with self.listening("city/secure") as message:
            answer = self.server.post(NGSI_LD + "/subscriptions", subscription(f"mqtts://city:s3cret@localhost:{self.tls_port}/city/secure"))
            self.addCleanup(lambda: self.server.request("DELETE", answer.headers["Location"]))
            self.assertEqual(self.server.post(NGSI_LD + "/entities", lamp(777, 1)).status_code, 201)
            self.assertEqual(message()["body"]["data"][0]["id"], "urn:ngsi-ld:Lamp:777")
        self.assertTrue(wait_until(lambda: self.server.get(wrong.headers["Location"]).json()["notification"].get("status") == "failed", 20))

    def test_a_wrong_password_is_a_failure(self):
        uri = f"mqtt://city:wrong@127.0.0.1:{self.port}/city/none"
        location = self.server.post(NGSI_LD + "/subscriptions", subscription(uri)).headers["Location"]
        self.addCleanup(lambda: self.server.request("DELETE", location))
        self.assertEqual(self.server.post(NGSI_LD + "/entities", lamp(999, 1)).status_code, 201)
        self.assertTrue(wait_until(lambda: self.server.get(location).json()["notification"].get("status") == "failed", 20))


if __name__ == "__main__":
    harness.main()
