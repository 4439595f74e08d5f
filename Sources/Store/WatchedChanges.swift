package import CityModel
internal import GRDB
internal import OrderedCollections

/// A change that some subscription may want, with the entity as it was at that moment: whoever looks later would see a later
/// state and miss what was true between two quick changes.
///
/// The rows are the part of the journal that the matcher has not passed yet; the least of them is its cursor. They are
/// written with the change itself, only when somebody watches, and removed in the transaction that puts what came of them
/// into the outbox. So the journal stays small, and can be trimmed whether the matcher has caught up or not.
package struct WatchedChange: Sendable {
    package let seq: Int64
    package let operation: Change.Operation
    package let at: Instant
    package let classification: Classification
    /// The entity after the change; for a deletion the entity that was deleted.
    package let entity: Entity
    /// The entity before an update.
    package let previous: Entity?
    /// Of both documents as they are stored.
    package let byteCount: Int
    /// With what they are sealed: what tells of them is sealed with the same.
    package let keys: [KeyID]
}

extension WatchedChange {
    /// The change as somebody sees it; nil when they see nothing of it. What was hidden before is new to them.
    package func seen(by sight: Sight, in snapshot: ReadSnapshot) throws -> WatchedChange? {
        guard let shown = try snapshot.seen(entity, classification, by: sight) else { return nil }
        guard sight.ruling != nil else { return self }
        let before = try previous.flatMap { try snapshot.seen($0, classification, by: sight) }
        return WatchedChange(
            seq: seq, operation: operation, at: at, classification: classification, entity: shown, previous: before, byteCount: byteCount, keys: keys)
    }
}

/// A change that waits, or why it can't be read: one that is damaged holds up no other.
package struct WatchedRow: Sendable {
    package let seq: Int64
    package let change: Result<WatchedChange, any Error>
}

extension ReadSnapshot {
    /// Up to `limit` changes that wait to be matched, oldest first, and no more than about `byteCountMax` of documents.
    package func watchedChanges(limit: Int, byteCountMax: Int) throws -> [WatchedRow] {
        let cursor = try rows("SELECT seq, operation, at_us, classification, document, previous FROM watched ORDER BY seq LIMIT ?", [limit])
        var changes: [WatchedRow] = []
        var byteCount = 0
        while byteCount < byteCountMax, let row = try cursor.next() {
            let change = Result { try watchedChange(row) }
            if case .success(let change) = change { byteCount += change.byteCount }
            changes.append(WatchedRow(seq: try row.decode(Int64.self, atIndex: 0), change: change))
        }
        return changes
    }

    /// - Parameter row: seq, operation, at_us, classification, document, previous.
    func watchedChange(_ row: Row) throws -> WatchedChange {
        guard let operation = Change.Operation(rawValue: try row.decode(Int.self, atIndex: 1)),
            let classification = Classification(rank: try row.decode(Int.self, atIndex: 3)), let stored = try row.bytes(atIndex: 4),
            let document = try vault.open(stored).map(StoredDocument.init)
        else { throw CorruptRow(table: "watched", reason: "operation, classification or document") }
        let storedPrevious = try row.bytes(atIndex: 5)
        let previous = try storedPrevious.flatMap(vault.open).map(StoredDocument.init)
        return WatchedChange(
            seq: try row.decode(Int64.self, atIndex: 0), operation: operation,
            at: Instant(microseconds: try row.decode(Int64.self, atIndex: 2)), classification: classification,
            entity: try decoder.entity(document), previous: try previous.map { try decoder.entity($0) },
            byteCount: document.bytes.count + (previous?.bytes.count ?? 0), keys: Self.keys(stored, storedPrevious))
    }

    private static func keys(_ document: [UInt8], _ previous: [UInt8]?) -> [KeyID] {
        let (key, other) = (SealedBytes.key(of: document), previous.flatMap { SealedBytes.key(of: $0) })
        return [key, other == key ? nil : other].compactMap(\.self)
    }
}

extension WriteTransaction {
    /// Keeps a change for the matcher when a subscription may want it.
    /// - Parameter entity: as the change left it; one that was deleted as it was.
    /// - Parameter attributes: those that changed; of a deleted entity all it had.
    /// - Parameter document: with what it is sealed, as `previous`.
    /// - Throws: `overloaded` when too much waits already: a change that would not be told must not be acknowledged.
    func noteForSubscribers(
        _ change: Change, of entity: Entity, attributes: some Sequence<IRI>, document: (StoredDocument, ResidentKey?),
        previous: (StoredDocument, ResidentKey?)? = nil
    ) throws {
        guard !watches.watchers(of: entity, attributes: attributes, operation: change.operation, at: change.at).isEmpty else { return }
        if let oldest = try row("SELECT seq FROM watched ORDER BY seq LIMIT 1", [])?.decode(Int64.self, atIndex: 0), change.seq - oldest >= watches.lagMax {
            throw CityError.overloaded("notifications are \(watches.lagMax) changes behind; what subscriptions watch can't be changed until they have caught up")
        }
        try execute(
            "INSERT INTO watched (seq, operation, at_us, classification, document, previous) VALUES (?, ?, ?, ?, ?, ?)",
            [
                change.seq, change.operation.rawValue, change.at.microseconds, change.classification.rank,
                try document.0.data(sealedWith: document.1), try previous.map { try $0.0.data(sealedWith: $0.1) },
            ])
        hasWork = true
    }

    /// Forgets the changes that were matched.
    package func removeWatchedChanges(upTo seq: Int64) throws { try execute("DELETE FROM watched WHERE seq <= ?", [seq]) }
}
