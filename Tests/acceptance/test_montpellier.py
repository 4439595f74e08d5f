"""Real files of real cities through the source definitions of examples/sources, into a fresh installation.

What comes out is compared with the figures that each SOURCE.md states and with what Python's own csv and json modules find in
the same files. The data lies beside the checkout, in ../shared/data, and is never copied; without it everything here is
skipped, aloud.
"""

import csv
import gzip
import io
import json
import re
import unittest

import yaml

import harness
from harness import NGSI_LD, SHARED_DATA

DEFINITIONS = harness.PROJECT / "examples" / "sources"


REJECTED_SHARE_MAX = 0.1


class Input:
    """One import: a definition, the files it reads, and what is known of it.

    `record_count` is what SOURCE.md says, or what stands in the file where it says nothing. `rejected` is how many records
    the definition has to refuse: a number, the ends of a range, or None where only "less than a tenth" is known.
    """

    def __init__(self, definition, files, record_count, rejected=0, municipality="montpellier"):
        self.definition_path = DEFINITIONS / f"{definition}.yaml"
        self.municipality, self.record_count = municipality, record_count
        if rejected is None:
            rejected = (0, int(record_count * REJECTED_SHARE_MAX))
        self.rejected_least, self.rejected_most = rejected if isinstance(rejected, tuple) else (rejected, rejected)
        self.files = sorted(path for pattern in files for path in SHARED_DATA.glob(pattern))

    @property
    def definition(self):
        return yaml.safe_load(self.definition_path.read_text())

    @property
    def licence(self):
        licence = self.definition["licence"]
        return licence if isinstance(licence, str) else licence["name"]

    @property
    def type(self):
        types = self.definition["entity"]["type"]
        return types if isinstance(types, str) else types[0]

    def attribute(self, field):
        """The name of the attribute that `field` becomes, and what its texts become."""
        for name, mappings in self.definition["attributes"].items():
            for mapping in mappings if isinstance(mappings, list) else [mappings]:
                if mapping == field:
                    return name, {}
                if isinstance(mapping, dict) and mapping.get("field") == field:
                    return name, mapping.get("values", {})
        raise AssertionError(f"{self.definition_path.name} maps no attribute from {field}")


# In the order in which a city would bring them in: what others refer to first, older editions before newer ones.
INPUTS = {item.definition_path.stem: item for item in (
    Input("montpellier-communes", ["geo-montpellier/communes-montpellier-mediterranee-metropole.geojson"], 31),
    Input("montpellier-quartiers", ["geo-montpellier/montpellier-quartiers.geojson"], 7),
    Input("montpellier-sous-quartiers", ["geo-montpellier/montpellier-sous-quartiers.geojson"], 31),
    Input("montpellier-streetlights", ["street-assets-montpellier/eclairage-public-lambert93.csv.gz"], 29_969),
    Input("montpellier-trees", ["street-assets-montpellier/arbres-alignement-2013-lambert93.csv.gz"], 23_972),
    Input("montpellier-public-establishments", ["street-assets-montpellier/VilleMTP_MTP_EtabliPublic.geojson"], 1_024, None),
    # 86 meters have the number 0.
    Input("montpellier-parking-meters", ["street-assets-montpellier/VilleMTP_MTP_Horodateurs_2011.csv"], 823, 86),
    Input("montpellier-car-parks", ["street-assets-montpellier/VilleMTP_MTP_ParkingOuv.csv"], 22),
    # 1,879 days without a count and 388 delivered twice; one is both, and may count as either.
    Input("montpellier-ecocounters", ["counters-montpellier-ecocompteurs/ecocompteurs-daily-2020-2024.csv.gz"], 48_985, (2_266, 2_267)),
    # 94 days of the two counters were delivered twice; none lacks its count.
    Input("montpellier-ecocounters-json", ["counters-montpellier-ecocompteurs/MMM_EcoCompt_*.json"], 253 + 189, 94),
    Input("montpellier-traffic-counts-2012", ["traffic-montpellier-counts/VilleMTP_MTP_Comptage_2012-edition.csv"], 2_169, None),
    Input("montpellier-traffic-counts", ["traffic-montpellier-counts/VilleMTP_MTP_Comptage.csv"], 3_314, None),
    Input("montpellier-bikeshare", ["bikeshare-montpellier-ngsi/stationvelo-ngsi-v2-2024-12-10.json"], 57),
    Input("montpellier-bikeshare-snapshots", ["bikeshare-montpellier-ngsi/velomagg-snapshots-*.csv"], 380),
    Input("montpellier-shops", ["poi-montpellier-osm/OSM_MTP_Commerces.geojson"], 953),
    Input("montpellier-restaurants", ["poi-montpellier-osm/OSM_MTP_Restaurants.geojson"], 674),
    Input("montpellier-pharmacies", ["poi-montpellier-osm/OSM_MTP_Pharmacie.geojson"], 76),
    Input("montpellier-recycling", ["poi-montpellier-osm/OSM_MTP_Recyclage.geojson"], 69),
    Input("montpellier-budget-2013", ["messy-csv/VilleMTP_MTP_BudgetPri_2013.csv"], 1_511),
    Input("montpellier-budget-2014", ["messy-csv/VilleMTP_MTP_BudgetPri_2014.csv"], 1_448, 1),  # one line stands twice
    Input("airlr-stations", ["messy-csv/AirLR_LR_StationAir.csv"], 20),
    Input("beijing-air-quality-stations", ["air-quality-beijing/stations.csv"], 12, municipality="beijing"),
    Input("beijing-air-quality", ["air-quality-beijing/PRSA_Data_*.csv.gz"], 420_768, municipality="beijing"),
    Input("boston-311-2011", ["service-requests-boston-2011/boston-311-service-requests-2011.csv.gz"], 58_251, municipality="boston"),
)}
IMPORT_SECONDS_MAX = 900

