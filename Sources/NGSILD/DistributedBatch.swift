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
        _ fragments: [EntityFragment], _ operation: SourceOperation, _ name: String, _ request: DoorRequest, _ access: WriteAccess,
        local: @Sendable ([EntityFragment]) async throws -> BatchResult
    ) async throws -> DistributedBatch {
        // An entry without an identifier is for the broker to refuse.
        let known = fragments.filter { $0.id != nil }
        let ids = known.compactMap(\.id)
        let entries = known.map { BatchEntry($0.id ?? IRI(known: "urn:ngsi-ld:none"), types: $0.types, attributes: Set($0.attributes.keys)) }
        let origin = origin(request, access.reading, try await batchContext(request))
        guard try !isLocalOnly(request), let plan = try await federation.plan(operation, entries, origin) else {
            return DistributedBatch(result: try await local(fragments))
        }
        let query = request.query.pairs.filter { $0.name == "options" }
        let outcome = await federation.perform(plan, ids: ids, origin) { group, context in
            Forward(
                .post, "entityOperations/" + name, query: query,
                body: .array(group.map { entry, part in part.entry(known[entry], context) }))
        }
        let left = zip(known, plan.plans).filter { !$1.isTaken }.map { $0.only($1.remaining) }
        return try await combined(plan, outcome, ids, left + fragments.filter { $0.id == nil }, local)
    }

    func distributeDeletion(
        _ ids: [IRI], _ request: DoorRequest, _ access: WriteAccess, local: @Sendable ([IRI]) async throws -> BatchResult
    ) async throws -> DistributedBatch {
        let origin = origin(request, access.reading, .core)
        guard try !isLocalOnly(request),
            let plan = try await federation.plan(.deleteBatch, ids.map { BatchEntry($0, types: [], attributes: nil) }, origin)
        else { return DistributedBatch(result: try await local(ids)) }
        let outcome = await federation.perform(plan, ids: ids, origin) { group, _ in
            Forward(.post, "entityOperations/delete", body: .array(group.map { .string(ids[$0.entry].text) }))
        }
        var batch = try await combined(plan, outcome, ids, zip(ids, plan.plans).filter { !$1.isTaken }.map(\.0), local)
        // What is held elsewhere need not be here too (clause 5.6.6.4).
        let elsewhere = Set(zip(ids, plan.plans).filter { $1.parts.contains { $0.source.registration.mode.isProxied } }.map(\.0))
        batch.result.errors.removeAll { error in
            if case .resourceNotFound = error.error { error.id.map(elsewhere.contains) ?? false } else { false }
        }
        return batch
    }

    /// Does what is left here, and says of each entry once what became of it as a whole.
    private func combined<Entry: Sendable>(
        _ plan: BatchPlan, _ outcome: BatchOutcome, _ ids: [IRI], _ left: [Entry], _ local: @Sendable ([Entry]) async throws -> BatchResult
    ) async throws -> DistributedBatch {
        var batch = DistributedBatch(result: left.isEmpty ? BatchResult() : try await local(left))
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

    /// The context that goes along with the parts of a batch: that of all entries, or none where each brings its own.
    private func batchContext(_ request: DoorRequest) async throws -> Context {
        guard isLinkedData(request) else { return try await linkContext(request) }
        let contexts = Set(try parse(request.body).arrayValue?.map { $0["@context"] } ?? [])
        guard contexts.count == 1, let shared = contexts.first.flatMap({ $0 }) else { return .core }
        return try await self.contexts.context(shared, in: request.tenant())
    }

    /// - Returns: nil when there is nobody to ask.
    func distributedPurge(
        _ filter: EntityFilter, _ request: DoorRequest, _ access: WriteAccess, _ context: Context, local: () async throws -> Void
    ) async throws -> Response? {
        guard try !isLocalOnly(request) else { return nil }
        let origin = origin(request, access.reading, context)
        let query = request.query.pairs.filter { $0.name != "local" && $0.name != "csf" }
        guard let outcome = try await federation.purge(SourceSpecification(filter), query: query, origin) else { return nil }
        try await local()
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
