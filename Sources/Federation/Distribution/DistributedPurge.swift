package import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// A purge that may be distributed (clause 5.6.21).
package struct DistributedPurge: Sendable {
    /// With one selector, or none for entities of all kinds.
    package let specification: SourceSpecification
    /// The attributes that an entity has at least one of (`attrs`).
    package let listed: Set<IRI>?
    /// Parameters that sources get as they were given, with names of the request's context.
    package let conditions: [(name: String, value: JSON)]
    /// What is removed of the entities; nil for all of them.
    package let purged: PurgedAttributes?

    package init(
        _ specification: SourceSpecification, listed: Set<IRI>?, conditions: [(name: String, value: JSON)], purged: PurgedAttributes?
    ) {
        (self.specification, self.listed, self.conditions, self.purged) = (specification, listed, conditions, purged)
    }
}

extension Federation {
    /// Purges at all sources that may have something: of each what it registers and no more (clause 4.3.6.1). Where that can't be
    /// said in a request, none is sent and it counts as a source that does not offer the operation.
    /// - Returns: nil when no source matches.
    package func purge(_ purge: DistributedPurge, _ origin: Origin) async throws -> ProvisionOutcome? {
        let matching = try await matching(purge.specification, nil, origin)
        var plan = ProvisionPlan()
        for source in matching.sources where source.registration.mode.isProxied || source.registration.mode == .inclusive {
            let offers = source.registration.operations.contains(.purgeEntity)
            guard offers || source.registration.mode.isProxied else { continue }
            let whole = ProvisionPart(source: source, attributes: nil)
            guard offers, source.registration.datasets == nil, await canRename(purge.conditions, for: source.registration, origin) else {
                plan.unsupported.append(whole)
                continue
            }
            for element in source.information.flatMap(\.elements) {
                switch purge.part(of: element) {
                case .nothing: break
                case .unsayable: plan.unsupported.append(whole)
                case .some:
                    let part = ProvisionPart(source: MatchedSource(registration: source.registration, information: [element]), attributes: nil)
                    if origin.permit?.allows(element.attributes, of: nil, [], at: part.source, isErasing: true) ?? true { plan.parts.append(part) } else { plan.refused.append(part) }
                }
            }
        }
        guard !plan.isLocalOnly else { return nil }
        return await perform(plan, origin) { part, context in
            guard let element = part.source.information.first, case .some(let selector, let listed, let purged) = purge.part(of: element) else {
                return Forward(.delete, "entities", query: [("id", "urn:ngsi-ld:none")])
            }
            let conditions: [(name: String, value: String)] = purge.conditions.map { name, value in
                (name, (context.key == origin.context.key ? value : part.source.renamed(name, value, context, origin.context)).parameterText)
            }
            var query = selector.terms(context)
            if let listed { query.append(("attrs", listed.names(context))) }
            query += conditions
            switch purged {
            case .drop(let names)?: query.append(("drop", names.names(context)))
            case .keep(let names)?: query.append(("keep", names.names(context)))
            case nil: break
            }
            return Forward(.delete, "entities", query: query)
        }
    }

    /// Values that stand for names can't be put into another context.
    private func canRename(_ conditions: [(name: String, value: JSON)], for registration: Registration, _ origin: Origin) async -> Bool {
        guard conditions.contains(where: { $0.name == "expandValues" }) else { return true }
        return await context(for: registration, origin).key == origin.context.key
    }
}

extension DistributedPurge {
    fileprivate enum Part {
        case nothing, unsayable
        case some(SourceSpecification.Selector, listed: Set<IRI>?, PurgedAttributes?)
    }

    /// Bytes of the identifiers that one address names.
    private static let idByteCountMax = 6000

    /// What of the purge lies within an element whose entities are all named in the same way.
    fileprivate func part(of element: RegistrationInfo) -> Part {
        var selector = specification.selectors.first ?? .init()
        if let entity = element.entities?.first {
            guard element.entities?.contains(where: { $0.matches(selector) }) ?? true else { return .nothing }
            // An entity of these types is one of those wanted, as has been found out.
            if let first = entity.types.first { selector.types = entity.types.count > 1 ? .and(entity.types.map(TypeSelection.type)) : .type(first) }
            if entity.id != nil {
                let registered = Set(element.entities?.compactMap(\.id) ?? [])
                selector.ids = selector.ids.map(registered.intersection) ?? registered
            } else if let pattern = entity.idPattern {
                if let ids = selector.ids { selector.ids = ids.filter(pattern.matches) }
                else if let wanted = selector.idPattern, wanted != pattern { return .unsayable }
                else { selector.idPattern = pattern }
            }
        }
        if let ids = selector.ids {
            let kept = ids.filter { selector.idPattern?.matches($0) ?? true }
            (selector.ids, selector.idPattern) = (kept, nil)
            guard !kept.isEmpty else { return .nothing }
            guard kept.reduce(0, { $0 + $1.text.utf8.count }) <= Self.idByteCountMax else { return .unsayable }
        }
        guard let registered = element.attributes else { return .some(selector, listed: listed, purged) }
        let dropped = switch purged {
        case .drop(let names)?: registered.intersection(names)
        case .keep(let names)?: registered.subtracting(names)
        case nil: registered
        }
        let wanted = listed.map(registered.intersection)
        return dropped.isEmpty || wanted?.isEmpty ?? false ? .nothing : .some(selector, listed: wanted, .drop(dropped))
    }
}

extension RegistrationInfo {
    /// The same in elements whose entities are all named in the same way, so that one request can say which are meant.
    fileprivate var elements: [RegistrationInfo] {
        guard let entities else { return [self] }
        var named: OrderedDictionary<[IRI], [EntityInfo]> = [:]
        for entity in entities where entity.id != nil { named[entity.types, default: []].append(entity) }
        let groups = Array(named.values) + entities.filter { $0.id == nil }.map { [$0] }
        return groups.map { RegistrationInfo(entities: $0, attributes: attributes) }
    }
}

extension Set<IRI> {
    fileprivate func names(_ context: Context) -> String { map(context.compact).sorted().joined(separator: ",") }
}
