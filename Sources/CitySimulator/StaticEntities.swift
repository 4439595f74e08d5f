public import CityModel

extension Metropolis {
    /// Everything that stands still: municipalities, districts, river and coast, roads, lines and stops, and every
    /// sensor with what does not move about it. Write these once, before any observation.
    public func staticEntities() -> [(municipality: MunicipalityName, entity: Entity)] {
        areas() + water() + roadEntities() + lineEntities() + stopEntities() + sensorEntities()
    }

    private typealias Placed = (municipality: MunicipalityName, entity: Entity)

    private func entity(
        _ types: [String], _ code: String, named name: String, in municipality: Int, scopes: [Scope], location: JSON,
        _ more: (inout AttributeList) -> Void = { _ in }
    ) -> Placed {
        let owner = municipalities[municipality].identifier
        var list = AttributeList()
        list.add(Term.name, .property(.string(name)))
        more(&list)
        list.add(Term.location, .geo(location))
        list.addOrigin()
        let id = IRI(known: "urn:ngsi-ld:\(types[0]):\(owner.text):\(code)")
        return (owner, Entity(id: id, types: types.map(Term.plain), scopes: scopes, attributes: list.attributes))
    }

    private func scopes(ofMunicipality index: Int) -> [Scope] {
        [municipalities[index].districts.first?.scope.parent].compactMap { $0 }
    }

    private func areas() -> [Placed] {
        municipalities.indices.flatMap { index -> [Placed] in
            let municipality = municipalities[index]
            let whole = entity(
                ["Municipality", "AdministrativeArea"], "area", named: municipality.name, in: index, scopes: scopes(ofMunicipality: index),
                location: municipality.outline.json
            ) { $0.add("population", .integer(Int64(municipality.population))) }
            let parts = municipality.districts.enumerated().map { number, district in
                entity(
                    ["District", "AdministrativeArea"], "D\(number + 1)", named: district.name, in: index, scopes: [district.scope],
                    location: district.outline.json
                ) {
                    $0.add("population", .integer(Int64(district.population)))
                    $0.add(Term.plain("containedInPlace"), .relationship([whole.entity.id]))
                }
            }
            return [whole] + parts
        }
    }

    /// River and coast, cut where they pass from one municipality to the next.
    private func water() -> [Placed] {
        let kinds: [(type: String, name: String, lines: [[Place]])] = [
            ("River", geography.riverName, geography.river), ("Coastline", "Coast", geography.coast),
        ]
        return kinds.flatMap { kind -> [Placed] in
            kind.lines.flatMap(pieces).enumerated().map { number, piece in
                entity(
                    [kind.type], "\(number + 1)", named: kind.name, in: piece.municipality, scopes: scopes(ofMunicipality: piece.municipality),
                    location: Globe.line(piece.places))
            }
        }
    }

    /// Each stretch with the municipality that has the middle of most of its segments on its border or inside.
    private func pieces(_ line: [Place]) -> [(municipality: Int, places: [Place])] {
        var pieces: [(municipality: Int, places: [Place])] = []
        for (from, to) in zip(line, line.dropFirst()) {
            let owner = owner(of: from.toward(to, 0.5))
            if pieces.last?.municipality == owner { pieces[pieces.count - 1].places.append(to) } else { pieces.append((owner, [from, to])) }
        }
        return pieces
    }

    /// The municipality at a place or, on its very border, a few metres beside it.
    private func owner(of place: Place) -> Int {
        let around = [Place(x: 0, y: 0), Place(x: 5, y: 3), Place(x: -5, y: -3), Place(x: -3, y: 5), Place(x: 3, y: -5)]
        for step in around {
            if let index = geography.municipalityAreas.firstIndex(where: { $0.contains(place + step) }) { return index }
        }
        return 0
    }

    private func roadEntities() -> [Placed] {
        roads.roads.enumerated().map { index, road in
            let district = geography.districts[road.district]
            return entity(
                ["RoadSegment"], "S\(index + 1)", named: road.name, in: district.municipalityIndex, scopes: [district.scope],
                location: Globe.line(road.line.places)
            ) {
                $0.add("roadClass", .string(road.isMain ? "primary" : "residential"))
                $0.add("maximumAllowedSpeed", .integer(Int64(road.speedLimit)), unit: Unit.kilometresPerHour)
                $0.add("length", .number((road.line.length / 1000).rounded(decimals: 2)), unit: "KMT")
            }
        }
    }

