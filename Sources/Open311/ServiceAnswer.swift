internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Services

/// Which language's texts are answered: the one of `lang`, else that in which the city wrote its definitions.
struct AnswerLanguage: Hashable, Sendable {
    /// Nil: the first of each text.
    let code: String?

    /// - Parameter text: a language tag; what follows its first `-` makes no difference.
    /// - Throws: `Open311Fault` for what is none.
    init(_ text: String?) throws(Open311Fault) {
        guard let text else {
            code = nil
            return
        }
        let isTag = (2...35).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0 | 0x20) || $0 == 45 }
        guard isTag, let base = text.lowercased().split(separator: "-").first else { throw Open311Fault(400, "lang: \(text.prefix(40)) is not a language such as fr") }
        code = String(base)
    }

    func text(_ text: LocalizedText) -> String { text[code ?? text.first] }

    /// Of what somebody is told later.
    func known(for definition: ServiceDefinition) -> String { code ?? definition.title.first }
}

extension ServiceDefinition {
    /// The questions that `attribute[CODE]` answers: all but those that the standard has parameters for, and those for files.
    var attributeFields: [ServiceField] {
        fields.filter { field in
            switch field.kind {
            case .place, .photo, .file: false
            case .text, .number, .choice, .date, .consent, .entity: field.id != descriptionField?.id
            }
        }
    }

    /// Questions for files. The standard has no datatype for them, so they are told as what somebody is to know (`variable` is false), after the others.
    private var fileFields: [ServiceField] {
        fields.filter { field in
            switch field.kind {
            case .file: true
            case .photo: field.id != photoField?.id
            default: false
            }
        }
    }

    /// The first question that photos answer.
    var photoField: ServiceField? { fields.first { if case .photo = $0.kind { true } else { false } } }

    /// As the list of services has it.
    func listed(_ language: AnswerLanguage) -> JSON {
        [
            "service_code": .string(id.text), "service_name": .string(language.text(title)), "description": help.map { .string(language.text($0)) } ?? .null,
            "metadata": .bool(!attributeFields.isEmpty || !fileFields.isEmpty), "type": "realtime", "keywords": .string(keywords.joined(separator: ", ")),
            "group": group.map { .string(language.text($0)) } ?? .null,
        ]
    }

    /// What is asked, as attributes in their order.
    func defined(_ language: AnswerLanguage) -> JSON {
        let attributes = (attributeFields + fileFields).enumerated().map { index, field in field.attribute(order: index + 1, language) }
        return ["service_code": .string(id.text), "attributes": .array(attributes)]
    }
}

extension ServiceField {
    fileprivate func attribute(order: Int, _ language: AnswerLanguage) -> JSON {
        var members: JSONObject = [
            "variable": .bool(!isUploaded), "code": .string(id), "datatype": .string(datatype), "required": .bool(isAlwaysRequired),
            "datatype_description": isUploaded ? .string("A file called attribute[\(id)] in multipart/form-data") : help.map { .string(language.text($0)) } ?? .null, "order": .integer(Int64(order)), "description": .string(language.text(label)),
        ]
        let values = values(language)
        if !values.isEmpty { members["values"] = .array(values.map { ["key": .string($0.key), "name": .string($0.name)] }) }
        return .object(members)
    }

    /// What is asked only after some answers can't be demanded beforehand; a request without it is refused where it is asked.
    private var isAlwaysRequired: Bool { required == .always && asked == nil }

    private var datatype: String {
        switch kind {
        case .text(let lineCount, _, _): lineCount > 1 ? "text" : "string"
        case .number: "number"
        case .date: "datetime"
        case .choice(_, let several): several ? "multivaluelist" : "singlevaluelist"
        case .consent: "singlevaluelist"
        case .entity, .place, .photo, .file: "string"
        }
    }

    private func values(_ language: AnswerLanguage) -> [(key: String, name: String)] {
        switch kind {
        case .choice(let choices, _): choices.map { ($0.id, language.text($0.label)) }
        case .consent: [("yes", "yes"), ("no", "no")]
        case .text, .number, .date, .entity, .place, .photo, .file: []
        }
    }
}
