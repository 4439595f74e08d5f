internal import Declarations
internal import Query

/// Reads one quality rule.
package struct RuleParser {
    let context: DefinitionContext

    func rule(_ value: YAMLValue) throws(DeclarationError) -> QualityRule {
        let part = try value.part(keys: DefinitionKeys.rule)
        let id = try part.required("id")
        let name = try id.text()
        guard !FindingID.all.contains(name) else { throw id.failure("\(name) is the id of a check that every source has") }
        let present = DefinitionKeys.checks.filter { part[$0] != nil }
        guard let kind = present.first, present.count == 1 else {
            throw value.failure("exactly one of \(DefinitionKeys.checks.joined(separator: ", ")) is needed here")
        }
        return QualityRule(
            id: name, severity: try part["severity"]?.choice(Severity.self) ?? .reject, check: try check(part, kind),
            line: value.line)
    }

    private func check(_ part: YAMLPart, _ kind: String) throws(DeclarationError) -> QualityRule.Check {
        let value = try part.required(kind)
        if kind == "referenceExists" || kind == "freshWithin" {
            if let field = part["field"] ?? part["fields"] { throw field.failure("\(kind) looks at no single field") }
            return kind == "referenceExists"
                ? .referenceExists(try context.template(value)) : .freshWithin(seconds: try duration(value))
        }
        if kind == "unique" {
            try needsTrue(value)
            return .unique(try fields(part))
        }
        if let fields = part["fields"] { throw fields.failure("only unique looks at several fields") }
        let field = try context.field(part.required("field"))
        switch kind {
        case "required":
            try needsTrue(value)
            return .required(field)
        case "range": return try range(field, value)
        case "pattern": return .pattern(field, try pattern(value))
        default: return .oneOf(field, try value.texts())
        }
    }

    private func fields(_ part: YAMLPart) throws(DeclarationError) -> [FieldName] {
        guard let list = part["fields"] else { return [try context.field(part.required("field"))] }
        if let field = part["field"] { throw field.failure("either field or fields is needed here") }
        var names: [FieldName] = []
        for value in try list.elements(countMax: 16) { names.append(try context.field(value)) }
        return names
    }

    private func needsTrue(_ value: YAMLValue) throws(DeclarationError) {
        guard try value.boolean() else { throw value.failure("leave the rule out rather than switching it off") }
    }

    private func range(_ field: FieldName, _ value: YAMLValue) throws(DeclarationError) -> QualityRule.Check {
        let part = try value.part(keys: DefinitionKeys.range)
        let min = try part["min"].map { value throws(DeclarationError) in try value.number() }
        let max = try part["max"].map { value throws(DeclarationError) in try value.number() }
        guard min != nil || max != nil else { throw value.failure("min or max is needed here") }
        if let min, let max, min > max { throw value.failure("min is greater than max") }
        return .range(field, min: min, max: max)
    }

    private func pattern(_ value: YAMLValue) throws(DeclarationError) -> WholePattern {
        let text = try value.text()
        do throws(Pattern.Invalid) { return try WholePattern(text) } catch { throw value.failure(error.reason) }
    }

    /// 100 years: what is older than all records is no age to check.
    private static let durationSecondsMax: Int64 = 36_525 * 86_400

    /// ISO 8601 durations of fixed length: `P2W`, `P30D`, `PT6H`, `P1DT12H30M`.
    private func duration(_ value: YAMLValue) throws(DeclarationError) -> Int64 {
        let text = try value.text()
        guard let seconds = Self.seconds(ofDuration: text), (1...Self.durationSecondsMax).contains(seconds) else {
            throw value.failure("a duration of weeks, days, hours, minutes or seconds such as P30D or PT6H, at most 100 years, is needed here")
        }
        return seconds
    }

    package static func seconds(ofDuration text: String) -> Int64? {
        guard text.hasPrefix("P"), text.utf8.count <= 32 else { return nil }
        var total: Int64 = 0
        var number: Int64?
        var isTime = false
        for byte in text.utf8.dropFirst() {
            if (48...57).contains(byte) {
                number = (number ?? 0) * 10 + Int64(byte - 48)
                guard number ?? 0 <= 1_000_000_000 else { return nil }
                continue
            }
            if byte == UInt8(ascii: "T"), !isTime, number == nil {
                isTime = true
                continue
            }
            guard let count = number, let unit = unitSeconds(byte, isTime: isTime) else { return nil }
            total += count * unit
            number = nil
        }
        return number == nil ? total : nil
    }

    private static func unitSeconds(_ letter: UInt8, isTime: Bool) -> Int64? {
        switch (letter, isTime) {
        case (UInt8(ascii: "W"), false): 604_800
        case (UInt8(ascii: "D"), false): 86_400
        case (UInt8(ascii: "H"), true): 3600
        case (UInt8(ascii: "M"), true): 60
        case (UInt8(ascii: "S"), true): 1
        default: nil
        }
    }
}
