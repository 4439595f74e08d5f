internal import CityModel

/// Bus lines on the main roads, their stops, and where a vehicle is at any moment.
package struct BusLines {
    struct Stop: Sendable {
        let name: String
        let place: Place
        let district: Int
        var lines: [Int] = []
    }

    package struct Line: Sendable {
        let code: String
        let name: String
        /// The districts at its two ends.
        let ends: (Int, Int)
        let route: Polyline
        package let stops: [Int]
        package let timetable: Timetable
    }

    private(set) var stops: [Stop] = []
    package private(set) var lines: [Line] = []
    private var stopOfKey: [StopKey: Int] = [:]

    /// Stops belong to a place on a road or to a district's middle, so that lines on the same road share them.
    private enum StopKey: Hashable { case alongRoad(Int, Int), middle(Int) }

    init(_ geography: Geography, _ roads: Roads, seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 51)
        var names = NameMaker(seed: seed &+ 52)
        for (from, to) in Self.relations(geography, using: &random) {
            guard let path = Self.shortestPath(from: from, to: to, roads) else { continue }
            addLine(from: from, along: path, geography, roads, names: &names)
        }
    }

    /// One line from the capital to every other municipality, and half as many that go around it.
    private static func relations(_ geography: Geography, using random: inout SplitMix64) -> [(Int, Int)] {
        let districts = geography.districts.indices
        func of(_ municipality: Int) -> [Int] { districts.filter { geography.districts[$0].municipalityIndex == municipality } }
        let count = geography.municipalities.count
        let capital = of(0)
        var relations: [(Int, Int)] = []
        for index in 1..<count { relations.append((random.pick(capital), random.pick(of(index)))) }
        for _ in 0..<(count / 2 + 1) {
            let from = 1 + random.index(count - 1)
            let to = 1 + (from + random.index(count - 2)) % (count - 1)
            relations.append((random.pick(of(from)), random.pick(of(to))))
        }
        return relations
    }

    /// Roads from one district's middle to another's, each with whether it is driven backwards; nil when there is none.
    private static func shortestPath(from: Int, to: Int, _ roads: Roads) -> [(road: Int, isBackwards: Bool)]? {
        var cost = [Double](repeating: .infinity, count: roads.mainRoadsAt.count)
        var arrival = [Int?](repeating: nil, count: cost.count)
        var queue = CostQueue()
        cost[from] = 0
        queue.push(from, cost: 0)
        while let (reached, node) = queue.pop() {
            guard reached == cost[node] else { continue }
            for index in roads.mainRoadsAt[node] {
                let road = roads.roads[index]
                let other = road.ends.0 == node ? road.ends.1 : road.ends.0
                guard reached + road.line.length < cost[other] else { continue }
                cost[other] = reached + road.line.length
                arrival[other] = index
                queue.push(other, cost: cost[other])
            }
        }
        var path: [(road: Int, isBackwards: Bool)] = []
        var node = to
        while node != from {
            guard let index = arrival[node] else { return nil }
            let ends = roads.roads[index].ends
            path.append((index, ends.0 == node))
            node = ends.0 == node ? ends.1 : ends.0
        }
        return path.isEmpty ? nil : path.reversed()
    }

    private mutating func addLine(
        from: Int, along path: [(road: Int, isBackwards: Bool)], _ geography: Geography, _ roads: Roads, names: inout NameMaker
    ) {
        var places: [Place] = []
        var called: [(stop: Int, metres: Double)] = []
        var driven = 0.0, node = from
        called.append((stop(at: node, geography), 0))
        for (index, isBackwards) in path {
            let road = roads.roads[index]
            let line = isBackwards ? road.line.reversed : road.line
            places += places.isEmpty ? line.places : Array(line.places.dropFirst())
            let count = max(1, Int((line.length / 540).rounded()) - 1)
            for number in 0..<count {
                let fraction = Double(number + 1) / Double(count + 1)
                let key = isBackwards ? count - 1 - number : number
                let place = line.at(fraction * line.length).place
                let stop = stop(.alongRoad(index, key), at: place, road.district, geography, &names)
                called.append((stop, driven + fraction * line.length))
            }
            driven += line.length
            node = road.ends.0 == node ? road.ends.1 : road.ends.0
            called.append((stop(at: node, geography), driven))
        }
        let number = lines.count
        for (stop, _) in called where !stops[stop].lines.contains(number) { stops[stop].lines.append(number) }
        let (first, last) = (geography.districts[from], geography.districts[node])
        let firstTown = geography.municipalities[first.municipalityIndex].name
        let lastTown = geography.municipalities[last.municipalityIndex].name
        lines.append(
            Line(
                code: "L\(number + 1)", name: "L\(number + 1) \(firstTown) \(first.name) – \(lastTown) \(last.name)", ends: (from, node),
                route: Polyline(places), stops: called.map(\.stop), timetable: Timetable(stopMetres: called.map(\.metres))))
    }

    private mutating func stop(at district: Int, _ geography: Geography) -> Int {
        if let known = stopOfKey[.middle(district)] { return known }
        let area = geography.districts[district]
        stopOfKey[.middle(district)] = stops.count
        stops.append(Stop(name: "Plassa \(area.name)", place: area.centre, district: district))
        return stops.count - 1
    }

    private mutating func stop(_ key: StopKey, at place: Place, _ district: Int, _ geography: Geography, _ names: inout NameMaker) -> Int {
        if let known = stopOfKey[key] { return known }
        let snapped = Globe.snapped(place)
        stopOfKey[key] = stops.count
        stops.append(Stop(name: names.street(), place: snapped, district: geography.district(at: snapped) ?? district))
        return stops.count - 1
    }
}

