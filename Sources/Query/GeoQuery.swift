public import CityModel
internal import OrderedCollections

/// How the geometry of an entity must stand to the reference geometry (clause 4.10).
public enum GeoRelation: Hashable, Sendable {
    /// Metres, above 0.
    case nearMax(Double)
    /// Metres, above 0; exactly this far is not far enough.
    case nearMin(Double)
    case within, contains, overlaps, intersects, equals, disjoint

    /// - Throws: `badRequestData` that names `georel`.
    public init(_ georel: String) throws(CityError) {
        switch georel {
        case "within": self = .within
        case "contains": self = .contains
        case "overlaps": self = .overlaps
        case "intersects": self = .intersects
        case "equals": self = .equals
        case "disjoint": self = .disjoint
        default: self = try Self.near(georel)
        }
    }

    private static func near(_ georel: String) throws(CityError) -> GeoRelation {
        let parts = georel.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.first == "near" else {
            throw .badRequestData(
                "georel: \(georel) is not near, within, contains, overlaps, intersects, equals or disjoint")
        }
        guard parts.count == 2, let sign = parts[1].firstRange(of: "==") else {
            throw .badRequestData("georel: near is followed by ;maxDistance==metres or ;minDistance==metres")
        }
        let number = String(parts[1][sign.upperBound...])
        guard QueryValue.isNumber(number), let metres = Double(number), metres.isFinite, metres > 0 else {
            throw .badRequestData("georel: the distance \(number) is not a number above 0")
        }
        switch parts[1][..<sign.lowerBound] {
        case "maxDistance": return .nearMax(metres)
        case "minDistance": return .nearMin(metres)
        default: throw .badRequestData("georel: \(parts[1][..<sign.lowerBound]) is not maxDistance or minDistance")
        }
    }
}

/// A condition on where an entity is (clause 4.10).
public struct GeoQuery: Sendable {
    public let relation: GeoRelation
    public let reference: PreparedGeometry
    /// The attribute whose geometry is held against the reference.
    public let property: IRI

    public init(relation: GeoRelation, reference: PreparedGeometry, property: IRI = .location) {
        self.relation = relation
        self.reference = reference
        self.property = property
    }

    /// - Parameters:
    ///   - coordinates: a GeoJSON array, or its text.
    ///   - geoproperty: the short name of the attribute; nil means `location`.
    /// - Throws: `badRequestData` that names the parameter at fault, `tooComplexQuery` for too many positions.
    public init(
        georel: String, geometry: String, coordinates: JSON, geoproperty: String? = nil, expand: NameExpansion,
        limits: QueryLimits = .standard
    ) throws(CityError) {
        relation = try GeoRelation(georel)
        let names = (type: "geometry", coordinates: "coordinates")
        reference = try PreparedGeometry(
            Geometry.parameter(type: geometry, coordinates: coordinates, names: names, limits: limits))
        property = try geoproperty.map { name throws(CityError) in
            guard let iri = expand(name) else { throw .badRequestData("geoproperty: \(name) is not an attribute's name") }
            return iri
        } ?? .location
    }

    /// The geo-query of a request, nil when it has none. The three parameters come together or not at all.
    public static func parsing(
        georel: String?, geometry: String?, coordinates: String?, geoproperty: String? = nil, expand: NameExpansion,
        limits: QueryLimits = .standard
    ) throws(CityError) -> GeoQuery? {
        if georel == nil, geometry == nil, coordinates == nil { return nil }
        guard let georel else { throw .badRequestData("georel: is missing") }
        guard let geometry else { throw .badRequestData("geometry: is missing") }
        guard let coordinates else { throw .badRequestData("coordinates: is missing") }
        return try GeoQuery(
            georel: georel, geometry: geometry, coordinates: .string(coordinates), geoproperty: geoproperty, expand: expand,
            limits: limits)
    }

    /// Whether some instance of the property stands in the relation. Without the property an entity never matches.
    public func matches(_ entity: Entity) -> Bool {
        (entity.attributes[property] ?? []).contains { attribute in
            guard attribute.kind == .geoProperty, let geometry = try? Geometry(attribute.value) else { return false }
            return matches(geometry)
        }
    }

    public func matches(_ target: Geometry) -> Bool {
        switch relation {
        case .nearMax(let metres): reference.isWithinDistance(metres, of: target)
        case .nearMin(let metres): !reference.isWithinDistance(metres, of: target)
        case .within: reference.contains(target)
        case .contains: reference.isWithin(target)
        case .overlaps: reference.overlaps(target)
        case .intersects: reference.intersects(target)
        case .equals: reference.isEqual(to: target)
        case .disjoint: !reference.intersects(target)
        }
    }

    /// What the box of every matching geometry intersects; nil when matches can be anywhere.
    public var boundingBox: BoundingBox? {
        switch relation {
        case .nearMax(let metres): GreatCircle.box(around: reference.geometry.boundingBox, metres: metres)
        case .within, .contains, .overlaps, .intersects, .equals: reference.geometry.boundingBox
        case .nearMin, .disjoint: nil
        }
    }
}

extension Geometry {
    /// A geometry out of two parameters.
    static func parameter(
        type: String, coordinates: JSON, names: (type: String, coordinates: String), limits: QueryLimits
    ) throws(CityError) -> Geometry {
        guard Kind(rawValue: type) != nil else {
            throw .badRequestData("\(names.type): \(type) is not one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var array = coordinates
        if case .string(let text) = coordinates {
            // 64 bytes are enough for one position with three numbers of full precision.
            guard text.utf8.count <= limits.positionCountMax * 64 else {
                throw .tooComplexQuery("\(names.coordinates): \(text.utf8.count) bytes")
            }
            do { array = try JSON(parsing: text) } catch {
                throw .badRequestData("\(names.coordinates): not a JSON array")
            }
        }
        do {
            let geometry = try Geometry(typeName: type, coordinates: array)
            let count = geometry.positionCount
            guard count <= limits.positionCountMax else {
                throw CityError.tooComplexQuery("\(names.coordinates): \(count) positions; at most \(limits.positionCountMax)")
            }
            return geometry
        } catch let error as Invalid {
            throw .badRequestData("\(names.coordinates): \(error.reason)")
        } catch let error as CityError {
            throw error
        } catch {
            throw .internalFault("\(error)")
        }
    }
}
