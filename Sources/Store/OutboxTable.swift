package import CityModel
internal import GRDB

/// A notification on its way: made, and not yet accepted by its receiver.
package struct OutboxMessage: Sendable {
    /// In the order in which they were made.
    package let id: Int64
    package let subscription: String
    package let createdAt: Instant
    package var attemptCount: Int
    /// Not before this moment.
    package var due: Instant
    /// What accompanies the body, by name.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
}

/// A notification to be put into the outbox.
package struct NewMessage: Sendable {
    package let subscription: String
    /// Names the queue: one for each endpoint.
    package let endpoint: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(subscription: String, endpoint: String, headers: [(name: String, value: String)], body: [UInt8]) {
        (self.subscription, self.endpoint, self.headers, self.body) = (subscription, endpoint, headers, body)
    }
}

extension ReadSnapshot {
    /// The endpoints for which something waits, each with the moment at which its first message is due.
    package func outboxEndpoints() throws -> [(endpoint: String, due: Instant)] {
        let cursor = try rows("SELECT endpoint, due_us, min(id) FROM outbox GROUP BY endpoint")
        var endpoints: [(String, Instant)] = []
        while let row = try cursor.next() {
            endpoints.append((try row.decode(String.self, atIndex: 0), Instant(microseconds: try row.decode(Int64.self, atIndex: 1))))
        }
        return endpoints
    }

    /// The first messages of one endpoint's queue.
    package func outbox(of endpoint: String, limit: Int) throws -> [OutboxMessage] {
        let cursor = try rows(
            "SELECT id, subscription, created_us, attempts, due_us, headers, message FROM outbox WHERE endpoint = ? ORDER BY id LIMIT ?",
            [endpoint, limit])
        var messages: [OutboxMessage] = []
        while let row = try cursor.next() { messages.append(try OutboxMessage(row)) }
        return messages
    }

    package func outboxCount(of endpoint: String) throws -> Int {
        try row("SELECT count(*) FROM outbox WHERE endpoint = ?", [endpoint])?.decode(Int.self, atIndex: 0) ?? 0
    }

    package func hasOutbox(for subscription: String) throws -> Bool {
        try row("SELECT 1 FROM outbox WHERE subscription = ? LIMIT 1", [subscription]) != nil
    }
}

extension WriteTransaction {
    package func append(_ message: NewMessage, at now: Instant) throws {
        var headers = JSONWriter()
        headers.write(JSON.array(message.headers.map { .array([.string($0.name), .string($0.value)]) }))
        try execute(
            "INSERT INTO outbox (subscription, endpoint, created_us, attempts, due_us, headers, message) VALUES (?, ?, ?, 0, ?, ?, ?)",
            [
                message.subscription, message.endpoint, now.microseconds, now.microseconds, headers.bytes.databaseBlob,
                message.body.databaseBlob,
            ])
    }

    package func removeMessage(_ id: Int64) throws { try execute("DELETE FROM outbox WHERE id = ?", [id]) }

    package func postpone(_ id: Int64, attemptCount: Int, until due: Instant) throws {
        try execute("UPDATE outbox SET attempts = ?, due_us = ? WHERE id = ?", [attemptCount, due.microseconds, id])
    }

    package func removeOutbox(of subscription: String) throws {
        try execute("DELETE FROM outbox WHERE subscription = ?", [subscription])
    }

    /// Lets what waits for a subscription wait in the queue of its new endpoint.
    package func moveOutbox(of subscription: String, to endpoint: String) throws {
        try execute("UPDATE outbox SET endpoint = ? WHERE subscription = ? AND endpoint <> ?", [endpoint, subscription, endpoint])
    }
}

extension OutboxMessage {
    fileprivate init(_ row: Row) throws {
        id = try row.decode(Int64.self, atIndex: 0)
        subscription = try row.decode(String.self, atIndex: 1)
        createdAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 2))
        attemptCount = try row.decode(Int.self, atIndex: 3)
        due = Instant(microseconds: try row.decode(Int64.self, atIndex: 4))
        let pairs = try row.withUnsafeData(atIndex: 5) { data in try data.map { try JSON(parsing: $0) } ?? .null }
        headers = (pairs.arrayValue ?? []).compactMap { pair in
            guard let sides = pair.arrayValue, sides.count == 2, let name = sides[0].stringValue, let value = sides[1].stringValue
            else { return nil }
            return (name, value)
        }
        body = try row.withUnsafeData(atIndex: 6) { $0.map(Array.init) ?? [] }
    }
}
