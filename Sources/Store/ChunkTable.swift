internal import CityModel
internal import Foundation
internal import GRDB
internal import Series

/// Which series a row or a chunk belongs to, in the file's numbers.
struct SeriesKey: Hashable, Sendable {
    let entity: Int64
    let attribute: Int64
    let dataset: String

    static let columns = "entity, attribute, dataset"
    static let condition = "entity = ? AND attribute = ? AND dataset = ?"
    var arguments: StatementArguments { [entity, attribute, dataset] }
}

extension InstanceKey {
    var series: SeriesKey { SeriesKey(entity: entity, attribute: attribute, dataset: dataset) }
}

/// Older parts of series, each packed into one row (`chunk`). Chunks of one series never share a moment; rows of `instance` may
/// lie between the records of one, never with the key of one.
enum ChunkTable {
    /// Migration `0009-chunks`. `form_min` is that of the least confidential record; `recorded` spans the moments at which its
    /// records were recorded and `changed` those at which they were changed last. No
    /// number is given twice: whoever read a chunk knows whether it is still the same.
    static let schema = """
        CREATE TABLE chunk (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            from_us INTEGER NOT NULL,
            to_us INTEGER NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0),
            form_min INTEGER NOT NULL,
            recorded_from_us INTEGER NOT NULL,
            recorded_to_us INTEGER NOT NULL,
            changed_from_us INTEGER NOT NULL,
            changed_to_us INTEGER NOT NULL,
            data BLOB NOT NULL,
            CHECK (from_us <= to_us)
        ) STRICT;
        CREATE UNIQUE INDEX chunk_series ON chunk (entity, attribute, dataset, from_us);
        CREATE INDEX chunk_to ON chunk (to_us);
        CREATE INDEX chunk_form ON chunk (entity, attribute, dataset, form_min);
        """
}

/// Where a chunk lies, without what it holds.
struct ChunkSpan: Sendable {
    let id: Int64
    let from: Int64
    /// Included.
    let to: Int64
    let count: Int
}

/// Moments of records other than their own that `chunk` tells the span of.
enum ChunkMoment: String { case recorded, changed }

/// Records packed for `chunk`, with what its columns say of them.
struct PackedChunk: Sendable {
    let from: Int64, to: Int64
    let count: Int
    let formMin: Int64
    let recorded: ClosedRange<Int64>
    let changed: ClosedRange<Int64>
    let data: [UInt8]
    /// What its most confidential record is.
    let classificationMax: Classification

    /// - Parameter records: in order; at least one.
    init(_ records: [SampleRecord]) throws(SeriesError) {
        guard let first = records.first, let last = records.last else { throw .notASeries }
        data = try ChunkEncoder.encode(records)
        (from, to, count) = (first.time, last.time, records.count)
        var (formMin, formMax, recorded, changed) = (first.form, first.form, first.recorded...first.recorded, first.changed...first.changed)
        for record in records {
            (formMin, formMax) = (min(formMin, record.form), max(formMax, record.form))
            recorded = min(recorded.lowerBound, record.recorded)...max(recorded.upperBound, record.recorded)
            changed = min(changed.lowerBound, record.changed)...max(changed.upperBound, record.changed)
        }
        (self.formMin, self.recorded, self.changed) = (formMin, recorded, changed)
        classificationMax = InstanceForm(number: Int(formMax)).classification
    }
}

extension SampleRecord {
    var recorded: Int64 { time &+ late }
    /// When it was changed last, which is when it was recorded where it never was.
    var changed: Int64 { modified ?? recorded }
}

extension ReadSnapshot {
    /// Whether there is any chunk; asked once for each snapshot.
    func holdsChunks() throws -> Bool {
        if let known = knowsChunks { return known }
        let holds = try row("SELECT 1 FROM chunk LIMIT 1") != nil
        knowsChunks = holds
        return holds
    }

    /// The last moment that any chunk holds; nil when there is none.
    func lastSealedMoment() throws -> Int64? { try row("SELECT max(to_us) FROM chunk")?.decode(Int64?.self, atIndex: 0) }

    /// How many records chunks hold.
    package func sealedCount() throws -> Int { try row("SELECT coalesce(sum(count), 0) FROM chunk")?.decode(Int.self, atIndex: 0) ?? 0 }

