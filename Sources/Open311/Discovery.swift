internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Trust

/// What a municipality says of how Open311 is spoken with it.
struct Open311Settings: Hashable, Sendable {
    /// Whether requests are taken with a key alone.
    var requiresKey = false
    /// How to learn more of this provider, and how to get a key; in words for people.
    var contact: String?
    var keyService: String?

    static let id = "open311"
    private static let textCountMax = 500

    init() {}

    init(_ json: JSON) {
        requiresKey = json["requiresKey"]?.boolValue ?? false
        (contact, keyService) = (json["contact"]?.stringValue, json["keyService"]?.stringValue)
    }

    /// - Throws: `badRequestData` that names the member.
    init(checking json: JSON) throws(CityError) {
        guard let members = json.objectValue else { throw .badRequestData("the body is a JSON object") }
        for (name, value) in members {
            switch name {
            case "requiresKey":
                guard let flag = value.boolValue else { throw .badRequestData("requiresKey: true or false is needed") }
                requiresKey = flag
            case "contact": contact = try Self.text(value, name)
            case "keyService": keyService = try Self.text(value, name)
            default: throw .badRequestData("\(name.prefix(60)): only requiresKey, contact and keyService are known")
            }
        }
    }

    private static func text(_ value: JSON, _ name: String) throws(CityError) -> String? {
        if case .null = value { return nil }
        guard let text = value.stringValue, (1...textCountMax).contains(text.count) else { throw .badRequestData("\(name): a text of at most \(textCountMax) characters is needed") }
        return text
    }

    var json: JSON {
        ["requiresKey": .bool(requiresKey), "contact": contact.map(JSON.string) ?? .null, "keyService": keyService.map(JSON.string) ?? .null]
    }
}

extension Open311Door {
    func settings(_ access: ReadAccess) async throws -> Open311Settings { try await broker.setting(Open311Settings.id, access).map { Open311Settings($0) } ?? .init() }

    /// The discovery document: of one municipality, else of all that are served here.
    func discovery(_ request: DoorRequest) async throws -> Open311Answer {
        let names: [MunicipalityName]
        if let jurisdiction = request.said("jurisdiction_id") { names = [try await municipality(jurisdiction)] } else { names = try await configuration.municipalities() }
        var (changed, settings) = (Instant(seconds: 0), Open311Settings())
        for name in names.prefix(Self.discoveredCountMax) {
            let access = try await gatekeeper.reading(name, .none)
            changed = max(changed, try await broker.servicesChangedAt(access) ?? changed)
            if names.count == 1 { settings = try await self.settings(access) }
        }
        let base = address(request)
        let changeset = JSON.string(configuration.zone.w3c(changed))
        let endpoint: JSON = [
            "specification": "http://wiki.open311.org/GeoReport_v2", "url": .string(base + Self.prefix), "changeset": changeset, "type": "production",
            "formats": .array(Open311Format.allCases.reversed().map { .string($0.mediaType) }),
        ]
        return Open311Answer(
            root: "discovery",
            value: [
                "changeset": changeset, "contact": .string(settings.contact ?? "\(configuration.name): \(base)/"),
                "key_service": .string(settings.keyService ?? "The administrators of a municipality make keys: tokens that may write."), "endpoints": [endpoint],
            ])
    }

    /// Municipalities whose definitions one discovery document looks at.
    private static var discoveredCountMax: Int { 200 }

    // MARK: Administration

    private static var tag: String { "Administration" }

    var settingsRoutes: [Route] {
        let path = "/municipalities/{municipality}/open311"
        let name = Route.Parameter("municipality", in: .path, "The municipality's name")
        let schema: JSON = [
            "type": "object", "additionalProperties": false,
            "properties": ["requiresKey": ["type": "boolean"], "contact": ["type": ["string", "null"]], "keyService": ["type": ["string", "null"]]],
        ]
        return [
            Route(
                .get, path, "How Open311 is spoken with a municipality", tag: Self.tag, parameters: [name],
                responses: [.init(200, "Whether it takes requests with a key alone, and what it says of itself", mediaTypes: ["application/json"], schema: schema)]
            ) { request in
                let settings = try await settings(administering(request).writing.reading)
                return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: settings.json.description)))
            },
            Route(
                .put, path, "Set how Open311 is spoken with a municipality", tag: Self.tag, parameters: [name], body: .init(["application/json"], schema: schema),
                responses: [.init(204, "It holds from now on")]
            ) { request in
                let access = try await administering(request)
                guard let body = try? JSON(parsing: request.body.readableBytesView) else { throw CityError.invalidRequest("the body is not JSON") }
                let settings = try Open311Settings(checking: body)
                let act = Act(.open311Changed, details: ["requiresKey": .bool(settings.requiresKey)])
                try await broker.putSetting(Open311Settings.id, settings.json, recording: act, access, at: request.now)
                return Response(status: .noContent)
            },
        ]
    }

    private func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else { throw CityError.badRequestData("municipality: \(text.prefix(100)) is not a name: 1 to 64 letters, digits, - and _") }
        return try await gatekeeper.administering(name, request.credential)
    }
}
