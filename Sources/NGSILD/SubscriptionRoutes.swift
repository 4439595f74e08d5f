internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Subscriptions
internal import Trust

/// `/subscriptions` and `/subscriptions/{subscriptionId}` (clauses 6.10, 6.11), and the same for registrations of context
/// sources: `/csourceSubscriptions` (clauses 6.12, 6.13).
extension NGSILDDoor {
    var subscriptionRoutes: [Route] {
        let resources = [
            SubscriptionResource(
                door: self, library: subscriptions, path: Self.base + "/subscriptions", tag: Self.subscriptionsTag, kind: "subscription",
                access: subscribing),
            SubscriptionResource(
                door: self, library: sourceSubscriptions, path: Self.base + "/csourceSubscriptions", tag: Self.registrationsTag,
                kind: "subscription to registrations", access: managing),
        ]
        return resources.flatMap(\.routes)
    }
}

/// Subscriptions of one kind.
private struct SubscriptionResource: Sendable {
    let door: NGSILDDoor
    let library: SubscriptionLibrary
    let path: String
    let tag: String
    /// In summaries.
    let kind: String
    let access: @Sendable (DoorRequest) async throws -> WriteAccess

    var routes: [Route] {
        let subscriptions = path
        let one = subscriptions + "/{subscriptionId}"
        let id = Route.Parameter("subscriptionId", in: .path, "The subscription's identifier")
        let schema: JSON = ["$ref": "#/components/schemas/Subscription"]
        let prefer = Route.Parameter("Prefer", in: .header, "ngsi-ld=1.x: the version that the answer is for")
        let options = NGSILDDoor.optionsParameter("sysAttrs: with createdAt and modifiedAt")
        return [
            Route(
                .post, subscriptions, "Create a \(kind)", tag: tag, parameters: NGSILDDoor.common,
                body: .init(NGSILDDoor.jsonTypes, schema: schema), responses: [NGSILDDoor.created, NGSILDDoor.conflict], handler: createSubscription),
            Route(
                .get, subscriptions, "List each \(kind)", tag: tag,
                parameters: NGSILDDoor.common + [
                    .init("limit", in: .query, "Subscriptions of a page", schema: ["type": "integer", "minimum": 0]),
                    .init("offset", in: .query, "Subscriptions to skip", schema: ["type": "integer", "minimum": 0]),
                    .init("count", in: .query, "Whether to count all, in NGSILD-Results-Count", schema: ["type": "boolean"]), options, prefer,
                ], responses: [.init(200, "The subscriptions", mediaTypes: NGSILDDoor.jsonTypes, schema: ["type": "array", "items": schema])],
                handler: listSubscriptions),
            Route(
                .get, one, "Retrieve a \(kind)", tag: tag, parameters: [id] + NGSILDDoor.common + [options, prefer],
                responses: [.init(200, "The subscription", mediaTypes: NGSILDDoor.jsonTypes, schema: schema)], handler: retrieveSubscription),
            Route(
                .patch, one, "Update a \(kind)", tag: tag, parameters: [id] + NGSILDDoor.common, body: NGSILDDoor.fragmentBody,
                responses: [NGSILDDoor.noContent], handler: updateSubscription),
            Route(
                .delete, one, "Delete a \(kind)", tag: tag, parameters: [id] + NGSILDDoor.common,
                responses: [NGSILDDoor.noContent], handler: deleteSubscription),
        ]
    }

    private func createSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await self.access(request)
        let body = try await door.body(request)
        // Receivers and sources are told of it: what a client calls this program does not count where its configuration says.
        let contexts = "\(door.federation.publicAddress ?? request.origin)\(NGSILDDoor.base)/jsonldContexts/"
        try await door.checkLoop(request, access.municipality)
        let id = try await library.create(
            body.json.objectValue ?? [:], body.context, contextAddress: { contexts + PercentEncoding.encode($0) },
            via: request.headers[values: .via], access, at: request.now)
        door.federation.passingWork.publish(access.municipality)
        return NGSILDDoor.createdResponse(path + "/" + PercentEncoding.encode(id))
    }

    private func listSubscriptions(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["limit", "offset", "count", "options"])
        let access = try await self.access(request)
        let wantsCount = try request.query.wantsCount()
        let limit = try request.query.integer("limit", in: 0...door.limits.pageCountMax) ?? door.limits.pageCountDefault
        let offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw CityError.badRequestData("limit: 0 is possible with count=true only") }
        let answer = try await SubscriptionAnswer(request, door)
        let (page, count) = try await library.list(offset: offset, limit: limit, access)
        // One that can't be read takes no other from this list; it keeps its place among the pages.
        let shown = page.compactMap { listed -> JSON? in
            do { return try answer.json(listed, in: access.municipality) } catch {
                door.federation.passedOver(access.municipality, PassedOver(unreadable: listed.id, reason: error))
                return nil
            }
        }
        var response = answer.response(.array(shown))
        if wantsCount { response.headers[.ngsildResultsCount] = String(count) }
        for link in PageLinks(request, answer.mediaType, offset: offset, limit: limit, hasMore: offset + page.count < count).values {
            response.headers.append(HTTPField(name: .link, value: link))
        }
        return response
    }

    private func retrieveSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options"])
        let access = try await self.access(request)
        let id = try request.identifier("subscriptionId")
        let answer = try await SubscriptionAnswer(request, door)
        return answer.response(try answer.json(try await library.retrieve(id, access), in: access.municipality))
    }

    private func updateSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await self.access(request)
        let id = try request.identifier("subscriptionId")
        let body = try await door.body(request, mergePatch: true)
        try await library.update(id, with: body.json.objectValue ?? [:], body.context, access, at: request.now)
        door.federation.passingWork.publish(access.municipality)
        return Response(status: .noContent)
    }

    private func deleteSubscription(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await self.access(request)
        try await library.delete(request.identifier("subscriptionId"), access)
        door.federation.passingWork.publish(access.municipality)
        return Response(status: .noContent)
    }
}
