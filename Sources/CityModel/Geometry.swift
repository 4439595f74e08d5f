/// A GeoJSON geometry (RFC 7946, clause 4.7), checked: positions are longitude and latitude in degrees, WGS 84.
/// Geometry collections are not part of NGSI-LD and are refused.
public struct Geometry: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case point = "Point", multiPoint = "MultiPoint"
        case lineString = "LineString", multiLineString = "MultiLineString"
        case polygon = "Polygon", multiPolygon = "MultiPolygon"
    }

    public let kind: Kind
    /// The `coordinates` member as it was written.
    public let coordinates: JSON
    public let boundingBox: BoundingBox

    /// Why a value is not a geometry, in words that can follow the name of the field.
    public struct Invalid: Error, Hashable, Sendable {
        public let reason: String
    }

    /// The most positions that one geometry may have.
    public static let positionCountMax = 200_000

    public init(_ json: JSON) throws(Invalid) {
        guard let type = json["type"]?.stringValue else { throw Invalid(reason: "a GeoJSON geometry has a type") }
        guard let coordinates = json["coordinates"] else { throw Invalid(reason: "a GeoJSON geometry has coordinates") }
        try self.init(typeName: type, coordinates: coordinates)
    }

    public init(typeName: String, coordinates: JSON) throws(Invalid) {
        guard let kind = Kind(rawValue: typeName) else { throw Invalid(reason: "\(typeName) is not a GeoJSON geometry type") }
        var check = PositionCheck()
        switch kind {
        case .point: try check.position(coordinates)
        case .multiPoint: try check.each(coordinates, countMin: 1) { c, json throws(Invalid) in try c.position(json) }
        case .lineString: try check.line(coordinates)
        case .multiLineString: try check.each(coordinates, countMin: 1) { c, json throws(Invalid) in try c.line(json) }
        case .polygon: try check.polygon(coordinates)
        case .multiPolygon: try check.each(coordinates, countMin: 1) { c, json throws(Invalid) in try c.polygon(json) }
        }
        self.kind = kind
        self.coordinates = coordinates
        boundingBox = check.box
    }

    public init(longitude: Double, latitude: Double) throws(Invalid) {
        try self.init(typeName: "Point", coordinates: [.number(longitude), .number(latitude)])
    }

    public var json: JSON { ["type": .string(kind.rawValue), "coordinates": coordinates] }
}

/// A rectangle of longitudes and latitudes in degrees, borders included.
public struct BoundingBox: Hashable, Sendable {
    public var west: Double, south: Double, east: Double, north: Double

    public init(west: Double, south: Double, east: Double, north: Double) {
        (self.west, self.south, self.east, self.north) = (west, south, east, north)
    }

    public func intersects(_ other: BoundingBox) -> Bool {
        west <= other.east && other.west <= east && south <= other.north && other.south <= north
    }

    public mutating func extend(longitude: Double, latitude: Double) {
        (west, east) = (min(west, longitude), max(east, longitude))
        (south, north) = (min(south, latitude), max(north, latitude))
    }

    public var center: (longitude: Double, latitude: Double) { ((west + east) / 2, (south + north) / 2) }
}

/// Checks coordinate arrays and gathers their bounding box.
private struct PositionCheck {
    var box = BoundingBox(west: .infinity, south: .infinity, east: -.infinity, north: -.infinity)
    private var count = 0

    mutating func position(_ json: JSON) throws(Geometry.Invalid) {
        guard case .array(let numbers) = json, (2...3).contains(numbers.count), let longitude = numbers[0].doubleValue,
            let latitude = numbers[1].doubleValue, numbers.count == 2 || numbers[2].doubleValue != nil
        else { throw .init(reason: "a position is an array of two or three numbers") }
        guard (-180...180).contains(longitude) else { throw .init(reason: "longitude \(longitude) is not within -180 and 180") }
        guard (-90...90).contains(latitude) else { throw .init(reason: "latitude \(latitude) is not within -90 and 90") }
        count += 1
        guard count <= Geometry.positionCountMax else {
            throw .init(reason: "a geometry has at most \(Geometry.positionCountMax) positions")
        }
        box.extend(longitude: longitude, latitude: latitude)
    }

    mutating func each(
        _ json: JSON, countMin: Int, _ check: (inout PositionCheck, JSON) throws(Geometry.Invalid) -> Void
    ) throws(Geometry.Invalid) {
        guard case .array(let elements) = json else { throw .init(reason: "coordinates is an array of arrays") }
        guard elements.count >= countMin else {
            throw .init(reason: "coordinates has \(elements.count) elements where at least \(countMin) are needed")
        }
        for element in elements { try check(&self, element) }
    }

    mutating func line(_ json: JSON) throws(Geometry.Invalid) {
        try each(json, countMin: 2) { check, position throws(Geometry.Invalid) in try check.position(position) }
    }

    mutating func polygon(_ json: JSON) throws(Geometry.Invalid) {
        try each(json, countMin: 1) { check, ring throws(Geometry.Invalid) in
            try check.each(ring, countMin: 4) { check, position throws(Geometry.Invalid) in try check.position(position) }
            guard let positions = ring.arrayValue, positions.first == positions.last else {
                throw .init(reason: "a polygon's ring ends where it begins")
            }
        }
    }
}
