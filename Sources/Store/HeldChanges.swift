package import CityModel
internal import GRDB

/// Changes that throttling holds back: of each entity the last one, with its state before the first. They are told together when
/// the time between two notifications is over (table 5.2.12-1), so that a receiver never stays with a state that is past.
extension ReadSnapshot {
    /// Subscriptions that may be told by now of what was held back, those longest due first.
    package func subscriptionsWithHeldDue(at now: Instant, limit: Int) throws -> [String] {
        let cursor = try rows(
            "SELECT id FROM subscription WHERE held_due_us <= ? ORDER BY held_due_us LIMIT ?", [now.microseconds, limit])
        var ids: [String] = []
        while let row = try cursor.next() { ids.append(try row.decode(String.self, atIndex: 0)) }
        return ids
    }

    /// The moment at which the next subscription may be told.
    package func nextHeldDue() throws -> Instant? {
        try Int64.fetchOne(db, sql: "SELECT min(held_due_us) FROM subscription WHERE held_due_us IS NOT NULL").map(Instant.init(microseconds:))
    }

    /// The subscriptions for which something is held back, and when they may be told of it.
    package func heldDues() throws -> [String: Instant] {
        let cursor = try rows("SELECT id, held_due_us FROM subscription WHERE held_due_us IS NOT NULL")
        var dues: [String: Instant] = [:]
        while let row = try cursor.next() {
            dues[try row.decode(String.self, atIndex: 0)] = Instant(microseconds: try row.decode(Int64.self, atIndex: 1))
        }
        return dues
    }

    /// What is held back for a subscription: up to `limit` changes, and no more than about `byteCountMax` of documents.
    package func heldChanges(of subscription: String, limit: Int, byteCountMax: Int) throws -> [(entity: String, change: Result<WatchedChange, any Error>)] {
        let cursor = try rows(
            "SELECT 0, operation, at_us, classification, document, previous, entity FROM held WHERE subscription = ? LIMIT ?",
            [subscription, limit])
        var changes: [(String, Result<WatchedChange, any Error>)] = []
        var byteCount = 0
        while byteCount < byteCountMax, let row = try cursor.next() {
            let change = Result { try watchedChange(row) }
            if case .success(let change) = change { byteCount += change.byteCount }
            changes.append((try row.decode(String.self, atIndex: 6), change))
        }
        return changes
    }
}

extension WriteTransaction {
    /// Holds a change that waits to be matched, in the place of an earlier one of its entity.
    /// - Parameter countMax: the most entities that are held for one subscription.
    /// - Returns: false when there is no room.
    package func hold(_ change: WatchedChange, for subscription: String, until due: Instant, countMax: Int) throws -> Bool {
        let entity = change.entity.id.text
        let isKnown = try row("SELECT 1 FROM held WHERE subscription = ? AND entity = ?", [subscription, entity]) != nil
        let count = try row("SELECT count(*) FROM held WHERE subscription = ?", [subscription])?.decode(Int.self, atIndex: 0) ?? 0
        guard isKnown || count < countMax else { return false }
        try execute(
            """
            INSERT INTO held (subscription, entity, operation, at_us, classification, document, previous)
            SELECT subscription.id, ?, operation, at_us, classification, document, previous FROM watched, subscription
            WHERE watched.seq = ? AND subscription.id = ?
            ON CONFLICT (subscription, entity) DO UPDATE SET
                operation = CASE WHEN held.operation = 1 AND excluded.operation = 2 THEN 1 ELSE excluded.operation END,
                at_us = excluded.at_us, classification = max(held.classification, excluded.classification),
                document = excluded.document,
                previous = CASE WHEN excluded.operation = 2 THEN held.previous ELSE excluded.previous END
            """, [entity, change.seq, subscription])
        try execute("UPDATE subscription SET held_due_us = coalesce(held_due_us, ?) WHERE id = ?", [due.microseconds, subscription])
        return true
    }

    /// Forgets what was told of now.
    /// - Parameter due: when what is still held is to be told; nil when nothing is.
    package func removeHeld(_ entities: [String], of subscription: String, due: Instant?) throws {
        for entity in entities { try execute("DELETE FROM held WHERE subscription = ? AND entity = ?", [subscription, entity]) }
        try execute("UPDATE subscription SET held_due_us = ? WHERE id = ?", [due?.microseconds, subscription])
    }

    /// Lets what is held back for a subscription be told now.
    package func releaseHeld(of subscription: String, at now: Instant) throws {
        try execute("UPDATE subscription SET held_due_us = ? WHERE id = ? AND held_due_us IS NOT NULL", [now.microseconds, subscription])
    }

    package func removeHeld(of subscription: String) throws {
        try execute("DELETE FROM held WHERE subscription = ?", [subscription])
        try execute("UPDATE subscription SET held_due_us = NULL WHERE id = ?", [subscription])
    }
}
