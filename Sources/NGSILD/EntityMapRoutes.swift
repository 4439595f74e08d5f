internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Trust

/// `/entityMaps`, `/entityMaps/{entityMapId}` and `/temporal/entityMaps` (clauses 6.32, 6.34, 6.35).
extension NGSILDDoor {
    var entityMapRoutes: [Route] {
        let one = Self.base + "/entityMaps/{entityMapId}"
        let id = Route.Parameter("entityMapId", in: .path, "The map's identifier", schema: ["type": "string", "format": "uri"])
        let schema: JSON = ["$ref": "#/components/schemas/EntityMap"]
        let created = Route.Answer(201, "The map; NGSILD-EntityMap says where it is", mediaTypes: Self.jsonTypes, schema: schema)
        let query = Route.Body(Self.jsonTypes, schema: ["$ref": "#/components/schemas/Query"])
        let current = Self.common + Self.filterParameters + Self.readParameters + Self.pageParameters + Self.entityMapParameters
        let temporal = Self.common + Self.filterParameters + Self.temporalParameters + Self.temporalReadParameters + Self.temporalPageParameters
        return [
            Route(
                .get, Self.base + "/entityMaps", "Make an EntityMap of the entities that a query finds", tag: Self.entityMapsTag,
                parameters: current, responses: [created], handler: createEntityMap),
            Route(
                .post, Self.base + "/entityMaps", "Make an EntityMap by POST", tag: Self.entityMapsTag,
                parameters: Self.common + Self.readParameters + Self.pageParameters + Self.entityMapParameters, body: query,
                responses: [created], handler: createEntityMapByPost),
            Route(
                .get, Self.base + "/temporal/entityMaps", "Make an EntityMap of the temporal evolutions that a query finds",
                tag: Self.entityMapsTag, parameters: temporal, responses: [created], handler: createTemporalEntityMap),
            Route(
                .post, Self.base + "/temporal/entityMaps", "Make an EntityMap of temporal evolutions by POST", tag: Self.entityMapsTag,
                parameters: Self.common + Self.temporalReadParameters + Self.temporalPageParameters, body: query, responses: [created],
                handler: createTemporalEntityMapByPost),
            Route(
                .get, one, "Retrieve an EntityMap", tag: Self.entityMapsTag, parameters: [id] + Self.common,
                responses: [.init(200, "The map", mediaTypes: Self.jsonTypes, schema: schema)], handler: retrieveEntityMap),
            Route(
                .patch, one, "Change when an EntityMap expires", tag: Self.entityMapsTag, parameters: [id] + Self.common,
                body: Self.fragmentBody, responses: [Self.noContent], handler: updateEntityMap),
            Route(
                .delete, one, "Delete an EntityMap", tag: Self.entityMapsTag, parameters: [id] + Self.common, responses: [Self.noContent],
                handler: deleteEntityMap),
        ]
    }

    private func createEntityMap(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.filterNames, Self.pageNames, Self.representationParameters)
        let access = try await reading(request)
        let query = try await currentQuery(request)
        let terms = try EntityMapTerms(request)
        return try await created(query.representation.context, request) {
            try await newEntityMap(of: query.query, query.parts, terms, query.representation, request, access)
        }
    }

    private func createEntityMapByPost(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.pageNames, Self.representationParameters)
        let access = try await reading(request)
        let body = try await body(request)
        let query = try currentQuery(request, body)
        let terms = try EntityMapTerms(request, query.body)
        return try await created(body.context, request) {
            try await newEntityMap(of: query.query, query.parts, terms, query.representation, request, access)
        }
    }

    private func createTemporalEntityMap(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.evolutionQueryNames)
        let access = try await reading(request)
        let query = try await evolutionQuery(request)
        let terms = try EntityMapTerms(request)
        return try await created(query.representation.context, request) { try await newEntityMap(of: query, terms, request, access) }
    }

    private func createTemporalEntityMapByPost(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.evolutionPageNames)
        let access = try await reading(request)
        let body = try await body(request)
        let query = try evolutionQuery(request, body)
        let terms = try EntityMapTerms(request, query.body)
        return try await created(body.context, request) { try await newEntityMap(of: query, terms, request, access) }
    }

    private func created(_ context: Context, _ request: DoorRequest, make: () async throws -> UsedEntityMap) async throws -> Response {
        _ = try accepted(request, offers: Self.jsonTypes)
        let made = try await make()
        var response = try described(made.map.json, context, request)
        made.mark(&response, isQuery: true)
        return response
    }

    private func retrieveEntityMap(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await reading(request)
        let id = try request.identifier("entityMapId")
        let context = try await linkContext(request)
        return try described(try await broker.retrieveEntityMap(id, access, at: request.now).json, context, request)
    }

    /// Members that are for output only are passed over (clause 5.14.2.4).
    private func updateEntityMap(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await reading(request)
        let id = try request.identifier("entityMapId")
        let body = try await body(request, mergePatch: true)
        if let type = body.json["type"], type != "EntityMap" { throw CityError.badRequestData("type: an EntityMap's type is EntityMap") }
        if let other = body.json["id"], other != .string(id.text) { throw CityError.badRequestData("id: an EntityMap's id can't be changed") }
        let expiresAt = try body.json["expiresAt"].map { value in
            guard let text = value.stringValue, text.utf8.last == UInt8(ascii: "Z"), let moment = Instant(text) else {
                throw CityError.badRequestData("expiresAt: a date and time such as 2026-01-31T12:00:00Z (clause 4.6.3)")
            }
            return moment
        }
        try broker.updateEntityMap(id, expiresAt: expiresAt, access, at: request.now)
        return Response(status: .noContent)
    }

    private func deleteEntityMap(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await reading(request)
        try broker.deleteEntityMap(request.identifier("entityMapId"), access, at: request.now)
        return Response(status: .noContent)
    }
}
