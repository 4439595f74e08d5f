package import CityModel

/// One thing that reports values.
package struct Sensor: Sendable {
    package let kind: SensorKind
    /// Its place among all sensors: chooses its chances.
    let index: Int
    package let id: IRI
    package let name: String
    package let municipality: Int
    package let district: Int
    package let place: Place
    /// How large it is, in the unit of its kind: vehicles an hour, spots, docks, watts, filling a day, kWh or m³ a day.
    let size: Double
    /// How much traffic it stands in, 0...1; for a detector, the share of its capacity that is asked for at the peak.
    let exposure: Double
    /// Which of its kind's habits it has.
    let variant: Int
    /// The main road that a detector watches, or the line that a bus serves; -1 for others.
    package let route: Int
    /// Metres along that road; for a bus, its number on the line.
    package let position: Double
    let seed: UInt64
    /// Second of its period at which it reports.
    let phase: Int
}

/// Puts the planned number of sensors into the city: detectors on main roads, buses on lines, all else in the streets.
struct SensorPlacement {
    private(set) var sensors: [Sensor] = []

    private let geography: Geography
    private let roads: Roads
    private let lines: [BusLines.Line]
    private let plan: SimulationPlan
    private var random: SplitMix64
    private let districtWeights: [Double]
    private let mainPlaces: [[(road: Int, metres: Double)]]
    /// For each district the lengths of its streets, in their order.
    private let streetMetres: [[Double]]

    init(_ plan: SimulationPlan, _ geography: Geography, _ roads: Roads, _ lines: [BusLines.Line]) {
        self.plan = plan
        self.geography = geography
        self.roads = roads
        self.lines = lines
        random = SplitMix64(seed: plan.seed &+ 61)
        // Between one for each district and one for each resident: large districts have more, but not all.
        districtWeights = geography.districts.map { Double($0.population + 500).squareRoot() }
        mainPlaces = Self.placesOnMainRoads(geography, roads)
        streetMetres = roads.streetsIn.map { $0.map { roads.roads[$0].line.length } }
        for (kind, count) in zip(SensorKind.allCases, SensorKind.counts(total: plan.sensorCount)) {
            for number in 0..<count { sensors.append(make(kind, number, of: count)) }
        }
    }

    /// Every 120 metres of main road, by district.
    private static func placesOnMainRoads(_ geography: Geography, _ roads: Roads) -> [[(road: Int, metres: Double)]] {
        var places = [[(road: Int, metres: Double)]](repeating: [], count: geography.districts.count)
        for (index, road) in roads.roads.enumerated() where road.isMain {
            for metres in stride(from: 60, to: road.line.length - 30, by: 120) {
                guard let district = geography.district(at: Globe.snapped(road.line.at(metres).place)) else { continue }
                places[district].append((index, metres))
            }
        }
        return places
    }

    private mutating func make(_ kind: SensorKind, _ number: Int, of count: Int) -> Sensor {
        switch kind {
        case .bus where !lines.isEmpty: bus(number, of: count)
        case .traffic: detector(number)
        case .weather: station(number)
        default: inStreet(kind, number)
        }
    }

    private mutating func bus(_ number: Int, of count: Int) -> Sensor {
        let line = number % lines.count
        let district = geography.districts[lines[line].ends.0]
        return sensor(
            .bus, number, label: "line \(lines[line].code)", district: lines[line].ends.0, place: district.centre, road: line,
            position: Double(number / lines.count))
    }

    private mutating func detector(_ number: Int) -> Sensor {
        let district = random.index(weights: zip(districtWeights, mainPlaces).map { $1.isEmpty ? 0 : $0 })
        let choice = random.pick(mainPlaces[district])
        let road = roads.roads[choice.road]
        for _ in 0..<20 {
            let metres = (choice.metres + random.within(-60, 60)).clamped(10, road.line.length - 10)
            let place = Globe.snapped(road.line.at(metres).place)
            guard geography.districts[district].area.contains(place) else { continue }
            return sensor(.traffic, number, label: road.name, district: district, place: place, road: choice.road, position: metres)
        }
        let place = Globe.snapped(road.line.at(choice.metres).place)
        return sensor(.traffic, number, label: road.name, district: district, place: place, road: choice.road, position: choice.metres)
    }

    /// Weather stations: one after the other through the districts, so that they cover the metropolis.
    private mutating func station(_ number: Int) -> Sensor {
        let count = geography.districts.count
        let district = (number * 7) % count
        let (street, place) = streetPlace(in: district)
        return sensor(.weather, number, label: number < count ? geography.districts[district].name : street, district: district, place: place)
    }

    private mutating func inStreet(_ kind: SensorKind, _ number: Int) -> Sensor {
        let district = random.index(weights: districtWeights)
        let (street, place) = streetPlace(in: district)
        return sensor(kind, number, label: "\(street) \(1 + random.index(120))", district: district, place: place)
    }

    /// Beside one of the district's streets, long streets more often.
    private mutating func streetPlace(in district: Int) -> (street: String, place: Place) {
        for _ in 0..<30 {
            let street = roads.roads[roads.streetsIn[district][random.index(weights: streetMetres[district])]]
            let beside = Place(x: random.within(-9, 9), y: random.within(-9, 9))
            let place = Globe.snapped(street.line.at(random.unit() * street.line.length).place + beside)
            if geography.districts[district].area.contains(place) { return (street.name, place) }
        }
        return (geography.districts[district].name, geography.districts[district].centre)
    }

    private mutating func sensor(
        _ kind: SensorKind, _ number: Int, label: String, district: Int, place: Place, road: Int = -1, position: Double = 0
    ) -> Sensor {
        let municipality = geography.districts[district].municipalityIndex
        let digits = String(number + 1)
        let code = kind.codeLetter + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let habits = Habits(kind, isMainRoadFast: road >= 0 && kind == .traffic && roads.roads[road].speedLimit > 50, using: &random)
        let slug = geography.municipalities[municipality].identifier.text
        return Sensor(
            kind: kind, index: sensors.count, id: IRI(known: "urn:ngsi-ld:\(kind.typeName):\(slug):\(code)"),
            name: "\(kind.title) \(code), \(label)", municipality: municipality, district: district, place: place, size: habits.size,
            exposure: habits.exposure, variant: habits.variant, route: road, position: position,
            seed: Chance.hash(plan.seed &+ 62, Int64(sensors.count)), phase: random.index(kind.periodSeconds))
    }
}

/// What makes one sensor of a kind different from the next.
private struct Habits {
    var size = 1.0, exposure = 0.0, variant = 0

    init(_ kind: SensorKind, isMainRoadFast: Bool, using random: inout SplitMix64) {
        switch kind {
        case .weather: size = random.within(-0.7, 0.7)
        case .air, .noise: exposure = [0.15, 0.45, 0.9][random.index(3)] + random.within(-0.1, 0.1)
        case .traffic:
            size = (isMainRoadFast ? 1850 : [800, 1500, 1600][random.index(3)]) * random.within(0.9, 1.1)
            exposure = random.within(0.5, 1.4)
            variant = random.index(3)
        case .parking:
            size = Double(40 + 20 * random.index(25))
            variant = random.index(3)
        case .bikes:
            size = Double(12 + 2 * random.index(12))
            variant = random.index(3)
        case .bus: size = 90
        case .light: size = Double([28, 42, 60, 84, 110][random.index(5)])
        case .container:
            variant = random.index(4)
            size = random.within(0.5, 0.98)
        case .electricity:
            variant = random.index(2)
            size = random.within(4.8, 7.6)
        case .water:
            variant = random.index(2)
            size = random.within(0.6, 3.4)
        }
    }
}
