package import CityModel
internal import GRDB
package import Series

/// A number that was observed, or nil where the series ended for a while.
package struct Sample: Hashable, Sendable {
    package let at: Instant
    package let value: Double?
    package init(at: Instant, value: Double?) { (self.at, self.value) = (at, value) }
}

/// Samples as they are read: one, or many of a chunk at once.
package enum SampleSpan {
    case one(Sample)
    /// As many moments, in microseconds since 1970, as numbers, in order. Both have the same indices.
    case numbers(times: ArraySlice<Int64>, values: ArraySlice<Double>)
    /// Those of a whole block, as they were summed up when they were packed.
    case block(Measures, first: Sample, last: Sample)
}

extension ReadSnapshot {
    /// The numbers of a series within an interval, oldest first. Of several records of one moment the last counts. What is no number
    /// is passed over, but for the trace of a deletion; what has expired, or was recorded as more confidential than may be seen, is
    /// not there.
    /// - Parameter window: its `temporal` is not looked at.
    /// - Parameter isWhole: whether all moments from the first to the second, both included, count as one.
    /// - Returns: the unit of the last of them; outer nil where there was none.
    /// - Throws: `tooComplexQuery` when the window's deadline passes.
    @discardableResult
    package func visitSamples(
        of entity: Int64, _ series: Series, in interval: Range<Instant>, _ window: HistoryWindow, isWhole: (Instant, Instant) -> Bool,
        visit: (SampleSpan) -> Void
    ) throws -> String?? {
        let (from, to) = (interval.lowerBound.microseconds, interval.upperBound.microseconds)
        guard from < to else { return nil }
        if try holdsChunks() { return try visitMergedSamples(of: key(entity, series), in: from...(to - 1), window, isWhole: isWhole, visit) }
        let cursor = try rows(
            """
            SELECT at_us, \(Opened.value), form, \(Opened.unit), max(late_us) FROM instance
            WHERE \(SeriesKey.condition) AND at_us >= ? AND at_us < ? AND \(Self.isSample)
            AND form < ? AND \(InstanceForm.isAlive) GROUP BY at_us ORDER BY at_us
            """,
            key(entity, series).arguments + [from, to, InstanceForm.hidden(from: window.classificationMax), window.now.microseconds])
        var (count, unit) = (0, nil as String??)
        while let row = try cursor.next() {
            count += 1
            if count % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
            let sample = try Sample(row)
            if sample.value != nil { unit = .some(try row.decode(String?.self, atIndex: 3)) }
            visit(.one(sample))
        }
        return unit
    }

    private func visitMergedSamples(
        of series: SeriesKey, in span: ClosedRange<Int64>, _ window: HistoryWindow, isWhole: (Instant, Instant) -> Bool, _ visit: (SampleSpan) -> Void
    ) throws -> String?? {
        let hidden = InstanceForm.hidden(from: try bound(window.classificationMax, of: series.entity))
        var merged = try MergedRecords(self, series, in: span)
        var (held, lookedAt) = (nil as Sample?, 0)
        var (unit, lastInBlock) = (nil as String??, nil as (chunk: Chunk, index: Int, position: Int)?)
        while let item = try merged.next(takingBlocks: { $0.isPlain(Int64(hidden)) }) {
            lookedAt += 1
            if lookedAt % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
            switch item {
            case .record(let record):
                guard record.isVisible(hidden, at: window.now.microseconds), let sample = Sample(record) else { continue }
                if let before = held, before.at != sample.at { visit(.one(before)) }
                held = sample
                if sample.value != nil { (unit, lastInBlock) = (.some(record.sample.unit), nil) }
            case .block(let chunk, let index):
                // No moment of the block is that of a record before it.
                if let before = held { visit(.one(before)) }
                held = nil
                let samples = try blockBuffer.samples(of: chunk, index, within: span, isWhole)
                visit(samples)
                if let position = samples.lastPosition(in: chunk.summaries[index]) { lastInBlock = (chunk, index, position) }
            }
        }
        if let held { visit(.one(held)) }
        guard let last = lastInBlock else { return unit }
        return .some(try corruptible { () throws(SeriesError) in try last.chunk.unit(inBlock: last.index, at: last.position) })
    }

