public import CityModel
internal import Foundation

/// A time zone as its calendar days lie in time.
public struct CivilZone: Hashable, Sendable {
    private let zone: TimeZone
    /// The IANA name.
    public let name: String

    public static let utc = CivilZone("UTC")!

    /// Nil for a name that is no IANA zone.
    public init?(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        (self.zone, self.name) = (zone, name)
    }

    public func offsetSeconds(at moment: Instant) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment.seconds)))
    }

    /// What the zone's clocks show.
    public func civil(_ moment: Instant) -> CivilTime { moment.shifted(seconds: offsetSeconds(at: moment)).utc }

    /// The first moment of a day: where clocks skip midnight the moment at which they do, where they repeat it the first time.
    public func start(ofDay day: CivilDay) -> Instant {
        let shown = day.midnightInUTC
        let offsets = [shown.shifted(seconds: -86_400), shown.shifted(seconds: 86_400)].map(offsetSeconds)
        let moments = offsets.map { (offset: $0, moment: shown.shifted(seconds: -$0)) }.sorted { $0.moment < $1.moment }
        return moments.first { offsetSeconds(at: $0.moment) == $0.offset }?.moment ?? shown.shifted(seconds: -offsets[0])
    }

    public func day(of moment: Instant) -> CivilDay { CivilDay(containing: moment.shifted(seconds: offsetSeconds(at: moment))) }

    /// ISO 8601 with the offset that holds at the moment, as `2026-03-29T03:00:00+02:00`.
    public func text(_ moment: Instant) -> String {
        let offset = offsetSeconds(at: moment)
        let shown = String(moment.shifted(seconds: offset).description.dropLast())
        guard offset != 0 else { return shown + "Z" }
        let minutes = abs(offset) / 60
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return shown + (offset < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60)
    }
}

/// A day of the calendar, counted from 1970-01-01.
public struct CivilDay: Hashable, Sendable {
    public var number: Int
    public init(number: Int) { self.number = number }

    init(containing shown: Instant) { number = Int((Double(shown.seconds) / 86_400).rounded(.down)) }

    public init(year: Int, month: Int, day: Int = 1) {
        self.init(containing: Instant(utc: CivilTime(year: year, month: month, day: day)))
    }

    /// `2026-01-31`; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 10, let moment = Instant(text + "T00:00:00Z") else { return nil }
        self.init(containing: moment)
    }

    var midnightInUTC: Instant { Instant(seconds: Int64(number) * 86_400) }
    var civil: CivilTime { midnightInUTC.utc }
}

extension Instant {
    fileprivate func shifted(seconds: Int) -> Instant { Instant(microseconds: microseconds + Int64(seconds) * 1_000_000) }
}
