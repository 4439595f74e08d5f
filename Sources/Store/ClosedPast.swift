internal import CityModel
internal import GRDB
internal import Series

/// The moments of a thinned series of which nothing more is recorded, because it would be counted twice or be gone at once.
///
/// Whether what is gone is what comes late is not known, and sources send again what they sent: taking each observation for new would count
/// the past twice with each import. So a period that has a summary takes no more; one that has none, as when a station was cut off,
/// does. What is no number leaves no summary, only when the first of it went and when the last: in between it is not taken.
struct ClosedPast {
    /// Before this moment something was thinned.
    private let end: Int64
    /// Before this one nothing is kept.
    private let droppedUntil: Int64
    /// Where that lay which went and was no number.
    private let others: Range<Int64>
    /// The periods that have a summary, in order, none touching another.
    private var summed: [Range<Int64>] = []

    fileprivate init(end: Int64, droppedUntil: Int64?, others: Range<Int64>) {
        (self.end, self.droppedUntil, self.others) = (end, droppedUntil ?? .min, others)
    }

    /// - Parameter periods: in any order; those of several groups and levels may overlap.
    fileprivate mutating func setSummed(_ periods: [Range<Int64>]) {
        for period in periods.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = summed.last, period.lowerBound <= last.upperBound {
                summed[summed.count - 1] = last.lowerBound..<max(last.upperBound, period.upperBound)
            } else {
                summed.append(period)
            }
        }
    }

    /// Whether a moment of which nothing is recorded takes nothing.
    func contains(_ moment: Int64, isNumber: Bool) -> Bool {
        guard moment < end else { return false }
        guard moment >= droppedUntil, isNumber || !others.contains(moment) else { return true }
        var (low, high) = (0, summed.count)
        while low < high {
            let middle = (low + high) / 2
            if summed[middle].upperBound <= moment { low = middle + 1 } else { high = middle }
        }
        return low < summed.count && summed[low].contains(moment)
    }
}

extension ReadSnapshot {
    /// What of a span of a series takes no more; nil where all of it does.
    /// - Complexity: reads the summaries that the span meets.
    func closedPast(of series: SeriesKey, in span: ClosedRange<Int64>) throws -> ClosedPast? {
        guard try holdsThinned() else { return nil }
        let row = try row(
            """
            SELECT max(max(coalesce(raw_us, other_us), coalesce(other_us, raw_us))), max(daily_us), min(other_from_us), max(other_us)
            FROM thinned WHERE \(SeriesKey.condition)
            """, series.arguments)
        guard let row, let end = try row.decode(Int64?.self, atIndex: 0), span.lowerBound < end else { return nil }
        let others = (try row.decode(Int64?.self, atIndex: 2) ?? end, try row.decode(Int64?.self, atIndex: 3) ?? end)
        var past = ClosedPast(end: end, droppedUntil: try row.decode(Int64?.self, atIndex: 1), others: others.0..<max(others.0, others.1))
        past.setSummed(
            try summarySpans(of: series, from: span.lowerBound, to: span.upperBound).flatMap { spanned in
                try summaries(spanned).filter { $0.start <= span.upperBound && span.lowerBound < $0.end }.map { $0.start..<$0.end }
            })
        return past
    }

    /// Whether a moment takes no more. What stands there whole may be corrected.
    func takesNoMore(of series: SeriesKey, at moment: Int64, isNumber: Bool) throws -> Bool {
        guard let past = try closedPast(of: series, in: moment...moment), past.contains(moment, isNumber: isNumber) else { return false }
        let isRow = try row("SELECT 1 FROM instance WHERE \(SeriesKey.condition) AND at_us = ? LIMIT 1", series.arguments + [moment]) != nil
        return try !isRow && sealedRecords(of: series, at: moment).isEmpty
    }
}
