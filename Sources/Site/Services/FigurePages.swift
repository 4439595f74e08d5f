internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Query
internal import Services
internal import Trust

/// `/figures/services`: for everybody, how many cases there are of each service, how fast they go and how they end; of one service, by district.
extension SiteDoor {
    static let figureParameters = [
        municipalityParameter, Route.Parameter("from", in: .query, "First day on which cases came, as 2026-01-31; a year before the last without it"),
        .init("to", in: .query, "Last day; today without it"), .init("service", in: .query, "Code of one service: its figures by district"),
    ]

    var figureRoutes: [Route] {
        let parameters = Self.figureParameters
        return [
            Route(
                .get, "/figures/services", "How many cases there are and how fast they go", tag: Self.servicesTag, parameters: parameters,
                responses: [.init(200, "The page", mediaTypes: ["text/html", Self.textType])], handler: figuresPage),
            Route(
                .get, "/figures/services.csv", "The same figures as CSV", tag: Self.servicesTag, parameters: parameters,
                responses: [.init(200, "A row for each service, or for each district of one", mediaTypes: ["text/csv"])], handler: figuresTable),
            Route(
                .get, "/figures/outcomes.csv", "How closed cases ended, as CSV", tag: Self.servicesTag, parameters: parameters,
                responses: [.init(200, "A row for each way in which cases of a service, or of each district of one, ended", mediaTypes: ["text/csv"])], handler: outcomesTable),
        ]
    }

    func figures(_ request: DoorRequest) async throws -> (question: FigureQuestion, found: CityFigures) {
        let municipality = try await shownServices(request.query["municipality"]).municipality
        let question = try FigureQuestion(request.query, municipality, zone: CivilZone(configuration.timeZone) ?? .utc, at: request.now)
        let audience = try await city.audience(request.credential, request.terms)
        let access = try await city.access(to: municipality, for: audience)
        return (question, try await caseFigures.figures(question.interval, access, at: request.now))
    }

    private func figuresPage(_ request: DoorRequest) async throws -> Response {
        if request.wantsPlainText { return try await plain(request, textFigures) }
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.figures, self, request, catalogue, cursor: cursor(catalogue))
        let model = try await figureModel(request, page.language, page.clock)
        let question = model.question
        for (name, value) in model.members { page.members[name] = value }
        page.members["lead"] = .string(page.language.text("figures.lead", ["from": page.clock.date(question.start), "to": page.clock.date(question.lastMoment)]))
        let names = try await configuration.municipalities()
        page.members["choice"] = .bool(names.count > 1)
        page.members["municipalities"] = .array(
            names.map { ["key": .string($0.text), "name": .string(name(of: $0, in: catalogue)), "selected": .bool($0 == question.municipality)] })
        return try answer(page, request)
    }

    /// Figures as they are told in words.
    func figureModel(_ request: DoorRequest, _ language: Language, _ clock: ClockText) async throws -> FigureModel {
        let (question, found) = try await figures(request)
        let access = try await gatekeeper.reading(question.municipality, .none)
        let titles = try await titles(question, found, access)
        let open = try await caseFigures.figures(question.interval, access, at: request.now).cases
        let answers = question.service.map { open.service($0)?.answers ?? [] } ?? open.all.answers
        return FigureModel(question: question, found: found, language: language, clock: clock, titles: titles, answers: answers)
    }

    /// Newer titles than those that cases were filed with, in the reader's language, and those of the steps that cases ended in.
    private func titles(_ question: FigureQuestion, _ found: CityFigures, _ access: ReadAccess) async throws -> ServiceTitles {
        var titles = ServiceTitles()
        let shown = question.service.map { found.cases.service($0).map { [$0] } ?? [] } ?? found.cases.services
        for service in shown.prefix(Self.titledCountMax) {
            guard let code = service.code, let newest = try? await desk.catalogue.service(code, access) else { continue }
            titles.add(newest.definition)
            var version = newest.version - 1
            let steps = service.whole.outcomes.keys.compactMap { if case .step(let step) = $0 { step } else { nil } }
            while version > 0, version > newest.version - Self.versionCountMax, !steps.allSatisfy({ titles.knows($0, of: code) }) {
                if let older = try? await desk.catalogue.service(code, version: version, access) { titles.add(older.definition) }
                version -= 1
            }
        }
        return titles
    }

    /// Services whose definitions are looked for, and versions of one: of older ones steps keep their bare names.
    private static let titledCountMax = 300
    private static let versionCountMax = 20

    private func outcomesTable(_ request: DoorRequest) async throws -> Response {
        let (question, found) = try await figures(request)
        let titles = try await titles(question, found, try await gatekeeper.reading(question.municipality, .none))
        let headers: HTTPFields = [.cacheControl: "no-store", .contentDisposition: "attachment; filename=\"outcomes.csv\""]
        let bytes = OutcomeTable(question: question, found: found, titles: titles, language: language(request)).bytes
        return Answers.body(bytes, type: "text/csv; charset=utf-8; header=present", request, headers: headers)
    }

    private func figuresTable(_ request: DoorRequest) async throws -> Response {
        let (question, found) = try await figures(request)
        let headers: HTTPFields = [.cacheControl: "no-store", .contentDisposition: "attachment; filename=\"services.csv\""]
        return Answers.body(FigureTable(question: question, found: found).bytes, type: "text/csv; charset=utf-8; header=present", request, headers: headers)
    }
}

