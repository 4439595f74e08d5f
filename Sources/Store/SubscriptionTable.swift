package import CityModel
internal import GRDB
internal import OrderedCollections

/// A subscription as the file keeps it: a document that the rooms above understand, and what is decided by without reading it.
package struct SubscriptionRecord: Sendable {
    package let id: String
    /// Grows with every change of the document.
    package var revision: Int64
    package var body: JSON
    package var interest: Interest
    /// Where its notifications go.
    package var endpoint: String
    /// The most confidential class of data that it may tell of.
    package var classificationMax: Classification
    /// Who subscribed, as the rooms above know it; nil for one for whom no rule holds.
    package var claimant: JSON?
    package var isActive: Bool
    package var expiresAt: Instant?
    /// The number of the newest change when it was created: it wants only later ones.
    package let since: Int64
    /// When it is to be told periodically the next time.
    package var due: Instant?
    /// The moment of the last change that became a notification, by which throttling counts.
    package var lastMatch: Instant?
    /// When what throttling holds back is to be told; nil when nothing is.
    package var heldDue: Instant?
    package var delivery: DeliveryState
    /// Whether it is told of registrations of context sources (clause 5.11) rather than of entities.
    package var isAboutSources = false

    package init(
        id: String, body: JSON, interest: Interest, endpoint: String, classificationMax: Classification, isActive: Bool,
        expiresAt: Instant?, since: Int64, due: Instant?
    ) {
        (self.id, self.body, self.interest, self.endpoint) = (id, body, interest, endpoint)
        self.classificationMax = classificationMax
        (self.isActive, self.expiresAt, self.since, self.due) = (isActive, expiresAt, since, due)
        // A number that no subscription of this identifier had before, so that nothing kept of one is taken for another's.
        (revision, lastMatch, heldDue, delivery) = (.random(in: 1...(1 << 52)), nil, nil, DeliveryState())
    }

    package func hasExpired(at now: Instant) -> Bool { expiresAt.map { $0 <= now } ?? false }
}

/// How deliveries went (clause 5.2.14.2).
package struct DeliveryState: Hashable, Sendable {
    package var timesSent: Int64 = 0
    package var timesFailed: Int64 = 0
    package var lastNotification: Instant?
    package var lastSuccess: Instant?
    package var lastFailure: Instant?
    package init() {}

    /// Adds what happened since.
    package mutating func add(_ news: DeliveryState) {
        timesSent += news.timesSent
        timesFailed += news.timesFailed
        lastNotification = news.lastNotification ?? lastNotification
        lastSuccess = news.lastSuccess ?? lastSuccess
        lastFailure = news.lastFailure ?? lastFailure
    }
}

extension ReadSnapshot {
    private static var columns: String {
        """
        id, revision, body, interest, classification_max, active, expires_us, since, due_us, matched_us, times_sent, times_failed,
        notified_us, succeeded_us, failed_us, endpoint, held_due_us, about_sources, claimant
        """
    }

    package func subscription(_ id: String) throws -> SubscriptionRecord? {
        try row("SELECT \(Self.columns) FROM subscription WHERE id = ?", [id]).map(SubscriptionRecord.init)
    }

    /// By identifier, those to entities or those to registrations of context sources.
    package func subscriptions(offset: Int, limit: Int, aboutSources: Bool = false) throws -> [SubscriptionRecord] {
        try records(
            rows(
                "SELECT \(Self.columns) FROM subscription WHERE about_sources = \(aboutSources ? 1 : 0) ORDER BY id LIMIT ? OFFSET ?", [limit, offset]))
    }

    /// Those to entities that may still be told of something, by identifier.
    package func unexpiredSubscriptions(at now: Instant, limit: Int) throws -> [SubscriptionRecord] {
        try records(
            rows(
                """
                SELECT \(Self.columns) FROM subscription WHERE about_sources = 0 AND (expires_us IS NULL OR expires_us > ?)
                ORDER BY id LIMIT ?
                """, [now.microseconds, limit]))
    }

    package func subscriptionCount(aboutSources: Bool = false) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count FROM subscription_count WHERE about_sources = \(aboutSources ? 1 : 0)") ?? 0
    }

    /// Which documents the subscriptions to registrations have.
    package func sourceSubscriptionRevisions() throws -> [String: Int64] {
        let cursor = try rows("SELECT id, revision FROM subscription WHERE about_sources = 1")
        var revisions: [String: Int64] = [:]
        while let row = try cursor.next() { revisions[try row.decode(String.self, atIndex: 0)] = try row.decode(Int64.self, atIndex: 1) }
        return revisions
    }

    /// Which document a subscription has; nil when it is not there.
    package func subscriptionRevision(_ id: String) throws -> Int64? {
        try row("SELECT revision FROM subscription WHERE id = ?", [id])?.decode(Int64.self, atIndex: 0)
    }

    /// Up to `limit` subscriptions that are to be told periodically by now, those longest due first.
    package func dueSubscriptions(at now: Instant, limit: Int) throws -> [SubscriptionRecord] {
        try records(
            rows(
                "SELECT \(Self.columns) FROM subscription WHERE due_us <= ? AND active = 1 ORDER BY due_us LIMIT ?",
                [now.microseconds, limit]))
    }

    /// The moment at which the next subscription is to be told periodically.
    package func nextDue() throws -> Instant? {
        try Int64.fetchOne(db, sql: "SELECT min(due_us) FROM subscription WHERE due_us IS NOT NULL AND active = 1")
            .map(Instant.init(microseconds:))
    }

    /// What the active subscriptions want.
    func watchIndex() throws -> WatchIndex {
        var index = WatchIndex()
        let cursor = try rows("SELECT id, interest, expires_us FROM subscription WHERE active = 1 AND due_us IS NULL AND about_sources = 0")
        while let row = try cursor.next() {
            var interest = Interest(try json(row, at: 1))
            interest.expiresAt = try row.decode(Int64?.self, atIndex: 2).map(Instant.init(microseconds:))
            index.put(interest, of: try row.decode(String.self, atIndex: 0))
        }
        return index
    }

    private func records(_ cursor: RowCursor) throws -> [SubscriptionRecord] {
        var records: [SubscriptionRecord] = []
        while let row = try cursor.next() { records.append(try SubscriptionRecord(row)) }
        return records
    }
}

