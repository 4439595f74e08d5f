internal import CityModel
internal import GRDB
internal import Series

extension ReadSnapshot {
    /// Series from a position on that have enough old rows.
    /// - Returns: those; and the last series that was looked at, nil when there are no more.
    func sealable(_ policy: SealingPolicy, after position: SeriesKey?, limit: Int) throws -> (series: [SeriesKey], last: SeriesKey?) {
        let scopes = terms.number(of: .scopeMember)
        var (found, last, count) = ([SeriesKey](), position, 0)
        while count < limit {
            let next =
                if let last { try nextSeries("WHERE (\(SeriesKey.columns)) > (?, ?, ?)", last.arguments) } else { try nextSeries("", []) }
            guard let next else { return (found, nil) }
            (last, count) = (next, count + 1)
            let span = Int64.min...(policy.before.microseconds - 1)
            if next.attribute != scopes, try sealableCount(of: next, in: span, atMost: policy.rowCountMin) == policy.rowCountMin {
                found.append(next)
            }
        }
        return (found, last)
    }

    private func nextSeries(_ condition: String, _ arguments: StatementArguments) throws -> SeriesKey? {
        let row = try row(
            "SELECT \(SeriesKey.columns) FROM instance \(condition) ORDER BY \(SeriesKey.columns) LIMIT 1", arguments)
        guard let row else { return nil }
        return SeriesKey(
            entity: try row.decode(Int64.self, atIndex: 0), attribute: try row.decode(Int64.self, atIndex: 1),
            dataset: try row.decode(String.self, atIndex: 2))
    }

