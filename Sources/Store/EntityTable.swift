package import CityModel
internal import GRDB
internal import OrderedCollections

/// One entity as the file holds it.
package struct StoredEntity: Sendable {
    /// Its number within the file; never used again after the entity is gone.
    package let number: Int64
    package let id: IRI
    /// The number of the change that made it what it is.
    package let version: Int64
    package let classification: Classification
    /// The import that fed it last, if one did.
    package let run: Int64?
    /// When it or the first of its attributes ceases to be (clause 4.22).
    package let expiresAt: Instant?
    package let document: StoredDocument
    /// With what is sealed what is or was personal of it; nil where nothing is.
    package let key: KeyID?

    /// Whether the document, and all that is recorded, is sealed in the file.
    var isSealed: Bool { key != nil && classification.isSealed }
    /// With what the document is sealed; nil where it is not.
    package var sealingKey: KeyID? { isSealed ? key : nil }

    static let columns = """
        entity.id, entity.iri, entity.version, entity.classification, entity.run, entity.expires_us,
        CASE WHEN entity.key IS NULL THEN entity.document ELSE opened(entity.document) END, entity.key
        """

    /// Nil where the key of what is personal is gone.
    init?(_ row: Row) throws {
        guard let bytes = try row.bytes(atIndex: 6) else { return nil }
        number = try row.decode(Int64.self, atIndex: 0)
        id = IRI(known: try row.decode(String.self, atIndex: 1))
        version = try row.decode(Int64.self, atIndex: 2)
        guard let classification = Classification(rank: try row.decode(Int.self, atIndex: 3)) else {
            throw CorruptRow(table: "entity", reason: "classification")
        }
        self.classification = classification
        run = try row.decode(Int64?.self, atIndex: 4)
        expiresAt = try row.decode(Int64?.self, atIndex: 5).map(Instant.init(microseconds:))
        document = StoredDocument(bytes: bytes)
        key = try row.keyID(atIndex: 7)
    }
}

/// Where a change came from: what the entity is classified as and the import that fed it.
package struct Provenance: Sendable {
    package var classification: Classification?
    package var run: Int64?
    package init(classification: Classification? = nil, run: Int64? = nil) {
        self.classification = classification
        self.run = run
    }
}

extension ReadSnapshot {
    package func storedEntity(_ id: IRI) throws -> StoredEntity? { try row(Self.entityByID, [id.text]).flatMap { try StoredEntity($0) } }
    package func storedEntity(number: Int64) throws -> StoredEntity? { try row(Self.entityByNumber, [number]).flatMap { try StoredEntity($0) } }
    private static let entityByID = "SELECT \(StoredEntity.columns) FROM entity WHERE iri = ?"
    private static let entityByNumber = "SELECT \(StoredEntity.columns) FROM entity WHERE id = ?"

    package func entity(_ stored: StoredEntity) throws -> Entity { try decoder.entity(stored.document) }
    /// As much as is asked for of an entity that was found.
    package func entity(_ found: FoundEntity, keeping wanted: Set<IRI>) throws -> Entity {
        try found.entity ?? decoder.entity(found.stored.document, keeping: wanted)
    }

    /// With what entities are sealed, of those of the identifiers that are there.
    package func sealingKeys(of ids: some Sequence<IRI>) throws -> [KeyID] {
        var keys: OrderedSet<KeyID> = []
        for id in ids { if let key = try storedEntity(id)?.sealingKey { keys.append(key) } }
        return Array(keys)
    }

    package func entityTypes(_ stored: StoredEntity) throws -> [IRI] { try decoder.entity(stored.document, keeping: []).types }

    /// Up to `limit` entities that have expired or of which an attribute has.
    package func expired(at now: Instant, limit: Int) throws -> [StoredEntity] {
        let cursor = try rows(
            "SELECT \(StoredEntity.columns) FROM entity WHERE expires_us <= ? ORDER BY expires_us LIMIT ?", [now.microseconds, limit])
        var expired: [StoredEntity] = []
        while let row = try cursor.next() { if let stored = try StoredEntity(row) { expired.append(stored) } }
        return expired
    }

    /// Up to `limit` entities in the order of their numbers, after the one with number `number`.
    package func entities(after number: Int64, limit: Int) throws -> [StoredEntity] {
        let cursor = try rows("SELECT \(StoredEntity.columns) FROM entity WHERE id > ? ORDER BY id LIMIT ?", [number, limit])
        var entities: [StoredEntity] = []
        while let row = try cursor.next() { if let stored = try StoredEntity(row) { entities.append(stored) } }
        return entities
    }

    /// How many entities may be seen.
    package func entityCount(_ classificationMax: Classification) throws -> Int {
        try row("SELECT count(*) FROM entity WHERE classification <= ?", [classificationMax.rank])?.decode(Int.self, atIndex: 0) ?? 0
    }

    /// How many entities the file holds.
    package func entityCount() throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM entity") ?? 0 }
}

extension WriteTransaction {
    /// Adds an entity that is not there yet, with its index rows, history and journal entry.
    package func insert(_ entity: Entity, provenance: Provenance, at now: Instant) throws {
        _ = try insertNumbered(entity, provenance: provenance, at: now)
    }

