internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Trust

/// Writes of histories that other context sources take part in (clauses 5.6.11 to 5.6.16). They are planned like writes of current
/// state: what is proxied is not held here, an auxiliary source is never written.
extension NGSILDDoor {
    /// - Returns: nil when it is for this broker alone.
    func distributedCreation(
        _ fragment: TemporalFragment, of id: IRI, _ request: DoorRequest, _ access: WriteAccess, _ context: Context
    ) async throws -> Response? {
        guard let write = try await plan(.upsertTemporal, id, types: fragment.types, attributes: Set(fragment.attributes.keys), request, access, context)
        else { return nil }
        return try await write.creationResponse(Self.createdResponse(Self.temporalBase + "/" + PercentEncoding.encode(id.text))) { part, context in
            part.creation(fragment, context)
        } local: {
            try await broker.createEvolution(fragment.only(write.plan.remaining), of: id, access, at: request.now)
        }
    }

    func distributedDeletion(of id: IRI, _ request: DoorRequest, _ access: WriteAccess) async throws -> Response? {
        guard let write = try await plan(.deleteTemporal, id, types: [], attributes: nil, request, access, .core) else { return nil }
        return try await write.entityResponse(whenWhole: Response(status: .noContent), isDeletion: true) { _, _ in
            Forward(.delete, ProvisionPart.temporalPath(id))
        } local: {
            try await broker.deleteEvolution(of: id, access, at: request.now)
        }
    }

    func distributedAddition(
        _ fragment: TemporalFragment, to id: IRI, _ request: DoorRequest, _ access: WriteAccess, _ context: Context
    ) async throws -> Response? {
        guard
            let write = try await plan(
                .appendAttrsTemporal, id, types: fragment.types, attributes: Set(fragment.attributes.keys), request, access, context)
        else { return nil }
        return try await write.attributesResponse { part, context in
            part.addition(to: id, fragment, context)
        } local: {
            try await broker.addToEvolution(fragment.only(write.plan.remaining), of: id, access, at: request.now)
            var result = UpdateResult()
            result.updated = (write.plan.remaining ?? []).sorted()
            return result
        }
    }

    /// - Parameter name: nil for the scopes.
    func distributedAttributeDeletion(
        _ name: IRI?, of id: IRI, _ request: DoorRequest, _ access: WriteAccess, _ context: Context, local: () async throws -> Void
    ) async throws -> Response? {
        guard
            let write = try await plan(.deleteAttrsTemporal, id, types: [], attributes: name.map { [$0] } ?? [], request, access, context)
        else { return nil }
        let query = request.query.pairs.filter { ["deleteAll", "datasetId"].contains($0.name) }
        return try await write.attributesResponse { _, context in
            Forward(.delete, ProvisionPart.temporalPath(id, name, context), query: query)
        } local: {
            try await local()
            var result = UpdateResult()
            result.updated = name.map { [$0] } ?? []
            return result
        }
    }

    /// An instance lies at one place: those who do not have it have not failed.
    /// - Parameter forward: makes the request for one part.
    func distributedInstanceWrite(
        _ operation: SourceOperation, _ name: IRI, of id: IRI, _ request: DoorRequest, _ access: WriteAccess, _ context: Context,
        forward: @escaping @Sendable (ProvisionPart, Context) -> Forward, local: () async throws -> Void
    ) async throws -> Response? {
        guard let write = try await plan(operation, id, types: [], attributes: [name], request, access, context) else { return nil }
        return try await write.instanceResponse(name, forward: forward, local: local)
    }
}
