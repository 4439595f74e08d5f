package import CityModel
internal import GRDB
internal import OrderedCollections

/// Which of an entity's series.
package struct SeriesName: Hashable, Sendable {
    package let attribute: IRI
    package let datasetID: IRI?
    package init(attribute: IRI, datasetID: IRI?) { (self.attribute, self.datasetID) = (attribute, datasetID) }
}

/// One moment of an attribute's history, as charts and imports look at it.
package struct HistoryInstance: Hashable, Sendable {
    package let at: Instant
    /// The value as the attribute had it.
    package let value: JSON
    package let unitCode: String?
    package init(at: Instant, value: JSON, unitCode: String?) {
        self.at = at
        self.value = value
        self.unitCode = unitCode
    }
}

extension ReadSnapshot {
    /// The history of one attribute's instances with the given dataset, oldest first. Of several records of one moment the
    /// last counts. What has expired, or was recorded as more confidential than may be seen, is not there.
    /// - Parameter interval: half-open.
    package func history(
        of entity: Int64, attribute: IRI, datasetID: IRI? = nil, in interval: Range<Instant>, limit: Int, _ classificationMax: Classification,
        at now: Instant
    ) throws -> [HistoryInstance] {
        guard let number = terms.number(of: attribute) else { return [] }
        let key = SeriesKey(entity: entity, attribute: number, dataset: datasetID?.text ?? "")
        let hidden = InstanceForm.hidden(from: try bound(classificationMax, of: entity))
        if try hasChunk(of: key, from: interval.lowerBound.microseconds, to: interval.upperBound.microseconds) {
            return try mergedHistory(of: key, in: interval, limit: limit, hidden, at: now)
        }
        let cursor = try rows(
            """
            SELECT at_us, \(Opened.value), \(Opened.unit), max(late_us) FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us >= ? AND at_us < ? AND form & \(InstanceForm.deletionBit) = 0
            AND form < ? AND \(InstanceForm.isAlive) GROUP BY at_us ORDER BY at_us LIMIT ?
            """,
            [
                entity, number, datasetID?.text ?? "", interval.lowerBound.microseconds, interval.upperBound.microseconds, hidden,
                now.microseconds, limit,
            ])
        var instances: [HistoryInstance] = []
        while let row = try cursor.next() { if let instance = try HistoryInstance(row) { instances.append(instance) } }
        return instances
    }

    /// The newest value of one attribute at or before a moment; nil when it was not there then.
    package func value(
        of entity: Int64, attribute: IRI, datasetID: IRI? = nil, at moment: Instant, _ classificationMax: Classification, now: Instant
    ) throws -> HistoryInstance? {
        guard let number = terms.number(of: attribute) else { return nil }
        let key = SeriesKey(entity: entity, attribute: number, dataset: datasetID?.text ?? "")
        let hidden = InstanceForm.hidden(from: try bound(classificationMax, of: entity))
        if try hasChunk(of: key, to: moment.microseconds) { return try mergedValue(of: key, at: moment, hidden, now: now) }
        let newest = try row(
            """
            SELECT at_us, \(Opened.value), \(Opened.unit), form FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us <= ? AND form < ? AND \(InstanceForm.isAlive)
            ORDER BY at_us DESC, late_us DESC LIMIT 1
            """,
            [
                entity, number, datasetID?.text ?? "", moment.microseconds, hidden, now.microseconds,
            ])
        guard let newest, try !InstanceForm(number: newest.decode(Int.self, atIndex: 3)).isDeletion else { return nil }
        return try HistoryInstance(newest)
    }

    /// How many instances the history of the whole file holds.
    package func instanceCount() throws -> Int { try sealedCount() + (Int.fetchOne(db, sql: "SELECT count(*) FROM instance") ?? 0) }
}

extension WriteTransaction {
    /// Records what changed: each instance that is new or not as it was, at its `observedAt`, else at the change's moment; and
    /// a trace of each that is gone, so too for the scopes (clauses 4.5.6 to 4.5.8). One row for each. With an attribute that
    /// was to last for a while and has expired goes what was recorded of it (clause 4.22).
    /// - Parameter changed: the attributes to look at.
    /// - Parameter recorded: series of which the new instance is recorded already.
    /// - Parameter classification: what the entity is from now on, and what it was: the trace of what is gone is as confidential
    ///   as that was.
    func recordHistory(
        of new: Entity, since old: Entity?, changed: [IRI], number: Int64, _ classification: (now: Classification, before: Classification),
        recorded: Set<SeriesName> = [], at now: Instant
    ) throws {
        let ofTraces = max(classification.now, classification.before)
        for name in changed {
            let attribute = try intern(name)
            let (before, after) = (old?.attributes[name] ?? [], new.attributes[name] ?? [])
            for gone in before where gone.hasExpired(at: now) && !recorded.contains(SeriesName(attribute: name, datasetID: gone.datasetID)) {
                try eraseExpired(attribute, datasetID: gone.datasetID, of: number)
            }
            for instance in after {
                let known = before.first { $0.datasetID == instance.datasetID }
                // Said again of the same moment, it is the same observation: senders that are not sure repeat themselves.
                let isRepeated = instance.observedAt != nil && known?.hasSameContent(as: instance) ?? false
                let isRecorded = !recorded.isEmpty && recorded.contains(SeriesName(attribute: name, datasetID: instance.datasetID))
                if known != instance, !isRepeated, !isRecorded { try appendInstance(instance, attribute, number, classification.now, at: now) }
            }
            for gone in before where !after.contains(where: { $0.datasetID == gone.datasetID }) {
                try appendDeletion(of: gone.kind, datasetID: gone.datasetID, attribute, number, ofTraces, at: now)
            }
        }
        if new.scopes != old?.scopes ?? [] {
            try appendScopes(new.scopes, number, new.scopes.isEmpty ? ofTraces : classification.now, at: now)
        }
    }

