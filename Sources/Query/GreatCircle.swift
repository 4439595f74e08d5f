public import CityModel
internal import Foundation

/// Distances over the Earth, taken as a sphere of the mean radius of WGS 84 (clause 4.23.1: Haversine formula). Against
/// the ellipsoid they are off by at most 0.6 percent.
public enum GreatCircle {
    /// Metres: (2a + b) / 3 of WGS 84.
    public static let earthRadius = 6_371_008.8
    static let radiansPerDegree = Double.pi / 180

    /// Metres between two positions in degrees.
    public static func distance(
        fromLongitude longitude: Double, latitude: Double, toLongitude otherLongitude: Double, latitude otherLatitude: Double
    ) -> Double {
        let sinLatitude = sin((otherLatitude - latitude) * radiansPerDegree / 2)
        let sinLongitude = sin((otherLongitude - longitude) * radiansPerDegree / 2)
        let a = sinLatitude * sinLatitude
            + cos(latitude * radiansPerDegree) * cos(otherLatitude * radiansPerDegree) * sinLongitude * sinLongitude
        return 2 * earthRadius * asin(min(1, a.squareRoot()))
    }

    /// The box that holds every position within `metres` of `box`. Where it would cross the antimeridian or hold a pole,
    /// it spans all longitudes.
    public static func box(around box: BoundingBox, metres: Double) -> BoundingBox {
        // A little more than asked, so that rounding never loses a candidate.
        let angle = metres / earthRadius * (1 + 1e-9) + 1e-12
        let degrees = angle / radiansPerDegree
        let south = max(-90, box.south - degrees), north = min(90, box.north + degrees)
        let widest = max(abs(box.south), abs(box.north)) * radiansPerDegree
        let whole = BoundingBox(west: -180, south: south, east: 180, north: north)
        guard widest + angle < .pi / 2 else { return whole }
        let sideways = asin(min(1, sin(angle) / cos(widest))) / radiansPerDegree * (1 + 1e-9)
        guard box.west - sideways >= -180, box.east + sideways <= 180 else { return whole }
        return BoundingBox(west: box.west - sideways, south: south, east: box.east + sideways, north: north)
    }

    /// Metres that any position of one box is at least away from any position of the other.
    static func distanceMin(_ first: BoundingBox, _ second: BoundingBox) -> Double {
        let latitudeGap = max(0, first.south - second.north, second.south - first.north)
        let byLatitude = latitudeGap * radiansPerDegree * earthRadius
        let longitudeGap = [-360.0, 0, 360].map { shift in
            max(0, first.west - second.east + shift, second.west - first.east - shift)
        }.min() ?? 0
        guard longitudeGap > 0 else { return byLatitude }
        func cosMin(_ box: BoundingBox) -> Double { cos(max(abs(box.south), abs(box.north)) * radiansPerDegree) }
        let a = (max(0, cosMin(first)) * max(0, cosMin(second))).squareRoot() * sin(min(longitudeGap, 180) * radiansPerDegree / 2)
        return max(byLatitude, 2 * earthRadius * asin(min(1, a)))
    }

    /// The smallest distance from a position to a segment that is straight in longitude and latitude (RFC 7946, 3.1.1).
    static func distance(fromLongitude longitude: Double, latitude: Double, to segment: GeoShape.Segment) -> Double {
        let width = segment.endLongitude - segment.startLongitude
        let height = segment.endLatitude - segment.startLatitude
        // On pieces of at most one degree a local plane finds the nearest point; its distance is taken on the sphere.
        let pieceCount = max(1, Int(max(abs(width), abs(height)).rounded(.up)))
        var best = distance(
            fromLongitude: longitude, latitude: latitude, toLongitude: segment.startLongitude, latitude: segment.startLatitude)
        guard width != 0 || height != 0 else { return best }
        for piece in 0..<pieceCount {
            let start = Double(piece) / Double(pieceCount)
            let startLatitude = segment.startLatitude + start * height
            let pieceWidth = width / Double(pieceCount), pieceHeight = height / Double(pieceCount)
            let scale = cos((startLatitude + pieceHeight / 2 + latitude) / 2 * radiansPerDegree)
            let toX = wrapped(longitude - segment.startLongitude - start * width) * scale, toY = latitude - startLatitude
            let alongX = pieceWidth * scale
            let length = alongX * alongX + pieceHeight * pieceHeight
            let share = length > 0 ? min(1, max(0, (toX * alongX + toY * pieceHeight) / length)) : 0
            for end in [share, 1] {
                let candidate = distance(
                    fromLongitude: longitude, latitude: latitude,
                    toLongitude: segment.startLongitude + start * width + end * pieceWidth,
                    latitude: startLatitude + end * pieceHeight)
                best = min(best, candidate)
            }
        }
        return best
    }

    /// A difference of longitudes as -180...180.
    private static func wrapped(_ degrees: Double) -> Double { degrees - 360 * (degrees / 360).rounded() }
}
