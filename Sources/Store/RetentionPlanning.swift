internal import CityModel
internal import GRDB
internal import Series

/// What one transaction of retention does to a series, read and packed before it.
struct ThinningPlan: Sendable {
    let series: SeriesKey
    /// Rows of `instance` that go: where they lie, moments between of which nothing goes, and how many they are.
    var rows: (span: ClosedRange<Int64>, kept: [Int64], count: Int)?
    /// The chunk of which records go, and what is left of it.
    var chunk: (replaced: ChunkSpan, rest: PackedChunk?)?
    var summaries: ReadSnapshot.SummaryExchange = ([], [])
    /// By rank.
    var facts: [Int: ThinnedFacts] = [:]
    /// Instances and summaries that are gone after it.
    var count = 0
}

/// What can be thinned of rows.
enum ThinningRule {
    /// Traces of deletions are few and say when something ended; what expires goes by itself. What was recorded lately though it is old,
    /// as when a station sends what it kept while it was cut off, waits until all of it has come. Its argument is the moment
    /// before which it was recorded.
    static let condition = "form & \(InstanceForm.deletionBit) = 0 AND expires_us IS NULL AND at_us + late_us < ?"
    /// Records of one moment that are summed up. Where a clock stands still there are more; they stay until all is dropped.
    static let momentCountMax = 1024
    /// Moments of which nothing goes that one plan goes past.
    static let keptCountMax = 256
    /// Kinds of summaries that one plan makes; where units change from number to number there are more.
    static let groupCountMax = 64
    /// Rows of `summary` that one plan removes and writes, but for those of one moment.
    static let exchangedRowCountMax = 64
    /// A chunk that lies only partly before the border is cut when so many of its records lie there, or for so long.
    static let cutCountMin = Chunk.blockCount
    static let cutMicrosecondsMin: Int64 = 86_400_000_000
}

extension ReadSnapshot {
    /// The first part of what is older than a series' borders; nil when nothing is.
    func thinningPlan(of series: SeriesKey, _ borders: RetentionBorders, _ policy: RetentionPolicy) throws -> ThinningPlan? {
        if let plan = try hourlyPlan(of: series, before: borders.raw, policy) { return plan }
        if let border = borders.hourly, let plan = try dailyPlan(of: series, before: border, policy) { return plan }
        if let border = borders.daily, let plan = try droppingPlan(of: series, before: border) { return plan }
        return nil
    }

    // MARK: From instances to hours

    /// The moment of the last record before another: what it says still holds then, so it stays.
    func heldMoment(of series: SeriesKey, before border: Int64) throws -> Int64? {
        guard border > .min else { return nil }
        let ofRows = try row(
            "SELECT at_us FROM instance WHERE \(SeriesKey.condition) AND at_us < ? ORDER BY at_us DESC LIMIT 1", series.arguments + [border])?
            .decode(Int64.self, atIndex: 0)
        guard try holdsChunks(), let span = try chunkSpan(of: series, from: .min, to: border - 1, isBackwards: true) else { return ofRows }
        if span.to < border { return max(span.to, ofRows ?? span.to) }
        var merged = try MergedRecords(self, series, in: span.from...(border - 1), isBackwards: true)
        guard case .record(let last)? = try merged.next() else { return ofRows }
        return last.sample.time
    }

    private func hourlyPlan(of series: SeriesKey, before border: Int64, _ policy: RetentionPolicy) throws -> ThinningPlan? {
        guard let held = try heldMoment(of: series, before: border) else { return nil }
        var start = Int64.min
        while let part = try hourlyPart(of: series, from: start, before: held, border, policy) {
            if let plan = try hourlyPlan(of: series, part, policy) { return plan }
            // All of it stays.
            start = part.span.upperBound + 1
        }
        return nil
    }

    private typealias Part = (span: ClosedRange<Int64>, chunk: ChunkSpan?)

