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
    private let content: [DatabaseValue]

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
        content = [
            form.number.databaseValue, said.value.historyValue, said.unitCode?.databaseValue ?? .null,
            said.modifiedAt?.microseconds.databaseValue ?? .null, InstanceRest.bytes(ofForeign: instance).databaseBlob.databaseValue,
            said.expiresAt?.microseconds.databaseValue ?? .null,
        ]
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
            "INSERT INTO instance (\(InstanceKey.columns), \(ForeignRow.contentColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            foreign.arguments)
        try noteName(foreign.name, foreign.key)
    }
}

extension ForeignRow {
    fileprivate static let contentColumns = "form, value, unit, modified_us, rest, expires_us"

    fileprivate var arguments: StatementArguments { key.arguments + StatementArguments(content) }

    /// Moves to the first place that nothing has.
    /// - Returns: false when the snapshot holds the instance.
    fileprivate mutating func makeRoom(_ transaction: WriteTransaction) throws -> Bool {
        let others = try transaction.rows(
            """
            SELECT late_us, \(Self.contentColumns) FROM instance
            WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us >= ? ORDER BY late_us
            """, key.arguments)
        while let other = try others.next(), try other.decode(Int64.self, atIndex: 0) == key.lateMicroseconds {
            if try content.indices.allSatisfy({ try other.decode(DatabaseValue.self, atIndex: $0 + 1) == content[$0] }) { return false }
            key.lateMicroseconds += 1
        }
        return true
    }
}