    /// The same.
    /// - Parameter recorded: series of which its instance is recorded already, or will be within the transaction.
    /// - Returns: its number.
    package func insertNumbered(_ entity: Entity, provenance: Provenance, recorded: Set<SeriesName> = [], at now: Instant) throws -> Int64 {
        let classification = provenance.classification ?? .internalUse
        let rows = try IndexRows(entity, isSealed: classification.isSealed, intern: intern)
        let change = try nextChange()
        let key = classification.isSealed ? try vault.key(of: entity.sealSubject) : nil
        let past = try numberForNew(entity.id)
        let number = past.number
        let document = try document(entity)
        try checkCreation(of: entity, classification, run: provenance.run)
        do {
            try run(
                "INSERT INTO entity (id, iri, version, classification, run, expires_us, document, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                number, entity.id.text, change, classification.rank, provenance.run, entity.firstExpiry?.microseconds,
                try document.data(sealedWith: key), key?.id.blob ?? past.key?.blob)
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            throw CityError.alreadyExists("\(entity.id): an entity has this identifier that can't be read, because its key is missing")
        }
        guardEntity(number, isSealed: key != nil, try key ?? past.key.flatMap(vault.key))
        if let key, past.isKnown { try reseal(number, with: key) }
        try noteClassification(classification, of: entity.id)
        try noteSubject(entity.dataSubject, of: number)
        try addIndexRows(rows, of: number)
        try recordBeginning(of: entity, number: number, hasPast: past.isKnown, classification, recorded: recorded, at: now)
        let created = Change(
            seq: change, operation: .created, at: now, entityNumber: number, entityID: entity.id,
            classification: classification, types: entity.types, attributes: Array(entity.attributes.keys))
        try appendChange(created)
        try noteForSubscribers(created, of: entity, attributes: created.attributes, document: (document, key))
        return number
    }

    /// Puts `new` in the place of `old`. Only what differs is written to the indexes and to history. Followers of an entity that
    /// is less confidential than before are told what it is, and nothing of what it was.
    /// - Parameter recorded: series of which the new instance is recorded already, or will be within the transaction.
    package func update(
        _ stored: StoredEntity, from old: Entity, to new: Entity, provenance: Provenance, recorded: Set<SeriesName> = [], at now: Instant
    ) throws {
        let change = try nextChange()
        let classification = provenance.classification ?? stored.classification
        try checkUpdate(stored, from: old, to: new, classification, run: provenance.run ?? stored.run)
        let document = try document(new)
        let key = classification.isSealed ? try vault.key(of: new.sealSubject) : nil
        try run(
            "UPDATE entity SET version = ?, classification = ?, run = ?, expires_us = ?, document = ?, key = ? WHERE id = ?",
            change, classification.rank, provenance.run ?? stored.run, new.firstExpiry?.microseconds, try document.data(sealedWith: key),
            key?.id.blob ?? stored.key?.blob, stored.number)
        if classification > stored.classification { try noteClassification(classification, of: new.id) }
        if let subject = new.dataSubject { try noteSubject(subject, of: stored.number) }
        try replaceIndexRows(
            IndexRows(old, isSealed: stored.isSealed, intern: intern), with: IndexRows(new, isSealed: key != nil, intern: intern), of: stored.number)
        let before = try stored.key.flatMap(vault.key)
        guardEntity(stored.number, isSealed: key != nil, key ?? before)
        // What was recorded before it was personal, or when it was about somebody else.
        if let key, !stored.isSealed || stored.key != key.id { try reseal(stored.number, with: key) }
        let changed = new.changedAttributes(since: old)
        try recordHistory(
            of: new, since: old, changed: changed, number: stored.number, (classification, stored.classification), recorded: recorded, at: now)
        let isReleased = classification < stored.classification
        if isReleased, classification == .open { noteRelease(of: new.id) }
        let told = isReleased ? changed.filter { new.attributes[$0] != nil } : changed
        let updated = Change(
            seq: change, operation: .updated, at: now, entityNumber: stored.number, entityID: new.id, classification: classification,
            types: new.types, attributes: told)
        try appendChange(updated)
        guard !told.isEmpty else { return }
        try noteForSubscribers(
            updated, of: new, attributes: told, document: (document, key), previous: isReleased ? nil : (stored.document, stored.isSealed ? before : key))
    }

    /// Removes an entity with its index rows; its history stays, and the journal tells followers.
    package func delete(_ stored: StoredEntity, _ entity: Entity, at now: Instant) throws {
        try checkDeletion(of: stored, entity)
        try removeIndexRows(IndexRows(entity, isSealed: stored.isSealed, intern: intern), of: stored.number)
        try run("DELETE FROM entity WHERE id = ?", stored.number)
        try keepPast(of: entity, stored, at: now)
        let deleted = Change(
            seq: try nextChange(), operation: .deleted, at: now, entityNumber: stored.number, entityID: entity.id,
            classification: stored.classification, types: entity.types, attributes: [])
        try appendChange(deleted)
        let key = stored.isSealed ? try stored.key.flatMap(vault.key) : nil
        try noteForSubscribers(deleted, of: entity, attributes: entity.attributes.keys, document: (stored.document, key))
    }

    func document(_ entity: Entity) throws -> StoredDocument {
        // Every name was interned for the indexes but those of sub-attributes, types of targets and vocabulary values.
        var failure: (any Error)?
        let document = StoredDocument(entity) { name in
            do { return try intern(name) } catch { failure = failure ?? error }
            return 0
        }
        if let failure { throw failure }
        return document
    }
}

extension Entity {
    /// The first moment at which the entity or one of its attributes expires.
    var firstExpiry: Instant? {
        var first = expiresAt
        for instance in attributes.values.joined() {
            if let expiry = instance.expiresAt { first = min(first ?? expiry, expiry) }
        }
        return first
    }

    /// The attributes that were added, removed or changed in content since `old`.
    func changedAttributes(since old: Entity) -> [IRI] {
        var changed: [IRI] = []
        for (name, instances) in attributes {
            let before = old.attributes[name] ?? []
            let isSame = before.count == instances.count && zip(before, instances).allSatisfy { $0 == $1 }
            if !isSame { changed.append(name) }
        }
        changed.append(contentsOf: old.attributes.keys.filter { attributes[$0] == nil })
        return changed
    }
}
