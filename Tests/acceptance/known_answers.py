#!/usr/bin/env python3
"""Works out, without Conurb and with the standard library only, what an import of the real files must give.

usage: known_answers.py DATA [--examples DIR --schema FILE] [SOURCE...]

DATA is the folder of real data (../shared/data beside the project). Prints one JSON object: for each example source its
`files` (each with `records`, `accepted`, `rejected` by rule, `flagged` by rule), the number of different `entities`, their
`type`, and `answers`: sums, least and greatest values that a query must reproduce. With --examples and --schema it also checks
the definitions against the published JSON Schema, when the packages yaml and jsonschema are there, and says so when not.
Exit code 1 when a definition does not validate, 2 when DATA is absent.
"""

import csv
import datetime
import glob
import gzip
import io
import json
import os
import re
import sys
import zoneinfo
from collections import Counter


def rows(path, encoding="utf-8", separator=","):
    """The rows of a table as dictionaries; dBase descriptors in the header cut off."""
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as stream:
        reader = csv.reader(io.TextIOWrapper(stream, encoding=encoding, newline=""), delimiter=separator)
        header = [re.sub(r",[CNDFL](,\d+){0,2}$", "", name.strip()) for name in next(reader)]
        for row in reader:
            if row:
                assert len(row) == len(header), (path, row)
                yield {name: field.strip(" \t\r\n\u00a0\u202f") for name, field in zip(header, row)}


def features(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)["features"]


def number(text):
    """A number with decimal comma or dot and any blanks between thousands; None when it is none."""
    plain = re.sub(r"[ \u00a0\u202f]", "", text or "").replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return None


def span(values):
    values = [value for value in values if value is not None]
    return {"count": len(values), "sum": round(sum(values), 6), "min": min(values), "max": max(values)} if values else {"count": 0}


class Tally:
    """What one file gives: records in, records accepted, and findings by rule."""

    def __init__(self):
        self.records = self.accepted = 0
        self.rejected, self.flagged = Counter(), Counter()
        self.seen = set()

    def reject(self, rule):
        self.rejected[rule] += 1

    def is_repeated(self, key):
        """Whether an accepted record had this key; remembers it otherwise."""
        if key in self.seen:
            return True
        self.seen.add(key)
        return False

    def json(self, file):
        return {"file": file, "records": self.records, "accepted": self.accepted, "rejected": dict(self.rejected),
                "flagged": dict(self.flagged)}


def source(type_, files, entities, **answers):
    return {"type": type_, "files": files, "entities": len(entities), "accepted": sum(file["accepted"] for file in files),
            "answers": answers}


def geojson_source(data, file, type_, identifier, prefix, **answers):
    tally, ids = Tally(), set()
    found = features(os.path.join(data, file))
    for feature in found:
        tally.records += 1
        if tally.is_repeated(feature["properties"][identifier]):
            tally.reject("id-once")
            continue
        tally.accepted += 1
        value = feature["properties"][identifier]
        ids.add(prefix + str(int(value) if isinstance(value, float) else value))
    computed = {name: compute(found) for name, compute in answers.items()}
    return source(type_, [tally.json(file)], ids, first_id=sorted(ids)[0], **computed)


def positions(coordinates):
    if isinstance(coordinates[0], (int, float)):
        yield coordinates
    else:
        for inner in coordinates:
            yield from positions(inner)


def box(found):
    every = [position for feature in found for position in positions(feature["geometry"]["coordinates"])]
    longitudes, latitudes = [p[0] for p in every], [p[1] for p in every]
    return [min(longitudes), min(latitudes), max(longitudes), max(latitudes)]


def property_count(name):
    return lambda found: sum(1 for feature in found if feature["properties"].get(name) not in (None, ""))


def property_values(name):
    return lambda found: dict(Counter(str(f["properties"][name]) for f in found if f["properties"].get(name)).most_common(5))


