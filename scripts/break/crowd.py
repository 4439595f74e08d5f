"""5,000 connections that say nothing or nothing any more, and 500 that send slowly, half of them their headers and half their body, a byte every second. Meanwhile a client with an open connection asks
on, and 20 newcomers come, who must not have to wait until the crowd has had its time. First with the limits that the program has by itself, 1,000 connections and 60 seconds: whoever comes when all are
taken has the place of the connection on which nothing was asked for longest, also where its headers are on their way, so that nobody waits and only as many are left as there may be; who is sending a body keeps his place for
`http.bodySecondsMax`. Then with room for all, and 15 seconds: each is let go in time, an idle one after `http.idleSecondsMax`, a request that does not arrive after `http.bodySecondsMax`."""

import contextlib
import json
import resource
import selectors
import socket
import threading
import time

import requests

from ground import Skip
from harness import NGSI_LD
from watch import Watch

ROUNDS = 4
QUICK_ROUNDS = 1
IDLE_COUNT, SLOW_COUNT = 5_000, 500
ROOMY = {"CONURB_HTTP_CONNECTIONS_MAX": "11000", "CONURB_HTTP_IDLE_SECONDS_MAX": "15", "CONURB_HTTP_BODY_SECONDS_MAX": "15"}
# How long all of the crowd may be there, by the limits.
USUAL_SECONDS_MAX, ROOMY_SECONDS_MAX = 45, 32
NEWCOMER_SECONDS_MAX = 25
# On a machine that has other work too.
NEWCOMER_MILLISECONDS_MAX = 5_000
# With those that are kept besides so that who comes is told that there are too many.
USUAL_LEFT_MAX = 1_125
# A second. More might not fit into the system's queue of connections, in which the last word of a handshake gets lost: a client then takes for open what nobody has.
PACE = 800
P99_MILLISECONDS_MAX = 250
HEAD = b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"


class Crowd(threading.Thread):
    """Opens connections and remembers how long each lives."""

    def __init__(self, port, idle_count, slow_count):
        super().__init__(daemon=True)
        self.port, self.counts, self.stopping = port, (idle_count, slow_count), threading.Event()
        self.opened, self.ended, self.refused, self.answers, self.is_open = {}, {}, 0, {}, threading.Event()

    def run(self):
        selector, slow = selectors.DefaultSelector(), []
        kinds = [("silent", "asked once")[index % 2] for index in range(self.counts[0])] + [("slow headers", "slow body")[index % 2] for index in range(self.counts[1])]
        kinds.reverse()
        started = due = time.monotonic()
        waiting, total = {}, len(kinds)
        while not self.stopping.is_set() and (kinds or waiting or len(self.ended) < len(self.opened)):
            while kinds and total - len(kinds) < (time.monotonic() - started) * PACE:
                connection = socket.socket()
                connection.setblocking(False)
                waiting[connection] = kinds.pop()
                connection.connect_ex(("127.0.0.1", self.port))
                selector.register(connection, selectors.EVENT_WRITE)
            for key, _ in selector.select(0.005 if kinds else 0.1):
                connection = key.fileobj
                if connection in waiting:
                    self.begin(connection, waiting.pop(connection), selector, slow)
                else:
                    self.receive(connection, selector)
            if not kinds:
                self.is_open.set()
            if time.monotonic() > due:
                due += 1
                for connection in slow:
                    if connection not in self.ended:
                        with contextlib.suppress(OSError):
                            connection.send(b"x")
        self.refused += len(waiting)
        self.forget_what_nobody_has()
        for connection in [*self.opened, *waiting]:
            connection.close()

    def forget_what_nobody_has(self):
        """Where the last word of a handshake was lost, or still waits, the program has nothing to let go of."""
        held = {int(remote.rpartition(":")[2], 16) for local, remote, inode in established() if int(local.rpartition(":")[2], 16) == self.port and inode != "0"}
        for connection in [connection for connection in self.opened if connection not in self.ended and connection.getsockname()[1] not in held]:
            self.refused += 1
            del self.opened[connection]
            connection.close()

    def begin(self, connection, kind, selector, slow):
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.refused += 1
            selector.unregister(connection)
            return connection.close()
        self.opened[connection] = (kind, time.monotonic())
        selector.modify(connection, selectors.EVENT_READ)
        with contextlib.suppress(OSError):
            if kind == "asked once":
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            elif kind.startswith("slow"):
                connection.sendall(HEAD + (b"\r\n{" if kind == "slow body" else b"X-Slow: "))
                slow.append(connection)

    def receive(self, connection, selector):
        try:
            part = connection.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if part:
            status = part.split(b" ", 2)[1].decode() if part.startswith(b"HTTP/") else "rest"
            kind = self.opened[connection][0]
            self.answers[kind, status] = self.answers.get((kind, status), 0) + 1
        else:
            selector.unregister(connection)
            self.ended[connection] = time.monotonic()

    def lives(self):
        """By kind: how many, how many ended, the longest life in seconds."""
        lives = {}
        for connection, (kind, since) in list(self.opened.items()):
            count, ended, longest = lives.get(kind, (0, 0, 0.0))
            life = self.ended.get(connection)
            lives[kind] = (count + 1, ended + (life is not None), max(longest, (life or since) - since))
        return lives


