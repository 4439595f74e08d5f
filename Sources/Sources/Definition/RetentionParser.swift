internal import CityModel
internal import Declarations
internal import OrderedCollections
internal import Store

/// Reads how long what a source writes is kept.
struct RetentionParser {
    /// Names that the definition maps; nil where records are entities already and have whatever they have.
    let mapped: Set<String>?

    func retention(_ value: YAMLValue) throws(DeclarationError) -> SourceRetention {
        let part = try value.part(keys: DefinitionKeys.retention)
        var retention = SourceRetention(standard: nil, attributes: [:])
        if part["attributes"] == nil || DefinitionKeys.retentionRule.contains(where: { part[$0] != nil }) { retention.standard = try rule(part) }
        for (name, value) in try part["attributes"]?.members(countMax: 500) ?? [] {
            guard mapped?.contains(name) ?? true else { throw value.failure("the source writes no attribute \(name)") }
            retention.attributes[name] = try rule(value.part(keys: DefinitionKeys.retentionRule))
        }
        return retention
    }

    private func rule(_ part: YAMLPart) throws(DeclarationError) -> RetentionRule {
        var texts: [String: String] = [:]
        for member in RetentionRule.members { if let value = part[member] { texts[member] = try value.text() } }
        let isLimit = try part[RetentionRule.limit]?.boolean() ?? false
        do throws(RetentionRule.Invalid) { return try RetentionRule(isLimit: isLimit) { texts[$0] } } catch {
            throw (part[error.member] ?? part.value).failure("\(error.member): \(error.reason)")
        }
    }
}

extension SourceDefinition {
    /// The rules of attributes as the source's document keeps them; nil where it has none.
    func retentionDocument(expand: (String) -> IRI?) throws(CityError) -> JSON? {
        guard let retention else { return nil }
        var rules: JSONObject = [:]
        func set(_ rule: RetentionRule, _ name: String) throws(CityError) {
            guard let iri = expand(name) else { throw .badRequestData("retention.attributes: \(name.prefix(100)) is no name of an attribute") }
            rules[iri.text] = rule.json
        }
        if let standard = retention.standard {
            if isPassThrough { rules[RetentionRules.anyAttribute] = standard.json }
            for mapping in attributes { try set(standard, mapping.name) }
        }
        for (name, rule) in retention.attributes { try set(rule, name) }
        return .object(rules)
    }
}
