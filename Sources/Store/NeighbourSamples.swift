package import CityModel
internal import Series

extension ReadSnapshot {
    /// The last numbers before an interval and the first after it, oldest first, as far as they are kept one by one and the series did not end in
    /// between. Of several records of one moment the last counts; what may not be seen, and what has expired, is not there.
    /// - Parameter window: its `temporal` is not looked at.
    /// - Parameter countMax: on each side.
    package func neighbours(
        of entity: Int64, _ series: Series, around interval: Range<Instant>, countMax: Int, _ window: HistoryWindow
    ) throws -> (before: [Sample], after: [Sample]) {
        let (from, to) = (interval.lowerBound.microseconds, interval.upperBound.microseconds)
        let before = from > .min ? try samples(of: key(entity, series), in: .min...(from - 1), isBackwards: true, countMax: countMax, window) : []
        return (before.reversed(), try samples(of: key(entity, series), in: to ... .max, isBackwards: false, countMax: countMax, window))
    }

    /// As many numbers as are asked for, in the direction of reading.
    private func samples(
        of series: SeriesKey, in span: ClosedRange<Int64>, isBackwards: Bool, countMax: Int, _ window: HistoryWindow
    ) throws -> [Sample] {
        let hidden = InstanceForm.hidden(from: try bound(window.classificationMax, of: series.entity))
        var merged = try MergedRecords(self, series, in: span, isBackwards: isBackwards)
        var (found, last, lookedAt) = ([Sample](), Int64?.none, 0)
        while case .record(let record)? = try merged.next() {
            lookedAt += 1
            if lookedAt % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
            guard record.isVisible(hidden, at: window.now.microseconds), record.form.isDeletion || record.sample.value.isNumeric else { continue }
            // The last record of a moment is met first when reading backwards.
            let isCorrection = last == record.sample.time
            if isCorrection, isBackwards { continue }
            if !isCorrection, found.count == countMax { break }
            if isCorrection { found.removeLast() }
            guard !record.form.isDeletion, let value = record.sample.value.doubleValue else { break }
            last = record.sample.time
            found.append(Sample(at: Instant(microseconds: record.sample.time), value: value))
        }
        return found
    }
}
