package import CityModel
internal import GRDB
internal import OrderedCollections

/// One moment of an attribute's history.
package struct HistoryInstance: Hashable, Sendable {
    package let at: Instant
    /// The value as the attribute had it; null when the attribute was removed.
    package let value: JSON
    package let unitCode: String?
    package init(at: Instant, value: JSON, unitCode: String?) {
        self.at = at
        self.value = value
        self.unitCode = unitCode
    }
}

extension ReadSnapshot {
    /// The history of one attribute's instances with the given dataset, oldest first.
    /// - Parameter interval: half-open.
    package func history(
        of entity: Int64, attribute: IRI, datasetID: IRI? = nil, in interval: Range<Instant>, limit: Int
    ) throws -> [HistoryInstance] {
        guard let number = terms.number(of: attribute) else { return [] }
        let cursor = try rows(
            """
            SELECT at_us, value, unit FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us >= ? AND at_us < ? ORDER BY at_us LIMIT ?
            """,
            [
                entity, number, datasetID?.text ?? "", interval.lowerBound.microseconds, interval.upperBound.microseconds, limit,
            ])
        var instances: [HistoryInstance] = []
        while let row = try cursor.next() { instances.append(try HistoryInstance(row)) }
        return instances
    }

    /// The newest value of one attribute at or before a moment.
    package func value(of entity: Int64, attribute: IRI, datasetID: IRI? = nil, at moment: Instant) throws -> HistoryInstance? {
        guard let number = terms.number(of: attribute) else { return nil }
        return try row(
            """
            SELECT at_us, value, unit FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us <= ? ORDER BY at_us DESC LIMIT 1
            """,
            [entity, number, datasetID?.text ?? "", moment.microseconds]
        ).map(HistoryInstance.init)
    }

    /// How many instances the history of the whole file holds.
    package func instanceCount() throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM instance") ?? 0 }
}

extension WriteTransaction {
    /// Records what the changed attributes are now. The moment of an instance is its `observedAt`, else the change's.
    func appendInstances(of entity: Entity, changed: [IRI], number: Int64, at now: Instant) throws {
        for name in changed {
            let attribute = try intern(name)
            for instance in entity.attributes[name] ?? [] { try appendInstance(instance, attribute, number, at: now) }
        }
    }

    /// Records a past value of an attribute without touching its current one.
    /// - Returns: whether history did not hold exactly this already.
    @discardableResult
    package func appendHistory(_ instance: Attribute, name: IRI, of entity: Int64, at now: Instant) throws -> Bool {
        try appendInstance(instance, try intern(name), entity, at: now)
        return db.changesCount > 0
    }

    private func appendInstance(_ instance: Attribute, _ attribute: Int64, _ entity: Int64, at now: Instant) throws {
        try execute(
            """
            INSERT INTO instance (entity, attribute, dataset, at_us, value, unit) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (entity, attribute, dataset, at_us) DO UPDATE SET value = excluded.value, unit = excluded.unit
            WHERE value IS NOT excluded.value OR unit IS NOT excluded.unit
            """,
            [
                entity, attribute, instance.datasetID?.text ?? "", (instance.observedAt ?? now).microseconds,
                instance.value.historyValue, instance.unitCode,
            ])
    }
}

extension HistoryInstance {
    fileprivate init(_ row: Row) throws {
        at = Instant(microseconds: try row.decode(Int64.self, atIndex: 0))
        let stored = try row.decode(DatabaseValue.self, atIndex: 1)
        switch stored.storage {
        case .int64(let value): self.value = .integer(value)
        case .double(let value): self.value = .number(value)
        case .string(let text): self.value = .string(text)
        case .blob(let data): self.value = try JSON(parsing: data)
        case .null: throw CorruptRow(table: "instance", reason: "value is null")
        }
        unitCode = try row.decode(String?.self, atIndex: 2)
    }
}

extension JSON {
    /// Numbers and texts as themselves; everything else as JSON text in a blob.
    fileprivate var historyValue: DatabaseValue {
        switch self {
        case .integer(let value): value.databaseValue
        case .number(let value): value.databaseValue
        case .string(let text): text.databaseValue
        default:
            { () -> DatabaseValue in
                var writer = JSONWriter()
                writer.write(self)
                return writer.bytes.databaseBlob
            }()
        }
    }
}
