package import CityModel
internal import GRDB
internal import Query
package import Series

/// A part of a series as summing up takes it.
package enum HistorySpan {
    case record(RecordedInstance)
    /// Numbers of properties, with their moments in microseconds since 1970, in order; as many of both.
    case numbers(times: ArraySlice<Int64>, numbers: ArraySlice<Double>)
    /// Numbers of properties that were summed up when they were packed.
    case measures(Measures, first: Instant, last: Instant)
}

extension ReadSnapshot {
    /// Visits the records of a series within the window, forwards. Blocks of numbers that lie in chunks come together: those that
    /// are wanted whole as what was summed up of them, others as their numbers.
    /// - Parameter isWhole: whether all moments from the first to the second, both included, count as one.
    /// - Throws: `tooComplexQuery` when the window's deadline passes.
    package func visitSpans(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, isWhole: (Instant, Instant) -> Bool, _ visit: (HistorySpan) throws -> Bool
    ) throws {
        let property = window.temporal?.property
        guard property == .observedAt || property == nil, window.validity == nil, !window.isBackwards, let span = window.span,
            try reachesChunks(key(entity, series), window)
        else { return try visitRecords(of: entity, series, window) { try visit(.record($0)) } }
        let window = try seen(window, of: entity)
        let hidden = Int64(InstanceForm.hidden(from: window.classificationMax))
        var merged = try MergedRecords(self, key(entity, series), in: span)
        var (filter, buffer, lookedAt) = (MomentFilter(window), BlockBuffer(), 0)
        while let item = try merged.next(takingBlocks: { $0.isPlain(hidden) }) {
            lookedAt += 1
            if lookedAt % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
            switch item {
            case .record(let record):
                guard let told = filter.take(record) else { continue }
                guard try visit(.record(recorded(told, time: told.sample.time, entity, series))) else { return }
            case .block(let chunk, let index):
                // No moment of the block is that of a record before it.
                if let told = filter.end(), try !visit(.record(recorded(told, time: told.sample.time, entity, series))) { return }
                guard try visit(buffer.span(of: chunk, index, within: span, isWhole)) else { return }
            }
        }
        if let told = filter.end() { _ = try visit(.record(recorded(told, time: told.sample.time, entity, series))) }
    }
}

/// Room for the numbers of one block, used again for each.
struct BlockBuffer {
    private var times = [Int64](repeating: 0, count: Chunk.blockCount)
    private var numbers = [Double](repeating: 0, count: Chunk.blockCount)

    mutating func span(of chunk: Chunk, _ index: Int, within span: ClosedRange<Int64>, _ isWhole: (Instant, Instant) -> Bool) throws -> HistorySpan {
        let summary = chunk.summaries[index]
        let (first, last) = (Instant(microseconds: summary.firstTime), Instant(microseconds: summary.lastTime))
        if span.contains(summary.firstTime), span.contains(summary.lastTime), isWhole(first, last) {
            return .measures(summary.measures, first: first, last: last)
        }
        try corruptible { () throws(SeriesError) in try chunk.decode(block: index, times: &times, numbers: &numbers) }
        let inside = times[..<summary.count].partition(span)
        return .numbers(times: times[inside], numbers: numbers[inside])
    }
}

extension ArraySlice<Int64> {
    /// Where the numbers within a span are; they are in order.
    fileprivate func partition(_ span: ClosedRange<Int64>) -> Range<Int> {
        let start = firstIndex { $0 >= span.lowerBound } ?? endIndex
        let end = (lastIndex { $0 <= span.upperBound } ?? startIndex - 1) + 1
        return start..<Swift.max(start, end)
    }
}

extension BlockSummary {
    /// Whether each record is an observed property's number that may be seen, alone at its moment.
    func isPlain(_ hidden: Int64) -> Bool {
        guard isNumeric, hasDistinctMoments, let form, form < hidden else { return false }
        let said = InstanceForm(number: Int(form))
        return said.kind == .property && said.isObserved && !said.isDeletion
    }
}
