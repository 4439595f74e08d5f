internal import CityModel

/// Finds a point where the label of an area can stand: its centroid where that lies inside, else the middle of the widest
/// of a few horizontal cuts through its largest part.
struct LabelPoint {
    private typealias Position = (x: Double, y: Double)
    /// The largest polygon: its outer ring first, then its holes.
    private var rings: [[Position]] = []

    /// The point for a polygon or multi-polygon; nil for other geometries.
    static func point(in geometry: Geometry) -> (longitude: Double, latitude: Double)? {
        let polygons: [JSON]
        switch geometry.kind {
        case .polygon: polygons = [geometry.coordinates]
        case .multiPolygon: polygons = geometry.coordinates.arrayValue ?? []
        case .point, .multiPoint, .lineString, .multiLineString: return nil
        }
        let candidates = polygons.map { polygon in
            (polygon.arrayValue ?? []).map { ring in (ring.arrayValue ?? []).compactMap(position) }
        }
        guard let largest = candidates.max(by: { abs(doubleArea($0.first ?? [])) < abs(doubleArea($1.first ?? [])) }),
            let outer = largest.first, outer.count >= 4
        else { return nil }
        let label = LabelPoint(rings: largest)
        let center = centroid(outer) ?? outer[0]
        let found = label.contains(center) ? center : label.widestMiddle() ?? outer[0]
        return (found.x, found.y)
    }

    private static func position(_ json: JSON) -> Position? {
        guard let numbers = json.arrayValue, numbers.count >= 2, let x = numbers[0].doubleValue, let y = numbers[1].doubleValue
        else { return nil }
        return (x, y)
    }

    /// Twice the signed area of a ring.
    private static func doubleArea(_ ring: [Position]) -> Double {
        zip(ring, ring.dropFirst()).reduce(0) { $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y }
    }

    private static func centroid(_ ring: [Position]) -> Position? {
        // Relative to the first position, so that small areas far from the origin keep their digits.
        let origin = ring[0]
        var area = 0.0
        var x = 0.0
        var y = 0.0
        for (first, second) in zip(ring, ring.dropFirst()) {
            let (ax, ay, bx, by) = (first.x - origin.x, first.y - origin.y, second.x - origin.x, second.y - origin.y)
            let cross = ax * by - bx * ay
            area += cross
            x += (ax + bx) * cross
            y += (ay + by) * cross
        }
        guard area != 0 else { return nil }
        return (origin.x + x / (3 * area), origin.y + y / (3 * area))
    }

    private func contains(_ point: Position) -> Bool {
        crossings(y: point.y).prefix { $0 < point.x }.count % 2 == 1
    }

    /// Where the horizontal at `y` crosses the rings, from west to east.
    private func crossings(y: Double) -> [Double] {
        rings.flatMap { ring in
            zip(ring, ring.dropFirst()).compactMap { first, second in
                (first.y > y) == (second.y > y) ? nil : first.x + (y - first.y) / (second.y - first.y) * (second.x - first.x)
            }
        }.sorted()
    }

    private func widestMiddle() -> Position? {
        let latitudes = rings[0].map(\.y)
        guard let south = latitudes.min(), let north = latitudes.max() else { return nil }
        var best: (width: Double, point: Position)?
        for part in 1...15 {
            let y = south + (north - south) * Double(part) / 16
            let crossings = crossings(y: y)
            for index in stride(from: 0, to: crossings.count - 1, by: 2) {
                let width = crossings[index + 1] - crossings[index]
                if width > best?.width ?? 0 { best = (width, (crossings[index] + width / 2, y)) }
            }
        }
        return best?.point
    }
}