    /// - Parameter recordCountMax: records after which it takes no more.
    private func hourlyPlan(of series: SeriesKey, _ part: Part, _ policy: RetentionPolicy, recordCountMax: Int = .max) throws -> ThinningPlan? {
        var merged = try MergedRecords(self, series, in: part.span)
        var (fold, moment, taken) = (SummaryFold(policy.calendar), [StoredRecord](), TakenMoments(policy))
        while case .record(let record)? = try merged.next() {
            if let last = moment.last, last.sample.time != record.sample.time {
                if taken.take(moment) { fold.take(moment.map(\.sample)) }
                moment = []
                if taken.isFull || taken.count >= recordCountMax || fold.groups.count >= ThinningRule.groupCountMax { break }
            }
            // One more than is summed up says that there are too many.
            if moment.count <= ThinningRule.momentCountMax { moment.append(record) }
        }
        if !moment.isEmpty, taken.take(moment) { fold.take(moment.map(\.sample)) }
        guard let span = taken.span else { return nil }
        let kept = taken.kept.filter(span.contains)
        var plan = ThinningPlan(series: series)
        let rowCount = try thinnedRowCount(of: series, in: span, kept, policy)
        if rowCount > 0 { plan.rows = (span, kept, rowCount) }
        if let replaced = part.chunk {
            let chunk = try chunk(replaced)
            let rest = try corruptible { () throws(SeriesError) in try chunk.records() }.filter { !span.contains($0.time) || kept.contains($0.time) }
            if rest.count < replaced.count {
                plan.chunk = (replaced, rest.isEmpty ? nil : try corruptible { () throws(SeriesError) in try PackedChunk(rest) })
            }
        }
        plan.summaries = try merging(fold.groups, .hourly, of: series)
        (plan.facts, plan.count) = (fold.facts, taken.count)
        // What came late may belong to any number of rows of summaries: then less of it is taken.
        let isTooMuch = plan.summaries.removed.count + plan.summaries.added.count > ThinningRule.exchangedRowCountMax
        return isTooMuch && taken.momentCount > 1 ? try hourlyPlan(of: series, part, policy, recordCountMax: max(1, taken.count / 2)) : plan
    }

    /// Where the first records from a moment on lie that may go, and the chunk that is among them.
    private func hourlyPart(
        of series: SeriesKey, from start: Int64, before held: Int64, _ border: Int64, _ policy: RetentionPolicy
    ) throws -> Part? {
        guard let part = try wholePart(of: series, from: start, before: held, border, policy) else { return nil }
        // Rows are deleted one by one. A chunk is replaced as a whole, however much of it goes.
        let next = try row(
            """
            SELECT at_us FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(ThinningRule.condition)
            ORDER BY at_us LIMIT 1 OFFSET ?
            """, series.arguments + [part.span.lowerBound, part.span.upperBound, policy.settledBefore.microseconds, policy.rowCountMax])?
            .decode(Int64.self, atIndex: 0)
        return next.map { (part.span.lowerBound...max(part.span.lowerBound, $0 - 1), part.chunk) } ?? part
    }

    private func wholePart(
        of series: SeriesKey, from start: Int64, before held: Int64, _ border: Int64, _ policy: RetentionPolicy
    ) throws -> Part? {
        guard start < held else { return nil }
        let first = try row(
            "SELECT at_us FROM instance WHERE \(SeriesKey.condition) AND at_us >= ? AND at_us < ? AND \(ThinningRule.condition) ORDER BY at_us LIMIT 1",
            series.arguments + [start, held, policy.settledBefore.microseconds])?.decode(Int64.self, atIndex: 0)
        let chunk = try holdsChunks() ? chunkSpan(of: series, from: start, to: held - 1, isBackwards: false) : nil
        if let first, first < chunk?.from ?? held { return (first...(min(chunk?.from ?? held, held) - 1), nil) }
        guard let chunk else { return nil }
        let from = max(chunk.from, start)
        if chunk.to < held { return (from...chunk.to, chunk) }
        let isOld = chunk.from <= border - ThinningRule.cutMicrosecondsMin
        guard try isOld || recordCount(of: chunk, before: held) >= ThinningRule.cutCountMin else { return nil }
        return from < held ? (from...(held - 1), chunk) : nil
    }

    private func recordCount(of span: ChunkSpan, before moment: Int64) throws -> Int {
        try chunk(span).summaries.filter { $0.lastTime < moment }.reduce(0) { $0 + $1.count }
    }