# From the tables of street-assets-montpellier/SOURCE.md and poi-montpellier-osm/SOURCE.md.
POINTS_PER_DISTRICT = {  # district: lanterns, trees, shops, restaurants, pharmacies, recycling
    "MONTPELLIER CENTRE": (9_790, 6_855, 635, 518, 41, 28),
    "PORT MARIANNE": (4_013, 4_927, 80, 62, 4, 9),
    "HOPITAUX-FACULTES": (3_796, 3_194, 33, 28, 5, 24),
    "CROIX D'ARGENT": (3_583, 2_837, 96, 26, 12, 1),
    "LES CEVENNES": (3_485, 1_730, 36, 13, 8, 2),
    "MOSSON": (3_241, 3_172, 47, 11, 2, 1),
    "PRES D'ARENE": (1_905, 1_240, 18, 11, 3, 4),
}
POINT_SOURCES = ("montpellier-streetlights", "montpellier-trees", "montpellier-shops", "montpellier-restaurants",
                 "montpellier-pharmacies", "montpellier-recycling")
BORDER_POINTS_MAX = 2  # SOURCE.md: a point on a border may move by one or two between implementations

SUMMARY = re.compile(r"(\d[\d,  ]*) records: (\d[\d,  ]*) accepted, (\d[\d,  ]*) unchanged, (\d[\d,  ]*) rejected")


class Outcome:
    """What one run of `conurb import` reported."""

    def __init__(self, finished):
        self.status, self.text = finished.returncode, finished.stdout + finished.stderr
        summaries = SUMMARY.findall(self.text)
        if not summaries:
            raise AssertionError(f"the import ended with {self.status} and without a summary:\n{self.text[-3000:]}")
        # Several files may have a summary each; the last one is of the whole run.
        self.records, self.accepted, self.unchanged, self.rejected = (int(re.sub(r"\D", "", number)) for number in summaries[-1])


