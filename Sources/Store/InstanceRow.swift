internal import CityModel
internal import GRDB
internal import Series

/// One row of `instance` as it is written.
struct InstanceRow {
    private(set) var key: InstanceKey
    private let form: InstanceForm
    private let value: DatabaseValue
    private let unit: String?
    /// When it took the place of another; nil for a row as it was recorded.
    private let modifiedAt: Instant?
    private let rest: [UInt8]?
    private let expiresAt: Instant?

    /// An instance recorded at a moment.
    init(_ instance: Attribute, _ attribute: Int64, _ entity: Int64, _ classification: Classification, at now: Instant) {
        let at = instance.observedAt ?? now
        let key = InstanceKey(
            entity: entity, attribute: attribute, dataset: instance.datasetID?.text ?? "", atMicroseconds: at.microseconds,
            lateMicroseconds: now.microseconds - at.microseconds)
        self.init(instance, at: key, classification, name: nil, modifiedAt: nil)
    }

    /// One of a run.
    init(_ entry: InstanceRun.Entry, of series: SeriesKey, at now: Instant) {
        let sample = entry.recorded(at: now.microseconds)
        key = InstanceKey(
            entity: series.entity, attribute: series.attribute, dataset: series.dataset, atMicroseconds: sample.time,
            lateMicroseconds: sample.late)
        (form, value, unit, rest) = (entry.form, sample.value.databaseValue, sample.unit, sample.rest)
        (modifiedAt, expiresAt) = (nil, entry.expires.map(Instant.init(microseconds:)))
    }

    /// An instance that takes the place of another.
    /// - Parameter name: the `instanceId`, where it is not that of the key.
    init(_ instance: Attribute, at key: InstanceKey, _ classification: Classification, name: String?, modifiedAt: Instant?) {
        self.key = key
        form = InstanceForm(instance, classification)
        (value, unit) = (instance.value.historyValue, instance.unitCode)
        (rest, expiresAt, self.modifiedAt) = (InstanceRest.bytes(of: instance, instanceID: name), instance.expiresAt, modifiedAt)
    }

    /// The trace of a deletion.
    init(
        deletionOf kind: AttributeKind, datasetID: IRI?, _ attribute: Int64, _ entity: Int64, _ classification: Classification, at now: Instant
    ) {
        key = InstanceKey(
            entity: entity, attribute: attribute, dataset: datasetID?.text ?? "", atMicroseconds: now.microseconds, lateMicroseconds: 0)
        form = InstanceForm(kind: kind, classification, isDeletion: true)
        value = Attribute.nullText.databaseValue
        (unit, rest, expiresAt, modifiedAt) = (nil, nil, nil, nil)
    }

    /// Writes it, sealed where its entity is.
    /// - Parameter sql: what is to be done about another row in its place is in it.
    fileprivate func write(_ sql: String, _ transaction: WriteTransaction) throws {
        try transaction.db.run(sql) { try bind(&$0, transaction) }
    }

    fileprivate func bind(_ values: inout ValueBinder, _ transaction: WriteTransaction) throws {
        let content = try transaction.content(SealedRecord(value: value, unit: unit, rest: rest), of: key.entity, form: form.number)
        values.bind(key.entity)
        values.bind(key.attribute)
        values.bind(key.dataset)
        values.bind(key.atMicroseconds)
        values.bind(key.lateMicroseconds)
        values.bind(form.number)
        values.bind(content.value)
        values.bind(content.unit)
        values.bind(modifiedAt?.microseconds)
        values.bind(content.rest)
        values.bind(expiresAt?.microseconds)
    }

    /// What tells whether history holds it already, whoever may see it.
    fileprivate var contentArguments: StatementArguments {
        [
            key.entity, key.attribute, key.dataset, key.atMicroseconds, form.number % InstanceForm.classificationUnit, value, unit,
            rest?.databaseBlob, expiresAt?.microseconds,
        ]
    }

    /// The same of a record that lies in a chunk.
    fileprivate func hasContent(of record: SampleRecord) -> Bool {
        guard expiresAt == nil, Int(record.form) % InstanceForm.classificationUnit == form.number % InstanceForm.classificationUnit else { return false }
        guard let own = try? SampleValue(value), own.isSame(as: record.value), rest == record.rest else { return false }
        return unit.map { Array($0.utf8) } == record.unit.map { Array($0.utf8) }
    }

    fileprivate mutating func move(to key: InstanceKey) { self.key = key }
    fileprivate var isObserved: Bool { form.isObserved }
    fileprivate var isNumber: Bool {
        switch value.storage {
        case .int64, .double: true
        case .string, .blob, .null: false
        }
    }
}

extension InstanceKey {
    static let columns = "entity, attribute, dataset, at_us, late_us"
    var arguments: StatementArguments { [entity, attribute, dataset, atMicroseconds, lateMicroseconds] }
}