/// Which figures somebody asks for.
struct FigureQuestion: Sendable {
    let municipality: MunicipalityName
    let service: String?
    let from: CivilDay
    let to: CivilDay
    private let zone: CivilZone

    static let dayCount = 365
    static let dayCountMax = 3660

    /// - Throws: `invalidRequest` for a day that is none, and for too long a time.
    init(_ query: QueryParameters, _ municipality: MunicipalityName, zone: CivilZone, at now: Instant) throws(CityError) {
        func day(_ name: String) throws(CityError) -> CivilDay? {
            guard let text = query[name], !text.isEmpty else { return nil }
            guard let day = CivilDay(text) else { throw .invalidRequest("\(name): a day is written as 2026-01-31") }
            return day
        }
        let last = try day("to") ?? zone.day(of: now)
        let first = try day("from") ?? CivilDay(number: last.number - Self.dayCount + 1)
        guard first.number <= last.number else { throw .invalidRequest("from: it is after to") }
        guard last.number - first.number < Self.dayCountMax else { throw .invalidRequest("from: at most \(Self.dayCountMax) days before to") }
        (self.municipality, self.zone, from, to) = (municipality, zone, first, last)
        service = query["service"].flatMap { $0.isEmpty ? nil : $0 }
    }

    var start: Instant { zone.start(ofDay: from) }
    private var end: Instant { zone.start(ofDay: CivilDay(number: to.number + 1)) }
    var lastMoment: Instant { Instant(microseconds: end.microseconds - 1) }
    var interval: CaseInterval { CaseInterval(start: start, end: end) }

    func address(_ path: String, service: String?) -> String {
        let pairs = [("municipality", municipality.text), ("from", Self.text(from)), ("to", Self.text(to)), ("service", service ?? "")]
        return path + "?" + PageAddress(pairs: pairs).query
    }

    static func text(_ day: CivilDay) -> String { day.text }
}

/// RFC 4180: the figures as numbers. Times are in seconds; a cell is empty where nothing can be said.
struct FigureTable {
    let question: FigureQuestion
    let found: CityFigures

    var bytes: [UInt8] {
        var bytes = CSVLine.bytes([
            "service_code", "service_name", "district", "cases", "open", "closed", "done", "with_target", "within_target", "target_seconds", "median_seconds", "p90_seconds",
            "residents", "channels", "outcomes",
        ])
        if let code = question.service {
            guard let service = found.cases.service(code) else { return bytes }
            for (name, figure) in service.districts { bytes += line(service, name, figure) }
        } else {
            for service in found.cases.services { bytes += line(service, nil, service.whole) }
        }
        return bytes
    }

    private func line(_ service: CaseFigures.Service, _ district: String?, _ figure: CaseFigure) -> [UInt8] {
        let counts = [figure.count, figure.openCount, figure.closedCount, figure.doneCount, figure.judgedCount, figure.withinTargetCount].map(String.init)
        let times = [figure.target, figure.durations?.median, figure.durations?.ninetieth, district.flatMap { found.residents[$0] }].map { $0.map { JSON.number($0).description } ?? "" }
        let channels = figure.channels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
        return CSVLine.bytes([service.code ?? "", service.name, district ?? ""] + counts + times + [channels, outcomes(figure)])
    }

    /// The steps alone; what was said has a table of its own.
    private func outcomes(_ figure: CaseFigure) -> String {
        figure.outcomes.compactMap { outcome, count in if case .step(let step) = outcome { (step: step, count: count) } else { nil } }
            .sorted { ($1.count, $0.step) < ($0.count, $1.step) }.map { "\($0.step): \($0.count)" }.joined(separator: "; ")
    }
}

/// RFC 4180: how cases ended, in the reader's language, with how many of the closed ones that is.
struct OutcomeTable {
    let question: FigureQuestion
    let found: CityFigures
    let titles: ServiceTitles
    let language: Language

    var bytes: [UInt8] {
        var bytes = CSVLine.bytes(["service_code", "service_name", "district", "step", "outcome", "cases", "closed", "share"])
        if let code = question.service {
            guard let service = found.cases.service(code) else { return bytes }
            for (name, figure) in service.districts { bytes += lines(service, name, figure) }
        } else {
            for service in found.cases.services { bytes += lines(service, nil, service.whole) }
        }
        return bytes
    }

    private func lines(_ service: CaseFigures.Service, _ district: String?, _ figure: CaseFigure) -> [UInt8] {
        let rows = figure.outcomes.map { outcome, count in
            (step: { if case .step(let step) = outcome { step } else { "" } }(), words: titles.words(outcome, of: service.code, language), count: count)
        }
        return rows.sorted { ($1.count, $0.words) < ($0.count, $1.words) }.flatMap { row in
            let share = JSON.number(Double(row.count) / Double(max(figure.closedCount, 1))).description
            return CSVLine.bytes([service.code ?? "", service.name, district ?? "", row.step, row.words, String(row.count), String(figure.closedCount), share])
        }
    }
}
