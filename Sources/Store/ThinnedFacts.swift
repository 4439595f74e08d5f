package import CityModel
internal import GRDB
internal import Series

/// What is no longer there of a series as it was recorded, of one rank.
struct ThinnedFacts: Hashable, Sendable {
    /// The first number that is gone.
    var from: Int64?
    /// Where the last periods end that are whole no longer, hourly no longer, and no longer there.
    var raw: Int64?
    var hourly: Int64?
    var daily: Int64?
    /// The first of what was no number, and the moment after the last.
    var otherFrom: Int64?
    var other: Int64?

    mutating func addNumber(at moment: Int64, periodEnd: Int64) { (from, raw) = (least(from, moment), greatest(raw, periodEnd)) }
    mutating func addOther(at moment: Int64) { (otherFrom, other) = (least(otherFrom, moment), greatest(other, moment + 1)) }
    mutating func addDaily(until end: Int64) { hourly = greatest(hourly, end) }
    mutating func addDropped(until end: Int64) { daily = greatest(daily, end) }
}

private func least(_ left: Int64?, _ right: Int64) -> Int64 { left.map { min($0, right) } ?? right }
private func greatest(_ left: Int64?, _ right: Int64) -> Int64 { left.map { max($0, right) } ?? right }

/// A time of which a series is not kept as it was recorded.
package struct ThinnedSpan: Hashable, Sendable {
    /// What is kept of it.
    package enum Kept: String, Hashable, Sendable, CaseIterable { case hourly, daily, nothing }

    package var times: Range<Instant>
    package let kept: Kept
    /// Whether it is about numbers, else about everything else.
    package let isOfNumbers: Bool

    /// Nil where nothing of it lies in an interval.
    package func clamped(to interval: Range<Instant>) -> ThinnedSpan? {
        var clamped = self
        clamped.times = times.clamped(to: interval)
        return clamped.times.isEmpty ? nil : clamped
    }
}

extension ReadSnapshot {
    /// What was thinned of a series that may be seen.
    package func thinnedSpans(of entity: Int64, _ series: Series, _ classificationMax: Classification) throws -> [ThinnedSpan] {
        guard try holdsThinned() else { return [] }
        let cursor = try rows(
            "SELECT \(ThinnedFacts.columns) FROM thinned WHERE \(SeriesKey.condition) AND rank <= ?",
            key(entity, series).arguments + [classificationMax.rank])
        var spans: [ThinnedSpan] = []
        while let row = try cursor.next() { spans += try ThinnedFacts(row).spans }
        return spans
    }
}

extension WriteTransaction {
    /// - Parameter facts: by rank.
    func note(_ facts: [Int: ThinnedFacts], of series: SeriesKey) throws {
        for (rank, new) in facts {
            // Of the two one may be NULL: then `min` of both is too.
            func better(_ column: String, _ function: String) -> String {
                "\(column) = coalesce(\(function)(\(column), excluded.\(column)), \(column), excluded.\(column))"
            }
            try execute(
                """
                INSERT INTO thinned (\(SeriesKey.columns), rank, \(ThinnedFacts.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (\(SeriesKey.columns), rank) DO UPDATE SET \(better("from_us", "min")), \(better("raw_us", "max")),
                    \(better("hourly_us", "max")), \(better("daily_us", "max")), \(better("other_from_us", "min")), \(better("other_us", "max"))
                """, series.arguments + [rank, new.from, new.raw, new.hourly, new.daily, new.otherFrom, new.other])
            knowsThinned = true
            if let end = [new.raw, new.other].compactMap({ $0 }).max() { sealing.thinned(until: end) }
        }
    }
}

extension ThinnedFacts {
    static let columns = "from_us, raw_us, hourly_us, daily_us, other_from_us, other_us"

    fileprivate init(_ row: Row) throws {
        (from, raw) = (try row.decode(Int64?.self, atIndex: 0), try row.decode(Int64?.self, atIndex: 1))
        (hourly, daily) = (try row.decode(Int64?.self, atIndex: 2), try row.decode(Int64?.self, atIndex: 3))
        (otherFrom, other) = (try row.decode(Int64?.self, atIndex: 4), try row.decode(Int64?.self, atIndex: 5))
    }

    fileprivate var spans: [ThinnedSpan] {
        var spans: [ThinnedSpan] = []
        func add(_ from: Int64?, _ to: Int64?, _ kept: ThinnedSpan.Kept, _ isOfNumbers: Bool) {
            guard let from, let to, from < to else { return }
            let times = Instant(microseconds: from)..<Instant(microseconds: to)
            spans.append(ThinnedSpan(times: times, kept: kept, isOfNumbers: isOfNumbers))
        }
        if let from {
            let dropped = max(from, daily ?? from), summed = max(dropped, hourly ?? from)
            add(from, dropped, .nothing, true)
            add(dropped, summed, .daily, true)
            add(summed, raw, .hourly, true)
        }
        add(otherFrom, other, .nothing, false)
        return spans
    }
}
