package import CityModel
internal import GRDB
internal import OrderedCollections

/// An entity of which there is a history, whether or not it is there now (clause 5.2.20).
package struct HistoricEntity: Sendable {
    /// The number of its instances in `instance`: that of the entity, which it keeps when it comes back.
    package let number: Int64
    package let id: IRI
    package var types: [IRI]
    package let classification: Classification
    package let createdAt: Instant?
    package let modifiedAt: Instant?
    package let deletedAt: Instant?
    /// The scopes it has now; history may know others.
    package let scopes: [Scope]
    /// Whether it is an entity now.
    package let isCurrent: Bool
    /// With what is sealed what is or was personal of it.
    var key: KeyID?

    /// Stands for a time that a context source did not say. Only snapshots hold such entities.
    static let unknownMicroseconds: Int64 = .min
}

extension ReadSnapshot {
    /// The entity whose history was recorded under an identifier; nil when there is none that may be seen.
    /// - Parameter evenIfEmpty: whether an entity that is there now has a history before anything was recorded of it.
    package func historicEntity(_ id: IRI, _ classificationMax: Classification, evenIfEmpty: Bool = false) throws -> HistoricEntity? {
        if let stored = try storedEntity(id) { return try historicEntity(stored, classificationMax, evenIfEmpty: evenIfEmpty) }
        return try row("SELECT \(Self.pastColumns) FROM past WHERE iri = ? AND classification <= ?", [id.text, classificationMax.rank])
            .flatMap(historicEntity)
    }

    /// Whether there is such an entity, now or in the past, that may not be seen.
    package func isHidden(_ id: IRI, _ classificationMax: Classification) throws -> Bool {
        for table in ["entity", "past"] {
            guard try row("SELECT 1 FROM main.\(table) WHERE iri = ?", [id.text]) != nil else { continue }
            return try row("SELECT 1 FROM \(table) WHERE iri = ? AND classification <= ?", [id.text, classificationMax.rank]) == nil
        }
        return false
    }

    /// Nil when the entity may not be seen, or its history was erased and nothing was recorded since.
    func historicEntity(
        _ stored: StoredEntity, _ classificationMax: Classification, evenIfEmpty: Bool = false
    ) throws -> HistoricEntity? {
        guard stored.classification <= classificationMax,
            try evenIfEmpty || hasInstance(stored.number, classificationMax)
        else { return nil }
        let entity = try decoder.entity(stored.document, keeping: [])
        return HistoricEntity(
            number: stored.number, id: stored.id, types: entity.types, classification: stored.classification, createdAt: entity.createdAt,
            modifiedAt: entity.modifiedAt, deletedAt: nil, scopes: entity.scopes, isCurrent: true, key: stored.key)
    }

    private func hasInstance(_ number: Int64, _ classificationMax: Classification) throws -> Bool {
        let hidden = InstanceForm.hidden(from: classificationMax)
        return try row("SELECT 1 FROM instance WHERE entity = ? AND form < ? LIMIT 1", [number, hidden]) != nil || hasChunk(of: number, hidden)
            || hasThinned(of: number, hidden)
    }

    static var pastColumns: String { "past.id, past.iri, past.classification, past.created_us, past.modified_us, past.deleted_us, past.types, past.key" }

    /// Nil where the key of what is personal is gone.
    func historicEntity(_ row: Row) throws -> HistoricEntity? {
        guard let classification = Classification(rank: try row.decode(Int.self, atIndex: 2)) else {
            throw CorruptRow(table: "past", reason: "classification")
        }
        func time(_ column: Int) throws -> Instant? {
            let microseconds = try row.decode(Int64?.self, atIndex: column)
            return microseconds == HistoricEntity.unknownMicroseconds ? nil : microseconds.map(Instant.init(microseconds:))
        }
        let key = try row.keyID(atIndex: 7)
        if let key, classification.isSealed, try vault.secret(key) == nil { return nil }
        let types = try row.decode(String.self, atIndex: 6).split(separator: " ").compactMap { Int64($0).flatMap(terms.name(of:)) }
        return HistoricEntity(
            number: try row.decode(Int64.self, atIndex: 0), id: IRI(known: try row.decode(String.self, atIndex: 1)), types: types,
            classification: classification, createdAt: try time(3), modifiedAt: try time(4), deletedAt: try time(5), scopes: [], isCurrent: false, key: key)
    }
}

extension WriteTransaction {
    /// The number for an entity that is to be inserted: the one it had when it was there before, else one that no history
    /// has, so that nobody inherits the past of another. What was recorded of it stays as confidential as it was then.
    /// - Returns: the number; whether it had it; and with what is sealed what was personal then.
    func numberForNew(_ id: IRI) throws -> (number: Int64, isKnown: Bool, key: KeyID?) {
        guard let row = try row("SELECT \(Self.pastColumns) FROM past WHERE iri = ?", [id.text]) else { return (try freshNumber(), false, nil) }
        guard let past = try historicEntity(row) else {
            throw CityError.alreadyExists("\(id): there is a history under this identifier that can't be read, because its key is missing")
        }
        try removePast(past)
        return (past.number, true, past.key)
    }

