internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Services

/// Figures as the page `/figures/services` shows them.
struct FigureModel {
    let question: FigureQuestion
    let found: CityFigures
    let language: Language
    /// By code, those that are offered now.
    let definitions: [String: ServiceDefinition]

    var members: JSONObject {
        let chosen = question.service.flatMap { found.cases.service($0) }
        let shown = chosen ?? found.cases.all
        let isOne = question.service != nil
        let rows = isOne ? chosen?.districts.map(districtRow) ?? [] : found.cases.services.map(serviceRow)
        let whole = isOne ? chosen?.whole ?? CaseFigure() : shown.whole
        return [
            "municipality": .string(question.municipality.text), "from": .string(FigureQuestion.text(question.from)), "to": .string(FigureQuestion.text(question.to)),
            "service": question.service.map(JSON.string) ?? .null, "serviceTitle": chosen.map { .string(title($0)) } ?? .null, "isOne": .bool(isOne),
            "allHref": .string(question.address("/figures/services", service: nil)), "csvHref": .string(question.address("/figures/services.csv", service: question.service)),
            "count": .string(language.text("figures.count", count: whole.count)), "rows": .array(rows), "hasRows": .bool(!rows.isEmpty),
            "hasResidents": .bool(isOne && rows.contains { $0["perThousand"]?.stringValue != nil }),
            "outcomes": words(whole.outcomes) { outcome($0, chosen?.code) }, "hasOutcomes": .bool(!whole.outcomes.isEmpty),
            "channels": words(whole.channels) { language.value($0, of: "channel") }, "hasChannels": .bool(!whole.channels.isEmpty),
        ]
    }

    private func title(_ service: CaseFigures.Service) -> String { service.code.flatMap { definitions[$0]?.title[language.code] } ?? service.name }

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

    private func outcome(_ step: String, _ code: String?) -> String {
        if step.isEmpty { return language.text("figures.closedOnly") }
        if let known = language.known("case.steps.\(step)") { return known }
        let definition = code.flatMap { definitions[$0] } ?? definitions.values.first { $0.step(step) != nil }
        return definition?.step(step)?.title[language.code] ?? step
    }

    private func words(_ counts: [String: Int], _ label: (String) -> String) -> JSON {
        .array(counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ["label": .string(label($0.key)), "count": .string(language.count($0.value))] })
    }
}
