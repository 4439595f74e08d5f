internal import CityModel

/// A resident's report: when it was made, taken up and closed, and what it says.
struct ServiceRequest: Sendable {
    struct Category: Sendable {
        let code: String, name: String, agency: String
        let descriptions: [String]
        /// Hours until most are closed.
        let hours: Double
        let weight: Double
    }

    let id: IRI
    let number: String
    let category: Category
    let description: String
    let street: String
    let municipality: Int
    let district: Int
    let place: Place
    /// Seconds since 1970, rising.
    let requested: Int64, accepted: Int64, closed: Int64

    func status(at seconds: Int64) -> String { seconds < accepted ? "open" : seconds < closed ? "inProgress" : "closed" }

    static let categories = [
        Category(
            code: "street-light", name: "Street light out", agency: "Public lighting",
            descriptions: ["The lamp has been dark since yesterday", "The lamp flickers all night", "Three lamps in a row are out"],
            hours: 60, weight: 16),
        Category(
            code: "pothole", name: "Pothole", agency: "Roads",
            descriptions: ["Deep hole in the right lane", "The road surface is breaking up at the crossing", "Sunken manhole cover"],
            hours: 120, weight: 17),
        Category(
            code: "waste", name: "Waste left in the street", agency: "Cleaning",
            descriptions: ["Mattress on the pavement", "Bags beside the container", "Rubble dumped overnight"], hours: 26, weight: 24),
        Category(
            code: "graffiti", name: "Graffiti", agency: "Cleaning",
            descriptions: ["Paint on the school wall", "Writing on the bus shelter"], hours: 80, weight: 10),
        Category(
            code: "tree", name: "Tree or green space", agency: "Parks",
            descriptions: ["A branch hangs low over the path", "Roots lift the paving", "The young tree is dry"], hours: 150, weight: 9),
        Category(
            code: "noise", name: "Noise", agency: "Environment",
            descriptions: ["Works begin before six in the morning", "Music until late at night"], hours: 40, weight: 8),
        Category(
            code: "vehicle", name: "Abandoned vehicle", agency: "Municipal police",
            descriptions: ["A car without plates has stood here for weeks", "A broken scooter blocks the pavement"], hours: 170, weight: 8),
        Category(
            code: "water-leak", name: "Water leak", agency: "Water",
            descriptions: ["Water runs from under the pavement", "The hydrant drips"], hours: 12, weight: 8),
    ]
}

/// Draws reports: in each municipality and hour up to two, by the time of day and the number of residents.
struct ServiceRequestSchedule: Sendable {
    /// Reports per 1000 residents and day.
    static let perThousandResidentsAndDay = 0.16
    static let secondsMax: Int64 = 18 * 86400

    private let seed: UInt64
    private let slugs: [String]
    private let perHour: [Double]
    private let streets: [[(name: String, line: Polyline, district: Int)]]

    init(_ geography: Geography, _ roads: Roads, seed: UInt64) {
        self.seed = seed &+ 75
        slugs = geography.municipalities.map(\.identifier.text)
        perHour = geography.municipalities.map { Double($0.population) / 1000 * Self.perThousandResidentsAndDay / 24 }
        var streets = [[(name: String, line: Polyline, district: Int)]](repeating: [], count: slugs.count)
        for (district, indices) in roads.streetsIn.enumerated() {
            for index in indices {
                streets[geography.districts[district].municipalityIndex].append((roads.roads[index].name, roads.roads[index].line, district))
            }
        }
        self.streets = streets
    }

    /// Reports that were made before `to` and closed at or after `from`, in order of their making.
    func overlapping(from: Int64, to: Int64) -> [ServiceRequest] {
        let first = CityTime.hour(of: from - Self.secondsMax), last = CityTime.hour(of: to - 1)
        guard first <= last else { return [] }
        var found: [ServiceRequest] = []
        for hour in first...last {
            let rate = Rhythm.reporting.rate(CityTime(hour * 3600 + 1800).secondOfDay) * 86400 / Rhythm.reporting.total
            for municipality in slugs.indices {
                for number in Int64(0)..<2 {
                    let bits = Chance.hash(seed, Int64(municipality) * 2 + number, hour)
                    guard Chance.unit(bits) < perHour[municipality] * rate / 2 else { continue }
                    let request = make(municipality, hour, number, bits)
                    if request.requested < to, request.closed >= from { found.append(request) }
                }
            }
        }
        return found.sorted { ($0.requested, $0.id) < ($1.requested, $1.id) }
    }

    private func make(_ municipality: Int, _ hour: Int64, _ number: Int64, _ bits: UInt64) -> ServiceRequest {
        var random = SplitMix64(seed: bits)
        let requested = hour * 3600 + Int64(random.index(3600))
        let category = ServiceRequest.categories[random.index(weights: ServiceRequest.categories.map(\.weight))]
        let speed = random.within(0.25, 1) * random.within(0.6, 2)
        let duration = min(Double(Self.secondsMax) - 3600, category.hours * 3600 * speed)
        let accepted = requested + Int64(duration * random.within(0.08, 0.45))
        let street = random.pick(streets[municipality])
        let place = Globe.snapped(street.line.at(random.unit() * street.line.length).place)
        let code = "\(hour * 2 + number)"
        return ServiceRequest(
            id: IRI(known: "urn:ngsi-ld:Open311ServiceRequest:\(slugs[municipality]):\(code)"), number: code, category: category,
            description: random.pick(category.descriptions), street: street.name, municipality: municipality, district: street.district,
            place: place, requested: requested, accepted: accepted, closed: requested + Int64(duration))
    }
}