    func hasChunk(of entity: Int64, _ hidden: Int) throws -> Bool {
        try holdsChunks() && row("SELECT 1 FROM chunk WHERE entity = ? AND form_min < ? LIMIT 1", [entity, hidden]) != nil
    }

    /// The next attribute of an entity with a chunk of which something may be seen.
    func chunkAttribute(of entity: Int64, after attribute: Int64, _ hidden: Int) throws -> Int64? {
        guard try holdsChunks() else { return nil }
        return try row(
            "SELECT attribute FROM chunk WHERE entity = ? AND attribute > ? AND form_min < ? ORDER BY attribute LIMIT 1",
            [entity, attribute, hidden])?.decode(Int64.self, atIndex: 0)
    }

    /// The datasets of an attribute's chunks of which something may be seen, in order of their bytes.
    /// - Complexity: two look-ups for each dataset, however many chunks it has.
    func chunkDatasets(of entity: Int64, attribute: Int64, _ hidden: Int) throws -> [String] {
        guard try holdsChunks() else { return [] }
        var datasets: [String] = []
        var sql = "SELECT dataset FROM chunk WHERE entity = ? AND attribute = ? AND dataset >= ? ORDER BY dataset LIMIT 1"
        var last = ""
        while let row = try row(sql, [entity, attribute, last]) {
            last = try row.decode(String.self, atIndex: 0)
            sql = "SELECT dataset FROM chunk WHERE entity = ? AND attribute = ? AND dataset > ? ORDER BY dataset LIMIT 1"
            let isSeen = try self.row("SELECT 1 FROM chunk WHERE \(SeriesKey.condition) AND form_min < ? LIMIT 1", [entity, attribute, last, hidden]) != nil
            if isSeen { datasets.append(last) }
        }
        return datasets
    }

    /// Whether a chunk of the series holds moments of a span, both ends included.
    func hasChunk(of series: SeriesKey, from: Int64 = .min, to: Int64 = .max) throws -> Bool {
        try holdsChunks() && chunkSpan(of: series, from: from, to: to, isBackwards: false) != nil
    }

    /// The first chunk of a series, or the last, that holds moments of a span, both ends included.
    func chunkSpan(of series: SeriesKey, from: Int64, to: Int64, isBackwards: Bool) throws -> ChunkSpan? {
        let columns = "SELECT id, from_us, to_us, count FROM chunk WHERE \(SeriesKey.condition)"
        // Chunks are in the order of their ends as in that of their beginnings: the last that begins before is the only one of
        // those that may reach into the span.
        let before = try row("\(columns) AND from_us <= ? ORDER BY from_us DESC LIMIT 1", series.arguments + [isBackwards ? to : from])
            .map(ChunkSpan.init)
        if let before, before.to >= from { return before }
        guard !isBackwards, from < to else { return nil }
        return try row("\(columns) AND from_us > ? AND from_us <= ? ORDER BY from_us LIMIT 1", series.arguments + [from, to]).map(ChunkSpan.init)
    }

    /// Where all chunks of a series lie, in order.
    func chunkSpans(of series: SeriesKey) throws -> [ChunkSpan] {
        guard try holdsChunks() else { return [] }
        let cursor = try rows("SELECT id, from_us, to_us, count FROM chunk WHERE \(SeriesKey.condition) ORDER BY from_us", series.arguments)
        var spans: [ChunkSpan] = []
        while let row = try cursor.next() { spans.append(try ChunkSpan(row)) }
        return spans
    }

    /// Those of which a record was recorded, or else changed last, within a span, both ends included.
    func chunkSpans(of series: SeriesKey, _ which: ChunkMoment, from: Int64, to: Int64) throws -> [ChunkSpan] {
        guard try holdsChunks() else { return [] }
        let name = which.rawValue
        let cursor = try rows(
            """
            SELECT id, from_us, to_us, count FROM chunk WHERE \(SeriesKey.condition) AND \(name)_to_us >= ? AND \(name)_from_us <= ?
            ORDER BY from_us
            """, series.arguments + [from, to])
        var spans: [ChunkSpan] = []
        while let row = try cursor.next() { spans.append(try ChunkSpan(row)) }
        return spans
    }

