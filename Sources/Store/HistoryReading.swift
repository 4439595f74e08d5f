package import CityModel
internal import GRDB
package import LinkedData
package import Query

/// One record of history with everything that it says.
package struct RecordedInstance: Sendable {
    /// With `createdAt` and `modifiedAt` of the record; both nil for the trace of a deletion.
    package let attribute: Attribute
    package let deletedAt: Instant?
    /// The timestamp that the temporal query is about.
    package let time: Instant
    /// What the entity was classified as when it was recorded.
    let classification: Classification
    let key: InstanceKey
    /// The `instanceId` of a record that was moved to another moment, or that a context source gave.
    let name: String?

    package var instanceID: String { name ?? key.instanceID }
}

extension TemporalInstance {
    package init(_ record: RecordedInstance) {
        self.init(attribute: record.attribute, deletedAt: record.deletedAt, time: record.time, instanceID: record.instanceID)
    }
}

/// The instances of one attribute with one dataset, in order of time.
package struct Series: Hashable, Sendable {
    package let attribute: IRI
    package let datasetID: IRI?
    let number: Int64
}

/// Which records of a series are read, and in which order.
package struct HistoryWindow: Sendable {
    /// Nil reads all, in the order in which they were observed or else recorded. Of several observations of one moment one that
    /// asks by `observedAt` reads the last recorded; all others read each.
    package var temporal: TemporalQuery?
    /// Only records of these half-open intervals; nil does not restrict.
    package var validity: [Range<Instant>]?
    /// From the most recent on rather than from the least recent.
    package var isBackwards: Bool
    /// Records whose `expiresAt` lies before are not read (clause 4.22).
    package var now: Instant
    /// Nor are those that were recorded as more confidential.
    package var classificationMax: Classification
    /// When reading is to have ended; nil where what is read is small.
    package var deadline: ContinuousClock.Instant?

    package init(
        _ temporal: TemporalQuery?, validity: [Range<Instant>]? = nil, isBackwards: Bool = false, now: Instant,
        _ classificationMax: Classification, deadline: ContinuousClock.Instant? = nil
    ) {
        (self.temporal, self.validity, self.isBackwards) = (temporal, validity, isBackwards)
        (self.now, self.classificationMax, self.deadline) = (now, classificationMax, deadline)
    }

    /// Intervals that one statement asks for.
    private static let validityCountMax = 200
    /// Records that are read between two looks at the clock.
    static let recordCountBetweenLooks = 1024

    /// Windows that together are this one, in the order in which they are read, each with few enough intervals.
    fileprivate var parts: [HistoryWindow] {
        guard let validity else { return [self] }
        let parts = stride(from: 0, to: validity.count, by: Self.validityCountMax).map { start in
            var part = self
            part.validity = Array(validity[start..<min(start + Self.validityCountMax, validity.count)])
            return part
        }
        return isBackwards ? parts.reversed() : parts
    }

    package func checkDeadline() throws(CityError) {
        guard let deadline, ContinuousClock.now > deadline else { return }
        throw .tooComplexQuery("this query takes longer than a query may; narrow it, by type or interval for example")
    }
}

extension ReadSnapshot {
    /// The series of an entity's history that have something that may be seen, or had before it was thinned.
    /// - Parameter attributes: only of these; nil for all, but for the one that holds the scopes.
    /// - Parameter mayBeEmpty: whether it does no harm that there is nothing of the default series of an attribute.
    /// - Complexity: two look-ups for each series, besides what may not be seen.
    package func series(
        of entity: Int64, attributes: [IRI]? = nil, _ classificationMax: Classification, mayBeEmpty: Bool = false
    ) throws -> [Series] {
        let hidden = InstanceForm.hidden(from: classificationMax)
        if let attributes { return try attributes.flatMap { try series(of: entity, attribute: $0, hidden, mayBeEmpty) } }
        var all: [Series] = []
        var last: Int64 = .min
        while let next = try nextAttribute(of: entity, after: last, hidden) {
            last = next
            guard let name = terms.name(of: last), name != .scopeMember else { continue }
            all += try series(of: entity, attribute: name, hidden, false)
        }
        return all
    }

