internal import CityModel
internal import Foundation
internal import GRDB
internal import Series

/// How summaries of a series are kept. Raw values are stored and never change.
package enum SummaryLevel: Int, Hashable, Sendable, CaseIterable { case hourly = 1, daily }

/// What the numbers of one summary have in common: who may see them, and what they measure.
struct SummaryGroup: Hashable, Sendable {
    /// As `instance.form`.
    let form: Int64
    /// The least rank of a reader who sees others in their place: of several records of one moment the last that may be seen counts.
    let until: Int
    let unit: String?

    /// `until` of what nothing takes the place of.
    static let neverReplaced = 5

    var rank: Int { Int(form) / InstanceForm.classificationUnit }
    func isVisible(_ classificationMax: Classification) -> Bool { rank <= classificationMax.rank && classificationMax.rank < until }
}

/// Summaries of series whose own numbers are gone (`summary`), some hundred in a row, and what is known of what went (`thinned`).
enum SummaryTable {
    /// Migration `0012-retention`. `to_us` is where the last period ends. `thinned` has of each series and rank the first moment that is
    /// gone and the ends of the last periods that are whole no longer, hourly no longer, and no longer there at all; and the
    /// same of what was no number, which has no summaries. `past_source` says which source wrote an entity last that is gone.
    static let schema = """
        CREATE TABLE summary (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            level INTEGER NOT NULL CHECK (level IN (1, 2)),
            form INTEGER NOT NULL,
            until INTEGER NOT NULL CHECK (until BETWEEN 1 AND 5),
            unit TEXT,
            from_us INTEGER NOT NULL,
            to_us INTEGER NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0),
            data BLOB NOT NULL,
            CHECK (from_us < to_us)
        ) STRICT;
        CREATE INDEX summary_series ON summary (entity, attribute, dataset, level, from_us);

        CREATE TABLE thinned (
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            rank INTEGER NOT NULL CHECK (rank BETWEEN 0 AND 4),
            from_us INTEGER,
            raw_us INTEGER,
            hourly_us INTEGER,
            daily_us INTEGER,
            other_from_us INTEGER,
            other_us INTEGER,
            PRIMARY KEY (entity, attribute, dataset, rank)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE past_source (past INTEGER PRIMARY KEY, source TEXT NOT NULL) STRICT;
        -- Of those that went before this table came it is not known; no source has an empty name.
        INSERT INTO past_source (past, source) SELECT id, '' FROM past;
        """
}

/// Where summaries lie, without what they say.
struct SummarySpan: Sendable {
    let id: Int64
    let level: SummaryLevel
    let group: SummaryGroup
    let from: Int64
    /// Not included.
    let to: Int64
    let count: Int

    static let columns = "id, level, form, until, unit, from_us, to_us, count"

    init(_ row: Row) throws {
        id = try row.decode(Int64.self, atIndex: 0)
        guard let level = SummaryLevel(rawValue: try row.decode(Int.self, atIndex: 1)) else {
            throw CorruptRow(table: "summary", reason: "level")
        }
        self.level = level
        group = SummaryGroup(
            form: try row.decode(Int64.self, atIndex: 2), until: try row.decode(Int.self, atIndex: 3),
            unit: try row.decode(String?.self, atIndex: 4))
        (from, to) = (try row.decode(Int64.self, atIndex: 5), try row.decode(Int64.self, atIndex: 6))
        count = try row.decode(Int.self, atIndex: 7)
    }
}

/// Summaries packed for `summary`.
struct PackedSummaries: Sendable {
    let level: SummaryLevel
    let group: SummaryGroup
    let from: Int64, to: Int64
    let count: Int
    let data: [UInt8]

    /// - Parameter summaries: in order; at least one.
    init(_ summaries: [PeriodSummary], _ level: SummaryLevel, _ group: SummaryGroup) throws(SeriesError) {
        guard let first = summaries.first, let to = summaries.map(\.end).max() else { throw .notASeries }
        data = try SummaryChunk.encode(summaries)
        (self.level, self.group, from, self.to, count) = (level, group, first.start, to, summaries.count)
    }

    /// As many rows as they need.
    static func rows(_ summaries: [PeriodSummary], _ level: SummaryLevel, _ group: SummaryGroup) throws -> [PackedSummaries] {
        try stride(from: 0, to: summaries.count, by: SummaryChunk.countMax).map { start in
            let part = Array(summaries[start..<min(start + SummaryChunk.countMax, summaries.count)])
            return try corruptible { () throws(SeriesError) in try PackedSummaries(part, level, group) }
        }
    }
}

