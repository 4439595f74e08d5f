package import CityModel
internal import GRDB
package import LinkedData
internal import OrderedCollections
internal import Series

/// What is recorded here of one entity, as far as a temporal query finds it.
package struct RecordedHistory: Sendable {
    package let entity: HistoricEntity
    /// Oldest first.
    let attributes: OrderedDictionary<IRI, [RecordedInstance]>
    let scopes: [RecordedInstance]
    let byteCount: Int

    /// The same as it is put together with what others have.
    package var evolution: TemporalEntity {
        var evolution = TemporalEntity(
            id: entity.id, types: entity.types, createdAt: entity.createdAt, modifiedAt: entity.modifiedAt, deletedAt: entity.deletedAt,
            content: .instances(attributes.mapValues { $0.map(TemporalInstance.init) }))
        evolution.scopes = scopes.map(TemporalInstance.init)
        return evolution
    }
}

/// A part of an entity's history to be frozen: records of the file, which are copied as they are, and instances that context
/// sources gave.
package struct HistoryToFreeze: Sendable {
    let id: IRI
    let types: [IRI]
    let classification: Classification
    let createdAt: Instant?
    let modifiedAt: Instant?
    let deletedAt: Instant?
    /// The entity's number in the file; nil for one that is not and was not there.
    let number: Int64?
    private(set) var keys: [InstanceKey] = []
    /// What stands there, once it was read.
    fileprivate(set) var records: [(key: InstanceKey, record: StoredRecord)] = []
    /// The source that fed the entity last, once it was read.
    fileprivate(set) var source: String?
    /// With what is sealed what is or was personal of it in the file, once it was read.
    fileprivate(set) var key: KeyID?
    private(set) var foreign: [(name: IRI, instance: TemporalInstance)] = []
    /// What sources gave is as confidential as they are.
    let foreignClassification: Classification
    /// What the instances take, roughly.
    package private(set) var byteCount = 0
    package var instanceCount: Int { keys.count + foreign.count }

    /// The same in parts of so many instances, that each can be added in a transaction of its own.
    package func parts(of countMax: Int) -> [HistoryToFreeze] {
        guard instanceCount > countMax else { return [self] }
        func part(_ keys: ArraySlice<InstanceKey>, _ foreign: ArraySlice<(name: IRI, instance: TemporalInstance)>) -> HistoryToFreeze {
            var part = self
            (part.keys, part.foreign) = (Array(keys), Array(foreign))
            return part
        }
        return stride(from: 0, to: keys.count, by: countMax).map { part(keys[$0..<min($0 + countMax, keys.count)], []) }
            + stride(from: 0, to: foreign.count, by: countMax).map { part([], foreign[$0..<min($0 + countMax, foreign.count)]) }
    }

    /// Instances of a series that sources may give of one moment.
    static let momentCountMax = 1000

    /// Nothing but what is recorded here.
    package init(_ recorded: RecordedHistory) {
        let entity = recorded.entity
        (id, types, number) = (entity.id, entity.types, entity.number)
        (classification, foreignClassification) = (entity.classification, .open)
        (createdAt, modifiedAt, deletedAt) = (entity.createdAt, entity.modifiedAt, entity.deletedAt)
        keys = (recorded.attributes.values.joined() + recorded.scopes).map(\.key)
        byteCount = recorded.byteCount
    }

    /// What was put together of what is recorded here, if anything is, and what context sources have.
    /// - Parameter foreign: what the sources' part is classified as.
    /// - Throws: `tooManyResults` where the sources give more of one moment than a snapshot holds.
    package init(_ whole: TemporalEntity, _ recorded: RecordedHistory?, foreign: Classification, number: Int64?) throws(CityError) {
        (id, types, self.number) = (whole.id, whole.types, number)
        (classification, foreignClassification) = (max(recorded?.entity.classification ?? .open, foreign), foreign)
        (createdAt, modifiedAt, deletedAt) = (whole.createdAt, whole.modifiedAt, whole.deletedAt)
        let own = OwnRecords(recorded)
        guard case .instances(let attributes) = whole.content else { return }
        for (name, instances) in attributes { try take(instances, of: name, own) }
        try take(whole.scopes, of: .scopeMember, own)
    }

    private mutating func take(_ instances: [TemporalInstance], of name: IRI, _ own: OwnRecords) throws(CityError) {
        var counts: [SeriesMoment: Int] = [:]
        for instance in instances {
            byteCount += instance.attribute.approximateByteCount
            if let record = own.record(of: instance, name) {
                keys.append(record.key)
                continue
            }
            let place = SeriesMoment(datasetID: instance.attribute.datasetID, at: ForeignRow.moment(of: instance))
            counts[place, default: 0] += 1
            guard counts[place, default: 0] <= Self.momentCountMax else {
                throw .tooManyResults("context sources have more than \(Self.momentCountMax) instances of \(name) of one moment; a snapshot holds no more")
            }
            foreign.append((name, instance))
        }
    }

    private struct SeriesMoment: Hashable { let datasetID: IRI?, at: Instant }
}

/// Finds which of the instances that were put together are records of this file. What a source has word for word counts as one too.
private struct OwnRecords {
    private struct Name: Hashable { let attribute: IRI, instanceID: String }
    private var records: [Name: RecordedInstance] = [:]

    init(_ recorded: RecordedHistory?) {
        guard let recorded else { return }
        for (attribute, all) in recorded.attributes { for record in all { records[Name(attribute: attribute, instanceID: record.instanceID)] = record } }
        for record in recorded.scopes { records[Name(attribute: .scopeMember, instanceID: record.instanceID)] = record }
    }

