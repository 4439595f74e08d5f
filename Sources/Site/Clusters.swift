internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Groups marks in a grid of Web Mercator, so that a map shows thousands as dozens. Pure.
struct Clusters {
    struct Cluster {
        /// The middle of its members, or a little off it, so that neighbours do not lie on each other.
        let position: Mark.Position
        let count: Int
        /// The entry that all members have; nil when they differ or are not known.
        let entry: Int?
        /// The mean of the members' numbers, when all have the same entry.
        let mean: Double?
    }

    private(set) var features: [FoundMark] = []
    private(set) var clusters: [Cluster] = []

    /// Up to this many are shown one by one.
    static let featureCountMax = 1500
    /// The most features and clusters of one answer together.
    static let shownCountMax = 2000
    /// The side of a cell in pixels.
    static let cellPixels = 64.0
    /// How near to the edge of its cell a cluster may be shown, in sides of a cell.
    private static let margin = 0.28

    init(_ found: FoundMarks, zoom: Double) {
        guard found.marks.count + found.unread.count > Self.featureCountMax || !found.unread.isEmpty else {
            features = found.marks
            return
        }
        var cellCount = 256 * pow(2, min(max(zoom, 0), 22)) / Self.cellPixels
        while true {
            group(found, cellCount: cellCount)
            guard features.count + clusters.count > Self.shownCountMax, cellCount > 1 else { return }
            cellCount /= 2
        }
    }

    private struct Group {
        var longitude = 0.0, latitude = 0.0, sum = 0.0
        var count = 0, numberCount = 0
        /// The first two members, to be shown as they are when there are no more.
        var members: [FoundMark] = []
        var entry: Int?
        var isMixed = false

        func place(cellCount: Double) -> Mark.Position {
            Clusters.inset(Mark.Position(longitude: longitude / Double(count), latitude: latitude / Double(count)), cellCount: cellCount)
        }

        mutating func add(_ position: Mark.Position) {
            longitude += position.longitude
            latitude += position.latitude
            count += 1
        }

        mutating func add(_ found: FoundMark) {
            if count == 0 { entry = found.mark.entry } else if entry != found.mark.entry { isMixed = true }
            if let position = found.mark.position { add(position) }
            if let number = found.mark.value.doubleValue {
                sum += number
                numberCount += 1
            }
            if members.count < 2 { members.append(found) }
        }
    }

    private mutating func group(_ found: FoundMarks, cellCount: Double) {
        var groups: [Int64: Group] = [:]
        for mark in found.marks {
            guard let position = mark.mark.position else { continue }
            groups[Self.cell(position, cellCount: cellCount), default: Group()].add(mark)
        }
        for position in found.unread {
            groups[Self.cell(position, cellCount: cellCount), default: Group()].add(position)
            groups[Self.cell(position, cellCount: cellCount)]?.isMixed = true
        }
        features = []
        clusters = []
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
            if group.count <= 2, group.members.count == group.count {
                features += group.members
                continue
            }
            clusters.append(
                Cluster(
                    position: group.place(cellCount: cellCount), count: group.count, entry: group.isMixed ? nil : group.entry,
                    mean: group.isMixed || group.numberCount == 0 ? nil : group.sum / Double(group.numberCount)))
        }
    }

    /// The number of a position's cell in a world of `cellCount` by `cellCount` cells.
    private static func cell(_ position: Mark.Position, cellCount: Double) -> Int64 {
        let (x, y) = projected(position)
        return Int64((y * cellCount).rounded(.down)) << 32 | Int64((x * cellCount).rounded(.down))
    }

    /// Web Mercator, from the north-west corner of the world, whose side is 1.
    private static func projected(_ position: Mark.Position) -> (x: Double, y: Double) {
        let sine = sin(min(max(position.latitude, -85.05), 85.05) * .pi / 180)
        return ((position.longitude + 180) / 360, 0.5 - log((1 + sine) / (1 - sine)) / (4 * .pi))
    }

    /// The middle of some places, pushed from the edge of its cell towards the middle of the cell.
    private static func inset(_ middle: Mark.Position, cellCount: Double) -> Mark.Position {
        let (x, y) = projected(middle)
        func pushed(_ coordinate: Double) -> Double {
            let cell = (coordinate * cellCount).rounded(.down)
            return (cell + min(max(coordinate * cellCount - cell, margin), 1 - margin)) / cellCount
        }
        return Mark.Position(longitude: pushed(x) * 360 - 180, latitude: atan(sinh(.pi * (1 - 2 * pushed(y)))) * 180 / .pi)
    }
}
