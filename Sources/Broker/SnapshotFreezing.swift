package import CityModel
internal import LinkedData
package import Query
package import Store
package import Trust

/// One query of a snapshot, and what of each entity it asks for.
package struct SnapshotQuery: Sendable {
    package let filter: EntityFilter
    package let view: EntityView
    /// What context sources have of it; nil where none was asked.
    package var elsewhere: FoundElsewhere?
    package init(filter: EntityFilter, view: EntityView) { (self.filter, self.view) = (filter, view) }
}

/// What context sources have of a query.
package struct FoundElsewhere: Sendable {
    let ids: [IRI]
    /// What is looked for here.
    let filter: EntityFilter
    /// What an entity has to match once it is put together; nil where each part did already.
    let wholeFilter: EntityFilter?
    /// Puts what is here, if anything is, together with what is elsewhere; says too as what that is classified. Nil where
    /// nothing is elsewhere.
    let merge: @Sendable (IRI, Entity?) -> (entity: Entity, classification: Classification)?

    package init(
        ids: [IRI], filter: EntityFilter, wholeFilter: EntityFilter?,
        merge: @escaping @Sendable (IRI, Entity?) -> (entity: Entity, classification: Classification)?
    ) {
        (self.ids, self.filter, self.wholeFilter, self.merge) = (ids, filter, wholeFilter, merge)
    }
}

/// One temporal query of a snapshot.
package struct SnapshotEvolutionQuery: Sendable {
    package let filter: EntityFilter
    package let selection: EvolutionSelection
    package init(filter: EntityFilter, selection: EvolutionSelection) { (self.filter, self.selection) = (filter, selection) }
}

/// How the queries of a snapshot went, each with how many entities it found.
package struct SnapshotOutcome: Sendable {
    package var queries: [Result<Int, CityError>]
    package var evolutions: [Result<Int, CityError>]

    /// What that makes of the snapshot (clause 5.16.1.4).
    package var status: SnapshotStatus {
        let counts = (queries + evolutions).map { try? $0.get() }
        if counts.allSatisfy({ $0 ?? 0 > 0 }) { return .success }
        if counts.contains(where: { $0 ?? 0 > 0 }) { return .partial }
        return counts.contains(0) ? .empty : .failure
    }
}

/// Carrying out the queries of a snapshot (clause 5.16.1.4): all see the city at one moment, and whatever they find is stored,
/// a part at a time so that other writes go on.
extension Broker {
    /// - Parameter queries: one that can't be understood brings its error with it.
    package func freeze(
        _ record: SnapshotRecord, _ queries: [Result<SnapshotQuery, CityError>], _ evolutions: [Result<SnapshotEvolutionQuery, CityError>],
        _ access: ReadAccess, at now: Instant
    ) async throws -> SnapshotOutcome {
        let file = try file(toRead: access)
        let limits = snapshotLimits
        let found = try await file.read { [self] snapshot in
            var finding = SnapshotFinding(snapshot: snapshot, limits: limits, now: now)
            return (
                queries.map { query in finding.attempt { finding in try finding.entities(of: query.get(), self, access) } },
                evolutions.map { query in finding.attempt { finding in try finding.histories(of: query.get(), self, access) } }
            )
        }
        // What an earlier attempt left, which was broken off.
        try await file.write { try $0.eraseFrozen(record.number) }
        for case .success(let entities) in found.0 {
            try await Self.inParts(entities) { part in
                try await file.write { transaction in for one in part { try transaction.freeze(one, in: record.number) } }
            }
        }
        for case .success(let histories) in found.1 {
            try await Self.inParts(histories) { part in
                try await file.write { transaction in for one in part { try transaction.freeze(one, in: record.number) } }
            }
        }
        return SnapshotOutcome(queries: found.0.map { $0.map(\.count) }, evolutions: found.1.map { $0.map(\.count) })
    }

    private static func inParts<Element: Sendable>(_ elements: [Element], _ body: ([Element]) async throws -> Void) async throws {
        for start in stride(from: 0, to: elements.count, by: partCount) {
            try await body(Array(elements[start..<min(start + partCount, elements.count)]))
        }
    }

    private static var partCount: Int { 100 }

    /// The end of the preparation of a snapshot that is still there.
    package func finishSnapshot(_ record: SnapshotRecord, _ access: WriteAccess) async throws {
        try await file(toWrite: access).write { transaction in
            // Only what preparing decided is changed: its maker may have changed the rest meanwhile.
            guard var now = try transaction.snapshots().first(where: { $0.number == record.number }) else {
                return try transaction.removeSnapshot(record.number)
            }
            (now.status, now.body, now.modifiedAt, now.untoldCount) = (record.status, record.body, record.modifiedAt, record.untoldCount)
            try transaction.update(now)
        }
    }

