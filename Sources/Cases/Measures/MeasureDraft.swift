package import CityModel
package import Query
internal import Services

/// A measure as staff type it: texts as they came, so that nothing is lost where something is wrong.
package struct MeasureDraft: Hashable, Sendable {
    /// By language.
    package var titles: [String: String] = [:]
    package var texts: [String: String] = [:]
    package var effectiveOn = ""
    package var services: [String] = []
    package var reportsFrom = ""
    package var reportsTo = ""
    package var latitude = ""
    package var longitude = ""
    package var radius = ""
    package var district = ""
    /// Type and attribute with a blank between; empty for none.
    package var indicator = ""
    package var indicatorRadius = ""
    package var indicatorUnit = ""
    package var indicatorDays = ""
    package init() {}

    package static let (titleCountMax, textCountMax, districtCountMax, serviceCountMax) = (120, 5000, 200, 20)
    package static let metres = 10.0...20_000.0
    /// How long before it takes effect one may be written.
    package static let daysAheadMax = 366
}

/// What is wrong with one field of it.
package struct MeasureFault: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        case missing, notADay, notANumber, unknownChoice, notAUnit
        case tooLong(countMax: Int)
        case tooMany(countMax: Int)
        case below(Double)
        case above(Double)
        /// The day lies too far ahead.
        case tooFarAhead
        /// Reports that a measure answers came before it took effect.
        case notBeforeEffect
        case beforeFirstDay
        case tooManyDays(countMax: Int)
        /// Metres around no place.
        case withoutPlace
        /// Around a place and in a district at once.
        case twoAreas
    }

    /// As the form calls it, such as `title.en`.
    package let field: String
    package let reason: Reason
}

/// What a draft is held against.
package struct MeasureRules: Sendable {
    /// Codes of languages, the first that something has to be said in where it is said in none.
    package let languages: [String]
    package let services: Set<String>
    /// Type and attribute with a blank between.
    package let indicators: Set<String>
    package let today: CivilDay
    package init(languages: [String], services: Set<String>, indicators: Set<String>, today: CivilDay) {
        (self.languages, self.services, self.indicators, self.today) = (languages, services, indicators, today)
    }
}

extension MeasureDraft {
    /// - Returns: the measure, or all that is wrong, in the order of the form.
    package func measure(_ key: String, _ rules: MeasureRules) -> (measure: Measure?, faults: [MeasureFault]) {
        var reading = MeasureReading(draft: self, rules: rules)
        let measure = reading.measure(key)
        return (reading.faults.isEmpty ? measure : nil, reading.faults)
    }

    /// As it is typed to be changed.
    package init(_ measure: Measure) {
        (titles, texts) = (measure.title.texts, measure.text.texts)
        effectiveOn = measure.effectiveOn.text
        services = measure.services
        (reportsFrom, reportsTo) = (measure.reportsFrom.text, measure.reportsTo.text)
        if let center = measure.place?.boundingBox.center {
            (latitude, longitude) = (JSON.number(center.latitude).description, JSON.number(center.longitude).description)
        }
        switch measure.area {
        case .municipality: break
        case .around(let metres): radius = Self.typed(metres)
        case .district(let name): district = name
        }
        guard let shown = measure.indicator else { return }
        indicator = Self.indicator(shown.type, shown.attribute)
        (indicatorRadius, indicatorUnit, indicatorDays) = (shown.metres.map(Self.typed) ?? "", shown.unitCode ?? "", String(shown.dayCount))
    }

    package static func indicator(_ type: IRI, _ attribute: IRI) -> String { "\(type.defaultName) \(attribute.defaultName)" }

    private static func typed(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? JSON.number(number).description }
}

/// Reads one draft, and gathers what is wrong.
private struct MeasureReading {
    let draft: MeasureDraft
    let rules: MeasureRules
    private(set) var faults: [MeasureFault] = []

    init(draft: MeasureDraft, rules: MeasureRules) { (self.draft, self.rules) = (draft, rules) }

    private mutating func refuse(_ field: String, _ reason: MeasureFault.Reason) { faults.append(MeasureFault(field: field, reason: reason)) }

    mutating func measure(_ key: String) -> Measure? {
        let (title, text) = words()
        let effectiveOn = day("effectiveOn", draft.effectiveOn)
        if let effectiveOn, effectiveOn > rules.today.adding(MeasureDraft.daysAheadMax) { refuse("effectiveOn", .tooFarAhead) }
        let services = services()
        let period = period(effectiveOn)
        let place = place()
        let area = area(place)
        let indicator = indicator(place)
        guard let title, let text, let effectiveOn, let period, !services.isEmpty else { return nil }
        return Measure(
            key: key, title: title, text: text, effectiveOn: effectiveOn, place: place, services: services, reportsFrom: period.from, reportsTo: period.to, area: area,
            indicator: indicator)
    }

    // MARK: What was done

    /// In each language in which something is said, title and text are.
    private mutating func words() -> (LocalizedText?, LocalizedText?) {
        var (titles, texts): ([String: String], [String: String]) = ([:], [:])
        let languages = rules.languages + draft.titles.keys.filter { !rules.languages.contains($0) }.sorted()
        for language in languages {
            let (title, text) = (SaidText.cleaned(draft.titles[language] ?? ""), SaidText.cleaned(draft.texts[language] ?? ""))
            guard !(title.isEmpty && text.isEmpty) else { continue }
            check("title.\(language)", title, countMax: MeasureDraft.titleCountMax)
            check("text.\(language)", text, countMax: MeasureDraft.textCountMax)
            (titles[language], texts[language]) = (title, text)
        }
        guard let first = languages.first(where: { titles[$0] != nil }) else {
            for name in ["title", "text"] { refuse("\(name).\(rules.languages.first ?? "en")", .missing) }
            return (nil, nil)
        }
        return (LocalizedText(titles, first: first), LocalizedText(texts, first: first))
    }

