package import CityModel
package import LinkedData
internal import Broker
internal import OrderedCollections

extension EntityFragment {
    /// The fragment with these of its attributes; nil keeps all.
    package func only(_ kept: Set<IRI>?) -> EntityFragment {
        guard let kept else { return self }
        var part = self
        part.attributes = attributes.filter { kept.contains($0.key) }
        part.bareAttributes = bareAttributes.intersection(kept)
        return part
    }

    /// As a source is to get it: normalized, in the names of a context, and for a version of NGSI-LD that it knows.
    /// - Parameter isWhole: whether identifier and types are said.
    func json(_ context: Context, isWhole: Bool, conformance: String?) -> JSON {
        var entity = Entity(id: id ?? IRI(known: "urn:ngsi-ld:none"), types: types, scopes: scopes ?? [], attributes: attributes)
        entity.expiresAt = expiresAt
        if let version = conformance.flatMap({ PreferredVersion(conformance: $0) }) { entity = version.amended(entity, context) }
        var members: EntityMembers = isWhole && id != nil ? [.id, .scope] : [.scope]
        if !types.isEmpty { members.insert(.type) }
        var writer = JSONWriter()
        EntityWriter(names: ContextNames(context: context, includesSystemMembers: false), format: .normalized)
            .write(entity, members: members, to: &writer)
        guard case .object(var json)? = try? JSON(parsing: writer.bytes) else { return [:] }
        // What was bare keeps the kind that it has at the source (clause 5.6.17.4).
        for name in bareAttributes { if let value = attributes[name]?.first?.value { json[context.compact(name)] = value } }
        if let scopes, scopes.isEmpty { json["scope"] = .string(Attribute.nullText) }
        if let expiresAt { json["expiresAt"] = .string(expiresAt.description) }
        if removesExpiry { json["expiresAt"] = .string(Attribute.nullText) }
        return .object(json)
    }
}

extension Attribute {
    /// Instances of one attribute as the value of its member.
    package static func json(_ instances: [Attribute], _ context: Context) -> JSON {
        var writer = JSONWriter()
        EntityWriter(names: ContextNames(context: context, includesSystemMembers: false), format: .normalized).write(instances: instances, to: &writer)
        return (try? JSON(parsing: writer.bytes)) ?? .null
    }
}
