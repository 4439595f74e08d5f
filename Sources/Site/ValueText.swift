internal import CityModel
internal import OrderedCollections

/// Values in words.
struct ValueText: Sendable {
    let language: Language
    let clock: ClockText

    /// Values that pages show as they are: numbers, texts that are neither a moment nor a day, booleans.
    static func isScalar(_ json: JSON) -> Bool {
        switch json {
        case .bool, .integer, .number: true
        case .string(let text): Instant(text) == nil && day(text) == nil
        default: false
        }
    }

    /// Noon of a day that is written as `2026-11-20`; nil for any other text.
    private static func day(_ text: String) -> Instant? { text.utf8.count == 10 ? Instant(text + "T12:00:00Z") : nil }

    /// What a number stands for that is none, such as a heading of -1; nil for true numbers.
    func word(_ json: JSON, of name: String) -> String? { language.values["\(name).\(json)"]?.stringValue }

    /// A structured value as one line; nil when there is nothing to say.
    func line(_ attribute: Attribute, of name: IRI) -> String? {
        let name = name.shortName
        return switch attribute.kind {
        case .languageProperty: localized(attribute.value, name)
        case .vocabProperty:
            language.list((attribute.value.arrayValue ?? [attribute.value]).compactMap(\.stringValue).map { language.value(IRI(known: $0).shortName, of: name) })
        default: line(attribute.value, name)
        }
    }

    private func line(_ json: JSON, _ name: String) -> String? {
        let text: String
        switch json {
        case .null: return nil
        case .bool(let flag): text = language.scriptText(flag ? "yes" : "no")
        case .integer, .number: text = word(json, of: name) ?? language.number(json.doubleValue ?? 0)
        case .string(let value): text = Instant(value).map(clock.dateTime) ?? Self.day(value).map(clock.date) ?? language.value(value, of: name)
        case .array(let elements): text = language.list(elements.prefix(20).compactMap { line($0, name) })
        case .object(let members): text = line(members, name)
        }
        return text.isEmpty ? nil : String(text.prefix(300))
    }

    private func line(_ members: JSONObject, _ name: String) -> String {
        if let value = members["@value"] { return line(value, name) ?? "" }
        let address = ["streetAddress", "postalCode", "addressLocality"].map { members[$0].flatMap { line($0, name) } }
        if let street = address[0] ?? address[2] {
            let town = [address[1], address[2]].compactMap { $0 }.joined(separator: " ")
            return address[0] == nil || town.isEmpty ? street : "\(street), \(town)"
        }
        return language.list(
            members.filter { $0.key != "type" && $0.key != "@type" }.prefix(8)
                .compactMap { member in
                    let key = IRI(known: member.key).shortName
                    return line(member.value, key).map { "\(Words.split(key)): \($0)" }
                })
    }

    private func localized(_ json: JSON, _ name: String) -> String? {
        guard let texts = json.objectValue else { return nil }
        let chosen = texts[language.code] ?? texts.first { $0.key.hasPrefix(language.code + "-") }?.value ?? texts["@none"] ?? texts.values.first
        return chosen.flatMap { line($0, name) }
    }
}