    private func nextAttribute(of entity: Int64, after last: Int64, _ hidden: Int) throws -> Int64? {
        let ofRows = try row(
            "SELECT attribute FROM instance WHERE entity = ? AND attribute > ? AND form < ? ORDER BY attribute LIMIT 1", [entity, last, hidden])?
            .decode(Int64.self, atIndex: 0)
        return try [ofRows, chunkAttribute(of: entity, after: last, hidden), thinnedAttribute(of: entity, after: last, hidden)].compactMap { $0 }.min()
    }

    private func series(of entity: Int64, attribute: IRI, _ hidden: Int, _ mayBeEmpty: Bool) throws -> [Series] {
        guard let number = terms.number(of: attribute) else { return [] }
        if try !mayHaveDatasets(of: entity, number) {
            return try mayBeEmpty || hasSeries(of: entity, number, hidden) ? [Series(attribute: attribute, datasetID: nil, number: number)] : []
        }
        var datasets: [String] = []
        var sql = "SELECT dataset FROM instance WHERE entity = ? AND attribute = ? AND dataset >= ? AND form < ? ORDER BY dataset LIMIT 1"
        while let row = try row(sql, [entity, number, datasets.last ?? "", hidden]) {
            datasets.append(try row.decode(String.self, atIndex: 0))
            sql = "SELECT dataset FROM instance WHERE entity = ? AND attribute = ? AND dataset > ? AND form < ? ORDER BY dataset LIMIT 1"
        }
        let old = try chunkDatasets(of: entity, attribute: number, hidden) + thinnedDatasets(of: entity, attribute: number, hidden)
        // SQL orders texts by their bytes.
        if !old.isEmpty { datasets = Set(datasets + old).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        return datasets.map { Series(attribute: attribute, datasetID: $0.isEmpty ? nil : IRI(known: $0), number: number) }
    }

    /// Whether an attribute has any series but the default one, seen or not.
    private func mayHaveDatasets(of entity: Int64, _ attribute: Int64) throws -> Bool {
        try row(Self.existsDataset, [entity, attribute])?.decode(Bool.self, atIndex: 0) ?? false
    }

    private static let existsDataset = "SELECT "
        + ["instance", "chunk", "thinned"].map { "EXISTS (SELECT 1 FROM \($0) WHERE entity = ?1 AND attribute = ?2 AND dataset > '')" }
        .joined(separator: " OR ")

    /// Whether something of an attribute's default series may be seen, or could be before it was thinned.
    private func hasSeries(of entity: Int64, _ attribute: Int64, _ hidden: Int) throws -> Bool {
        let key = "entity = ?1 AND attribute = ?2 AND dataset = ''"
        return try row(
            """
            SELECT EXISTS (SELECT 1 FROM chunk WHERE \(key) AND form_min < ?3) OR EXISTS (SELECT 1 FROM instance WHERE \(key) AND form < ?3)
                OR EXISTS (SELECT 1 FROM thinned WHERE \(key) AND rank < ?3 / \(InstanceForm.classificationUnit))
            """, [entity, attribute, hidden])?.decode(Bool.self, atIndex: 0) ?? false
    }

    /// A window as it is for one entity: rules may show less of it than of others.
    func seen(_ window: HistoryWindow, of entity: Int64) throws -> HistoryWindow {
        guard seen != nil else { return window }
        var bounded = window
        bounded.classificationMax = try bound(window.classificationMax, of: entity)
        return bounded
    }

    /// Whether a series has a record within the window.
    package func hasRecord(of entity: Int64, _ series: Series, _ window: HistoryWindow) throws -> Bool {
        var found = false
        try visitRecords(of: entity, series, window, limit: 1) { _ in
            found = true
            return false
        }
        return found
    }

    /// Visits the records of a series within the window, as long as `visit` returns true.
    /// - Parameter limit: records read at most.
    /// - Throws: `tooComplexQuery` when the window's deadline passes.
    package func visitRecords(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, limit: Int = Int(Int32.max), _ visit: (RecordedInstance) throws -> Bool
    ) throws {
        let window = try seen(window, of: entity)
        if try reachesChunks(key(entity, series), window) { return try visitMerged(of: entity, series, window, limit: limit, visit) }
        try visitRows(of: entity, series, window, limit: limit) { time, record in try visit(recorded(record, time: time, entity, series)) }
    }

    /// Visits those that are rows, each with what the temporal query is about.
    func visitRows(
        of entity: Int64, _ series: Series, _ window: HistoryWindow, limit: Int, _ visit: (Int64, StoredRecord) throws -> Bool
    ) throws {
        var count = 0
        for part in window.parts where count < limit {
            try window.checkDeadline()
            let (sql, arguments) = WindowSelect(entity, series, part).statement(limit: limit - count)
            let cursor = try rows(sql, arguments)
            while let row = try cursor.next() {
                count += 1
                if count % HistoryWindow.recordCountBetweenLooks == 0 { try window.checkDeadline() }
                guard let record = try StoredRecord(row) else { continue }
                guard try visit(row.decode(Int64.self, atIndex: 8), record) else { return }
            }
        }
    }
}

/// The statement that reads a window. For `observedAt`, `deletedAt` and no timestamp it walks the primary key; for the
/// others it sorts the series.
private struct WindowSelect {
    private let time: String
    private var conditions: [String]
    private var arguments: [any Bindable]
    private let isBackwards: Bool

