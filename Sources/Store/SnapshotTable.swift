package import CityModel
internal import GRDB
internal import Synchronization

/// How far a snapshot is (table 5.2.41-2). Raw values are stored and never change.
package enum SnapshotStatus: String, Sendable {
    case preparing, success, partial, failure, empty
}

/// A snapshot as the file keeps it, but for what it froze, which is a file of its own.
package struct SnapshotRecord: Sendable {
    /// Names what it froze; 0 before it is stored.
    package fileprivate(set) var number: Int64 = 0
    package let id: String
    /// What it was made with and how that went: a document that the rooms above understand.
    package var body: JSON
    package var status: SnapshotStatus
    /// The most confidential class that whoever made it could see.
    package let classificationMax: Classification
    package var priority: Int
    package let createdAt: Instant
    package var modifiedAt: Instant
    package var expiresAt: Instant
    package var lastUsedAt: Instant
    /// Attempts left to tell its endpoint what became of it; 0 when there is nothing to tell.
    package var untoldCount: Int

    package init(
        id: String, body: JSON, classificationMax: Classification, priority: Int, createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.body, self.status, self.classificationMax, self.priority) = (id, body, .preparing, classificationMax, priority)
        (self.createdAt, modifiedAt, lastUsedAt, self.expiresAt, untoldCount) = (createdAt, createdAt, createdAt, expiresAt, 0)
    }
}

extension ReadSnapshot {
    private static var snapshotColumns: String {
        "number, id, body, status, classification_max, priority, created_us, modified_us, expires_us, used_us, untold"
    }

    /// Nil when there is none or its time has passed.
    package func snapshot(_ id: String, at now: Instant) throws -> SnapshotRecord? {
        try row("SELECT \(Self.snapshotColumns) FROM snapshot WHERE id = ? AND expires_us > ?", [id, now.microseconds]).map(SnapshotRecord.init)
    }

    /// All of them, by identifier: a municipality has few.
    package func snapshots() throws -> [SnapshotRecord] {
        let cursor = try rows("SELECT \(Self.snapshotColumns) FROM snapshot ORDER BY id")
        var records: [SnapshotRecord] = []
        while let row = try cursor.next() { records.append(try SnapshotRecord(row)) }
        return records
    }

    /// Removed snapshots of which there may still be a file.
    package func removedSnapshots() throws -> [Int64] { try Int64.fetchAll(db, sql: "SELECT number FROM removed_snapshot") }
}

extension WriteTransaction {
    /// - Returns: the number that what it freezes goes by.
    @discardableResult
    package func insert(_ record: SnapshotRecord) throws -> Int64 {
        try execute(
            """
            INSERT INTO snapshot (id, body, status, classification_max, priority, created_us, modified_us, expires_us, used_us, untold)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.id, record.body.blob, record.status.rawValue, record.classificationMax.rank, record.priority,
                record.createdAt.microseconds, record.modifiedAt.microseconds, record.expiresAt.microseconds,
                record.lastUsedAt.microseconds, record.untoldCount,
            ])
        return db.lastInsertedRowID
    }

    /// Puts a changed record in the place of the one with its number.
    /// - Returns: whether that was still there.
    @discardableResult
    package func update(_ record: SnapshotRecord) throws -> Bool {
        try execute(
            """
            UPDATE snapshot SET body = ?, status = ?, priority = ?, modified_us = ?, expires_us = ?, used_us = max(used_us, ?), untold = ?
            WHERE number = ?
            """,
            [
                record.body.blob, record.status.rawValue, record.priority, record.modifiedAt.microseconds, record.expiresAt.microseconds,
                record.lastUsedAt.microseconds, record.untoldCount, record.number,
            ])
        return db.changesCount > 0
    }

    package func setLastUse(_ snapshot: Int64, _ moment: Instant) throws {
        try execute("UPDATE snapshot SET used_us = max(used_us, ?) WHERE number = ?", [moment.microseconds, snapshot])
    }

    /// From here on there is no such snapshot; its file is still to be removed.
    package func removeSnapshot(_ number: Int64) throws {
        try execute("DELETE FROM snapshot WHERE number = ?", [number])
        try execute("INSERT OR IGNORE INTO removed_snapshot (number) VALUES (?)", [number])
        try forgetReclassifications()
    }

    /// Notes that the file of a removed snapshot is gone.
    package func forgetRemovedSnapshot(_ number: Int64) throws { try execute("DELETE FROM removed_snapshot WHERE number = ?", [number]) }
}

extension SnapshotRecord {
    fileprivate init(_ row: Row) throws {
        guard let status = SnapshotStatus(rawValue: try row.decode(String.self, atIndex: 3)) else {
            throw CorruptRow(table: "snapshot", reason: "status")
        }
        guard let classificationMax = Classification(rank: try row.decode(Int.self, atIndex: 4)) else {
            throw CorruptRow(table: "snapshot", reason: "classification_max")
        }
        func moment(_ column: Int) throws -> Instant { Instant(microseconds: try row.decode(Int64.self, atIndex: column)) }
        let body = try row.withUnsafeData(atIndex: 2) { data in try data.map { try JSON(parsing: $0) } ?? .null }
        self.init(
            id: try row.decode(String.self, atIndex: 1), body: body, classificationMax: classificationMax,
            priority: try row.decode(Int.self, atIndex: 5), createdAt: try moment(6), expiresAt: try moment(8))
        number = try row.decode(Int64.self, atIndex: 0)
        self.status = status
        (modifiedAt, lastUsedAt, untoldCount) = (try moment(7), try moment(9), try row.decode(Int.self, atIndex: 10))
    }
}

extension JSON {
    fileprivate var blob: DatabaseValue {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes.databaseBlob
    }
}

/// When each snapshot of a municipality was used last.
final class SnapshotUses: Sendable {
    private let uses = Mutex<[Int64: Instant]>([:])

    func note(_ snapshot: Int64, _ moment: Instant) { uses.withLock { $0[snapshot] = max($0[snapshot] ?? moment, moment) } }
    func last(of snapshot: Int64) -> Instant? { uses.withLock { $0[snapshot] } }
    func take() -> [Int64: Instant] {
        uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
    }
}

extension MunicipalityFile {
    /// Notes that a snapshot is used; it is written down with the next sweep.
    package func noteUse(of snapshot: Int64, at now: Instant) { snapshotUses.note(snapshot, now) }
    /// The last use that is not written down yet.
    package func lastUse(of snapshot: Int64) -> Instant? { snapshotUses.last(of: snapshot) }
    package func takeSnapshotUses() -> [Int64: Instant] { snapshotUses.take() }
}
