package import CityModel
internal import GRDB

/// What became of what was sealed with keys that are gone.
package struct SealedLoss: Hashable, Sendable {
    /// Entities, of now or of the past, that were taken out: their keys were destroyed.
    package var purgedCount = 0
    /// Entities that stay and can't be read: the folder of keys does not have what opens them.
    package var missingCount = 0
    package init() {}
}

extension WriteTransaction {
    /// Says that the key of a resident is to be destroyed once this is on disk: nothing that was sealed with it can be read from then on, in no
    /// backup either. What is in the file of him goes with it. `MunicipalityFile.destroyCondemnedKeys` does the rest.
    /// - Parameter subject: what `dataSubject` says of him, or the identifier of an entity that is about nobody who is named.
    /// - Returns: how many entities were taken out that were still there, or of which there was a past.
    @discardableResult
    package func condemnKeys(of subject: String, at now: Instant) throws -> Int {
        let (all, new) = try vault.condemn(subject)
        condemned.formUnion(new)
        for id in all { try execute("INSERT OR IGNORE INTO destroyed_key (id) VALUES (?)", [id.blob]) }
        return try purge(all, at: now)
    }

    /// Removes everything that is sealed with some keys.
    /// - Parameter now: when followers are told that it is gone; nil where there are none.
    /// - Returns: of how many entities.
    func purge(_ keys: [KeyID], at now: Instant?) throws -> Int {
        guard !keys.isEmpty else { return 0 }
        let doomed = Set(keys)
        try purgeMessages(doomed)
        try purgeAccounts(keys)
        try purgeAttachments(keys)
        var (count, unreadable) = (0, [Int64]())
        for key in keys {
            for number in try numbers("SELECT id FROM main.entity WHERE key = ?", [key.blob]) {
                count += 1
                try purgeEntity(number, &unreadable, at: now)
            }
            for number in try numbers("SELECT id FROM main.past WHERE key = ?", [key.blob]) {
                count += 1
                try purgePast(number)
            }
        }
        guarded = nil
        // Their documents would have said where.
        for table in ["entity_type", "entity_scope", "entity_value"] where !unreadable.isEmpty {
            try execute("DELETE FROM \(table) WHERE entity IN (SELECT value FROM json_each(?))", ["\(unreadable)"])
        }
        return count
    }

    private func numbers(_ sql: String, _ arguments: StatementArguments) throws -> [Int64] {
        let cursor = try rows(sql, arguments)
        var numbers: [Int64] = []
        while let row = try cursor.next() { numbers.append(try row.decode(Int64.self, atIndex: 0)) }
        return numbers
    }

    private func purgeEntity(_ number: Int64, _ unreadable: inout [Int64], at now: Instant?) throws {
        guard let row = try row("SELECT classification FROM main.entity WHERE id = ?", [number]) else { return }
        guard Classification(rank: try row.decode(Int.self, atIndex: 0))?.isSealed ?? true else {
            // It is personal no more: only what was goes.
            try removeSealedRecords(of: number)
            return try execute("UPDATE entity SET key = NULL WHERE id = ?", [number])
        }
        if let stored = try storedEntity(number: number) {
            let entity = try entity(stored)
            try removeIndexRows(IndexRows(entity, isSealed: true, intern: intern), of: number)
            if let now {
                try appendChange(
                    Change(
                        seq: nextChange(), operation: .deleted, at: now, entityNumber: number, entityID: entity.id, classification: stored.classification,
                        types: entity.types, attributes: []))
            }
        } else {
            // Of what is sealed there is nothing in the index by place.
            unreadable.append(number)
        }
        try removeRecords(of: number)
        try execute("DELETE FROM entity WHERE id = ?", [number])
        try keepFromReuse(number, at: Instant(microseconds: 0))
    }

    private func purgePast(_ number: Int64) throws {
        guard let row = try row("SELECT classification FROM main.past WHERE id = ?", [number]) else { return }
        guard Classification(rank: try row.decode(Int.self, atIndex: 0))?.isSealed ?? true else {
            try removeSealedRecords(of: number)
            return try execute("UPDATE past SET key = NULL WHERE id = ?", [number])
        }
        try removeRecords(of: number)
        for table in ["past_type", "past_source"] { try execute("DELETE FROM \(table) WHERE past = ?", [number]) }
        try execute("DELETE FROM past WHERE id = ?", [number])
        try keepFromReuse(number, at: Instant(microseconds: 0))
    }

