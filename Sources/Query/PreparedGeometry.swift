public import CityModel
internal import Synchronization

/// A geometry that many others are held against: a district, the area of a query. Preparing costs about as much as a
/// handful of questions; then each is answered from indexes. Topology is planar in longitude and latitude (GEOS);
/// distances are over the sphere.
public final class PreparedGeometry: Sendable {
    public let geometry: Geometry
    private let shape: GeoShape
    /// Whether it is the whole of its box: what lies within that, and not on the border, is known to lie within the geometry.
    private let isBox: Bool
    /// The owner of what GEOS holds; questions from several threads wait for each other.
    private let prepared: Mutex<GEOSPrepared>

    /// - Throws: `badRequestData` when GEOS cannot make the geometry.
    public init(_ geometry: Geometry) throws(CityError) {
        guard let prepared = GEOSPrepared(geometry) else {
            throw .badRequestData("coordinates: they make no \(geometry.kind.rawValue)")
        }
        self.geometry = geometry
        shape = GeoShape(geometry)
        isBox = geometry.isBox
        self.prepared = Mutex(prepared)
    }

    /// Whether no part of `other` lies outside and some part lies inside, not only on the border (OGC 06-103r4: contains).
    public func contains(_ other: Geometry) -> Bool { ask(.contains, other) }

    /// Whether no part of `other` lies outside; the border belongs to the inside.
    public func covers(_ other: Geometry) -> Bool { ask(.covers, other) }

    public func covers(longitude: Double, latitude: Double) -> Bool {
        guard let point = try? Geometry(longitude: longitude, latitude: latitude) else { return false }
        return covers(point)
    }

    public func isWithin(_ other: Geometry) -> Bool { ask(.within, other) }
    public func intersects(_ other: Geometry) -> Bool { ask(.intersects, other) }
    public func overlaps(_ other: Geometry) -> Bool { ask(.overlaps, other) }

    /// Whether both are the same set of positions, however they are written.
    public func isEqual(to other: Geometry) -> Bool { ask(.equals, other) }

    /// Metres between the nearest positions; 0 when they share one.
    public func distance(to other: Geometry) -> Double { distance(to: other, enough: 0) }

    /// Whether the nearest positions are at most `metres` apart.
    public func isWithinDistance(_ metres: Double, of other: Geometry) -> Bool {
        GreatCircle.distanceMin(geometry.boundingBox, other.boundingBox) <= metres && distance(to: other, enough: metres) <= metres
    }

    private func distance(to other: Geometry, enough: Double) -> Double {
        if !(geometry.isPoints && other.isPoints), intersects(other) { return 0 }
        return shape.distance(to: GeoShape(other), enough: enough)
    }

    /// Every predicate needs a common position, so far-away geometries are answered by their boxes.
    private func ask(_ predicate: GEOSPredicate, _ other: Geometry) -> Bool {
        guard geometry.boundingBox.intersects(other.boundingBox) else { return false }
        switch predicate {
        case .contains, .covers, .intersects: if isBox, geometry.boundingBox.surrounds(other.boundingBox) { return true }
        case .within, .overlaps, .equals: break
        }
        return prepared.withLock { $0.holds(predicate, other) }
    }
}

extension Geometry {
    /// Whether it is a polygon of four corners, those of its box, and without holes: what somebody sees who looks at a map.
    fileprivate var isBox: Bool {
        guard kind == .polygon, let rings = coordinates.arrayValue, rings.count == 1, let ring = rings[0].arrayValue, ring.count == 5 else { return false }
        let corners = ring.compactMap { position -> (east: Bool, north: Bool)? in
            guard let numbers = position.arrayValue, numbers.count >= 2, let longitude = numbers[0].doubleValue, let latitude = numbers[1].doubleValue,
                [boundingBox.west, boundingBox.east].contains(longitude), [boundingBox.south, boundingBox.north].contains(latitude)
            else { return nil }
            return (longitude == boundingBox.east, latitude == boundingBox.north)
        }
        guard corners.count == ring.count, boundingBox.west < boundingBox.east, boundingBox.south < boundingBox.north else { return false }
        // From each corner one side leads to the next, and no two corners are the same.
        let isAround = zip(corners, corners.dropFirst()).allSatisfy { ($0.east == $1.east) != ($0.north == $1.north) }
        return isAround && corners[0] != corners[2] && corners[1] != corners[3]
    }
}

extension BoundingBox {
    /// Whether the other lies within and touches no side.
    fileprivate func surrounds(_ other: BoundingBox) -> Bool {
        west < other.west && other.east < east && south < other.south && other.north < north
    }
}
