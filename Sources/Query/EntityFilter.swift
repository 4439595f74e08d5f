public import CityModel
internal import OrderedCollections

/// Everything that a request says about which entities it wants (clause 5.7.2.4). Parts that are nil do not restrict.
/// `datasetId` is no part of it: it selects what is answered of an entity, not which entities (`DatasetSelection`).
public struct EntityFilter: Sendable {
    /// Any of these; nil means any at all.
    public var ids: Set<IRI>?
    public var idPattern: IDPattern?
    public var types: TypeSelection?
    /// At least one of these attributes exists.
    public var attributes: [IRI]?
    public var query: QueryExpression?
    public var scopes: ScopeQuery?
    public var geo: GeoQuery?
    /// At least one of these matches too; nil does not restrict.
    public var alternatives: [EntityFilter]?

    public init(
        ids: Set<IRI>? = nil, idPattern: IDPattern? = nil, types: TypeSelection? = nil, attributes: [IRI]? = nil,
        query: QueryExpression? = nil, scopes: ScopeQuery? = nil, geo: GeoQuery? = nil
    ) {
        self.ids = ids
        self.idPattern = idPattern
        self.types = types
        self.attributes = attributes
        self.query = query
        self.scopes = scopes
        self.geo = geo
    }

    /// Whether the filter says enough to be used without the local scope (clause 5.7.2.4, a to d); identifiers and
    /// patterns alone do not.
    public var isNarrowEnough: Bool {
        types.map { $0 != .any } ?? false || !(attributes ?? []).isEmpty || (query?.namesAttribute ?? false) || geo != nil
    }

    /// The attributes of an entity that `matches` looks at; of linked entities it may look at others.
    public var attributesRead: Set<IRI> {
        var names = Set(attributes ?? [])
        for path in query?.terms.map(\.path) ?? [] { names.insert(path.hops.first?.relationship.iri ?? path.root.iri) }
        if let geo { names.insert(geo.property) }
        for alternative in alternatives ?? [] { names.formUnion(alternative.attributesRead) }
        return names
    }

    /// Whether it looks at nothing but the entity itself: at none that it is linked to.
    public var isOfEntitiesAlone: Bool {
        query?.terms.allSatisfy(\.path.hops.isEmpty) ?? true && (alternatives ?? []).allSatisfy(\.isOfEntitiesAlone)
    }

    /// Whether the entity passes every part. The cheap ones are asked first.
    public func matches(_ entity: Entity, lookup: (IRI) -> Entity? = { _ in nil }) -> Bool {
        if let ids, !ids.contains(entity.id) { return false }
        if let types, !types.matches(entity.types) { return false }
        if let scopes, !scopes.matches(entity.scopes) { return false }
        if let idPattern, !idPattern.matches(entity.id) { return false }
        if let attributes, !attributes.contains(where: { entity.attributes[$0] != nil }) { return false }
        if let query, !query.matches(entity, lookup: lookup) { return false }
        if let geo, !geo.matches(entity) { return false }
        if let alternatives, !alternatives.contains(where: { $0.matches(entity, lookup: lookup) }) { return false }
        return true
    }
}

extension EntityFilter {
    /// Parses the `id` parameter: IRIs between commas.
    /// - Throws: `badRequestData` that names `id`.
    public static func ids(parsing text: String, limits: QueryLimits = .standard) throws(CityError) -> Set<IRI> {
        guard text.utf8.count <= limits.byteCountMax * 8 else { throw .tooComplexQuery("id: \(text.utf8.count) bytes") }
        var ids: Set<IRI> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let iri = IRI(String(part)) else { throw .badRequestData("id: \(part.prefix(200)) is not a URI") }
            ids.insert(iri)
        }
        return ids
    }
}