def established():
    """The connections that this machine has: both addresses, and the inode of whoever accepted it."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [(row[1], row[2], row[9]) for row in rows if row[3] == "01"]


def descriptors_for(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count * 2:
        raise Skip(f"{count} connections need {count * 2} file descriptors here; the limit is {hard}")
    if soft < count * 2:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count * 2, hard))


def run(ground):
    descriptors_for(IDLE_COUNT + SLOW_COUNT)
    usual, roomy = ("at the usual limits", {}, USUAL_SECONDS_MAX), ("with room for all", ROOMY, ROOMY_SECONDS_MAX)
    if ground.rounds == 1:  # in small
        for name, limits, seconds_max in (("at few places", {"CONURB_HTTP_CONNECTIONS_MAX": "100"}, USUAL_SECONDS_MAX), roomy):
            crowded(ground, name, limits | {"CONURB_HTTP_IDLE_SECONDS_MAX": "4", "CONURB_HTTP_BODY_SECONDS_MAX": "4"}, seconds_max, share=10)
    for number in range(ground.rounds if ground.rounds > 1 else 0):
        name, limits, seconds_max = (usual, roomy)[number % 2]
        crowded(ground, f"{name} ({number // 2 + 1})" if ground.rounds > 2 else name, limits, seconds_max)


def crowded(ground, name, limits, seconds_max, share=1):
    server = ground.server(data=ground.folder / name.replace(" ", "-"), environment=limits).start()
    document = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "level": {"type": "Property", "value": 1}}
    ground.expect(server.post(NGSI_LD + "/entities", document, municipality="birch").status_code == 201, "no entity")
    watch = Watch(server.base + NGSI_LD + "/entities/urn:ngsi-ld:Lamp:1")
    with watch:
        time.sleep(1)
        alone = watch.percentile(0.99)
        watch.milliseconds = []
        crowd = Crowd(server.port, IDLE_COUNT // share, SLOW_COUNT // share)
        crowd.start()
        newcomers = new(server, crowd, share)
        crowd.join(seconds_max)
        crowd.stopping.set()
        crowd.join()
    lives = crowd.lives()
    served = sum(status == 200 for status, _ in newcomers)
    told = ", ".join(f"{count} × {status} to {kind}" for (kind, status), count in sorted(crowd.answers.items()) if status != "rest")
    ground.figures |= {
        f"{name}: p99 of the client that was there, alone and in the crowd": f"{alone:.0f} and {watch.percentile(0.99):.0f} ms",
        f"{name}: newcomers in the crowd that were served": f"{served} of {len(newcomers)}, in {max(milliseconds for _, milliseconds in newcomers):.0f} ms at most",
        f"{name}: what the crowd was told": told or "nothing", f"{name}: connections that the program never had": crowd.refused}
    for kind, (count, ended, longest) in sorted(lives.items()):
        ground.figures[f"{name}: {kind}, ended of those connected, longest"] = f"{ended:,} of {count:,}, {longest:.0f} s"
        ground.expect(ended == count or not limits, f"{name}: {count - ended} of {count} connections ({kind}) were not let go within {seconds_max} s")
    left = sum(count - ended for count, ended, _ in lives.values())
    ground.expect(left <= USUAL_LEFT_MAX, f"{name}: {left} connections are left")
    ground.expect(crowd.refused == 0, f"{name}: {crowd.refused} connections were never accepted")
    slowest = max(milliseconds for _, milliseconds in newcomers)
    ground.expect(slowest < NEWCOMER_MILLISECONDS_MAX, f"{name}: a newcomer waited for {slowest:.0f} ms")
    ground.faults += [f"{name}: the client that was there: {failure}" for failure in watch.failures[:2]]
    ground.expect(watch.percentile(0.99) < P99_MILLISECONDS_MAX, f"{name}: p99 of {watch.percentile(0.99):.0f} ms for the client that was there")
    ground.expect(served == len(newcomers), f"{name}: {len(newcomers) - served} of {len(newcomers)} newcomers were not served: {dict.fromkeys(status for status, _ in newcomers)}")
    ground.expect(server.process.poll() is None, f"{name}: the server ended: {server.log_tail(800)}")
    ground.expect(server.get("/health").status_code == 200, f"{name}: afterwards it does not answer")
    ground.expect(server.stop() == 0, f"{name}: it did not stop cleanly")


def new(server, crowd, share):
    """Clients that come while the crowd is there: the status that each got, and after how many milliseconds."""
    while len(crowd.opened) < 2_000 // share and not crowd.is_open.wait(0.05):
        pass
    newcomers = []
    for _ in range(20):
        started = time.monotonic()
        status = 503
        # Who is told that there are too many comes again, as it says.
        while status == 503 and time.monotonic() - started < NEWCOMER_SECONDS_MAX:
            try:
                status = requests.get(server.base + "/health", timeout=NEWCOMER_SECONDS_MAX).status_code
            except requests.RequestException as error:
                status = type(error).__name__
        newcomers.append((status, (time.monotonic() - started) * 1000))
        time.sleep(0.05)
    return newcomers
