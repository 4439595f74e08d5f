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
        let answers = [Route.Answer(200, "It was taken"), Route.Answer(503, "Too much is told at once; it may be told again")]
        return [
            Route(
                .post, SourceNotifications.base + "/{municipality}/{token}", "Take a notification of a context source", tag: Self.subscriptionsTag,
                parameters: [
                    .init("municipality", in: .path, "The municipality that subscribed"), .init("token", in: .path, "What the source was given"),
                ], body: body, responses: answers
            ) { request in
                guard let name = MunicipalityName(try request.pathParameter("municipality")) else { throw CityError.resourceNotFound("there is no such subscription here") }
                return try await takeNotification(request, in: name, token: request.pathParameter("token"))
            },
            Route(
                .post, SourceNotifications.base, "Take a notification of a context source", tag: Self.subscriptionsTag, parameters: Self.common, body: body,
                responses: answers
            ) { request in try await takeNotification(request, in: request.tenant(), token: nil) },
        ]
    }

    /// Bytes of a notification.
    private static let notificationByteCountMax = 4 << 20

    /// Nothing is read, fetched or kept for somebody who does not know the key. The path says which municipality it is about, where it
    /// says so: `NGSILD-Tenant` of a notification is the one at the source (clause 6.3.14).
    private func takeNotification(_ request: DoorRequest, in name: MunicipalityName, token: String?) async throws -> Response {
        try request.query.check(known: [])
        guard request.body.readableBytes <= Self.notificationByteCountMax else {
            throw Problem.own("body-too-large", "Body too large", status: 413, "a notification has at most \(Self.notificationByteCountMax) bytes")
        }
        let key: SourceNotifications.Key
        if let token { key = .token(token) } else {
            guard let id = try parse(request.body)["subscriptionId"]?.stringValue else {
                throw CityError.badRequestData("subscriptionId: is missing (clause 5.3.1)")
            }
            key = .name(id)
        }
        try await SourceNotifications(federation, gatekeeper).take(key, in: name, at: request.now) {
            let body = try await notificationBody(request, in: name)
            return (body.json, body.context)
        }
        return Response(status: .ok)
    }

    /// A notification in JSON-LD has its context in each of its entities, and need not have one of its own.
    private func notificationBody(_ request: DoorRequest, in name: MunicipalityName) async throws -> ContextualBody {
        if isLinkedData(request) {
            let json = try parse(request.body)
            if json["@context"] == nil { return ContextualBody(json: json, context: .core) }
        }
        return try await body(request, in: name)
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