    /// The snapshots of a municipality for which there is something to do.
    package func unfinishedSnapshots(_ access: WriteAccess) async throws -> [SnapshotRecord] {
        try await file(toRead: access.reading).read { try $0.snapshots().filter { $0.status == .preparing || $0.untoldCount > 0 } }
    }

    /// What its maker changed since is left as it is, and told of anew.
    package func setUntold(_ count: Int, of record: SnapshotRecord, _ access: WriteAccess) async throws {
        try await file(toWrite: access).write { transaction in
            guard var now = try transaction.snapshots().first(where: { $0.number == record.number }),
                now.modifiedAt == record.modifiedAt, now.untoldCount == record.untoldCount
            else { return }
            now.untoldCount = count
            try transaction.update(now)
        }
    }
}

/// What the queries of one snapshot find, within its limits.
private struct SnapshotFinding {
    let snapshot: ReadSnapshot
    let limits: SnapshotLimits
    let now: Instant
    private var entityCount = 0
    private var instanceCount = 0
    private var byteCount = 0

    init(snapshot: ReadSnapshot, limits: SnapshotLimits, now: Instant) { (self.snapshot, self.limits, self.now) = (snapshot, limits, now) }

    /// A query that fails leaves the others as they are.
    mutating func attempt<Found>(_ find: (inout SnapshotFinding) throws -> [Found]) -> Result<[Found], CityError> {
        do { return .success(try find(&self)) } catch let error as CityError { return .failure(error) } catch {
            return .failure(.internalFault("a snapshot's query failed: \(error)"))
        }
    }

    mutating func entities(of query: SnapshotQuery, _ broker: Broker, _ access: ReadAccess) throws -> [EntityToFreeze] {
        var (found, met) = ([EntityToFreeze](), Set<IRI>())
        func add(_ entity: Entity, _ classification: Classification, _ number: Int64?) throws {
            guard query.elsewhere?.wholeFilter?.matches(entity) ?? true else { return }
            try count(entities: 1)
            guard let shown = query.view.selected(entity) else { return }
            try count(bytes: shown.approximateByteCount)
            found.append(EntityToFreeze(shown, classification: classification, number: number))
        }
        let search = broker.search(EntityQuery(filter: query.elsewhere?.filter ?? query.filter, limit: Int(Int32.max)), access, at: now)
        try snapshot.visitMatches(search) { match in
            let local = try match.entity ?? snapshot.entity(match.stored)
            let whole = query.elsewhere?.merge(local.id, local)
            try add(whole?.entity ?? local, max(whole?.classification ?? .open, match.stored.classification), match.stored.number)
            met.insert(local.id)
            return true
        }
        for id in query.elsewhere?.ids ?? [] where !met.contains(id) {
            if let (entity, classification) = query.elsewhere?.merge(id, nil) { try add(entity, classification, nil) }
        }
        return found
    }

    mutating func histories(of query: SnapshotEvolutionQuery, _ broker: Broker, _ access: ReadAccess) throws -> [HistoryToFreeze] {
        guard let temporal = query.selection.temporal else { throw CityError.badRequestData("temporalQ: is missing") }
        let search = HistorySearch(
            filter: query.filter, temporal: temporal, classificationMax: access.classificationMax, offset: 0, limit: limits.entityCountMax + 1,
            now: now)
        let selection = query.selection
        return try snapshot.searchHistory(search).matches.map { match in
            try count(entities: 1)
            let window = HistoryWindow(temporal, validity: match.validity, isBackwards: selection.lastN != nil, now: now, access.classificationMax)
            let history = try snapshot.historyToFreeze(
                match, window, lastN: selection.lastN, countMax: limits.instanceCountMax - instanceCount, byteCountMax: limits.byteCountMax - byteCount
            ) { series in selection.projection.keeps(series.attribute) && selection.datasets?.datasets.contains(series.datasetID) ?? true }
            instanceCount += history.instanceCount
            byteCount += history.byteCount
            return history
        }
    }

    private mutating func count(entities: Int) throws {
        entityCount += entities
        guard entityCount <= limits.entityCountMax else {
            throw CityError.tooManyResults("a snapshot holds at most \(limits.entityCountMax) entities; narrow its queries")
        }
    }

    private mutating func count(bytes: Int) throws {
        byteCount += bytes
        guard byteCount <= limits.byteCountMax else {
            throw CityError.tooManyResults("a snapshot holds at most about \(limits.byteCountMax >> 20) MiB; narrow its queries")
        }
    }
}
