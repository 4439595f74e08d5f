package import CityModel
package import LinkedData
internal import OrderedCollections

/// An earlier version 1.x of NGSI-LD that a request prefers with `Prefer: ngsi-ld=1.5`, for consumers that know no later
/// one (clause 4.3.6.8).
package struct PreferredVersion: Hashable, Sendable {
    /// Of the version that answers are made for: at most our own.
    package let minor: Int

    package static let ownMinor = 9

    /// Nil when no value names a version 1.x.
    package init?(_ values: [String]) {
        // Names are compared without case, values may be quoted, and parameters follow a semicolon (RFC 7240).
        guard !values.isEmpty else { return nil }
        let preferences = values.joined(separator: ",").split(separator: ",").map { preference in
            (preference.split(separator: ";").first ?? "").filter { $0 != " " && $0 != "\"" }.lowercased()
        }
        guard let version = preferences.first(where: { $0.hasPrefix("ngsi-ld=1.") }),
            let minor = Int(version.dropFirst("ngsi-ld=1.".count)), minor >= 0
        else { return nil }
        self.minor = min(minor, Self.ownMinor)
    }

    /// The version that a subscription's `ngsildConformance` names: `1.6`. Nil when the text is no version 1.x.
    package init?(conformance text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "1", let minor = Int(parts[1]), minor >= 0 else { return nil }
        self.minor = min(minor, Self.ownMinor)
    }

    package var asksForLess: Bool { minor < Self.ownMinor }
    /// The value of `Preference-Applied`.
    package var applied: String { "ngsi-ld=1.\(minor)" }

    /// The entity without what the version does not know (tables 4.3.6.8-1 to -3).
    package func amended(_ entity: Entity, _ context: Context) -> Entity {
        guard asksForLess else { return entity }
        var entity = entity
        entity.expiresAt = nil
        if minor < 4 { entity.scopes = [] }
        if minor < 3 { entity.types = Array(entity.types.prefix(1)) }
        entity.attributes = amended(entity.attributes, context)
        return entity
    }

    private func amended(_ attributes: Attributes, _ context: Context) -> Attributes {
        attributes.mapValues { instances in
            // Without datasetId instances can't be told apart: the default one stands for all.
            let kept = minor < 3 ? [instances.first { $0.datasetID == nil } ?? instances[0]] : instances
            return kept.map { amended($0, context) }
        }
    }

    private func amended(_ attribute: Attribute, _ context: Context) -> Attribute {
        var attribute = attribute
        attribute.expiresAt = nil
        attribute.valueType = nil
        if minor < 8 { attribute.objectTypes = [] }
        if minor < 3 { (attribute.datasetID, attribute.observedAt, attribute.unitCode) = (nil, nil, nil) }
        switch attribute.kind {
        case .languageProperty where minor < 4, .jsonProperty where minor < 8, .listProperty where minor < 8: attribute.kind = .property
        case .vocabProperty where minor < 8:
            attribute.kind = .property
            attribute.value = compacted(attribute.value, context)
        case .listRelationship where minor < 8: attribute.kind = .relationship
        default: break
        }
        attribute.subattributes = amended(attribute.subattributes, context)
        return attribute
    }

    /// As a VocabProperty would have shown it.
    private func compacted(_ value: JSON, _ context: Context) -> JSON {
        switch value {
        case .string(let text): .string(context.compact(IRI(known: text)))
        case .array(let elements): .array(elements.map { compacted($0, context) })
        default: value
        }
    }
}