def streetlights(data):
    file = "street-assets-montpellier/eclairage-public-lambert93.csv.gz"
    kinds = {"LANTERNE": "lantern", "Lanterne": "lantern", "LUMINAIRE AMBIANCE": "ambianceLuminaire", "PROJECTEUR": "floodlight",
             "Luminaire en applique": "wallLuminaire", "ENCASTRE": "recessed", "BORNE COLONNE": "bollard"}
    tally, ids, types = Tally(), set(), Counter()
    for row in rows(os.path.join(data, file)):
        tally.records += 1
        if not (760000 <= float(row["x_l93"]) <= 785000 and 6270000 <= float(row["y_l93"]) <= 6290000):
            tally.reject("region")
            continue
        if not row["type_lante"]:
            tally.flagged["lantern-type"] += 1
        else:
            types[kinds[row["type_lante"]]] += 1
        tally.accepted += 1
        ids.add(row["id"])
    return source("Streetlight", [tally.json(file)], ids, lanternType=dict(types))


def trees(data):
    file = "street-assets-montpellier/arbres-alignement-2013-lambert93.csv.gz"
    tally, ids, heights, girths, years, species = Tally(), set(), [], [], [], Counter()
    for row in rows(os.path.join(data, file), "cp1252", ";"):
        tally.records += 1
        height, girth, year = (number(row[name]) or None for name in ("HAUTEUR_M", "CIRCONF_CM", "PLANTATION"))
        if height and height > 50:
            tally.flagged["plausible-height"] += 1
        if year and not 1600 <= year <= 2014:
            tally.flagged["plausible-year"] += 1
        heights.append(height)
        girths.append(girth)
        years.append(year)
        species[row["BOTANIQUE"]] += 1
        tally.accepted += 1
        ids.add(row["IDARBRE"])
    return source("Tree", [tally.json(file)], ids, height=span(heights), circumference=span(girths), plantingYear=span(years),
                  species=dict(species.most_common(3)))


def parking_meters(data):
    file = "street-assets-montpellier/VilleMTP_MTP_Horodateurs_2011.csv"
    tally, ids, spots = Tally(), set(), []
    for row in rows(os.path.join(data, file), "cp1252"):
        tally.records += 1
        if not re.fullmatch("[1-9][0-9]*", row["NUMERO"]):
            tally.reject("has-number")
        elif tally.is_repeated(row["NUMERO"]):
            tally.reject("number-once")
        else:
            tally.accepted += 1
            ids.add(row["NUMERO"])
            spots.append(number(row["NB_PLACES"]))
    return source("ParkingMeter", [tally.json(file)], ids, totalSpotNumber=span(spots))


def car_parks(data):
    file = "street-assets-montpellier/VilleMTP_MTP_ParkingOuv.csv"
    tally, ids, spots = Tally(), set(), []
    for row in rows(os.path.join(data, file), "cp1252"):
        tally.records += 1
        tally.accepted += 1
        ids.add(row["NOM"])
        spots.append(number(row["NBRE_PLACE"]))
        if not 1 <= spots[-1] <= 5000:
            tally.flagged["plausible-size"] += 1
    return source("OffStreetParking", [tally.json(file)], ids, totalSpotNumber=span(spots))


def utc(text, pattern, zone):
    """A local time as ISO 8601 in UTC; the earlier one where clocks showed it twice."""
    local = datetime.datetime.strptime(text, pattern).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0)
    return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def ecocounters(data):
    file = "counters-montpellier-ecocompteurs/ecocompteurs-daily-2020-2024.csv.gz"
    tally, latest, counts, perCounter = Tally(), {}, [], Counter()
    for row in rows(os.path.join(data, file)):
        tally.records += 1
        if not row["intensity"]:
            tally.reject("has-count")
        elif tally.is_repeated(row["id"]):
            tally.reject("day-once")
        else:
            tally.accepted += 1
            if (row["lon"], row["lat"]) == ("3.9089", "46.6232"):
                tally.flagged["unknown-position"] += 1
            counts.append(int(row["intensity"]))
            perCounter[row["counter"]] += int(row["intensity"])
            moment = utc(row["from"], "%Y-%m-%dT%H:%M:%S", "Europe/Paris")
            latest[row["counter"]] = max(latest.get(row["counter"], ("", 0)), (moment, int(row["intensity"])))
    counter = "X2H19070220"
    return source("TrafficFlowObserved", [tally.json(file)], latest, intensity=span(counts), history_instances=tally.accepted,
                  sum_of_counter={counter: perCounter[counter]},
                  latest={counter: {"observedAt": latest[counter][0], "intensity": latest[counter][1]}})


