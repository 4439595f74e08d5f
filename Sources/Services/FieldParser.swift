internal import Declarations

/// Reads what is asked.
struct FieldParser {
    let texts: TextParser
    let publication: ServicePublication

    static let fieldCountMax = 50, choiceCountMax = 100, photoCountMax = 10, fileCountMax = 10, mediaTypeCountMax = 20
    static let textLineCounts = 1...30, textCounts = 1...10_000, entityMetres = 1...10_000

    func fields(_ value: YAMLValue) throws(DeclarationError) -> [ServiceField] {
        var fields: [ServiceField] = []
        for element in try value.elements(countMax: Self.fieldCountMax) {
            let field = try field(element, earlier: fields)
            guard !fields.contains(where: { $0.id == field.id }) else { throw element.failure("another field is called \(field.id)") }
            fields.append(field)
        }
        guard !fields.isEmpty else { throw value.failure("at least one field is needed here") }
        return fields
    }

    /// - Parameter earlier: the fields above, which are asked before.
    private func field(_ value: YAMLValue, earlier: [ServiceField]) throws(DeclarationError) -> ServiceField {
        let type = try Self.type(of: value)
        let part = try value.part(keys: type.keys)
        let kind = try kind(type, part, earlier)
        let conditions = ConditionParser(known: earlier, where: "above this field")
        return ServiceField(
            id: try TextParser.identifier(part.required("id")), label: try texts.text(part.required("label"), countMax: TextParser.labelCountMax),
            help: try texts.text(part["help"], countMax: TextParser.helpCountMax), kind: kind,
            asked: try part["asked"].map { value throws(DeclarationError) in try conditions.condition(value) },
            required: try requirement(part["required"], conditions), isPublic: try isPublic(kind, part["public"]))
    }

    /// Looked at first: it says which keys there may be.
    private static func type(of value: YAMLValue) throws(DeclarationError) -> ServiceKeys.FieldType {
        guard let type = try value.members().first(where: { $0.name == "type" }) else {
            throw value.failure("the key type is missing: \(ServiceKeys.FieldType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return try type.value.choice(ServiceKeys.FieldType.self)
    }

    private func requirement(_ value: YAMLValue?, _ conditions: ConditionParser) throws(DeclarationError) -> ServiceField.Requirement {
        guard let value else { return .never }
        guard !value.isMapping else { return .when(try conditions.condition(value)) }
        switch value.scalar {
        case "true": return .always
        case "false": return .never
        default: throw value.failure("true, false, or a condition such as {field: kind, is: other} is needed here")
        }
    }

    /// Of places and photos the part `public` says whether they are; what is uploaded and what somebody consents to never are.
    private func isPublic(_ kind: ServiceField.Kind, _ value: YAMLValue?) throws(DeclarationError) -> Bool {
        switch kind {
        case .place: return publication.place != .hidden
        case .photo: return publication.photos != .never
        case .file, .consent: return false
        case .text, .number, .choice, .date, .entity: break
        }
        guard let value, try value.boolean() else { return false }
        guard publication.when != .never else { throw value.failure("nothing of this service becomes public (public.when: never)") }
        if case .text(_, _, let pattern?) = kind, pattern == .email || pattern == .telephone {
            throw value.failure("how to reach somebody does not become public")
        }
        if case .entity = kind, publication.place != .exact { throw value.failure("a thing on the map tells the place, which is not shown exactly (public.place)") }
        return true
    }

    // MARK: Of each type

    private func kind(_ type: ServiceKeys.FieldType, _ part: YAMLPart, _ earlier: [ServiceField]) throws(DeclarationError) -> ServiceField.Kind {
        let hasPlace = earlier.contains { if case .place = $0.kind { true } else { false } }
        switch type {
        case .text: return try text(part)
        case .number: return .number(try range(part))
        case .choice: return .choice(try choices(part.required("choices")), several: try part["several"]?.boolean() ?? false)
        case .date: return .date(try part["when"]?.choice(ServiceField.DateRange.self) ?? .any)
        case .place:
            guard !hasPlace else { throw part.value.failure("there is a field of type place already; a case is in one place") }
            return .place
        case .photo: return .photo(countMax: try part["maxCount"]?.integer(in: 1...Self.photoCountMax) ?? 3)
        case .file:
            return .file(mediaTypes: try mediaTypes(part.required("mediaTypes")), countMax: try part["maxCount"]?.integer(in: 1...Self.fileCountMax) ?? 1)
        case .consent: return .consent(purpose: try purpose(part.required("purpose")))
        case .entity:
            guard hasPlace else { throw part.value.failure("a field of type place is needed above this one: things are chosen from those nearby") }
            return .entity(
                type: try entityType(part.required("entityType")),
                withinMetres: Double(try part["withinMetres"]?.integer(in: Self.entityMetres) ?? 50))
        }
    }

    private func text(_ part: YAMLPart) throws(DeclarationError) -> ServiceField.Kind {
        let lineCount = try part["lines"]?.integer(in: Self.textLineCounts) ?? 1
        let pattern = try part["pattern"].map { value throws(DeclarationError) in try value.choice(TextPattern.self) }
        if pattern != nil, lineCount > 1, let value = part["pattern"] { throw value.failure("only a text of one line has a pattern") }
        let countMax = try part["maxLength"]?.integer(in: Self.textCounts) ?? (lineCount > 1 ? 2000 : 200)
        return .text(lineCount: lineCount, countMax: countMax, pattern: pattern)
    }

    private func range(_ part: YAMLPart) throws(DeclarationError) -> ServiceField.Range {
        let range = ServiceField.Range(
            minimum: try part["min"]?.number(), maximum: try part["max"]?.number(), isWhole: try part["whole"]?.boolean() ?? false,
            unit: try part["unit"].map { value throws(DeclarationError) in try Self.unit(value) })
        if let minimum = range.minimum, let maximum = range.maximum, minimum > maximum, let value = part["max"] {
            throw value.failure("no number is at least \(minimum) and at most \(maximum)")
        }
        return range
    }

    /// UN/CEFACT Recommendation 20: two or three capital letters and digits.
    private static func unit(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try value.text()
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (65...90).contains($0) || (48...57).contains($0) }) else {
            throw value.failure("a UN/CEFACT code is needed here, such as MTR for metres or EUR for euros")
        }
        return text
    }

