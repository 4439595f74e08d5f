"""What scripts/bench/door.py measures: the entities there are, the requests that are made, and which of them among how many.

Paths and documents have places in braces (`{any}`, `{next}`...), which door.lua fills for each request and `sample` once.
"""

import dataclasses
import json
import random
import re
import urllib.parse

from harness import NGSI_LD

TYPE = "Device"
PAGE_ENTITY_COUNT = 20
# Entities stand on a square grid of this spacing, so that a box of a given size holds the same number at every scale.
DEGREES_BETWEEN = 0.0005
CONTEXT_URL = "https://bench.example/context.jsonld"
CONTEXT_LINK = f'<{CONTEXT_URL}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
OBSERVED_AT = "2026-11-01T12:00:00Z"
ABOUT = ("Counts what passes and measures what is in the air at a height of three metres, looked after by the works department, "
         "next due for calibration in the spring")

SOURCE = """\
id: devices
title: Devices of a benchmark
steward: Benchmark
licence: CC0-1.0
classification: open
format: csv
entity:
  id: "urn:ngsi-ld:Device:{number}"
  type: Device
attributes:
  name: {field: name}
  description: {field: about}
  serialNumber: {field: number, as: integer}
  value: {field: value, as: number, unit: CEL, observedAt: time}
  location: {point: {x: lon, y: lat}}
"""
COLUMNS = ("number", "name", "about", "value", "time", "lon", "lat")
# The user's own names for the same attributes.
CONTEXT = {"@context": {short: f"https://uri.etsi.org/ngsi-ld/default-context/{name}" for short, name in {
    "Sensor": TYPE, "label": "name", "remark": "description", "serial": "serialNumber", "reading": "value"}.items()}}