    private func thinnedRowCount(of series: SeriesKey, in span: ClosedRange<Int64>, _ kept: [Int64], _ policy: RetentionPolicy) throws -> Int {
        try row(
            """
            SELECT count(*) FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(ThinningRule.condition)
            AND at_us NOT IN (SELECT value FROM json_each(?))
            """, series.arguments + [span.lowerBound, span.upperBound, policy.settledBefore.microseconds, "\(kept)"])?.decode(Int.self, atIndex: 0) ?? 0
    }

    // MARK: From hours to days

    private func dailyPlan(of series: SeriesKey, before border: Int64, _ policy: RetentionPolicy) throws -> ThinningPlan? {
        var plan = ThinningPlan(series: series)
        var days: [SummaryGroup: [Int64: PeriodSummary]] = [:]
        for span in try summarySpans(of: series, .hourly, to: border - 1) where plan.summaries.removed.count < RetentionPolicy.summaryRowCountMax {
            let all = try summaries(span)
            let rest = all.filter { $0.end > border }
            guard rest.count < all.count else { continue }
            plan.summaries.removed.append(span.id)
            plan.summaries.added += try PackedSummaries.rows(rest, .hourly, span.group)
            plan.count += all.count - rest.count
            for summary in all where summary.end <= border {
                let day = policy.calendar.day(of: summary.start)
                let part = PeriodSummary(
                    start: day.lowerBound, end: max(day.upperBound, summary.end), measures: summary.measures, first: summary.first, last: summary.last)
                if days[span.group]?[part.start]?.add(part) == nil { days[span.group, default: [:]][part.start] = part }
                plan.facts[span.group.rank, default: ThinnedFacts()].addDaily(until: part.end)
            }
        }
        guard plan.count > 0 else { return nil }
        let exchange = try merging(days, .daily, of: series)
        plan.summaries.removed += exchange.removed
        plan.summaries.added += exchange.added
        return plan
    }

    // MARK: From days to nothing

    private func droppingPlan(of series: SeriesKey, before border: Int64) throws -> ThinningPlan? {
        var plan = ThinningPlan(series: series)
        for span in try summarySpans(of: series, to: border - 1) where plan.summaries.removed.count < RetentionPolicy.summaryRowCountMax {
            let all = try summaries(span)
            let rest = all.filter { $0.end > border }
            guard rest.count < all.count, let end = all.filter({ $0.end <= border }).map(\.end).max() else { continue }
            plan.summaries.removed.append(span.id)
            plan.summaries.added += try PackedSummaries.rows(rest, span.level, span.group)
            plan.count += all.count - rest.count
            plan.facts[span.group.rank, default: ThinnedFacts()].addDropped(until: end)
        }
        return plan.count > 0 ? plan : nil
    }
}

/// Moments that one plan takes.
private struct TakenMoments {
    private let settledBefore: Int64
    /// Records, and their moments.
    private(set) var count = 0, momentCount = 0
    /// From the first moment that is taken to the last.
    private(set) var span: ClosedRange<Int64>?
    /// Moments that stay whole.
    private(set) var kept: [Int64] = []

    init(_ policy: RetentionPolicy) { settledBefore = policy.settledBefore.microseconds }

    var isFull: Bool { kept.count >= ThinningRule.keptCountMax && span != nil }

    /// - Parameter records: of one moment; all of them go or none, for they decide together who sees what.
    /// - Returns: whether they go.
    mutating func take(_ records: [StoredRecord]) -> Bool {
        guard let time = records.first?.sample.time else { return false }
        guard records.count <= ThinningRule.momentCountMax, records.allSatisfy(isOver) else {
            // Those before the first that is taken lie outside of what is deleted.
            if span == nil { kept = [] }
            kept.append(time)
            return false
        }
        count += records.count
        momentCount += 1
        span = (span?.lowerBound ?? time)...time
        return true
    }

    private func isOver(_ record: StoredRecord) -> Bool {
        !record.form.isDeletion && record.expires == nil && record.sample.recorded < settledBefore
    }
}
