"""Clients that others wrote work here unchanged: `ngsildclient` and `filip` from PyPI, used as their own read-me files show.

    .venv/bin/python Tests/acceptance/test_clients.py .build/release/conurb

What they need and a broker may lack: trailing slashes, `limit=0&count=true`, `limit=1000`, the core context without a version and in an
older one, a tenant that comes to be with the first write, the query of a subscription percent-encoded in its body.
"""

import datetime
import json
import logging
import unittest
import warnings

import requests

import harness
from harness import NGSI_LD
from test_subscriptions import Receiver, wait_until

try:
    import ngsildclient
except ImportError:
    ngsildclient = None
try:
    warnings.filterwarnings("ignore", module="pydantic")
    import filip.models
    from filip.clients.ngsi_ld.cb import ContextBrokerLDClient
    from filip.models.base import FiwareLDHeader
    from filip.models.ngsi_ld import context as filip_context
    from filip.models.ngsi_ld import subscriptions as filip_subscriptions
except ImportError:
    filip = None

# The read-me of ngsildclient names this context. The names it uses, under identifiers of our own.
PARKING_CONTEXT = "https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld"
PARKING_TERMS = ("OffStreetParking", "ParkingSpot", "Camera", "name", "availableSpotNumber", "totalSpotNumber", "reliability", "providedBy",
                 "occupancy", "refParkingSite", "refParkingSpot", "status", "controlledAsset")
PARKING = "urn:ngsi-ld:OffStreetParking:porto-ParkingLot-23889"


