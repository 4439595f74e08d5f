internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import OrderedCollections
internal import Policy
internal import Store
internal import Trust

/// `/account/data`: what is held about somebody, who may see it and who did, and what they can do about it.
extension SiteDoor {
    var dataRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        let elsewhere = Route.Answer(303, "Done: the page again, or the form to sign in")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        let position = Route.Parameter("position", in: .path, "Where in the ledger the use stands")
        return [
            Route(
                .get, "/account/data", "What is held about oneself, and who used it", tag: Self.accountsTag,
                parameters: [
                    .init("after", in: .query, "What is held after the entity with this number"), .init("before", in: .query, "Uses before this position in the ledger"),
                ], responses: [page, elsewhere]
            ) { request in try await withSignedIn(request) { try await dataPage(request, $0, done: request.query["done"]) } },
            Route(
                .get, "/account/data.json", "Everything that is held about oneself", tag: Self.accountsTag,
                responses: [.init(200, "One JSON object", mediaTypes: ["application/json"], schema: ["type": "object"]), elsewhere]
            ) { request in try await withSignedIn(request) { try await dataDownload(request, $0) } },
            Route(
                .get, "/account/data/uses/{position}/proof", "The proof that a use of one's data is in the ledger", tag: Self.accountsTag,
                parameters: [position],
                responses: [.init(200, "C2SP tlog-proof", mediaTypes: ["text/plain"]), .init(503, "The ledger is signed within a second; Retry-After says when to come again"), elsewhere]
            ) { request in try await withSignedIn(request) { try await useProof(request, $0) } },
            Route(
                .post, "/account/data/consent", "Give consent to a purpose", tag: Self.accountsTag, body: Self.form(["form", "purpose"]), responses: [elsewhere]
            ) { request in
                try await withForm(request) { signedIn, fields in
                    try await gatekeeper.giveConsent(signedIn, to: fields["purpose"] ?? "", language: language(request).code, at: request.now)
                    return redirect(to: "/account/data?done=consentGiven", request)
                }
            },
            Route(
                .post, "/account/data/withdrawal", "Withdraw the consent to a purpose", tag: Self.accountsTag, body: Self.form(["form", "purpose"]),
                responses: [elsewhere]
            ) { request in
                try await withForm(request) { signedIn, fields in
                    try await gatekeeper.withdrawConsent(signedIn, to: fields["purpose"] ?? "", at: request.now)
                    return redirect(to: "/account/data?done=consentWithdrawn", request)
                }
            },
            Route(
                .post, "/account/data/correct", "Correct a value of what is held about oneself", tag: Self.accountsTag,
                body: Self.form(["form", "id", "attribute", "kind", "value"]), responses: [elsewhere, refused]
            ) { request in try await withForm(request) { try await correct(request, $0, $1) } },
            Route(
                .get, "/account/data/erase", "What erasing does, and the form for it", tag: Self.accountsTag, responses: [page, elsewhere]
            ) { request in try await withSignedIn(request) { try await erasePage(request, $0) } },
            Route(
                .post, "/account/data/erase", "Erase all that is held about oneself, with the account", tag: Self.accountsTag,
                body: Self.form(["form", "password", "confirm"]), responses: [page, refused, elsewhere]
            ) { request in try await withForm(request) { try await erase(request, $0, $1) } },
        ]
    }

    // MARK: The page

    private static let dataNotices = ["corrected", "consentGiven", "consentWithdrawn"]
    private static let heldCount = 50
    private static let useCount = 50

    func dataPage(_ request: DoorRequest, _ signedIn: SignedIn, fault: String? = nil, done: String? = nil) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.data, self, request, catalogue, cursor: cursor(catalogue))
        let words = DataWords(language: page.language, clock: page.clock)
        let name = catalogue.municipality(signedIn.municipality.text).map { catalogue.municipalities[$0].name } ?? signedIn.municipality.text
        page.members["lead"] = .string(page.language.text("data.lead", ["municipality": name]))
        page.members["identifier"] = .string(page.language.text("data.identifier", ["subject": signedIn.subject]))
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["fault"] = fault.map { .string(page.language.text("data.faults.\($0)")) } ?? .null
        page.members["done"] = done.flatMap { Self.dataNotices.contains($0) ? .string(page.language.text("data.\($0)")) : nil } ?? .null
        try await addHeld(to: &page, words, request, signedIn)
        let asked = try await gatekeeper.askedConsents(signedIn)
        page.members["hasConsents"] = .bool(!asked.isEmpty)
        page.members["consents"] = .array(asked.map(words.consent))
        try await addUses(to: &page, words, request, signedIn)
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func addHeld(to page: inout PageModel, _ words: DataWords, _ request: DoorRequest, _ signedIn: SignedIn) async throws {
        let after = try request.query.integer("after", in: 0...Int.max).map(Int64.init) ?? 0
        let held = try await held(signedIn, after: after, limit: Self.heldCount, request)
        page.members["hasHeld"] = .bool(!held.isEmpty)
        page.members["held"] = .array(held.enumerated().map { words.held($1, number: $0) })
        page.members["more"] = held.count == Self.heldCount ? held.last.map { .string("/account/data?after=\($0.number)") } ?? .null : .null
        let kinds = Set(held.map { HeldKind(types: $0.types, classification: $0.classification) })
        let onlookers = try await gatekeeper.onlookers(signedIn, kinds, at: request.now)
        page.members["onlookers"] = .array(onlookers.map { ["text": .string(words.onlooker($0))] })
    }

    private func addUses(to page: inout PageModel, _ words: DataWords, _ request: DoorRequest, _ signedIn: SignedIn) async throws {
        let before = try request.query.integer("before", in: 0...Int.max).map(Int64.init) ?? .max
        let uses = try await gatekeeper.uses(signedIn, before: before, limit: Self.useCount)
        page.members["hasUses"] = .bool(!uses.isEmpty)
        page.members["uses"] = .array(uses.map(words.use))
        page.members["older"] = uses.count == Self.useCount ? uses.last.map { .string("/account/data?before=\($0.position)") } ?? .null : .null
    }

    func held(_ signedIn: SignedIn, after number: Int64, limit: Int, _ request: DoorRequest) async throws -> [HeldEntity] {
        let (reading, correcting) = (try await gatekeeper.reading(signedIn), try await gatekeeper.correcting(signedIn))
        return try await broker.held(about: signedIn.subject, after: number, limit: limit, reading, correcting: correcting, at: request.now)
    }

    // MARK: What can be done

    private func correct(_ request: DoorRequest, _ signedIn: SignedIn, _ fields: FormFields) async throws -> Response {
        let text = String((fields["value"] ?? "").prefix(2000))
        let value: JSON? =
            switch fields["kind"] {
            case "number": (try? JSON(parsing: text.trimmed.replacing(",", with: ".").utf8)).flatMap { $0.doubleValue == nil ? nil : $0 }
            case "bool": ["true": .bool(true), "false": .bool(false)][text.trimmed]
            default: text.isEmpty ? nil : .string(text)
            }
        guard let id = fields["id"].flatMap({ IRI($0) }), let attribute = fields["attribute"].flatMap({ IRI($0) }), let value else {
            return try await dataPage(request, signedIn, fault: "notCorrected")
        }
        do { try await broker.correct(attribute, of: id, to: value, gatekeeper.correcting(signedIn), at: request.now) } catch is CityError {
            return try await dataPage(request, signedIn, fault: "notCorrected")
        }
        return redirect(to: "/account/data?done=corrected", request)
    }

    private func useProof(_ request: DoorRequest, _ signedIn: SignedIn) async throws -> Response {
        let text = try request.pathParameter("position")
        guard let position = Int64(text), position >= 0 else { throw CityError.badRequestData("position: \(text.prefix(40)) is not a whole number from 0") }
        guard let proof = try await configuration.accountability?.proof(ofUse: position, of: signedIn, at: request.now) else {
            return Problem.own("ledger-unsigned", "Ledger not signed yet", status: 503, language(request).text("data.faults.unproved")).response(headers: [.retryAfter: "1"])
        }
        let name = "\(signedIn.municipality)-\(position).tlog-proof"
        return Answers.body(
            Array(proof.description.utf8), type: "text/plain; charset=utf-8", status: .ok, request,
            headers: [.cacheControl: "no-store", .contentDisposition: "attachment; filename=\"\(name)\""])
    }

    // MARK: Erasure

    private func erasePage(_ request: DoorRequest, _ signedIn: SignedIn, fault: String? = nil) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.erase, self, request, catalogue, cursor: cursor(catalogue))
        page.members["lead"] = .string(page.language.text("erase.lead"))
        page.members["open"] = true
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["hasPassword"] = .bool(signedIn.account.password != nil)
        page.members["fault"] = fault.map { .string(page.language.text($0)) } ?? .null
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func erase(_ request: DoorRequest, _ signedIn: SignedIn, _ fields: FormFields) async throws -> Response {
        guard fields["confirm"] == "yes" else { return try await erasePage(request, signedIn, fault: "erase.unconfirmed") }
        let access: ErasureAccess
        do { access = try await gatekeeper.erasing(signedIn, password: fields["password"].map { String($0.prefix(1024)) }, at: request.now) } catch let fault as AccountFormError {
            return try await erasePage(request, signedIn, fault: "account.faults.\(fault.rawValue)")
        }
        _ = try await broker.erase(access, at: request.now)
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.erase, self, request, catalogue, cursor: cursor(catalogue))
        page.members["lead"] = .string(page.language.text("erase.erased"))
        page.members["open"] = false
        var response = try answer(page, request)
        for cookie in [BrowserCookie.session, .device] {
            if let field = cookie.field(nil, for: request.headers, authority: request.authority) { response.headers.append(field) }
        }
        return response
    }
}
