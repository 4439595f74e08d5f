package import CityModel
internal import GRDB
internal import Query
internal import Series

extension WriteTransaction {
    /// Adds an instance to a series of an entity's history. One that was observed at a moment of which the series has an
    /// observation takes its place and its identifier: it corrects it (clause 4.8, `modifiedAt`).
    /// - Parameter now: when it is recorded; instances without `observedAt` recorded at one moment stand a microsecond after
    ///   one another.
    package func add(_ instance: Attribute, _ name: IRI, to entity: HistoricEntity, at now: Instant) throws {
        let attribute = try intern(name)
        if name == .dataSubject { try noteSubject(instance.value.stringValue, of: entity.number) }
        guard try !correct(instance, name, attribute, entity, at: now) else { return }
        let row = InstanceRow(instance, attribute, entity.number, entity.classification, at: now)
        guard try takes(row) else { throw Self.thinned("observedAt") }
        try insert(row)
    }

    /// - Returns: false, having done nothing, when the series has no observation of the instance's moment.
    private func correct(
        _ instance: Attribute, _ name: IRI, _ attribute: Int64, _ entity: HistoricEntity, at now: Instant
    ) throws -> Bool {
        guard let observedAt = instance.observedAt else { return false }
        let series = Series(attribute: name, datasetID: instance.datasetID, number: attribute)
        let moment = TemporalQuery(.between(observedAt, Instant(microseconds: observedAt.microseconds + 1)))
        var last: RecordedInstance?
        let window = HistoryWindow(moment, isBackwards: true, now: Instant(microseconds: .min), .special)
        try visitRecords(of: entity.number, series, window, limit: 1) { record in
            last = record
            return false
        }
        guard let last else { return false }
        guard !last.attribute.hasSameContent(as: instance) else { return true }
        try remove(last.key)
        let classification = max(last.classification, entity.classification)
        try insert(InstanceRow(instance, at: last.key, classification, name: last.name, modifiedAt: now))
        return true
    }

    /// - Parameter scopes: empty when they were removed.
    package func add(_ scopes: [Scope], observedAt: Instant?, to entity: HistoricEntity, at now: Instant) throws {
        try appendScopes(scopes, entity.number, entity.classification, observedAt: observedAt, at: now)
    }

    /// Adds the trace of a deletion to a series, unless it ends with one.
    /// - Returns: whether it did.
    package func appendDeletion(to series: Series, of entity: HistoricEntity, at now: Instant) throws -> Bool {
        var last: RecordedInstance?
        try visitRecords(of: entity.number, series, HistoryWindow(nil, isBackwards: true, now: now, .special), limit: 1) { record in
            last = record
            return false
        }
        guard let last, last.deletedAt == nil else { return false }
        let classification = max(last.classification, entity.classification)
        try appendDeletion(of: last.attribute.kind, datasetID: series.datasetID, series.number, entity.number, classification, at: now)
        return true
    }

    /// Removes the records of a series, leaving no trace (clause 5.6.13).
    package func erase(_ series: Series, of entity: HistoricEntity) throws {
        let arguments = key(entity.number, series).arguments
        touch(entity.number)
        try execute("DELETE FROM instance WHERE entity = ? AND attribute = ? AND dataset = ?", arguments)
        try execute("DELETE FROM instance_name WHERE entity = ? AND attribute = ? AND dataset = ?", arguments)
        try removeChunks(of: key(entity.number, series))
        try removeThinned(of: key(entity.number, series))
    }

    /// Removes all records of the scopes.
    /// - Returns: whether there were any.
    package func eraseScopes(of entity: HistoricEntity) throws -> Bool {
        try execute("DELETE FROM instance WHERE entity = ? AND attribute = ?", [entity.number, try intern(.scopeMember)])
        return db.changesCount > 0
    }

    /// Removes the record with an `instanceId`.
    /// - Returns: whether there was one.
    package func erase(instance id: String, _ name: IRI, of entity: HistoricEntity) throws -> Bool {
        guard let found = try find(id, name, entity) else { return false }
        try remove(found.key)
        try execute("DELETE FROM instance_name WHERE entity = ? AND name = ?", [entity.number, id])
        return true
    }

