internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Store
internal import Trust

/// `/sign-in`, `/sign-in/code`, `/sign-out` and `/account/set-up/…`: forms that work without scripts.
extension SiteDoor {
    static let formType = "application/x-www-form-urlencoded"
    static let accountsTag = "Accounts"

    var signInRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let form = Route.Answer(303, "Done: the next page")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        let slowed = Route.Answer(429, "Too many attempts; Retry-After says when to come again", mediaTypes: ["text/html"])
        let back = Route.Parameter("return", in: .query, "The page to go to afterwards")
        let link = Route.Parameter("invitation", in: .path, "What the link ends with")
        return [
            Route(
                .get, "/sign-in", "The form to sign in", tag: Self.accountsTag,
                parameters: [back, .init("municipality", in: .query, "The municipality whose account it is")], responses: [page, .init(303, "Signed in already: the next page")],
                handler: signInPage),
            Route(
                .post, "/sign-in", "Sign in with a password", tag: Self.accountsTag,
                body: Self.form(["municipality", "login", "password", "return"]), responses: [form, refused, slowed], handler: signIn),
            Route(
                .get, "/sign-in/code", "The form for the second factor", tag: Self.accountsTag, parameters: [back],
                responses: [page, .init(303, "Nobody waits for a code: the form to sign in")], handler: codePage),
            Route(
                .post, "/sign-in/code", "Sign in with a code of the second factor", tag: Self.accountsTag, body: Self.form(["code", "return"]),
                responses: [form, refused, slowed], handler: confirmCode),
            Route(
                .post, "/sign-out", "End the session", tag: Self.accountsTag, body: Self.form(["form"]), responses: [form], handler: signOut),
            Route(
                .get, "/account/set-up/{invitation}", "The form to set a first password", tag: Self.accountsTag, parameters: [link], responses: [page],
                handler: setUpPage),
            Route(
                .post, "/account/set-up/{invitation}", "Set a first password, and sign in", tag: Self.accountsTag, parameters: [link],
                body: Self.form(["name", "login", "password", "again"]), responses: [form, refused], handler: setUp),
        ]
    }

    static func form(_ names: [String]) -> Route.Body {
        .init(
            [formType],
            schema: ["type": "object", "properties": .object(JSONObject(names.map { ($0, ["type": "string"]) }, uniquingKeysWith: { first, _ in first }))])
    }

    // MARK: Signing in

    private func signInPage(_ request: DoorRequest) async throws -> Response {
        if let session = request.session, try await accounts.signedIn(session, at: request.now) != nil {
            return redirect(to: Preferences.safeReturn(request.query["return"] ?? "/account"), request)
        }
        return try await signInPage(request, FormFields(), fault: nil)
    }

    func signInPage(
        _ request: DoorRequest, _ fields: FormFields, fault: String?, count: Int? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.signin, self, request, catalogue, cursor: cursor(catalogue))
        let language = page.language
        let wanted = fields["municipality"] ?? request.query["municipality"]
        let isPossible = BrowserCookie.isPossible(request.headers, authority: request.authority)
        // The names that there are, also of municipalities that show nothing: accounts come before data.
        let names = try await configuration.municipalities()
        let selected = wanted.flatMap { wanted in names.first { $0.text == wanted } } ?? (names.contains(.standard) ? .standard : names.first ?? .standard)
        page.members["municipalities"] = .array(
            names.map { name in
                let shown = catalogue.municipality(name.text).map { catalogue.municipalities[$0].name } ?? name.text
                return ["key": .string(name.text), "name": .string(shown), "selected": .bool(name == selected)]
            })
        page.members["choice"] = .bool(names.count > 1)
        page.members["municipality"] = .string(selected.text)
        page.members["login"] = .string(fields["login"] ?? "")
        page.members["return"] = .string(Preferences.safeReturn(fields["return"] ?? request.query["return"] ?? "/account"))
        page.members["possible"] = .bool(isPossible)
        page.members["provider"] = configuration.provider.map { _ in
            .string("/sign-in/provider?" + PageAddress(pairs: [("return", page.members["return"]?.stringValue ?? "/account")]).query)
        } ?? .null
        let text = isPossible ? fault.map { language.text("signin.\($0)", count: count) } : language.text("signin.insecure")
        page.members["fault"] = text.map(JSON.string) ?? .null
        return try answer(page, request, status: status)
    }

    private func signIn(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        guard BrowserCookie.isPossible(request.headers, authority: request.authority) else {
            return try await signInPage(request, fields, fault: "insecure", status: .unprocessableContent)
        }
        guard isFromHere(request) else { return try await signInPage(request, fields, fault: "foreign", status: .unprocessableContent) }
        let name = MunicipalityName(fields["municipality"] ?? "") ?? .standard
        let outcome = try await accounts.signIn(
            name, login: String((fields["login"] ?? "").prefix(200)), password: String((fields["password"] ?? "").prefix(1024)),
            from: visitor(request), at: request.now)
        let target = Preferences.safeReturn(fields["return"] ?? "/account")
        switch outcome {
        case .signedIn, .needsCode: return try await entered(outcome, target, request)
        case .refused: return try await signInPage(request, fields, fault: "refused", status: .unprocessableContent)
        case .tooManyAttempts(let seconds):
            var response = try await signInPage(request, fields, fault: "wait", count: seconds, status: .tooManyRequests)
            response.headers[.retryAfter] = String(seconds)
            return response
        }
    }

    /// Leads on with what the browser is to hold. What it held before counts no more.
    func entered(_ outcome: SignInOutcome, _ target: String, _ request: DoorRequest) async throws -> Response {
        if let before = request.session { try await accounts.signOut(before) }
        switch outcome {
        case .signedIn(let session, let device): return redirect(to: target, request, setting: [(.session, session), (.device, device)])
        case .needsCode(let session):
            let query = PageAddress(pairs: [("return", target)]).query
            return redirect(to: "/sign-in/code?\(query)", request, setting: [(.session, session)])
        case .refused, .tooManyAttempts: throw CityError.unauthenticated("the credentials do not match")
        }
    }

    // MARK: The second factor

    private func codePage(_ request: DoorRequest) async throws -> Response { try await codePage(request, target: request.query["return"], fault: nil) }

    private func codePage(
        _ request: DoorRequest, target: String?, fault: String?, count: Int? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        guard let session = request.session, try await accounts.waitsForCode(session, at: request.now) else {
            return redirect(to: "/sign-in", request)
        }
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.code, self, request, catalogue, cursor: cursor(catalogue))
        page.members["return"] = .string(Preferences.safeReturn(target ?? "/account"))
        page.members["fault"] = fault.map { .string(page.language.text($0, count: count)) } ?? .null
        return try answer(page, request, status: status)
    }

    private func confirmCode(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        guard let session = request.session, isFromHere(request) else { return redirect(to: "/sign-in", request) }
        let outcome = try await accounts.confirm(session, code: String((fields["code"] ?? "").prefix(40)), from: visitor(request), at: request.now)
        switch outcome {
        case .signedIn, .needsCode: return try await entered(outcome, Preferences.safeReturn(fields["return"] ?? "/account"), request)
        case .refused: return try await codePage(request, target: fields["return"], fault: "code.refused", status: .unprocessableContent)
        case .tooManyAttempts(let seconds):
            var response = try await codePage(
                request, target: fields["return"], fault: "signin.wait", count: seconds, status: .tooManyRequests)
            response.headers[.retryAfter] = String(seconds)
            return response
        }
    }

    private func signOut(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        if let session = request.session, let signedIn = try await accounts.signedIn(session, at: request.now) {
            try checkForm(fields, signedIn)
            try await accounts.signOut(session)
        }
        var response = redirect(to: "/sign-in", request, setting: [(.session, nil)])
        // Pages that are kept are gone too (W3C Clear Site Data).
        response.headers[.clearSiteData] = "\"cache\", \"storage\""
        return response
    }

    // MARK: The first password

    private func setUpPage(_ request: DoorRequest) async throws -> Response { try await setUpPage(request, FormFields(), fault: nil) }

    private func setUpPage(_ request: DoorRequest, _ fields: FormFields, fault: AccountFormError?) async throws -> Response {
        let invitation = try request.pathParameter("invitation")
        let account = try await accounts.invited(invitation, at: request.now)
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.setup, self, request, catalogue, cursor: cursor(catalogue))
        let isPossible = BrowserCookie.isPossible(request.headers, authority: request.authority)
        page.members["open"] = .bool(account != nil && isPossible)
        page.members["action"] = .string("/account/set-up/\(PercentEncoding.encode(invitation))")
        page.members["municipality"] = .string(String(invitation.prefix { $0 != "." }))
        page.members["person"] = .string(fields["name"] ?? account?.name ?? "")
        page.members["login"] = .string(fields["login"] ?? account?.login ?? "")
        let text = isPossible ? fault.map { page.language.text("account.faults.\($0.rawValue)") } : page.language.text("signin.insecure")
        page.members["fault"] = account == nil ? .null : text.map(JSON.string) ?? .null
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func setUp(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        guard BrowserCookie.isPossible(request.headers, authority: request.authority), isFromHere(request) else {
            return try await setUpPage(request, fields, fault: .linkUsed)
        }
        do {
            let password = fields["password"] ?? ""
            guard password == fields["again"] else { throw AccountFormError.differ }
            let outcome = try await accounts.accept(
                try request.pathParameter("invitation"), login: fields["login"] ?? "", name: fields["name"] ?? "", password: password,
                from: visitor(request), at: request.now)
            return try await entered(outcome, "/account/second-factor", request)
        } catch let fault as AccountFormError {
            return try await setUpPage(request, fields, fault: fault)
        }
    }
}

