internal import Cases
internal import CityModel
internal import Services

/// What a service asks, as text, and how it is answered with one command.
struct TextQuestions {
    let definition: ServiceDefinition
    let language: Language

    private var code: String { language.code }

    func add(_ field: ServiceField, to page: inout PlainText) {
        let name = TextForm.name(of: field.id)
        page.item(field.required == .always && field.asked == nil ? "\(name) (\(language.text("plain.needed")))" : name)
        page.item(field.label[code], indent: 4)
        if let help = field.help { page.item(help[code], indent: 4) }
        if let asked = field.asked { page.item(words(asked), indent: 4) }
        switch field.kind {
        case .choice(let choices, let several):
            page.item(language.text(several ? "plain.several" : "plain.one"), indent: 4)
            for choice in choices { page.item("\(choice.id): \(choice.label[code])", mark: "- ", indent: 4) }
        case .number: page.item(language.text("plain.kinds.number"), indent: 4)
        case .date: page.item(language.text("plain.kinds.date"), indent: 4)
        case .place: page.item(language.text("plain.kinds.place"), indent: 4)
        case .consent: page.item(language.text("plain.kinds.consent"), indent: 4)
        case .entity: page.item(language.text("plain.kinds.entity"), indent: 4)
        case .photo, .file: page.item("-F \(name)=@FILE", indent: 4)
        case .text: break
        }
        page.blank()
    }

    private func words(_ condition: ServiceField.Condition) -> String {
        language.text("plain.onlyWhere", ["field": TextForm.name(of: condition.field), "values": condition.values.joined(separator: ", ")])
    }

    /// A command that files a report which is whole, but for the words.
    /// - Parameter address: quoted.
    func command(_ address: String, near place: (latitude: Double, longitude: Double)) -> String {
        let answers = definition.fields.compactMap { field in example(field, place).map { (TextForm.name(of: field.id), $0) } }
        let lines = answers.map { name, value in "  --data-urlencode '\(name)=\(value.filter { $0 != "'" })' \\" }
        return (["curl \\"] + lines + ["  -d form=\(FormToken.random()) \\", "  \(address)"]).joined(separator: "\n")
    }

    /// An answer to what has to be answered, and to what people say in their own words.
    private func example(_ field: ServiceField, _ place: (latitude: Double, longitude: Double)) -> String? {
        guard field.asked == nil, field.required == .always || field.id == definition.descriptionField?.id else { return nil }
        switch field.kind {
        case .place: return "\(degrees(place.latitude)),\(degrees(place.longitude))"
        case .choice(let choices, _): return choices.first?.id
        case .number(let range): return JSON.number(range.minimum ?? max(0, range.maximum.map { min($0, 1) } ?? 1)).description
        case .date: return "2026-01-31"
        case .consent: return "yes"
        case .text, .entity: return "…"
        case .photo, .file: return nil
        }
    }

    /// Some hundred metres exact.
    private func degrees(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
