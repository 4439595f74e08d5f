internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Services
internal import Store
internal import Trust

/// `/cases/{link}`: a case for whoever holds its private link; `/requests/{reference}`: what everybody may see of it.
extension SiteDoor {
    var caseRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html", Self.textType])
        let done = Route.Answer(303, "Done: the page again")
        let refused = Route.Answer(422, "The page again, with what was wrong", mediaTypes: ["text/html"])
        let link = Route.Parameter("link", in: .path, "The private link's end: municipality, dot, key, dot, secret")
        let reference = Route.Parameter("reference", in: .path, "The case's reference")
        func action(_ name: String, _ summary: String, _ fields: [String], _ body: @escaping CaseAction) -> Route {
            Route(
                .post, "/cases/{link}/\(name)", summary, tag: Self.servicesTag, parameters: [link], body: Self.form(fields), responses: [done, refused]
            ) { request in try await act(request, done: name, body) }
        }
        return [
            Route(
                .get, "/cases/{link}", "A case, by its private link", tag: Self.servicesTag,
                parameters: [link, .init("done", in: .query, "What was done a moment ago")],
                responses: [page, .init(410, "The link was good once", mediaTypes: ["text/html"])], handler: privatePage),
            action("words", "Add something for whoever works on the case", ["text"]) { held, fields, request in
                try await desk.add(fields["text"] ?? "", to: held.shown.reference, held.access, at: request.now)
            },
            action("reopening", "Open a closed case again", ["text"]) { held, fields, request in
                try await desk.reopen(held.shown, saying: fields["text"] ?? "", held.access, at: request.now)
            },
            action("rating", "Say how well it went", ["rating"]) { held, fields, request in
                try await desk.rate(held.shown.reference, Int(fields["rating"] ?? "") ?? 0, held.access, at: request.now)
            },
            action("appeal", "Ask for another decision on what was not published", ["text"]) { held, fields, request in
                try await desk.appeal(held.shown.reference, saying: fields["text"] ?? "", held.access, at: request.now)
            },
            action("silence", "Have one's contact removed", []) { held, _, request in
                try await desk.forget(held.link, held.access, at: request.now)
            },
            Route(
                .get, "/requests", "Find a public case by its reference", tag: Self.servicesTag,
                parameters: [Self.municipalityParameter, .init("reference", in: .query, "The reference", isRequired: true)], responses: [.init(303, "The case's page")]
            ) { request in
                guard let text = request.query["reference"], !text.isEmpty else { throw CityError.badRequestData("reference: it is missing") }
                guard let reference = CaseReference(text) else { throw Self.noCase }
                let query = PageAddress(pairs: [("municipality", request.query["municipality"] ?? "")]).query
                return redirect(to: "/requests/\(reference)" + (query.isEmpty ? "" : "?\(query)"), request)
            },
            Route(
                .get, "/requests/{reference}", "A public case", tag: Self.servicesTag,
                parameters: [reference, Self.municipalityParameter, .init("done", in: .query, "What was done a moment ago")], responses: [page], handler: publicPage),
            Route(
                .post, "/requests/{reference}/followers", "Be told what becomes of a case", tag: Self.servicesTag, parameters: [reference, Self.municipalityParameter],
                body: Self.form(["email"]), responses: [done, refused], handler: follow),
            Route(
                .get, "/attachments/{id}", "A photo or a file of a case", tag: Self.servicesTag,
                parameters: [
                    .init("id", in: .path, "Its identifier"), Self.municipalityParameter,
                    .init("small", in: .query, "1: the picture for lists"), .init("link", in: .query, "The private link that shows the case"),
                ], responses: [.init(200, "Its bytes", mediaTypes: ["image/jpeg", "application/octet-stream"])], handler: attachment),
        ]
    }

    /// A case that somebody shows the private link of.
    struct HeldCase {
        let link: CaseLink
        let municipality: MunicipalityName
        let access: CaseAccess
        let shown: ShownCase
        var address: String { "/cases/\(municipality).\(link.text)" }
    }

    typealias CaseAction = @Sendable (HeldCase, FormFields, DoorRequest) async throws -> Void
    static var noCase: CityError { .resourceNotFound("reference: there is no such case, or it is not public") }

    func held(_ text: String, at now: Instant) async throws -> HeldCase {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let municipality = MunicipalityName(String(parts[0])), let link = CaseLink(String(parts[1])) else { throw CaseLink.unknown }
        let access = try await gatekeeper.following(municipality, link)
        return HeldCase(link: link, municipality: municipality, access: access, shown: try await desk.followed(link, access, at: now))
    }

    // MARK: The private page

    private func privatePage(_ request: DoorRequest) async throws -> Response {
        if request.wantsPlainText { return try await plain(request, textCase) }
        do {
            return try await privatePage(request, try await held(request.pathParameter("link"), at: request.now), done: request.query["done"])
        } catch CaseFault.linkIsOver {
            let catalogue = try await city.catalogue(for: .everybody, at: request.now)
            var page = PageModel(.error, self, request, catalogue, cursor: cursor(catalogue))
            page.members["message"] = .string(page.language.text("case.linkIsOver"))
            return try answer(page, request, status: .gone, headers: Self.privateHeaders)
        }
    }

    private func act(_ request: DoorRequest, done: String, _ body: CaseAction) async throws -> Response {
        let fields = try FormFields(request)
        guard isFromHere(request) else { throw CityError.forbidden("form: it was not sent by a page of this site; load the page again") }
        let held = try await held(request.pathParameter("link"), at: request.now)
        do {
            try await body(held, fields, request)
            return redirect(to: "\(held.address)?done=\(done)", request)
        } catch let fault as CaseFault {
            return try await privatePage(request, held, fault: fault)
        }
    }

    /// Nothing of a private page goes elsewhere: not its address, not into a search engine.
    static var privateHeaders: HTTPFields { [.referrerPolicy: "no-referrer", .robots: "noindex, nofollow"] }

    private func privatePage(_ request: DoorRequest, _ held: HeldCase, done: String? = nil, fault: CaseFault? = nil) async throws -> Response {
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.case, self, request, catalogue, cursor: cursor(catalogue))
        let (language, shown) = (page.language, held.shown)
        let events = try await desk.timeline(shown.reference, held.access.reading, at: request.now)
        let model = CaseModel(shown: shown, language: language, clock: page.clock, isPrivate: shown.dossier != nil)
        for (name, value) in model.members(events, photoQuery: "municipality=\(held.municipality)&link=\(held.municipality).\(held.link.text)") { page.members[name] = value }
        page.members["base"] = .string(held.address)
        page.members["isPrivate"] = true
        page.members["feed"] = .string(held.address + "/feed.atom")
        page.members["continued"] = shown.dossier?.text(CaseTerm.continuedAt).map { .string("/cases/\($0)") } ?? .null
        page.members["isNew"] = .bool(done == "new")
        page.members["link"] = .string((configuration.publicAddress ?? request.origin) + held.address)
        page.members["done"] = done.flatMap { $0 == "new" ? nil : language.known("case.done.\($0)") }.map(JSON.string) ?? .null
        page.members["fault"] = fault.map { .string(CaseModel.words($0, language)) } ?? .null
        try await addMeasures(to: &page, shown, held.municipality, at: request.now)
        page.members["canAdd"] = .bool(shown.dossier != nil && !shown.isClosed)
        page.members["canRate"] = .bool(shown.dossier != nil && shown.isClosed)
        let end = shown.request.moment(CaseTerm.closedAt).flatMap { shown.service.definition.reopeningEnd(closedAt: $0) }
        page.members["canReopen"] = .bool(shown.dossier != nil && shown.step?.phase == .closed && end.map { $0 > request.now } ?? false)
        page.members["reopenUntil"] = end.map { .string(language.text("case.reopenUntil", ["time": page.clock.dateTime($0)])) } ?? .null
        page.members["withheld"] = shown.file?.text(CaseTerm.review) == "withheld" ? shown.file?.text(CaseTerm.withheldReason).map(JSON.string) ?? .null : .null
        page.members["contactSaid"] = .string(
            shown.contact?.text(CaseTerm.email).map { language.text("case.contact", ["email": $0]) } ?? language.text("case.noContact"))
        page.members["ratings"] = .array(
            (1...5).map { number in
                ["key": .integer(Int64(number)), "label": .string(language.text("case.ratings.\(number)")), "selected": .bool(shown.file?.number(CaseTerm.rating) == number)]
            })
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent, headers: Self.privateHeaders)
    }

    // MARK: The public page

    private static let shownMeasureCount = 3

    /// What was done about reports like this one, as everybody may see it.
    private func addMeasures(to page: inout PageModel, _ shown: ShownCase, _ municipality: MunicipalityName, at now: Instant) async throws {
        let access = try await gatekeeper.reading(municipality, .none)
        let measures = try await desk.measures(answering: shown.request, access, zone: zone, at: now).prefix(Self.shownMeasureCount)
        let code = page.language.code
        page.members["measures"] = .array(measures.map { ["href": .string(Self.address(of: $0, in: municipality)), "title": .string($0.title[code])] })
        page.members["hasMeasures"] = .bool(!measures.isEmpty)
    }

    private func publicPage(_ request: DoorRequest) async throws -> Response {
        if request.wantsPlainText { return try await plain(request, textRequest) }
        return try await publicPage(request, fault: nil)
    }

    private func publicPage(_ request: DoorRequest, fault: String?) async throws -> Response {
        guard let reference = CaseReference(try request.pathParameter("reference")) else { throw Self.noCase }
        let municipality = try await municipality(request.query["municipality"])
        let access = try await gatekeeper.reading(municipality, .none)
        let shown = try await desk.shown(reference, access, at: request.now)
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        var page = PageModel(.case, self, request, catalogue, cursor: cursor(catalogue))
        let events = try await desk.timeline(reference, access, at: request.now)
        let model = CaseModel(shown: shown, language: page.language, clock: page.clock, isPrivate: false)
        for (name, value) in model.members(events, photoQuery: "municipality=\(municipality)") { page.members[name] = value }
        page.members["base"] = .string("/requests/\(reference)")
        page.members["municipality"] = .string(municipality.text)
        page.members["canFollow"] = .bool(!shown.isClosed)
        try await addMeasures(to: &page, shown, municipality, at: request.now)
        page.members["done"] = request.query["done"] == "followers" ? .string(page.language.text("case.done.followers")) : .null
        page.members["fault"] = fault.map(JSON.string) ?? .null
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    private func follow(_ request: DoorRequest) async throws -> Response {
        let fields = try FormFields(request)
        guard isFromHere(request) else { throw CityError.forbidden("form: it was not sent by a page of this site; load the page again") }
        guard let reference = CaseReference(try request.pathParameter("reference")) else { throw Self.noCase }
        let municipality = try await municipality(request.query["municipality"] ?? fields["municipality"])
        let email = SaidText.cleaned(fields["email"] ?? "")
        guard CaseContact.isAddress(email) else { return try await publicPage(request, fault: language(request).text("report.reasons.pattern.email")) }
        guard case .accepted = reports.verdict(on: request.network ?? "unknown", at: request.now) else { throw CityError.overloaded("too many from one connection; come again later") }
        let access = try await gatekeeper.filing(municipality, request.credential)
        let link = try await desk.follow(reference, CaseContact(email: email, language: language(request).code), access, at: request.now)
        return redirect(to: "/cases/\(municipality).\(link.text)?done=followers", request)
    }

    // MARK: Photos and files

    private func attachment(_ request: DoorRequest) async throws -> Response {
        let (id, small) = (try request.pathParameter("id"), request.query["small"] == "1")
        let found: (Attachment, bytes: [UInt8])?
        if let link = request.query["link"], !link.isEmpty {
            let held = try await held(link, at: request.now)
            found = try await broker.attachment(id, small: small, partOf: CaseType.dossier.id, held.access.reading, at: request.now)
                .flatMap { attachment in held.shown.attachments.contains { $0.id == attachment.0.id } ? attachment : nil }
        } else {
            let municipality = try await municipality(request.query["municipality"])
            let access = try await gatekeeper.reading(municipality, request.credential, request.terms.serving)
            found = try await broker.attachment(id, small: small, partOf: CaseType.dossier.id, access, at: request.now)
        }
        guard let (attachment, bytes) = found else { throw CityError.resourceNotFound("id: there is no such photo or file") }
        let isPicture = attachment.mediaType == "image/jpeg"
        var headers: HTTPFields = [
            .contentType: isPicture ? "image/jpeg" : "application/octet-stream", .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
            .cacheControl: attachment.isPublic ? "public, max-age=3600" : "no-store", .contentSecurityPolicy: "default-src 'none'; sandbox",
        ]
        if !isPicture { headers[.contentDisposition] = "attachment; filename*=UTF-8''\(PercentEncoding.encode(attachment.name.isEmpty ? attachment.id : attachment.name))" }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    static let robots = HTTPField.Name("X-Robots-Tag")!
}
