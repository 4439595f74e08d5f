package import CityModel
internal import OrderedCollections

/// The languages a reader wants, best first (clause 4.15).
package struct LanguagePreference: Sendable {
    /// Tags with their quality, best first; `*` stands for any.
    private let tags: [Substring]

    package init(_ text: String) throws(CityError) {
        let ranked = text.split(separator: ",").map { part -> (tag: Substring, quality: Double) in
            let sides = part.split(separator: ";")
            let quality = sides.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return ((sides.first ?? "").split(separator: " ").first ?? "", quality)
        }
        guard !ranked.isEmpty, ranked.allSatisfy({ !$0.tag.isEmpty }) else { throw .badRequestData("lang: \(text) is not a list of languages") }
        // Sorting is stable, so that languages of equal quality stay in the order they were given.
        tags = ranked.sorted { $0.quality > $1.quality }.map(\.tag)
    }

    /// The entry of a language map that suits best; any when none does.
    package func choose(_ map: JSONObject) -> (language: String, value: JSON)? {
        for tag in tags where tag != "*" {
            if let exact = map.first(where: { $0.key.lowercased() == tag.lowercased() }) { return (exact.key, exact.value) }
            if let close = map.first(where: { Self.primary($0.key) == Self.primary(String(tag)) }) { return (close.key, close.value) }
        }
        return map["@none"].map { ("@none", $0) } ?? map.elements.first.map { ($0.key, $0.value) }
    }

    private static func primary(_ tag: String) -> String { tag.split(separator: "-").first.map { $0.lowercased() } ?? "" }

    /// The entity with each language property reduced to a property in the language that suits best.
    package func apply(to entity: Entity) -> Entity {
        var entity = entity
        for (name, instances) in entity.attributes { entity.attributes[name] = instances.map(reduce) }
        return entity
    }

    /// A language property as a property in the language that suits best; anything else as it is.
    package func reduce(_ attribute: Attribute) -> Attribute {
        guard attribute.kind == .languageProperty, case .object(let map) = attribute.value, let chosen = choose(map) else { return attribute }
        var attribute = attribute
        attribute.kind = .property
        attribute.value = chosen.value
        attribute.language = chosen.language
        return attribute
    }
}