    private func removeRecords(of number: Int64) throws {
        touch(number)
        for table in ["instance", "instance_name"] { try execute("DELETE FROM \(table) WHERE entity = ?", [number]) }
        try removeChunks(of: number)
        try removeThinned(of: number)
    }

    private func removeSealedRecords(of number: Int64) throws {
        touch(number)
        try execute("DELETE FROM instance WHERE entity = ? AND \(Opened.isSealed("value"))", [number])
        try execute(
            """
            DELETE FROM instance_name WHERE entity = ?1 AND (\(InstanceKey.columns)) NOT IN
                (SELECT \(InstanceKey.columns) FROM instance WHERE entity = ?1)
            """, [number])
        try removeSealedChunks(of: number)
    }

    /// What waits to be told.
    private func purgeMessages(_ doomed: Set<KeyID>) throws {
        for (table, columns) in [("watched", ["document", "previous"]), ("held", ["document", "previous"]), ("outbox", ["message"])] {
            let cursor = try rows(
                "SELECT rowid_of, \(columns.joined(separator: ", ")) FROM (SELECT \(Self.place[table] ?? "rowid") AS rowid_of, * FROM \(table)) WHERE "
                    + columns.map(Opened.isSealed).joined(separator: " OR "))
            var places: [DatabaseValue] = []
            while let row = try cursor.next() {
                let keys = try columns.indices.flatMap { try row.bytes(atIndex: $0 + 1).map(vault.keys) ?? [] }
                if !doomed.isDisjoint(with: keys) { places.append(try row.decode(DatabaseValue.self, atIndex: 0)) }
            }
            for place in places { try execute("DELETE FROM \(table) WHERE \(Self.place[table] ?? "rowid") = ?", [place]) }
        }
    }

    /// What a row of these tables is named by.
    private static var place: [String: String] { ["watched": "seq", "outbox": "id", "held": "subscription || ' ' || entity"] }
}

extension MunicipalityFile {
    /// Destroys the key of a resident, and takes out what is in the file of him: of what was sealed with it nothing can be read any more,
    /// here or in any copy that was made.
    /// - Throws: when the key could not be destroyed; it is when the file is opened next.
    package func destroyKeys(of subject: String, at now: Instant) async throws {
        try await write { transaction in _ = try transaction.condemnKeys(of: subject, at: now) }
        try await destroyCondemnedKeys()
    }

    /// Destroys the keys of which a transaction said so, and empties the log, which may hold what was plain before.
    package func destroyCondemnedKeys() async throws {
        try vault.destroy(vault.undestroyed(of: await read { try $0.condemnedKeys() }))
        try await emptyLog()
    }

    /// What there is of entities whose keys are not there.
    package func sealedLoss() async throws -> SealedLoss {
        try await read { snapshot in
            var loss = SealedLoss()
            for (key, count) in try snapshot.sealedCounts() where try snapshot.vault.status(key) != .there { loss.missingCount += count }
            return loss
        }
    }

    /// Takes out what was sealed with keys that were destroyed since, as in a backup from before.
    package func purgeDestroyed() async throws -> SealedLoss {
        try await write { transaction in
            var (loss, destroyed) = (SealedLoss(), [KeyID]())
            for (key, count) in try transaction.sealedCounts() {
                switch try transaction.vault.status(key) {
                case .there: break
                case .missing: loss.missingCount += count
                case .destroyed: destroyed.append(key)
                }
            }
            loss.purgedCount = try transaction.purge(destroyed, at: nil)
            return loss
        }
    }
}

extension ReadSnapshot {
    /// All keys that ever were to be destroyed. They stay listed, so that none comes back with an older copy of the folder of keys.
    func condemnedKeys() throws -> [KeyID] {
        let cursor = try rows("SELECT id FROM destroyed_key")
        var ids: [KeyID] = []
        while let row = try cursor.next() { if let id = try row.keyID(atIndex: 0) { ids.append(id) } }
        return ids
    }

    /// The keys that something in the file is sealed with, each with of how many entities, of now or of the past.
    func sealedCounts() throws -> [KeyID: Int] {
        let cursor = try rows(
            """
            SELECT key, count(*) FROM (
                SELECT key FROM main.entity WHERE key IS NOT NULL UNION ALL SELECT key FROM main.past WHERE key IS NOT NULL
                UNION ALL SELECT key FROM account WHERE key IS NOT NULL) GROUP BY key
            """)
        var counts: [KeyID: Int] = [:]
        while let row = try cursor.next() { if let key = try row.keyID(atIndex: 0) { counts[key] = try row.decode(Int.self, atIndex: 1) } }
        return counts
    }
}