@unittest.skipUnless(SHARED_DATA.is_dir(), "the real data sets are not there (../shared/data)")
class MontpellierTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.data = cls.folder / "data"
        cls.conurb = harness.Conurb()
        for municipality in sorted({item.municipality for item in INPUTS.values()}):
            made = cls.conurb.create_municipality(cls.data, municipality)
            assert made.returncode == 0, made.stderr
        cls.first, cls.second = {}, {}
        for name, item in INPUTS.items():  # twice in a row: a later source may rightly change what this one wrote
            cls.first[name] = cls.run_import(item)
            cls.second[name] = cls.run_import(item)
        cls.server = harness.Server(cls.data)
        cls.enterClassContext(cls.server)

    @classmethod
    def run_import(cls, item):
        assert item.files, f"no data for {item.definition_path.name}"
        finished = cls.conurb.import_files(cls.data, item.municipality, item.definition_path, "--create", *item.files, timeout=IMPORT_SECONDS_MAX)
        return Outcome(finished)

    def each(self, chosen=None):
        for name, item in INPUTS.items():
            if chosen is None or name in chosen:
                yield name, item

    # The imports themselves

    def test_every_definition_is_used_here(self):
        """A definition that nothing imports proves nothing."""
        self.assertEqual(sorted(path.stem for path in DEFINITIONS.glob("*.yaml")), sorted(INPUTS))

    def test_every_record_is_accounted_for(self):
        for name, item in self.each():
            with self.subTest(source=name):
                outcome = self.first[name]
                self.assertEqual(outcome.accepted + outcome.unchanged + outcome.rejected, outcome.records, outcome.text[-1500:])
                self.assertEqual(outcome.records, item.record_count)
                self.assertTrue(item.rejected_least <= outcome.rejected <= item.rejected_most,
                                f"{outcome.rejected} rejected, not {item.rejected_least} to {item.rejected_most}:\n{outcome.text[-2000:]}")

    def test_the_exit_status_says_whether_anything_was_rejected(self):
        for name, _ in self.each():
            with self.subTest(source=name):
                for outcome in (self.first[name], self.second[name]):
                    self.assertEqual(outcome.status != 0, outcome.rejected > 0, f"status {outcome.status}, {outcome.rejected} rejected")

    def test_a_second_import_changes_nothing(self):
        for name, _ in self.each():
            with self.subTest(source=name):
                first, second = self.first[name], self.second[name]
                self.assertEqual(second.accepted, 0, second.text[-1500:])
                self.assertEqual((second.records, second.rejected), (first.records, first.rejected))

    def test_rejected_rows_stand_in_a_file_with_their_reason(self):
        """Once per source that rejects; the file of the second run may have replaced that of the first."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and "reject" in path.name]
        counts = []
        for path in files:
            # Above the header are as many empty lines as the source has titles; the separator is the source's.
            text = path.read_bytes().decode("utf-8-sig").lstrip("\n")
            separator = text[text.index("rejected_line") - 1]
            rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
            for row in rows:
                self.assertTrue(row["rejected_rule"] and row["rejected_reason"] and row["rejected_line"].isdigit(), row)
            counts.append(len(rows))
        for name, _ in self.each():
            with self.subTest(source=name):
                if rejected := self.first[name].rejected:
                    self.assertIn(rejected, counts, f"no file has the {rejected} rejected rows")

    # What is there afterwards

    def test_there_are_as_many_entities_as_things(self):
        for entity_type, municipality, expected in (
                ("Municipality", "montpellier", 31), ("District", "montpellier", 7), ("Neighbourhood", "montpellier", 31),
                ("Streetlight", "montpellier", 29_969), ("Tree", "montpellier", 23_972), ("ParkingMeter", "montpellier", 823 - 86),
                ("OffStreetParking", "montpellier", 22), ("BikeHireDockingStation", "montpellier", 57),
                ("WasteContainerIsle", "montpellier", 69), ("BudgetLine", "montpellier", 1_511 + 1_448 - 1),
                ("AirQualityMonitoringStation", "montpellier", 20), ("AirQualityObserved", "beijing", 12),
                ("Open311ServiceRequest", "boston", 58_251)):
            with self.subTest(type=entity_type):
                self.assertEqual(self.server.count(municipality, type=entity_type), expected)

    def test_52_counters_were_delivered_in_48_985_rows(self):
        counters = "^urn:ngsi-ld:TrafficFlowObserved:montpellier:ecocounter:"
        self.assertEqual(self.server.count("montpellier", type="TrafficFlowObserved", idPattern=counters), 52)

    def test_points_per_district(self):
        """The whole chain: Lambert-93 or WGS84 in, reprojected, stored, found by an outline of many corners."""
        for district in self.features("geo-montpellier/montpellier-quartiers.geojson"):
            name = district["properties"]["LIBQUART"]
            expected = dict(zip(POINT_SOURCES, POINTS_PER_DISTRICT[name], strict=True))
            found = self.identifiers_within(district["geometry"], "PointOfInterest")
            for source in POINT_SOURCES:
                with self.subTest(district=name, source=source):
                    item = INPUTS[source]
                    if item.type == "PointOfInterest":  # several sources feed this type: told apart by what stands in the files
                        ours = {f"urn:ngsi-ld:PointOfInterest:osm:{shop['properties']['osm_id']}"
                                for shop in json.loads(item.files[0].read_text())["features"]}
                        count = len(found & ours)
                    else:
                        count = self.server.count_within("montpellier", district["geometry"], type=item.type)
                    self.assertAlmostEqual(count, expected[source], delta=BORDER_POINTS_MAX)

    def identifiers_within(self, geometry, entity_type):
        identifiers = set()
        document = {"type": "Query", "entities": [{"type": entity_type}],
                    "geoQ": {"georel": "within", "geometry": geometry["type"], "coordinates": geometry["coordinates"]}}
        for offset in range(0, 100_000, 500):
            answer = self.server.post(f"{NGSI_LD}/entityOperations/query?limit=500&offset={offset}&pick=id,type", document,
                                      municipality="montpellier")
            self.assertEqual(answer.status_code, 200, answer.text[:300])
            page = [entity["id"] for entity in answer.json()]
            self.assertFalse(identifiers & set(page), "pages do not overlap")
            identifiers |= set(page)
            if len(page) < 500:
                return identifiers
        raise AssertionError("paging does not end")

    def test_a_bounding_box_finds_what_a_script_finds(self):
        west, south, east, north = 3.870, 43.605, 3.885, 43.615
        places = self.features("poi-montpellier-osm/OSM_MTP_Recyclage.geojson")
        expected = sum(west <= x <= east and south <= y <= north for x, y in (place["geometry"]["coordinates"][:2] for place in places))
        self.assertGreater(expected, 3)
        box = {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}
        self.assertEqual(self.server.count_within("montpellier", box, type="WasteContainerIsle"), expected)

    def test_every_tree_of_a_species_is_found_by_q(self):
        with gzip.open(INPUTS["montpellier-trees"].files[0], "rt", encoding="cp1252", newline="") as file:
            expected = sum(row["BOTANIQUE"] == "Celtis australis" for row in csv.DictReader(file, delimiter=";"))
        self.assertGreater(expected, 1_000)
        self.assertEqual(self.server.count("montpellier", type="Tree", q='species=="Celtis australis"'), expected)

    def test_the_latest_row_is_the_current_state(self):
        """Of 35,064 hourly rows a station, the last is what is so now; local time became UTC (+8, no daylight saving)."""
        item = INPUTS["beijing-air-quality"]
        attribute, _ = item.attribute("PM2.5")
        with gzip.open(SHARED_DATA / "air-quality-beijing/PRSA_Data_Aotizhongxin_20130301-20170228.csv.gz", "rt") as file:
            last = list(csv.DictReader(file))[-1]
        self.assertEqual((last["year"], last["month"], last["day"], last["hour"]), ("2017", "2", "28", "23"))
        stations = self.server.get(NGSI_LD + "/entities", params={"type": item.type, "limit": 100}, municipality="beijing").json()
        values = {station["id"]: station[attribute] for station in stations}
        station = next(identifier for identifier in values if "aotizhongxin" in identifier.lower())
        self.assertEqual(values[station]["observedAt"].replace(".000", ""), "2017-02-28T15:00:00Z")
        self.assertEqual(values[station]["value"], float(last["PM2.5"]))

    def test_service_requests_by_value(self):
        """The figures of service-requests-boston-2011/SOURCE.md, asked for with q."""
        item = INPUTS["boston-311-2011"]
        for field, counts in {"case_status": {"Closed": 54_570, "Open": 3_681},
                              "ontime": {"ONTIME": 46_572, "OVERDUE": 11_521},
                              "type": {"Schedule a Bulk Item Pickup": 12_445, "Street Light Outages": 4_918, "Pothole Repair (Internal)": 4_082},
                              "source": {"Constituent Call": 28_136, "Employee Generated": 17_925, "Self Service": 8_160,
                                         "Citizens Connect App": 3_907, "Twitter": 3}}.items():
            attribute, values = item.attribute(field)
            for text, expected in counts.items():
                with self.subTest(field=field, value=text):
                    value = values.get(text, text)
                    self.assertEqual(self.server.count("boston", type=item.type, q=f"{attribute}=={json.dumps(value)}"), expected)

    def test_sources_tell_of_their_last_run(self):
        listed = self.server.get("/sources", municipality="montpellier", headers={"Accept": "application/json"})
        self.assertEqual(listed.status_code, 200, listed.text[:300])
        text = listed.text
        for name, item in self.each():
            with self.subTest(source=name):
                if item.municipality == "montpellier":
                    self.assertIn(item.definition["id"], text)

    def test_entities_say_where_they_come_from(self):
        for name, item in self.each(("montpellier-streetlights", "montpellier-communes", "montpellier-shops")):
            with self.subTest(source=name):
                prefix = item.definition["entity"]["id"].split("{")[0]  # other sources may feed the same type
                one = self.server.get(NGSI_LD + "/entities", params={"type": item.type, "idPattern": f"^{prefix}", "limit": 1},
                                      municipality=item.municipality).json()[0]
                shown = self.server.get("/live/entity", params={"municipality": item.municipality, "id": one["id"]}).json()
                lineage = shown["source"]
                self.assertEqual(lineage["id"], item.definition["id"])
                self.assertEqual(lineage["licence"]["name"], item.licence)
                self.assertGreater(lineage["run"], 0)
                self.assertTrue(lineage["version"])

    @staticmethod
    def features(path):
        return json.loads((SHARED_DATA / path).read_text())["features"]


if __name__ == "__main__":
    harness.main()