    private mutating func check(_ field: String, _ text: String, countMax: Int) {
        if text.isEmpty { refuse(field, .missing) } else if text.count > countMax { refuse(field, .tooLong(countMax: countMax)) }
    }

    private mutating func day(_ field: String, _ text: String) -> CivilDay? {
        let text = text.filter { !$0.isWhitespace }
        guard !text.isEmpty else {
            refuse(field, .missing)
            return nil
        }
        if let day = CivilDay(text) { return day }
        refuse(field, .notADay)
        return nil
    }

    // MARK: What was said

    private mutating func services() -> [String] {
        var services: [String] = []
        for code in draft.services where !services.contains(code) { services.append(code) }
        if services.isEmpty { refuse("services", .missing) }
        if services.count > MeasureDraft.serviceCountMax { refuse("services", .tooMany(countMax: MeasureDraft.serviceCountMax)) }
        if services.contains(where: { !rules.services.contains($0) }) { refuse("services", .unknownChoice) }
        return services
    }

    private mutating func period(_ effectiveOn: CivilDay?) -> (from: CivilDay, to: CivilDay)? {
        guard let from = day("reportsFrom", draft.reportsFrom) else {
            if !draft.reportsTo.isEmpty { _ = day("reportsTo", draft.reportsTo) }
            return nil
        }
        // Without a last day it is the one before the measure.
        guard let to = draft.reportsTo.allSatisfy(\.isWhitespace) ? effectiveOn?.adding(-1) : day("reportsTo", draft.reportsTo) else { return nil }
        if let effectiveOn, from >= effectiveOn {
            refuse("reportsFrom", .notBeforeEffect)
        } else if let effectiveOn, to >= effectiveOn {
            refuse("reportsTo", .notBeforeEffect)
        } else if to < from {
            refuse("reportsTo", .beforeFirstDay)
        } else if to.number - from.number >= Measure.dayCountMax {
            refuse("reportsFrom", .tooManyDays(countMax: Measure.dayCountMax))
        }
        return (from, to)
    }

    private mutating func number(_ field: String, _ text: String, in range: ClosedRange<Double>) -> Double? {
        let written = text.filter { !$0.isWhitespace }.replacing(",", with: ".")
        guard !written.isEmpty else { return nil }
        guard let number = Double(written), number.isFinite else {
            refuse(field, .notANumber)
            return nil
        }
        if number < range.lowerBound { refuse(field, .below(range.lowerBound)) } else if number > range.upperBound { refuse(field, .above(range.upperBound)) }
        return range.contains(number) ? number : nil
    }

    private mutating func place() -> Geometry? {
        let count = faults.count
        let (latitude, longitude) = (number("latitude", draft.latitude, in: -90...90), number("longitude", draft.longitude, in: -180...180))
        guard faults.count == count else { return nil }
        switch (latitude, longitude) {
        case (nil, nil): return nil
        case (nil, _?): refuse("latitude", .missing)
        case (_?, nil): refuse("longitude", .missing)
        case (let latitude?, let longitude?): return try? Geometry(longitude: longitude, latitude: latitude)
        }
        return nil
    }

    private mutating func area(_ place: Geometry?) -> Measure.Area {
        let metres = number("radius", draft.radius, in: MeasureDraft.metres)
        let district = SaidText.cleaned(draft.district)
        if district.count > MeasureDraft.districtCountMax { refuse("district", .tooLong(countMax: MeasureDraft.districtCountMax)) }
        guard let metres else { return district.isEmpty ? .municipality : .district(district) }
        if !district.isEmpty { refuse("district", .twoAreas) }
        if place == nil { refuse("radius", .withoutPlace) }
        return .around(metres: metres)
    }

    // MARK: By what one sees whether it helped

    private mutating func indicator(_ place: Geometry?) -> Measure.Indicator? {
        let metres = number("indicatorRadius", draft.indicatorRadius, in: MeasureDraft.metres)
        let days = number("indicatorDays", draft.indicatorDays, in: Double(Measure.Indicator.dayCounts.lowerBound)...Double(Measure.Indicator.dayCounts.upperBound))
        let unit = draft.indicatorUnit.filter { !$0.isWhitespace }.uppercased()
        if !unit.isEmpty, unit.utf8.count > 3 || !unit.utf8.allSatisfy({ (65...90).contains($0) || (48...57).contains($0) }) { refuse("indicatorUnit", .notAUnit) }
        guard !draft.indicator.isEmpty else { return nil }
        let parts = draft.indicator.split(separator: " ").map(String.init)
        guard rules.indicators.contains(draft.indicator), parts.count == 2, let type = IRI(defaultName: parts[0]), let attribute = IRI(defaultName: parts[1]) else {
            refuse("indicator", .unknownChoice)
            return nil
        }
        if metres != nil, place == nil { refuse("indicatorRadius", .withoutPlace) }
        return Measure.Indicator(
            type: type, attribute: attribute, metres: metres, unitCode: unit.isEmpty ? nil : unit, dayCount: days.map { Int($0.rounded()) } ?? Measure.Indicator.dayCountStandard)
    }
}