    /// A chunk, opened. Who writes late instances mostly comes to the same again.
    func chunk(_ span: ChunkSpan) throws -> Chunk {
        guard let chunk = try readableChunk(span) else { throw CorruptRow(table: "chunk", reason: "\(span.id): its key is gone") }
        return chunk
    }

    /// The same; nil where the key of what is personal is gone.
    func readableChunk(_ span: ChunkSpan) throws -> Chunk? {
        if let chunk = chunks?.chunk(span.id) { return chunk }
        if let openedChunk, openedChunk.id == span.id { return openedChunk.chunk }
        guard let row = try row(Self.selectChunk, [span.id]) else {
            throw CorruptRow(table: "chunk", reason: "\(span.id) is not there")
        }
        guard let bytes = try row.bytes(atIndex: 0) else { return nil }
        do {
            let chunk = try Chunk(bytes)
            if let chunks { chunks.insert(chunk, span.id) } else { openedChunk = (span.id, chunk) }
            return chunk
        } catch { throw CorruptRow(table: "chunk", reason: "\(span.id): \(error)") }
    }

    private static let selectChunk = "SELECT \(Opened.bytes("data")) FROM chunk WHERE id = ?"

    /// Where the chunks of a series lie that hold moments of a span, both ends included, one after the other; the first may end before
    /// the span. Backwards, what follows the first that does so does too.
    func chunkRows(of series: SeriesKey, in span: ClosedRange<Int64>, isBackwards: Bool) throws -> RowCursor? {
        guard try holdsChunks() else { return nil }
        return isBackwards
            ? try rows(Self.chunksBackwards, series.arguments + [span.upperBound])
            : try rows(Self.chunksForwards, series.arguments + [span.upperBound, span.lowerBound])
    }

    private static let chunksBackwards = """
        SELECT id, from_us, to_us, count FROM chunk WHERE \(SeriesKey.condition) AND from_us <= ? ORDER BY from_us DESC
        """
    /// Chunks are in the order of their ends as in that of their beginnings: the last that begins before the span is the only one of
    /// those that may reach into it.
    private static let chunksForwards = """
        SELECT id, from_us, to_us, count FROM chunk WHERE entity = ?1 AND attribute = ?2 AND dataset = ?3 AND from_us <= ?4
        AND from_us >= coalesce(
            (SELECT from_us FROM chunk WHERE entity = ?1 AND attribute = ?2 AND dataset = ?3 AND from_us <= ?5 ORDER BY from_us DESC LIMIT 1), ?5)
        ORDER BY from_us
        """
}

extension WriteTransaction {
    func insert(_ chunk: PackedChunk, of series: SeriesKey) throws {
        try execute(
            """
            INSERT INTO chunk (\(SeriesKey.columns), from_us, to_us, count, form_min, recorded_from_us, recorded_to_us, changed_from_us,
                changed_to_us, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            series.arguments + [
                chunk.from, chunk.to, chunk.count, chunk.formMin, chunk.recorded.lowerBound, chunk.recorded.upperBound,
                chunk.changed.lowerBound, chunk.changed.upperBound, try data(chunk.data, of: series.entity, chunk.classificationMax),
            ])
        knowsChunks = true
        sealing.sealed(until: chunk.to)
    }

    func removeChunk(_ span: ChunkSpan) throws { try removeChunks("id = ?", [span.id]) }
    func removeChunks(of series: SeriesKey) throws { try removeChunks(SeriesKey.condition, series.arguments) }
    func removeChunks(of entity: Int64) throws { try removeChunks("entity = ?", [entity]) }

    func removeSealedChunks(of entity: Int64) throws {
        try removeChunks("entity = ? AND \(Opened.isSealed("data"))", [entity])
        openedSummaries = nil
        try execute("DELETE FROM summary WHERE entity = ? AND \(Opened.isSealed("data"))", [entity])
    }

    private func removeChunks(_ condition: String, _ arguments: StatementArguments) throws {
        openedChunk = nil
        try execute("DELETE FROM chunk WHERE \(condition)", arguments)
    }
}

extension ChunkSpan {
    /// - Parameter row: number, beginning, end and count.
    init(_ row: Row) throws {
        id = try row.decode(Int64.self, atIndex: 0)
        (from, to) = (try row.decode(Int64.self, atIndex: 1), try row.decode(Int64.self, atIndex: 2))
        count = try row.decode(Int.self, atIndex: 3)
    }
}
