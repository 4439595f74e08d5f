internal import CityModel

/// Something on a main road that slows traffic until it is cleared.
package struct Incident: Sendable {
    enum Kind: String, CaseIterable, Sendable { case carAccident, brokenVehicle, roadWorks, hazardOnRoad }

    let kind: Kind
    let id: IRI
    let municipality: Int
    let district: Int
    package var road: Int
    /// Metres along the road.
    package var metres: Double
    let place: Place
    let start: Int64, end: Int64
    /// Share of the road's capacity that is lost at its place, 0.4...0.85.
    package var loss: Double

    var severity: String { loss > 0.72 ? "high" : loss > 0.55 ? "medium" : "low" }

    /// Share of capacity that a detector loses: all of `loss` at the place itself, nothing from 1500 m along the same
    /// road or 600 m beside it on.
    func loss(at sensor: Sensor) -> Double {
        if sensor.route == road { return loss * max(0, 1 - abs(sensor.position - metres) / 1500) }
        let apart = sensor.place - place
        guard abs(apart.x) < 600, abs(apart.y) < 600 else { return 0 }
        return 0.6 * loss * max(0, 1 - apart.length / 600)
    }
}

/// Draws incidents: in each municipality and hour at most one begins, more often when there is traffic.
struct IncidentSchedule: Sendable {
    /// Probability per municipality and hour at the busiest time.
    static let perBusyHour = 0.11
    static let secondsMax: Int64 = 130 * 60

    private let seed: UInt64
    private let slugs: [String]
    /// For each municipality, stretches of main road: road, metres, place and district.
    private let stretches: [[(road: Int, metres: Double, place: Place, district: Int)]]

    init(_ geography: Geography, _ roads: Roads, seed: UInt64) {
        self.seed = seed &+ 71
        slugs = geography.municipalities.map(\.identifier.text)
        var stretches = [[(road: Int, metres: Double, place: Place, district: Int)]](repeating: [], count: slugs.count)
        for (index, road) in roads.roads.enumerated() where road.isMain {
            for metres in stride(from: 100, to: road.line.length, by: 250) {
                let place = Globe.snapped(road.line.at(metres).place)
                guard let district = geography.district(at: place) else { continue }
                stretches[geography.districts[district].municipalityIndex].append((index, metres, place, district))
            }
        }
        self.stretches = stretches
    }

    /// Incidents that are on at a moment.
    func active(at seconds: Int64) -> [Incident] {
        overlapping(from: seconds, to: seconds + 1)
    }

    /// Incidents that are on at some moment of `from..<to`, in order of beginning.
    func overlapping(from: Int64, to: Int64) -> [Incident] {
        let first = CityTime.hour(of: from - Self.secondsMax), last = CityTime.hour(of: to - 1)
        guard first <= last else { return [] }
        var found: [Incident] = []
        for hour in first...last {
            let busy = Rhythm.roads[2].rate(CityTime(hour * 3600 + 1800))
            for municipality in slugs.indices {
                guard let incident = incident(municipality, hour, busy: busy), incident.start < to, incident.end > from else { continue }
                found.append(incident)
            }
        }
        return found.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    private func incident(_ municipality: Int, _ hour: Int64, busy: Double) -> Incident? {
        let bits = Chance.hash(seed, Int64(municipality), hour)
        guard Chance.unit(bits) < Self.perBusyHour * busy, !stretches[municipality].isEmpty else { return nil }
        var random = SplitMix64(seed: bits)
        let stretch = random.pick(stretches[municipality])
        let kind = Incident.Kind.allCases[random.index(weights: [0.4, 0.3, 0.12, 0.18])]
        let start = hour * 3600 + Int64(random.index(3600))
        let minutes = kind == .roadWorks ? random.within(60, 130) : random.within(18, 85)
        return Incident(
            kind: kind, id: IRI(known: "urn:ngsi-ld:Alert:\(slugs[municipality]):\(hour)"), municipality: municipality,
            district: stretch.district, road: stretch.road, metres: stretch.metres, place: stretch.place, start: start,
            end: start + Int64(minutes * 60), loss: random.within(0.4, 0.85))
    }
}

extension CityTime {
    static func hour(of seconds: Int64) -> Int64 { (seconds >= 0 ? seconds : seconds - 3599) / 3600 }
}
