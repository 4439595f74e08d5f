internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Trust

/// Provision of temporal evolutions: `/temporal/entities` and below (clauses 6.18.3.1, 6.19.3.2, 6.20 to 6.22).
extension NGSILDDoor {
    var temporalRoutes: [Route] {
        let entity = Self.temporalBase + "/{entityId}"
        let attribute = entity + "/attrs/{attrId}"
        let one = [Self.idParameter, Self.attributeParameter] + Self.common + [Self.localParameter]
        let instance = Route.Parameter("instanceId", in: .path, "The instance's identifier, as answers have it")
        return [
            Route(
                .post, Self.temporalBase, "Create a temporal evolution, or add to one", tag: Self.temporalProvision,
                parameters: Self.common + [Self.localParameter], body: Self.temporalBody, responses: [Self.created, Self.noContent],
                handler: createEvolution),
            Route(
                .delete, entity, "Erase a temporal evolution", tag: Self.temporalProvision,
                parameters: [.init("entityId", in: .path, "The entity's identifier")] + Self.common + [Self.localParameter], responses: [Self.noContent], handler: deleteEvolution),
            Route(
                .post, entity + "/attrs", "Add instances to a temporal evolution", tag: Self.temporalProvision,
                parameters: [Self.idParameter] + Self.common + [Self.localParameter], body: Self.temporalBody, responses: [Self.noContent],
                handler: addInstances),
            Route(
                .delete, attribute, "Erase an attribute from a temporal evolution", tag: Self.temporalProvision,
                parameters: one + Self.datasetParameters, responses: [Self.noContent], handler: deleteEvolutionAttribute),
            Route(
                .patch, attribute + "/{instanceId}", "Replace an instance", tag: Self.temporalProvision, parameters: one + [instance],
                body: Self.temporalBody, responses: [Self.noContent], handler: replaceInstance),
            Route(
                .delete, attribute + "/{instanceId}", "Erase an instance", tag: Self.temporalProvision, parameters: one + [instance],
                responses: [Self.noContent], handler: deleteInstance),
        ]
    }

    static let temporalBase = base + "/temporal/entities"

    private func createEvolution(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let body = try await body(request)
        let fragment = try temporalFragment(body)
        guard let id = fragment.id else { throw CityError.badRequestData("id: an entity has an id") }
        if let response = try await distributedCreation(fragment, of: id, request, access, body.context) { return response }
        guard try await broker.createEvolution(fragment, of: id, access, at: request.now) else { return Response(status: .noContent) }
        return Self.createdResponse(Self.temporalBase + "/" + PercentEncoding.encode(id.text))
    }

    private func deleteEvolution(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        if let response = try await distributedDeletion(of: id, request, access) { return response }
        try await broker.deleteEvolution(of: id, access, at: request.now)
        return Response(status: .noContent)
    }

    private func addInstances(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request)
        let fragment = try temporalFragment(body)
        if let other = fragment.id, other != id { throw CityError.badRequestData("id: the body says \(other), the path \(id)") }
        if let response = try await distributedAddition(fragment, to: id, request, access, body.context) { return response }
        try await broker.addToEvolution(fragment, of: id, access, at: request.now)
        return Response(status: .noContent)
    }

    private func deleteEvolutionAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["deleteAll", "datasetId", "local"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let context = try await linkContext(request)
        if try request.pathParameter("attrId") == "scope" {
            let local = { [broker] in try await broker.deleteEvolutionScopes(of: id, access, at: request.now) }
            if let response = try await distributedAttributeDeletion(nil, of: id, request, access, context, local: local) { return response }
            try await local()
            return Response(status: .noContent)
        }
        let name = try attributeName(request, context)
        let (dataset, isAll) = (try datasetID(request), try request.query.bool("deleteAll") ?? false)
        let local = { try await named(request) { try await broker.deleteEvolutionAttribute(name, of: id, datasetID: dataset, all: isAll, access, at: request.now) } }
        if let response = try await distributedAttributeDeletion(name, of: id, request, access, context, local: local) { return response }
        try await local()
        return Response(status: .noContent)
    }

    private func replaceInstance(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let instanceID = try request.identifier("instanceId")
        let body = try await body(request, mergePatch: true, bare: true)
        let name = try attributeName(request, body.context)
        let reader = EntityReader(context: body.context, purpose: .temporal)
        let instance = try reader.temporalInstance(
            instanceJSON(Self.withoutContext(body.json), request), path: request.pathParameter("attrId"))
        let local = { try await named(request) { try await broker.replaceInstance(instanceID, name, of: id, with: instance, access, at: request.now) } }
        let forward: @Sendable (ProvisionPart, Context) -> Forward = { part, context in
            Forward(.patch, ProvisionPart.temporalPath(id, name, instanceID, context), body: part.instance(instance, name, context))
        }
        if let response = try await distributedInstanceWrite(
            .updateAttrInstanceTemporal, name, of: id, request, access, body.context, forward: forward, local: local)
        { return response }
        try await local()
        return Response(status: .noContent)
    }

    private func deleteInstance(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let instanceID = try request.identifier("instanceId")
        let context = try await linkContext(request)
        let name = try attributeName(request, context)
        let local = { try await named(request) { try await broker.deleteInstance(instanceID, name, of: id, access, at: request.now) } }
        let forward: @Sendable (ProvisionPart, Context) -> Forward = { _, context in
            Forward(.delete, ProvisionPart.temporalPath(id, name, instanceID, context))
        }
        if let response = try await distributedInstanceWrite(
            .deleteAttrInstanceTemporal, name, of: id, request, access, context, forward: forward, local: local)
        { return response }
        try await local()
        return Response(status: .noContent)
    }

    /// Runs an operation on the attribute that the path names. Names beyond the grammar of clause 4.6.2 are taken where there
    /// is such an attribute; where there is none, the name is what is wrong.
    private func named(_ request: DoorRequest, _ operation: () async throws -> Void) async throws {
        do { try await operation() } catch CityError.resourceNotFound(let detail) {
            let text = try request.pathParameter("attrId")
            let isName = text.contains(":") || (text.first?.isLetter ?? false) && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            guard isName else { throw CityError.badRequestData("attrId: \(text) is not a name (clause 4.6.2)") }
            throw CityError.resourceNotFound(detail)
        }
    }

    /// A fragment of the entity with the one attribute in it says the same as the instance alone (clause 5.6.14.3).
    private func instanceJSON(_ json: JSON, _ request: DoorRequest) throws(CityError) -> JSON {
        guard case .object(let members) = json, members.count == 1, let wrapped = members[try request.pathParameter("attrId")] else { return json }
        return wrapped
    }

    private func temporalFragment(_ body: ContextualBody) throws(CityError) -> TemporalFragment {
        guard let members = body.json.objectValue, members.keys.contains(where: { $0 != "@context" }) else {
            throw .invalidRequest("the body says nothing of an entity")
        }
        let fragment = try EntityReader(context: body.context, purpose: .temporal).temporalFragment(body.json)
        for scope in fragment.scopes.flatMap(\.scopes) { try Self.check(scope) }
        return fragment
    }
}