extension WriteTransaction {
    package func insert(_ record: SubscriptionRecord) throws {
        try execute(
            """
            INSERT INTO subscription (id, revision, body, interest, endpoint, classification_max, active, expires_us, since, due_us, about_sources, claimant)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.id, record.revision, record.body.blob, record.interest.json.blob, record.endpoint, record.classificationMax.rank,
                record.isActive, record.expiresAt?.microseconds, record.since, record.due?.microseconds, record.isAboutSources, record.claimant?.blob,
            ])
        note(record)
    }

    /// Puts a changed document in the place of the one before. How deliveries went stays.
    package func update(_ record: SubscriptionRecord) throws {
        try execute(
            """
            UPDATE subscription SET revision = revision + 1, body = ?, interest = ?, endpoint = ?, classification_max = ?, active = ?,
                expires_us = ?, due_us = ?, claimant = ? WHERE id = ?
            """,
            [
                record.body.blob, record.interest.json.blob, record.endpoint, record.classificationMax.rank, record.isActive,
                record.expiresAt?.microseconds, record.due?.microseconds, record.claimant?.blob, record.id,
            ])
        note(record)
    }

    /// Removes a subscription with the notifications that wait for it.
    /// - Returns: whether it was there.
    package func removeSubscription(_ id: String) throws -> Bool {
        try execute("DELETE FROM subscription WHERE id = ?", [id])
        let isRemoved = db.changesCount > 0
        watchChanges.append((id, nil))
        announceMail(for: id)
        return isRemoved
    }

    package func setDue(_ id: String, _ due: Instant?) throws {
        try execute("UPDATE subscription SET due_us = ? WHERE id = ?", [due?.microseconds, id])
    }

    /// Has subscriptions told now that wait for a moment which was reckoned before the clock went back.
    /// - Parameter all: whether it is known of all that wait that they do; else those whose last notification, or whose last change, is still to come.
    package func bringDuesForward(to now: Instant, all: Bool) throws {
        let moment = now.microseconds
        try execute(
            "UPDATE subscription SET due_us = ? WHERE due_us > ? AND (? OR notified_us > ?)", [moment, moment, all, moment])
        try execute(
            "UPDATE subscription SET held_due_us = ? WHERE held_due_us > ? AND (? OR matched_us > ?)", [moment, moment, all, moment])
    }

    package func setLastMatch(_ id: String, _ moment: Instant) throws {
        try execute("UPDATE subscription SET matched_us = ? WHERE id = ?", [moment.microseconds, id])
    }

    package func addDelivery(_ news: DeliveryState, to id: String) throws {
        try execute(
            """
            UPDATE subscription SET times_sent = times_sent + ?, times_failed = times_failed + ?, notified_us = coalesce(?, notified_us),
                succeeded_us = coalesce(?, succeeded_us), failed_us = coalesce(?, failed_us) WHERE id = ?
            """,
            [
                news.timesSent, news.timesFailed, news.lastNotification?.microseconds, news.lastSuccess?.microseconds,
                news.lastFailure?.microseconds, id,
            ])
    }

    private func note(_ record: SubscriptionRecord) {
        var interest = record.isActive && record.due == nil && !record.isAboutSources ? record.interest : nil
        interest?.expiresAt = record.expiresAt
        watchChanges.append((record.id, interest))
        hasWork = true
    }
}

extension SubscriptionRecord {
    fileprivate init(_ row: Row) throws {
        guard let classificationMax = Classification(rank: try row.decode(Int.self, atIndex: 4)) else {
            throw CorruptRow(table: "subscription", reason: "classification_max")
        }
        func moment(_ column: Int) throws -> Instant? { try row.decode(Int64?.self, atIndex: column).map(Instant.init(microseconds:)) }
        self.init(
            id: try row.decode(String.self, atIndex: 0), body: try json(row, at: 2), interest: Interest(try json(row, at: 3)),
            endpoint: try row.decode(String.self, atIndex: 15), classificationMax: classificationMax, isActive: try row.decode(Bool.self, atIndex: 5), expiresAt: try moment(6),
            since: try row.decode(Int64.self, atIndex: 7), due: try moment(8))
        revision = try row.decode(Int64.self, atIndex: 1)
        (lastMatch, heldDue) = (try moment(9), try moment(16))
        delivery.timesSent = try row.decode(Int64.self, atIndex: 10)
        delivery.timesFailed = try row.decode(Int64.self, atIndex: 11)
        (delivery.lastNotification, delivery.lastSuccess, delivery.lastFailure) = (try moment(12), try moment(13), try moment(14))
        isAboutSources = try row.decode(Bool.self, atIndex: 17)
        // One that is damaged is nobody's, and is told nothing.
        claimant = try row.withUnsafeData(atIndex: 18) { data in data.map { (try? JSON(parsing: $0)) ?? .null } }
    }
}

/// What is damaged can be looked at as nothing, and removed; it keeps nobody from reading the others.
private func json(_ row: Row, at column: Int) throws -> JSON {
    try row.withUnsafeData(atIndex: column) { data in data.flatMap { try? JSON(parsing: $0) } ?? .null }
}

extension JSON {
    fileprivate var blob: DatabaseValue {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes.databaseBlob
    }
}
