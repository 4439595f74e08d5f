package import CityModel
package import Query

/// Which entities and attributes a request or a subscription is about, as far as it decides which sources may have some of
/// them (clauses 5.10.2.4 and 5.12).
package struct SourceSpecification: Sendable {
    package struct Selector: Sendable {
        package var types: TypeSelection?
        package var ids: Set<IRI>?
        package var idPattern: IDPattern?

        package init(types: TypeSelection? = nil, ids: Set<IRI>? = nil, idPattern: IDPattern? = nil) {
            (self.types, self.ids, self.idPattern) = (types == .any ? nil : types, ids, idPattern)
        }
    }

    /// Any of these; with none, entities of all kinds.
    package var selectors: [Selector] = []
    /// Nil or empty for all.
    package var attributes: Set<IRI>?
    /// Nil stands for the default instance.
    package var datasets: Set<IRI?>?
    package var geo: GeoQuery?
    package var temporal: TemporalQuery?
    /// Whether it is about histories, also where no temporal query narrows them.
    package var isOfHistory = false
    package var scopes: ScopeQuery?
    package var sourceFilter: QueryExpression?
    /// Whether a source that does not say where it is, and in which scopes, is taken for one that may have something anywhere. It is
    /// when there is something to be asked of it; who looks for sources in a place is told of those that say they are there.
    package var takesSilenceForAnywhere = false

    package init() {}
}

extension Registration {
    /// The elements of `information` that match, by their place; none when the registration does not match.
    package func matches(_ specification: SourceSpecification) -> [Int] {
        guard meetsConditions(specification) else { return [] }
        return information.indices.filter { information[$0].matches(specification) }
    }

    private func meetsConditions(_ specification: SourceSpecification) -> Bool {
        guard meetsTime(specification) else { return false }
        let anywhere = specification.takesSilenceForAnywhere
        if let scopes = specification.scopes, !(anywhere && self.scopes.isEmpty), !scopes.matches(self.scopes) { return false }
        if let geo = specification.geo, !(places[geo.property].map(geo.mayMatchWithin) ?? anywhere) { return false }
        if let datasets, let wanted = specification.datasets, datasets.isDisjoint(with: wanted) { return false }
        if let filter = specification.sourceFilter, !filter.matches(properties) { return false }
        return true
    }

    /// Clause 5.9.1: a registration is about current state or about histories, and never about both. One that offers operations on
    /// histories and does not say for which time may be asked for any.
    private func meetsTime(_ specification: SourceSpecification) -> Bool {
        guard specification.isOfHistory || specification.temporal != nil else { return !isTemporal }
        guard isTemporal else { return specification.takesSilenceForAnywhere && hasHistories }
        guard let query = specification.temporal else { return true }
        return (query.property == .observedAt ? observationInterval : managementInterval)?.overlaps(query) ?? false
    }
}

extension RegistrationInfo {
    func matches(_ specification: SourceSpecification) -> Bool {
        if let attributes, let wanted = specification.attributes, !wanted.isEmpty, attributes.isDisjoint(with: wanted) { return false }
        guard let entities, !specification.selectors.isEmpty else { return true }
        return entities.contains { entity in specification.selectors.contains(where: entity.matches) }
    }
}

extension EntityInfo {
    func matches(_ selector: SourceSpecification.Selector) -> Bool {
        if let wanted = selector.types, !types.isEmpty, !wanted.matches(types) { return false }
        guard id != nil || idPattern != nil else { return true }
        guard selector.ids != nil || selector.idPattern != nil else { return true }
        if let ids = selector.ids, ids.contains(where: admits) { return true }
        // Whether two patterns have an identifier in common can't be said easily.
        if let pattern = selector.idPattern { return id.map(pattern.matches) ?? true }
        return false
    }
}

extension GeoQuery {
    /// Whether something that lies within `place` may match.
    func mayMatchWithin(_ place: Geometry) -> Bool {
        switch relation {
        case .nearMax(let metres): reference.isWithinDistance(metres, of: place)
        case .nearMin: true
        case .within, .contains, .overlaps, .intersects, .equals: reference.intersects(place)
        case .disjoint: !reference.contains(place)
        }
    }
}
