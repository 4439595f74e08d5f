internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Services
internal import Trust

/// `/text`: services, cases and figures as plain text, for terminals, readers of text, and gateways that pass them on as messages. The pages themselves answer so
/// who asks for `text/plain`. Nothing is shown that the page does not show.
extension SiteDoor {
    var textRoutes: [Route] {
        let text = Route.Answer(200, "The page as text", mediaTypes: [Self.textType])
        let code = Route.Parameter("code", in: .path, "The service's code")
        let lang = Route.Parameter("lang", in: .query, "The language; by default what Accept-Language prefers")
        let place = [Self.municipalityParameter, lang]
        return [
            Route(.get, "/text", "What residents can report, as text", tag: Self.servicesTag, parameters: place, responses: [text], problemTypes: [Self.textType]) { try await plain($0, textHome) },
            Route(.get, "/text/services/{code}", "What a service asks, as text", tag: Self.servicesTag, parameters: [code] + place, responses: [text], problemTypes: [Self.textType]) {
                try await plain($0, textService)
            },
            Route(
                .post, "/text/services/{code}", "File a report from a terminal", tag: Self.servicesTag, parameters: [code] + place,
                body: .init([Self.formType, MultipartForm.mediaType], schema: ["type": "object"], isStreamed: true),
                responses: [
                    .init(201, "Filed: reference and private link", mediaTypes: [Self.textType]),
                    .init(409, "Reports nearby that are likely the same; nothing is filed", mediaTypes: [Self.textType]),
                    .init(413, "The form is too large", mediaTypes: [Self.textType]), .init(415, "It is no form", mediaTypes: [Self.textType]),
                    .init(422, "What is wrong, with the name of each field", mediaTypes: [Self.textType]),
                    .init(429, "Too many from one connection; Retry-After says when to come again", mediaTypes: [Self.textType]),
                ], problemTypes: [Self.textType]
            ) { try await plain($0, fileText) },
            Route(
                .get, "/text/cases/{link}", "A case by its private link, as text", tag: Self.servicesTag,
                parameters: [.init("link", in: .path, "The private link's end"), lang],
                responses: [text, .init(410, "The link was good once", mediaTypes: [Self.textType])], problemTypes: [Self.textType]
            ) { try await plain($0, textCase) },
            Route(
                .get, "/text/requests/{reference}", "A public case as text", tag: Self.servicesTag,
                parameters: [.init("reference", in: .path, "The case's reference")] + place, responses: [text], problemTypes: [Self.textType]
            ) { try await plain($0, textRequest) },
            Route(
                .get, "/text/figures", "How many cases there are and how fast they go, as text", tag: Self.servicesTag, parameters: Self.figureParameters + [lang],
                responses: [text], problemTypes: [Self.textType]
            ) { try await plain($0, textFigures) },
        ]
    }

    static let textType = "text/plain"

    /// What is wrong is said as text too.
    func plain(_ request: DoorRequest, _ body: (DoorRequest) async throws -> Response) async throws -> Response {
        do { return try await body(request) } catch CityError.internalFault(let detail) { throw CityError.internalFault(detail) } catch let error as CityError {
            return plain(Problem(error), request)
        } catch let problem as Problem { return plain(problem, request) }
    }

    private func plain(_ problem: Problem, _ request: DoorRequest) -> Response {
        var page = PlainText()
        page.heading("\(problem.status) \(problem.title)")
        if let detail = problem.detail { page.paragraph(detail) }
        return answer(page, request, status: .init(code: problem.status))
    }

