internal import CityModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A place on the metropolis's own plane: metres east and north of its centre.
package struct Place: Hashable, Sendable {
    package var x: Double, y: Double

    package init(x: Double, y: Double) { (self.x, self.y) = (x, y) }

    static func + (left: Place, right: Place) -> Place { Place(x: left.x + right.x, y: left.y + right.y) }
    static func - (left: Place, right: Place) -> Place { Place(x: left.x - right.x, y: left.y - right.y) }
    static func * (left: Place, factor: Double) -> Place { Place(x: left.x * factor, y: left.y * factor) }

    var length: Double { (x * x + y * y).squareRoot() }
    func distance(to other: Place) -> Double { (self - other).length }
    func toward(_ other: Place, _ fraction: Double) -> Place { self + (other - self) * fraction }
}

/// Where the plane lies on the globe: over the open Bay of Biscay, where no city is. At this scale a plane with one
/// scale for each axis is off by less than 0.2 %.
enum Globe {
    static let longitude = -5.60, latitude = 45.60
    private static let metresPerDegreeNorth = 111_150.0
    /// 111 320 m times the cosine of the latitude, as a constant so that geometry needs no C library.
    private static let metresPerDegreeEast = 77_887.0

    /// Longitude and latitude with five decimals, about a metre.
    static func position(_ place: Place) -> JSON {
        .array([
            .number((longitude + place.x / metresPerDegreeEast).rounded(decimals: 5)),
            .number((latitude + place.y / metresPerDegreeNorth).rounded(decimals: 5)),
        ])
    }

    /// `place` moved to the nearest position that `position(_:)` can write, so that all arithmetic sees what is written.
    static func snapped(_ place: Place) -> Place {
        let east = (longitude + place.x / metresPerDegreeEast).rounded(decimals: 5)
        let north = (latitude + place.y / metresPerDegreeNorth).rounded(decimals: 5)
        return Place(x: (east - longitude) * metresPerDegreeEast, y: (north - latitude) * metresPerDegreeNorth)
    }

    static func point(_ place: Place) -> JSON { ["type": "Point", "coordinates": position(place)] }

    static func line(_ places: [Place]) -> JSON {
        ["type": "LineString", "coordinates": .array(places.map(position))]
    }
}

/// An area with its outer ring first and holes after it; rings end where they begin and turn left, holes right.
package struct Area: Hashable, Sendable {
    package let rings: [[Place]]
    let low: Place, high: Place

    init(rings: [[Place]]) {
        self.rings = rings
        let outer = rings.first ?? []
        low = Place(x: outer.map(\.x).min() ?? 0, y: outer.map(\.y).min() ?? 0)
        high = Place(x: outer.map(\.x).max() ?? 0, y: outer.map(\.y).max() ?? 0)
    }

    var json: JSON {
        ["type": "Polygon", "coordinates": .array(rings.map { .array($0.map(Globe.position)) })]
    }

    func geometry() throws(CityError) -> Geometry {
        do { return try Geometry(json) } catch { throw .internalFault("an area of the simulation: \(error.reason)") }
    }

    /// By counting the borders crossed on the way east. A place on a border belongs to exactly one of its two sides.
    package func contains(_ place: Place) -> Bool {
        guard place.x >= low.x, place.x <= high.x, place.y >= low.y, place.y <= high.y else { return false }
        var inside = false
        for ring in rings {
            for index in ring.indices.dropFirst() {
                let a = ring[index - 1], b = ring[index]
                guard (a.y > place.y) != (b.y > place.y) else { continue }
                // Both neighbours compute the crossing from the same end, so that they agree to the last bit.
                let (from, to) = a.y < b.y ? (a, b) : (b, a)
                let crossing = from.x + (place.y - from.y) / (to.y - from.y) * (to.x - from.x)
                if place.x < crossing { inside.toggle() }
            }
        }
        return inside
    }

    /// Square metres, holes taken off.
    package var squareMetres: Double { rings.reduce(0) { $0 + Area.signedSquareMetres($1) } }

    /// Positive when the ring turns left.
    static func signedSquareMetres(_ ring: [Place]) -> Double {
        zip(ring, ring.dropFirst()).reduce(0) { $0 + ($1.0.x * $1.1.y - $1.1.x * $1.0.y) } / 2
    }
}

/// A line of places that can be walked along.
struct Polyline: Hashable, Sendable {
    let places: [Place]
    /// Metres from the beginning to each place.
    let distances: [Double]

    init(_ places: [Place]) {
        self.places = places
        var total = 0.0
        distances = places.indices.map { index in
            if index > 0 { total += places[index].distance(to: places[index - 1]) }
            return total
        }
    }

    var length: Double { distances.last ?? 0 }
    var reversed: Polyline { Polyline(places.reversed()) }

    /// The place so many metres along, and the direction there in degrees clockwise from north.
    func at(_ metres: Double) -> (place: Place, heading: Double) {
        guard places.count > 1 else { return (places.first ?? Place(x: 0, y: 0), 0) }
        var low = 0, high = places.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if distances[middle] <= metres { low = middle } else { high = middle }
        }
        let span = distances[high] - distances[low]
        let fraction = span > 0 ? ((metres - distances[low]) / span).clamped(0, 1) : 0
        let step = places[high] - places[low]
        let degrees = atan2(step.x, step.y) * 180 / .pi
        return (places[low].toward(places[high], fraction), degrees < 0 ? degrees + 360 : degrees)
    }
}
