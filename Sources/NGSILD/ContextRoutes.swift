internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Trust

/// `/jsonldContexts` (clauses 6.29, 6.30).
extension NGSILDDoor {
    var contextRoutes: [Route] {
        let contexts = Self.base + "/jsonldContexts"
        let context = contexts + "/{contextId}"
        let id = Route.Parameter("contextId", in: .path, "The identifier of a stored @context")
        let details = Route.Parameter("details", in: .query, "Metadata instead of the content", schema: ["type": "boolean"])
        return [
            Route(
                .post, contexts, "Store an @context", tag: Self.contextsTag, parameters: Self.common,
                body: .init(Self.jsonTypes, schema: ["type": "object"]), responses: [Self.created], handler: addContext),
            Route(
                .get, contexts, "List stored @contexts", tag: Self.contextsTag,
                parameters: Self.common + [
                    details,
                    .init(
                        "kind", in: .query, "Only this kind",
                        schema: ["type": "string", "enum": ["Cached", "Hosted", "ImplicitlyCreated"]]),
                ], responses: [.init(200, "URLs, or objects that describe each", mediaTypes: ["application/json"])], handler: listContexts),
            Route(
                .get, context, "Serve a stored @context", tag: Self.contextsTag, parameters: [id] + Self.common + [details],
                responses: [.init(200, "The document, or what is known of it", mediaTypes: Self.jsonTypes)], handler: serveContext),
            Route(
                .delete, context, "Delete or reload a stored @context", tag: Self.contextsTag,
                parameters: [id] + Self.common + [
                    .init("reload", in: .query, "Download a cached one anew instead", schema: ["type": "boolean"])
                ], responses: [Self.noContent], handler: deleteContext),
        ]
    }

    private func addContext(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        let document = try parse(request.body)
        guard document.objectValue != nil else { throw CityError.invalidRequest("the body is an object with an @context") }
        let id = try await contexts.add(document, access, at: request.now)
        return Self.createdResponse(Self.base + "/jsonldContexts/" + PercentEncoding.encode(id))
    }

    private func listContexts(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["details", "kind"])
        let access = try await overseeing(request)
        let wantsDetails = try request.query.bool("details") ?? false
        let kind = try request.query["kind"].map { text throws(CityError) in
            guard let kind = ContextKind(rawValue: text) else {
                throw .badRequestData("kind: \(text) is none of Cached, Hosted and ImplicitlyCreated")
            }
            return kind
        }
        let found = try await contexts.list(access).filter { kind == nil || $0.kind == kind }
        return Self.json(.array(found.map { wantsDetails ? metadata($0, request) : .string(url($0, request)) }))
    }

    private func serveContext(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["details"])
        let access = try await overseeing(request)
        let context = try await contexts.retrieve(request.pathParameter("contextId"), access)
        if try request.query.bool("details") ?? false { return Self.json(metadata(context, request)) }
        guard context.kind != .cached else {
            throw CityError.operationNotSupported("contextId: a cached @context is not served; it is at \(context.url ?? context.id)")
        }
        var response = Self.json(context.body)
        response.headers[.contentType] = try accepted(request, offers: Self.jsonTypes)
        return response
    }

    private func deleteContext(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["reload"])
        let access = try await managing(request)
        let id = try request.pathParameter("contextId")
        if try request.query.bool("reload") ?? false { try await contexts.reload(id, access) } else { try await contexts.delete(id, access) }
        return Response(status: .noContent)
    }

    /// Where a context is had: a cached one from its origin, the others from here.
    private func url(_ context: StoredContext, _ request: DoorRequest) -> String {
        context.url ?? "\(request.origin)\(Self.base)/jsonldContexts/\(PercentEncoding.encode(context.id))"
    }

    /// Clause 5.13.3.5.
    private func metadata(_ context: StoredContext, _ request: DoorRequest) -> JSON {
        var members: JSONObject = [
            "URL": .string(url(context, request)), "localId": .string(context.id), "kind": .string(context.kind.rawValue),
            "createdAt": .string(context.createdAt.description),
        ]
        if let expiresAt = context.expiresAt { members["expiresAt"] = .string(expiresAt.description) }
        return .object(members)
    }
}
