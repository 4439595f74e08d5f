package import CityModel
internal import GRDB

/// One run of a source: when it ran and what came of it.
package struct ImportRun: Hashable, Sendable {
    package let number: Int64
    package let source: String
    package let sourceVersion: String
    package let startedAt: Instant
    /// Nil while it runs, and for one that was cut off.
    package let finishedAt: Instant?
    package let report: JSON?
}

extension ReadSnapshot {
    package func importRun(_ number: Int64) throws -> ImportRun? {
        try row("SELECT \(ImportRun.columns) FROM import_run WHERE id = ?", [number]).map(ImportRun.init)
    }

    /// The newest run of a source.
    package func lastImportRun(of source: String) throws -> ImportRun? {
        try row("SELECT \(ImportRun.columns) FROM import_run WHERE source = ? ORDER BY id DESC LIMIT 1", [source]).map(ImportRun.init)
    }

    /// How many entities were last fed by a run of this source.
    package func entityCount(fedBy source: String) throws -> Int {
        let sql = "SELECT count(*) FROM entity WHERE run IN (SELECT id FROM import_run WHERE source = ?)"
        return try row(sql, [source])?.decode(Int.self, atIndex: 0) ?? 0
    }
}

extension WriteTransaction {
    /// Opens a run and returns its number. Of the source's older runs go those that nobody asks for any more.
    package func beginImportRun(source: String, version: String, at now: Instant) throws -> Int64 {
        try execute(
            "INSERT INTO import_run (source, source_version, started_us) VALUES (?, ?, ?)", [source, version, now.microseconds])
        let number = db.lastInsertedRowID
        try trimImportRuns(of: source, at: now)
        return number
    }

    /// Keeps of a source's runs the newest `ImportRun.keptCount`, those that fed an entity last, and the last one that rejected
    /// a record. One without an end is kept for a day, for it may still be running.
    private func trimImportRuns(of source: String, at now: Instant) throws {
        let oldest = try row(
            "SELECT id FROM import_run WHERE source = ? ORDER BY id DESC LIMIT 1 OFFSET ?", [source, ImportRun.keptCount - 1])
        guard let oldest = try oldest?.decode(Int64.self, atIndex: 0) else { return }
        let cursor = try rows(
            """
            SELECT \(ImportRun.columns) FROM import_run
            WHERE source = ? AND id < ? AND (finished_us IS NOT NULL OR started_us < ?)
            AND NOT EXISTS (SELECT 1 FROM entity WHERE run = import_run.id) ORDER BY id DESC LIMIT ?
            """, [source, oldest, now.adding(seconds: -86_400).microseconds, ImportRun.trimmedCount])
        var old: [ImportRun] = []
        while let row = try cursor.next() { old.append(try ImportRun(row)) }
        for run in old where try !run.rejectedRecords || hasRejected(source, after: run.number) {
            try execute("DELETE FROM import_run WHERE id = ?", [run.number])
        }
    }

    private func hasRejected(_ source: String, after number: Int64) throws -> Bool {
        let newer = try rows(
            "SELECT \(ImportRun.columns) FROM import_run WHERE source = ? AND id > ? AND report IS NOT NULL ORDER BY id DESC", [source, number])
        while let row = try newer.next() { if try ImportRun(row).rejectedRecords { return true } }
        return false
    }

    /// Puts another report in the place of a run's.
    func setImportReport(_ number: Int64, _ report: JSON) throws {
        var writer = JSONWriter()
        writer.write(report)
        try execute("UPDATE import_run SET report = ? WHERE id = ?", [writer.bytes.databaseBlob, number])
    }

    package func finishImportRun(_ number: Int64, report: JSON, at now: Instant) throws {
        var writer = JSONWriter()
        writer.write(report)
        try execute(
            "UPDATE import_run SET finished_us = ?, report = ? WHERE id = ?", [now.microseconds, writer.bytes.databaseBlob, number])
    }
}

extension ImportRun {
    /// Runs of one source that are kept whatever came of them.
    package static let keptCount = 100
    /// Runs that are removed at once.
    fileprivate static let trimmedCount = 200

    fileprivate var rejectedRecords: Bool { report?["rejected"]?.integerValue ?? 0 > 0 }

    fileprivate static let columns = "id, source, source_version, started_us, finished_us, report"

    fileprivate init(_ row: Row) throws {
        number = try row.decode(Int64.self, atIndex: 0)
        source = try row.decode(String.self, atIndex: 1)
        sourceVersion = try row.decode(String.self, atIndex: 2)
        startedAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 3))
        finishedAt = try row.decode(Int64?.self, atIndex: 4).map(Instant.init(microseconds:))
        report = try row.withUnsafeData(atIndex: 5) { data in try data.map { try JSON(parsing: $0) } }
    }
}
