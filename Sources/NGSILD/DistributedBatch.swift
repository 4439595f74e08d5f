internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Trust

/// What became of a batch here and at the sources.
struct DistributedBatch: Sendable {
    var result: BatchResult
    /// What sources did not do, with the registrations (clause 5.2.17).
    var foreignErrors: [JSON] = []
}

/// Batches that other context sources take part in (clauses 5.6.7 to 5.6.10 and 5.6.20).
extension NGSILDDoor {
    /// - Parameter name: of the operation, as its path ends.
    /// - Parameter local: does this broker's part.
    func distribute(
        _ fragments: [EntityFragment], _ operation: BatchOperation, _ name: String, _ request: DoorRequest, _ access: WriteAccess,
        local: @Sendable ([EntityFragment]) async throws -> BatchResult
    ) async throws -> DistributedBatch {
        try broker.checkBatchCount(fragments.count)
        // An entry without an identifier is for the broker to refuse.
        let known = fragments.filter { $0.id != nil }
        let ids = known.compactMap(\.id)
        let entries = known.map { BatchEntry($0.id ?? IRI(known: "urn:ngsi-ld:none"), types: $0.types, attributes: Set($0.attributes.keys)) }
        let origin = origin(request, access, try await batchContext(request))
        guard try !isLocalOnly(request), let plan = try await federation.plan(operation, entries, origin) else {
            return DistributedBatch(result: try await local(fragments))
        }
        let query = request.query.pairs.filter { $0.name == "options" }
        let outcome = await federation.perform(operation, plan, ids: ids, origin) { part, context in
            Self.forward(part, known, context)
                ?? Forward(
                    .post, "entityOperations/" + name, query: query,
                    body: .array(part.entries.map { entry, part in part.entry(known[entry], context) }))
        }
        let left = zip(known, plan.plans).filter { !$1.isTaken }.map { $0.only($1.remaining) }
        return await combined(outcome, ids, left + fragments.filter { $0.id == nil }, request, local) { $0.id }
    }

    /// The request about one entity that stands for its entry of a batch; nil when the part goes out as a batch.
    private static func forward(_ batch: BatchPart, _ fragments: [EntityFragment], _ context: Context) -> Forward? {
        guard !batch.isBatch, let (entry, part) = batch.entries.first, let id = fragments[entry].id else { return nil }
        return switch batch.operation {
        case .createEntity: part.creation(fragments[entry], context)
        case .replaceEntity: part.replacement(id, fragments[entry], context)
        case .updateEntity: part.updating(id, fragments[entry], context)
        case .appendAttrs: part.appending(id, fragments[entry], overwriting: false, context)
        case .mergeEntity: part.merging(id, fragments[entry], query: [], context)
        default: nil
        }
    }

    func distributeDeletion(
        _ ids: [IRI], _ request: DoorRequest, _ access: WriteAccess, local: @Sendable ([IRI]) async throws -> BatchResult
    ) async throws -> DistributedBatch {
        try broker.checkBatchCount(ids.count)
        let origin = origin(request, access, .core)
        guard try !isLocalOnly(request),
            let plan = try await federation.plan(BatchOperation.delete, ids.map { BatchEntry($0, types: [], attributes: nil) }, origin)
        else { return DistributedBatch(result: try await local(ids)) }
        let outcome = await federation.perform(.delete, plan, ids: ids, origin) { part, context in
            if part.operation == .deleteEntity, let (entry, one) = part.entries.first { return one.deletion(ids[entry], context) }
            return Forward(.post, "entityOperations/delete", body: .array(part.entries.map { .string(ids[$0.entry].text) }))
        }
        var batch = await combined(outcome, ids, zip(ids, plan.plans).filter { !$1.isTaken }.map(\.0), request, local) { $0 }
        // What is held elsewhere need not be here too (clause 5.6.6.4).
        let elsewhere = Set(zip(ids, plan.plans).filter { $1.parts.contains { $0.source.registration.mode.isProxied } }.map(\.0))
        batch.result.errors.removeAll { error in
            if case .resourceNotFound = error.error { error.id.map(elsewhere.contains) ?? false } else { false }
        }
        return batch
    }

