internal import CityModel
internal import GRDB
internal import Query
internal import Series

/// Reading of series of which a part lies in chunks: the same records, in the same order, as if all of them were rows.
extension ReadSnapshot {
    func key(_ entity: Int64, _ series: Series) -> SeriesKey {
        SeriesKey(entity: entity, attribute: series.number, dataset: series.datasetID?.text ?? "")
    }

    /// Whether a window reaches into a chunk of the series.
    func reachesChunks(_ series: SeriesKey, _ window: HistoryWindow) throws -> Bool {
        guard try holdsChunks() else { return false }
        guard let span = window.span else { return false }
        switch window.temporal?.property {
        case .observedAt?, nil: return try hasChunk(of: series, from: span.lowerBound, to: span.upperBound)
        // The trace of a deletion is never in a chunk.
        case .deletedAt?: return false
        case .createdAt?: return try !chunkSpans(of: series, .recorded, from: span.lowerBound, to: span.upperBound).isEmpty
        case .modifiedAt?: return try !chunkSpans(of: series, .changed, from: span.lowerBound, to: span.upperBound).isEmpty
        }
    }

    /// Visits records of a window that reaches into chunks.
    func visitMerged(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, limit: Int, _ visit: (RecordedInstance) throws -> Bool
    ) throws {
        switch window.temporal?.property {
        case .createdAt?: try visitSorted(of: entity, series, window, .recorded, limit: limit, visit)
        case .modifiedAt?: try visitSorted(of: entity, series, window, .changed, limit: limit, visit)
        case .observedAt?, .deletedAt?, nil: try visitInOrder(of: entity, series, window, limit: limit, visit)
        }
    }

    private func visitInOrder(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, limit: Int, _ visit: (RecordedInstance) throws -> Bool
    ) throws {
        guard let span = window.span, limit > 0 else { return }
        var merged = try MergedRecords(self, key(entity, series), in: span, isBackwards: window.isBackwards)
        var filter = MomentFilter(window)
        var (count, lookedAt) = (0, 0)
        func tell(_ record: StoredRecord) throws -> Bool {
            count += 1
            return try visit(recorded(record, time: record.sample.time, entity, series)) && count < limit
        }
        while case .record(let record)? = try merged.next() {
            lookedAt += 1
            if lookedAt % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
            if let told = filter.take(record), try !tell(told) { return }
        }
        if let told = filter.end() { _ = try tell(told) }
    }

    /// By the moment of recording or of the last change, in which records do not lie: all of the window are looked at.
    private func visitSorted(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, _ which: ChunkMoment, limit: Int, _ visit: (RecordedInstance) throws -> Bool
    ) throws {
        guard let span = window.span else { return }
        let hidden = Int64(InstanceForm.hidden(from: window.classificationMax))
        var first = FirstRecords(limit: limit, isBackwards: window.isBackwards)
        for chunkSpan in try chunkSpans(of: key(entity, series), which, from: span.lowerBound, to: span.upperBound) {
            guard let chunk = try readableChunk(chunkSpan) else { continue }
            for index in chunk.summaries.indices {
                try window.checkDeadline()
                let block = try corruptible { () throws(SeriesError) in try chunk.block(index) }
                for position in 0..<block.count {
                    let sample = try corruptible { () throws(SeriesError) in try block.record(position) }
                    let time = which == .recorded ? sample.recorded : sample.changed
                    if sample.form < hidden, window.holds(time) { try first.add(StoredRecord(sample), time: time) }
                }
            }
        }
        try visitRows(of: entity, series, window, limit: limit) { time, record in
            try first.add(record, time: time)
            return true
        }
        for (time, record) in first.sorted() where try !visit(recorded(record, time: time, entity, series)) { return }
    }

    /// The record as it is answered.
    /// - Parameter time: what the temporal query is about.
    func recorded(_ record: StoredRecord, time: Int64, _ entity: Int64, _ series: Series) throws -> RecordedInstance {
        let (sample, form) = (record.sample, record.form)
        var attribute = Attribute(
            kind: form.kind, value: try sample.value.json(), datasetID: series.datasetID,
            observedAt: form.isObserved ? Instant(microseconds: sample.time) : nil, unitCode: sample.unit)
        if form.isObserved || !form.isDeletion {
            attribute.createdAt = Instant(microseconds: sample.recorded)
            attribute.modifiedAt = Instant(microseconds: sample.changed)
        }
        attribute.expiresAt = record.expires.map(Instant.init(microseconds:))
        let marks = try sample.rest.map { try InstanceRest.read($0, into: &attribute) } ?? InstanceRest.Marks()
        let deletedAt = marks.isForeign ? marks.deletedAt : form.isDeletion ? Instant(microseconds: sample.time) : nil
        return RecordedInstance(
            attribute: attribute, deletedAt: deletedAt, time: Instant(microseconds: time),
            classification: form.classification,
            key: InstanceKey(
                entity: entity, attribute: series.number, dataset: series.datasetID?.text ?? "", atMicroseconds: sample.time,
                lateMicroseconds: sample.late),
            name: marks.instanceID)
    }
}

