internal import Cases
internal import Declarations

/// Reads how records become cases.
struct CaseParser {
    let context: DefinitionContext

    /// The most fields that a key is made of.
    private static let keyCountMax = 8

    func cases(_ value: YAMLValue) throws(DeclarationError) -> CaseMapping {
        let part = try value.part(keys: DefinitionKeys.cases)
        var key: [FieldName] = []
        for field in try part.required("key").elements(countMax: Self.keyCountMax) { key.append(try context.field(field)) }
        guard !key.isEmpty else { throw try part.required("key").failure("at least one field is needed here") }
        return CaseMapping(
            service: try part.required("service").text(), key: key,
            date: try part["date"].map { value throws(DeclarationError) in try context.timeField(value) },
            channel: try part["channel"]?.choice(CaseChannel.self) ?? .paper, answers: try answers(part["fields"]),
            place: try part["place"].map { value throws(DeclarationError) in try place(value) }, contact: try contact(part["contact"]),
            remark: try expression(part["remark"]), isAcknowledged: try part["notices"]?.boolean() ?? true, line: value.line)
    }

    private func answers(_ value: YAMLValue?) throws(DeclarationError) -> [CaseMapping.Answer] {
        var answers: [CaseMapping.Answer] = []
        for (name, value) in try value?.members(countMax: 50) ?? [] {
            answers.append(.init(field: name, value: try AttributeParser(context: context).value(value), line: value.line))
        }
        return answers
    }

    private func place(_ value: YAMLValue) throws(DeclarationError) -> CaseMapping.Place {
        let part = try value.part(keys: DefinitionKeys.casePlace)
        guard (part["x"] == nil) == (part["y"] == nil) else { throw value.failure("x and y go together") }
        guard part["x"] != nil || part["address"] != nil else { throw value.failure("x and y, or address, or all of them are needed here") }
        let point = try part["x"].map { _ throws(DeclarationError) in
            GeometryExpression.point(x: try context.field(part.required("x")), y: try context.field(part.required("y")), unknown: [])
        }
        return .init(point: point, address: try expression(part["address"]), line: value.line)
    }

    private func contact(_ value: YAMLValue?) throws(DeclarationError) -> CaseMapping.Contact {
        guard let value else { return .init() }
        let part = try value.part(keys: DefinitionKeys.caseContact)
        return .init(
            name: try expression(part["name"]), email: try expression(part["email"]), telephone: try expression(part["telephone"]),
            language: try expression(part["language"]))
    }

    private func expression(_ value: YAMLValue?) throws(DeclarationError) -> ValueExpression? {
        try value.map { value throws(DeclarationError) in try AttributeParser(context: context).value(value) }
    }
}
