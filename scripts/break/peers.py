"""Clients that close their half, reset the connection in the midst of a header, a body or an answer, or send two requests and leave; and receivers of notifications that reset, close half, or answer
nothing. A write whose client left is there whole or not at all; one whose body did not arrive is not there. Who asks properly meanwhile is served, a notification that a receiver did not confirm comes
again, and no connection or descriptor stays behind."""

import collections
import json
import os
import socket
import struct
import threading
import time

import faults
from harness import NGSI_LD
from watch import Watch

ROUNDS = 600
QUICK_ROUNDS = 80
LARGE_COUNT = 200
DESCRIPTORS_LEFT_MAX = 20
SETTLE_SECONDS_MAX = 20
DELIVERY_SECONDS_MAX = 60


def document(number, padding=0):
    return json.dumps({"id": f"urn:ngsi-ld:Peer:{number}", "type": "Peer", "first": {"type": "Property", "value": number}, "second": {"type": "Property", "value": number},
                       "padding": {"type": "Property", "value": "x" * padding}}).encode()


def request(body, close=False):
    return (b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nNGSILD-Tenant: alder\r\nContent-Type: application/json\r\n" + (b"Connection: close\r\n" if close else b"")
            + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def reset(connection):
    """Closes it so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def until_closed(connection):
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except OSError:
        pass
    return received


# What a peer does; each says whether what it wrote must be there (True), must not (False), or may (None).


def closes_half_after_request(connection, chance, body):
    connection.sendall(request(body))
    connection.shutdown(socket.SHUT_WR)
    return b" 201 " in until_closed(connection).split(b"\r\n", 1)[0] or "no answer to a client that closed its half"


def closes_half_in_body(connection, chance, body):
    whole = request(body)
    connection.sendall(whole[:-chance.randrange(1, len(body))])
    connection.shutdown(socket.SHUT_WR)
    answer = until_closed(connection)
    return "half a body was accepted" if b" 201 " in answer.split(b"\r\n", 1)[0] else False


def resets_in_header(connection, chance, body):
    connection.sendall(request(body)[:chance.randrange(1, 60)])
    reset(connection)
    return False


def resets_in_body(connection, chance, body):
    whole = request(body)
    connection.sendall(whole[:-chance.randrange(1, len(body))])
    time.sleep(chance.uniform(0, 0.01))
    reset(connection)
    return False


def resets_before_answer(connection, chance, body):
    connection.sendall(request(body))
    time.sleep(chance.uniform(0, 0.004))
    reset(connection)
    return None


def resets_in_answer(connection, chance, body):
    connection.sendall(b"GET /ngsi-ld/v1/entities?type=Large&limit=%d HTTP/1.1\r\nHost: x\r\nNGSILD-Tenant: alder\r\n\r\n" % LARGE_COUNT)
    for _ in range(chance.randrange(1, 4)):
        connection.recv(chance.randrange(1, 50_000))
    reset(connection)
    return False


def sends_two_and_leaves(connection, chance, body):
    connection.sendall(request(body) + b"GET /ngsi-ld/v1/entities?type=Large&limit=20 HTTP/1.1\r\nHost: x\r\nNGSILD-Tenant: alder\r\n\r\n" * 3)
    reset(connection)
    return None


ACTS = (closes_half_after_request, closes_half_in_body, resets_in_header, resets_in_body, resets_before_answer, resets_in_answer, sends_two_and_leaves)


class RudeReceiver(threading.Thread):
    """Lets each notification fail the first time, in one way after the other, and takes it the second time."""

    def __init__(self, chance):
        super().__init__(daemon=True)
        self.chance, self.socket, self.seen, self.taken = chance, socket.create_server(("127.0.0.1", 0)), collections.Counter(), set()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/notify"

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.receive, args=(connection,), daemon=True).start()

    def receive(self, connection):
        connection.settimeout(30)
        received = b""
        try:
            while b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < faults_length(received):
                part = connection.recv(65_536)
                if not part:
                    return
                received += part
            numbers = [entity["level"]["value"] for entity in json.loads(received.partition(b"\r\n\r\n")[2])["data"]]
            key = tuple(numbers)
            self.seen[key] += 1
            if self.seen[key] == 1:
                [way] = self.chance.choices(("reset", "half an answer", "nothing"))
                if way == "half an answer":
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
                return reset(connection) if way == "reset" else connection.close()
            self.taken.update(numbers)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        connection.close()


def faults_length(received):
    return int(received.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def run(ground):
    server = ground.server().start()
    for start in range(0, LARGE_COUNT, 50):
        large = [{"id": f"urn:ngsi-ld:Large:{number}", "type": "Large", "padding": {"type": "Property", "value": "x" * 20_000}} for number in range(start, start + 50)]
        ground.expect(server.post(NGSI_LD + "/entityOperations/upsert", large, municipality="alder").status_code == 201, "no entities")
    receiver = RudeReceiver(ground.chance)
    receiver.start()
    ground.stack.callback(receiver.socket.close)
    subscription = {"id": "urn:ngsi-ld:Subscription:rude", "type": "Subscription", "entities": [{"type": "Buoy"}], "notification": {"endpoint": {"uri": receiver.uri}}}
    ground.expect(server.post(NGSI_LD + "/subscriptions", subscription, municipality="alder").status_code == 201, "no subscription")
    before, done, expected, told = descriptors(server), collections.Counter(), {}, 0
    with Watch(server.base + NGSI_LD + "/entities/urn:ngsi-ld:Large:1", municipality="alder") as watch:
        for number in range(ground.rounds):
            act = ground.chance.choice(ACTS)
            done[act.__name__.replace("_", " ")] += 1
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                try:
                    outcome = act(connection, ground.chance, document(number, ground.chance.choice((0, 1_000, 200_000))))
                except OSError as error:
                    outcome = f"{act.__name__}: {error}"
            if isinstance(outcome, str):
                ground.fault(f"{act.__name__}: {outcome}")
            else:
                expected[number] = outcome
            if number % 20 == 0:
                buoy = {"id": f"urn:ngsi-ld:Buoy:{number}", "type": "Buoy", "level": {"type": "Property", "value": number}}
                ground.expect(server.post(NGSI_LD + "/entities", buoy, municipality="alder").status_code == 201, "a write fails")
                told += 1
    ground.faults += [f"who asked properly: {failure}" for failure in watch.failures[:2]]
    check(ground, server, expected)
    deadline = time.monotonic() + DELIVERY_SECONDS_MAX
    while len(receiver.taken) < told and time.monotonic() < deadline:
        time.sleep(0.2)
    ground.expect(len(receiver.taken) == told, f"{told - len(receiver.taken)} of {told} notifications did not come again after their receiver broke off")
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while descriptors(server) > before + DESCRIPTORS_LEFT_MAX and time.monotonic() < deadline:
        time.sleep(0.2)
    left = descriptors(server) - before
    ground.expect(left <= DESCRIPTORS_LEFT_MAX, f"{left} more descriptors are open than before")
    ground.figures |= {"peers that broke off": ground.rounds} | dict(done) | {
        "notifications that broke off and came again": len(receiver.taken), "descriptors more than before": left,
        "p99 of who asked properly": f"{watch.percentile(0.99):.0f} ms"}
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    ground.expect(ground.conurb.verify(ground.data).returncode == 0, "verify finds faults")


def check(ground, server, expected):
    for number, outcome in expected.items():
        answer = server.get(f"{NGSI_LD}/entities/urn:ngsi-ld:Peer:{number}?format=simplified", municipality="alder")
        if outcome is not None:
            ground.expect((answer.status_code == 200) == outcome, f"entity {number} is {'not ' if outcome else ''}there: {answer.status_code} {answer.text[:100]}")
        if answer.status_code == 200:
            ground.expect(answer.json()["first"] == answer.json()["second"] == number, f"half a write: {answer.text[:200]}")
