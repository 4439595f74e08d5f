internal import CityModel
internal import Foundation

/// The line of a street, in metres east and north of its beginning: short enough for the earth to be flat. What is told of it depends on nothing but the
/// line, to the last digit: where somebody reported something is not to be found in it. Pure.
struct StreetLine {
    /// A street is told in stretches of at most so many metres: long enough for many houses, and what is wrong is still found there.
    static let stretchMetresMax = 200.0

    private struct Point {
        let x: Double, y: Double

        func distance(to other: Point) -> Double { ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot() }
    }

    private let origin: (longitude: Double, latitude: Double)
    private let points: [Point]
    /// How far it is along the line to each point.
    private let lengths: [Double]
    var length: Double { lengths.last ?? 0 }

    private static let metresPerDegree = 111_195.0
    private let metresPerDegreeEast: Double

    /// - Parameter positions: longitude and latitude of each; nil for fewer than two.
    init?(_ positions: [(longitude: Double, latitude: Double)]) {
        guard positions.count > 1 else { return nil }
        let (origin, metresPerDegreeEast) = (positions[0], Self.metresPerDegree * max(cos(positions[0].latitude * .pi / 180), 1e-6))
        (self.origin, self.metresPerDegreeEast) = (origin, metresPerDegreeEast)
        points = positions.map {
            Point(x: ($0.longitude - origin.longitude) * metresPerDegreeEast, y: ($0.latitude - origin.latitude) * Self.metresPerDegree)
        }
        var (lengths, sum) = ([0.0], 0.0)
        for (start, end) in zip(points, points.dropFirst()) {
            sum += start.distance(to: end)
            lengths.append(sum)
        }
        self.lengths = lengths
    }

    /// How far a place is from the line, and how far along the line that is.
    func nearest(to place: (longitude: Double, latitude: Double)) -> (distance: Double, along: Double) {
        let place = Point(x: (place.longitude - origin.longitude) * metresPerDegreeEast, y: (place.latitude - origin.latitude) * Self.metresPerDegree)
        var best = (distance: Double.infinity, along: 0.0)
        for index in points.indices.dropLast() {
            let (start, end) = (points[index], points[index + 1])
            let (dx, dy) = (end.x - start.x, end.y - start.y)
            let square = dx * dx + dy * dy
            let part = square > 0 ? min(max(((place.x - start.x) * dx + (place.y - start.y) * dy) / square, 0), 1) : 0
            let distance = Point(x: start.x + part * dx, y: start.y + part * dy).distance(to: place)
            if distance < best.distance { best = (distance, lengths[index] + part * (lengths[index + 1] - lengths[index])) }
        }
        return best
    }

    /// The middle of the stretch in which a part of the line lies. The stretches of a line are all of one length: the same point is told of every house
    /// beside one of them.
    func middle(along: Double) -> Geometry? {
        let count = max(1, (length / Self.stretchMetresMax).rounded(.up))
        let stretch = min((along / length * count).rounded(.down), count - 1)
        return point(along: (stretch + 0.5) * length / count)
    }

    private func point(along wanted: Double) -> Geometry? {
        let index = max(1, lengths.firstIndex { $0 >= wanted } ?? lengths.count - 1)
        let (start, end) = (points[index - 1], points[index])
        let (before, after) = (lengths[index - 1], lengths[index])
        let part = after > before ? (wanted - before) / (after - before) : 0
        let (x, y) = (start.x + part * (end.x - start.x), start.y + part * (end.y - start.y))
        func rounded(_ degrees: Double) -> Double { (degrees * 1e7).rounded() / 1e7 }
        return try? Geometry(longitude: rounded(origin.longitude + x / metresPerDegreeEast), latitude: rounded(origin.latitude + y / Self.metresPerDegree))
    }
}