extension WriteTransaction {
    private static let insertion = """
        INSERT INTO instance (\(InstanceKey.columns), form, value, unit, modified_us, rest, expires_us)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (\(InstanceKey.columns))
        """
    private static let newRows = RowInsertion(
        into: "instance (\(InstanceKey.columns), form, value, unit, modified_us, rest, expires_us)", columnCount: 11)
    private static let insertStatement = insertion + " DO NOTHING"
    /// A row that was put where it is by hand is another instance, and so is one that nobody observed.
    private static let insertOrReplaceLast = insertion + """
         DO UPDATE SET form = excluded.form, value = excluded.value, unit = excluded.unit, rest = excluded.rest,
        expires_us = excluded.expires_us
        WHERE modified_us IS NULL AND form & \(InstanceForm.observedBit) = excluded.form & \(InstanceForm.observedBit)
        """

    /// Writes a row. Where another instance stands it is put a microsecond later, as often as that is needed: what was
    /// recorded at one moment stays in the order in which it was, and nothing takes the place of another unsaid.
    /// - Parameter replacingLast: whether a row of the same moment that was recorded at the same moment is replaced.
    /// - Returns: where it was put.
    @discardableResult
    func insert(_ row: InstanceRow, replacingLast: Bool = false) throws -> InstanceKey {
        touch(row.key.entity, at: row.key.atMicroseconds)
        try unseal(row.key.atMicroseconds, of: row.key.series)
        try row.write(replacingLast ? Self.insertOrReplaceLast : Self.insertStatement, self)
        if db.changesCount > 0 { return row.key }
        var moved = row
        moved.move(to: try freeKey(from: row.key, isObserved: row.isObserved))
        try moved.write(Self.insertStatement, self)
        return moved.key
    }

    /// Writes a row of a moment of which nothing is recorded.
    func insertAlone(_ row: InstanceRow) throws {
        touch(row.key.entity, at: row.key.atMicroseconds)
        try row.write(Self.insertStatement, self)
        guard db.changesCount == 1 else { throw CityError.internalFault("a moment that was planned for has a record") }
    }

    /// Writes rows of different series of an entity of which history has nothing.
    func insertFirst(_ rows: [InstanceRow]) throws {
        for row in rows { touch(row.key.entity, at: row.key.atMicroseconds) }
        try Self.newRows.insert(rows, db) { row, values in try row.bind(&values, self) }
    }

    /// The first key from one on at which no instance stands: of an observation the moment stays and it was recorded later,
    /// any other stands where it was recorded.
    private func freeKey(from key: InstanceKey, isObserved: Bool) throws -> InstanceKey {
        // Where chunks may hold what follows, it is looked at moment by moment.
        if !isObserved, sealing.mayHold(key.atMicroseconds + 1) { return try freeMoment(from: key) }
        let series = "FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND"
        let taken = try rows(
            isObserved
                ? "SELECT late_us \(series) at_us = ? AND late_us >= ? ORDER BY late_us"
                : "SELECT at_us \(series) at_us >= ? AND late_us = ? ORDER BY at_us", key.arguments)
        var free = key
        while let row = try taken.next() {
            let number = try row.decode(Int64.self, atIndex: 0)
            guard number == (isObserved ? free.lateMicroseconds : free.atMicroseconds) else { break }
            if isObserved { free.lateMicroseconds += 1 } else { free.atMicroseconds += 1 }
        }
        return free
    }

    private func freeMoment(from key: InstanceKey) throws -> InstanceKey {
        var free = key
        while try row(
            "SELECT 1 FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ? AND late_us = ?", free.arguments) != nil
            || sealedRecord(free) != nil
        { free.atMicroseconds += 1 }
        return free
    }

    /// Whether a row may be recorded: not where only summaries are kept that may count it already, or nothing.
    func takes(_ row: InstanceRow) throws -> Bool {
        try !sealing.mayBeThinned(row.key.atMicroseconds)
            || !takesNoMore(of: row.key.series, at: row.key.atMicroseconds, isNumber: row.isNumber)
    }

    /// Whether history holds an instance of the same moment with the same content.
    func holds(_ row: InstanceRow) throws -> Bool {
        if sealing.mayHold(row.key.atMicroseconds),
            try sealedRecords(of: row.key.series, at: row.key.atMicroseconds).contains(where: row.hasContent)
        { return true }
        return try self.row(
            """
            SELECT 1 FROM instance WHERE entity = ? AND attribute = ? AND dataset = ? AND at_us = ?
            AND form % \(InstanceForm.classificationUnit) = ? AND \(Opened.value) IS ? AND \(Opened.unit) IS ? AND \(Opened.rest) IS ? AND expires_us IS ? LIMIT 1
            """, row.contentArguments) != nil
    }
}