    private func lineID(_ index: Int) -> IRI {
        let owner = municipalities[geography.districts[buses.lines[index].ends.0].municipalityIndex].identifier
        return IRI(known: "urn:ngsi-ld:PublicTransportRoute:\(owner.text):\(buses.lines[index].code)")
    }

    private func lineEntities() -> [Placed] {
        let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#3B6E22"]
        return buses.lines.enumerated().map { index, line in
            let owner = geography.districts[line.ends.0].municipalityIndex
            return entity(
                ["PublicTransportRoute"], line.code, named: line.name, in: owner, scopes: scopes(ofMunicipality: owner),
                location: Globe.line(line.route.places)
            ) {
                $0.add("shortRouteCode", .string(line.code))
                $0.add("routeColor", .string(colours[index % colours.count]))
                $0.add("transportationType", 3)
                $0.add("length", .number((line.route.length / 1000).rounded(decimals: 2)), unit: "KMT")
            }
        }
    }

    private func stopEntities() -> [Placed] {
        buses.stops.enumerated().map { index, stop in
            let district = geography.districts[stop.district]
            return entity(
                ["PublicTransportStop"], "\(index + 1)", named: stop.name, in: district.municipalityIndex, scopes: [district.scope],
                location: Globe.point(stop.place)
            ) {
                $0.add("stopCode", .string("\(index + 1)"))
                $0.add("transportationType", [3])
                $0.add("wheelChairAccessible", .integer(Int64(Chance.hash(plan.seed, Int64(index)) % 5 == 0 ? 0 : 1)))
                $0.add(Term.plain("refPublicTransportRoute"), .relationship(stop.lines.map(lineID)))
            }
        }
    }

    private func sensorEntities() -> [Placed] {
        observer.sensors.map { sensor in
            var list = AttributeList()
            list.add(Term.name, .property(.string(sensor.name)))
            describe(sensor, &list)
            if sensor.kind != .bus { list.add(Term.location, .geo(Globe.point(sensor.place))) }
            list.addOrigin()
            let district = geography.districts[sensor.district]
            let types = [Term.plain(sensor.kind.typeName)]
            return (
                municipalities[sensor.municipality].identifier,
                Entity(id: sensor.id, types: types, scopes: [district.scope], attributes: list.attributes)
            )
        }
    }

    /// What is known of a sensor and does not change.
    private func describe(_ sensor: Sensor, _ list: inout AttributeList) {
        switch sensor.kind {
        case .weather: list.add("stationCode", .string(sensor.code))
        case .air, .noise: list.add("areaType", .string(sensor.exposure > 0.7 ? "traffic" : sensor.exposure > 0.3 ? "urban" : "background"))
        case .traffic:
            list.add("laneId", 1)
            list.add("maximumAllowedSpeed", .integer(Int64(roads.roads[sensor.route].speedLimit)), unit: Unit.kilometresPerHour)
        case .parking:
            list.add("totalSpotNumber", .integer(Int64(sensor.size)), unit: Unit.one)
            list.add("category", ["public", "feeCharged"])
        case .bikes: list.add("totalSlotNumber", .integer(Int64(sensor.size)), unit: Unit.one)
        case .bus:
            list.add("vehicleType", "bus")
            list.add("category", ["public", "tracked"])
            list.add("fleetVehicleId", .string(sensor.code))
            if sensor.route >= 0 { list.add(Term.plain("refPublicTransportRoute"), .relationship([lineID(sensor.route)])) }
        case .light:
            list.add("powerRating", .number(sensor.size), unit: Unit.watts)
            list.add("lanternHeight", .integer(sensor.size > 60 ? 8 : 5), unit: "MTR")
        case .container:
            list.add("storedWasteKind", [.string(WasteCollection.kinds[sensor.variant])])
            list.add("storedWasteOrigin", "household")
        case .electricity: list.add("phaseType", "threePhase")
        case .water: list.add("serialNumber", .string(sensor.code))
        }
    }
}

extension Sensor {
    /// The last part of the identifier.
    fileprivate var code: String { id.text.split(separator: ":").last.map(String.init) ?? id.text }
}

extension Scope {
    /// The scope one level up; nil at the top.
    var parent: Scope? { levels.count > 1 ? Scope(levels.dropLast().joined(separator: "/")) : nil }
}
