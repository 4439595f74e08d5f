internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Policy
internal import Store

/// What context sources have, as rules show it to whoever asks. Of an entity elsewhere it is known what the source answers of it, and how its
/// registration is classified; a rule that asks for what is not known permits nothing, and forbids.
extension Sight {
    /// What a source has of the evolution of an entity: past values of what is shown exactly, as of what is here.
    func seen(elsewhere evolution: TemporalEntity, _ classification: Classification) -> TemporalEntity? {
        guard ruling != nil else { return classification <= classificationMax ? evolution : nil }
        let instances = evolution.instances
        let scopes = evolution.scopes.last.map { $0.attribute.value.arrayValue ?? [$0.attribute.value] } ?? []
        let facts = ResourceFacts(
            types: Set(evolution.types), scopes: scopes.compactMap { $0.stringValue.flatMap { Scope($0) } }, classification: classification,
            dataSubject: instances[.dataSubject]?.last.flatMap { $0.attribute.value.stringValue }, location: { .unknown })
        guard let view = view(elsewhere: facts) else { return nil }
        var seen = evolution
        seen.content = .instances(instances.filter { precision(of: $0.key, in: view) == .exact })
        return seen
    }

    /// Whether anything may be told of a type that a source has, or of an attribute of it.
    /// - Parameter type: nil where it is not known, which no rule about types permits.
    func shows(_ attribute: IRI?, of type: IRI?, at source: MatchedSource) -> Bool {
        guard ruling != nil else { return true }
        guard type != nil || !asksForTypes else { return false }
        let facts = ResourceFacts(types: type.map { [$0] } ?? [], classification: source.registration.classification, location: { .unknown })
        guard let view = view(elsewhere: facts) else { return false }
        return attribute.map { precision(of: $0, in: view) != nil } ?? true
    }

    /// Whether some rule is about entities of certain types.
    var asksForTypes: Bool { ruling?.needs.contains(.types) ?? false }

    /// Whether what is counted elsewhere is what may be seen: rules ask for nothing but types and classes.
    var countsElsewhere: Bool { ruling.map { $0.needs.isSubset(of: [.types, .classification]) } ?? true }
}

extension WritePermit {
    /// Whether attributes of an entity may be written, or erased, at a source.
    /// - Parameter attributes: nil for all of it.
    /// - Parameter id: nil for entities of any identifier.
    /// - Parameter types: where they are not known, it has to be allowed with all that are registered.
    func allows(_ attributes: Set<IRI>?, of id: IRI?, _ types: [IRI], at source: MatchedSource, isErasing: Bool) -> Bool {
        if let identifierPrefix { guard id?.text.hasPrefix(identifierPrefix) ?? false else { return false } }
        let sight = isErasing ? erasing : writing
        let kinds = types.isEmpty ? source.information.flatMap { $0.entities?.map(\.types) ?? [[]] } : [types]
        return kinds.allSatisfy { kind in
            let facts = ResourceFacts(types: Set(kind), classification: source.registration.classification, location: { .unknown })
            guard !kind.isEmpty || !sight.asksForTypes, let allowed = sight.view(elsewhere: facts)?.attributes else { return false }
            return attributes.map { $0.allSatisfy(allowed.contains) } ?? allowed.isAll
        }
    }
}

extension SourceOperation {
    static let erasing: Set<SourceOperation> = [
        .deleteEntity, .deleteAttrs, .deleteBatch, .purgeEntity, .deleteTemporal, .deleteAttrsTemporal, .deleteAttrInstanceTemporal,
    ]
}