def setUpModule():
    for name in ("ngsildclient", "ContextBrokerLDClient"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def context_folder(test_class):
    folder = harness.TemporaryFolder.of(test_class)
    terms = {term: f"https://example.org/parking/{term}" for term in PARKING_TERMS}
    (folder / "parking.jsonld").write_text(json.dumps({"@context": terms}))
    (folder / "index.json").write_text(json.dumps({PARKING_CONTEXT: "parking.jsonld"}))
    return folder


def start_server(test_class):
    server = harness.Server(harness.TemporaryFolder.of(test_class), "--contexts", context_folder(test_class), "--allow-private-egress")
    test_class.enterClassContext(server)
    return server


@unittest.skipUnless(ngsildclient, "the package ngsildclient is not installed")
class NgsildclientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start_server(cls)

    def client(self, **options):
        client = ngsildclient.Client("127.0.0.1", self.server.port, verbose=False, **options)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def parking(name):
        """"Create our first parking Entity"."""
        parking = ngsildclient.Entity("OffStreetParking", name)
        parking.ctx.append(PARKING_CONTEXT)
        parking.prop("name", "Downtown One")
        parking.prop("availableSpotNumber", 121, observedat=datetime.datetime(2022, 10, 25, 8)).anchor()
        parking.prop("reliability", 0.7).rel("providedBy", "Camera:C1").unanchor()
        parking.prop("totalSpotNumber", 200).loc(41.2, -8.5)
        return parking

    def test_the_parking_of_the_read_me_is_filled_hour_by_hour_and_its_history_is_a_table(self):
        """Clauses 4.5.9, 5.6.1, 5.7.3, 6.19.3.1."""
        client, parking = self.client(), self.parking("Downtown1")
        self.assertTrue(client.create(parking))
        available = parking["availableSpotNumber"]
        for _ in range(12):
            available.observedat += datetime.timedelta(hours=1)
            available.value -= 10
            client.update(parking)

        got = client.get("OffStreetParking:Downtown1", ctx=PARKING_CONTEXT)
        self.assertEqual(got["availableSpotNumber"].value, 1)
        self.assertEqual(got["availableSpotNumber.reliability"].value, 0.7)
        self.assertEqual(got["availableSpotNumber"]["observedAt"], "2022-10-25T20:00:00Z")
        self.assertEqual(got["availableSpotNumber"]["providedBy"]["object"], "urn:ngsi-ld:Camera:C1")

        table = client.temporal.get(parking, ctx=PARKING_CONTEXT, as_dataframe=True)
        self.assertEqual(list(table["availableSpotNumber"].tail(3)), [21, 11, 1])
        self.assertEqual(str(table["observed"].iloc[-1]), "2022-10-25 20:00:00+00:00")
        self.assertEqual(set(table["OffStreetParking"]), {"Downtown1"})
        self.assertEqual(len(client.temporal.query(type="OffStreetParking", attrs=["availableSpotNumber"], ctx=PARKING_CONTEXT)), 1)

    def test_a_parking_with_its_spots_is_stored_in_batches_and_counted(self):
        """Clauses 4.13, 5.6.8, 5.6.10, 6.15.3.1, 6.17.3.1."""
        client = self.client()
        parking = ngsildclient.Entity("OffStreetParking", "porto-ParkingLot-23889", ctx=[PARKING_CONTEXT, ngsildclient.CORE_CONTEXT])
        parking.prop("totalSpotNumber", 414)
        spot = ngsildclient.Entity("ParkingSpot", "OffStreetParking:porto-ParkingLot-23889:000", ctx=[PARKING_CONTEXT, ngsildclient.CORE_CONTEXT])
        spot.prop("status", "free")
        spot.rel("refParkingSite", parking)
        spots = spot * 414
        for number, spot in enumerate(spots):
            spot.id = f"{spot.id[:-3]}{number + 1:03}"
            if number < 282:
                spot["status"].value = "occupied"
        relation = ngsildclient.MultAttrValue()
        for spot in spots:
            relation.add(spot, datasetid=f"Dataset:{spot.id[-26:]}")
        parking.rel("refParkingSpot", relation)

        result = client.upsert([parking, *spots])
        self.assertTrue(result.ok, result.errors)
        self.assertEqual(result.n_ok, 415)
        occupied = f'refParkingSite=="{PARKING}";status=="occupied"'
        self.assertEqual(client.entities.count("ParkingSpot", q=occupied, ctx=PARKING_CONTEXT), 282)
        self.assertEqual(len(client.query("ParkingSpot", q=occupied, ctx=PARKING_CONTEXT)), 282)
        self.assertTrue(client.delete(spots[:100]).ok)
        self.assertEqual(client.entities.count("ParkingSpot", ctx=PARKING_CONTEXT), 314)

    def test_the_subscription_of_the_read_me_tells_of_a_high_occupancy(self):
        """Clauses 5.8.1, 5.8.3, 5.8.4, 5.8.5, 5.8.6."""
        client, receiver = self.client(), Receiver()
        self.addCleanup(receiver.close)
        subscription = (ngsildclient.SubscriptionBuilder(receiver.uri)
                        .description("Notify me of high occupancy on parking porto-23889").select_type("OffStreetParking")
                        .watch(["occupancy"]).query(f'occupancy>0.9;controlledAsset=="{PARKING}"').context(PARKING_CONTEXT).build())
        identifier = client.subscriptions.create(subscription)
        self.assertEqual(client.subscriptions.get(identifier)["id"], identifier)
        self.assertTrue(client.subscriptions.exists(identifier))
        self.assertEqual([found["id"] for found in client.subscriptions.list("high occupancy")], [identifier])

        for name, occupancy in (("calm", 0.5), ("full", 0.95)):
            observed = ngsildclient.Entity("OffStreetParking", name, ctx=[PARKING_CONTEXT, ngsildclient.CORE_CONTEXT])
            observed.prop("occupancy", occupancy).rel("controlledAsset", PARKING)
            self.assertTrue(client.create(observed))
        self.assertTrue(wait_until(lambda: receiver.values("occupancy")))
        self.assertEqual(receiver.values("occupancy"), {"urn:ngsi-ld:OffStreetParking:full": [0.95]})
        self.assertTrue(client.subscriptions.delete("high occupancy"))
        self.assertFalse(client.subscriptions.exists(identifier))

    def test_a_tenant_comes_to_be_with_the_first_write(self):
        """Clauses 5.5.10, 6.3.14."""
        client = self.client(tenant="lattes")
        self.assertEqual(client.count("OffStreetParking"), 0)
        self.assertTrue(client.upsert(self.parking("Lattes1")))
        self.assertEqual(self.client(tenant="lattes").entities.count("OffStreetParking", ctx=PARKING_CONTEXT), 1)
        self.assertFalse(self.client().exists("OffStreetParking:Lattes1"))

    def test_contexts_are_stored_listed_and_deleted(self):
        """Clauses 5.13.2, 5.13.3, 5.13.4, 5.13.5."""
        client = self.client(tenant="contexts")
        client.upsert(self.parking("C1"))
        client.contexts.add({"@context": {"depth": "https://example.org/depth"}})
        hosted = [url for url in client.contexts.list() if "/jsonldContexts/" in url]
        self.assertEqual(len(hosted), 1)
        identifier = hosted[0].rsplit("/", 1)[-1]
        self.assertEqual(client.contexts.get(identifier)["@context"], {"depth": "https://example.org/depth"})
        self.assertTrue(client.contexts.delete(identifier))
        self.assertFalse(client.contexts.exists(identifier))

    def test_everything_of_a_type_is_found_by_body_and_dropped(self):
        """Clauses 4.5.10, 5.6.10, 5.7.2, 6.23.3.1."""
        client = self.client(tenant="drop")
        client.upsert([self.parking(f"D{number}") for number in range(7)])
        query = {"type": "Query", "entities": [{"type": "OffStreetParking"}], "q": "totalSpotNumber>100"}
        self.assertEqual(len(client.alt.query_head(query, ctx=PARKING_CONTEXT, n=5)), 5)
        self.assertIn("https://example.org/parking/OffStreetParking", client.types.list())
        client.delete([self.parking(f"D{number}") for number in range(6)])
        self.assertEqual(client.entities.count("OffStreetParking", ctx=PARKING_CONTEXT), 1)


@unittest.skipUnless(filip, "the package filip is not installed")
class FilipTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start_server(cls)

    def client(self, tenant):
        client = ContextBrokerLDClient(url=self.server.base + "/", fiware_header=FiwareLDHeader(ngsild_tenant=tenant))
        self.addCleanup(client.close)
        return client

    @staticmethod
    def room(number, temperature=22.5):
        return filip_context.ContextLDEntity(
            id=f"urn:ngsi-ld:Room:{number}", type="Room",
            temperature={"type": "Property", "value": temperature, "unitCode": "CEL"},
            isPartOf={"type": "Relationship", "object": "urn:ngsi-ld:Building:1"},
            location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.87, 43.61]}})

    def test_an_entity_is_created_read_patched_and_deleted(self):
        """Clauses 5.6.1, 5.6.2, 5.6.3, 5.6.4, 5.6.5, 5.6.6, 5.7.1, 6.6.3.1, 6.7.3.2."""
        client = self.client("filip1")
        client.post_entity(self.room(1))
        self.assertEqual(client.get_entity("urn:ngsi-ld:Room:1").temperature.value, 22.5)
        client.update_entity_attribute("urn:ngsi-ld:Room:1", filip_context.ContextProperty(value=23), "temperature")
        client.append_entity_attributes(filip_context.ContextLDEntity(
            id="urn:ngsi-ld:Room:1", type="Room", pressure={"type": "Property", "value": 1013}))
        client.replace_existing_attributes_of_entity(self.room(1, 24))
        values = client.get_entity("urn:ngsi-ld:Room:1", options="keyValues").model_dump()
        self.assertEqual((values["temperature"], values["pressure"]), (24, 1013))
        client.delete_attribute("urn:ngsi-ld:Room:1", "pressure")
        self.assertNotIn("pressure", client.get_entity("urn:ngsi-ld:Room:1").model_dump())
        self.assertTrue(client.validate_relationship({"type": "Relationship", "value": "urn:ngsi-ld:Room:1"}))
        client.delete_entity_by_id("urn:ngsi-ld:Room:1")
        self.assertEqual(client.get_entity_list(entity_type="Room"), [])

    def test_lists_are_read_in_pages_of_a_thousand(self):
        """Clauses 4.10, 4.12, 5.5.9.1, 5.6.7, 5.6.8, 5.7.2, 6.14.3.1."""
        client = self.client("filip2")
        rooms = [self.room(number, number) for number in range(1_100)]
        client.entity_batch_operation(entities=rooms[:600], action_type=filip_context.ActionTypeLD.CREATE)
        client.entity_batch_operation(entities=rooms[600:], action_type=filip_context.ActionTypeLD.UPSERT)
        self.assertEqual(len(client.get_entity_list(entity_type="Room")), 1_100)
        self.assertEqual(len(client.get_entity_list(entity_type="Room", q="temperature>=1000")), 100)
        self.assertEqual(len(client.get_entity_list(entity_type="Room", id_pattern="^urn:ngsi-ld:Room:10..$", limit=7)), 7)
        near = client.get_entity_list(
            entity_type="Room", georel="near;maxDistance==100", geometry="Point", coordinates="[3.87,43.61]", geoproperty="location", limit=3)
        self.assertEqual(len(near), 3)
        client.override_entities([self.room(5, -1)])
        self.assertEqual([room.id for room in client.get_entity_list(q="temperature<0")], ["urn:ngsi-ld:Room:5"])
        client.entity_batch_operation(entities=rooms[:1_000], action_type=filip_context.ActionTypeLD.DELETE)
        self.assertEqual(len(client.get_entity_list(entity_type="Room")), 100)

    def test_a_list_of_everything_is_refused_with_the_reason(self):
        """Clause 5.7.2.4: a query names a type, attributes, a q or a georel. filip asks for idPattern=.* when it is given nothing."""
        with self.assertRaises(requests.HTTPError) as refused:
            self.client("filip5").get_entity_list()
        self.assertEqual(refused.exception.response.status_code, 400)
        self.assertIn("type", refused.exception.response.json()["detail"])

    def test_a_subscription_is_made_once_changed_and_told_of(self):
        """Clauses 5.8.1, 5.8.2, 5.8.3, 5.8.4, 5.8.5, 5.8.6, 6.11."""
        client, receiver = self.client("filip3"), Receiver()
        self.addCleanup(receiver.close)

        def subscription(**members):
            return filip_subscriptions.SubscriptionLD(
                type="Subscription", entities=[{"type": "Room"}],
                notification={"attributes": ["temperature"], "format": "normalized", "endpoint": {"uri": receiver.uri, "accept": "application/json"}},
                **members)

        identifier = client.post_subscription(subscription(id="urn:ngsi-ld:Subscription:warm", q="temperature>30"))
        self.assertEqual(client.get_subscription(identifier).q, "temperature>30")
        client.update_subscription(subscription(id=identifier, q="temperature>40"))
        self.assertEqual([found.q for found in client.get_subscription_list()], ["temperature>40"])
        client.post_entity(self.room(1, 35))
        client.post_entity(self.room(2, 45))
        self.assertTrue(wait_until(lambda: receiver.values("temperature")))
        self.assertEqual(receiver.values("temperature"), {"urn:ngsi-ld:Room:2": [45]})
        client.delete_subscription(identifier)
        self.assertEqual(client.get_subscription_list(), [])

    def test_an_entity_may_bring_its_own_context(self):
        """Clause 6.3.5."""
        client = self.client("filip4")
        room = filip_context.ContextLDEntity(**self.room(1).model_dump(exclude_none=True), **{"@context": [PARKING_CONTEXT]})
        client.post_entity(room)
        answer = self.server.get(NGSI_LD + "/entities/urn:ngsi-ld:Room:1", municipality="filip4")
        self.assertEqual(answer.status_code, 200)


if __name__ == "__main__":
    harness.main()
