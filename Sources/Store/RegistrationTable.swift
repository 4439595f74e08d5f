package import CityModel
internal import GRDB
internal import OrderedCollections
internal import Synchronization

/// A registration of a context source as the file keeps it: a document that the rooms above understand.
package struct RegistrationRecord: Sendable {
    package let id: String
    package var body: JSON
    package var expiresAt: Instant?
    /// How requests to the source went (table 5.2.9-2).
    package var forwarding: DeliveryState

    package init(id: String, body: JSON, expiresAt: Instant?) {
        (self.id, self.body, self.expiresAt, forwarding) = (id, body, expiresAt, DeliveryState())
    }
}

/// A number that is another one whenever something of a file is other than before, so that what was made of it can be kept as long
/// as it holds.
package final class RevisionSignal: Sendable {
    // Not the number that an earlier opening of the file had.
    private let number = Mutex<Int64>(.random(in: 0...(1 << 52)))

    package var revision: Int64 { number.withLock { $0 } }
    func changed() { number.withLock { $0 += 1 } }
}

extension ReadSnapshot {
    private static var registrationColumns: String { "id, body, expires_us, times_sent, times_failed, succeeded_us, failed_us" }

    package func registration(_ id: String) throws -> RegistrationRecord? {
        try row("SELECT \(Self.registrationColumns) FROM registration WHERE id = ?", [id]).map(RegistrationRecord.init)
    }

    /// All of them, by identifier.
    package func registrations() throws -> [RegistrationRecord] {
        try records(rows("SELECT \(Self.registrationColumns) FROM registration ORDER BY id"))
    }

    package func registrationCount() throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM registration") ?? 0 }

    /// Up to `limit` registrations whose time has passed.
    package func expiredRegistrations(at now: Instant, limit: Int) throws -> [RegistrationRecord] {
        try records(
            rows(
                "SELECT \(Self.registrationColumns) FROM registration WHERE expires_us <= ? ORDER BY expires_us LIMIT ?",
                [now.microseconds, limit]))
    }

    private func records(_ cursor: RowCursor) throws -> [RegistrationRecord] {
        var records: [RegistrationRecord] = []
        while let row = try cursor.next() { records.append(try RegistrationRecord(row)) }
        return records
    }
}

extension WriteTransaction {
    /// Puts a registration in the place of the one with its identifier. How requests went stays.
    package func put(_ record: RegistrationRecord) throws {
        var writer = JSONWriter()
        writer.write(record.body)
        try execute(
            """
            INSERT INTO registration (id, body, expires_us) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires_us = excluded.expires_us
            """, [record.id, writer.bytes.databaseBlob, record.expiresAt?.microseconds])
        changesRegistrations = true
    }

    /// - Returns: whether it was there.
    package func removeRegistration(_ id: String) throws -> Bool {
        try execute("DELETE FROM registration WHERE id = ?", [id])
        changesRegistrations = true
        return db.changesCount > 0
    }

    package func addForwarding(_ news: DeliveryState, to id: String) throws {
        try execute(
            """
            UPDATE registration SET times_sent = times_sent + ?, times_failed = times_failed + ?,
                succeeded_us = coalesce(?, succeeded_us), failed_us = coalesce(?, failed_us) WHERE id = ?
            """, [news.timesSent, news.timesFailed, news.lastSuccess?.microseconds, news.lastFailure?.microseconds, id])
    }
}

extension RegistrationRecord {
    fileprivate init(_ row: Row) throws {
        func moment(_ column: Int) throws -> Instant? { try row.decode(Int64?.self, atIndex: column).map(Instant.init(microseconds:)) }
        // What is damaged can be looked at as nothing, and removed.
        let body = try row.withUnsafeData(atIndex: 1) { data in data.flatMap { try? JSON(parsing: $0) } ?? .null }
        self.init(id: try row.decode(String.self, atIndex: 0), body: body, expiresAt: try moment(2))
        (forwarding.timesSent, forwarding.timesFailed) = (try row.decode(Int64.self, atIndex: 3), try row.decode(Int64.self, atIndex: 4))
        (forwarding.lastSuccess, forwarding.lastFailure) = (try moment(5), try moment(6))
    }
}
