internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Trust

/// `/account/tokens`: the tokens with which people's own programs act as they do themselves.
extension SiteDoor {
    var tokenRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let elsewhere = Route.Answer(303, "Done: the next page, or the form to sign in")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        return [
            Route(.get, "/account/tokens", "One's own tokens", tag: Self.accountsTag, responses: [page, elsewhere]) { request in
                try await withSignedIn(request) { try await tokensPage(request, $0, done: request.query["done"] == "revoked") }
            },
            Route(
                .post, "/account/tokens", "Make a token that acts as oneself", tag: Self.accountsTag, body: Self.form(["form", "name", "right", "days", "types"]),
                responses: [.init(200, "The token, shown this once", mediaTypes: ["text/html"]), refused], handler: makeToken),
            Route(
                .post, "/account/tokens/revoke", "Revoke a token of one's own", tag: Self.accountsTag, body: Self.form(["form", "id"]),
                responses: [elsewhere], handler: revokeToken),
        ]
    }

    /// For how many days a token may be made here.
    private static let dayCounts = [7, 30, TokenOrder.ownDayCount, 180, TokenOrder.ownDayCountMax]

    private func tokensPage(
        _ request: DoorRequest, _ signedIn: SignedIn, _ fields: FormFields = FormFields(), text: String? = nil, done: Bool = false, fault: String? = nil
    ) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.tokens, self, request, catalogue, cursor: cursor(catalogue))
        let language = page.language
        let tokens = try await gatekeeper.ownTokens(signedIn)
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["text"] = text.map(JSON.string) ?? .null
        page.members["fault"] = fault.map { .string(language.text("tokens.faults.\($0)")) } ?? .null
        page.members["done"] = done ? .string(language.text("tokens.revoked")) : .null
        page.members["name"] = .string(fault == nil ? "" : fields["name"] ?? "")
        page.members["types"] = .string(fault == nil ? "" : fields["types"] ?? "")
        page.members["hasTokens"] = .bool(!tokens.isEmpty)
        page.members["tokens"] = .array(tokens.map { shown($0, page, at: request.now) })
        page.members["rights"] = .array(
            Right.allCases.filter { $0 <= AccountRoles.right(signedIn.account.roles) }.map { right in
                ["key": .string(right.name), "label": .string(language.text("tokens.rights.\(right.name)"))]
            })
        page.members["days"] = .array(
            Self.dayCounts.map { count in
                [
                    "count": .integer(Int64(count)), "label": .string(language.text("tokens.dayCount", count: count)),
                    "selected": .bool(count == TokenOrder.ownDayCount),
                ]
            })
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func shown(_ token: Token, _ page: PageModel, at now: Instant) -> JSON {
        let (language, clock) = (page.language, page.clock)
        let isOver = token.isOver(at: now)
        let end = token.expiresAt.map { language.text(isOver ? "tokens.ended" : "tokens.ends", ["time": clock.dateTime($0)]) }
        let used = token.lastUsedOn.map { language.text("tokens.lastUsed", ["day": $0]) }
        let types = token.scope.types.map { language.text("tokens.ofTypes", ["types": language.list($0.map(\.text).sorted())]) }
        return [
            "id": .string(token.id), "name": .string(token.name), "right": .string(language.text("tokens.rights.\(token.right.name)")),
            "end": .string(end ?? ""), "used": .string(used ?? language.text("tokens.neverUsed")), "bounds": .string(types ?? ""),
            "revoke": .string(language.text("tokens.revoke")), "revokeLabel": .string(language.text("tokens.revokeLabel", ["name": token.name])),
        ]
    }

    private func makeToken(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        return try await withSignedIn(request) { signedIn in
            try checkForm(fields, signedIn)
            do {
                let (text, _) = try await gatekeeper.createOwnToken(signedIn, try order(fields, at: request.now), now: request.now)
                return try await tokensPage(request, signedIn, text: text)
            } catch let error as CityError {
                guard let fault = error.tokenFault else { throw error }
                return try await tokensPage(request, signedIn, fields, fault: fault)
            }
        }
    }

    private func order(_ fields: FormFields, at now: Instant) throws(CityError) -> TokenOrder {
        guard let right = Right(name: fields["right"] ?? "") else { throw .badRequestData("right: read, write or administer") }
        guard let count = Int(fields["days"] ?? ""), (1...TokenOrder.ownDayCountMax).contains(count) else {
            throw .badRequestData("days: 1 to \(TokenOrder.ownDayCountMax)")
        }
        var scope = TokenScope(right: right)
        let types = (fields["types"] ?? "").split { $0 == "," || $0.isWhitespace }.map(String.init)
        if !types.isEmpty { scope.types = try Gatekeeper.expandedTypes(types) }
        return TokenOrder(name: fields["name"] ?? "", scope: scope, expiresAt: TokenOrder.end(after: count, at: now))
    }

    private func revokeToken(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        return try await withSignedIn(request) { signedIn in
            try checkForm(fields, signedIn)
            // One that is gone already is as good as revoked.
            _ = try await gatekeeper.revokeOwnToken(signedIn, id: fields["id"] ?? "", now: request.now)
            return redirect(to: "/account/tokens?done=revoked", request)
        }
    }
}

extension CityError {
    /// What who sent the form can mend, by the name of its text; nil for anything else.
    fileprivate var tokenFault: String? {
        switch self {
        case .badRequestData: "bad"
        case .forbidden: "tooMuch"
        case .overloaded: "tooMany"
        default: nil
        }
    }
}
