internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData

/// Where context sources tell of subscriptions that were passed on to them (clauses 5.8.1.4 and 5.8.6). Whoever knows the path, or the
/// identifier that the source was given, may tell: nobody else was told either.
extension NGSILDDoor {
    var sourceNotificationRoutes: [Route] {
        let body = Route.Body(Self.jsonTypes, schema: ["type": "object"])
        let answer = Route.Answer(200, "It was taken")
        return [
            Route(
                .post, SourceNotifications.base + "/{municipality}/{token}", "Take a notification of a context source", tag: Self.subscriptionsTag,
                parameters: [
                    .init("municipality", in: .path, "The municipality that subscribed"), .init("token", in: .path, "What the source was given"),
                ], body: body, responses: [answer]
            ) { request in
                guard let name = MunicipalityName(try request.pathParameter("municipality")) else { throw CityError.resourceNotFound("there is no such subscription here") }
                return try await takeNotification(request, in: name, token: request.pathParameter("token"))
            },
            Route(
                .post, SourceNotifications.base, "Take a notification of a context source", tag: Self.subscriptionsTag, parameters: Self.common, body: body,
                responses: [answer]
            ) { request in try await takeNotification(request, in: request.tenant(), token: nil) },
        ]
    }

    private func takeNotification(_ request: DoorRequest, in name: MunicipalityName, token: String?) async throws -> Response {
        try request.query.check(known: [])
        let body = try await notificationBody(request)
        try await SourceNotifications(federation, gatekeeper).take(body.json, body.context, token: token, in: name, at: request.now)
        return Response(status: .ok)
    }

    /// A notification in JSON-LD has its context in each of its entities, and need not have one of its own.
    private func notificationBody(_ request: DoorRequest) async throws -> ContextualBody {
        let json = try parse(request.body)
        if isLinkedData(request), json["@context"] == nil { return ContextualBody(json: json, context: .core) }
        return try await body(request)
    }

    /// A subscription that comes back to where it began would go round for ever (clause 4.3.6.4).
    /// - Throws: `loopDetected`.
    func checkLoop(_ request: DoorRequest, _ municipality: MunicipalityName) async throws {
        let via = request.headers[values: .via]
        guard !via.isEmpty else { return }
        let alias = try await broker.contextSourceAlias(of: municipality, at: request.now)
        let visited = via.flatMap { $0.split(separator: ",") }.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        guard !visited.contains(alias) else { throw CityError.loopDetected("Via: this subscription has been here") }
    }
}