def ecocounters_json(data):
    files, ids, counts = [], set(), []
    for name in ("MMM_EcoCompt_ED223110496.json", "MMM_EcoCompt_XTH24072390.json"):
        file = "counters-montpellier-ecocompteurs/" + name
        tally = Tally()
        with open(os.path.join(data, file), encoding="utf-8") as stream:
            for record in json.load(stream):
                tally.records += 1
                if record["intensity"] is None:
                    tally.reject("has-count")
                elif tally.is_repeated(record["id"]):
                    tally.reject("day-once")
                else:
                    tally.accepted += 1
                    ids.add(record["id"])
                    counts.append(record["intensity"])
        files.append(tally.json(file))
    return source("TrafficFlowObserved", files, ids, intensity=span(counts))


def traffic_counts(data, file, is_excel):
    tally, ids, means, days = Tally(), set(), [], []
    for row in rows(os.path.join(data, file), "cp1252"):
        tally.records += 1
        if row["TJM"] in ("", "#N/A", "9999"):
            tally.reject("has-count")
        elif tally.is_repeated((row["IDENT"], row["SENS"], row["DDEBUT"])):
            tally.reject("survey-once")
        else:
            tally.accepted += 1
            ids.add((row["IDENT"], row["SENS"]))
            means.append(number(row["TJM"]))
            if is_excel:
                day = datetime.date(1899, 12, 30) + datetime.timedelta(days=int(row["DDEBUT"]))
            else:
                day = datetime.datetime.strptime(row["DDEBUT"], "%d/%m/%y").date()
            days.append(day.isoformat())
    return source("TrafficFlowObserved", [tally.json(file)], ids, intensity=span(means), first_day=min(days), last_day=max(days))


def bikeshare(data):
    file = "bikeshare-montpellier-ngsi/stationvelo-ngsi-v2-2024-12-10.json"
    with open(os.path.join(data, file), encoding="utf-8") as stream:
        stations = json.load(stream)
    tally = Tally()
    tally.records = tally.accepted = len(stations)
    return source("BikeHireDockingStation", [tally.json(file)], {station["id"] for station in stations},
                  availableBikeNumber=span([station["availableBikeNumber"]["value"] for station in stations]),
                  totalSlotNumber=span([station["totalSlotNumber"]["value"] for station in stations]))


def bikeshare_snapshots(data):
    file = "bikeshare-montpellier-ngsi/velomagg-snapshots-2025-07-27_2025-08-09.csv"
    tally, latest, bikes = Tally(), {}, []
    for row in rows(os.path.join(data, file)):
        tally.records += 1
        if tally.is_repeated((row["id"], row["last_update"])):
            tally.reject("snapshot-once")
            continue
        tally.accepted += 1
        bikes.append(int(row["available_bikes"]))
        latest[row["id"]] = max(latest.get(row["id"], ("", 0)), (row["last_update"], bikes[-1]))
    return source("BikeHireDockingStation", [tally.json(file)], latest, availableBikeNumber=span(bikes),
                  latest_sum=sum(value for _, value in latest.values()))


def beijing(data):
    files, latest, columns, flagged = [], {}, {"PM2.5": [], "TEMP": [], "O3": []}, Counter()
    for path in sorted(glob.glob(os.path.join(data, "air-quality-beijing", "PRSA_*.csv.gz"))):
        tally = Tally()
        for row in rows(path):
            tally.records += 1
            tally.accepted += 1
            for name, values in columns.items():
                values.append(number(row[name]))
            moment = tuple(int(row[name]) for name in ("year", "month", "day", "hour"))
            latest[row["station"]] = max(latest.get(row["station"], ((), 0)), (moment, number(row["PM2.5"]) or 0))
        files.append(tally.json(os.path.relpath(path, data)))
    return source("AirQualityObserved", files, latest, pm25=span(columns["PM2.5"]), temperature=span(columns["TEMP"]),
                  o3=span(columns["O3"]), latest_observedAt="2017-02-28T15:00:00Z",
                  latest_pm25={station: value for station, (_, value) in sorted(latest.items())})


