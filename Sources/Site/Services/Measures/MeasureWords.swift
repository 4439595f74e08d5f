internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Services

/// Measures in a reader's words.
struct MeasureWords {
    let language: Language
    let clock: ClockText
    let zone: CivilZone
    let titles: ServiceTitles

    private static let excerptCountMax = 240

    /// One line of a list. Every item has every key.
    func item(_ measure: Measure, href: String, today: CivilDay) -> JSON {
        let text = measure.text[language.code]
        let excerpt = text.prefix(Self.excerptCountMax)
        return [
            "href": .string(href), "title": .string(measure.title[language.code]), "titleLanguage": tag(measure.title), "text": .string(excerpt.count < text.count ? excerpt + "…" : text),
            "textLanguage": tag(measure.text), "day": .string(since(measure, today: today)), "services": .array(services(measure).map(JSON.string)),
        ]
    }

    func services(_ measure: Measure) -> [String] { measure.services.map { titles.title(of: $0, language) ?? $0 } }

    func since(_ measure: Measure, today: CivilDay) -> String {
        language.text(measure.effectiveOn > today ? "measures.from" : "measures.since", ["day": day(measure.effectiveOn)])
    }

    /// At noon, which is on this day wherever clocks stand.
    func day(_ day: CivilDay) -> String { clock.date(zone.start(ofDay: day).adding(seconds: 43_200)) }

    /// The first and the last day.
    func days(_ span: DaySpan) -> String {
        span.dayCount == 1 ? day(span.first) : language.text("measure.days", ["from": day(span.first), "to": day(span.last)])
    }

    /// In which language a text is shown, where that is not the page's; false where that is not known.
    func tag(_ text: LocalizedText) -> JSON {
        let code = text.texts[language.code] != nil ? language.code : text.texts["en"] != nil ? "en" : text.first
        return code == language.code || code.hasPrefix("@") ? false : .string(code)
    }

    func metres(_ metres: Double) -> String {
        metres >= 2000 ? language.text("measure.kilometres", ["number": language.number(metres / 1000)]) : language.text("measure.metres", ["number": language.number(metres)])
    }

    func area(_ measure: Measure) -> String {
        switch measure.area {
        case .municipality: language.text("measure.areas.municipality")
        case .around(let metres): language.text("measure.areas.around", ["distance": self.metres(metres)])
        case .district(let name): language.text("measure.areas.district", ["district": name])
        }
    }

    /// A row of a table that compares. Every row has every key.
    /// - Parameter difference: false where nothing can be said.
    func row(_ key: String, _ before: String, _ after: String, difference: JSON = false) -> JSON {
        ["label": .string(language.text("measure.rows.\(key)")), "before": .string(before), "after": .string(after), "difference": difference]
    }

    /// With its sign, and in percent of what was before.
    /// - Parameter unit: what a number is shown in.
    func difference(from before: Double, to after: Double, _ unit: ShownUnit? = nil) -> String {
        let text = number((after - before) * (unit?.factor ?? 1), unit, isSigned: true)
        guard before != 0 else { return text }
        let percent = ((after - before) / before.magnitude * 1000).rounded() / 10
        return text + " (" + language.text("figures.percent", ["number": number(percent, nil, isSigned: true)]) + ")"
    }

    func number(_ number: Double, _ unit: ShownUnit?, isSigned: Bool = false) -> String {
        let symbol = unit?.symbol ?? ""
        // As before a minus, a mark keeps the sign before its number in what is written from right to left.
        let plus = language.direction == .rightToLeft ? "\u{200E}+" : "+"
        return (isSigned && number > 0 ? plus : "") + language.number(number) + (symbol.isEmpty ? "" : "\u{A0}" + symbol)
    }
}
