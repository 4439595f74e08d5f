package import CityModel
internal import Query

/// A part of the map that a rule is about.
package struct Area: Sendable {
    private let prepared: PreparedGeometry

    /// - Throws: `badRequestData` when the geometry is none.
    package init(_ geometry: Geometry) throws(CityError) { prepared = try PreparedGeometry(geometry) }

    package var geometry: Geometry { prepared.geometry }

    /// Whether all of the geometry lies in the area; the border belongs to it.
    func covers(_ geometry: Geometry) -> Bool { prepared.covers(geometry) }

    /// Whether some of it does.
    func touches(_ geometry: Geometry) -> Bool { prepared.intersects(geometry) }
}

extension Area: Hashable {
    package static func == (left: Area, right: Area) -> Bool {
        left.prepared === right.prepared || left.geometry == right.geometry
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(geometry) }
}
