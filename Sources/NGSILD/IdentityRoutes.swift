internal import Broker
internal import CityModel
internal import Door
internal import Hummingbird
internal import Trust

/// `/info/sourceIdentity` (clauses 5.15.1 and 6.33): by which name others know this program when requests go in circles.
extension NGSILDDoor {
    var identityRoutes: [Route] {
        [
            Route(
                .get, Self.base + "/info/sourceIdentity", "Say who this context source is", tag: Self.discovery, parameters: Self.common,
                responses: [.init(200, "The identity", mediaTypes: Self.jsonTypes, schema: ["type": "object"])], handler: sourceIdentity)
        ]
    }

    /// Each municipality has its own alias: requests between two of one installation are no circle.
    private func sourceIdentity(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let municipality = try await overseeing(request).municipality
        let context = try await linkContext(request)
        let installation = try await broker.installationName(at: request.now)
        let alias = municipality == .standard ? installation : "\(installation)~\(municipality)"
        return try described(
            [
                "id": .string("urn:ngsi-ld:ContextSourceIdentity:\(PercentEncoding.encode(alias))"), "type": "ContextSourceIdentity",
                "contextSourceAlias": .string(alias),
                "contextSourceUptime": .string(Self.duration(seconds: max(0, request.now.seconds - startedAt.seconds))),
                "contextSourceTimeAt": .string(request.now.description),
            ], context, request)
    }

    /// ISO 8601, such as `P1DT2H0M5S`.
    static func duration(seconds: Int64) -> String {
        let days = seconds / 86_400
        return "P" + (days > 0 ? "\(days)D" : "") + "T\(seconds / 3600 % 24)H\(seconds / 60 % 60)M\(seconds % 60)S"
    }
}
