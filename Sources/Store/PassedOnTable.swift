package import CityModel
internal import GRDB

/// A subscription as it was passed on to a context source (clause 5.8.1.4).
package struct PassedOnRecord: Sendable {
    /// The identifier that it was given for the source; nobody can guess it.
    package let id: String
    /// What the source has to know to tell of something; nobody can guess it either.
    package let token: String
    /// The subscription here.
    package let subscription: String
    package let registration: String
    /// The registration's document when it was passed on: where it is to be changed and taken back.
    package var source: JSON
    /// The identifier that the source gave it.
    package var remote: String
    /// What the source has of it; nil until it has something.
    package var sent: JSON?
    /// Whether it is to be taken back.
    package var isEnding: Bool
    package var attemptCount: Int
    /// When the source is to be asked again; nil when there is nothing to be asked.
    package var due: Instant?

    package init(id: String, token: String, subscription: String, registration: String, source: JSON) {
        (self.id, self.token, self.subscription, self.registration, self.source) = (id, token, subscription, registration, source)
        (remote, isEnding, attemptCount) = (id, false, 0)
    }
}

extension ReadSnapshot {
    private static var passedOnColumns: String { "id, token, subscription, registration, source, remote, sent, ending, attempts, due_us" }

    package func passedOn() throws -> [PassedOnRecord] {
        let cursor = try rows("SELECT \(Self.passedOnColumns) FROM passed_on ORDER BY id")
        var records: [PassedOnRecord] = []
        while let row = try cursor.next() { records.append(try PassedOnRecord(row)) }
        return records
    }

    package func passedOn(token: String) throws -> PassedOnRecord? {
        try row("SELECT \(Self.passedOnColumns) FROM passed_on WHERE token = ?", [token]).map(PassedOnRecord.init)
    }

    package func passedOn(_ id: String) throws -> PassedOnRecord? {
        try row("SELECT \(Self.passedOnColumns) FROM passed_on WHERE id = ?", [id]).map(PassedOnRecord.init)
    }

}

extension WriteTransaction {
    package func put(_ record: PassedOnRecord) throws {
        try execute(
            """
            INSERT INTO passed_on (id, token, subscription, registration, source, remote, sent, ending, attempts, due_us)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET source = excluded.source, remote = excluded.remote, sent = excluded.sent, ending = excluded.ending,
                attempts = excluded.attempts, due_us = excluded.due_us
            """,
            [
                record.id, record.token, record.subscription, record.registration, record.source.bytes, record.remote, record.sent?.bytes,
                record.isEnding, record.attemptCount, record.due?.microseconds,
            ])
    }

    package func removePassedOn(_ id: String) throws { try execute("DELETE FROM passed_on WHERE id = ?", [id]) }
}

extension PassedOnRecord {
    fileprivate init(_ row: Row) throws {
        func json(_ column: Int) throws -> JSON? { try row.withUnsafeData(atIndex: column) { data in try data.map { try JSON(parsing: $0) } } }
        self.init(
            id: try row.decode(String.self, atIndex: 0), token: try row.decode(String.self, atIndex: 1),
            subscription: try row.decode(String.self, atIndex: 2), registration: try row.decode(String.self, atIndex: 3),
            source: try json(4) ?? .null)
        (remote, sent) = (try row.decode(String.self, atIndex: 5), try json(6))
        (isEnding, attemptCount) = (try row.decode(Bool.self, atIndex: 7), try row.decode(Int.self, atIndex: 8))
        due = try row.decode(Int64?.self, atIndex: 9).map(Instant.init(microseconds:))
    }
}

extension JSON {
    fileprivate var bytes: DatabaseValue {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes.databaseBlob
    }
}