def beijing_stations(data):
    file = "air-quality-beijing/stations.csv"
    found = list(rows(os.path.join(data, file)))
    tally = Tally()
    tally.records = tally.accepted = len(found)
    return source("AirQualityObserved", [tally.json(file)], {row["station"] for row in found},
                  longitude=span([float(row["longitude"]) for row in found]), latitude=span([float(row["latitude"]) for row in found]))


def boston(data):
    file = "service-requests-boston-2011/boston-311-service-requests-2011.csv.gz"
    tally, ids, status, onTime, services, opened = Tally(), set(), Counter(), Counter(), Counter(), []
    for row in rows(os.path.join(data, file)):
        tally.records += 1
        tally.accepted += 1
        ids.add(row["case_enquiry_id"])
        status[row["case_status"].lower()] += 1
        if row["ontime"]:
            onTime[row["ontime"] == "ONTIME"] += 1
        services[row["type"]] += 1
        opened.append(utc(row["open_dt"], "%Y-%m-%d %H:%M:%S", "America/New_York"))
        if (float(row["longitude"]), float(row["latitude"])) == (-71.0587, 42.3594):
            tally.flagged["unknown-position"] += 1
        if row["location_zipcode"] and not re.fullmatch(r"\d{5}", row["location_zipcode"]):
            tally.flagged["zipcode"] += 1
        if not row["neighborhood"]:
            tally.flagged["has-neighbourhood"] += 1
    return source("Open311ServiceRequest", [tally.json(file)], ids, status=dict(status), on_time=onTime[True], overdue=onTime[False],
                  with_location=tally.accepted - tally.flagged["unknown-position"], service_name=dict(services.most_common(3)),
                  first_requested=min(opened), last_requested=max(opened))


def budget(data, year, function):
    file = "messy-csv/VilleMTP_MTP_BudgetPri_%d.csv" % year
    tally, ids, amounts = Tally(), set(), {"D": [], "R": []}
    for row in rows(os.path.join(data, file), "cp1252", ";"):
        tally.records += 1
        key = tuple(row[name] for name in ("Exercice", "I_F", "D_R", "Nature", function))
        if tally.is_repeated(key):
            tally.reject("line-once")
            continue
        tally.accepted += 1
        ids.add(key)
        amounts[row["D_R"]].append(number(row["BP"]))
    return source("BudgetLine", [tally.json(file)], ids, expense=span(amounts["D"]), receipt=span(amounts["R"]))


def airlr(data):
    file = "messy-csv/AirLR_LR_StationAir.csv"
    found = list(rows(os.path.join(data, file), "cp1252"))
    tally = Tally()
    tally.records = tally.accepted = len(found)
    return source("AirQualityMonitoringStation", [tally.json(file)], {row["Station_numBDQA"] for row in found},
                  latitude=span([number(row["Station_latitude"]) for row in found]),
                  areaType=dict(Counter(row["Station_Typologie"] for row in found)))


def osm(file, type_, **answers):
    return lambda data: geojson_source(data, "poi-montpellier-osm/" + file, type_, "osm_id", "urn:ngsi-ld:%s:osm:" % type_, box=box,
                                       named=property_count("name"), **answers)