    private func choices(_ value: YAMLValue) throws(DeclarationError) -> [ServiceField.Choice] {
        var choices: [ServiceField.Choice] = []
        for element in try value.elements(countMax: Self.choiceCountMax) {
            let part = try element.part(keys: ServiceKeys.choice)
            let id = try TextParser.identifier(part.required("id"))
            guard !choices.contains(where: { $0.id == id }) else { throw element.failure("another choice is called \(id)") }
            choices.append(.init(id: id, label: try texts.text(part.required("label"), countMax: TextParser.labelCountMax)))
        }
        guard choices.count >= 2 else { throw value.failure("at least two choices are needed here") }
        return choices
    }

    private func mediaTypes(_ value: YAMLValue) throws(DeclarationError) -> [String] {
        var types: [String] = []
        for element in try value.elements(countMax: Self.mediaTypeCountMax) {
            let text = try element.text()
            let halves = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let isAllowed: (UInt8) -> Bool = { (97...122).contains($0) || (48...57).contains($0) || "+-.".utf8.contains($0) }
            guard halves.count == 2, text.utf8.count <= 100, halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isAllowed) }) else {
                throw element.failure("a media type such as application/pdf or image/jpeg is needed here")
            }
            types.append(text)
        }
        guard !types.isEmpty else { throw value.failure("at least one media type is needed here, such as application/pdf") }
        return types
    }

    private func purpose(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try value.text()
        let halves = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let isDigit: (UInt8) -> Bool = { (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard halves.count == 2, (1...64).contains(halves[1].count), !halves[0].isEmpty, halves[0].count <= 20,
            halves.allSatisfy({ $0.allSatisfy { isDigit($0) || (97...122).contains($0 | 0x20) } })
        else { throw value.failure("the short form of a purpose is needed here, such as dpv:CommunicationManagement") }
        return text
    }

    private func entityType(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try TextParser.name(value)
        guard !text.contains(" ") else { throw value.failure("the type of a thing is one word, such as Streetlight, or a whole IRI") }
        return text
    }
}
