package import CityModel
internal import GRDB
internal import Query
package import Series

/// A summary of a series' numbers that may be seen.
package struct KeptSummary: Sendable {
    package let summary: PeriodSummary
    package let level: SummaryLevel
    package let kind: AttributeKind
    /// Whether its moments were observed, else those of recording.
    package let isObserved: Bool
    package let unitCode: String?

    package var first: Instant { Instant(microseconds: summary.first.time) }
    package var last: Instant { Instant(microseconds: summary.last.time) }
}

extension ReadSnapshot {
    /// Summaries of a series of which numbers may lie within an interval, in order of their first numbers.
    ///
    /// Each number of the series is in one of them or is a record, never both; together they are what the records were, of each
    /// moment the last that may be seen.
    package func keptSummaries(of entity: Int64, _ series: Series, in interval: ClosedRange<Instant>?, _ window: HistoryWindow) throws -> [KeptSummary] {
        guard try holdsThinned() else { return [] }
        let window = try seen(window, of: entity)
        let (from, to) = (interval?.lowerBound.microseconds ?? .min, interval?.upperBound.microseconds ?? .max)
        var kept: [KeptSummary] = []
        for span in try summarySpans(of: key(entity, series), from: from, to: to) where span.group.isVisible(window.classificationMax) {
            try window.checkDeadline()
            let form = InstanceForm(number: Int(span.group.form))
            for summary in try summaries(span) where summary.first.time <= to && summary.last.time >= from {
                kept.append(
                    KeptSummary(summary: summary, level: span.level, kind: form.kind, isObserved: form.isObserved, unitCode: span.group.unit))
            }
        }
        return kept.sorted { ($0.summary.first.time, $0.summary.last.time) < ($1.summary.first.time, $1.summary.last.time) }
    }

    /// Those that a window asks for, and whether all numbers of each do. Of numbers that are gone it is known when they were observed or
    /// else recorded; by other timestamps nothing can be asked of them.
    package func keptSummaries(of entity: Int64, _ series: Series, _ window: HistoryWindow) throws -> [(kept: KeptSummary, isWhole: Bool)] {
        let property = window.temporal?.property
        guard property == .observedAt || property == nil, let span = window.span else { return [] }
        let interval = Instant(microseconds: span.lowerBound)...Instant(microseconds: span.upperBound)
        return try keptSummaries(of: entity, series, in: interval, window).compactMap { kept in
            guard property == nil || kept.isObserved else { return nil }
            let lies = interval.contains(kept.first) && interval.contains(kept.last)
            guard let validity = window.validity else { return (kept, lies) }
            guard let part = validity.first(where: { $0.upperBound > kept.first && $0.lowerBound <= kept.last }) else { return nil }
            return (kept, lies && part.contains(kept.first) && part.contains(kept.last))
        }
    }

    /// What was thinned of a series and may be seen, as far as a window reaches.
    package func thinnedSpans(of entity: Int64, _ series: Series, _ window: HistoryWindow) throws -> [ThinnedSpan] {
        let all = try thinnedSpans(of: entity, series, window.classificationMax)
        switch window.temporal?.property {
        case .deletedAt?: return []
        case .createdAt?, .modifiedAt?: return all
        case .observedAt?, nil:
            guard let span = window.span else { return [] }
            let end = span.upperBound == .max ? span.upperBound : span.upperBound + 1
            return all.compactMap { $0.clamped(to: Instant(microseconds: span.lowerBound)..<Instant(microseconds: end)) }
        }
    }

    /// The last number before a moment that summaries know: of one that ends before it the last, of one that goes on beyond it the first where
    /// it has no more than these two.
    func lastSummed(of series: SeriesKey, before moment: Int64, _ classificationMax: Classification) throws -> (point: PeriodSummary.Point, unit: String?)? {
        guard try holdsThinned() else { return nil }
        let classificationMax = try bound(classificationMax, of: series.entity)
        var last: (point: PeriodSummary.Point, unit: String?)?
        for level in SummaryLevel.allCases {
            for span in try summarySpans(of: series, level, to: moment).reversed() where span.group.isVisible(classificationMax) {
                // Of each group the last row that has one.
                if let last, span.to <= last.point.time { continue }
                let found = try summaries(span).reversed().lazy.compactMap { summary in
                    summary.last.time < moment ? summary.last : summary.points?.last { $0.time < moment }
                }.first
                guard let found else { continue }
                if last.map({ $0.point.time < found.time }) ?? true { last = (found, span.group.unit) }
            }
        }
        return last
    }
}
