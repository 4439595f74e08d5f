internal import CityModel
internal import Declarations
internal import Query

/// Reads one file of rules.
struct PolicyParser {
    let file: String
    let purposes: Purposes
    let expand: NameExpansion

    static let ruleCountMax = 1000

    func rules(_ text: String) throws(DeclarationError) -> [Rule] {
        let root = try YAMLValue.root(of: text).part(keys: PolicyKeys.policy)
        let zone = try zone(root["zone"])
        var rules: [Rule] = []
        for value in try root.required("rules").elements(countMax: Self.ruleCountMax) {
            let reader = PolicyRuleParser(part: try value.part(keys: PolicyKeys.rule), zone: zone, context: self)
            rules.append(try reader.rule())
        }
        return rules
    }

    private func zone(_ value: YAMLValue?) throws(DeclarationError) -> CivilZone {
        guard let value else { return .utc }
        let name = try value.text()
        guard let zone = CivilZone(name) else {
            throw value.failure("\(name) is not the IANA name of a time zone, such as Europe/Paris")
        }
        return zone
    }

    // MARK: What occurs in several parts

    /// The texts of a list that is not empty, or of a single value.
    func list(_ value: YAMLValue, countMax: Int = 200) throws(DeclarationError) -> [YAMLValue] {
        let elements = try value.elements(countMax: countMax)
        guard !elements.isEmpty else { throw value.failure("the list is empty, so that the rule would never hold; leave it out or fill it") }
        return elements
    }

    func choices<Choice: RawRepresentable & CaseIterable & Hashable>(
        _ value: YAMLValue, _ kind: Choice.Type
    ) throws(DeclarationError) -> Set<Choice> where Choice.RawValue == String {
        var choices: Set<Choice> = []
        for element in try list(value) { choices.insert(try element.choice(kind)) }
        return choices
    }

    func texts(_ value: YAMLValue) throws(DeclarationError) -> Set<String> {
        var texts: Set<String> = []
        for element in try list(value) { texts.insert(try element.text()) }
        return texts
    }

    func types(_ value: YAMLValue) throws(DeclarationError) -> Set<IRI> {
        var names: Set<IRI> = []
        for element in try list(value) { names.insert(try name(element.text(), element, of: "a type")) }
        return names
    }

    func attributes(_ value: YAMLValue) throws(DeclarationError) -> Set<IRI> {
        var names: Set<IRI> = []
        for element in try list(value) { names.insert(try attribute(element.text(), element)) }
        return names
    }

    /// - Parameter value: where the name stands.
    func attribute(_ text: String, _ value: YAMLValue) throws(DeclarationError) -> IRI { try name(text, value, of: "an attribute") }

    /// Members of entities and attributes that are no attributes themselves.
    private static let members: Set<String> = [
        "id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt", "unitCode", "datasetId", "value", "object",
    ]

    private func name(_ text: String, _ value: YAMLValue, of kind: String) throws(DeclarationError) -> IRI {
        guard !Self.members.contains(text) else { throw value.failure("\(text) is not \(kind)") }
        guard let name = expand(text) else { throw value.failure("\(text) is not the name of \(kind)") }
        return name
    }

    func purpose(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try value.text()
        if let id = purposes.id(naming: text) { return id }
        let nearest = Spelling.nearest(to: text, in: purposes.ids).map { "; the nearest is \($0)" } ?? ""
        throw value.failure("\(text) is not in the list of purposes\(nearest)")
    }
}
