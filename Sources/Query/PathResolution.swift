internal import CityModel
internal import OrderedCollections

/// What a path leads to in one instance of an attribute.
enum PathTarget {
    case value(JSON)
    /// The value of a relationship: a text or an array of texts.
    case references(JSON)
    /// The texts of a language map, of one language or of all.
    case texts([JSON])
    case instant(Instant)

    /// Relationships compare for equality only.
    var isComparable: Bool { if case .references = self { false } else { true } }

    /// Whether a value passes that is compared as a whole. An array is one value, which compares with nothing.
    func containsWhole(where test: (TargetScalar) -> Bool) -> Bool {
        switch self {
        case .value(let json), .references(let json): test(.json(json))
        case .texts(let texts): texts.contains { test(.json($0)) }
        case .instant(let instant): test(.instant(instant))
        }
    }

    /// Whether the value passes, or an element of it when it is an array.
    func contains(where test: (TargetScalar) -> Bool) -> Bool {
        switch self {
        case .value(.array(let elements)), .references(.array(let elements)): elements.contains { test(.json($0)) }
        default: containsWhole(where: test)
        }
    }
}

extension AttributePath {
    /// Whether the path leads to a target that passes the test. Instances of one attribute are tried in turn.
    func leadsTo(in entity: Entity, lookup: (IRI) -> Entity?, where test: (PathTarget) -> Bool) -> Bool {
        follow(hops[...], from: entity, lookup: lookup, test)
    }

    private func follow(
        _ hops: ArraySlice<Hop>, from entity: Entity, lookup: (IRI) -> Entity?, _ test: (PathTarget) -> Bool
    ) -> Bool {
        guard let hop = hops.first else { return leadsTo(within: entity, test) }
        return (entity.attributes[hop.relationship.iri] ?? []).contains { relationship in
            relationship.targets.contains { target in
                guard let linked = IRI(target).flatMap(lookup) else { return false }
                let isWanted = hop.types.isEmpty || hop.types.contains { linked.types.contains($0.iri) }
                return isWanted && follow(hops.dropFirst(), from: linked, lookup: lookup, test)
            }
        }
    }

    private func leadsTo(within entity: Entity, _ test: (PathTarget) -> Bool) -> Bool {
        if let member = entityMember {
            guard subattributes.isEmpty, members.isEmpty, let target = entity.target(of: member) else { return false }
            return test(target)
        }
        return (entity.attributes[root.iri] ?? []).contains { descend(subattributes[...], from: $0, test) }
    }

    private func descend(_ names: ArraySlice<Name>, from attribute: Attribute, _ test: (PathTarget) -> Bool) -> Bool {
        guard let name = names.first else { return attribute.target(at: members).map(test) ?? false }
        if names.count == 1, let member = name.attributeMember {
            guard members.isEmpty, let target = attribute.target(of: member) else { return false }
            return test(target)
        }
        return (attribute.subattributes[name.iri] ?? []).contains { descend(names.dropFirst(), from: $0, test) }
    }
}

extension Entity {
    /// Nil when the entity has no such member.
    func target(of member: EntityMember) -> PathTarget? {
        switch member {
        case .id: .value(.string(id.text))
        case .type: .value(.array(types.map { .string($0.text) }))
        case .scope: scopes.isEmpty ? nil : .value(.array(scopes.map { .string($0.text) }))
        case .createdAt: createdAt.map(PathTarget.instant)
        case .modifiedAt: modifiedAt.map(PathTarget.instant)
        case .expiresAt: expiresAt.map(PathTarget.instant)
        case .deletedAt: nil
        }
    }
}

extension Attribute {
    func target(of member: AttributeMember) -> PathTarget? {
        switch member {
        case .observedAt: observedAt.map(PathTarget.instant)
        case .createdAt: createdAt.map(PathTarget.instant)
        case .modifiedAt: modifiedAt.map(PathTarget.instant)
        case .expiresAt: expiresAt.map(PathTarget.instant)
        case .deletedAt: nil
        case .unitCode: unitCode.map { .value(.string($0)) }
        case .datasetId: datasetID.map { .value(.string($0.text)) }
        case .valueType: valueType.map { .value(.string($0.text)) }
        case .objectType: objectTypes.isEmpty ? nil : .value(.array(objectTypes.map { .string($0.text) }))
        }
    }

    /// What the attribute's value has at a trailing path; nil when there is nothing.
    func target(at members: [AttributePath.Member]) -> PathTarget? {
        switch kind {
        case .languageProperty: texts(in: members)
        case .relationship, .listRelationship: members.isEmpty ? .references(value) : nil
        case .listProperty, .vocabProperty: members.isEmpty ? .value(value) : nil
        case .property, .geoProperty, .jsonProperty:
            members.reduce(value as JSON?) { json, member in json?.member(member, isRaw: kind == .jsonProperty) }
                .map(PathTarget.value)
        }
    }

    /// The texts in one language, or in all when there is no tag or `*`. Tags compare without regard to case (RFC 5646).
    private func texts(in members: [AttributePath.Member]) -> PathTarget? {
        guard let map = value.objectValue, members.count <= 1 else { return nil }
        guard let tag = members.first?.name.lowercased(), tag != "*" else { return .texts(map.values.flatMap(\.elements)) }
        guard let match = map.first(where: { $0.key.lowercased() == tag }) else { return nil }
        return .texts(match.value.elements)
    }
}

extension JSON {
    /// The elements of an array; any other value alone.
    fileprivate var elements: [JSON] { arrayValue ?? [self] }

    /// A member of an object, by its expanded name unless the object is raw JSON, else by the name as written.
    fileprivate func member(_ member: AttributePath.Member, isRaw: Bool) -> JSON? {
        guard let object = objectValue else { return nil }
        if !isRaw, let iri = member.iri, let value = object[iri.text] { return value }
        return object[member.name]
    }
}
