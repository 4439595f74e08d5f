internal import CityModel
internal import GRDB
internal import Series

/// What charts and imports ask of a series of which a part lies in chunks.
extension ReadSnapshot {
    /// As `history`: of each moment the last record that may be seen and is no trace of a deletion.
    func mergedHistory(
        of series: SeriesKey, in interval: Range<Instant>, limit: Int, _ hidden: Int, at now: Instant
    ) throws -> [HistoryInstance] {
        var instances: [HistoryInstance] = []
        try visitMoments(of: series, in: interval, hidden, at: now) { record in
            instances.append(try HistoryInstance(record))
            return instances.count < limit
        }
        return Array(instances.prefix(limit))
    }

    /// As `value`: the newest record at or before a moment, unless it is the trace of a deletion.
    func mergedValue(of series: SeriesKey, at moment: Instant, _ hidden: Int, now: Instant) throws -> HistoryInstance? {
        var merged = try MergedRecords(self, series, in: .min...moment.microseconds, isBackwards: true)
        while case .record(let record)? = try merged.next() {
            guard record.isVisible(hidden, at: now.microseconds) else { continue }
            return record.form.isDeletion ? nil : try HistoryInstance(record)
        }
        return nil
    }

    /// Whether there are two records that may be seen.
    func hasTwo(of series: SeriesKey, _ hidden: Int, at now: Instant) throws -> Bool {
        var merged = try MergedRecords(self, series, in: .min ... .max)
        var count = 0
        while count < 2, case .record(let record)? = try merged.next() { count += record.isVisible(hidden, at: now.microseconds) ? 1 : 0 }
        return count == 2
    }

    /// As `livePoints`.
    func mergedPoints(
        of series: SeriesKey, in interval: Range<Instant>, countMax: Int, _ hidden: Int, at now: Instant
    ) throws -> [LivePoint] {
        let (from, to) = (interval.lowerBound.microseconds, interval.upperBound.microseconds)
        let width = max(1, (to - from) / Int64(countMax) + 1)
        var few: [LivePoint] = []
        var (spans, current) = ([LivePoint](), PointSpan())
        try visitMoments(of: series, in: interval, onlyNumbers: true, hidden, at: now) { record in
            guard let number = record.sample.value.doubleValue else { return true }
            if few.count <= countMax { few.append(LivePoint(at: Instant(microseconds: record.sample.time), value: number)) }
            let index = (record.sample.time - from) / width
            if index != current.index, let point = current.point {
                spans.append(point)
                current = PointSpan()
            }
            current.index = index
            current.add(record.sample.time, number)
            return true
        }
        guard few.count > countMax else { return few }
        return spans + (current.point.map { [$0] } ?? [])
    }

    /// Of each moment, oldest first, the last of those that may be seen and are no traces of deletions.
    private func visitMoments(
        of series: SeriesKey, in interval: Range<Instant>, onlyNumbers: Bool = false, _ hidden: Int, at now: Instant,
        _ visit: (StoredRecord) throws -> Bool
    ) throws {
        guard !interval.isEmpty else { return }
        var merged = try MergedRecords(self, series, in: interval.lowerBound.microseconds...(interval.upperBound.microseconds - 1))
        var held: StoredRecord?
        while case .record(let record)? = try merged.next() {
            guard record.isVisible(hidden, at: now.microseconds), !record.form.isDeletion, !onlyNumbers || record.sample.value.isNumeric
            else { continue }
            if let held, held.sample.time != record.sample.time, try !visit(held) { return }
            held = record
        }
        if let held { _ = try visit(held) }
    }
}

/// What falls into one of the spans of a chart.
private struct PointSpan {
    var index: Int64?
    private var times = WideSum()
    private var numbers = Measures()

    mutating func add(_ time: Int64, _ number: Double) {
        times.add(Double(time))
        numbers.add(number)
    }

    var point: LivePoint? {
        guard numbers.count > 0 else { return nil }
        return LivePoint(at: Instant(microseconds: Int64(times.value / Double(numbers.count))), value: numbers.mean)
    }
}

extension HistoryInstance {
    fileprivate init(_ record: StoredRecord) throws {
        self.init(at: Instant(microseconds: record.sample.time), value: try record.sample.value.json(), unitCode: record.sample.unit)
    }
}
