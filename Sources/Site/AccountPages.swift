internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Trust

/// `/account`: what people see and change of their own account.
extension SiteDoor {
    var accountRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let elsewhere = Route.Answer(303, "Done: the next page, or the form to sign in")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        return [
            Route(.get, "/account", "One's own account", tag: Self.accountsTag, responses: [page, elsewhere]) { request in
                try await withSignedIn(request) { try await accountPage(request, $0, done: request.query["done"]) }
            },
            Route(
                .post, "/account/password", "Change the password", tag: Self.accountsTag, body: Self.form(["form", "old", "new", "again"]),
                responses: [elsewhere, refused], handler: changePassword),
            Route(
                .post, "/account/sessions/end", "End all sessions of the account", tag: Self.accountsTag, body: Self.form(["form"]),
                responses: [elsewhere], handler: signOutEverywhere),
            Route(
                .get, "/account/second-factor", "The form to switch the second factor on", tag: Self.accountsTag, responses: [page, elsewhere]
            ) { request in try await withSignedIn(request, enrolling: true) { try await factorPage(request, $0, accounts.newCodeSecret($0)) } },
            Route(
                .post, "/account/second-factor", "Switch the second factor on", tag: Self.accountsTag,
                body: Self.form(["form", "secret", "code", "password"]), responses: [.init(200, "The recovery codes, shown this once", mediaTypes: ["text/html"]), refused],
                handler: enrol),
            Route(
                .post, "/account/second-factor/remove", "Switch the second factor off", tag: Self.accountsTag, body: Self.form(["form", "password"]),
                responses: [elsewhere, refused], handler: dropFactor),
        ]
    }

    /// Runs `body` for whoever is signed in, and leads everybody else to the form to sign in.
    /// - Parameter enrolling: whether it is what somebody may do who has to set up a second factor first; anything else leads there.
    func withSignedIn(_ request: DoorRequest, enrolling: Bool = false, _ body: (SignedIn) async throws -> Response) async throws -> Response {
        guard let session = request.session, let signedIn = try await accounts.signedIn(session, at: request.now) else {
            let target = request.method == .get ? request.path : "/account"
            return redirect(to: "/sign-in?" + PageAddress(pairs: [("return", target)]).query, request)
        }
        guard enrolling || !signedIn.mustEnrol else { return redirect(to: "/account/second-factor", request) }
        return try await body(signedIn)
    }

    /// The same for a form that changes something.
    func withForm(_ request: DoorRequest, enrolling: Bool = false, _ body: (SignedIn, FormFields) async throws -> Response) async throws -> Response {
        let fields = try FormFields(request)
        return try await withSignedIn(request, enrolling: enrolling) { signedIn in
            try checkForm(fields, signedIn)
            return try await body(signedIn, fields)
        }
    }

    // MARK: The page

    private static let notices = ["passwordDone", "factorRemoved"]

    private func accountPage(_ request: DoorRequest, _ signedIn: SignedIn, fault: AccountFormError? = nil, done: String? = nil) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.account, self, request, catalogue, cursor: cursor(catalogue))
        let (language, clock, account) = (page.language, page.clock, signedIn.account)
        let name = catalogue.municipality(signedIn.municipality.text).map { catalogue.municipalities[$0].name } ?? signedIn.municipality.text
        page.members["person"] = .string(account.name)
        page.members["login"] = .string(account.login)
        page.members["municipality"] = .string(name)
        page.members["roles"] = .string(language.list(account.roles.map { language.text("account.roleNames.\($0)") }))
        page.members["endsAt"] = account.endsAt.map { .string(clock.dateTime($0)) } ?? .null
        page.members["works"] = .bool(AccountRoles.right(account.roles) >= .write)
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["hasPassword"] = .bool(account.password != nil)
        page.members["hasFactor"] = .bool(signedIn.hasSecondFactor)
        page.members["recoveryText"] = .string(
            language.text("account.recoveryLeft", count: try await accounts.recoveryCodeCount(signedIn)))
        page.members["fault"] = fault.map { .string(language.text("account.faults.\($0.rawValue)")) } ?? .null
        page.members["done"] = done.flatMap { Self.notices.contains($0) ? .string(language.text("account.\($0)")) : nil } ?? .null
        page.members["sessions"] = .array(
            try await accounts.sessions(signedIn).map { session in
                [
                    "agent": .string(session.agent.isEmpty ? language.text("account.unknownAgent") : session.agent),
                    "isThis": .bool(session.digest == signedIn.session.digest),
                    "begun": .string(language.text("account.begun", ["time": clock.dateTime(session.createdAt)])),
                    "used": .string(language.text("account.lastUsed", ["time": clock.dateTime(session.usedAt)])),
                ]
            })
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func changePassword(_ request: DoorRequest) async throws -> Response {
        try await withForm(request) { signedIn, fields in
            do {
                let new = fields["new"] ?? ""
                guard new == fields["again"] else { throw AccountFormError.differ }
                try await accounts.changePassword(signedIn, old: String((fields["old"] ?? "").prefix(1024)), new: new, at: request.now)
                return redirect(to: "/account?done=passwordDone", request)
            } catch let fault as AccountFormError {
                return try await accountPage(request, signedIn, fault: fault)
            }
        }
    }

    private func signOutEverywhere(_ request: DoorRequest) async throws -> Response {
        try await withForm(request) { signedIn, _ in
            try await accounts.signOutEverywhere(signedIn, at: request.now)
            return redirect(to: "/sign-in", request, setting: [(.session, nil)])
        }
    }

    // MARK: The second factor

    private func factorPage(
        _ request: DoorRequest, _ signedIn: SignedIn, _ offer: (secret: String, link: String)?, codes: [String] = [], fault: AccountFormError? = nil
    ) async throws -> Response {
        // With a second factor there is nothing to switch on, and without a password nothing to switch it on with.
        guard !codes.isEmpty || !signedIn.hasSecondFactor && signedIn.account.password != nil else { return redirect(to: "/account", request) }
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.factor, self, request, catalogue, cursor: cursor(catalogue))
        let language = page.language
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["lead"] = .string(
            language.text(!codes.isEmpty ? "factor.codesLead" : signedIn.mustEnrol ? "factor.mustLead" : "factor.lead"))
        page.members["mustEnrol"] = .bool(signedIn.mustEnrol)
        page.members["secret"] = offer.map { .string($0.secret) } ?? .null
        page.members["link"] = offer.map { .string($0.link) } ?? .null
        let picture = offer.flatMap { QRCode(Array($0.link.utf8)) }
        page.members["picture"] = picture.map { .string($0.path) } ?? .null
        page.members["size"] = picture.map { .integer(Int64($0.sizeWithMargin)) } ?? .null
        page.members["hasCodes"] = .bool(!codes.isEmpty)
        page.members["codes"] = .array(codes.map { ["code": .string($0)] })
        page.members["fault"] = fault.map { .string(language.text("account.faults.\($0.rawValue)")) } ?? .null
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func enrol(_ request: DoorRequest) async throws -> Response {
        try await withForm(request, enrolling: true) { signedIn, fields in
            let secret = fields["secret"] ?? ""
            do {
                let codes = try await accounts.enrol(
                    signedIn, secret: secret, code: String((fields["code"] ?? "").prefix(12)), password: String((fields["password"] ?? "").prefix(1024)),
                    at: request.now)
                return try await factorPage(request, signedIn, nil, codes: codes)
            } catch let fault as AccountFormError {
                return try await factorPage(request, signedIn, accounts.codeSecret(signedIn, secret) ?? accounts.newCodeSecret(signedIn), fault: fault)
            }
        }
    }

    private func dropFactor(_ request: DoorRequest) async throws -> Response {
        try await withForm(request) { signedIn, fields in
            do {
                try await accounts.dropSecondFactor(signedIn, password: String((fields["password"] ?? "").prefix(1024)), at: request.now)
                return redirect(to: "/account?done=factorRemoved", request)
            } catch let fault as AccountFormError {
                return try await accountPage(request, signedIn, fault: fault)
            }
        }
    }
}
