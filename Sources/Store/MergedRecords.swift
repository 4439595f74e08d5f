internal import GRDB
internal import Series

/// The records of one series within a span of moments, from rows and chunks, in order of moment and lateness or the other way
/// round. One chunk is held at a time, and of it one block; neither is opened before a row that comes first is taken.
struct MergedRecords {
    enum Item {
        case record(StoredRecord)
        /// A whole block, where the caller takes it as such: no row lies within its span.
        case block(Chunk, Int)
    }

    private let snapshot: ReadSnapshot
    private let series: SeriesKey
    private let isBackwards: Bool
    /// What was asked for, both ends included.
    private let span: ClosedRange<Int64>
    private let rowCursor: RowCursor
    private var nextRow: StoredRecord?
    /// Nil when there are no chunks, or no more.
    private var chunkCursor: RowCursor?
    /// Where the chunk lies that comes next and was not opened yet.
    private var found: ChunkSpan?
    private var chunk: Chunk?
    /// Blocks of the chunk that are still to be opened.
    private var blocks: Range<Int> = 0..<0
    private var block: ChunkBlock?
    /// Records of the block that are still to be read.
    private var positions: Range<Int> = 0..<0

    init(_ snapshot: ReadSnapshot, _ series: SeriesKey, in span: ClosedRange<Int64>, isBackwards: Bool = false) throws {
        (self.snapshot, self.series, self.span, self.isBackwards) = (snapshot, series, span, isBackwards)
        chunkCursor = try snapshot.chunkRows(of: series, in: span, isBackwards: isBackwards)
        rowCursor = try snapshot.rows(isBackwards ? Self.rowsBackwards : Self.rowsForwards, series.arguments + [span.lowerBound, span.upperBound])
        try advance()
    }

    private static let rowsForwards = "\(rowsOfSpan) ORDER BY at_us, late_us"
    private static let rowsBackwards = "\(rowsOfSpan) ORDER BY at_us DESC, late_us DESC"
    private static let rowsOfSpan = "SELECT \(StoredRecord.columns) FROM instance WHERE \(SeriesKey.condition) AND at_us >= ? AND at_us <= ?"

    /// - Parameter takes: whether a block is wanted whole. Only forwards; it may reach beyond the span.
    mutating func next(takingBlocks takes: ((BlockSummary) -> Bool)? = nil) throws -> Item? {
        while positions.isEmpty {
            guard try findBlock() else { return try nextRow.map { try .record(takeRow($0)) } }
            if let found {
                if let row = nextRow, isFirst(row, found.from...found.to) { return try .record(takeRow(row)) }
                try openChunk(found)
                continue
            }
            guard let chunk, let index = isBackwards ? blocks.last : blocks.first else { return nil }
            let summary = chunk.summaries[index]
            if let row = nextRow, isFirst(row, summary.firstTime...max(summary.firstTime, summary.lastTime)) { return try .record(takeRow(row)) }
            if let takes, nextRow.map({ $0.sample.time > summary.lastTime }) ?? true, takes(summary) {
                blocks = blocks.dropFirst()
                return .block(chunk, index)
            }
            try openBlock(chunk, index)
        }
        guard let block, let position = isBackwards ? positions.last : positions.first else { return nil }
        if let row = nextRow {
            let isRowFirst = (row.sample.time, row.sample.late) < (block.times[position], block.lates[position])
            if isRowFirst != isBackwards { return try .record(takeRow(row)) }
        }
        positions = isBackwards ? positions.dropLast() : positions.dropFirst()
        return .record(StoredRecord(try corruptible { () throws(SeriesError) in try block.record(position) }))
    }

    private mutating func takeRow(_ row: StoredRecord) throws -> StoredRecord {
        try advance()
        return row
    }

    /// Rows that can't be opened are passed over.
    private mutating func advance() throws {
        nextRow = nil
        while nextRow == nil, let row = try rowCursor.next() { nextRow = try StoredRecord(row) }
    }

    /// Whether a row comes before all that lies within a span.
    private func isFirst(_ row: StoredRecord, _ span: ClosedRange<Int64>) -> Bool {
        isBackwards ? row.sample.time > span.upperBound : row.sample.time < span.lowerBound
    }

    /// Sees to it that there is a chunk to be opened, or that there are blocks of the one that is.
    /// - Returns: false when no chunk has any more.
    private mutating func findBlock() throws -> Bool {
        guard found == nil, blocks.isEmpty else { return true }
        while let row = try chunkCursor?.next() {
            let next = try ChunkSpan(row)
            if next.to >= span.lowerBound {
                found = next
                return true
            }
            if isBackwards { break }
        }
        chunkCursor = nil
        return false
    }

    private mutating func openChunk(_ next: ChunkSpan) throws {
        found = nil
        guard let opened = try snapshot.readableChunk(next) else { return }
        let wanted = opened.summaries.indices.filter {
            opened.summaries[$0].lastTime >= span.lowerBound && opened.summaries[$0].firstTime <= span.upperBound
        }
        (chunk, blocks) = (opened, (wanted.first ?? 0)..<((wanted.last ?? -1) + 1))
    }

    private mutating func openBlock(_ chunk: Chunk, _ index: Int) throws {
        blocks = isBackwards ? blocks.dropLast() : blocks.dropFirst()
        let opened = try corruptible { () throws(SeriesError) in try chunk.block(index) }
        let end = span.upperBound == .max ? opened.count : opened.position(notBefore: span.upperBound + 1)
        positions = min(opened.position(notBefore: span.lowerBound), end)..<end
        block = opened
    }
}

/// What a damaged chunk throws, as what any damaged row throws.
func corruptible<Value>(_ body: () throws(SeriesError) -> Value) throws -> Value {
    do { return try body() } catch { throw CorruptRow(table: "chunk", reason: "\(error)") }
}
