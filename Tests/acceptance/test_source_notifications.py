"""Who subscribes to registrations of context sources is told which sources there are, and when they change."""

import unittest

import harness
from harness import NGSI_LD
from test_subscriptions import Receiver, wait_until


def registration(number, kind="Bus", **members):
    return {"id": f"urn:ngsi-ld:ContextSourceRegistration:{number}", "type": "ContextSourceRegistration",
            "information": [{"entities": [{"type": kind}], "propertyNames": ["line"]}, {"entities": [{"type": "Elsewhere"}]}],
            "endpoint": "http://source.example:1026"} | members


def subscription(uri, **members):
    endpoint = {"uri": uri, "receiverInfo": [{"key": "X-Key", "value": "v"}]} | members.pop("endpoint", {})
    return {"type": "Subscription", "entities": [{"type": "Bus"}], "notification": {"endpoint": endpoint}} | members


class SourceNotificationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(harness.TemporaryFolder.of(cls) / "data", "--allow-private-egress")
        cls.enterClassContext(cls.server)

    def setUp(self):
        """A municipality of its own for each test."""
        self.municipality = self.id().rsplit(".", 1)[1].replace("_", "-")[-40:].strip("-")
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def ask(self, method, path, status, document=None):
        answer = self.server.request(method, NGSI_LD + path, json=document, municipality=self.municipality)
        self.assertEqual(answer.status_code, status, answer.text[:300])
        return answer

    def subscribe(self, **members):
        answer = self.ask("POST", "/csourceSubscriptions", 201, subscription(self.receiver.uri, **members))
        return answer.headers["Location"].removeprefix(NGSI_LD)

    def told(self, count):
        """The trigger and the numbers of the registrations of each notification so far, once there are so many."""
        self.assertTrue(wait_until(lambda: len(self.receiver.told) >= count), self.receiver.told)
        with self.receiver.lock:
            return [(notification["triggerReason"], [source["id"].rsplit(":", 1)[1] for source in notification["data"]])
                    for _, notification in self.receiver.told]

    def test_sources_are_told_when_they_begin_to_match_change_and_match_no_more(self):
        """Clauses 5.3.2, 5.11.2.4, 5.11.7, 6.3.9, 6.8.3.1, 6.9.3.2, 6.9.3.3, 6.12.3.1."""
        self.ask("POST", "/csourceRegistrations", 201, registration(1))
        location = self.subscribe()
        self.assertEqual(self.told(1), [("newlyMatching", ["1"])], "what is there is told at once")
        headers, notification = self.receiver.told[0]
        self.assertEqual((notification["type"], notification["subscriptionId"]),
                         ("ContextSourceNotification", location.rsplit("/", 1)[1]))
        self.assertEqual(notification["data"][0]["information"], [{"entities": [{"type": "Bus"}], "propertyNames": ["line"]}],
                         "only the elements that match")
        self.assertEqual((headers["Content-Type"], headers["X-Key"], headers["NGSILD-Tenant"]), ("application/json", "v", self.municipality))
        self.assertIn("json-ld#context", headers["Link"])
        self.ask("POST", "/csourceRegistrations", 201, registration(2))
        self.ask("POST", "/csourceRegistrations", 201, registration(3, kind="Tram"))
        self.assertEqual(self.told(2)[1], ("newlyMatching", ["2"]))
        self.ask("PATCH", "/csourceRegistrations/" + registration(1)["id"], 204, {"description": "buses of the city"})
        self.assertEqual(self.told(3)[2], ("updated", ["1"]))
        self.ask("PATCH", "/csourceRegistrations/" + registration(1)["id"], 204, {"information": [{"entities": [{"type": "Tram"}]}]})
        self.assertEqual(self.told(4)[3], ("noLongerMatching", ["1"]))
        self.ask("DELETE", "/csourceRegistrations/" + registration(2)["id"], 204)
        self.assertEqual(self.told(5)[4], ("noLongerMatching", ["2"]))

    def test_one_that_is_changed_tells_all_that_match_and_one_that_is_deleted_nothing(self):
        """Clauses 5.11.3.4, 5.11.6.4, 6.12.3.2, 6.13.3.1, 6.13.3.2, 6.13.3.3."""
        for number in (1, 2):
            self.ask("POST", "/csourceRegistrations", 201, registration(number))
        location = self.subscribe(entities=[{"type": "Ferry"}])
        self.assertEqual(self.ask("GET", location, 200).json()["entities"], [{"type": "Ferry"}])
        self.ask("PATCH", location, 204, {"entities": [{"type": "Bus"}]})
        self.assertTrue(wait_until(lambda: self.receiver.told and self.receiver.told[-1][1]["data"]))
        self.assertEqual(sorted(self.told(1)[-1][1]), ["1", "2"])
        self.assertEqual([one["id"] for one in self.ask("GET", "/csourceSubscriptions", 200).json()], [location.rsplit("/", 1)[1]])
        count = len(self.receiver.told)
        self.ask("DELETE", location, 204)
        self.ask("DELETE", location, 404)
        other = self.subscribe()  # whatever the deleted one would be told, this one is told too
        self.ask("POST", "/csourceRegistrations", 201, registration(3))
        self.assertTrue(wait_until(lambda: any("3" in numbers for _, numbers in self.told(1))))
        with self.receiver.lock:
            self.assertEqual({notification["subscriptionId"] for _, notification in self.receiver.told[count:]}, {other.rsplit("/", 1)[1]})

    def test_what_a_source_has_of_the_past_is_asked_for_by_time(self):
        """Clauses 5.2.11, 5.11.2.4."""
        years = {"startAt": "2020-01-01T00:00:00Z", "endAt": "2022-01-01T00:00:00Z"}
        self.ask("POST", "/csourceRegistrations", 201, registration(1))
        self.ask("POST", "/csourceRegistrations", 201, registration(2, observationInterval=years))
        self.ask("POST", "/csourceRegistrations", 400, registration(3, observationInterval={"endAt": "2022-01-01T00:00:00Z"}))
        self.subscribe(temporalQ={"timerel": "between", "timeAt": "2021-01-01T00:00:00Z", "endTimeAt": "2030-01-01T00:00:00Z"})
        self.assertEqual(self.told(1), [("newlyMatching", ["2"])])

    def test_a_subscription_that_says_nothing_right_is_refused(self):
        """Clauses 5.11.2.4, 5.11.3.4."""
        for faulty in ({"entities": []}, {"timeInterval": 0}, {"temporalQ": {"timerel": "during"}}, {"expiresAt": "2001-01-01T00:00:00Z"}):
            with self.subTest(faulty):
                self.ask("POST", "/csourceSubscriptions", 400, subscription(self.receiver.uri, **faulty))
        location = self.subscribe()
        self.ask("PATCH", location, 400, {"timeInterval": -1})
        self.ask("PATCH", "/csourceSubscriptions/urn:x:none", 404, {"isActive": False})


if __name__ == "__main__":
    harness.main()
