package import CityModel
internal import Foundation
package import Query

/// How exactly an attribute is shown.
package struct Precision: Hashable, Sendable {
    /// Geometries are told to within so many metres; nil tells them as they are.
    package var placeMetres: Int?
    /// Moments are told as the beginning of the period that they lie in; nil tells them as they are.
    package var period: PeriodDuration?

    package static let exact = Precision(placeMetres: nil, period: nil)

    package init(placeMetres: Int?, period: PeriodDuration?) { (self.placeMetres, self.period) = (placeMetres, period) }

    /// The finer of both, of place and of time each for itself.
    package func finer(_ other: Precision) -> Precision {
        var finer = Precision.exact
        if let left = placeMetres, let right = other.placeMetres { finer.placeMetres = min(left, right) }
        if let left = period, let right = other.period { finer.period = left.isLonger(than: right) ? right : left }
        return finer
    }

    /// A moment as it is told: periods are those of UTC, and weeks begin on Monday.
    package func rounded(_ moment: Instant) -> Instant {
        guard let period else { return moment }
        let origin = Instant(utc: CivilTime(year: 2000, month: 1, day: period.months > 0 ? 1 : 3))
        return period.start(ofPeriod: period.period(of: moment, from: origin), from: origin)
    }

    /// A geometry as it is told: as the middle of the square of the grid in which the middle of its box lies. A line or an area
    /// becomes a point too, for its outline would say more. Nil where it can't be told.
    package func rounded(_ geometry: Geometry) -> Geometry? {
        guard let placeMetres else { return geometry }
        let center = geometry.boundingBox.center
        let (longitude, latitude) = PlaceGrid(metres: placeMetres).middle(longitude: center.longitude, latitude: center.latitude)
        return try? Geometry(longitude: longitude, latitude: latitude)
    }
}

extension PeriodDuration {
    /// By the mean length of months.
    func isLonger(than other: PeriodDuration) -> Bool { meanMicroseconds > other.meanMicroseconds }

    private var meanMicroseconds: Double { Double(months) * 30.436875 * 86_400_000_000 + Double(microseconds) }
}

/// Squares of about `metres` on each side, in rows from the equator. It depends on nothing but the place, so that the same place
/// is always told the same way and nothing can be learned by asking again.
struct PlaceGrid {
    let metres: Int
    private static let metresPerDegree = 111_195.0

    func middle(longitude: Double, latitude: Double) -> (longitude: Double, latitude: Double) {
        let row = Self.middle(latitude, step: min(Double(metres) / Self.metresPerDegree, 180), limit: 90)
        let shrink = max(cos(row * .pi / 180), 1e-6)
        return (Self.middle(longitude, step: min(Double(metres) / Self.metresPerDegree / shrink, 360), limit: 180), row)
    }

    /// Rounded to seven digits, so that the answer does not show how it was computed.
    private static func middle(_ degrees: Double, step: Double, limit: Double) -> Double {
        let middle = ((degrees / step).rounded(.down) + 0.5) * step
        return (min(max(middle, -limit), limit) * 1e7).rounded() / 1e7
    }
}
