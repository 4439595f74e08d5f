package import CityModel
package import LinkedData
package import OrderedCollections
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
    /// What context sources have of it; nil where none was asked.
    package var elsewhere: HistoriesElsewhere?
    package init(filter: EntityFilter, selection: EvolutionSelection) { (self.filter, self.selection) = (filter, selection) }
}

/// What context sources have of a temporal query.
package struct HistoriesElsewhere: Sendable {
    let ids: OrderedSet<IRI>
    /// What is looked for here.
    let filter: EntityFilter
    /// Whether also what is nowhere else has to match as a whole.
    let isSplit: Bool
    /// Puts what is here, if anything is, together with what is elsewhere, and leaves of it what the query asks for; says too as what
    /// the sources' part is classified. Nil where nothing is left.
    let merge: @Sendable (IRI, TemporalEntity?) throws -> (evolution: TemporalEntity, foreign: Classification)?

    package init(
        ids: OrderedSet<IRI>, filter: EntityFilter, isSplit: Bool,
        merge: @escaping @Sendable (IRI, TemporalEntity?) throws -> (evolution: TemporalEntity, foreign: Classification)?
    ) {
        (self.ids, self.filter, self.isSplit, self.merge) = (ids, filter, isSplit, merge)
    }
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

/// Carrying out the queries of a snapshot (clause 5.16.1.4): all see the city at one moment, and whatever they find is stored in the
/// snapshot's file, a part at a time.
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
                evolutions.map { query in finding.attempt { finding in try finding.histories(of: query.get(), self, access) } }, try snapshot.lastReclassification()
            )
        }
        // In the place of what an earlier attempt left, which was broken off.
        let beginning = SnapshotBeginning(id: record.id, of: file, reclassifiedUntil: found.2)
        let frozen = try store.makeSnapshot(access.municipality.snapshot(record.number), beginning)
        for case .success(let entities) in found.0 {
            try await Self.inParts(entities) { part in
                try await frozen.write { transaction in for one in part { try transaction.freeze(one) } }
            }
        }
        for case .success(let histories) in found.1 {
            try await Self.inParts(histories.flatMap { $0.parts(of: Self.instancePartCount) }, weight: \.instanceCount) { part in
                let whole = try await file.read { try part.map($0.withRecords) }
                try await frozen.write { transaction in for one in whole { try transaction.freeze(one) } }
            }
        }
        return SnapshotOutcome(queries: found.0.map { $0.map(\.count) }, evolutions: found.1.map { $0.map(\.count) })
    }

    /// - Parameter weight: how many instances an element has.
    private static func inParts<Element: Sendable>(
        _ elements: [Element], weight: (Element) -> Int = { _ in 0 }, _ body: ([Element]) async throws -> Void
    ) async throws {
        var (part, instanceCount) = ([Element](), 0)
        for element in elements {
            if part.count == partCount || instanceCount + weight(element) > instancePartCount, !part.isEmpty {
                try await body(part)
                (part, instanceCount) = ([], 0)
            }
            part.append(element)
            instanceCount += weight(element)
        }
        if !part.isEmpty { try await body(part) }
    }

    private static var partCount: Int { 100 }
    private static var instancePartCount: Int { 1000 }

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
