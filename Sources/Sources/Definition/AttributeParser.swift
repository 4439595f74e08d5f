internal import CityModel
internal import Declarations

/// Reads one instance of an attribute.
struct AttributeParser {
    let context: DefinitionContext

    private static let contentKeys = [
        "field", "template", "constant", "object", "relationship", "point", "wkt", "geometry", "labelPoint", "language",
    ]

    func attribute(name: String, _ value: YAMLValue) throws(DeclarationError) -> AttributeMapping {
        guard value.isMapping else { return try shorthand(name: name, value) }
        let part = try value.part(keys: DefinitionKeys.attribute)
        let key = try contentKey(part, of: Self.contentKeys)
        try checkCompany(part, of: key)
        return AttributeMapping(
            name: name, content: try content(part, key), unitCode: try unit(part["unit"]),
            datasetID: try part["datasetId"].map { value throws(DeclarationError) in try context.template(value) },
            observedAt: try observedAt(part["observedAt"], key), onError: try part["onError"]?.choice(Severity.self) ?? .reject,
            line: value.line)
    }

    /// `name: FIELD` says what `name: {field: FIELD}` says.
    private func shorthand(name: String, _ value: YAMLValue) throws(DeclarationError) -> AttributeMapping {
        AttributeMapping(
            name: name, content: .property(.field(try context.field(value), Conversion())), unitCode: nil, datasetID: nil,
            observedAt: .record, onError: .reject, line: value.line)
    }

    private func contentKey(_ part: YAMLPart, of keys: [String]) throws(DeclarationError) -> String {
        let present = keys.filter { part[$0] != nil }
        guard let key = present.first, present.count == 1 else {
            let found = present.isEmpty ? "none is there" : "there are \(present.joined(separator: ", "))"
            throw part.value.failure("exactly one of \(keys.joined(separator: ", ")) is needed here; \(found)")
        }
        return key
    }

    /// Keys that mean nothing beside this content are errors, not silence.
    private func checkCompany(_ part: YAMLPart, of key: String) throws(DeclarationError) {
        for name in DefinitionKeys.conversion where key != "field" && !(key == "relationship" && name == "list") {
            if let value = part[name] { throw value.failure("\(name) goes with field, not with \(key)") }
        }
        if let value = part["unit"], !["field", "constant", "template", "object"].contains(key) {
            throw value.failure("only a property has a unit")
        }
    }

    private func content(_ part: YAMLPart, _ key: String) throws(DeclarationError) -> AttributeMapping.Content {
        let value = try part.required(key)
        switch key {
        case "relationship":
            let template = try context.template(value)
            if let list = part["list"], template.fields.count != 1 {
                throw list.failure("a list goes with a template of one field")
            }
            return .relationship(template, listSeparator: try part["list"].map(separator))
        case "point": return .geometry(try point(value))
        case "wkt": return .geometry(.wkt(try context.field(value)))
        case "geometry": return .geometry(.geoJSON(try context.field(value)))
        case "labelPoint": return .geometry(.labelPoint(try context.field(value)))
        case "language":
            var fields: [AttributeMapping.LanguageField] = []
            for (tag, field) in try value.members(countMax: 100) { fields.append(.init(tag: tag, field: try context.field(field))) }
            guard !fields.isEmpty else { throw value.failure("at least one language is needed here") }
            return .language(fields)
        default: return .property(try expression(part, key, depthMax: 8))
        }
    }

    private func expression(_ part: YAMLPart, _ key: String, depthMax: Int) throws(DeclarationError) -> ValueExpression {
        let value = try part.required(key)
        switch key {
        case "field": return .field(try context.field(value), try conversion(part))
        case "template": return .template(try context.template(value))
        case "constant": return .constant(try constant(value))
        default:
            guard depthMax > 0 else { throw value.failure("the object nests too deeply") }
            var members: [ValueExpression.Member] = []
            for (name, member) in try value.members(countMax: 100) {
                members.append(.init(name: name, value: try self.value(member, depthMax: depthMax - 1)))
            }
            return .object(members)
        }
    }