    /// Puts an instance in the place of the one with an `instanceId`, which it takes over with the creation time
    /// (clause 5.6.14). Another instance of the moment that it is moved to stays; where both were recorded at the same moment too
    /// its creation time is a microsecond later.
    /// - Returns: whether there was one.
    package func replace(instance id: String, _ name: IRI, of entity: HistoricEntity, with instance: Attribute, at now: Instant) throws -> Bool {
        guard let found = try find(id, name, entity) else { return false }
        let created = Instant(microseconds: found.key.atMicroseconds + found.key.lateMicroseconds)
        let at = instance.observedAt ?? created
        let key = InstanceKey(
            entity: entity.number, attribute: found.key.attribute, dataset: instance.datasetID?.text ?? "", atMicroseconds: at.microseconds,
            lateMicroseconds: created.microseconds - at.microseconds)
        let classification = max(found.classification, entity.classification)
        let row = InstanceRow(instance, at: key, classification, name: nil, modifiedAt: now)
        guard try key.atMicroseconds == found.key.atMicroseconds || takes(row) else { throw Self.thinned("observedAt") }
        // A record that stays where it is keeps its identifier by itself.
        let keepsName = found.isNamed || key != found.key
        try remove(found.key)
        let placed = try insert(InstanceRow(instance, at: key, classification, name: keepsName ? id : nil, modifiedAt: now))
        if keepsName {
            try execute(
                "INSERT OR REPLACE INTO instance_name (\(InstanceKey.columns), name) VALUES (?, ?, ?, ?, ?, ?)", placed.arguments + [id])
        }
        return true
    }

    /// Removes what was recorded with an expiry of a series whose attribute has expired.
    func eraseExpired(_ attribute: Int64, datasetID: IRI?, of entity: Int64) throws {
        try eraseWithNames("entity = ? AND attribute = ? AND dataset = ? AND expires_us IS NOT NULL", [entity, attribute, datasetID?.text ?? ""])
    }

    /// Erases up to `limit` instances of any entity that have expired.
    /// - Complexity: by an index; what does not expire costs nothing.
    package func eraseExpiredInstances(at now: Instant, limit: Int) throws {
        guard try row("SELECT 1 FROM instance WHERE expires_us <= ? LIMIT 1", [now.microseconds]) != nil else { return }
        try eraseWithNames("expires_us <= ? ORDER BY expires_us LIMIT ?", [now.microseconds, limit])
    }

    /// Removes the instances that a condition selects, with the identifiers of those that were moved.
    private func eraseWithNames(_ condition: String, _ arguments: StatementArguments) throws {
        let key = InstanceKey.columns
        // What expires is in no chunk, and the sealer takes no row that does.
        let doomed = "SELECT \(key) FROM instance WHERE \(condition)"
        try execute(
            "DELETE FROM instance_name WHERE entity IN (SELECT entity FROM (\(doomed))) AND (\(key)) IN (\(doomed))", arguments + arguments)
        try execute("DELETE FROM instance WHERE (\(key)) IN (\(doomed))", arguments)
    }

    private static func thinned(_ member: String) -> CityError {
        .operationNotSupported("\(member): of that time no more than summaries are kept, if anything (retention), and they take nothing any more")
    }

    private typealias Found = (key: InstanceKey, classification: Classification, isNamed: Bool)

    private func find(_ id: String, _ name: IRI, _ entity: HistoricEntity) throws -> Found? {
        guard let attribute = terms.number(of: name) else { return nil }
        let moved = try row(
            """
            SELECT dataset, at_us, late_us, form FROM instance_name JOIN instance USING (\(InstanceKey.columns))
            WHERE entity = ? AND name = ? AND attribute = ?
            """, [entity.number, id, attribute])
        if let moved {
            let key = InstanceKey(
                entity: entity.number, attribute: attribute, dataset: try moved.decode(String.self, atIndex: 0),
                atMicroseconds: try moved.decode(Int64.self, atIndex: 1), lateMicroseconds: try moved.decode(Int64.self, atIndex: 2))
            return (key, InstanceForm(number: try moved.decode(Int.self, atIndex: 3)).classification, true)
        }
        guard let key = InstanceKey(id), key.entity == entity.number, key.attribute == attribute else { return nil }
        let form = try row(
            "SELECT form FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us = ?", key.arguments
        )?.decode(Int.self, atIndex: 0)
        guard let form = try form ?? sealedRecord(key).map({ Int($0.form) }) else { return nil }
        return (key, InstanceForm(number: form).classification, false)
    }

    private func remove(_ key: InstanceKey) throws {
        touch(key.entity, at: key.atMicroseconds)
        try execute("DELETE FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us = ?", key.arguments)
        if db.changesCount == 0 { try removeSealed(key) }
    }
}
