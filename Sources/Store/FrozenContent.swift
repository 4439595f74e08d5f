package import CityModel
internal import GRDB

/// An entity to be frozen: as it is here, or as a context source gave it.
package struct EntityToFreeze: Sendable {
    package let entity: Entity
    package let classification: Classification
    /// Its number in the file; nil for one that is not and was not there.
    package let number: Int64?

    package init(_ entity: Entity, classification: Classification, number: Int64?) {
        (self.entity, self.classification, self.number) = (entity, classification, number)
    }
}

extension ReadSnapshot {
    /// How many entities a snapshot holds.
    package func frozenEntityCount(in snapshot: Int64) throws -> Int {
        try row("SELECT count(*) FROM frozen_entity WHERE snapshot = ?", [snapshot])?.decode(Int.self, atIndex: 0) ?? 0
    }
}

extension WriteTransaction {
    /// Adds an entity to a snapshot, with its index rows; one that is in it already stays as it is.
    package func freeze(_ frozen: EntityToFreeze, in snapshot: Int64) throws {
        let entity = frozen.entity
        guard try row("SELECT 1 FROM frozen_entity WHERE snapshot = ? AND iri = ?", [snapshot, entity.id.text]) == nil else { return }
        let rows = try IndexRows(entity, intern: intern)
        let number = try self.number(of: entity.id, known: frozen.number, in: snapshot)
        try execute(
            "INSERT INTO frozen_entity (snapshot, id, iri, version, classification, expires_us, document) VALUES (?, ?, ?, 0, ?, ?, ?)",
            [
                snapshot, number, entity.id.text, frozen.classification.rank, entity.firstExpiry?.microseconds, try document(entity).data,
            ])
        for type in rows.types {
            try execute("INSERT INTO frozen_entity_type (snapshot, type, entity) VALUES (?, ?, ?)", [snapshot, type, number])
            for value in rows.values {
                try execute(
                    "INSERT INTO frozen_entity_value (snapshot, attribute, type, value, entity) VALUES (?, ?, ?, ?, ?)",
                    [snapshot, value.attribute, type, value.value.databaseValue, number])
            }
        }
        for scope in rows.scopes {
            try execute("INSERT INTO frozen_entity_scope (snapshot, scope, entity) VALUES (?, ?, ?)", [snapshot, scope.text, number])
        }
        for (slot, place) in rows.places.enumerated() {
            try execute(
                "INSERT INTO frozen_entity_place (west, east, south, north, snapshot, place, attribute) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    place.box.west, place.box.east, place.box.south, place.box.north, snapshot, PlaceNumber(entity: number, slot: slot).id,
                    place.attribute,
                ])
        }
    }

    /// The number that an entity has within a snapshot, whichever of its queries finds it.
    /// - Parameter known: its number in the file, where it is or was there; else it gets one that no entity of the file has or will have.
    func number(of id: IRI, known: Int64?, in snapshot: Int64) throws -> Int64 {
        if let known { return known }
        let sql = "SELECT id FROM frozen_entity WHERE snapshot = ?1 AND iri = ?2 UNION ALL SELECT id FROM frozen_past WHERE snapshot = ?1 AND iri = ?2"
        if let found = try row(sql, [snapshot, id.text])?.decode(Int64.self, atIndex: 0) { return found }
        let greatest = """
            SELECT max(coalesce((SELECT max(id) FROM frozen_entity WHERE snapshot = ?1), 0),
                coalesce((SELECT max(id) FROM frozen_past WHERE snapshot = ?1), 0))
            """
        return max(try row(greatest, [snapshot])?.decode(Int64.self, atIndex: 0) ?? 0, Self.foreignNumberMin) + 1
    }

    private static var foreignNumberMin: Int64 { 1 << 48 }

    /// Copies everything that one snapshot holds into another, which is empty.
    package func copyFrozen(from source: Int64, to copy: Int64) throws {
        for (table, columns) in FrozenSchema.columns {
            let columns = columns.joined(separator: ", ")
            try execute(
                "INSERT INTO frozen_\(table) (snapshot, \(columns)) SELECT ?, \(columns) FROM frozen_\(table) WHERE snapshot = ?", [copy, source])
        }
    }

    /// Does away with what a removed snapshot, or one that is to be prepared anew, holds.
    package func eraseFrozen(_ snapshot: Int64) throws {
        for (table, _) in FrozenSchema.columns { try execute("DELETE FROM frozen_\(table) WHERE snapshot = ?", [snapshot]) }
        try execute("DELETE FROM removed_snapshot WHERE number = ?", [snapshot])
    }
}
