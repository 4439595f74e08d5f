internal import CityModel
internal import Series

/// Gathers the records of a series into summaries by the hour, moment by moment.
struct SummaryFold {
    private let calendar: RetentionCalendar
    private(set) var groups: [SummaryGroup: [Int64: PeriodSummary]] = [:]
    /// By rank.
    private(set) var facts: [Int: ThinnedFacts] = [:]
    private var hour: Range<Int64> = 0..<0

    init(_ calendar: RetentionCalendar) { self.calendar = calendar }

    /// Takes what was recorded of one moment. Of several numbers a reader sees the last recorded that he may see, so each counts
    /// for those alone who see it; what is no number goes.
    /// - Parameter records: all of one moment, in the order in which they were recorded.
    mutating func take(_ records: [SampleRecord]) {
        var until = SummaryGroup.neverReplaced
        for record in records.reversed() {
            let rank = Int(record.form) / InstanceForm.classificationUnit
            guard let value = record.value.doubleValue else {
                facts[rank, default: ThinnedFacts()].addOther(at: record.time)
                continue
            }
            guard rank < until else { continue }
            if !hour.contains(record.time) { hour = calendar.hour(of: record.time) }
            let summary = PeriodSummary(value, at: record.time, start: hour.lowerBound, end: hour.upperBound)
            let group = SummaryGroup(form: record.form, until: until, unit: record.unit)
            if groups[group]?[hour.lowerBound]?.add(summary) == nil { groups[group, default: [:]][hour.lowerBound] = summary }
            facts[rank, default: ThinnedFacts()].addNumber(at: record.time, periodEnd: hour.upperBound)
            until = rank
        }
    }
}

extension ReadSnapshot {
    /// Rows of `summary` that are to go, and those that come in their place.
    typealias SummaryExchange = (removed: [Int64], added: [PackedSummaries])

    /// Puts summaries among those of a series that there are.
    func merging(_ groups: [SummaryGroup: [Int64: PeriodSummary]], _ level: SummaryLevel, of series: SeriesKey) throws -> SummaryExchange {
        var exchange: SummaryExchange = ([], [])
        let spans = Dictionary(grouping: try summarySpans(of: series, level), by: \.group)
        for (group, summaries) in groups {
            let known = spans[group] ?? []
            // Each goes where its period would stand: into the last row that does not begin after it.
            var parts: [Int: [PeriodSummary]] = [:]
            for summary in summaries.values { parts[known.lastIndex { $0.from <= summary.start } ?? 0, default: []].append(summary) }
            for (index, part) in parts {
                var merged = Dictionary(uniqueKeysWithValues: part.map { ($0.start, $0) })
                if known.indices.contains(index) {
                    exchange.removed.append(known[index].id)
                    for summary in try self.summaries(known[index]) { if merged[summary.start]?.add(summary) == nil { merged[summary.start] = summary } }
                }
                exchange.added += try PackedSummaries.rows(merged.values.sorted { $0.start < $1.start }, level, group)
            }
        }
        return exchange
    }
}