    private func sealableCount(of series: SeriesKey, in span: ClosedRange<Int64>, atMost countMax: Int) throws -> Int {
        try row(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(SealingRule.condition) LIMIT ?
            )
            """, series.arguments + [span.lowerBound, span.upperBound, countMax])?.decode(Int.self, atIndex: 0) ?? 0
    }

    /// The first part of a series that has enough old rows, packed: what lies after its last chunk, with that as long as it is
    /// small; else what came late, with the chunk within which it lies or for itself where it lies in none.
    func sealingPlan(of series: SeriesKey, _ policy: SealingPolicy) throws -> SealingPlan? {
        let spans = try chunkSpans(of: series)
        for part in Self.parts(spans, before: policy.before.microseconds, policy) {
            guard try sealableCount(of: series, in: part.rows, atMost: policy.rowCountMin) == policy.rowCountMin else { continue }
            if let plan = try plan(part, of: series, policy) { return plan }
        }
        return nil
    }

    private typealias Part = (rows: ClosedRange<Int64>, replaced: ChunkSpan?)

    /// Chunks, what lies between them, and what lies after them. A chunk that reaches to `before` or further, as when the setting
    /// was raised or the clock set back, is left as it is: the sealer is not told of what is changed there (`SealingState`).
    private static func parts(_ spans: [ChunkSpan], before: Int64, _ policy: SealingPolicy) -> [Part] {
        guard before > .min else { return [] }
        var (parts, start) = ([Part](), Int64.min)
        for span in spans {
            if start < min(span.from, before) { parts.append((start...(min(span.from, before) - 1), nil)) }
            guard span.to < before else { return parts }
            parts.append((span.from...span.to, span))
            guard span.to < before - 1 else { return parts }
            start = span.to + 1
        }
        let last = spans.last.flatMap { $0.count * 2 <= policy.chunkCountMax ? $0 : nil }
        return [(start...(before - 1), last)] + parts
    }

    private func plan(_ part: Part, of series: SeriesKey, _ policy: SealingPolicy) throws -> SealingPlan? {
        let rows = try sealableRows(of: series, in: part.rows, policy)
        guard let first = rows.records.first, let last = rows.records.last, rows.isCut || rows.records.count >= policy.rowCountMin else { return nil }
        var records = rows.records
        if let replaced = part.replaced {
            let chunk = try chunk(replaced)
            records = Self.merged(try corruptible { () throws(SeriesError) in try chunk.records() }, records)
        }
        guard let pieces = Self.pieces(records, policy) else { return nil }
        let chunks = try pieces.map { piece in try corruptible { () throws(SeriesError) in try PackedChunk(Array(records[piece])) } }
        return SealingPlan(
            series: series, replaced: part.replaced, rows: first.time...last.time, crowded: rows.crowded.filter { $0 < last.time },
            rowCount: rows.records.count, chunks: chunks)
    }

    /// Rows, whole moments of them, that one plan takes.
    private struct SealableRows {
        var records: [SampleRecord] = []
        /// Moments of more records than are packed; they stay rows.
        var crowded: [Int64] = []
        /// Whether there are more than fit.
        var isCut = false
        private var byteCount = 0

        /// - Returns: false when there is no room for it.
        mutating func take(_ moment: [SampleRecord], _ policy: SealingPolicy) -> Bool {
            guard let time = moment.first?.time else { return true }
            if moment.count > SealingPolicy.momentCountMax {
                crowded.append(time)
                // The statement that deletes what is sealed names them.
                isCut = crowded.count >= SealingPolicy.crowdedCountMax && !records.isEmpty
                if crowded.count > SealingPolicy.crowdedCountMax { crowded.removeFirst() }
                return !isCut
            }
            let momentByteCount = moment.reduce(0) { $0 + $1.byteCount }
            let fits = records.count + moment.count <= policy.rowCountMax && byteCount + momentByteCount <= policy.rowByteCountMax
            guard records.isEmpty || fits else {
                isCut = true
                return false
            }
            // Those before the first record lie outside of what is deleted.
            if records.isEmpty { crowded = [] }
            records += moment
            byteCount += momentByteCount
            return true
        }
    }

    private func sealableRows(of series: SeriesKey, in span: ClosedRange<Int64>, _ policy: SealingPolicy) throws -> SealableRows {
        let cursor = try rows(
            """
            SELECT \(StoredRecord.columns) FROM instance WHERE \(SeriesKey.condition) AND at_us BETWEEN ? AND ? AND \(SealingRule.condition)
            ORDER BY at_us, late_us
            """, series.arguments + [span.lowerBound, span.upperBound])
        var (found, moment) = (SealableRows(), [SampleRecord]())
        while let row = try cursor.next() {
            let time = try row.decode(Int64.self, atIndex: 0)
            if let last = moment.last, last.time != time {
                guard found.take(moment, policy) else { return found }
                moment = []
            }
            // One more than is packed says that there are too many.
            if moment.count <= SealingPolicy.momentCountMax { if let record = try StoredRecord(row) { moment.append(record.sample) } }
        }
        _ = found.take(moment, policy)
        return found
    }

    private static func merged(_ left: [SampleRecord], _ right: [SampleRecord]) -> [SampleRecord] {
        var (merged, rest) = ([SampleRecord](), right[...])
        merged.reserveCapacity(left.count + right.count)
        for record in left {
            while let next = rest.first, next.isBefore(record) { merged.append(rest.removeFirst()) }
            merged.append(record)
        }
        return merged + rest
    }

    /// Parts of about equal size, none larger than a chunk may be, that share no moment; nil when one moment has more records
    /// than fit.
    static func pieces(_ records: [SampleRecord], _ policy: SealingPolicy) -> [Range<Int>]? {
        let count = (records.count + policy.chunkCountMax - 1) / policy.chunkCountMax
        var (pieces, start) = ([Range<Int>](), 0)
        while start < records.count {
            let wanted = max(1, min(policy.chunkCountMax, (records.count - start) / max(1, count - pieces.count)))
            var (end, byteCount) = (start, 0)
            while end < start + wanted, byteCount <= policy.chunkByteCountMax {
                byteCount += records[end].byteCount
                end += 1
            }
            while end < records.count, end > start, records[end].time == records[end - 1].time { end -= 1 }
            // The moment in the middle begins with the piece: it ends after it.
            if end == start {
                end = start + 1
                while end < records.count, records[end].time == records[start].time { end += 1 }
            }
            guard end - start <= Chunk.countMax else { return nil }
            pieces.append(start..<end)
            start = end
        }
        return pieces
    }
}

extension SampleRecord {
    /// What it takes at most of a chunk's dictionary.
    var byteCount: Int { value.byteCount + (unit?.utf8.count ?? 0) + (rest?.count ?? 0) }
}

extension SampleValue {
    fileprivate var byteCount: Int {
        switch self {
        case .integer, .number: 9
        case .text(let text): text.utf8.count + 1
        case .document(let bytes): bytes.count + 1
        }
    }
}