// MARK: - What forms have in common

/// The fields of a form that a page sent.
struct FormFields {
    private var values: QueryParameters?

    static let byteCountMax = 64 << 10

    init() {}

    /// - Throws: a problem for a body that is no form, or a large one.
    init(_ request: DoorRequest) throws {
        guard let type = request.headers[.contentType], type.lowercased().hasPrefix(SiteDoor.formType) else {
            throw Problem.own("unsupported-media-type", "Unsupported media type", status: 415, "Content-Type: \(SiteDoor.formType)")
        }
        guard request.body.readableBytes <= Self.byteCountMax else { throw CityError.badRequestData("the form has more than \(Self.byteCountMax) bytes") }
        values = try QueryParameters(Substring(String(buffer: request.body)))
    }

    subscript(name: String) -> String? { values?[name] }

    /// The values of a name that stands more than once.
    func all(_ name: String) -> [String] { values?.pairs.filter { $0.name == name }.map(\.value) ?? [] }
}

extension DoorRequest {
    /// What the browser holds of a session.
    var session: String? { if case .session(let text) = credential { text } else { nil } }
}

extension SiteDoor {
    /// Whether a form was sent by a page of ours, as far as the browser says; those that say nothing are no browsers.
    func isFromHere(_ request: DoorRequest) -> Bool {
        switch RequestOrigin.verdict(request.headers, authority: request.authority) {
        case .own, .unknown: true
        case .foreign: false
        }
    }

    /// The second of two defences: the form was made for this very session.
    /// - Throws: `forbidden`.
    func checkForm(_ fields: FormFields, _ signedIn: SignedIn) throws(CityError) {
        guard accounts.isOwnForm(fields["form"], signedIn) else { throw .forbidden("form: it was not sent by a page of this session; load the page again") }
    }

    func visitor(_ request: DoorRequest) -> Visitor {
        Visitor(
            address: request.network ?? "unknown", device: BrowserCookie.device.value(request.headers, authority: request.authority),
            agent: request.headers[.userAgent] ?? "")
    }

    func redirect(to target: String, _ request: DoorRequest, setting cookies: [(BrowserCookie, String?)] = []) -> Response {
        var headers: HTTPFields = [.location: target, .cacheControl: "no-store"]
        for (cookie, value) in cookies {
            if let field = cookie.field(value, for: request.headers, authority: request.authority) { headers.append(field) }
        }
        return Response(status: .seeOther, headers: headers)
    }
}

extension HTTPField.Name {
    fileprivate static let clearSiteData = HTTPField.Name("Clear-Site-Data")!
}
