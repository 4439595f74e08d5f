internal import CityModel
internal import GRDB
internal import LinkedData

/// A row of `instance`, in a snapshot, that holds an instance of a context source's history.
///
/// What the source says of times need not fit together as here: it may not say when an instance was recorded, or may remove one at
/// another moment than that at which it was observed. So the columns hold where it is looked for, and `rest` all that is answered:
/// every time that the source gave, none that it did not, and its `instanceId`.
struct ForeignRow {
    private(set) var key: InstanceKey
    /// As the source gave it; empty where it did not.
    let name: String
    private let form: InstanceForm
    private let content: SealedRecord
    private let modifiedAt: Int64?
    private let expiresAt: Int64?

    /// The lateness of what was recorded nobody knows when: no instance that was recorded at a known moment has one like it.
    private static let unknownLateness: Int64 = -1 << 62
    /// The condition that it is known when an instance was recorded.
    static let isRecorded = "late_us > \(unknownLateness / 2)"

    init(_ instance: TemporalInstance, _ attribute: Int64, _ entity: Int64, _ classification: Classification) {
        let (said, at) = (instance.attribute, Self.moment(of: instance))
        name = instance.instanceID
        key = InstanceKey(
            entity: entity, attribute: attribute, dataset: said.datasetID?.text ?? "", atMicroseconds: at.microseconds,
            lateMicroseconds: said.createdAt.map { $0.microseconds - at.microseconds } ?? Self.unknownLateness)
        form = InstanceForm(kind: said.kind, classification, isObserved: said.observedAt == at, isDeletion: instance.deletedAt == at)
        content = SealedRecord(value: said.value.historyValue, unit: said.unitCode, rest: InstanceRest.bytes(ofForeign: instance))
        (modifiedAt, expiresAt) = (said.modifiedAt?.microseconds, said.expiresAt?.microseconds)
    }

    /// Where an instance stands in its series: where it was observed or removed, of both where the query found it, else when it was recorded.
    static func moment(of instance: TemporalInstance) -> Instant {
        let said = instance.attribute
        return said.observedAt == instance.time ? instance.time : instance.deletedAt ?? said.observedAt ?? said.createdAt ?? instance.time
    }
}

extension WriteTransaction {
    /// Adds an instance that a context source gave, unless an earlier query of the snapshot did. Beside another one that was recorded at
    /// the same moment it counts as recorded a microsecond later.
    func freeze(_ foreign: ForeignRow) throws {
        var foreign = foreign
        guard try foreign.makeRoom(self) else { return }
        try execute(
            """
            INSERT INTO instance (\(InstanceKey.columns), form, value, unit, modified_us, rest, expires_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, foreign.arguments(self))
        try noteName(foreign.name, foreign.key)
    }
}

extension ForeignRow {
    fileprivate static let contentColumns = "form, \(Opened.value), \(Opened.unit), modified_us, \(Opened.rest), expires_us"

    private var plain: [DatabaseValue] {
        [
            form.number.databaseValue, content.value, content.unit?.databaseValue ?? .null, modifiedAt?.databaseValue ?? .null,
            content.rest?.databaseBlob ?? .null, expiresAt?.databaseValue ?? .null,
        ]
    }

    /// As it is written, sealed where its entity is.
    fileprivate func arguments(_ transaction: WriteTransaction) throws -> StatementArguments {
        let content = try transaction.content(content, of: key.entity, form: form.number)
        return key.arguments + [form.number, content.value, content.unit, modifiedAt, content.rest, expiresAt]
    }

    /// Moves to the first place that nothing has.
    /// - Returns: false when the snapshot holds the instance.
    fileprivate mutating func makeRoom(_ transaction: WriteTransaction) throws -> Bool {
        let others = try transaction.rows(
            """
            SELECT late_us, \(Self.contentColumns) FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us >= ? ORDER BY late_us
            """, key.arguments)
        while let other = try others.next(), try other.decode(Int64.self, atIndex: 0) == key.lateMicroseconds {
            if try plain.enumerated().allSatisfy({ try other.decode(DatabaseValue.self, atIndex: $0 + 1) == $1 }) { return false }
            key.lateMicroseconds += 1
        }
        return true
    }
}