GEO = "geo-montpellier/"
SOURCES = {
    "montpellier-communes": lambda data: geojson_source(
        data, GEO + "communes-montpellier-mediterranee-metropole.geojson", "Municipality", "code", "urn:ngsi-ld:Municipality:", box=box),
    "montpellier-quartiers": lambda data: geojson_source(
        data, GEO + "montpellier-quartiers.geojson", "District", "QUARTIER", "urn:ngsi-ld:District:montpellier:", box=box,
        area=lambda found: span([feature["properties"]["Shape_Area"] for feature in found])),
    "montpellier-sous-quartiers": lambda data: geojson_source(
        data, GEO + "montpellier-sous-quartiers.geojson", "Neighbourhood", "SQUARTIER_", "urn:ngsi-ld:Neighbourhood:montpellier:",
        box=box, area=lambda found: span([feature["properties"]["Shape_Area"] for feature in found])),
    "montpellier-streetlights": streetlights,
    "montpellier-trees": trees,
    "montpellier-parking-meters": parking_meters,
    "montpellier-car-parks": car_parks,
    "montpellier-public-establishments": lambda data: geojson_source(
        data, "street-assets-montpellier/VilleMTP_MTP_EtabliPublic.geojson", "PointOfInterest", "FID_eqpt_2",
        "urn:ngsi-ld:PointOfInterest:montpellier:establishment:", box=box, category=property_values("DELTA_CAT")),
    "montpellier-ecocounters": ecocounters,
    "montpellier-ecocounters-json": ecocounters_json,
    "montpellier-traffic-counts": lambda data: traffic_counts(data, "traffic-montpellier-counts/VilleMTP_MTP_Comptage.csv", False),
    "montpellier-traffic-counts-2012": lambda data: traffic_counts(
        data, "traffic-montpellier-counts/VilleMTP_MTP_Comptage_2012-edition.csv", True),
    "montpellier-bikeshare": bikeshare,
    "montpellier-bikeshare-snapshots": bikeshare_snapshots,
    "montpellier-shops": osm("OSM_MTP_Commerces.geojson", "PointOfInterest", category=property_values("shop")),
    "montpellier-restaurants": osm("OSM_MTP_Restaurants.geojson", "PointOfInterest", category=property_values("amenity")),
    "montpellier-pharmacies": osm("OSM_MTP_Pharmacie.geojson", "PointOfInterest", dispensing=property_count("dispensing")),
    "montpellier-recycling": osm("OSM_MTP_Recyclage.geojson", "WasteContainerIsle", glass=property_count("recycling:glass")),
    "beijing-air-quality": beijing,
    "beijing-air-quality-stations": beijing_stations,
    "boston-311-2011": boston,
    "montpellier-budget-2013": lambda data: budget(data, 2013, "SousFonction"),
    "montpellier-budget-2014": lambda data: budget(data, 2014, "Fonction"),
    "airlr-stations": airlr,
}


def validate(examples, schema):
    """Checks the example definitions against the schema. Returns the faults, or None when the packages are not there."""
    try:
        import jsonschema
        import yaml
    except ImportError as missing:
        print("SKIPPED: the schema is not checked: %s" % missing, file=sys.stderr)
        return None
    with open(schema, encoding="utf-8") as stream:
        document = json.load(stream)
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    faults, paths = [], sorted(glob.glob(os.path.join(examples, "*.yaml")))
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            for error in validator.iter_errors(yaml.safe_load(stream)):
                faults.append("%s: %s: %s" % (os.path.basename(path), error.json_path, error.message))
        name = os.path.basename(path)[: -len(".yaml")]
        if name not in SOURCES:
            faults.append("%s: there is no known answer for this source" % name)
    return faults if paths else ["there are no examples in %s" % examples]


def main(arguments):
    options, names = {}, []
    while arguments:
        argument = arguments.pop(0)
        if argument.startswith("--"):
            options[argument[2:]] = arguments.pop(0)
        else:
            names.append(argument)
    if not names or set(options) - {"examples", "schema"}:
        print(__doc__, file=sys.stderr)
        return 64
    data = names.pop(0)
    if "examples" in options:
        faults = validate(options["examples"], options["schema"])
        if faults:
            print("\n".join(faults), file=sys.stderr)
            return 1
    if not os.path.isdir(data):
        print("SKIPPED: %s is absent" % data, file=sys.stderr)
        return 2
    print(json.dumps({name: SOURCES[name](data) for name in names or SOURCES}, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