/// A vehicle's way from the first stop to the last and back again, second by second.
package struct Timetable: Sendable {
    static let serviceStartSecond = 5.5 * 3600, serviceEndSecond = 23.9 * 3600
    private static let metresPerSecond = 6.6, dwellSeconds = 18.0, layoverSeconds = 240.0

    /// Leaves a stop at `departure` from `from` metres and stands at `to` metres from `arrival` on.
    private struct Leg { let departure: Double, arrival: Double, from: Double, to: Double }

    private let legs: [Leg]
    package let cycleSeconds: Double

    init(stopMetres: [Double]) {
        var legs: [Leg] = []
        var clock = Self.dwellSeconds
        func drive(_ stops: [Double]) {
            for (from, to) in zip(stops, stops.dropFirst()) {
                let arrival = clock + 10 + abs(to - from) / Self.metresPerSecond
                legs.append(Leg(departure: clock, arrival: arrival, from: from, to: to))
                clock = arrival + Self.dwellSeconds
            }
            clock += Self.layoverSeconds
        }
        drive(stopMetres)
        drive(stopMetres.reversed())
        self.legs = legs
        cycleSeconds = clock
    }

    /// Metres along the route, metres per second, and whether the vehicle drives back, so many seconds into a cycle.
    func at(_ seconds: Double) -> (metres: Double, speed: Double, isBackwards: Bool) {
        var low = 0, high = legs.count
        while low < high {
            let middle = (low + high) / 2
            if legs[middle].departure <= seconds { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return (legs.first?.from ?? 0, 0, false) }
        let leg = legs[low - 1]
        let isBackwards = leg.to < leg.from
        guard seconds < leg.arrival else { return (leg.to, 0, isBackwards) }
        let duration = leg.arrival - leg.departure
        let u = (seconds - leg.departure) / duration
        // 3u²-2u³ starts and stops gently; its slope is 6u(1-u).
        return (leg.from + (leg.to - leg.from) * Chance.smooth(u), abs(leg.to - leg.from) / duration * 6 * u * (1 - u), isBackwards)
    }

    /// How far into its cycle vehicle `number` of `count` is; nil when it is parked at the first stop. Vehicles leave
    /// one after the other and drive as many whole cycles as fit into the day; on Sundays every second one rests.
    func phase(_ time: CityTime, vehicle number: Int, of count: Int, delay: Double) -> Double? {
        guard time.weekday < 6 || number % 2 == 0 else { return nil }
        let start = Self.serviceStartSecond + cycleSeconds * Double(number) / Double(max(count, 1))
        let elapsed = time.secondOfDay - delay - start
        let cycles = ((Self.serviceEndSecond - start) / cycleSeconds).rounded(.down)
        guard elapsed >= 0, elapsed < cycles * cycleSeconds else { return nil }
        return elapsed.truncatingRemainder(dividingBy: cycleSeconds)
    }
}