    /// The last number before a moment; nil when there is none, or when the series had ended.
    package func lastSample(of entity: Int64, _ series: Series, before moment: Instant, _ window: HistoryWindow) throws -> Double? {
        let last = try lastRecordedSample(of: entity, series, before: moment, window)
        guard let summed = try lastSummed(of: key(entity, series), before: moment.microseconds, window.classificationMax) else { return last?.value }
        return last.map { $0.at.microseconds > summed.point.time } ?? false ? last?.value : summed.point.value
    }

    private func lastRecordedSample(of entity: Int64, _ series: Series, before moment: Instant, _ window: HistoryWindow) throws -> Sample? {
        let key = key(entity, series)
        let hidden = InstanceForm.hidden(from: try bound(window.classificationMax, of: entity))
        if try holdsChunks() {
            var merged = try MergedRecords(self, key, in: .min...(moment.microseconds - 1), isBackwards: true)
            while case .record(let record)? = try merged.next() {
                if record.isVisible(hidden, at: window.now.microseconds), let sample = Sample(record) { return sample }
            }
            return nil
        }
        return try row(
            """
            SELECT at_us, \(Opened.value), form FROM instance
            WHERE \(SeriesKey.condition) AND at_us < ? AND \(Self.isSample)
            AND form < ? AND \(InstanceForm.isAlive) ORDER BY at_us DESC, late_us DESC LIMIT 1
            """, key.arguments + [moment.microseconds, hidden, window.now.microseconds]).map { try Sample($0) }
    }

    /// The unit that the newest record of a series has.
    package func unit(of entity: Int64, _ series: Series, _ window: HistoryWindow) throws -> String? {
        var newest = window
        (newest.temporal, newest.validity, newest.isBackwards) = (nil, nil, true)
        var unit: String?
        try visitRecords(of: entity, series, newest, limit: 2) { record in
            guard record.deletedAt == nil else { return true }
            unit = record.attribute.unitCode
            return false
        }
        return try unit ?? lastSummed(of: key(entity, series), before: .max, window.classificationMax)?.unit
    }

    private static var isSample: String { "(typeof(\(Opened.value)) IN ('integer', 'real') OR form & \(InstanceForm.deletionBit) <> 0)" }
}

extension SampleSpan {
    /// Where in its block the last of them is; nil where there is none.
    fileprivate func lastPosition(in block: BlockSummary) -> Int? {
        switch self {
        case .numbers(let times, _): times.isEmpty ? nil : times.endIndex - 1
        case .block: block.count - 1
        case .one: nil
        }
    }
}

extension BlockBuffer {
    fileprivate mutating func samples(
        of chunk: Chunk, _ index: Int, within span: ClosedRange<Int64>, _ isWhole: (Instant, Instant) -> Bool
    ) throws -> SampleSpan {
        switch try self.span(of: chunk, index, within: span, isWhole) {
        case .numbers(let times, let numbers): return .numbers(times: times, values: numbers)
        case .measures(let measures, let first, let last):
            let summary = chunk.summaries[index]
            return .block(measures, first: Sample(at: first, value: summary.first), last: Sample(at: last, value: summary.last))
        case .record(let record): return .one(Sample(at: record.time, value: record.attribute.value.doubleValue))
        }
    }
}

extension Sample {
    /// - Parameter row: moment, value and form.
    fileprivate init(_ row: Row) throws {
        at = Instant(microseconds: try row.decode(Int64.self, atIndex: 0))
        let isDeletion = InstanceForm(number: try row.decode(Int.self, atIndex: 2)).isDeletion
        value = isDeletion ? nil : try row.decode(Double.self, atIndex: 1)
    }

    /// Nil for what is neither a number nor the trace of a deletion.
    fileprivate init?(_ record: StoredRecord) {
        guard record.form.isDeletion || record.sample.value.isNumeric else { return nil }
        at = Instant(microseconds: record.sample.time)
        value = record.form.isDeletion ? nil : record.sample.value.doubleValue
    }
}
