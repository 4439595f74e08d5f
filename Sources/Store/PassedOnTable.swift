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
    /// What of the registration is needed to change the copy and to take it back, as it was when its source was last asked.
    package var source: JSON
    /// The identifier that the source gave it.
    package var remote: String
    package var state: State
    /// What the source has of it, or may have of it; nil where it has nothing.
    package var sent: JSON?
    /// What the source will not have, however often it is asked.
    package var refused: JSON?
    /// Since when it is to be taken back; nil while it is wanted.
    package var endingSince: Instant?
    package var attemptCount: Int
    /// When the source is to be asked again; nil when there is nothing to be asked.
    package var due: Instant?

    /// What is known of the copy at its source. It is written down before the source is asked, so that no end of the program and no
    /// answer that was lost leaves a copy behind of which nothing is known here.
    package enum State: Int, Sendable {
        /// The source was never told, or has said that it has none.
        case absent = 0
        /// It was told, and whether it took it is not known.
        case perhaps = 1
        /// It has what was sent.
        case there = 2
        /// It has one, and how much of what was sent is not known.
        case unsure = 3

        package var isThere: Bool { self == .there || self == .unsure }
    }

    package init(id: String, token: String, subscription: String, registration: String, source: JSON) {
        (self.id, self.token, self.subscription, self.registration, self.source) = (id, token, subscription, registration, source)
        (remote, state, attemptCount) = (id, .absent, 0)
    }

    package var isEnding: Bool { endingSince != nil }
}

extension ReadSnapshot {
    private static var passedOnColumns: String { "id, token, subscription, registration, source, remote, sent, state, refused, ending_since_us, attempts, due_us" }

    package func passedOn() throws -> [PassedOnRecord] {
        let cursor = try rows("SELECT \(Self.passedOnColumns) FROM passed_on ORDER BY id")
        var records: [PassedOnRecord] = []
        while let row = try cursor.next() { records.append(try PassedOnRecord(row)) }
        return records
    }

    package func hasPassedOn() throws -> Bool { try row("SELECT 1 FROM passed_on LIMIT 1") != nil }

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
            INSERT INTO passed_on
                (id, token, subscription, registration, source, remote, sent, state, refused, ending, ending_since_us, attempts, due_us)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET source = excluded.source, remote = excluded.remote, sent = excluded.sent, state = excluded.state,
                refused = excluded.refused, ending = excluded.ending, ending_since_us = excluded.ending_since_us,
                attempts = excluded.attempts, due_us = excluded.due_us
            """,
            [
                record.id, record.token, record.subscription, record.registration, record.source.bytes, record.remote, record.sent?.bytes,
                record.state.rawValue, record.refused?.bytes, record.isEnding, record.endingSince?.microseconds, record.attemptCount,
                record.due?.microseconds,
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
        func moment(_ column: Int) throws -> Instant? { try row.decode(Int64?.self, atIndex: column).map(Instant.init(microseconds:)) }
        (remote, sent, refused) = (try row.decode(String.self, atIndex: 5), try json(6), try json(8))
        // Of what nobody knows the source is asked.
        state = State(rawValue: try row.decode(Int.self, atIndex: 7)) ?? .perhaps
        (endingSince, attemptCount, due) = (try moment(9), try row.decode(Int.self, atIndex: 10), try moment(11))
    }
}

extension JSON {
    fileprivate var bytes: DatabaseValue {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes.databaseBlob
    }
}
