internal import Broker
internal import Cases
internal import CityModel
internal import LinkedData
internal import Store
internal import Trust

/// One run of a source: bytes in, entities written, a report out. Records are written in groups, each in one transaction; old
/// observations are gathered from many groups first, and written while the next are read. Records that become cases are filed one
/// by one (`CaseFiler`). A run that is cut off has written some of them, and running it again changes nothing of what was written.
struct Importer {
    private let definition: SourceDefinition
    private let context: Context
    private let broker: Broker
    private let access: WriteAccess
    private let provenance: Provenance
    private let onRejected: ((RejectedPart) async throws -> Void)?
    private var hasHeader = false

    private var decoder: RecordDecoder
    private var mapper: Mapper?
    private let filer: CaseFiler?
    private var caseMapper: CaseMapper?
    private var rows: [WaitingRow] = []
    private var rowByteCount = 0
    private var rejectedRows: RejectedRows?
    private var group: [Pending] = []
    private var gathered: Gathered?
    private var writing: Writing?
    private(set) var report = ImportReport()

    /// A part of the table of rejected records.
    enum RejectedPart {
        case header([UInt8])
        case row([UInt8])
    }

    private struct Pending {
        let observation: ObservedEntity
        let flags: [Finding]
        let references: [PendingReference]
    }

    /// Old observations that wait.
    private struct Gathered {
        var bulk: BulkRecording
        /// What is to be reported of them, by their place.
        var flags: [Int: [Finding]] = [:]
    }

    /// A record that becomes a case, and what it was, for the table of rejected ones.
    private struct WaitingRow {
        var mapped: MappedCase
        let record: Record
    }

    private struct Writing {
        let gathered: Gathered
        let task: Task<[RecordingOutcome], any Error>
    }

    /// Records of one transaction.
    private static let groupCountMax = 2000
    /// Rows that wait to be filed, and the bytes of their records.
    private static let (rowCountMax, rowByteCountMax) = (200, 4 << 20)

    /// - Parameter filer: where records become cases.
    init(
        _ definition: SourceDefinition, context: Context, broker: Broker, access: WriteAccess, run: Int64, filer: CaseFiler? = nil,
        onRejected: ((RejectedPart) async throws -> Void)? = nil
    ) {
        (self.definition, self.context, self.broker, self.access) = (definition, context, broker, access)
        (self.filer, self.onRejected) = (filer, onRejected)
        provenance = Provenance(classification: definition.classification, run: run)
        decoder = RecordDecoder(definition)
    }

    /// Takes the next bytes of the file and writes what is complete.
    mutating func feed(_ bytes: [UInt8]) async throws {
        decoder.feed(bytes)
        try await drain()
    }

    /// Takes the end of the file and writes the rest.
    mutating func finish() async throws {
        decoder.finish()
        try await drain()
        try await write()
        try await close()
    }

    /// Writes what was read whole, and waits until it is written. To be called also where the file can't be read further.
    mutating func close() async throws {
        try await fileRows()
        try await startWriting()
        try await finishWriting()
    }

    /// Waits for what is being written, whatever comes of it.
    func abandon() async { _ = await writing?.task.result }

    private mutating func drain() async throws {
        var record = Record()
        while try decoder.next(into: &record) {
            if rejectedRows == nil { try prepare() }
            if let filer {
                try await take(record, filer)
                continue
            }
            switch mapper?.map(record) {
            case .mapped(let mapped): take(mapped)
            case .document(let json, let line, let flags): try await take(json, line: line, flags: flags, record)
            case .rejected(let finding): try await reject(record, finding)
            case nil: break
            }
            if group.count >= Self.groupCountMax { try await write() }
        }
    }

    /// The mapper is made when the columns are known, which is with the first record.
    private mutating func prepare() throws {
        let columns = definition.format.isTabular ? decoder.columns : nil
        if let filer {
            caseMapper = try CaseMapper(definition, filer.mapping, filer.service, columns: columns, now: .now)
        } else {
            mapper = try Mapper(definition, columns: columns, now: .now, expand: context.expand)
        }
        rejectedRows = RejectedRows(definition, columns: columns)
    }

    private mutating func take(_ mapped: MappedRecord) {
        let entity = mapped.entity
        group.append(
            Pending(
                observation: ObservedEntity(
                    id: entity.id, types: entity.types, scopes: entity.scopes, attributes: entity.attributes, observedAt: mapped.observedAt),
                flags: mapped.flags, references: mapped.references))
    }

    private mutating func take(_ json: JSON, line: Int, flags: [Finding], _ record: Record) async throws {
        do throws(CityError) {
            let entity = try EntityReader(context: context, purpose: .content).fragment(json).entity()
            let observation = ObservedEntity(id: entity.id, types: entity.types, scopes: entity.scopes, attributes: entity.attributes)
            group.append(Pending(observation: observation, flags: flags, references: []))
        } catch {
            try await reject(record, Finding(line: line, ruleID: "ngsi-ld", field: "", reason: error.detail, severity: .reject))
        }
    }

