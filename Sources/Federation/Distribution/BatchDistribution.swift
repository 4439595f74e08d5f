package import CityModel
package import LinkedData
internal import OrderedCollections

/// One entry of a batch, as far as it decides where its parts go.
package struct BatchEntry: Sendable {
    let id: IRI
    let types: [IRI]
    let attributes: Set<IRI>?

    /// - Parameter attributes: nil when the entry is about the entity as a whole.
    package init(_ id: IRI, types: [IRI], attributes: Set<IRI>?) { (self.id, self.types, self.attributes) = (id, types, attributes) }
}

/// A batch in parts.
package struct BatchPlan: Sendable {
    /// One for each entry.
    package let plans: [ProvisionPlan]
}

/// What sources did with a batch. Entries are named by their place in it.
package struct BatchOutcome: Sendable {
    package var failures: [(entry: Int, failure: ProvisionFailure)] = []
    package var succeeded: Set<Int> = []
    /// Of those that succeeded, the ones that a source says it created.
    package var created: Set<Int> = []
}

/// A batch operation, and how it is carried out at a source that does not offer it: entry by entry.
package struct BatchOperation: Sendable {
    package let whole: SourceOperation
    /// Operations on one entity, in the order in which they are tried; the first that the source offers is asked for.
    let singles: [SourceOperation]

    private init(_ whole: SourceOperation, _ singles: SourceOperation...) { (self.whole, self.singles) = (whole, singles) }

    /// Clause 5.6.7.4.
    package static let create = BatchOperation(.createBatch, .createEntity)
    /// Clause 5.6.8.4. What could not be created, for it is there already, is replaced or updated.
    package static func upsert(replacing: Bool) -> BatchOperation {
        BatchOperation(.upsertBatch, .createEntity, replacing ? .replaceEntity : .updateEntity)
    }
    /// Clause 5.6.9.4.
    package static func update(overwriting: Bool) -> BatchOperation { BatchOperation(.updateBatch, overwriting ? .updateEntity : .appendAttrs) }
    /// Clause 5.6.10.4.
    package static let delete = BatchOperation(.deleteBatch, .deleteEntity)
    /// Clause 5.6.20.4.
    package static let merge = BatchOperation(.mergeBatch, .mergeEntity)

    var all: Set<SourceOperation> { Set(singles).union([whole]) }
}

/// What a source is to get of a batch: several entries by the batch operation, or one by an operation on one entity.
package struct BatchPart: Sendable {
    package typealias Entry = (entry: Int, part: ProvisionPart)
    package let entries: [Entry]
    package let operation: SourceOperation
    /// Whether it goes out as a batch, also with one entry.
    package let isBatch: Bool
    /// What is asked for when the entity is there already.
    fileprivate var next: SourceOperation?
    fileprivate var isUpsert = false
}

extension Federation {
    /// - Returns: nil when all of it is for this broker alone.
    package func plan(_ operation: BatchOperation, _ entries: [BatchEntry], _ origin: Origin) async throws -> BatchPlan? {
        let candidates = try await candidates(origin)
        guard !candidates.registrations.isEmpty else { return nil }
        var plans: [ProvisionPlan] = []
        for entry in entries { plans.append(try await plan(operation.all, entry.id, types: entry.types, attributes: entry.attributes, candidates, origin)) }
        return plans.allSatisfy(\.isLocalOnly) ? nil : BatchPlan(plans: plans)
    }

    /// Sends to each source the entries that it has a part of, in one request where it offers the batch operation, else one by one
    /// (clauses 5.6.7 to 5.6.10 and 5.6.20).
    /// - Parameter build: makes the request of a part, with the names of a context.
    package func perform(
        _ operation: BatchOperation, _ batch: BatchPlan, ids: [IRI], _ origin: Origin, _ build: @escaping @Sendable (BatchPart, Context) -> Forward
    ) async -> BatchOutcome {
        var outcome = BatchOutcome()
        var groups: OrderedDictionary<IRI, [BatchPart.Entry]> = [:]
        for (entry, plan) in batch.plans.enumerated() {
            for part in plan.parts { groups[part.source.registration.id, default: []].append((entry, part)) }
            outcome.failures += plan.failures.map { (entry, $0) }
        }
        let parts = groups.values.flatMap { operation.parts($0) }
        let replies = await askAll(parts, origin) { part in await ask(part, origin, build) }
        for (part, reply) in zip(parts, replies) { outcome.add(part, reply, ids) }
        for (entry, _) in outcome.failures { outcome.succeeded.remove(entry) }
        return outcome
    }