    func record(of instance: TemporalInstance, _ attribute: IRI) -> RecordedInstance? {
        guard let record = records[Name(attribute: attribute, instanceID: instance.instanceID)], record.attribute == instance.attribute,
            record.deletedAt == instance.deletedAt
        else { return nil }
        return record
    }
}

extension ReadSnapshot {
    /// What a temporal query finds of one entity.
    /// - Parameter lastN: only so many of each series, the most recent.
    /// - Throws: `tooManyResults` for more than `countMax` instances or `byteCountMax` bytes.
    package func recordedHistory(
        _ match: HistoryMatch, _ window: HistoryWindow, lastN: Int?, countMax: Int, byteCountMax: Int, where keeps: (Series) -> Bool
    ) throws -> RecordedHistory {
        var (attributes, count, byteCount) = (OrderedDictionary<IRI, [RecordedInstance]>(), 0, 0)
        for series in try series(of: match.entity.number, window.classificationMax) where keeps(series) {
            var records: [RecordedInstance] = []
            try visitRecords(of: match.entity.number, series, window, limit: lastN ?? Int(Int32.max)) { record in
                (count, byteCount) = (count + 1, byteCount + record.attribute.approximateByteCount)
                guard count <= countMax, byteCount <= byteCountMax else {
                    throw CityError.tooManyResults("the snapshot would have too many instances; narrow the interval")
                }
                records.append(record)
                return true
            }
            if !records.isEmpty { attributes[series.attribute, default: []] += window.isBackwards ? records.reversed() : records }
        }
        return RecordedHistory(
            entity: match.entity, attributes: attributes, scopes: try scopeRecords(of: match.entity, window), byteCount: byteCount)
    }

    /// The number of an entity in the file, whether it is there or was, and whoever may see it; nil where nothing is known of it.
    package func number(of id: IRI) throws -> Int64? { try historicEntity(id, .special, evenIfEmpty: true)?.number }
}

extension ReadSnapshot {
    /// Reads the records of a history that is to be frozen, wherever they lie. What was corrected away meanwhile is not there.
    package func withRecords(_ history: HistoryToFreeze) throws -> HistoryToFreeze {
        var history = history
        history.source = try history.number.flatMap(source)
        history.key = try history.number.flatMap { try keyID(ofEntity: $0) }
        history.records = try history.keys.compactMap { key in
            let sql = "SELECT \(StoredRecord.columns) FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us = ?"
            let record = try row(sql, key.arguments).flatMap { try StoredRecord($0) } ?? sealedRecord(key).map(StoredRecord.init)
            return record.map { (key, $0) }
        }
        return history
    }
}

extension ReadSnapshot {
    /// With what is sealed what is or was personal of an entity, of now or of the past.
    package func keyID(ofEntity number: Int64) throws -> KeyID? {
        try row("SELECT key FROM main.entity WHERE id = ?1 UNION ALL SELECT key FROM main.past WHERE id = ?1", [number])?.keyID(atIndex: 0)
    }
}

extension WriteTransaction {
    /// Adds a part of a history to a snapshot, to which this is a write. An entity that is not among its entities is one of the past there.
    /// - Parameter history: with its records.
    package func freeze(_ history: HistoryToFreeze) throws {
        let number = try number(of: history.id, known: history.number)
        try holdFrozen(history, number)
        for (key, record) in history.records { try freeze(record, key) }
        for (name, instance) in history.foreign { try freeze(ForeignRow(instance, intern(name), number, history.foreignClassification)) }
    }

    /// Sees to it that there is an entity, with the key of the file: what is recorded is sealed with it.
    private func holdFrozen(_ history: HistoryToFreeze, _ number: Int64) throws {
        guard try row("SELECT 1 FROM entity WHERE id = ?1 UNION ALL SELECT 1 FROM past WHERE id = ?1", [number]) == nil else {
            guard let key = history.key else { return }
            guarded = nil
            return try execute("UPDATE entity SET key = ? WHERE id = ? AND key IS NULL", [key.blob, number])
        }
        try insertFrozenPast(
            HistoricEntity(
                number: number, id: history.id, types: history.types, classification: history.classification, createdAt: history.createdAt,
                modifiedAt: history.modifiedAt, deletedAt: history.deletedAt, scopes: [], isCurrent: false, key: history.key))
        if let source = history.source, !source.isEmpty { try execute("INSERT INTO past_source (past, source) VALUES (?, ?)", [number, source]) }
    }

    /// What several queries find is there once.
    private func freeze(_ record: StoredRecord, _ key: InstanceKey) throws {
        let sample = record.sample
        let content = try content(
            SealedRecord(value: sample.value.databaseValue, unit: sample.unit, rest: sample.rest), of: key.entity, form: Int(sample.form))
        try execute(
            """
            INSERT OR IGNORE INTO instance (\(InstanceKey.columns), form, value, unit, modified_us, rest, expires_us)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            key.arguments + [
                sample.form, content.value, content.unit, sample.modified, content.rest, record.expires,
            ])
        if let rest = sample.rest, let name = try JSON(parsing: rest)["instanceId"]?.stringValue { try noteName(name, key) }
    }

    /// An instance that does not go by where it stands is found by its name. Of two sources that give the same one the first counts.
    func noteName(_ name: String, _ key: InstanceKey) throws {
        guard !name.isEmpty else { return }
        try execute("INSERT OR IGNORE INTO instance_name (\(InstanceKey.columns), name) VALUES (?, ?, ?, ?, ?, ?)", key.arguments + [name])
    }
}
