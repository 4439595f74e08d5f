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
    /// - Returns: nil when there is nobody to ask.
    func distributedRetrieval(
        of id: IRI, _ representation: TemporalRepresentation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> Response? {
        guard try !isLocalOnly(request) else { return nil }
        guard
            let found = try await federation.retrieveEvolution(
                of: id, representation.selection, attributes: representation.wantedAttributes, limits: limits.evolution,
                origin(request, access, representation.context))
        else { return nil }
        var response: Response
        if let page = found.page {
            response = answer(page, isArray: false, representation)
        } else {
            response = Problem(.resourceNotFound("there is no temporal evolution of an entity \(id), or it has nothing of what was asked for")).response()
        }
        Self.warn(found.warnings, &response)
        return response
    }

    /// - Parameter parts: the texts of the filter, one for each alternative.
    /// - Returns: nil when there is nobody to ask.
    func distributedQuery(
        _ query: EntityQuery, _ parts: [FilterTerms], isOrdered: Bool, _ representation: TemporalRepresentation, _ request: DoorRequest,
        _ access: ReadAccess
    ) async throws -> Response? {
        guard try !isLocalOnly(request), parts.first?.type != "*", representation.selection.temporal != nil else { return nil }
        var specification = try specification(query.filter, parts, representation.context, access.principal)
        specification.datasets = representation.selection.datasets?.datasets
        var distributed = DistributedQuery(
            specification: specification, filter: query.filter, attributes: representation.wantedAttributes, offset: query.offset,
            limit: query.limit, wantsCount: query.wantsCount)
        distributed.isSplit = try request.query.bool("splitEntities") ?? parts.first?.isSplit ?? false
        distributed.conditions = parts.first?.conditions ?? []
        distributed.datasetID = representation.selection.datasets?.text
        guard
            let found = try await federation.queryEvolutions(
                DistributedEvolutionQuery(distributed, representation.selection, limits: limits.evolution), isOrdered: isOrdered,
                origin(request, access, representation.context))
        else { return nil }
        var response = answer(found.page, isArray: true, representation)
        if let count = found.page.count { response.headers[.ngsildResultsCount] = String(count) }
        let links = PageLinks(
            request, representation.mediaType.rawValue, offset: query.offset, limit: query.limit, pageCount: found.page.visitedCount,
            hasMore: found.page.hasMore)
        for link in links.values { response.headers.append(HTTPField(name: .link, value: link)) }
        Self.warn(found.warnings, &response)
        return response
    }
}

extension TemporalRepresentation {
    /// Those that an entity is wanted with (`attrs`); nil for all.
    fileprivate var wantedAttributes: Set<IRI>? { requiresListed ? selection.projection.listedAttributes.map { Set($0) } : nil }
}
