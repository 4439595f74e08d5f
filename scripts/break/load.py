"""A mixed load that knows what was acknowledged, and holds what a server has against it.

Every entity carries its value twice, in `first` and `second`, always written by one request; a batch is a group of entities that are
only ever written together. After whatever happened the two are equal, and equal to the last value that was acknowledged or to one
whose answer was cut off; a group has one value. The past of an entity tells every acknowledged value, in order, and ends with the present
one. A series that is appended to ends at the end of a request. What was subscribed to, filed and told of is there.
"""

import collections
import dataclasses
import random
import threading
import time

import requests

import faults
from harness import NGSI_LD

MUNICIPALITIES = ("alder", "birch")
WRITERS_PER_MUNICIPALITY = 4
BATCH_ENTITY_COUNT = 20
GROUPS_PER_WRITER_MAX = 12
APPENDED_COUNT = 5
INSTANCES_PER_SERIES_MAX = 500
LAMPS_PER_WRITER = 5
READ_ENTITY_COUNT = 50  # entities asked for by identifier in one request
OLDER_SAMPLE_COUNT = 300
HISTORY_SAMPLE_COUNT = 15
NOTIFY_SECONDS_MAX = 60
ABSENT = None
USUAL = {"create": 25, "patch": 30, "batch": 12, "append": 12, "lamp": 15, "subscription": 2, "case": 4}
SERVICE = """\
id: hole
title: A hole in the road
fields:
  - {id: description, label: What, type: text, maxLength: 200, public: true}
departments: [{department: Roads}]
steps:
  - {id: new, title: Received, phase: open, next: [done]}
  - {id: done, title: Mended, phase: closed, done: true}
calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
public: {when: atOnce, place: hidden}
"""


def number(value):
    return {"type": "Property", "value": value}


def entity(identifier, value, padding=None):
    """`padding` makes it larger."""
    more = {"padding": number(padding)} if padding else {}
    return {"id": identifier, "type": "CrashProbe", "first": number(value), "second": number(value)} | more


@dataclasses.dataclass
class Request:
    method: str
    path: str
    unit: tuple
    value: int
    document: object = None
    form: dict | None = None
    statuses: tuple = (201, 204)


class Memory:
    """What one writer knows over all rounds. `allowed[unit]` is the set of values that the unit may have now: one after an answer, two
    while an answer is awaited or never came. `told[unit]` are the values that were acknowledged, in order."""

    def __init__(self):
        self.allowed, self.told, self.touched, self.clock = {}, collections.defaultdict(list), set(), 0
        self.singles, self.groups, self.series, self.cases = [], {}, [], {}