    private func constant(_ value: YAMLValue) throws(DeclarationError) -> JSON {
        let json = try value.json()
        guard json != .string(Attribute.nullText) else { throw value.failure("this text means removal in NGSI-LD") }
        return json
    }

    /// A value by itself: a field, or where it comes from otherwise.
    func value(_ value: YAMLValue, depthMax: Int = 8) throws(DeclarationError) -> ValueExpression {
        guard value.isMapping else { return .field(try context.field(value), Conversion()) }
        let part = try value.part(keys: DefinitionKeys.value)
        let key = try contentKey(part, of: ["field", "template", "constant", "object"])
        for name in DefinitionKeys.conversion where key != "field" {
            if let value = part[name] { throw value.failure("\(name) goes with field, not with \(key)") }
        }
        return try expression(part, key, depthMax: depthMax)
    }

    private func conversion(_ part: YAMLPart) throws(DeclarationError) -> Conversion {
        var conversion = Conversion()
        conversion.target = try target(part)
        conversion.listSeparator = try part["list"].map(separator)
        for (text, value) in try part["values"]?.members() ?? [] { conversion.values[text] = try constant(value) }
        if let value = part["unknownValue"] {
            guard part["values"] != nil else { throw value.failure("unknownValue goes with values") }
            conversion.unknownValue = try value.choice(Conversion.UnknownValue.self)
        }
        if let value = part["factor"] {
            guard conversion.target == .number else { throw value.failure("factor goes with as: number") }
            conversion.factor = try value.number()
        }
        return conversion
    }

    private func target(_ part: YAMLPart) throws(DeclarationError) -> Conversion.Target {
        let name = try part["as"]?.choice(TargetName.self)
        if name != .date, name != .dateTime {
            for key in ["format", "zone", "ambiguous"] {
                if let value = part[key] { throw value.failure("\(key) goes with as: date or as: dateTime") }
            }
        }
        switch name {
        case nil: return .asIs
        case .text: return .text
        case .integer: return .integer
        case .number: return .number
        case .boolean: return .boolean
        case .date: return .date(try context.timeFormat(part["format"]))
        case .dateTime:
            return .dateTime(
                try context.timeFormat(part["format"]), zone: try context.zone(part["zone"]),
                try context.ambiguous(part["ambiguous"]))
        }
    }

    private enum TargetName: String, CaseIterable { case text, integer, number, boolean, date, dateTime }

    private func separator(_ value: YAMLValue) throws(DeclarationError) -> String { try value.text() }

    private func point(_ value: YAMLValue) throws(DeclarationError) -> GeometryExpression {
        let part = try value.part(keys: DefinitionKeys.point)
        var unknown: [GeometryExpression.Position] = []
        if let list = part["unknown"] {
            for pair in try list.elements(countMax: 100) {
                let numbers = try pair.elements()
                guard numbers.count == 2 else { throw pair.failure("a position [x, y] is needed here") }
                unknown.append(.init(x: try numbers[0].number(), y: try numbers[1].number()))
            }
        }
        return .point(x: try context.field(part.required("x")), y: try context.field(part.required("y")), unknown: unknown)
    }

    private func unit(_ value: YAMLValue?) throws(DeclarationError) -> String? {
        guard let value else { return nil }
        let code = try value.text()
        guard (1...3).contains(code.utf8.count), code.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) }) else {
            throw value.failure("\(code) is not a UN/CEFACT common code, such as MTR, CMT, GQ or P1")
        }
        return code
    }

    /// What never changes by itself is not observed: constants stand without a time unless one is asked for.
    private func observedAt(_ value: YAMLValue?, _ key: String) throws(DeclarationError) -> AttributeMapping.ObservedAt {
        guard let value else { return key == "constant" ? .none : .record }
        if value.scalar == "none" { return .none }
        return .field(try context.timeField(value))
    }
}
