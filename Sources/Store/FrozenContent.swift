package import CityModel
internal import GRDB
internal import Query
internal import Series

/// An entity to be frozen: as it is here, or as a context source gave it.
package struct EntityToFreeze: Sendable {
    package let entity: Entity
    package let classification: Classification
    /// Its number in the file; nil for one of a context source.
    package let number: Int64?

    package init(_ entity: Entity, classification: Classification, number: Int64?) {
        (self.entity, self.classification, self.number) = (entity, classification, number)
    }
}

/// A part of an entity's history to be frozen.
package struct HistoryToFreeze: Sendable {
    package let entity: HistoricEntity
    let keys: [InstanceKey]
    /// What the instances take, roughly.
    package let byteCount: Int
    package var instanceCount: Int { keys.count }
}

extension ReadSnapshot {
    /// What a temporal query finds of one entity.
    /// - Parameter lastN: only so many of each series, the most recent.
    /// - Throws: `tooManyResults` for more than `countMax` instances or `byteCountMax` bytes.
    package func historyToFreeze(
        _ match: HistoryMatch, _ window: HistoryWindow, lastN: Int?, countMax: Int, byteCountMax: Int, where keeps: (Series) -> Bool
    ) throws -> HistoryToFreeze {
        var (keys, byteCount) = ([InstanceKey](), 0)
        for series in try series(of: match.entity.number, window.classificationMax) where keeps(series) {
            try visitRecords(of: match.entity.number, series, window, limit: lastN ?? Int(Int32.max)) { record in
                byteCount += record.attribute.approximateByteCount
                guard keys.count < countMax, byteCount <= byteCountMax else {
                    throw CityError.tooManyResults("the snapshot would have too many instances; narrow the interval")
                }
                keys.append(record.key)
                return true
            }
        }
        for record in try scopeRecords(of: match.entity, window) { keys.append(record.key) }
        return HistoryToFreeze(entity: match.entity, keys: keys, byteCount: byteCount)
    }

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
        let number = try frozen.number ?? foreignNumber(in: snapshot)
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

    /// A number that no entity of the file has or will have.
    private func foreignNumber(in snapshot: Int64) throws -> Int64 {
        let last = try row("SELECT max(id) FROM frozen_entity WHERE snapshot = ?", [snapshot])?.decode(Int64?.self, atIndex: 0)
        return max(last ?? 0, Self.foreignNumberMin) + 1
    }

    private static var foreignNumberMin: Int64 { 1 << 48 }

    /// Adds a part of a history to a snapshot. An entity that is not among its entities is one of the past there.
    package func freeze(_ history: HistoryToFreeze, in snapshot: Int64) throws {
        let columns = FrozenSchema.instanceColumns.joined(separator: ", ")
        for key in history.keys {
            try execute(
                """
                INSERT OR IGNORE INTO frozen_instance (snapshot, \(columns)) SELECT ?, \(columns) FROM instance
                WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us = ?
                """, [snapshot, key.entity, key.attribute, key.dataset, key.atMicroseconds, key.lateMicroseconds])
            if db.changesCount == 0, let record = try sealedRecord(key) { try freeze(record, key, in: snapshot) }
        }
        try freezePast(history.entity, in: snapshot)
    }

    /// A snapshot holds rows alone.
    private func freeze(_ record: SampleRecord, _ key: InstanceKey, in snapshot: Int64) throws {
        try execute(
            """
            INSERT OR IGNORE INTO frozen_instance (snapshot, \(InstanceKey.columns), form, value, unit, modified_us, rest)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [snapshot] + key.arguments + [
                record.form, record.value.databaseValue, record.unit, record.modified, record.rest?.databaseBlob,
            ])
    }

    private func freezePast(_ entity: HistoricEntity, in snapshot: Int64) throws {
        guard try row("SELECT 1 FROM frozen_entity WHERE snapshot = ? AND id = ?", [snapshot, entity.number]) == nil else { return }
        let types = try entity.types.map(intern)
        try execute(
            """
            INSERT OR IGNORE INTO frozen_past (snapshot, id, iri, classification, created_us, modified_us, deleted_us, types)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                snapshot, entity.number, entity.id.text, entity.classification.rank, entity.createdAt?.microseconds ?? 0,
                entity.modifiedAt?.microseconds ?? 0, entity.deletedAt?.microseconds, types.map(String.init).joined(separator: " "),
            ])
        for type in types {
            try execute("INSERT OR IGNORE INTO frozen_past_type (snapshot, type, past) VALUES (?, ?, ?)", [snapshot, type, entity.number])
        }
    }

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
