internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import Query
internal import Trust

/// Readings of histories that other context sources take part in (clauses 5.7.3 and 5.7.4).
extension NGSILDDoor {
    /// What sources have of an evolution, put together with what is here. A map that the request names says which sources these are.
    /// - Returns: nil when there is nobody to ask.
    func distributedRetrieval(
        of id: IRI, _ representation: TemporalRepresentation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> Response? {
        guard try !isLocalOnly(request) else { return nil }
        let terms = try EntityMapTerms(request)
        var used = usable(terms, access, request)
        guard
            let found = try await federation.retrieveEvolution(
                of: id, representation.selection, attributes: representation.wantedAttributes, limits: limits.evolution, through: used?.map,
                origin(request, access, representation.context))
        else { return nil }
        var response: Response
        if let page = found.page {
            response = answer(page, isArray: false, representation)
            if used == nil, terms.isMapUsed { used = try newEntityMap(of: id, remote: found.remote, isHere: found.isHere, terms, request, access) }
            used?.mark(&response, isQuery: false)
        } else {
            response = Problem(.resourceNotFound("there is no temporal evolution of an entity \(id), or it has nothing of what was asked for")).response()
        }
        Self.warn(found.warnings, &response)
        return response
    }

    /// A query as it may be distributed.
    /// - Returns: nil when it is for this broker alone.
    func distributed(
        _ query: EvolutionQuery, _ page: EvolutionPageTerms, _ request: DoorRequest, _ access: ReadAccess
    ) throws -> (DistributedEvolutionQuery, Origin)? {
        let (representation, first) = (query.representation, query.parts.first)
        guard try !isLocalOnly(request), first?.type != "*", representation.selection.temporal != nil else { return nil }
        var specification = try specification(query.filter, query.parts, representation.context, access.principal)
        specification.datasets = representation.selection.datasets?.datasets
        var distributed = DistributedQuery(
            specification: specification, filter: query.filter, attributes: representation.wantedAttributes, offset: page.offset,
            limit: page.limit, wantsCount: page.wantsCount)
        distributed.isSplit = try request.query.bool("splitEntities") ?? first?.isSplit ?? false
        distributed.conditions = first?.conditions ?? []
        distributed.datasetID = representation.selection.datasets?.text
        let wanted = DistributedEvolutionQuery(
            distributed, representation.selection, limits: limits.evolution, isOrdered: query.order != nil)
        return (wanted, origin(request, access, representation.context))
    }

    /// A page of what this broker and sources have.
    /// - Parameter map: what is paged, where it is a map.
    /// - Returns: nil when there is nobody to ask.
    func distributedQuery(
        _ query: EvolutionQuery, _ page: EvolutionPageTerms, through map: EntityMap?, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> DistributedEvolutions? {
        if let map, !map.isDistributed { return nil }
        guard let (distributed, origin) = try distributed(query, page, request, access) else { return nil }
        guard let map else { return try await federation.queryEvolutions(distributed, origin) }
        return try await federation.queryEvolutions(distributed, through: map, origin)
    }
}

extension TemporalRepresentation {
    /// Those that an entity is wanted with (`attrs`); nil for all.
    fileprivate var wantedAttributes: Set<IRI>? { requiresListed ? selection.projection.listedAttributes.map { Set($0) } : nil }
}