class Writer(threading.Thread):
    """Writes to what only it writes to, one request at a time, until it is stopped. While the server is away it asks again."""

    def __init__(self, load, name, municipality, memory, seed):
        super().__init__(name=name, daemon=True)
        self.load, self.municipality, self.memory, self.random = load, municipality, memory, random.Random(seed)
        self.kinds, self.weights = zip(*load.weights.items())

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = self.municipality
        while not self.load.stopping.is_set():
            request = self.next_request()
            memory, before = self.memory, self.memory.allowed.get(request.unit, {ABSENT})
            memory.allowed[request.unit] = before | {request.value}
            memory.touched.add(request.unit)
            try:
                answer = session.request(request.method, self.load.base + request.path, json=request.document, data=request.form, timeout=self.load.seconds_max)
            except requests.Timeout:
                self.load.note(f"no answer within {self.load.seconds_max} s: {request.method} {request.path}")
                continue
            except requests.RequestException:  # both values stay possible
                session.close()
                self.load.cut_off_count += 1
                self.load.stopping.wait(0.02)
                continue
            self.judge(request, answer, before)

    def judge(self, request, answer, before):
        memory = self.memory
        if answer.status_code in request.statuses:
            memory.allowed[request.unit] = {request.value}
            memory.told[request.unit].append(request.value)
            if request.unit[0] == "case":
                memory.cases[answer.json()[0]["service_request_id"]] = request.form["description"]
            self.load.acknowledged_count += 1
            return
        name = problem_name(answer)
        self.load.refused[answer.status_code, name] += 1
        # One of a kind says it.
        if not self.load.tolerates(answer.status_code, name, answer) and self.load.refused[answer.status_code, name] == 1:
            self.load.note(f"unexpected answer: {request.method} {request.path}: {answer.status_code} {answer.text[:300]}")
        # A refused write leaves nothing behind, unless whoever runs the load says that it can't be known.
        if not self.load.may_stay:
            memory.allowed[request.unit] = before
        self.load.stopping.wait(0.01)

    def next_request(self):
        self.memory.clock += 1
        [kind] = self.random.choices(self.kinds, self.weights)
        return getattr(self, kind)(self.memory.clock)

    # What is written

    def create(self, value):
        unit = ("single", f"urn:ngsi-ld:CrashProbe:{self.name}-{value}")
        self.memory.singles.append(unit)
        return Request("POST", NGSI_LD + "/entities", unit, value, entity(unit[1], value))

    def patch(self, value):
        if not self.memory.singles:
            return self.create(value)
        unit = self.random.choice(self.memory.singles)
        allowed = self.memory.allowed[unit]
        if allowed == {ABSENT}:  # its creation was refused, or cut off and did not happen
            return Request("POST", NGSI_LD + "/entities", unit, value, entity(unit[1], value))
        # Where its creation was cut off a moment ago it may not be there.
        if ABSENT in allowed:
            return self.create(value)
        return Request("PATCH", f"{NGSI_LD}/entities/{unit[1]}", unit, value, {"first": number(value), "second": number(value)})

    def batch(self, value):
        return self.batch_of(value, BATCH_ENTITY_COUNT, GROUPS_PER_WRITER_MAX)

    def large(self, value):
        """A batch of some megabytes."""
        return self.batch_of(value, 200, 4, "x" * 20_000)

    def many(self, value):
        """A batch of many small entities, of which more is made than of as many bytes in few."""
        return self.batch_of(value, 1000, 1)

    def huge(self, value):
        """A batch of almost as much as a body may have."""
        return self.batch_of(value, 740, 1, "x" * 20_000)

    def batch_of(self, value, count, groups, padding=None):
        name = f"{self.name}-group{count}-{self.random.randrange(groups)}"
        unit = self.memory.groups.setdefault(name, ("group", *(f"urn:ngsi-ld:CrashProbe:{name}-{i}" for i in range(count))))
        return Request("POST", NGSI_LD + "/entityOperations/upsert", unit, value, [entity(i, value, padding) for i in unit[1:]])

    def append(self, value):
        """The value of a series is the number of its instances; one whose end is not known is left alone."""
        known = [unit for unit in self.memory.series[-3:] if len(self.memory.allowed[unit]) == 1 and self.count(unit) < INSTANCES_PER_SERIES_MAX]
        unit = self.random.choice(known) if known else ("series", f"urn:ngsi-ld:Sensor:{self.name}-{value}")
        if not known:
            self.memory.series.append(unit)
            self.memory.allowed[unit] = {ABSENT}
        start = self.count(unit)
        instances = [number(i) | {"observedAt": moment(i)} for i in range(start, start + APPENDED_COUNT)]
        return Request("POST", NGSI_LD + "/temporal/entities", unit, start + APPENDED_COUNT, {"id": unit[1], "type": "Sensor", "level": instances})

    def count(self, unit):
        [count] = self.memory.allowed[unit]
        return count or 0

    def lamp(self, value):
        """Lamps are what the receiver is told of."""
        unit = ("lamp", self.load.lamp_number(self, self.random.randrange(LAMPS_PER_WRITER)))
        document = {"id": f"urn:ngsi-ld:Lamp:{unit[1]}", "type": "Lamp", "level": number(value)}
        return Request("POST", NGSI_LD + "/entityOperations/upsert", unit, value, [document])

    def subscription(self, value):
        unit = ("subscription", f"urn:ngsi-ld:Subscription:{self.name}-{value}")
        document = {"id": unit[1], "type": "Subscription", "entities": [{"type": "Nothing"}], "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}}}
        return Request("POST", NGSI_LD + "/subscriptions", unit, value, document)

    def case(self, value):
        form = {"service_code": "hole", "description": f"{self.name} {value}", "jurisdiction_id": self.municipality, "api_key": self.load.tokens[self.municipality]}
        return Request("POST", "/open311/v2/requests.json", ("case", f"{self.name}-{value}"), value, form=form)


def moment(index):
    return f"2026-01-01T{index // 3600:02}:{index // 60 % 60:02}:{index % 60:02}Z"


def problem_name(answer):
    """The last word of a problem's type; of Open311 what its error says."""
    try:
        body = answer.json()
        return body["type"].rpartition("/")[2] if isinstance(body, dict) else str(body[0]["description"])[:60]
    except (ValueError, KeyError, TypeError, IndexError):
        return "no problem details"


class Load:
    """Municipalities with writers and a receiver. `prepare` before the first start, then `start` and `stop` as often as wanted, `check` in between."""

    def __init__(self, ground, weights=None, writers=WRITERS_PER_MUNICIPALITY, municipalities=MUNICIPALITIES, seconds_max=20):
        self.ground, self.weights, self.municipalities, self.seconds_max = ground, weights or USUAL, municipalities, seconds_max
        self.memories = {(m, i): Memory() for m in municipalities for i in range(writers)}
        self.tokens, self.receiver, self.writers, self.stopping = {}, None, [], threading.Event()
        self.acknowledged_count, self.cut_off_count, self.refused, self.faults = 0, 0, collections.Counter(), []
        self.tolerates = lambda status, name, answer: False
        self.may_stay = False
        self.base = None

    def note(self, fault):
        self.faults.append(fault)

    def lamp_number(self, writer, index):
        return list(self.memories).index(writer.key) * 1000 + index

    # Around the server

    def prepare(self, data):
        """Makes the municipalities while no server runs."""
        definition = data.parent / "hole.yaml"
        definition.write_text(SERVICE)
        for name in self.municipalities:
            for made in (self.ground.conurb.create_municipality(data, name), self.ground.conurb.run("service", "put", definition, "--data", data, "--municipality", name)):
                if made.returncode:
                    raise AssertionError(made.stderr)
            self.tokens[name] = self.ground.conurb.create_token(data, name, "write")

    def subscribe(self, server):
        self.receiver = faults.Receiver("quick")
        self.ground.stack.callback(self.receiver.close)
        document = {"id": "urn:ngsi-ld:Subscription:lamps", "type": "Subscription", "entities": [{"type": "Lamp"}], "watchedAttributes": ["level"],
                    "notification": {"endpoint": {"uri": self.receiver.uri}}}
        for name in self.municipalities:
            answer = server.post(NGSI_LD + "/subscriptions", document, municipality=name)
            if answer.status_code != 201:
                raise AssertionError(answer.text)

    def start(self, server):
        self.base = server.base
        self.stopping.clear()
        self.writers = []
        for (municipality, index), memory in self.memories.items():
            writer = Writer(self, f"{municipality}{index}", municipality, memory, self.ground.chance.random())
            writer.key = (municipality, index)
            self.writers.append(writer)
        for writer in self.writers:
            writer.start()

    def stop(self):
        self.stopping.set()
        for writer in self.writers:
            writer.join(self.seconds_max + 10)
            if writer.is_alive():
                self.note("a writer hangs")

    # Holding what there is against what may be

    def check(self, server, everything=False):
        """Notes what is wrong, and narrows what may be to what is."""
        for (municipality, _), memory in self.memories.items():
            units = set(memory.allowed) if everything else memory.touched
            older = sorted(set(memory.allowed) - units, key=str)
            units = sorted(units, key=str) + self.ground.chance.sample(older, min(len(older), OLDER_SAMPLE_COUNT))
            self.check_entities(server, municipality, memory, [unit for unit in units if unit[0] in ("single", "group")])
            self.check_series(server, municipality, memory, [unit for unit in units if unit[0] == "series"])
            self.check_subscriptions(server, municipality, memory)
            self.check_cases(server, municipality, memory, everything)
            self.check_past(server, municipality, memory)
            memory.touched = set()
        self.check_counts(server)

    def check_entities(self, server, municipality, memory, units):
        values = self.read(server, municipality, [identifier for unit in units for identifier in unit[1:]])
        for unit in units:
            found = {values.get(identifier, (ABSENT, ABSENT)) for identifier in unit[1:]}
            if len(found) != 1:
                self.note(f"half a batch in {municipality}: {unit[1]}: {sorted(map(str, found))}")
                continue
            first, second = found.pop()
            if first != second:
                self.note(f"half a write in {municipality}: {unit[1]}: {first} and {second}")
            self.narrow(municipality, memory, unit, first)

    def narrow(self, municipality, memory, unit, found):
        allowed = memory.allowed[unit]
        if found not in allowed:
            kind = "an acknowledged write is lost" if found is ABSENT or found in memory.told[unit] else "a refused write is there"
            self.note(f"{kind} in {municipality}: {unit[1]} has {found}, not {sorted(map(str, allowed))}")
        memory.allowed[unit] = {found}

    def read(self, server, municipality, identifiers):
        values = {}
        for start in range(0, len(identifiers), READ_ENTITY_COUNT):
            some = ",".join(identifiers[start:start + READ_ENTITY_COUNT])
            query = {"id": some, "local": "true", "format": "simplified", "limit": READ_ENTITY_COUNT, "attrs": "first,second"}
            for found in self.answer(server, municipality, "/entities", query):
                values[found["id"]] = (found.get("first"), found.get("second"))
        return values

    def answer(self, server, municipality, path, query):
        answer = server.get(NGSI_LD + path, params=query, municipality=municipality, headers={"Accept": "application/json"})
        if answer.status_code not in (200, 206):
            self.note(f"unexpected answer: GET {path} in {municipality}: {answer.status_code} {answer.text[:300]}")
            return []
        return answer.json()

    def check_series(self, server, municipality, memory, units):
        for unit in units:
            query = {"id": unit[1], "format": "temporalValues", "timerel": "after", "timeAt": "2000-01-01T00:00:00Z", "attrs": "level"}
            answer = self.answer(server, municipality, "/temporal/entities", query | {"type": "Sensor"})
            values = [value for value, _ in answer[0]["level"]["values"]] if answer else []
            if values != list(range(len(values))):
                self.note(f"a series in {municipality} has gaps: {unit[1]}: {values[:20]}...")
            self.narrow(municipality, memory, unit, len(values) or ABSENT)

    def check_subscriptions(self, server, municipality, memory):
        for unit in [unit for unit in memory.touched if unit[0] == "subscription"]:
            status = server.get(f"{NGSI_LD}/subscriptions/{unit[1]}", municipality=municipality).status_code
            self.narrow(municipality, memory, unit, max(filter(None, memory.allowed[unit]), default=1) if status == 200 else ABSENT)

    def check_cases(self, server, municipality, memory, everything):
        cases = list(memory.cases.items())
        if not everything:
            cases = self.ground.chance.sample(cases, min(10, len(cases)))
        for identifier, description in cases:
            answer = server.get(f"/open311/v2/requests/{identifier}.json", params={"jurisdiction_id": municipality})
            if answer.status_code != 200 or answer.json()[0]["description"] != description:
                self.note(f"a case is lost in {municipality}: {identifier}: {answer.status_code} {answer.text[:200]}")

    def check_past(self, server, municipality, memory):
        """The past of some entities tells what was acknowledged, in order, and ends with what is."""
        changed = [unit for unit in memory.singles if len(memory.told[unit]) > 1 and len(memory.allowed[unit]) == 1]
        for unit in self.ground.chance.sample(changed, min(HISTORY_SAMPLE_COUNT, len(changed))):
            answer = self.answer(server, municipality, f"/temporal/entities/{unit[1]}", {"format": "temporalValues", "timeproperty": "modifiedAt", "attrs": "first"})
            recorded = [value for value, _ in answer["first"]["values"]] if answer else []
            [present] = memory.allowed[unit]
            self.judge_past(municipality, unit, recorded, memory.told[unit], present)

    def judge_past(self, municipality, unit, recorded, told, present):
        if missing := set(told) - set(recorded):
            self.note(f"history has lost {sorted(missing)} of {unit[1]} in {municipality}: {recorded}")
        if recorded != sorted(recorded):
            self.note(f"history is out of order in {municipality}: {unit[1]}: {recorded}")
        if not recorded or recorded[-1] != present:
            self.note(f"history and entity differ in {municipality}: {unit[1]}: {recorded[-3:]} and {present}")

    def check_counts(self, server):
        """The index by type counts exactly the entities that were found, so nothing is there twice or unseen."""
        for municipality in self.municipalities:
            expected = sum(len(unit) - 1 for (owner, _), memory in self.memories.items() if owner == municipality
                           for unit, values in memory.allowed.items() if unit[0] in ("single", "group") and values != {ABSENT})
            found = server.count(municipality, type="CrashProbe")
            if found != expected:
                self.note(f"{municipality} counts {found} entities instead of {expected}")

    def check_notifications(self):
        """Every acknowledged change of a lamp reached the receiver, each lamp's in order."""
        acknowledged = {unit[1]: values for memory in self.memories.values() for unit, values in memory.told.items() if unit[0] == "lamp"}
        deadline, compared = time.monotonic() + NOTIFY_SECONDS_MAX, {}
        while time.monotonic() < deadline:
            compared = faults.compared(acknowledged, self.receiver.ask("tell")[0])
            if not compared["missing"]:
                break
            time.sleep(0.5)
        if compared["missing"] or compared["disordered"]:
            self.note(f"of {sum(map(len, acknowledged.values()))} changes {compared['missing']} were not told of; {compared['disordered']} lamps out of order")
        return {"changes that had to be told of": sum(map(len, acknowledged.values())), "of these not told": compared["missing"], "told again": compared["duplicates"]}

    def check_files(self, data):
        """What the program says of the files, what SQLite says, and what the ledgers' own verification says. No server runs."""
        verified = self.ground.conurb.verify(data)
        if verified.returncode:
            self.note(f"verify: {verified.stdout} {verified.stderr}")
        for name in self.municipalities:
            file = data / name / "municipality.sqlite"
            if (integrity := self.ground.integrity(file)) != "ok":
                self.note(f"integrity_check of {name}: {integrity[:300]}")
            key = self.ground.conurb.run("ledger", "key", "--municipality", name, "--data", data).stdout.strip()
            ledger = self.ground.conurb.run("ledger", "verify", "--key", key, file)
            if ledger.returncode:
                self.note(f"ledger verify of {name}: {ledger.stdout} {ledger.stderr}")

    def refusals(self):
        return ", ".join(f"{count:,} × {status} `{name}`" for (status, name), count in sorted(self.refused.items())) or "none"
