internal import CityModel

/// The segments of a geometry in blocks with their bounding boxes, for distances. A point is a segment of no length.
struct GeoShape: Sendable {
    struct Segment: Sendable {
        let startLongitude: Double, startLatitude: Double, endLongitude: Double, endLatitude: Double
    }

    struct Block: Sendable {
        let box: BoundingBox
        let segments: ArraySlice<Segment>
    }

    let blocks: [Block]
    private static let blockLength = 16

    init(_ geometry: Geometry) {
        var segments: [Segment] = []
        for part in geometry.parts {
            for line in part.lines { Self.append(line, isLine: part.isLine, to: &segments) }
        }
        blocks = stride(from: 0, to: segments.count, by: Self.blockLength).map { start in
            let slice = segments[start..<min(start + Self.blockLength, segments.count)]
            var box = BoundingBox(west: .infinity, south: .infinity, east: -.infinity, north: -.infinity)
            for segment in slice {
                box.extend(longitude: segment.startLongitude, latitude: segment.startLatitude)
                box.extend(longitude: segment.endLongitude, latitude: segment.endLatitude)
            }
            return Block(box: box, segments: slice)
        }
    }

    private static func append(_ line: Positions, isLine: Bool, to segments: inout [Segment]) {
        func segment(_ start: Int, _ end: Int) -> Segment {
            Segment(
                startLongitude: line.longitude(start), startLatitude: line.latitude(start), endLongitude: line.longitude(end),
                endLatitude: line.latitude(end))
        }
        guard isLine, line.count > 1 else {
            for index in 0..<line.count { segments.append(segment(index, index)) }
            return
        }
        for index in 1..<line.count { segments.append(segment(index - 1, index)) }
    }

    /// Metres between the nearest positions of the two outlines, which do not cross. The search stops at the first distance
    /// that is not above `enough`.
    func distance(to other: GeoShape, enough: Double = 0) -> Double {
        var best = Double.infinity
        for block in blocks {
            for otherBlock in other.blocks where GreatCircle.distanceMin(block.box, otherBlock.box) < best {
                for segment in block.segments {
                    for otherSegment in otherBlock.segments { best = min(best, Self.distance(segment, otherSegment)) }
                }
                if best <= enough { return best }
            }
        }
        return best
    }

    /// Two segments that do not cross are nearest at an end of one of them.
    private static func distance(_ first: Segment, _ second: Segment) -> Double {
        min(
            GreatCircle.distance(fromLongitude: first.startLongitude, latitude: first.startLatitude, to: second),
            GreatCircle.distance(fromLongitude: first.endLongitude, latitude: first.endLatitude, to: second),
            GreatCircle.distance(fromLongitude: second.startLongitude, latitude: second.startLatitude, to: first),
            GreatCircle.distance(fromLongitude: second.endLongitude, latitude: second.endLatitude, to: first))
    }
}

/// Positions one after another as longitude, latitude pairs.
struct Positions {
    private(set) var values: [Double] = []

    init(_ json: JSON) {
        let positions = json.arrayValue ?? []
        values.reserveCapacity(positions.count * 2)
        for position in positions { append(position) }
    }

    init(position json: JSON) { append(json) }

    private mutating func append(_ position: JSON) {
        guard let numbers = position.arrayValue, numbers.count >= 2, let longitude = numbers[0].doubleValue,
            let latitude = numbers[1].doubleValue
        else { return }
        values.append(longitude)
        values.append(latitude)
    }

    var count: Int { values.count / 2 }
    func longitude(_ index: Int) -> Double { values[2 * index] }
    func latitude(_ index: Int) -> Double { values[2 * index + 1] }
}

extension Geometry {
    /// A point, a line, or a polygon with its rings, the outer first.
    struct Part {
        let isLine: Bool
        let lines: [Positions]
    }

    /// The single points, lines or polygons of the geometry.
    var parts: [Part] {
        func elements(_ json: JSON) -> [JSON] { json.arrayValue ?? [] }
        func polygon(_ json: JSON) -> Part { Part(isLine: true, lines: elements(json).map { Positions($0) }) }
        return switch kind {
        case .point: [Part(isLine: false, lines: [Positions(position: coordinates)])]
        case .multiPoint: elements(coordinates).map { Part(isLine: false, lines: [Positions(position: $0)]) }
        case .lineString: [Part(isLine: true, lines: [Positions(coordinates)])]
        case .multiLineString: elements(coordinates).map { Part(isLine: true, lines: [Positions($0)]) }
        case .polygon: [polygon(coordinates)]
        case .multiPolygon: elements(coordinates).map(polygon)
        }
    }

    /// The number of positions, those that close rings included.
    var positionCount: Int { parts.reduce(0) { $0 + $1.lines.reduce(0) { $0 + $1.count } } }

    var isArea: Bool { kind == .polygon || kind == .multiPolygon }
    var isPoints: Bool { kind == .point || kind == .multiPoint }
}
