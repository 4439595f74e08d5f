internal import Cases
internal import CityModel
internal import OrderedCollections

/// The form of a measure: what was typed, what can be chosen, and beside each field what is wrong with it.
struct MeasureFormModel {
    let draft: MeasureDraft
    let faults: [MeasureFault]
    let choices: MeasureChoices
    /// The reader's.
    let language: Language
    let languages: [Language]

    var members: JSONObject {
        let first = words(language.code, language.name, isFirst: true)
        let others = languages.filter { $0.code != language.code }.map { words($0.code, $0.name, isFirst: false) }
        let known = Set(languages.map(\.code))
        let foreign = Set(draft.titles.keys).union(draft.texts.keys).subtracting(known).sorted().map { words($0, $0, isFirst: false) }
        return [
            "first": first, "others": .array(others + foreign), "othersOpen": .bool((others + foreign).contains { $0["isOpen"]?.boolValue ?? false }),
            "services": .array(
                choices.services.sorted { ($0.title, $0.code) < ($1.title, $1.code) }.map { ["key": .string($0.code), "label": .string($0.title), "selected": .bool(draft.services.contains($0.code))] }),
            "hasServices": .bool(!choices.services.isEmpty), "servicesFault": fault("services"),
            "effectiveOn": field("effectiveOn", draft.effectiveOn), "reportsFrom": field("reportsFrom", draft.reportsFrom), "reportsTo": field("reportsTo", draft.reportsTo),
            "latitude": field("latitude", draft.latitude), "longitude": field("longitude", draft.longitude), "radius": field("radius", draft.radius),
            "district": field("district", draft.district), "districts": .array(choices.districts.prefix(500).map(JSON.string)),
            "indicators": .array(
                choices.indicators.sorted { ($0.label, $0.key) < ($1.label, $1.key) }.map { ["key": .string($0.key), "label": .string($0.label), "selected": .bool(draft.indicator == $0.key)] }),
            "indicatorFault": fault("indicator"), "indicatorRadius": field("indicatorRadius", draft.indicatorRadius),
            "indicatorUnit": field("indicatorUnit", draft.indicatorUnit), "indicatorDays": field("indicatorDays", draft.indicatorDays),
            "hasFaults": .bool(!faults.isEmpty),
            "faults": .array(faults.map { ["target": .string(Self.target($0.field)), "label": .string(label($0.field)), "text": .string(reason($0.reason))] }),
        ]
    }

    private func words(_ code: String, _ name: String, isFirst: Bool) -> JSON {
        let (title, text) = (draft.titles[code] ?? "", draft.texts[code] ?? "")
        return [
            "code": .string(code), "language": code.hasPrefix("@") ? false : .string(code), "name": .string(name), "titleLabel": .string(label("title.\(code)")),
            "textLabel": .string(label("text.\(code)")), "title": field("title.\(code)", title), "text": field("text.\(code)", text),
            "isOpen": .bool(!title.isEmpty || !text.isEmpty || faults.contains { $0.field.hasSuffix(".\(code)") }),
        ]
    }

    /// Every field has every key.
    private func field(_ name: String, _ value: String) -> JSON { ["target": .string(Self.target(name)), "value": .string(value), "fault": fault(name)] }

    private func fault(_ name: String) -> JSON { faults.first { $0.field == name }.map { .string(reason($0.reason)) } ?? false }

    /// As the element is called; a dot would need to be escaped in selectors.
    private static func target(_ field: String) -> String { "measure-" + field.replacing(".", with: "-").replacing("@", with: "") }

    private func label(_ field: String) -> String {
        let parts = field.split(separator: ".", maxSplits: 1).map(String.init)
        let label = language.text("deskmeasure.fields.\(parts[0])")
        guard parts.count == 2 else { return label }
        return language.text("deskmeasure.inLanguage", ["field": label, "language": languages.first { $0.code == parts[1] }?.name ?? parts[1]])
    }

    private func reason(_ reason: MeasureFault.Reason) -> String {
        func own(_ name: String, _ values: [String: String] = [:]) -> String { language.text("deskmeasure.reasons.\(name)", values) }
        func common(_ name: String, _ values: [String: String] = [:]) -> String { language.text("report.reasons.\(name)", values) }
        return switch reason {
        case .missing: common("missing")
        case .notADay: common("notADate")
        case .notANumber: common("notANumber")
        case .unknownChoice: common("unknownChoice")
        case .tooLong(let countMax): common("tooLong", ["number": language.count(countMax)])
        case .tooMany(let countMax): common("tooMany", ["number": language.count(countMax)])
        case .below(let number): common("below", ["number": language.number(number)])
        case .above(let number): common("above", ["number": language.number(number)])
        case .notAUnit: own("notAUnit")
        case .tooFarAhead: own("tooFarAhead")
        case .notBeforeEffect: own("notBeforeEffect")
        case .beforeFirstDay: own("beforeFirstDay")
        case .tooManyDays(let countMax): language.text("deskmeasure.reasons.tooManyDays", count: countMax)
        case .withoutPlace: own("withoutPlace")
        case .twoAreas: own("twoAreas")
        }
    }
}