    /// Of what was observed at a moment the last that was recorded holds: those before it were corrected (clause 4.8).
    private static let isLastOfMoment = """
        NOT EXISTS (
            SELECT 1 FROM instance AS later
            WHERE later.entity = instance.entity AND later.attribute = instance.attribute AND later.dataset = instance.dataset
            AND later.at_us = instance.at_us AND later.late_us > instance.late_us AND later.form & \(InstanceForm.observedBit) <> 0
            AND later.form < ? AND (later.expires_us IS NULL OR later.expires_us > ?)
        )
        """

    init(_ entity: Int64, _ series: Series, _ window: HistoryWindow) {
        // The trace of a deletion that nobody observed has a deletedAt and no other timestamp, but for what a source says of its own.
        let isNoTrace =
            "(form & \(InstanceForm.observedBit + InstanceForm.deletionBit) <> \(InstanceForm.deletionBit) OR \(InstanceRest.tellsDeletion))"
        conditions = ["entity = ?", "attribute = ?", "dataset = ?", "form < ?", InstanceForm.isAlive]
        arguments = [
            entity, series.number, series.datasetID?.text ?? "", InstanceForm.hidden(from: window.classificationMax), window.now.microseconds,
        ]
        switch window.temporal?.property {
        case .observedAt?:
            (time, conditions) = ("at_us", conditions + ["form & \(InstanceForm.observedBit) <> 0", Self.isLastOfMoment])
            arguments += Array(arguments.suffix(2))
        case .createdAt?: (time, conditions) = ("at_us + late_us", conditions + [isNoTrace, ForeignRow.isRecorded])
        case .modifiedAt?:
            time = "coalesce(modified_us, at_us + late_us)"
            conditions += [isNoTrace, "(modified_us IS NOT NULL OR \(ForeignRow.isRecorded))"]
        case .deletedAt?: (time, conditions) = ("at_us", conditions + ["form & \(InstanceForm.deletionBit) <> 0"])
        case nil: time = "at_us"
        }
        isBackwards = window.isBackwards
        bound(window.temporal?.lowerBound, ">=")
        bound(window.temporal?.upperBound, "<")
        if let validity = window.validity { restrict(to: validity) }
    }

    private mutating func bound(_ instant: Instant?, _ comparison: String) {
        guard let instant else { return }
        conditions.append("\(time) \(comparison) ?")
        arguments.append(instant.microseconds)
    }

    /// - Parameter intervals: in order.
    private mutating func restrict(to intervals: [Range<Instant>]) {
        bound(intervals.first?.lowerBound, ">=")
        bound(intervals.last?.upperBound, "<")
        let alternatives = intervals.map { interval in
            arguments += [interval.lowerBound.microseconds, interval.upperBound.microseconds]
            return "\(time) >= ? AND \(time) < ?"
        }
        conditions.append(alternatives.isEmpty ? "FALSE" : "(" + alternatives.joined(separator: " OR ") + ")")
    }

    func statement(limit: Int) -> (String, StatementArguments) {
        let direction = isBackwards ? "DESC" : "ASC"
        let sql = """
            SELECT \(StoredRecord.columns), \(time) FROM instance
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(time) \(direction), late_us \(direction) LIMIT ?
            """
        return (sql, StatementArguments(arguments + [limit]))
    }
}