    /// Does what is left here, and says of each entry once what became of it as a whole. What the sources did stands by then: a
    /// failure here is one of the entries that it is about.
    private func combined<Entry: Sendable>(
        _ outcome: BatchOutcome, _ ids: [IRI], _ left: [Entry], _ request: DoorRequest,
        _ local: @Sendable ([Entry]) async throws -> BatchResult, id: (Entry) -> IRI?
    ) async -> DistributedBatch {
        var batch = DistributedBatch(result: BatchResult())
        do { if !left.isEmpty { batch.result = try await local(left) } } catch {
            let failure = Self.localFailure(error, request)
            batch.result.errors = left.map { (id($0), failure) }
        }
        batch.foreignErrors = outcome.failures.map { $0.failure.batchError(ids[$0.entry]) }
        let failed = Set(outcome.failures.map { ids[$0.entry] })
        batch.result.created.removeAll(where: failed.contains)
        batch.result.changed.removeAll(where: failed.contains)
        let failedHere = Set(batch.result.errors.compactMap(\.id))
        var said = Set(batch.result.created + batch.result.changed).union(failedHere)
        for entry in outcome.succeeded.sorted() where said.insert(ids[entry]).inserted {
            if outcome.created.contains(entry) { batch.result.created.append(ids[entry]) } else { batch.result.changed.append(ids[entry]) }
        }
        return batch
    }

    /// A failure of this broker's part once others were written. Those that nobody expects are logged, for the answer tells of them no more.
    static func localFailure(_ error: any Error, _ request: DoorRequest) -> CityError {
        if let error = error as? CityError {
            guard case .internalFault = error else { return error }
        }
        request.log("this broker's part of a distributed write failed", error)
        return error as? CityError ?? .internalFault("\(error)")
    }

    /// The context that goes along with the parts of a batch: that of all entries, or none where each brings its own.
    private func batchContext(_ request: DoorRequest) async throws -> Context {
        guard isLinkedData(request) else { return try await linkContext(request) }
        let contexts = Set(try parse(request.body).arrayValue?.map { $0["@context"] } ?? [])
        guard contexts.count == 1, let shared = contexts.first.flatMap({ $0 }) else { return .core }
        return try await self.contexts.context(shared, in: request.tenant())
    }

    /// - Returns: nil when there is nobody to ask.
    func distributedPurge(
        _ filter: EntityFilter, _ terms: FilterTerms, _ purged: PurgedAttributes?, _ request: DoorRequest, _ access: WriteAccess,
        _ context: Context, local: () async throws -> Void
    ) async throws -> Response? {
        guard try !isLocal(request, terms) else { return nil }
        var specification = SourceSpecification(filter)
        specification.sourceFilter = try terms.csf.map { text throws(CityError) in
            try QueryExpression(parsing: text, expand: context.expand, parameter: "csf")
        }
        let purge = DistributedPurge(
            specification, listed: filter.attributes.map { Set($0) }, conditions: terms.conditions, purged: purged)
        guard var outcome = try await federation.purge(purge, origin(request, access, context)) else { return nil }
        do { try await local() } catch {
            outcome.failures.append(ProvisionFailure(registration: nil, attributes: nil, reason: .own(Self.localFailure(error, request))))
        }
        if outcome.failures.isEmpty { return Response(status: .noContent) }
        let none = IRI(known: "urn:ngsi-ld:none")
        return DistributedWrite.multiStatus(["success": [], "errors": .array(outcome.failures.map { $0.batchError(none).without("entityId") })])
    }
}

extension JSON {
    fileprivate func without(_ name: String) -> JSON {
        guard case .object(var members) = self else { return self }
        members[name] = nil
        return .object(members)
    }
}