    func answer(_ page: PlainText, _ request: DoorRequest, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.cacheControl] = "no-store"
        headers[.vary] = "Accept, Accept-Language, Cookie"
        return Answers.body(Array(page.text.utf8), type: "\(Self.textType); charset=utf-8", status: status, request, headers: headers)
    }

    // MARK: Words and addresses

    func textLanguage(_ request: DoorRequest, _ wanted: String? = nil) -> Language {
        (wanted ?? request.query[TextForm.Reserved.lang.rawValue]).flatMap { languages[$0] } ?? language(request)
    }

    /// An address of ours, whole; in quotation marks for a shell.
    func quoted(_ path: String, _ pairs: [(name: String, value: String)] = [], _ request: DoorRequest) -> String {
        "'" + whole(path, pairs, request).filter { $0 != "'" } + "'"
    }

    func whole(_ path: String, _ pairs: [(name: String, value: String)] = [], _ request: DoorRequest) -> String {
        let query = PageAddress(pairs: pairs).query
        return (configuration.publicAddress ?? request.origin) + path + (query.isEmpty ? "" : "?\(query)")
    }

    /// What an address says so that the next page is in the same municipality, and in the same language where that was asked for.
    func kept(_ municipality: MunicipalityName?, _ request: DoorRequest) -> [(name: String, value: String)] {
        [("municipality", municipality?.text ?? ""), ("lang", request.query["lang"].flatMap { languages[$0]?.code } ?? "")]
    }

    // MARK: The first page

    func textHome(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(for: .everybody, at: request.now)
        let (municipality, services) = try await shownServices(request.query["municipality"])
        let language = textLanguage(request)
        var page = PlainText()
        page.heading("\(configuration.name): \(name(of: municipality, in: catalogue))")
        page.paragraph(language.text("plain.lead"))
        if services.isEmpty { page.paragraph(language.text("plain.none")) }
        for group in grouped(services, language) {
            page.section(group.title.isEmpty ? language.text("services.title") : group.title)
            for service in group.services {
                page.item(service.definition.id.text)
                page.item(service.definition.title[language.code], indent: 4)
            }
        }
        addWays(&page, municipality, services.first?.definition.id.text ?? "CODE", language, request)
        let names = try await configuration.municipalities()
        if names.count > 1 {
            page.paragraph(language.text("plain.municipalities"))
            for other in names.prefix(200) where other != municipality { page.verbatim("municipality=\(other)  \(name(of: other, in: catalogue))") }
        }
        return answer(page, request)
    }

    private func addWays(_ page: inout PlainText, _ municipality: MunicipalityName, _ code: String, _ language: Language, _ request: DoorRequest) {
        let pairs = kept(municipality, request)
        page.section(language.text("plain.how"))
        page.item(language.text("plain.see"))
        page.verbatim("curl " + quoted("/text/services/\(code)", pairs, request))
        page.item(language.text("plain.follow"))
        page.verbatim("curl " + quoted("/text/requests/REFERENCE", pairs, request))
        page.item(language.text("plain.figures"))
        page.verbatim("curl " + quoted("/text/figures", pairs, request))
        page.paragraph(language.text("plain.languages"))
        page.verbatim(languages.all.map { "lang=\($0.code)" }.joined(separator: "  "))
    }

    // MARK: A service

    func textService(_ request: DoorRequest) async throws -> Response {
        let municipality = try await municipality(request.query["municipality"])
        let access = try await gatekeeper.reading(municipality, .none)
        let service = try await desk.catalogue.service(try request.pathParameter("code"), access)
        guard service.isOffered else { throw CityError.resourceNotFound("there is no service \(service.definition.id) any more") }
        let (language, definition) = (textLanguage(request), service.definition)
        var page = PlainText()
        page.heading(definition.title[language.code])
        if let help = definition.help { page.paragraph(help[language.code]) }
        page.section(language.text("plain.asked"))
        let questions = TextQuestions(definition: definition, language: language)
        for field in definition.fields { questions.add(field, to: &page) }
        page.item("contact.name, contact.email, contact.telephone")
        page.item(language.text("report.contactHelp"), indent: 4)
        page.paragraph(privacy(definition, language))
        page.section(language.text("plain.report"))
        page.item(language.text("plain.reportLead"))
        page.blank()
        page.verbatim(questions.command(quoted("/text/services/\(definition.id)", kept(municipality, request), request)), indent: 0)
        return answer(page, request)
    }
}

extension DoorRequest {
    /// Whether who asks would rather have text than a page.
    var wantsPlainText: Bool { Acceptance.choose(headers[.accept], offers: ["text/html", SiteDoor.textType]) == SiteDoor.textType }
}