    /// Records the beginning of an entity, as `recordHistory` does.
    /// - Parameter hasPast: whether history may have something of it. Else its rows stand where they belong, and go in together.
    func recordBeginning(
        of new: Entity, number: Int64, hasPast: Bool, _ classification: Classification, recorded: Set<SeriesName>, at now: Instant
    ) throws {
        guard !hasPast, new.attributes.values.allSatisfy(\.areOfDifferentSeries) else {
            return try recordHistory(
                of: new, since: nil, changed: Array(new.attributes.keys), number: number, (classification, classification), recorded: recorded, at: now)
        }
        var rows: [InstanceRow] = []
        rows.reserveCapacity(new.attributes.count)
        for (name, instances) in new.attributes {
            let attribute = try intern(name)
            for instance in instances where recorded.isEmpty || !recorded.contains(SeriesName(attribute: name, datasetID: instance.datasetID)) {
                let row = InstanceRow(instance, attribute, number, classification, at: now)
                if try takes(row) { rows.append(row) }
            }
        }
        try insertFirst(rows)
        if !new.scopes.isEmpty { try appendScopes(new.scopes, number, classification, at: now) }
    }

    /// Records that everything of an entity is gone.
    func recordDeletion(of entity: Entity, number: Int64, _ classification: Classification, at now: Instant) throws {
        for (name, instances) in entity.attributes {
            let attribute = try intern(name)
            for instance in instances {
                if instance.hasExpired(at: now) { try eraseExpired(attribute, datasetID: instance.datasetID, of: number) }
                try appendDeletion(of: instance.kind, datasetID: instance.datasetID, attribute, number, classification, at: now)
            }
        }
        if !entity.scopes.isEmpty { try appendScopes([], number, classification, at: now) }
    }

    /// Records a past value of an attribute without touching its current one. Of two for one moment, made at one moment, the
    /// last stays. What history holds already keeps the classification under which it was recorded.
    /// - Returns: whether history did not hold exactly this already, whole or in a summary.
    @discardableResult
    package func appendHistory(
        _ instance: Attribute, name: IRI, of entity: Int64, _ classification: Classification, at now: Instant
    ) throws -> Bool {
        try appendHistory(InstanceRow(instance, try intern(name), entity, classification, at: now))
    }

    func appendHistory(_ row: InstanceRow) throws -> Bool {
        guard try !holds(row), try takes(row) else { return false }
        try insert(row, replacingLast: true)
        return true
    }

    func appendInstance(
        _ instance: Attribute, _ attribute: Int64, _ entity: Int64, _ classification: Classification, at now: Instant
    ) throws {
        let row = InstanceRow(instance, attribute, entity, classification, at: now)
        if try takes(row) { try insert(row) }
    }

    func appendDeletion(
        of kind: AttributeKind, datasetID: IRI?, _ attribute: Int64, _ entity: Int64, _ classification: Classification, at now: Instant
    ) throws {
        try insert(InstanceRow(deletionOf: kind, datasetID: datasetID, attribute, entity, classification, at: now))
    }

    /// Scopes are recorded as a property of their own (clause 4.5.6).
    /// - Parameter observedAt: the moment from which they hold; nil for the change's.
    func appendScopes(
        _ scopes: [Scope], _ entity: Int64, _ classification: Classification, observedAt: Instant? = nil, at now: Instant
    ) throws {
        let attribute = try intern(.scopeMember)
        guard !scopes.isEmpty else { return try appendDeletion(of: .property, datasetID: nil, attribute, entity, classification, at: now) }
        let texts = scopes.map { JSON.string($0.text) }
        let property = Attribute(kind: .property, value: texts.count == 1 ? texts[0] : .array(texts), observedAt: observedAt ?? now)
        try appendInstance(property, attribute, entity, classification, at: now)
    }
}

extension [Attribute] {
    /// Whether each instance has a dataset of its own.
    fileprivate var areOfDifferentSeries: Bool { count < 2 || Set(map(\.datasetID)).count == count }
}

extension Attribute {
    fileprivate func hasExpired(at now: Instant) -> Bool { expiresAt.map { $0 <= now } ?? false }
}

extension IRI {
    /// What history calls the scopes of an entity.
    static let scopeMember = IRI(known: ngsildNamespace + "scope")
}

extension HistoryInstance {
    /// Nil where the key of what is personal is gone.
    fileprivate init?(_ row: Row) throws {
        let stored = try row.decode(DatabaseValue.self, atIndex: 1)
        guard !stored.isNull else { return nil }
        at = Instant(microseconds: try row.decode(Int64.self, atIndex: 0))
        value = try JSON(historyValue: stored)
        unitCode = try row.decode(String?.self, atIndex: 2)
    }
}

extension JSON {
    init(historyValue stored: DatabaseValue) throws {
        switch stored.storage {
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .number(value)
        case .string(let text): self = .string(text)
        case .blob(let data): self = try JSON(parsing: data)
        case .null: throw CorruptRow(table: "instance", reason: "value is null")
        }
    }

    /// Numbers and texts as themselves; everything else as JSON text in a blob.
    var historyValue: DatabaseValue { sampleValue.databaseValue }
}