    /// A number that no entity has and none had: identifiers of instances tell it, also of histories that were erased.
    private func freshNumber() throws -> Int64 {
        if let last = lastFreshNumber {
            lastFreshNumber = last + 1
            return last + 1
        }
        let sql = """
            SELECT max(
                coalesce((SELECT max(id) FROM entity), 0), coalesce((SELECT max(id) FROM past), 0),
                coalesce((SELECT CAST(CAST(body AS TEXT) AS INTEGER) FROM document WHERE kind = ? AND id = ?), 0))
            """
        let number = try (row(sql, [DocumentKind.setting.rawValue, Self.erasedNumber])?.decode(Int64.self, atIndex: 0) ?? 0) + 1
        lastFreshNumber = number
        return number
    }

    /// The setting that holds the greatest number of an entity that was erased.
    private static let erasedNumber = "erased-number"

    func keepFromReuse(_ number: Int64, at now: Instant) throws {
        guard try number > document(.setting, Self.erasedNumber)?.body.integerValue ?? 0 else { return }
        try put(.setting, Self.erasedNumber, .integer(number), at: now)
    }

    /// Records the end of an entity and keeps what its history needs: who it was and who may see it.
    func keepPast(of entity: Entity, _ stored: StoredEntity, at now: Instant) throws {
        try recordDeletion(of: entity, number: stored.number, stored.classification, at: now)
        try insertPast(
            HistoricEntity(
                number: stored.number, id: entity.id, types: entity.types, classification: stored.classification,
                createdAt: entity.createdAt, modifiedAt: entity.modifiedAt, deletedAt: now, scopes: [], isCurrent: false, key: stored.key), at: now)
        // How long its history is kept is still for its source to say.
        try execute("INSERT INTO past_source (past, source) SELECT ?, source FROM import_run WHERE id = ?", [stored.number, stored.run])
    }

    /// Adds an entity of which there is nothing but a history.
    package func insertHistoric(_ id: IRI, types: [IRI], classification: Classification, at now: Instant) throws -> HistoricEntity {
        let entity = HistoricEntity(
            number: try freshNumber(), id: id, types: types, classification: classification, createdAt: now, modifiedAt: now,
            deletedAt: nil, scopes: [], isCurrent: false)
        try insertPast(entity, at: now)
        return entity
    }

    /// Adds an entity of the past to a snapshot. Times that a context source did not say stay unknown.
    func insertFrozenPast(_ entity: HistoricEntity) throws {
        try insertPast(entity, at: Instant(microseconds: HistoricEntity.unknownMicroseconds))
        lastFreshNumber = nil
    }

    private func insertPast(_ entity: HistoricEntity, at now: Instant) throws {
        let types = try entity.types.map(intern)
        let key = try entity.key ?? (entity.classification.isSealed ? vault.key(of: entity.id.text).id : nil)
        guarded = nil
        try execute(
            "INSERT INTO past (id, iri, classification, created_us, modified_us, deleted_us, types, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entity.number, entity.id.text, entity.classification.rank, (entity.createdAt ?? now).microseconds,
                (entity.modifiedAt ?? now).microseconds, entity.deletedAt?.microseconds, types.map(String.init).joined(separator: " "), key?.blob,
            ])
        for type in types { try execute("INSERT INTO past_type (type, past) VALUES (?, ?)", [type, entity.number]) }
    }

    private func removePast(_ entity: HistoricEntity) throws {
        try execute("DELETE FROM past WHERE id = ?", [entity.number])
        try execute("DELETE FROM past_source WHERE past = ?", [entity.number])
        for type in entity.types { try execute("DELETE FROM past_type WHERE type = ? AND past = ?", [try intern(type), entity.number]) }
    }

    /// Says that the history of an entity that is not there now was added to.
    /// - Parameter types: added to those it has.
    package func touchPast(_ entity: HistoricEntity, adding types: [IRI], at now: Instant) throws {
        guard !entity.isCurrent else { return }
        let new = types.filter { !entity.types.contains($0) }
        for type in new { try execute("INSERT INTO past_type (type, past) VALUES (?, ?)", [try intern(type), entity.number]) }
        let numbers = try (entity.types + new).map { String(try intern($0)) }.joined(separator: " ")
        try execute("UPDATE past SET modified_us = ?, types = ? WHERE id = ?", [now.microseconds, numbers, entity.number])
    }

    /// Erases the whole history of an entity (clause 5.6.16). One that is there now stays there.
    /// - Parameter keepingSubjects: whether it stays known whom it was about.
    package func eraseHistory(of entity: HistoricEntity, keepingSubjects: Bool = false, at now: Instant) throws {
        touch(entity.number)
        try execute("DELETE FROM instance WHERE entity = ?", [entity.number])
        try removeChunks(of: entity.number)
        try removeThinned(of: entity.number)
        try execute("DELETE FROM instance_name WHERE entity = ?", [entity.number])
        guard !entity.isCurrent else { return }
        try removePast(entity)
        if !keepingSubjects { try forgetSubjects(of: entity.number) }
        try keepFromReuse(entity.number, at: now)
    }
}
