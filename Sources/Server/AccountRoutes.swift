internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Trust

/// Administration of the accounts of a municipality: what `conurb account` does, and what an administrator may do from afar.
struct AccountsDoor: Sendable {
    let gatekeeper: Gatekeeper
    let accounts: Accounts
    /// Where people reach this program, for links that are sent to them; nil while it is not known.
    let address: @Sendable () -> String?

    private static let tag = "Administration"
    private static let json = ["application/json"]
    private static let municipality = Route.Parameter("municipality", in: .path, "The municipality's name")
    private static let login = Route.Parameter("login", in: .path, "The account's e-mail address or user name")

    var routes: [Route] {
        let all = "/municipalities/{municipality}/accounts"
        let one = all + "/{login}"
        let object: JSON = ["type": "object"]
        let roles: JSON = ["type": "array", "minItems": 1, "items": ["type": "string", "enum": .array(AccountRoles.known.map(JSON.string))]]
        let moment: JSON = ["type": ["string", "null"], "format": "date-time"]
        return [
            Route(
                .get, all, "List accounts", tag: Self.tag, parameters: [Self.municipality],
                responses: [.init(200, "All but what proves who they are", mediaTypes: Self.json, schema: ["type": "array"])], handler: list),
            Route(
                .post, all, "Create an account; an invitation lets its owner set a password", tag: Self.tag, parameters: [Self.municipality],
                body: .init(
                    Self.json,
                    schema: [
                        "type": "object", "required": ["login", "roles"],
                        "properties": [
                            "login": ["type": "string", "minLength": 3, "maxLength": 200], "name": ["type": "string", "maxLength": 200],
                            "language": ["type": "string"], "roles": roles, "endsAt": moment,
                        ],
                    ]), responses: [.init(201, "The account", mediaTypes: Self.json, schema: object)], handler: create),
            Route(
                .patch, one, "Change an account's roles or end, disable or enable it; it is signed out everywhere", tag: Self.tag,
                parameters: [Self.municipality, Self.login],
                body: .init(
                    Self.json, schema: ["type": "object", "properties": ["roles": roles, "endsAt": moment, "disabled": ["type": "boolean"]]]),
                responses: [.init(200, "The account", mediaTypes: Self.json, schema: object)], handler: change),
            Route(
                .delete, one, "Remove an account", tag: Self.tag, parameters: [Self.municipality, Self.login], responses: [.init(204, "Removed")],
                handler: remove),
            Route(
                .delete, one + "/second-factor", "Take off the second factor of somebody who has lost it; the account is signed out everywhere", tag: Self.tag,
                parameters: [Self.municipality, Self.login], responses: [.init(204, "Taken off"), .init(409, "There is none")], handler: resetSecondFactor),
            Route(
                .post, one + "/invitation", "Make a link with which the account's password can be set, once and for a day", tag: Self.tag,
                parameters: [Self.municipality, Self.login],
                responses: [.init(201, "The link, shown this once", mediaTypes: Self.json, schema: object)], handler: invite),
        ]
    }

    private func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else { throw CityError.badRequestData("municipality: \(text) is not a name: 1 to 64 letters, digits, - and _") }
        return try await gatekeeper.administering(name, request.credential)
    }

    private func list(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        return SystemDoor.json(.array(try await accounts.list(access).map { json($0, at: request.now) }))
    }

    private func create(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        let body = try body(request, known: ["login", "name", "language", "roles", "endsAt"])
        guard let login = body["login"]?.stringValue else { throw CityError.badRequestData("login: an e-mail address or a user name") }
        let account = try await accounts.create(
            access, login: login, name: body["name"]?.stringValue ?? login, language: body["language"]?.stringValue, roles: try roles(body) ?? [],
            endsAt: try endsAt(body) ?? nil, at: request.now)
        return created(json(account, at: request.now))
    }

    private func change(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        let body = try body(request, known: ["roles", "endsAt", "disabled"])
        if let disabled = body["disabled"], disabled.boolValue == nil { throw CityError.badRequestData("disabled: true or false") }
        let account = try await accounts.change(
            access, try request.pathParameter("login"), roles: try roles(body), endsAt: try endsAt(body), isDisabled: body["disabled"]?.boolValue, at: request.now)
        return SystemDoor.json(json(account, at: request.now))
    }

    private func remove(_ request: DoorRequest) async throws -> Response {
        try await accounts.remove(try await administering(request), try request.pathParameter("login"), at: request.now)
        return Response(status: .noContent)
    }

    private func resetSecondFactor(_ request: DoorRequest) async throws -> Response {
        try await accounts.resetSecondFactor(try await administering(request), try request.pathParameter("login"), at: request.now)
        return Response(status: .noContent)
    }

    private func invite(_ request: DoorRequest) async throws -> Response {
        let invitation = try await accounts.invite(try await administering(request), try request.pathParameter("login"), at: request.now)
        let path = "/account/set-up/\(invitation)"
        return created(["path": .string(path), "link": address().map { .string($0 + path) } ?? .null])
    }

    private func created(_ body: JSON) -> Response {
        var response = SystemDoor.json(body)
        response.status = .created
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func json(_ account: AccountRecord, at now: Instant) -> JSON {
        var members: JSONObject = [
            "login": .string(account.login), "name": .string(account.name), "roles": .array(account.roles.map(JSON.string)),
            "active": .bool(account.isActive(at: now)), "disabled": .bool(account.isDisabled), "hasPassword": .bool(account.password != nil),
            "hasSecondFactor": .bool(account.codeSecret != nil), "createdAt": .string(account.createdAt.description),
        ]
        if let endsAt = account.endsAt { members["endsAt"] = .string(endsAt.description) }
        if let signedInAt = account.signedInAt { members["signedInAt"] = .string(signedInAt.description) }
        return .object(members)
    }
}

// MARK: - Bodies

extension AccountsDoor {
    private func body(_ request: DoorRequest, known: Set<String>) throws -> JSONObject {
        guard let body = try? JSON(parsing: request.body.readableBytesView).objectValue else { throw CityError.invalidRequest("the body is not a JSON object") }
        if let unknown = body.keys.first(where: { !known.contains($0) }) { throw CityError.badRequestData("\(unknown.prefix(100)): there is no such member") }
        return body
    }

    private func roles(_ body: JSONObject) throws -> [String]? {
        guard let given = body["roles"] else { return nil }
        guard let roles = given.arrayValue?.map(\.stringValue), !roles.contains(nil) else { throw CityError.badRequestData("roles: a list of texts") }
        return roles.compactMap { $0 }
    }

    /// Nil where it is not said, an inner nil where it is null.
    private func endsAt(_ body: JSONObject) throws -> Instant?? {
        switch body["endsAt"] {
        case nil: return nil
        case .null?: return .some(nil)
        case let given?:
            guard let instant = given.stringValue.flatMap({ Instant($0) }) else {
                throw CityError.badRequestData("endsAt: a date and time such as 2027-12-31T23:00:00Z, or null")
            }
            return instant
        }
    }
}
