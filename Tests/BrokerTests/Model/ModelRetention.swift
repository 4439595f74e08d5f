import CityModel
import OrderedCollections
import Store

/// How long the history of some entities is kept, worked out without the calendar of the program: in zones whose days all have 24 hours.
struct ModelRetention: Sendable {
    struct Borders {
        /// Before these moments instances may be summed up by the hour, those by the day, and all be dropped.
        let raw, hourly, daily: Int64
        /// What was recorded since is left alone.
        let settled: Int64
    }

    /// Ages in days, from which on something is not kept as it was.
    let rawDays: Int64, hourlyDays: Int64?, dailyDays: Int64?
    let zone: String
    private let offset: Int64

    static let hour: Int64 = 3_600_000_000, day = 24 * hour
    static let settlingSeconds = 6 * 3600.0

    /// One of six.
    init(seed: UInt64) {
        (rawDays, hourlyDays, dailyDays) = (1, seed % 3 > 0 ? 2 : nil, seed % 3 > 1 ? 3 : nil)
        (zone, offset) = seed % 2 == 0 ? ("UTC", 0) : ("Asia/Kolkata", Self.hour * 11 / 2)
    }

    var document: JSON {
        var rule: JSONObject = [:]
        for (name, days) in [("raw", rawDays), ("hourly", hourlyDays), ("daily", dailyDays)] { rule[name] = days.map { .string("P\($0)D") } }
        return ["types": [], "retention": ["*": .object(rule)]]
    }

    func borders(at now: Instant) -> Borders {
        func dayBefore(_ days: Int64?) -> Int64 { days.map { day(of: now.microseconds - $0 * Self.day) } ?? .min }
        return Borders(
            raw: hour(of: now.microseconds - rawDays * Self.day), hourly: dayBefore(hourlyDays), daily: dayBefore(dailyDays),
            settled: now.adding(seconds: -Self.settlingSeconds).microseconds)
    }

    /// When the hour or the day of a moment began.
    func hour(of moment: Int64) -> Int64 { (moment + offset) / Self.hour * Self.hour - offset }
    func day(of moment: Int64) -> Int64 { (moment + offset) / Self.day * Self.day - offset }
}

// MARK: What comes late, or is gone

extension ModelCity {
    private var borders: ModelRetention.Borders? { thinnedAt.map(retention.borders) }

    /// Whether a record may be gone already.
    func mayBeThinned(_ record: Record, _ id: IRI) -> Bool {
        guard ruled.contains(id), let borders else { return false }
        return record.isUnsure || record.at < borders.raw
    }

    /// Whether an instance may come too late: what is dropped takes nothing more, nor a period of which numbers are summed up, nor, if it is no number, what lies between
    /// others that are gone.
    func mayBeClosed(_ record: Record, _ id: IRI, _ series: SeriesName) -> Bool {
        guard ruled.contains(id), let borders, record.at < borders.raw else { return false }
        guard record.at >= borders.daily else { return true }
        let all = [history, erased].flatMap { $0[id]?[series] ?? [] }.filter { $0.at < borders.raw }
        let period = record.at < borders.hourly ? retention.day : retention.hour
        if all.contains(where: { $0.isNumber && period($0.at) == period(record.at) }) { return true }
        let others = all.filter { !$0.isNumber && $0.value != nil }.map(\.at)
        return !record.isNumber && others.contains { $0 <= record.at } && others.contains { $0 >= record.at }
    }

    /// Whether something is known of a series: it is there, or it is known that it was thinned.
    func isSurelyKnown(_ records: [Record]) -> Bool { records.contains { !$0.isUnsure && $0.expiresAt == nil } }
}

extension ModelCity.Record {
    var isNumber: Bool { value?.doubleValue != nil }
}
