internal import CityModel
internal import Foundation

/// Converts clock readings of one time zone to moments. Offsets are looked up once a day of the data and remembered.
final class ZoneClock {
    private let zone: TimeZone
    private let isFixed: Bool
    /// For each day number the offsets in seconds well before and well after it.
    private var offsets: [Int: (before: Int, after: Int)] = [:]
    private static let rememberedDayCountMax = 50_000

    /// - Throws: `SourceError.definition` for a name that is no IANA zone.
    init(zone name: String) throws(SourceError) {
        guard let zone = TimeZone(identifier: name) else {
            throw .definition(line: 1, key: "zone", reason: "\(name) is not the IANA name of a time zone")
        }
        self.zone = zone
        isFixed = ["UTC", "Etc/UTC", "GMT"].contains(name)
    }

    /// The moment at which the zone's clocks show `civil`.
    ///
    /// A reading in the hour that clocks repeat has two moments; `ambiguous` chooses. A reading in the hour that clocks
    /// skip has none.
    func instant(_ civil: CivilTime, ambiguous: AmbiguousTime) throws(TimeReader.Invalid) -> Instant {
        let shown = Instant(utc: civil)
        if isFixed { return shown }
        let seconds = shown.seconds
        let (before, after) = offsetsAround(dayNumber: Int(seconds.floorDivision(by: 86_400)))
        if before == after { return shown.shifted(seconds: -before) }
        // A change of the clocks is near: an offset counts when it is in force at the moment that it gives.
        let first = seconds - Int64(before)
        let second = seconds - Int64(after)
        let isFirst = offset(at: first) == before
        let isSecond = offset(at: second) == after
        switch (isFirst, isSecond) {
        case (true, true):
            switch ambiguous {
            case .earlier: return shown.shifted(seconds: -max(before, after))
            case .later: return shown.shifted(seconds: -min(before, after))
            case .reject: throw .init(reason: "the clocks of \(zone.identifier) showed this time twice")
            }
        case (true, false): return shown.shifted(seconds: -before)
        case (false, true): return shown.shifted(seconds: -after)
        case (false, false): throw .init(reason: "the clocks of \(zone.identifier) skipped this time")
        }
    }

    private func offsetsAround(dayNumber: Int) -> (before: Int, after: Int) {
        if let known = offsets[dayNumber] { return known }
        if offsets.count >= Self.rememberedDayCountMax { offsets.removeAll() }
        let start = Int64(dayNumber) * 86_400
        let found = (before: offset(at: start - 86_400), after: offset(at: start + 2 * 86_400))
        offsets[dayNumber] = found
        return found
    }

    private func offset(at seconds: Int64) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
    }
}

extension Instant {
    fileprivate func shifted(seconds: Int) -> Instant { Instant(microseconds: microseconds + Int64(seconds) * 1_000_000) }
}

extension Int64 {
    /// Division that rounds towards negative infinity. `divisor` is positive.
    func floorDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
