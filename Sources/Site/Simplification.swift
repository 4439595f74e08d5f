internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Lines with fewer corners (Douglas and Peucker, 1973), and areas and lines as GeoJSON with five decimals. Pure.
struct Simplification {
    /// How far the simplified line may lie from the line, in metres.
    let metres: Double

    typealias Corner = (x: Double, y: Double)

    /// A geometry's simplified form; nil for points and for what is too small to be seen.
    func simplified(_ geometry: Geometry) -> JSON? {
        let coordinates: JSON?
        switch geometry.kind {
        case .point, .multiPoint: return nil
        case .lineString: coordinates = line(geometry.coordinates, countMin: 2)
        case .multiLineString: coordinates = all(geometry.coordinates) { line($0, countMin: 2) }
        case .polygon: coordinates = polygon(geometry.coordinates)
        case .multiPolygon: coordinates = all(geometry.coordinates, polygon)
        }
        return coordinates.map { ["type": .string(geometry.kind.rawValue), "coordinates": $0] }
    }

    private func all(_ json: JSON, _ simplify: (JSON) -> JSON?) -> JSON? {
        let parts = (json.arrayValue ?? []).compactMap(simplify)
        return parts.isEmpty ? nil : .array(parts)
    }

    /// A hole that vanishes is left out; an area whose border vanishes too.
    private func polygon(_ json: JSON) -> JSON? {
        let rings = json.arrayValue ?? []
        guard let outer = rings.first.flatMap({ line($0, countMin: 4) }) else { return nil }
        return .array([outer] + rings.dropFirst().compactMap { line($0, countMin: 4) })
    }

    private func line(_ json: JSON, countMin: Int) -> JSON? {
        let corners = (json.arrayValue ?? []).compactMap { position -> Corner? in
            guard let numbers = position.arrayValue, numbers.count >= 2, let x = numbers[0].doubleValue, let y = numbers[1].doubleValue
            else { return nil }
            return (x, y)
        }
        let kept = keep(corners)
        guard kept.count >= countMin else { return nil }
        return .array(kept.map { [.number(corners[$0].x.fiveDecimals), .number(corners[$0].y.fiveDecimals)] })
    }

    /// The indices of the corners that stay. A ring is cut at the corner farthest from its beginning.
    func keep(_ corners: [Corner]) -> [Int] {
        guard corners.count > 2, let first = corners.first, let last = corners.last else { return Array(corners.indices) }
        let scaleY = 111_320.0
        let scaleX = scaleY * cos(first.y * .pi / 180)
        let flat = corners.map { (x: $0.x * scaleX, y: $0.y * scaleY) }
        var isKept = [Bool](repeating: false, count: flat.count)
        (isKept[0], isKept[flat.count - 1]) = (true, true)
        var spans = [(0, flat.count - 1)]
        if first == last {
            let far = flat.indices.max { Self.squared(flat[0], flat[$0]) < Self.squared(flat[0], flat[$1]) } ?? 0
            isKept[far] = true
            spans = [(0, far), (far, flat.count - 1)]
        }
        while let (start, end) = spans.popLast() {
            guard end - start > 1 else { continue }
            var (farthest, distance) = (start, 0.0)
            for index in (start + 1)..<end {
                let here = Self.squaredDistance(flat[index], flat[start], flat[end])
                if here > distance { (farthest, distance) = (index, here) }
            }
            guard distance > metres * metres else { continue }
            isKept[farthest] = true
            spans += [(start, farthest), (farthest, end)]
        }
        return isKept.indices.filter { isKept[$0] }
    }

    private static func squared(_ a: Corner, _ b: Corner) -> Double { (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) }

    /// From a corner to the nearest place of a segment.
    private static func squaredDistance(_ corner: Corner, _ start: Corner, _ end: Corner) -> Double {
        let length = squared(start, end)
        guard length > 0 else { return squared(corner, start) }
        let along = ((corner.x - start.x) * (end.x - start.x) + (corner.y - start.y) * (end.y - start.y)) / length
        let share = min(max(along, 0), 1)
        return squared(corner, (start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)))
    }
}