extension ReadSnapshot {
    /// Whether anything was thinned; asked once for each snapshot.
    func holdsThinned() throws -> Bool {
        if let known = knowsThinned { return known }
        let holds = try row("SELECT 1 FROM thinned LIMIT 1") != nil
        knowsThinned = holds
        return holds
    }

    /// Where the summaries of a series lie of which a period may reach into a span, both ends included, in order of their beginnings.
    func summarySpans(of series: SeriesKey, _ level: SummaryLevel? = nil, from: Int64 = .min, to: Int64 = .max) throws -> [SummarySpan] {
        guard try holdsThinned() else { return [] }
        let levels = level.map { [$0] } ?? SummaryLevel.allCases
        var spans: [SummarySpan] = []
        for level in levels {
            let cursor = try rows(
                """
                SELECT \(SummarySpan.columns) FROM summary
                WHERE \(SeriesKey.condition) AND level = ? AND from_us <= ? AND to_us > ? ORDER BY from_us, id
                """, series.arguments + [level.rawValue, to, from])
            while let row = try cursor.next() { spans.append(try SummarySpan(row)) }
        }
        return spans
    }

    func summaries(_ span: SummarySpan) throws -> [PeriodSummary] {
        if let openedSummaries, openedSummaries.id == span.id { return openedSummaries.summaries }
        guard let row = try row("SELECT \(Opened.bytes("data")) FROM summary WHERE id = ?", [span.id]) else {
            throw CorruptRow(table: "summary", reason: "\(span.id) is not there")
        }
        // Those of which the key is gone say nothing.
        guard let data = try row.bytes(atIndex: 0) else { return [] }
        do {
            let summaries = try SummaryChunk.decode(data)
            openedSummaries = (span.id, summaries)
            return summaries
        } catch { throw CorruptRow(table: "summary", reason: "\(span.id): \(error)") }
    }

    /// The datasets of an attribute of which something that may be seen was thinned.
    func thinnedDatasets(of entity: Int64, attribute: Int64, _ hidden: Int) throws -> [String] {
        guard try holdsThinned() else { return [] }
        let cursor = try rows(
            "SELECT DISTINCT dataset FROM thinned WHERE entity = ? AND attribute = ? AND rank < ?",
            [entity, attribute, hidden / InstanceForm.classificationUnit])
        var datasets: [String] = []
        while let row = try cursor.next() { datasets.append(try row.decode(String.self, atIndex: 0)) }
        return datasets
    }

    /// The next attribute of an entity of which something that may be seen was thinned.
    func thinnedAttribute(of entity: Int64, after attribute: Int64, _ hidden: Int) throws -> Int64? {
        guard try holdsThinned() else { return nil }
        return try row(
            "SELECT attribute FROM thinned WHERE entity = ? AND attribute > ? AND rank < ? ORDER BY attribute LIMIT 1",
            [entity, attribute, hidden / InstanceForm.classificationUnit])?.decode(Int64.self, atIndex: 0)
    }

    func hasThinned(of entity: Int64, _ hidden: Int) throws -> Bool { try thinnedAttribute(of: entity, after: .min, hidden) != nil }

    /// Up to when anything is gone; nil when nothing is.
    func lastThinnedMoment() throws -> Int64? {
        try row("SELECT max(max(coalesce(raw_us, other_us), coalesce(other_us, raw_us))) FROM thinned")?.decode(Int64?.self, atIndex: 0)
    }
}

extension WriteTransaction {
    func insert(_ packed: PackedSummaries, of series: SeriesKey) throws {
        try execute(
            """
            INSERT INTO summary (\(SeriesKey.columns), level, form, until, unit, from_us, to_us, count, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            series.arguments + [
                packed.level.rawValue, packed.group.form, packed.group.until, packed.group.unit, packed.from, packed.to, packed.count,
                try data(packed.data, of: series.entity, InstanceForm(number: Int(packed.group.form)).classification),
            ])
    }

    /// - Returns: whether it was there.
    func removeSummaries(_ id: Int64) throws -> Bool {
        openedSummaries = nil
        try execute("DELETE FROM summary WHERE id = ?", [id])
        return db.changesCount == 1
    }

    /// Erases what is left of a series that was thinned, and that it was.
    func removeThinned(of series: SeriesKey) throws { try removeThinned(SeriesKey.condition, series.arguments) }
    func removeThinned(of entity: Int64) throws { try removeThinned("entity = ?", [entity]) }

    private func removeThinned(_ condition: String, _ arguments: StatementArguments) throws {
        openedSummaries = nil
        try execute("DELETE FROM summary WHERE \(condition)", arguments)
        try execute("DELETE FROM thinned WHERE \(condition)", arguments)
    }
}