def rows(count, seed=1):
    """The lines of the source; the same for the same seed."""
    chance, width = random.Random(seed), max(1, int(count ** 0.5))
    for number in range(count):
        yield (number, f"Device {number:07d} at the corner of Long Street", ABOUT, round(chance.uniform(-10, 40), 2), OBSERVED_AT,
               round(2 + (number % width) * DEGREES_BETWEEN, 6), round(40 + (number // width) * DEGREES_BETWEEN, 6))


def compact(document):
    return json.dumps(document, separators=(",", ":"))


def entity(identifier):
    """A document like those of the source; as text, since the places are no JSON."""
    document = {
        "id": f"urn:ngsi-ld:Device:{identifier}", "type": TYPE,
        "name": {"type": "Property", "value": "Device {this} at the corner of Long Street"},
        "description": {"type": "Property", "value": ABOUT},
        "serialNumber": {"type": "Property", "value": "{any}"},
        "value": {"type": "Property", "value": "{value}", "unitCode": "CEL", "observedAt": OBSERVED_AT},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": ["{west}", "{south}"]}}}
    return re.sub(r'"(\{(any|value|west|south)\})"', r"\1", compact(document))


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    document: str = ""
    document_count: int = 0
    weight: int = 1


@dataclasses.dataclass(frozen=True)
class Shape:
    """One row of the table. `yardstick` is nginx, sqlite or both; `headers` are lines with places; `is_growing` where requests make entities."""
    name: str
    title: str
    yardstick: str
    requests: tuple
    link: str = ""
    headers: str = ""
    is_growing: bool = False

    @property
    def writes(self):
        return [request for request in self.requests if request.document_count]

    @property
    def is_batch(self):
        return any(request.document_count > 1 for request in self.requests)


ENTITIES, TEMPORAL = NGSI_LD + "/entities", NGSI_LD + "/temporal/entities"
PAGE = f"{ENTITIES}?type={TYPE}&limit={PAGE_ENTITY_COUNT}"
BOX = "%5B%5B%5B{west},{south}%5D,%5B{east},{south_}%5D,%5B{east},{north}%5D,%5B{west_},{north}%5D,%5B{west_},{south_}%5D%5D%5D"
RETRIEVE = Request("GET", ENTITIES + "/urn:ngsi-ld:Device:{any}")
PATCH = Request("PATCH", ENTITIES + "/urn:ngsi-ld:Device:{any}", '{"value":{"value":{value},"observedAt":"{moment}"}}', 1)
APPEND = Request("POST", TEMPORAL + "/urn:ngsi-ld:Device:{any}/attrs",
                 '{"value":[{"type":"Property","value":{value},"unitCode":"CEL","observedAt":"{moment}"}]}', 1)
UPSERT = NGSI_LD + "/entityOperations/upsert"


def get(path):
    return (Request("GET", path),)


# Shapes that make entities come last, so that the others find as many as are said.
SHAPES = {shape.name: shape for shape in (
    Shape("page", "page of 20 by type", "nginx", get(PAGE)),
    Shape("page-anew", "the same page, no two requests alike", "nginx", get(PAGE), headers="X-Request-Id: {next}\r\n"),
    Shape("retrieve", "one by identifier", "nginx", (RETRIEVE,)),
    Shape("retrieve-anew", "the same, no two requests with the same headers", "nginx", (RETRIEVE,), headers="X-Request-Id: {next}\r\n"),
    Shape("q", "page of 20 by `q` on one attribute", "nginx", get(PAGE + "&q=serialNumber==" + urllib.parse.quote("{low}..{high}", safe="{}."))),
    Shape("box", "page of 20 by bounding box", "nginx", get(f"{PAGE}&georel=within&geometry=Polygon&coordinates={BOX}")),
    Shape("simplified", "page of 20, simplified", "nginx", get(PAGE + "&options=keyValues")),
    Shape("context", "page of 20 with a user's context", "nginx", get(PAGE.replace(TYPE, "Sensor")), link=CONTEXT_LINK),
    Shape("patch", "merge-patch of one attribute", "sqlite", (PATCH,)),
    Shape("append", "temporal append of one instance", "sqlite", (APPEND,)),
    Shape("mixed", "four retrievals to one merge-patch", "both", (dataclasses.replace(RETRIEVE, weight=4), PATCH)),
    Shape("create", "create one by one", "sqlite", (Request("POST", ENTITIES, entity("{next}"), 1),), is_growing=True),
    Shape("batch-20", "batch upsert of 20", "sqlite", (Request("POST", UPSERT, entity("{next}"), 20),), is_growing=True),
    Shape("batch-1000", "batch upsert of 1,000", "sqlite", (Request("POST", UPSERT, entity("{next}"), 1000),), is_growing=True),
)}


@dataclasses.dataclass(frozen=True)
class Group:
    """What one start of the server is asked: cells of shape and connections, among so many entities and subscriptions."""
    entity_count: int
    subscription_count: int
    cells: tuple


def plan(sizes, usual, subscriptions):
    """Every shape at every size on 50 connections; then, at the usual size, connections and subscriptions varied alone.

    Creates are asked on 64 connections as well, since a goal says so. Reads don't look at subscriptions; a page stands for them.
    """
    def cells(names, connections):
        return [(name, connections) for name in names]

    groups = []
    for size in sizes:
        asked = cells(SHAPES, 50)
        if size == usual:
            some = ("page", "retrieve", "patch", "mixed", "create", "batch-20")
            asked += cells(some, 1) + cells(some, 200) + [("create", 64)]
        order = list(SHAPES)
        groups.append(Group(size, 0, tuple(sorted(asked, key=lambda cell: (order.index(cell[0]), cell[1])))))
    writes = tuple(name for name, shape in SHAPES.items() if shape.writes)
    groups += [Group(usual, count, tuple(cells(("page", *writes), 50))) for count in subscriptions]
    return groups


def sample(text, entity_count, number=0, seed=1):
    """The text with each place filled, as door.lua does it."""
    chance = random.Random(seed * 1_000_003 + number)
    side = max(1, int(entity_count ** 0.5))
    west, south = 2 + side // 3 * DEGREES_BETWEEN - DEGREES_BETWEEN / 4, 40 + side // 3 * DEGREES_BETWEEN - DEGREES_BETWEEN / 4
    low = max(0, entity_count // 2 - PAGE_ENTITY_COUNT)
    filled = {
        "any": chance.randrange(entity_count), "next": f"sample-{number}", "this": f"sample-{number}", "value": round(chance.uniform(-10, 40), 2),
        "moment": "2026-11-20T12:00:00.000100Z", "low": low, "high": low + PAGE_ENTITY_COUNT - 1, "west": f"{west:.6f}", "south": f"{south:.6f}",
        "east": f"{west + 4.5 * DEGREES_BETWEEN:.6f}", "north": f"{south + 4.5 * DEGREES_BETWEEN:.6f}"}
    return re.sub(r"\{([a-z]+)_?\}", lambda place: str(filled[place[1]]), text)
