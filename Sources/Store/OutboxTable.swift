package import CityModel
internal import GRDB

/// A notification on its way: made, and not yet accepted by its receiver. What waits for one subscription is a queue.
package struct OutboxMessage: Sendable {
    /// In the order in which they were made.
    package let id: Int64
    package let createdAt: Instant
    package var attemptCount: Int
    /// Not before this moment.
    package var due: Instant
    /// What belongs to the body, by name: its media type, its context. What a receiver asked to be sent along is not here,
    /// for it may change while a notification waits.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
}

/// A notification to be put into the outbox.
package struct NewMessage: Sendable {
    package let subscription: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// With what it is sealed until it is delivered: the keys of all whom it tells of.
    package var keys: [KeyID] = []
    /// The same of people of whom nothing else is held here.
    package var subjects: [String] = []

    /// What it tells of people, to be accounted for.
    package let use: PersonalUse

    package init(
        subscription: String, headers: [(name: String, value: String)], body: [UInt8], keys: [KeyID] = [], subjects: [String] = [], use: PersonalUse = .none
    ) {
        (self.subscription, self.headers, self.body, self.keys, self.subjects, self.use) = (subscription, headers, body, keys, subjects, use)
    }
}

/// The notifications that wait for one subscription.
package struct OutboxQueue: Hashable, Sendable {
    package let subscription: String
    /// Where they go.
    package let endpoint: String
    /// When the first of them may be sent.
    package let due: Instant

    package init(subscription: String, endpoint: String, due: Instant) {
        (self.subscription, self.endpoint, self.due) = (subscription, endpoint, due)
    }
}

extension ReadSnapshot {
    /// All queues in which something waits.
    package func outboxQueues() throws -> [OutboxQueue] {
        let cursor = try rows(
            """
            SELECT subscription, subscription.endpoint, outbox.due_us, min(outbox.id)
            FROM outbox JOIN subscription ON subscription.id = outbox.subscription GROUP BY outbox.subscription
            """)
        var queues: [OutboxQueue] = []
        while let row = try cursor.next() { queues.append(try OutboxQueue(row)) }
        return queues
    }

    /// The queue of one subscription; nil when nothing waits in it.
    package func outboxQueue(of subscription: String) throws -> OutboxQueue? {
        try row(
            """
            SELECT subscription.id, subscription.endpoint, outbox.due_us
            FROM outbox JOIN subscription ON subscription.id = outbox.subscription
            WHERE outbox.subscription = ? ORDER BY outbox.id LIMIT 1
            """, [subscription]
        ).map(OutboxQueue.init)
    }

    /// The first messages of a queue: up to `limit`, and no more than about `byteCountMax` of bodies.
    package func outbox(of subscription: String, limit: Int, byteCountMax: Int) throws -> [OutboxMessage] {
        let cursor = try rows(
            "SELECT id, created_us, attempts, due_us, headers, message FROM outbox WHERE subscription = ? ORDER BY id LIMIT ?",
            [subscription, limit])
        var messages: [OutboxMessage] = []
        var byteCount = 0
        while byteCount < byteCountMax, let row = try cursor.next() {
            // What tells of somebody whose key is gone is told no more.
            guard let body = try row.bytes(atIndex: 5).flatMap(vault.open) else { continue }
            let message = try OutboxMessage(row, body: body)
            byteCount += message.body.count
            messages.append(message)
        }
        return messages
    }

    /// How many messages wait for a subscription and how many bytes they have; nil when there is no such subscription.
    package func outboxSize(of subscription: String) throws -> (count: Int, byteCount: Int)? {
        try row("SELECT queued_count, queued_bytes FROM subscription WHERE id = ?", [subscription]).map { row in
            (try row.decode(Int.self, atIndex: 0), try row.decode(Int.self, atIndex: 1))
        }
    }
}

extension WriteTransaction {
    /// A message that tells of somebody whose key is gone meanwhile is left out.
    package func append(_ message: NewMessage, at now: Instant) throws {
        var body = message.body
        for id in message.keys {
            guard let key = try vault.key(id) else { return }
            body = try SealedBytes.seal(body, with: key)
        }
        for subject in message.subjects { body = try SealedBytes.seal(body, with: vault.key(of: subject)) }
        var headers = JSONWriter()
        headers.write(JSON.array(message.headers.map { .array([.string($0.name), .string($0.value)]) }))
        try execute(
            "INSERT INTO outbox (subscription, created_us, attempts, due_us, headers, message) VALUES (?, ?, 0, ?, ?, ?)",
            [message.subscription, now.microseconds, now.microseconds, headers.bytes.databaseBlob, body.databaseBlob])
    }

    /// Tells whoever delivers that a subscription's queue is not as he knows it: it got a message, or was emptied.
    package func announceMail(for subscription: String) {
        wokenQueues.insert(subscription)
        hasWork = true
    }

    package func removeMessage(_ id: Int64) throws { try execute("DELETE FROM outbox WHERE id = ?", [id]) }

    /// - Parameter createdAt: from when on its age counts.
    package func postpone(_ id: Int64, attemptCount: Int, until due: Instant, createdAt: Instant) throws {
        try execute(
            "UPDATE outbox SET attempts = ?, due_us = ?, created_us = ? WHERE id = ?", [attemptCount, due.microseconds, createdAt.microseconds, id])
    }

    package func removeOutbox(of subscription: String) throws {
        try execute("DELETE FROM outbox WHERE subscription = ?", [subscription])
    }

    /// Lets what waits for a subscription begin anew at once: what made it fail may be mended.
    package func restartOutbox(of subscription: String, at now: Instant) throws {
        try execute("UPDATE outbox SET attempts = 0, due_us = ? WHERE subscription = ?", [now.microseconds, subscription])
        wokenQueues.insert(subscription)
        hasWork = true
    }
}

extension OutboxQueue {
    fileprivate init(_ row: Row) throws {
        self.init(
            subscription: try row.decode(String.self, atIndex: 0), endpoint: try row.decode(String.self, atIndex: 1),
            due: Instant(microseconds: try row.decode(Int64.self, atIndex: 2)))
    }
}

extension OutboxMessage {
    fileprivate init(_ row: Row, body: [UInt8]) throws {
        id = try row.decode(Int64.self, atIndex: 0)
        createdAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 1))
        attemptCount = try row.decode(Int.self, atIndex: 2)
        due = Instant(microseconds: try row.decode(Int64.self, atIndex: 3))
        let pairs = try row.withUnsafeData(atIndex: 4) { data in try data.map { try JSON(parsing: $0) } ?? .null }
        headers = (pairs.arrayValue ?? []).compactMap { pair in
            guard let sides = pair.arrayValue, sides.count == 2, let name = sides[0].stringValue, let value = sides[1].stringValue
            else { return nil }
            return (name, value)
        }
        self.body = body
    }
}
