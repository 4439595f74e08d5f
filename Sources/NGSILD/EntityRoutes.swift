internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Trust

/// `/entities` and `/entities/{entityId}` but for queries (clauses 6.4.3.1, 6.5).
extension NGSILDDoor {
    var entityRoutes: [Route] {
        let entity = Self.base + "/entities/{entityId}"
        return [
            Route(
                .post, Self.base + "/entities", "Create an entity", tag: Self.provision, parameters: Self.common + [Self.localParameter],
                body: Self.entityBody, responses: [Self.created, Self.conflict], handler: createEntity),
            Route(
                .get, entity, "Retrieve an entity", tag: Self.consumption,
                parameters: [Self.idParameter] + Self.common + Self.readParameters + Self.entityMapParameters, responses: [Self.oneEntity],
                handler: retrieveEntity),
            Route(
                .put, entity, "Replace an entity", tag: Self.provision,
                parameters: [Self.idParameter] + Self.common + [Self.typeParameter, Self.localParameter], body: Self.entityBody,
                responses: [Self.noContent], handler: replaceEntity),
            Route(
                .patch, entity, "Merge into an entity", tag: Self.provision,
                parameters: [Self.idParameter] + Self.common + Self.mergeParameters, body: Self.fragmentBody,
                responses: [Self.noContent, Self.partial], handler: mergeEntity),
            Route(
                .delete, entity, "Delete an entity", tag: Self.provision,
                parameters: [Self.idParameter] + Self.common + [Self.typeParameter, Self.localParameter], responses: [Self.noContent],
                handler: deleteEntity),
        ]
    }

    private func createEntity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let body = try await body(request)
        let fragment = try fragment(body.json, body.context, .content)
        let entity = try fragment.entity()
        let created = Self.createdResponse(Self.base + "/entities/" + PercentEncoding.encode(entity.id.text))
        let attributes = Set(entity.attributes.keys)
        guard let write = try await plan(.createEntity, entity.id, types: entity.types, attributes: attributes, request, access, body.context)
        else {
            try await broker.create(entity, access, at: request.now)
            return created
        }
        return try await write.entityResponse(whenWhole: created) { part, context in
            part.creation(fragment, context)
        } local: {
            try await broker.create(fragment.only(write.plan.remaining).entity(), access, at: request.now)
        }
    }

    private static let retrievalNames: Set<String> = ["entityMap", "entityMapLifetime", "type", "splitEntities"]

    private func retrieveEntity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.representationParameters, Self.retrievalNames)
        let access = try await reading(request)
        let id = try request.identifier("entityId")
        let context = try await linkContext(request)
        let representation = try representation(request, context: context)
        let types = try selection(request, context)
        if let answer = try await distributedRetrieval(id, types, representation, request, access) { return answer }
        let found = try await broker.retrieve(id, selecting: types, access, at: request.now)
        var response = try await answer(found, representation, request, access)
        try await markEntityMap(of: id, access, request, &response)
        if response.headers[.ngsildEntityMap] == nil { request.reuse?.allow(try await sibling(types, representation, request, access)) }
        return response
    }

    private func replaceEntity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request)
        var fragment = try fragment(body.json, body.context, .content)
        try Self.take(id, for: &fragment)
        let types = try selection(request, body.context)
        let whole = fragment
        let entity = try whole.entity()
        let attributes = Set(entity.attributes.keys)
        guard let write = try await plan(.replaceEntity, id, types: entity.types, attributes: attributes, request, access, body.context) else {
            try await broker.replace(entity, selecting: types, access, at: request.now)
            return Response(status: .noContent)
        }
        return try await write.entityResponse(whenWhole: Response(status: .noContent)) { part, context in
            part.replacement(id, whole, context)
        } local: {
            try await broker.replace(whole.only(write.plan.remaining).entity(), selecting: types, access, at: request.now)
        }
    }

    private func mergeEntity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type", "options", "format", "observedAt", "lang"])
        for option in request.query.list("options") where !["keyValues", "concise", "normalized", "simplified"].contains(option) {
            throw CityError.invalidRequest("options: \(option) is not an option of this operation")
        }
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, mergePatch: true)
        var fragment = try fragment(body.json, body.context, .merge)
        try Self.take(id, for: &fragment)
        let types = try selection(request, body.context)
        let (observedAt, language) = (try request.query.instant("observedAt"), request.query["lang"])
        let whole = fragment
        let merge = { [broker] (fragment: EntityFragment) in
            try await broker.merge(
                fragment, into: id, selecting: types, observedAt: observedAt, language: language, access, at: request.now)
        }
        let attributes = Set(whole.attributes.keys)
        guard let write = try await plan(.mergeEntity, id, types: [], attributes: attributes, request, access, body.context) else {
            return Self.response(to: try await merge(whole))
        }
        let query = [("observedAt", request.query["observedAt"]), ("lang", language)].compactMap { name, value in value.map { (name: name, value: $0) } }
        return try await write.attributesResponse { part, context in
            part.merging(id, whole, query: query, context)
        } local: {
            try await merge(whole.only(write.plan.remaining))
        }
    }

    private func deleteEntity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let context = try await linkContext(request)
        let types = try selection(request, context)
        guard let write = try await plan(.deleteEntity, id, types: [], attributes: nil, request, access, context) else {
            try await broker.delete(id, selecting: types, access, at: request.now)
            return Response(status: .noContent)
        }
        return try await write.entityResponse(whenWhole: Response(status: .noContent), isDeletion: true) { part, context in
            part.deletion(id, context)
        } local: {
            try await broker.delete(id, selecting: types, access, at: request.now)
        }
    }

    /// The path says which entity it is; the body may say it too, but nothing else.
    private static func take(_ id: IRI, for fragment: inout EntityFragment) throws(CityError) {
        if let other = fragment.id, other != id { throw .badRequestData("id: the body says \(other), the path \(id)") }
        fragment.id = id
    }
}

/// Answers without entities.
extension NGSILDDoor {
    static func createdResponse(_ location: String) -> Response {
        Response(status: .created, headers: [.location: location])
    }

    /// 204 when everything was updated, 207 with an UpdateResult otherwise (clause 5.2.18). Names are whole: there is no
    /// context (clause 6.3.6).
    static func response(to result: UpdateResult) -> Response {
        guard !result.notUpdated.isEmpty else { return Response(status: .noContent) }
        let notUpdated: [JSON] = result.notUpdated.map {
            ["attributeName": .string($0.attribute.text), "reason": .string($0.reason)]
        }
        return json(
            ["updated": .array(result.updated.map { .string($0.text) }), "notUpdated": .array(notUpdated)], status: .init(code: 207, reasonPhrase: "Multi-Status"))
    }

    static func json(_ value: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: .init(string: value.description)))
    }
}
