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
        var bytes: [UInt8] = []
        append(moment, offset: offsetSeconds(at: moment), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Calls `body` with the text of each of some moments, in ASCII; they are in order.
    public func forEachText(of moments: [Instant], _ body: ([UInt8]) -> Void) {
        var bytes: [UInt8] = []
        for (moment, offset) in zip(moments, offsets(at: moments)) {
            bytes.removeAll(keepingCapacity: true)
            append(moment, offset: offset, to: &bytes)
            body(bytes)
        }
    }

    private func append(_ moment: Instant, offset: Int, to bytes: inout [UInt8]) {
        moment.shifted(seconds: offset).appendDateTime(to: &bytes)
        guard offset != 0 else { return bytes.append(UInt8(ascii: "Z")) }
        let minutes = abs(offset) / 60
        bytes.append(UInt8(ascii: offset < 0 ? "-" : "+"))
        func appendTwo(_ number: Int) { bytes += [48 + UInt8(truncatingIfNeeded: number / 10), 48 + UInt8(truncatingIfNeeded: number % 10)] }
        appendTwo(minutes / 60)
        bytes.append(UInt8(ascii: ":"))
        appendTwo(minutes % 60)
    }

    /// Clocks are not changed twice within a day: where both of its ends have the same offset, all between have.
    private func offsets(at moments: [Instant]) -> [Int] {
        var offsets: [Int] = []
        offsets.reserveCapacity(moments.count)
        while offsets.count < moments.count {
            let start = offsets.count
            var last = start
            while last + 1 < moments.count, moments[last + 1].microseconds - moments[start].microseconds <= 86_400_000_000 { last += 1 }
            let ends = (offsetSeconds(at: moments[start]), offsetSeconds(at: moments[last]))
            offsets += ends.0 == ends.1 ? Array(repeating: ends.0, count: last - start + 1) : moments[start...last].map(offsetSeconds)
        }
        return offsets
    }
}

/// A day of the calendar, counted from 1970-01-01.
public struct CivilDay: Hashable, Comparable, Sendable {
    public var number: Int
    public init(number: Int) { self.number = number }

    public static func < (left: CivilDay, right: CivilDay) -> Bool { left.number < right.number }

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
