internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Services

/// Figures as the page `/figures/services` shows them.
struct FigureModel {
    let question: FigureQuestion
    let found: CityFigures
    let language: Language
    let clock: ClockText
    /// What services and their steps are called.
    let titles: ServiceTitles
    /// As everybody may see them: what leads on from here leads to pages for everybody.
    let answers: [ClosingAnswer]

    var members: JSONObject {
        let chosen = question.service.flatMap { found.cases.service($0) }
        let shown = chosen ?? found.cases.all
        let isOne = question.service != nil
        let rows = isOne ? chosen?.districts.map(districtRow) ?? [] : found.cases.services.map(serviceRow)
        let whole = isOne ? chosen?.whole ?? CaseFigure() : shown.whole
        return [
            "municipality": .string(question.municipality.text), "from": .string(FigureQuestion.text(question.from)), "to": .string(FigureQuestion.text(question.to)),
            "service": question.service.map(JSON.string) ?? .null, "serviceTitle": chosen.map { .string(title($0)) } ?? .null, "isOne": .bool(isOne),
            "allHref": .string(question.address("/figures/services", service: nil)), "measuresHref": .string("/measures?" + PageAddress(pairs: [("municipality", question.municipality.text)]).query),
            "csvHref": .string(question.address("/figures/services.csv", service: question.service)),
            "count": .string(language.text("figures.count", count: whole.count)), "rows": .array(rows), "hasRows": .bool(!rows.isEmpty),
            "hasResidents": .bool(isOne && rows.contains { $0["perThousand"]?.stringValue != nil }),
            "outcomes": outcomes(isOne ? chosen.map { [$0] } ?? [] : found.cases.services), "hasOutcomes": .bool(whole.closedCount > 0),
            "outcomesHref": .string(question.address("/figures/outcomes.csv", service: question.service)),
            "outcomesCount": .string(language.text("figures.closedCount", count: whole.closedCount)),
            "answers": .array(answers.map(answer)), "hasAnswers": .bool(!answers.isEmpty),
            "channels": .array(channels(whole.channels)), "hasChannels": .bool(!whole.channels.isEmpty),
        ]
    }

    private func title(_ service: CaseFigures.Service) -> String { service.code.flatMap { titles.title(of: $0, language) } ?? service.name }

    private func serviceRow(_ service: CaseFigures.Service) -> JSON {
        row(title(service), service.whole, href: question.address("/figures/services", service: service.code))
    }

    private func districtRow(_ district: (name: String?, figure: CaseFigure)) -> JSON {
        let residents = district.name.flatMap { found.residents[$0] }
        return row(district.name ?? language.text("figures.noDistrict"), district.figure, perThousand: residents.map { Double(district.figure.count) / $0 * 1000 })
    }

    private func row(_ title: String, _ figure: CaseFigure, href: String? = nil, perThousand: Double? = nil) -> JSON {
        let few = JSON.string(language.text("figures.few"))
        func time(_ seconds: Double?) -> JSON { seconds.map { .string(Self.time($0, language)) } ?? few }
        return [
            "title": .string(title), "href": href.map(JSON.string) ?? .null, "cases": .string(language.count(figure.count)), "closed": .string(language.count(figure.closedCount)),
            "perThousand": perThousand.map { .string(language.number($0)) } ?? .null,
            "share": figure.shareWithinTarget.map { .string(language.text("figures.percent", ["number": language.count(Int(($0 * 100).rounded()))])) } ?? .null,
            "median": time(figure.durations?.median), "ninetieth": time(figure.durations?.ninetieth),
            "target": figure.target.map { .string(Self.time($0, language)) } ?? .null, "bars": bars(figure),
        ]
    }

    /// Half of a bar's width is the target, so that bars of quick and of slow services can be compared; what takes more than twice as long ends at the edge.
    private func bars(_ figure: CaseFigure) -> JSON {
        guard let durations = figure.durations, let target = figure.target, target > 0 else { return .null }
        func width(_ seconds: Double) -> JSON { .integer(Int64(min(100, max(1, (seconds / target * 50).rounded())))) }
        return ["median": width(durations.median), "ninetieth": width(durations.ninetieth)]
    }

    /// In the largest unit of which there are two.
    static func time(_ seconds: Double, _ language: Language) -> String {
        let (name, size): (String, Double) = seconds >= 172_800 ? ("days", 86_400) : seconds >= 7200 ? ("hours", 3600) : ("minutes", 60)
        return language.text("figures.\(name)", count: Int(min(seconds / size, 1e9).rounded()))
    }

    /// Steps of several services that are called the same are one line.
    private func outcomes(_ services: [CaseFigures.Service]) -> JSON {
        var counts: [String: Int] = [:]
        for service in services {
            for (outcome, count) in service.whole.outcomes { counts[titles.words(outcome, of: service.code, language), default: 0] += count }
        }
        return .array(tally(counts, rest: language.text("figures.otherOutcomes")))
    }

    /// The most frequent first; the rest, which may be there already, is the last line. Lines together are all that is counted.
    private func tally(_ counts: [String: Int], rest: String) -> [JSON] {
        let whole = counts.values.reduce(0, +)
        let sorted = counts.filter { $0.key != rest }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        var lines = sorted.prefix(Self.lineCountMax).map { (label: $0.key, count: $0.value) }
        let restCount = whole - lines.reduce(0) { $0 + $1.count }
        if restCount > 0 { lines.append((rest, restCount)) }
        return lines.map { ["label": .string($0.label), "count": .string(language.count($0.count)), "share": .string(percent($0.count, of: whole))] }
    }

    private static let lineCountMax = 20

    private func percent(_ count: Int, of whole: Int) -> String {
        language.text("figures.percent", ["number": language.number((Double(count) / Double(max(whole, 1)) * 1000).rounded() / 10)])
    }

    private func answer(_ answer: ClosingAnswer) -> JSON {
        let reference = answer.reference.flatMap(CaseReference.init)
        // Only what was filed here has a page.
        let isHere = reference != nil && titles.title(of: answer.code, language) != nil
        let query = PageAddress(pairs: [("municipality", question.municipality.text)]).query
        let isCut = answer.text.count >= ClosingAnswer.textCountMax
        return [
            "reference": .string(reference?.shown ?? answer.reference ?? ""), "href": isHere ? reference.map { .string("/requests/\($0)?\(query)") } ?? .null : .null,
            "iso": .string(answer.closedAt.description), "when": .string(clock.date(answer.closedAt)),
            "service": .string(titles.title(of: answer.code, language) ?? found.cases.service(answer.code)?.name ?? answer.code),
            "outcome": .string(titles.words(answer.outcome, of: answer.code, language)), "isStep": .bool(answer.outcome.isStep),
            "text": .string(answer.text + (isCut ? "…" : "")),
        ]
    }

    private func channels(_ counts: [String: Int]) -> [JSON] {
        let rest = language.text("figures.otherWays")
        let words = counts.map { ($0.key.isEmpty ? rest : language.value($0.key, of: "channel"), $0.value) }
        return tally(Dictionary(words, uniquingKeysWith: +), rest: rest)
    }
}

extension CaseOutcome {
    fileprivate var isStep: Bool { if case .step = self { true } else { false } }
}
