internal import CGEOS
internal import CityModel

/// A geometry inside GEOS, made ready for repeated questions, with the context it lives in. Not for two threads at once:
/// GEOS builds the indexes of a prepared geometry at the first question.
struct GEOSPrepared: ~Copyable {
    private let context: GEOSContextHandle_t
    private let geometry: OpaquePointer
    private let prepared: OpaquePointer

    /// Nil when GEOS cannot make the geometry. A polygon that crosses itself is repaired first, for the questions below
    /// have no answer otherwise.
    init?(_ source: Geometry) {
        guard let context = GEOS_init_r() else { return nil }
        guard let geometry = Self.valid(Self.make(source, in: context), in: context),
            let prepared = GEOSPrepare_r(context, geometry)
        else {
            GEOS_finish_r(context)
            return nil
        }
        self.context = context
        self.geometry = geometry
        self.prepared = prepared
    }

    deinit {
        GEOSPreparedGeom_destroy_r(context, prepared)
        GEOSGeom_destroy_r(context, geometry)
        GEOS_finish_r(context)
    }

    /// Whether the predicate holds between this geometry, named first, and the other. Where GEOS fails because the other
    /// is not a valid geometry, the question is asked again of its repaired form; if that fails too, the answer is no.
    func holds(_ predicate: GEOSPredicate, _ other: Geometry) -> Bool {
        guard let made = Self.make(other, in: context) else { return false }
        let answer = predicate.answer(context, prepared, geometry, made)
        guard answer == 2 else {
            GEOSGeom_destroy_r(context, made)
            return answer == 1
        }
        guard let repaired = Self.valid(made, in: context) else { return false }
        defer { GEOSGeom_destroy_r(context, repaired) }
        return predicate.answer(context, prepared, geometry, repaired) == 1
    }
}

/// A question that GEOS answers with 0, 1, or 2 for an exception.
enum GEOSPredicate {
    case contains, covers, within, intersects, overlaps, equals

    func answer(
        _ context: GEOSContextHandle_t, _ prepared: OpaquePointer, _ geometry: OpaquePointer, _ other: OpaquePointer
    ) -> CChar {
        switch self {
        case .contains: GEOSPreparedContains_r(context, prepared, other)
        case .covers: GEOSPreparedCovers_r(context, prepared, other)
        case .within: GEOSPreparedWithin_r(context, prepared, other)
        case .intersects: GEOSPreparedIntersects_r(context, prepared, other)
        case .overlaps: GEOSPreparedOverlaps_r(context, prepared, other)
        case .equals: GEOSEquals_r(context, geometry, other)
        }
    }
}

extension GEOSPrepared {
    /// The geometry itself, or a repaired one when it is not valid; takes over the one it is given.
    private static func valid(_ geometry: OpaquePointer?, in context: GEOSContextHandle_t) -> OpaquePointer? {
        guard let geometry, GEOSisValid_r(context, geometry) != 1 else { return geometry }
        defer { GEOSGeom_destroy_r(context, geometry) }
        return GEOSMakeValid_r(context, geometry)
    }

    /// A new geometry that the caller destroys.
    private static func make(_ source: Geometry, in context: GEOSContextHandle_t) -> OpaquePointer? {
        let parts = source.parts
        let made = parts.compactMap { part in
            switch source.kind {
            case .point, .multiPoint: point(part.lines, in: context)
            case .lineString, .multiLineString: line(part.lines, in: context)
            case .polygon, .multiPolygon: polygon(part.lines, in: context)
            }
        }
        guard made.count == parts.count else {
            for geometry in made { GEOSGeom_destroy_r(context, geometry) }
            return nil
        }
        switch source.kind {
        case .point, .lineString, .polygon: return made.first
        case .multiPoint: return collection(of: made, GEOS_MULTIPOINT, in: context)
        case .multiLineString: return collection(of: made, GEOS_MULTILINESTRING, in: context)
        case .multiPolygon: return collection(of: made, GEOS_MULTIPOLYGON, in: context)
        }
    }

    private static func point(_ lines: [Positions], in context: GEOSContextHandle_t) -> OpaquePointer? {
        guard let position = lines.first, position.count == 1 else { return nil }
        return GEOSGeom_createPointFromXY_r(context, position.longitude(0), position.latitude(0))
    }

    private static func line(_ lines: [Positions], in context: GEOSContextHandle_t) -> OpaquePointer? {
        guard let sequence = lines.first.flatMap({ sequence($0, in: context) }) else { return nil }
        return GEOSGeom_createLineString_r(context, sequence)
    }

    private static func polygon(_ lines: [Positions], in context: GEOSContextHandle_t) -> OpaquePointer? {
        let rings = lines.compactMap { sequence($0, in: context) }.compactMap { GEOSGeom_createLinearRing_r(context, $0) }
        guard rings.count == lines.count, let shell = rings.first else {
            for ring in rings { GEOSGeom_destroy_r(context, ring) }
            return nil
        }
        var holes = rings.dropFirst().map { $0 as OpaquePointer? }
        return GEOSGeom_createPolygon_r(context, shell, &holes, UInt32(holes.count))
    }

    private static func sequence(_ positions: Positions, in context: GEOSContextHandle_t) -> OpaquePointer? {
        positions.values.withUnsafeBufferPointer { buffer in
            GEOSCoordSeq_copyFromBuffer_r(context, buffer.baseAddress, UInt32(positions.count), 0, 0)
        }
    }

    private static func collection(
        of geometries: [OpaquePointer], _ type: GEOSGeomTypes, in context: GEOSContextHandle_t
    ) -> OpaquePointer? {
        var members = geometries.map { $0 as OpaquePointer? }
        return GEOSGeom_createCollection_r(context, Int32(type.rawValue), &members, UInt32(members.count))
    }
}
