internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Subscriptions
internal import Trust

/// `/subscriptions` and `/subscriptions/{subscriptionId}` (clauses 6.10, 6.11).
extension NGSILDDoor {
    var subscriptionRoutes: [Route] {
        let subscriptions = Self.base + "/subscriptions"
        let one = subscriptions + "/{subscriptionId}"
        let id = Route.Parameter("subscriptionId", in: .path, "The subscription's identifier")
        let schema: JSON = ["$ref": "#/components/schemas/Subscription"]
        let prefer = Route.Parameter("Prefer", in: .header, "ngsi-ld=1.x: the version that the answer is for")
        let options = Self.optionsParameter("sysAttrs: with createdAt and modifiedAt")
        return [
            Route(
                .post, subscriptions, "Create a subscription", tag: Self.subscriptionsTag, parameters: Self.common,
                body: .init(Self.jsonTypes, schema: schema), responses: [Self.created, Self.conflict], handler: createSubscription),
            Route(
                .get, subscriptions, "List subscriptions", tag: Self.subscriptionsTag,
                parameters: Self.common + [
                    .init("limit", in: .query, "Subscriptions of a page", schema: ["type": "integer", "minimum": 0]),
                    .init("offset", in: .query, "Subscriptions to skip", schema: ["type": "integer", "minimum": 0]),
                    .init("count", in: .query, "Whether to count all, in NGSILD-Results-Count", schema: ["type": "boolean"]), options, prefer,
                ], responses: [.init(200, "The subscriptions", mediaTypes: Self.jsonTypes, schema: ["type": "array", "items": schema])],
                handler: listSubscriptions),
            Route(
                .get, one, "Retrieve a subscription", tag: Self.subscriptionsTag, parameters: [id] + Self.common + [options, prefer],
                responses: [.init(200, "The subscription", mediaTypes: Self.jsonTypes, schema: schema)], handler: retrieveSubscription),
            Route(
                .patch, one, "Update a subscription", tag: Self.subscriptionsTag, parameters: [id] + Self.common, body: Self.fragmentBody,
                responses: [Self.noContent], handler: updateSubscription),
            Route(
                .delete, one, "Delete a subscription", tag: Self.subscriptionsTag, parameters: [id] + Self.common,
                responses: [Self.noContent], handler: deleteSubscription),
        ]
    }

    private func createSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await writing(request)
        let body = try await body(request)
        let contexts = "\(request.origin)\(Self.base)/jsonldContexts/"
        let id = try await subscriptions.create(
            body.json.objectValue ?? [:], body.context, contextAddress: { contexts + PercentEncoding.encode($0) }, access, at: request.now)
        return Self.createdResponse(Self.base + "/subscriptions/" + PercentEncoding.encode(id))
    }

    private func listSubscriptions(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["limit", "offset", "count", "options"])
        let access = try await writing(request)
        let wantsCount = try request.query.wantsCount()
        let limit = try request.query.integer("limit", in: 0...limits.pageCountMax) ?? limits.pageCountDefault
        let offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw CityError.badRequestData("limit: 0 is possible with count=true only") }
        let answer = try await SubscriptionAnswer(request, self)
        let (page, count) = try await subscriptions.list(offset: offset, limit: limit, access)
        var response = try answer.response(.array(page.map(answer.json)))
        if wantsCount { response.headers[.ngsildResultsCount] = String(count) }
        for link in PageLinks(request, answer.mediaType, offset: offset, limit: limit, hasMore: offset + page.count < count).values {
            response.headers.append(HTTPField(name: .link, value: link))
        }
        return response
    }

    private func retrieveSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options"])
        let access = try await writing(request)
        let id = try request.identifier("subscriptionId")
        let answer = try await SubscriptionAnswer(request, self)
        return answer.response(try answer.json(try await subscriptions.retrieve(id, access)))
    }

    private func updateSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await writing(request)
        let id = try request.identifier("subscriptionId")
        let body = try await body(request, mergePatch: true)
        try await subscriptions.update(id, with: body.json.objectValue ?? [:], body.context, access, at: request.now)
        return Response(status: .noContent)
    }

    private func deleteSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await writing(request)
        try await subscriptions.delete(request.identifier("subscriptionId"), access)
        return Response(status: .noContent)
    }
}