    private func ask(_ part: BatchPart, _ origin: Origin, _ build: @escaping @Sendable (BatchPart, Context) -> Forward) async -> SourceReply {
        guard let registration = part.entries.first?.part.source.registration else { return SourceReply.failed("nothing is asked") }
        let reply = await ask(registration, origin) { context in build(part, context) }
        guard let next = part.next, reply.saysAlreadyExists else { return reply }
        return await ask(registration, origin) { context in build(BatchPart(entries: part.entries, operation: next, isBatch: false), context) }
    }
}

extension BatchOperation {
    /// The parts of one source, which offers one of the operations.
    fileprivate func parts(_ entries: [BatchPart.Entry]) -> [BatchPart] {
        let offered = entries.first?.part.source.registration.operations ?? []
        if offered.contains(whole) { return [BatchPart(entries: entries, operation: whole, isBatch: true)] }
        let singles = singles.filter(offered.contains)
        guard let first = singles.first else { return [] }
        let next = first == .createEntity ? singles.dropFirst().first : nil
        return entries.map { BatchPart(entries: [$0], operation: first, isBatch: false, next: next, isUpsert: whole == .upsertBatch) }
    }
}

extension SourceReply {
    fileprivate var saysAlreadyExists: Bool {
        guard case .answer(409, _, let body, _) = self else { return false }
        return !((try? JSON(parsing: body))?["type"]?.stringValue?.hasSuffix("/Conflict") ?? false)
    }
}

extension BatchOutcome {
    fileprivate mutating func add(_ part: BatchPart, _ reply: SourceReply, _ ids: [IRI]) {
        let group = part.entries
        switch reply {
        case .timedOut: fail(group, .own(.sourceTimedOut("the source does not answer in time")))
        case .failed(let reason): fail(group, .own(.sourceFailed("the source: \(reason)")))
        case .answer(let status, _, let body, _):
            let json = try? JSON(parsing: body)
            if part.isUpsert, part.next == nil, part.operation == .createEntity, reply.saysAlreadyExists {
                return fail(group, .own(.operationNotSupported("the source has the entity, and offers no operation that changes it as is asked")))
            }
            guard (200...299).contains(status) else { return fail(group, .foreign(status: status, problem: json?.problemDetails)) }
            if !part.isBatch, group.count == 1 { return addOne(group[0], status: status, json) }
            var problems: [String: JSON] = [:]
            if status == 207 {
                for error in json?["errors"]?.arrayValue ?? [] { if let id = error["entityId"]?.stringValue { problems[id] = error["error"] ?? .null } }
                guard json?["success"] != nil || !problems.isEmpty else { return fail(group, .foreign(status: 207, problem: nil)) }
            }
            let created = Set(status == 201 ? json?.arrayValue?.compactMap(\.stringValue) ?? [] : [])
            // Of a result in parts only what it lists was done.
            let done = status == 207 ? json?["success"]?.arrayValue.map { Set($0.compactMap(\.stringValue)) } : nil
            for (entry, part) in group {
                let problem = problems[ids[entry].text]
                if problem != nil || !(done?.contains(ids[entry].text) ?? true) {
                    failures.append((entry, part.failure(.foreign(status: problem?.problemStatus ?? 207, problem: problem?.problemDetails))))
                } else {
                    succeeded.insert(entry)
                    if created.contains(ids[entry].text) { self.created.insert(entry) }
                }
            }
        }
    }

    /// An entry that went out alone. What was done in part failed, as it does in a batch.
    private mutating func addOne(_ entry: BatchPart.Entry, status: Int, _ json: JSON?) {
        guard status != 207 else {
            return fail([entry], .foreign(status: 207, problem: json?["errors"]?.arrayValue?.first?["error"]?.problemDetails))
        }
        succeeded.insert(entry.entry)
        if status == 201 { created.insert(entry.entry) }
    }

    private mutating func fail(_ group: [(entry: Int, part: ProvisionPart)], _ reason: ProvisionFailure.Reason) {
        for (entry, part) in group { failures.append((entry, part.failure(reason))) }
    }
}