/// Of records that come in another order the first by a moment of theirs, as many as are asked for.
struct FirstRecords {
    /// Fewer are not sorted to be rid of some.
    private static let trimmedCountMin = 1024

    private let limit: Int
    private let isBackwards: Bool
    /// Records that are held at most.
    private let countMax: Int
    private var found: [(time: Int64, record: StoredRecord)] = []

    init(limit: Int, isBackwards: Bool, countMax: Int = 1_000_000) {
        (self.limit, self.isBackwards, self.countMax) = (limit, isBackwards, countMax)
    }

    /// - Throws: `tooComplexQuery` when there are too many and all are wanted.
    mutating func add(_ record: StoredRecord, time: Int64) throws(CityError) {
        found.append((time, record))
        if limit <= countMax / 2 {
            if found.count >= max(2 * limit, Self.trimmedCountMin) { found = sorted() }
        } else if found.count > countMax {
            throw .tooComplexQuery("more than \(countMax) instances of one attribute would have to be sorted; narrow the query by time")
        }
    }

    func sorted() -> [(time: Int64, record: StoredRecord)] {
        let all = found.sorted { left, right in
            let (first, second) = ((left.time, left.record.sample.late), (right.time, right.record.sample.late))
            if first != second { return (first < second) != isBackwards }
            return left.record.sample.time < right.record.sample.time
        }
        return Array(all.prefix(limit))
    }
}

/// Which records of a stream in order of moment a window holds. A query by `observedAt` reads of each moment the last that was
/// recorded and may be seen: those before it were corrected (clause 4.8).
struct MomentFilter {
    private let window: HistoryWindow
    private let hidden: Int
    private let now: Int64
    private let keepsLastOfMoment: Bool
    /// The last that was taken.
    private var held: StoredRecord?

    init(_ window: HistoryWindow) {
        self.window = window
        (hidden, now) = (InstanceForm.hidden(from: window.classificationMax), window.now.microseconds)
        keepsLastOfMoment = window.temporal?.property == .observedAt
    }

    /// - Returns: a record that the window holds, once it is known to be the last of its moment; nil when there is none yet.
    mutating func take(_ record: StoredRecord) -> StoredRecord? {
        guard record.isVisible(hidden, at: now), window.holds(record.sample.time) else { return nil }
        switch window.temporal?.property {
        case .observedAt?:
            guard record.form.isObserved else { return nil }
        case .deletedAt?:
            guard record.form.isDeletion else { return nil }
        case .createdAt?, .modifiedAt?, nil: break
        }
        guard keepsLastOfMoment else { return record }
        let before = held
        held = record
        // Backwards, the first that is met of a moment is the last that was recorded.
        if window.isBackwards { return before?.sample.time == record.sample.time ? nil : record }
        return before?.sample.time == record.sample.time ? nil : before
    }

    /// The record that was waited with, after the last was taken.
    mutating func end() -> StoredRecord? {
        defer { held = nil }
        return window.isBackwards ? nil : held
    }
}

extension HistoryWindow {
    /// The moments that it reaches over, both ends included; nil when there are none.
    var span: ClosedRange<Int64>? {
        var (from, to) = (temporal?.lowerBound?.microseconds ?? .min, temporal?.upperBound?.microseconds ?? .max)
        if let validity {
            guard let first = validity.first, let last = validity.last else { return nil }
            (from, to) = (max(from, first.lowerBound.microseconds), min(to, last.upperBound.microseconds))
        }
        // The upper ends are those of half-open intervals.
        if to != .max || temporal?.upperBound != nil || validity != nil { to = to == .min ? to : to - 1 }
        return from <= to ? from...to : nil
    }

    /// Whether a moment of what is asked for lies in it.
    func holds(_ microseconds: Int64) -> Bool {
        let moment = Instant(microseconds: microseconds)
        guard temporal?.matches(moment) ?? true else { return false }
        return validity.map { $0.contains { $0.contains(moment) } } ?? true
    }
}
