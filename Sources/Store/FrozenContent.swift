package import CityModel
internal import GRDB

/// An entity to be frozen: as it is in the municipality, or as a context source gave it.
package struct EntityToFreeze: Sendable {
    package let entity: Entity
    package let classification: Classification
    /// Its number in the municipality's file; nil for one that is not and was not there.
    package let number: Int64?
    /// The source that fed it last, which rules of access may ask for.
    package let source: String?
    /// With what it is sealed in the municipality's file. What is shown of it may not say whom it is about.
    package let key: KeyID?

    package init(_ entity: Entity, classification: Classification, number: Int64?, source: String? = nil, key: KeyID? = nil) {
        (self.entity, self.classification, self.number, self.key) = (entity, classification, number, key)
        self.source = source.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension WriteTransaction {
    /// Adds an entity to a snapshot, to which this is a write, with its index rows; one that is in it already stays as it is. No change of it is
    /// recorded: what history the snapshot has of it, its queries say.
    package func freeze(_ frozen: EntityToFreeze) throws {
        let entity = frozen.entity
        guard try row("SELECT 1 FROM entity WHERE iri = ?", [entity.id.text]) == nil else { return }
        let isSealed = frozen.classification.isSealed
        let rows = try IndexRows(entity, isSealed: isSealed, intern: intern)
        let number = try self.number(of: entity.id, known: frozen.number)
        lastFreshNumber = nil
        let key = isSealed ? try frozen.key.flatMap(vault.key) ?? vault.key(of: entity.sealSubject) : nil
        guardEntity(number, isSealed: isSealed, key)
        try execute(
            "INSERT INTO entity (id, iri, version, classification, run, expires_us, document, key) VALUES (?, ?, 0, ?, ?, ?, ?, ?)",
            [
                number, entity.id.text, frozen.classification.rank, try frozen.source.map(run), entity.firstExpiry?.microseconds,
                try document(entity).data(sealedWith: key), key?.id.blob,
            ])
        try addIndexRows(rows, of: number)
        try noteSubject(entity.dataSubject, of: number)
    }

    /// A run of a source, in a snapshot.
    private func run(of source: String) throws -> Int64 {
        if let known = try row("SELECT id FROM import_run WHERE source = ?", [source])?.decode(Int64.self, atIndex: 0) { return known }
        try execute("INSERT INTO import_run (source, source_version, started_us) VALUES (?, '', 0)", [source])
        return db.lastInsertedRowID
    }

    /// The number that an entity has within a snapshot, whichever of its queries finds it.
    /// - Parameter known: its number in the municipality's file, where it is or was there, so that its instances have the same names; else it
    ///   gets one that no entity of that file has or will have.
    func number(of id: IRI, known: Int64?) throws -> Int64 {
        if let known { return known }
        let sql = "SELECT id FROM entity WHERE iri = ?1 UNION ALL SELECT id FROM past WHERE iri = ?1"
        if let found = try row(sql, [id.text])?.decode(Int64.self, atIndex: 0) { return found }
        let greatest = "SELECT max(coalesce((SELECT max(id) FROM entity), 0), coalesce((SELECT max(id) FROM past), 0))"
        return max(try row(greatest)?.decode(Int64.self, atIndex: 0) ?? 0, Self.foreignNumberMin) + 1
    }

    /// Beyond all numbers of a municipality's file.
    static var foreignNumberMin: Int64 { 1 << 48 }
}