    private mutating func reject(_ record: Record, _ finding: Finding) async throws {
        report.reject(finding)
        guard let onRejected, let rejectedRows else { return }
        if !hasHeader { try await onRejected(.header(rejectedRows.header)) }
        hasHeader = true
        try await onRejected(.row(rejectedRows.row(record, finding)))
    }

    private mutating func write() async throws {
        guard !group.isEmpty else { return }
        let accepted = try await withoutDangling(group)
        group.removeAll(keepingCapacity: true)
        let observations = accepted.map(\.observation)
        if broker.areGathered(observations, at: .now) { return try await gather(observations, accepted) }
        // What comes later is written later.
        try await close()
        let outcomes = try await broker.record(observations, provenance: provenance, access, at: .now)
        for (pending, outcome) in zip(accepted, outcomes) { report.accept(flags: pending.flags, isUnchanged: outcome == .unchanged) }
    }

    private mutating func gather(_ observations: [ObservedEntity], _ accepted: [Pending]) async throws {
        var gathered = gathered ?? Gathered(bulk: BulkRecording(provenance: provenance, after: writing?.gathered.bulk))
        self.gathered = nil
        for (place, pending) in accepted.enumerated() where !pending.flags.isEmpty { gathered.flags[gathered.bulk.count + place] = pending.flags }
        try await broker.gather(observations, into: &gathered.bulk, access)
        let isFull = gathered.bulk.isFull
        self.gathered = gathered
        if isFull { try await startWriting() }
    }

    /// Writes what was gathered beside what is read next.
    private mutating func startWriting() async throws {
        try await finishWriting()
        guard let gathered else { return }
        self.gathered = nil
        let (broker, access) = (broker, access)
        writing = Writing(gathered: gathered, task: Task { try await broker.record(gathered.bulk, access, at: .now) })
    }

    private mutating func finishWriting() async throws {
        guard let writing else { return }
        self.writing = nil
        for (place, outcome) in try await writing.task.value.enumerated() {
            report.accept(flags: writing.gathered.flags[place] ?? [], isUnchanged: outcome == .unchanged)
        }
    }

    /// Whether an entity will be there once what was read before is written.
    private func isUnderWay(_ id: IRI) -> Bool { gathered?.bulk.holds(id) ?? false || writing?.gathered.bulk.holds(id) ?? false }

    /// Applies the rules that ask for other entities.
    private mutating func withoutDangling(_ group: [Pending]) async throws -> [Pending] {
        let targets = Set(group.flatMap { $0.references.map(\.target) })
        guard !targets.isEmpty else { return group }
        let missing = try await broker.missing(targets.filter { !isUnderWay($0) }, access.reading).subtracting(group.map(\.observation.id))
        var kept: [Pending] = []
        for pending in group {
            let findings = pending.references.filter { missing.contains($0.target) }.map(\.finding)
            if let fatal = findings.first(where: { $0.severity == .reject }) {
                report.reject(fatal)
            } else {
                kept.append(Pending(observation: pending.observation, flags: pending.flags + findings, references: []))
            }
        }
        return kept
    }
}

/// Records that become cases.
extension Importer {
    private mutating func take(_ record: Record, _ filer: CaseFiler) async throws {
        switch caseMapper?.map(record) {
        case .mapped(let mapped):
            rows.append(WaitingRow(mapped: mapped, record: record))
            rowByteCount += record.row.bytes.count
        case .rejected(let finding, let row): try await refuse(record, finding, row, filer)
        case nil: break
        }
        if rows.count >= Self.rowCountMax || rowByteCount >= Self.rowByteCountMax { try await fileRows() }
    }

    /// What was filed before is no fault: its service may ask for more since, and a place have another name.
    private mutating func refuse(_ record: Record, _ finding: Finding, _ row: CaseRow?, _ filer: CaseFiler) async throws {
        if let row, try await filer.isFiled(row, at: .now) { return report.accept(flags: [], isUnchanged: true) }
        try await reject(record, finding)
    }

    private mutating func fileRows() async throws {
        guard let filer, !rows.isEmpty else { return }
        let waiting = try await withoutDangling(rows, filer)
        rows.removeAll(keepingCapacity: true)
        rowByteCount = 0
        for (row, outcome) in zip(waiting, try await filer.file(waiting.map(\.mapped), at: .now)) {
            switch outcome {
            case .filed(let flags): report.accept(flags: flags)
            case .knownBefore: report.accept(flags: [], isUnchanged: true)
            case .refused(let finding): try await reject(row.record, finding)
            }
        }
    }

    /// Applies the rules that ask for other entities.
    private mutating func withoutDangling(_ rows: [WaitingRow], _ filer: CaseFiler) async throws -> [WaitingRow] {
        let targets = Set(rows.flatMap { $0.mapped.references.map(\.target) })
        guard !targets.isEmpty else { return rows }
        let missing = try await broker.missing(targets, access.reading)
        var kept: [WaitingRow] = []
        for var row in rows {
            let findings = row.mapped.references.filter { missing.contains($0.target) }.map(\.finding)
            if let fatal = findings.first(where: { $0.severity == .reject }) {
                try await refuse(row.record, fatal, row.mapped.report.row, filer)
            } else {
                row.mapped.flags += findings
                kept.append(row)
            }
        }
        return kept
    }
}
