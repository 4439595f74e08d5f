internal import CityModel
internal import GRDB

/// What the file of a municipality says of keys, and what is done about it when it is opened.
struct KeyReconciliation {
    /// Migration `0017-keys-of-residents`. `unsealed` names the entities of which something personal lies plain in the file since before;
    /// 0 stands for what waits to be told.
    static let schema = """
        ALTER TABLE entity ADD COLUMN key BLOB CHECK (length(key) = \(KeyID.byteCount));
        ALTER TABLE past ADD COLUMN key BLOB CHECK (length(key) = \(KeyID.byteCount));
        CREATE INDEX entity_key ON entity (key) WHERE key IS NOT NULL;
        CREATE INDEX past_key ON past (key) WHERE key IS NOT NULL;

        -- Keys that are to be destroyed, or were.
        CREATE TABLE destroyed_key (id BLOB PRIMARY KEY) WITHOUT ROWID, STRICT;

        CREATE TABLE unsealed (entity INTEGER PRIMARY KEY) STRICT;
        INSERT INTO unsealed
            SELECT 0 UNION SELECT id FROM entity WHERE classification >= \(Classification.sealedMin.rank)
            UNION SELECT id FROM past WHERE classification >= \(Classification.sealedMin.rank)
            UNION SELECT entity FROM instance WHERE form >= \(Classification.sealedMin.rank * InstanceForm.classificationUnit)
            UNION SELECT entity FROM chunk WHERE form_min >= \(Classification.sealedMin.rank * InstanceForm.classificationUnit)
            UNION SELECT entity FROM summary WHERE form >= \(Classification.sealedMin.rank * InstanceForm.classificationUnit);
        """

    let db: Database
    let vault: ResidentKeys
    let isSnapshot: Bool
    let transaction: () -> WriteTransaction

    /// Entities that one transaction seals.
    private static let partCount = 50

    /// - Returns: whether something that was plain, or that only keys opened that are gone, went.
    func run() throws -> Bool {
        let hasDestroyed = try destroyCondemned()
        let hasSealed = try sealPlain()
        return hasDestroyed || hasSealed
    }

    /// A crash came between the transaction that said so and the destruction, or the folder of keys is an older copy.
    private func destroyCondemned() throws -> Bool {
        let ids = try vault.undestroyed(of: transaction().condemnedKeys())
        vault.condemn(ids)
        try vault.destroy(ids)
        return try isSnapshot && purge() || !ids.isEmpty
    }

    /// A snapshot is a copy from before: what was destroyed in the municipality since goes here too.
    private func purge() throws -> Bool {
        let counts = try transaction().sealedCounts()
        let destroyed = try counts.keys.filter { if case .destroyed = try vault.status($0) { true } else { false } }
        guard !destroyed.isEmpty else { return false }
        try db.inTransaction {
            _ = try transaction().purge(Array(destroyed), at: nil)
            return .commit
        }
        return true
    }

    private func sealPlain() throws -> Bool {
        var hasSealed = false
        while true {
            var count = 0
            try db.inTransaction {
                let transaction = transaction()
                let numbers = try transaction.unsealedEntities(limit: Self.partCount)
                count = numbers.count
                for number in numbers { hasSealed = try transaction.sealWhatWasPlain(number) || hasSealed }
                if count == 0 { hasSealed = try transaction.sealPlainAccounts() || hasSealed }
                try vault.flush()
                return .commit
            }
            guard count > 0 else { return hasSealed }
        }
    }
}

extension WriteTransaction {
    fileprivate func unsealedEntities(limit: Int) throws -> [Int64] {
        let cursor = try rows("SELECT entity FROM unsealed ORDER BY entity DESC LIMIT ?", [limit])
        var numbers: [Int64] = []
        while let row = try cursor.next() { numbers.append(try row.decode(Int64.self, atIndex: 0)) }
        return numbers
    }

    /// - Returns: whether anything was plain.
    fileprivate func sealWhatWasPlain(_ number: Int64) throws -> Bool {
        try execute("DELETE FROM unsealed WHERE entity = ?", [number])
        if number == 0 { return try sealWhatWaitsPlain() }
        if let stored = try storedEntity(number: number) {
            if stored.classification.isSealed { try sealPlain(stored) } else { try sealWhatWasPersonal(stored) }
        } else {
            try sealPlainPast(number)
        }
        return true
    }

    /// What was recorded of an entity when it was personal.
    private func sealWhatWasPersonal(_ stored: StoredEntity) throws {
        let key = try vault.key(of: entity(stored).sealSubject)
        try execute("UPDATE entity SET key = ? WHERE id = ?", [key.id.blob, stored.number])
        guardEntity(stored.number, isSealed: false, key)
        try reseal(stored.number, with: key, from: .sealedMin, countMax: nil)
    }

    /// Changes that wait to be told.
    private func sealWhatWaitsPlain() throws -> Bool {
        var hasSealed = false
        for (table, place) in [("watched", "seq"), ("held", "subscription || ' ' || entity")] {
            let cursor = try rows(
                "SELECT \(place), document, previous FROM \(table) WHERE classification >= ? AND NOT \(Opened.isSealed("document"))",
                [Classification.sealedMin.rank])
            var found: [(place: DatabaseValue, document: StoredDocument, previous: StoredDocument?)] = []
            while let row = try cursor.next() {
                found.append(
                    (
                        try row.decode(DatabaseValue.self, atIndex: 0), StoredDocument(bytes: try row.bytes(atIndex: 1) ?? []),
                        try row.bytes(atIndex: 2).map(StoredDocument.init)
                    ))
            }
            for (which, document, previous) in found {
                hasSealed = true
                let key = try vault.key(of: decoder.entity(document).sealSubject)
                try execute(
                    "UPDATE \(table) SET document = ?, previous = ? WHERE \(place) = ?",
                    [try document.data(sealedWith: key), try previous?.data(sealedWith: key), which])
            }
        }
        return hasSealed
    }
}
