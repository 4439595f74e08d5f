internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Trust

/// What a data protection officer does for people who ask for their rights in another way than on their own page.
struct ResidentsDoor: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper

    var routes: [Route] {
        [
            Route(
                .delete, "/municipalities/{municipality}/residents/{subject}",
                "Erase all that is held about a person; for whom rules permit to erase what is held about people, for the purpose that is stated", tag: "Administration",
                parameters: [
                    .init("municipality", in: .path, "The municipality's name"),
                    .init("subject", in: .path, "What their data says in dataSubject, or the login of their account"),
                ],
                responses: [.init(200, "How much it was", mediaTypes: ["application/json"], schema: ["type": "object"]), .init(404, "Nothing is held about them")],
                handler: erase)
        ]
    }

    private func erase(_ request: DoorRequest) async throws -> Response {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else { throw CityError.badRequestData("municipality: \(text) is not a name: 1 to 64 letters, digits, - and _") }
        let access = try await gatekeeper.erasing(try request.pathParameter("subject"), in: name, request.credential, request.terms)
        return SystemDoor.json(try await broker.erase(access, at: request.now))
    }
}
