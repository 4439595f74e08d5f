/// The roads: main roads that join the middles of the districts, and streets around each middle.
package struct Roads {
    package struct Road: Sendable {
        let name: String
        let line: Polyline
        let isMain: Bool
        /// The district of its middle.
        let district: Int
        /// For a main road, the two districts whose middles it joins.
        package let ends: (Int, Int)
        /// Kilometres per hour.
        let speedLimit: Int
    }

    package private(set) var roads: [Road] = []
    /// For each district the main roads that end in its middle.
    package private(set) var mainRoadsAt: [[Int]]
    /// For each district its streets.
    private(set) var streetsIn: [[Int]]

    init(_ geography: Geography, seed: UInt64) {
        let count = geography.districts.count
        mainRoadsAt = [[Int]](repeating: [], count: count)
        streetsIn = [[Int]](repeating: [], count: count)
        var names = NameMaker(seed: seed &+ 41)
        for (from, to) in Self.network(geography) {
            let line = Self.wander(from: geography.districts[from].centre, to: geography.districts[to].centre, geography, seed: seed &+ 42)
            let middle = geography.district(at: line.at(line.length / 2).place) ?? from
            mainRoadsAt[from].append(roads.count)
            mainRoadsAt[to].append(roads.count)
            roads.append(
                Road(
                    name: names.avenue(), line: line, isMain: true, district: middle, ends: (from, to),
                    speedLimit: line.length > 3900 ? 70 : 50))
        }
        for index in 0..<count {
            for line in StreetGrid(geography, district: index, seed: seed &+ 43).lines {
                streetsIn[index].append(roads.count)
                roads.append(
                    Road(name: names.street(), line: line, isMain: false, district: index, ends: (index, index), speedLimit: 30))
            }
        }
    }

    /// Pairs of districts to join: those with no third middle inside the circle over the two (Gabriel's graph) whose
    /// straight line stays on land, shortest first, and then whatever pieces are left, by the shortest line there is.
    private static func network(_ geography: Geography) -> [(Int, Int)] {
        let centres = geography.districts.map(\.centre)
        var pairs: [(from: Int, to: Int, length: Double)] = []
        for from in centres.indices {
            for to in centres.indices where from < to { pairs.append((from, to, centres[from].distance(to: centres[to]))) }
        }
        pairs.sort { ($0.length, $0.from, $0.to) < ($1.length, $1.from, $1.to) }
        var piece = Array(centres.indices)
        var chosen: [(Int, Int)] = []
        func join(_ pair: (from: Int, to: Int, length: Double)) {
            let (old, new) = (piece[pair.to], piece[pair.from])
            for index in piece.indices where piece[index] == old { piece[index] = new }
            chosen.append((pair.from, pair.to))
        }
        for pair in pairs where isFree(pair.from, pair.to, centres) && isDry(centres[pair.from], centres[pair.to], geography) { join(pair) }
        for pair in pairs where piece[pair.from] != piece[pair.to] && isDry(centres[pair.from], centres[pair.to], geography) { join(pair) }
        for pair in pairs where piece[pair.from] != piece[pair.to] { join(pair) }
        return chosen
    }

    private static func isFree(_ from: Int, _ to: Int, _ centres: [Place]) -> Bool {
        let middle = centres[from].toward(centres[to], 0.5)
        let radius = centres[from].distance(to: middle)
        return centres.indices.allSatisfy { $0 == from || $0 == to || centres[$0].distance(to: middle) >= radius }
    }

    private static func isDry(_ from: Place, _ to: Place, _ geography: Geography) -> Bool {
        let steps = Int(from.distance(to: to) / 80) + 1
        return (0...steps).allSatisfy { geography.isLand(from.toward(to, Double($0) / Double(steps))) }
    }

    /// A line that swings a little to both sides, unless that would leave the land.
    private static func wander(from: Place, to: Place, _ geography: Geography, seed: UInt64) -> Polyline {
        let steps = max(4, Int(from.distance(to: to) / 260))
        func line(swing: Double) -> [Place] {
            (0...steps).map { step in
                let fraction = Double(step) / Double(steps)
                let place = from.toward(to, fraction)
                let bend = StreetGrid.displacement(place, wavelength: 2400, amplitude: swing, seed: seed)
                return Globe.snapped(place + bend * (4 * fraction * (1 - fraction)))
            }
        }
        let bent = line(swing: 420)
        return Polyline(bent.allSatisfy(geography.isLand) ? bent : line(swing: 0))
    }
}

/// The streets of one district: a grid around its middle, turned and bent, inside a built-up blob that keeps clear of
/// the district's border and of the river.
struct StreetGrid {
    private(set) var lines: [Polyline] = []

    private let district: SimulatedDistrict
    private let geography: Geography
    private let seed: UInt64
    private let reach: Double

    init(_ geography: Geography, district index: Int, seed: UInt64) {
        district = geography.districts[index]
        self.geography = geography
        self.seed = Chance.hash(seed, Int64(index))
        reach = 0.72 * (district.area.squareMetres / .pi).squareRoot()
        var random = SplitMix64(seed: self.seed)
        let along = Self.direction(random.within(0, 1))
        let spacing = random.within(230, 330)
        let count = Int(reach / spacing)
        for row in -count...count {
            let offset = Double(row) * spacing
            add(from: Place(x: -along.y, y: along.x) * offset, along: along)
            add(from: along * (offset * 1.25), along: Place(x: -along.y, y: along.x))
        }
        if lines.isEmpty { lines = [Polyline([district.centre, district.centre + along * 40].map(Globe.snapped))] }
    }

    /// Walks the line through the middle both ways and keeps its longest stretch inside, if it is worth a name.
    private mutating func add(from offset: Place, along: Place) {
        var best: [Place] = [], current: [Place] = []
        for step in stride(from: -reach * 1.3, through: reach * 1.3, by: 55) {
            let straight = district.centre + offset + along * step
            let place = Globe.snapped(straight + Self.displacement(straight, wavelength: 900, amplitude: 70, seed: seed))
            if isBuiltUp(place) { current.append(place) } else { current = [] }
            if current.count > best.count { best = current }
        }
        guard best.count >= 5 else { return }
        let corners = best.indices.filter { $0 % 3 == 0 || $0 == best.count - 1 }.map { best[$0] }
        lines.append(Polyline(corners))
    }

    private func isBuiltUp(_ place: Place) -> Bool {
        let step = place - district.centre
        let uneven = 1 + 0.3 * Chance.noise(place.x / 700, place.y / 700, seed &+ 1)
        return step.length < reach * uneven && geography.isEastOfRiver(place) == geography.isEastOfRiver(district.centre)
            && Self.clearings.allSatisfy { district.area.contains(place + $0) }
    }

    private static let clearings = [Place(x: 60, y: 0), Place(x: -60, y: 0), Place(x: 0, y: 60), Place(x: 0, y: -60)]

    /// A unit vector at a fraction of a quarter turn, by rational parameters: no sine needed.
    private static func direction(_ fraction: Double) -> Place {
        let t = fraction * 0.414
        return Place(x: (1 - t * t) / (1 + t * t), y: 2 * t / (1 + t * t))
    }

    /// How far the ground shifts a place; neighbouring places shift alike.
    static func displacement(_ place: Place, wavelength: Double, amplitude: Double, seed: UInt64) -> Place {
        Place(
            x: amplitude * Chance.noise(place.x / wavelength, place.y / wavelength, seed &+ 2),
            y: amplitude * Chance.noise(place.x / wavelength, place.y / wavelength, seed &+ 3))
    }
}
