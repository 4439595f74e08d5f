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

/// Writes that other context sources take part in (clauses 5.6 and 6.3.17).
extension NGSILDDoor {
    /// Plans a write.
    /// - Returns: nil when it is for this broker alone.
    func plan(
        _ operation: SourceOperation, _ id: IRI, types: [IRI], attributes: Set<IRI>?, _ request: DoorRequest, _ access: WriteAccess,
        _ context: Context
    ) async throws -> DistributedWrite? {
        guard try !isLocalOnly(request) else { return nil }
        let origin = origin(request, access, context)
        let plan = try await federation.plan(operation, id, types: types, attributes: attributes, origin)
        guard !plan.isLocalOnly else { return nil }
        return DistributedWrite(
            federation: federation, plan: plan, origin: origin, id: id, guarding: try selection(request, context), request: request)
    }
}

/// A write in parts.
struct DistributedWrite: Sendable {
    let federation: Federation
    let plan: ProvisionPlan
    let origin: Origin
    let id: IRI
    /// Of which types the entity has to be, here as at the sources (clause 4.17).
    let guarding: TypeSelection?
    let request: DoorRequest

    /// Carries out a write of an entity as a whole.
    /// - Parameter whenWhole: the answer when all parts succeed.
    /// - Parameter isDeletion: what is held elsewhere need not be here too, and what nobody has is not found (clause 5.6.6.4).
    /// - Parameter forward: makes the request for one part.
    /// - Parameter local: does this broker's part.
    func entityResponse(
        whenWhole: Response, isDeletion: Bool = false, forward: @escaping @Sendable (ProvisionPart, Context) -> Forward,
        local: () async throws -> Void
    ) async throws -> Response {
        var outcome = try await outcome(forward) { outcome in
            try await local()
            outcome.successCount += 1
        }
        if isDeletion {
            if outcome.successCount == 0, let first = outcome.failures.first, outcome.failures.allSatisfy(\.isNotFound) { throw first.asWhole }
            if plan.parts.contains(where: { $0.source.registration.mode.isProxied }) {
                outcome.failures.removeAll { $0.registration == nil && $0.isNotFound }
            }
        }
        return try entityResponse(outcome, whenWhole: whenWhole)
    }

    private func entityResponse(_ outcome: ProvisionOutcome, whenWhole: Response) throws -> Response {
        if outcome.failures.isEmpty { return whenWhole }
        if plan.isOneSource, let only = outcome.failures.first { throw only.asWhole }
        // Where every part is a conflict nothing was begun.
        if outcome.successCount == 0, plan.parts.isEmpty, plan.isTaken, let first = outcome.failures.first { throw first.asWhole }
        let success: [JSON] = outcome.successCount > 0 ? [.string(id.text)] : []
        return Self.multiStatus(["success": .array(success), "errors": .array(outcome.failures.map { $0.batchError(id) })])
    }

    /// Carries out a write that creates the entity where it is not there yet.
    /// - Parameter whenCreated: the answer when somebody created it.
    /// - Parameter local: does this broker's part, and says whether it created the entity.
    func creationResponse(
        _ whenCreated: Response, forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, local: () async throws -> Bool
    ) async throws -> Response {
        let outcome = try await outcome(forward) { outcome in
            outcome.hasCreated = try await local() || outcome.hasCreated
            outcome.successCount += 1
        }
        return try entityResponse(outcome, whenWhole: outcome.hasCreated ? whenCreated : Response(status: .noContent))
    }

    /// Carries out a write of one instance of an attribute, which one of those that are asked has.
    func instanceResponse(
        _ name: IRI, forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, local: () async throws -> Void
    ) async throws -> Response {
        var outcome = try await outcome(forward) { outcome in
            try await local()
            outcome.successCount += 1
            outcome.updated.insert(name)
        }
        if outcome.successCount > 0 { outcome.failures.removeAll(where: \.isNotFound) }
        if outcome.successCount == 0, let first = outcome.failures.first, outcome.failures.allSatisfy(\.isNotFound) { throw first.asWhole }
        return try attributesResponse(outcome, notUpdated: [])
    }

