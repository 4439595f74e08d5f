internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Store
internal import Trust

/// Administration of the tokens of a municipality and of the keys of its devices. What people make for themselves is a page (`/account/tokens`).
struct TokensDoor: Sendable {
    let gatekeeper: Gatekeeper

    private static let tag = "Administration"
    private static let json = ["application/json"]
    private static let municipality = Route.Parameter("municipality", in: .path, "The municipality's name")

    var routes: [Route] {
        let all = "/municipalities/{municipality}/tokens"
        return [
            Route(
                .get, all, "List tokens", tag: Self.tag, parameters: [Self.municipality],
                responses: [.init(200, "All but their texts", mediaTypes: Self.json, schema: ["type": "array", "items": Self.token])], handler: list),
            Route(
                .post, all, "Create a token, or the key of a device", tag: Self.tag, parameters: [Self.municipality],
                body: .init(Self.json, schema: Self.order), responses: [.init(201, "The token, shown this once", mediaTypes: Self.json, schema: Self.token)],
                handler: create),
            Route(
                .delete, all + "/{tokenId}", "Revoke a token", tag: Self.tag,
                parameters: [Self.municipality, .init("tokenId", in: .path, "The token's identifier")], responses: [.init(204, "Revoked")], handler: revoke),
        ]
    }

    private static let texts: JSON = ["type": "array", "minItems": 1, "maxItems": 100, "items": ["type": "string"]]
    private static let bounds: JSONObject = [
        "name": ["type": "string", "minLength": 1, "maxLength": 200], "right": ["type": "string", "enum": ["read", "write", "administer"]],
        "role": ["type": "string", "enum": ["device"]], "types": texts, "sources": texts, "purposes": texts, "entityIdPrefix": ["type": "string"],
    ]

    private static var order: JSON {
        var members = bounds
        members["expiresAt"] = ["type": ["string", "null"], "format": "date-time", "description": "null: it has no end; absent: in a year"]
        return ["type": "object", "required": ["name"], "properties": .object(members)]
    }

    private static var token: JSON {
        var members = bounds
        for name in ["id", "owner", "madeBy", "token"] { members[name] = ["type": "string"] }
        for name in ["createdAt", "expiresAt"] { members[name] = ["type": "string", "format": "date-time"] }
        members["lastUsedOn"] = ["type": "string", "format": "date"]
        return ["type": "object", "required": ["id", "name", "right", "createdAt"], "properties": .object(members)]
    }

    private func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else { throw CityError.badRequestData("municipality: \(text) is not a name: 1 to 64 letters, digits, - and _") }
        return try await gatekeeper.administering(name, request.credential)
    }

    private func list(_ request: DoorRequest) async throws -> Response {
        SystemDoor.json(.array(try await gatekeeper.tokens(try await administering(request)).map(\.json)))
    }

    private func create(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        guard let body = try? JSON(parsing: request.body.readableBytesView).objectValue else { throw CityError.invalidRequest("the body is not a JSON object") }
        let (text, token) = try await gatekeeper.createToken(access, try TokenOrder(body, at: request.now), now: request.now)
        var members = token.json.objectValue ?? [:]
        members["token"] = .string(text)
        var response = SystemDoor.json(.object(members))
        response.status = .created
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func revoke(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        let id = try request.pathParameter("tokenId")
        guard try await gatekeeper.revokeToken(access, id: id, now: request.now) else { throw CityError.resourceNotFound("there is no token \(id)") }
        return Response(status: .noContent)
    }
}

extension TokenOrder {
    private static var known: Set<String> { ["name", "right", "role", "types", "sources", "purposes", "entityIdPrefix", "expiresAt"] }

    /// - Throws: `badRequestData` that names the member at fault.
    fileprivate init(_ body: JSONObject, at now: Instant) throws(CityError) {
        if let unknown = body.keys.first(where: { !Self.known.contains($0) }) { throw .badRequestData("\(unknown.prefix(100)): there is no such member") }
        func text(_ member: String) throws(CityError) -> String? {
            guard let given = body[member] else { return nil }
            guard let text = given.stringValue else { throw .badRequestData("\(member): a text") }
            return text
        }
        func texts(_ member: String) throws(CityError) -> [String]? {
            guard let given = body[member] else { return nil }
            guard let texts = given.arrayValue?.map(\.stringValue), !texts.contains(nil) else { throw .badRequestData("\(member): a list of texts") }
            return texts.compactMap { $0 }
        }
        let role = try text("role")
        guard role == nil || role == "device" else { throw .badRequestData("role: device, or none") }
        guard let right = Right(name: try text("right") ?? (role == nil ? "" : Right.write.name)) else {
            throw .badRequestData("right: read, write or administer")
        }
        var scope = TokenScope(right: right)
        scope.isDevice = role != nil
        scope.types = try texts("types").map { names throws(CityError) in try Gatekeeper.expandedTypes(names) }
        scope.sources = try texts("sources").map { Set($0) }
        scope.purposes = try texts("purposes").map { Set($0) }
        scope.identifierPrefix = try text("entityIdPrefix")
        guard let name = try text("name") else { throw .badRequestData("name: 1 to 200 characters that say what the token is for") }
        self.init(name: name, scope: scope, expiresAt: try Self.end(body["expiresAt"], at: now))
    }

    private static func end(_ given: JSON?, at now: Instant) throws(CityError) -> Instant? {
        switch given {
        case nil: return end(after: dayCount, at: now)
        case .null?: return nil
        case let given?:
            guard let end = given.stringValue.flatMap({ Instant($0) }) else {
                throw .badRequestData("expiresAt: a date and time such as 2027-12-31T23:00:00Z, or null for a token without an end")
            }
            return end
        }
    }
}
