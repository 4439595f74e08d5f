internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Policy
internal import Query
internal import Services
internal import Trust

/// `/measures`: you said, we did. For everybody, what the city did about what was reported, and what was before and after.
extension SiteDoor {
    var measureRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        return [
            Route(
                .get, "/measures", "What was done about what residents reported", tag: Self.servicesTag,
                parameters: [Self.municipalityParameter, .init("page", in: .query, "Which page of the list, from 1 on")], responses: [page], handler: measuresPage),
            Route(
                .get, "/measures.atom", "The measures as a feed, those that took effect last first", tag: Self.servicesTag, parameters: [Self.municipalityParameter],
                responses: [.init(200, "The feed", mediaTypes: ["application/atom+xml"])], handler: measureFeed),
            Route(
                .get, "/measures/{measure}", "A measure, with the reports that it answers and what was before and after", tag: Self.servicesTag,
                parameters: [Self.measureParameter, Self.municipalityParameter], responses: [page], handler: measurePage),
        ]
    }

    static let measureParameter = Route.Parameter("measure", in: .path, "The end of the measure's identifier, or all of one that begins otherwise")
    static let measureRowCount = 20

    static func address(of measure: Measure, in municipality: MunicipalityName) -> String {
        "/measures/\(PercentEncoding.encode(measure.key))?" + PageAddress(pairs: [("municipality", municipality.text)]).query
    }

    // MARK: The list

    private func measuresPage(_ request: DoorRequest) async throws -> Response {
        let municipality = try await shownServices(request.query["municipality"]).municipality
        let access = try await city.access(to: municipality, for: try await city.audience(request.credential, request.terms))
        let number = max(1, min(request.query["page"].flatMap { Int($0) } ?? 1, 1000))
        let found = try await desk.measures(offset: (number - 1) * Self.measureRowCount, limit: Self.measureRowCount, access, at: request.now)
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.measures, self, request, catalogue, cursor: cursor(catalogue))
        let titles = try await titles(of: found.measures.flatMap(\.services), access)
        let words = MeasureWords(language: page.language, clock: page.clock, zone: zone, titles: titles)
        page.members["municipality"] = .string(municipality.text)
        page.members["count"] = .string(page.language.text("measures.count", count: found.count))
        page.members["measures"] = .array(found.measures.map { words.item($0, href: Self.address(of: $0, in: municipality), today: zone.day(of: request.now)) })
        page.members["hasMeasures"] = .bool(!found.measures.isEmpty)
        page.members["figuresHref"] = .string("/figures/services?" + PageAddress(pairs: [("municipality", municipality.text)]).query)
        func link(_ number: Int) -> JSON { .string("/measures?" + PageAddress(pairs: [("municipality", municipality.text), ("page", number == 1 ? "" : String(number))]).query) }
        page.members["previous"] = number > 1 ? link(number - 1) : .null
        page.members["next"] = number * Self.measureRowCount < found.count ? link(number + 1) : .null
        let names = try await configuration.municipalities()
        page.members["choice"] = .bool(names.count > 1)
        page.members["municipalities"] = .array(
            names.map { ["key": .string($0.text), "name": .string(name(of: $0, in: catalogue)), "selected": .bool($0 == municipality)] })
        return try answer(page, request)
    }

    /// What some services are called now.
    func titles(of codes: [String], _ access: ReadAccess) async throws -> ServiceTitles {
        var titles = ServiceTitles()
        for code in Set(codes).sorted().prefix(100) {
            if let service = try? await desk.catalogue.service(code, access) { titles.add(service.definition) }
        }
        return titles
    }

    private func measureFeed(_ request: DoorRequest) async throws -> Response {
        let municipality = try await municipality(request.query["municipality"])
        let access = try await gatekeeper.reading(municipality, .none)
        let (language, origin) = (language(request), configuration.publicAddress ?? request.origin)
        let entries = try await desk.measures(limit: Self.measureRowCount, access, at: request.now).measures.map { measure in
            AtomEntry(
                id: measure.id.text, title: measure.title[language.code], text: measure.text[language.code], link: origin + Self.address(of: measure, in: municipality),
                updated: zone.start(ofDay: measure.effectiveOn))
        }
        let feed = AtomFeed(id: "\(origin)\(request.path)", title: "\(configuration.name): \(language.text("measures.title"))", language: language.code, entries: entries)
        return Answers.body(Array(feed.text.utf8), type: "application/atom+xml; charset=utf-8", request, headers: [.cacheControl: "public, max-age=60"])
    }

    // MARK: One of them

    private func measurePage(_ request: DoorRequest) async throws -> Response {
        let municipality = try await municipality(request.query["municipality"])
        let access = try await city.access(to: municipality, for: try await city.audience(request.credential, request.terms))
        let aggregate = try await city.access(to: municipality, for: try await city.audience(request.credential, request.terms, to: .aggregate))
        let everybody = try await gatekeeper.reading(municipality, .none)
        let measure = try await desk.measure(try request.pathParameter("measure"), access, at: request.now)
        let question = MeasureQuestion(measure, today: zone.day(of: request.now), zone: zone, reading: access, everybody: everybody)
        let figures = try await measureFigures.figures(question, aggregate, at: request.now)
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.measure, self, request, catalogue, cursor: cursor(catalogue))
        let titles = try await titles(of: measure.services, access)
        let words = MeasureWords(language: page.language, clock: page.clock, zone: zone, titles: titles)
        let model = MeasureModel(measure: measure, figures: figures, words: words, municipality: municipality, units: languages, today: question.today, tallyCountMax: desk.limits.tallyCountMax)
        for (name, value) in model.members { page.members[name] = value }
        page.members["title"] = .string(measure.title[page.language.code])
        page.members["allHref"] = .string("/measures?" + PageAddress(pairs: [("municipality", municipality.text)]).query)
        page.members["editHref"] = request.session == nil ? .null : .string("/desk/measures/\(PercentEncoding.encode(measure.key))")
        return try answer(page, request)
    }
}