    /// Carries out a write of attributes of an entity.
    /// - Parameter local: does this broker's part, of the attributes that are left for it.
    func attributesResponse(
        forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, local: () async throws -> UpdateResult
    ) async throws -> Response {
        var notUpdated: [JSON] = []
        let outcome = try await outcome(forward) { outcome in
            let result = try await local()
            outcome.successCount += 1
            outcome.updated.formUnion(result.updated)
            notUpdated = result.notUpdated.map { ["attributeName": .string($0.attribute.text), "reason": .string($0.reason)] }
        }
        return try attributesResponse(outcome, notUpdated: notUpdated)
    }

    private func attributesResponse(_ outcome: ProvisionOutcome, notUpdated: [JSON]) throws -> Response {
        var notUpdated = notUpdated
        if outcome.failures.isEmpty, notUpdated.isEmpty { return Response(status: .noContent) }
        if plan.isOneSource, let only = outcome.failures.first, !only.isPartial { throw only.asWhole }
        if outcome.successCount == 0, plan.parts.isEmpty, plan.isTaken, let first = outcome.failures.first { throw first.asWhole }
        for failure in outcome.failures { notUpdated += failure.notUpdated(all: plan.remaining ?? []) }
        return Self.multiStatus([
            "updated": .array(outcome.updated.sorted().map { .string($0.text) }), "notUpdated": .array(notUpdated),
        ])
    }

    /// Carries out a write of one attribute (clauses 5.6.4, 5.6.5 and 5.6.19).
    func attributeResponse(
        _ name: IRI, forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, local: () async throws -> Void
    ) async throws -> Response {
        try await attributesResponse(forward: forward) {
            try await local()
            var result = UpdateResult()
            result.updated = [name]
            return result
        }
    }

    private func outcome(
        _ forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, _ local: (inout ProvisionOutcome) async throws -> Void
    ) async throws -> ProvisionOutcome {
        let guarding = guarding
        var outcome = await federation.perform(plan, origin) { part, context in
            var request = forward(part, context)
            if let guarding { request.query.append(("type", guarding.text(context.compact))) }
            return request
        }
        guard !plan.isTaken else { return outcome }
        do { try await local(&outcome) } catch {
            // Where nothing was sent, a failure that nobody expects is that of the request.
            if plan.parts.isEmpty, (error as? CityError)?.isInternal ?? true { throw error }
            let failure = NGSILDDoor.localFailure(error, request)
            outcome.failures.append(ProvisionFailure(registration: nil, attributes: plan.remaining, reason: .own(failure)))
        }
        return outcome
    }

    static func multiStatus(_ json: JSON) -> Response {
        NGSILDDoor.json(json, status: .init(code: 207, reasonPhrase: "Multi-Status"))
    }
}

extension CityError {
    fileprivate var isInternal: Bool { if case .internalFault = self { true } else { false } }
}

extension ProvisionFailure {
    fileprivate var isPartial: Bool { if case .foreign(207, _) = reason { true } else { false } }

    /// What the source said, or our own error, as problem details with their status.
    var problem: JSON {
        switch reason {
        case .own(let error): return error.problemJSON
        case .foreign(let status, let problem):
            guard case .object(var members)? = problem, members["type"] != nil || members["title"] != nil else { return asWhole.problemJSON.with(status: status) }
            members["status"] = .integer(Int64(status))
            return .object(members)
        }
    }

    /// Clause 5.2.17.
    func batchError(_ id: IRI) -> JSON {
        var error: JSONObject = ["entityId": .string(id.text), "error": problem]
        if let registration { error["registrationId"] = .string(registration.text) }
        return .object(error)
    }

    /// Clause 5.2.19.
    fileprivate func notUpdated(all: Set<IRI>) -> [JSON] {
        (attributes ?? all).sorted().map { name in
            var details: JSONObject = ["attributeName": .string(name.text), "reason": .string(problem["detail"]?.stringValue ?? asWhole.detail)]
            if let registration { details["registrationId"] = .string(registration.text) }
            return .object(details)
        }
    }
}

extension JSON {
    fileprivate func with(status: Int) -> JSON {
        guard case .object(var members) = self else { return self }
        members["status"] = .integer(Int64(status))
        return .object(members)
    }
}
