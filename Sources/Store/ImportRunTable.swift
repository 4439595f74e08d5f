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
    /// Opens a run and returns its number.
    package func beginImportRun(source: String, version: String, at now: Instant) throws -> Int64 {
        try execute(
            "INSERT INTO import_run (source, source_version, started_us) VALUES (?, ?, ?)", [source, version, now.microseconds])
        return db.lastInsertedRowID
    }

    package func finishImportRun(_ number: Int64, report: JSON, at now: Instant) throws {
        var writer = JSONWriter()
        writer.write(report)
        try execute(
            "UPDATE import_run SET finished_us = ?, report = ? WHERE id = ?", [now.microseconds, writer.bytes.databaseBlob, number])
    }
}

extension ImportRun {
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
