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

    /// The command that reports: with all that has to be answered, and what people say in their own words. As it stands it is no report, so that nobody files
    /// an example.
    /// - Parameter address: quoted.
    func command(_ address: String) -> String {
        let wanted = definition.fields.filter { field in
            !field.isUploaded && field.asked == nil && (field.required == .always || field.id == definition.descriptionField?.id)
        }
        let lines = wanted.map { "  --data-urlencode '\(TextForm.name(of: $0.id))=…' \\" }
        return (["curl \\"] + lines + ["  -d form=\(FormToken.random()) \\", "  \(address)"]).joined(separator: "\n")
    }
}
