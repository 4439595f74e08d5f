internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import Query
internal import Store
internal import Trust

/// Consumption of temporal evolutions (clauses 6.18.3.2, 6.19.3.1, 6.24).
extension NGSILDDoor {
    var temporalQueryRoutes: [Route] {
        [
            Route(
                .get, Self.temporalBase, "Query temporal evolutions", tag: Self.temporalConsumption,
                parameters: Self.common + Self.filterParameters + Self.temporalParameters + Self.temporalReadParameters
                    + Self.temporalPageParameters, responses: [Self.manyEvolutions, Self.partOfEvolutions], handler: queryEvolutions),
            Route(
                .get, Self.temporalBase + "/{entityId}", "Retrieve a temporal evolution", tag: Self.temporalConsumption,
                parameters: [Self.idParameter] + Self.common + Self.temporalParameters + Self.temporalReadParameters,
                responses: [Self.oneEvolution, Self.partOfEvolutions], handler: retrieveEvolution),
            Route(
                .post, Self.base + "/temporal/entityOperations/query", "Query temporal evolutions by POST", tag: Self.temporalConsumption,
                parameters: Self.common + Self.temporalReadParameters + Self.temporalPageParameters,
                body: .init(Self.jsonTypes, schema: ["$ref": "#/components/schemas/Query"]),
                responses: [Self.manyEvolutions, Self.partOfEvolutions], handler: queryEvolutionsByPost),
        ]
    }

    private func retrieveEvolution(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.names(Self.temporalParameters + Self.temporalReadParameters))
        let access = try await reading(request)
        let id = try request.identifier("entityId")
        let representation = try temporalRepresentation(
            request, context: try await linkContext(request), terms: TemporalTerms(request.query), parameters: ReadParameters(request.query))
        if let response = try await distributedRetrieval(of: id, representation, request, access) { return response }
        let page = try await broker.retrieveEvolution(
            of: id, representation.selection, limits: limits.evolution, access, at: request.now)
        var response = answer(page, isArray: false, representation)
        try await markEntityMap(of: id, access, request, &response)
        return response
    }

    private func queryEvolutions(_ request: DoorRequest) async throws -> Response {
        try request.query.check(
            known: Self.names(Self.filterParameters + Self.temporalParameters + Self.temporalReadParameters + Self.temporalPageParameters))
        let access = try await reading(request)
        let context = try await linkContext(request)
        let representation = try temporalRepresentation(
            request, context: context, terms: TemporalTerms(request.query), parameters: ReadParameters(request.query))
        let terms = FilterTerms(request.query)
        let filter = try filter(terms, representation, isLocal: isLocal(request, terms))
        let order = try order(request.query["orderBy"], collation: request.query["collation"], context)
        return try await answer(filter, [terms], order, representation, request, access)
    }

    private func queryEvolutionsByPost(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.names(Self.temporalReadParameters + Self.temporalPageParameters))
        let access = try await reading(request)
        let body = try await body(request)
        let query = try QueryBody(body.json, isTemporal: true)
        guard let terms = query.temporal else { throw CityError.badRequestData("temporalQ: is missing") }
        let representation = try temporalRepresentation(
            request, context: body.context, terms: terms, parameters: query.readParameters(request.query), isBody: true)
        let filter = try query.evolutionFilter { terms in try self.filter(terms, representation, isLocal: isLocal(request, terms)) }
        let order = try order(query.orderBy ?? request.query["orderBy"], collation: query.collation ?? request.query["collation"], body.context)
        return try await answer(filter, query.alternatives, order, representation, request, access, body: query)
    }

    func filter(
        _ terms: FilterTerms, _ representation: TemporalRepresentation, isLocal: Bool
    ) throws(CityError) -> EntityFilter {
        let filter = try Self.filter(
            terms, context: representation.context, projection: representation.selection.projection,
            requiresListed: representation.requiresListed, linkDepthMax: 0, isLocal: isLocal)
        // System attributes alone do not narrow a query (clause 5.7.4.4, b).
        let system = Set(["createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt"].map { IRI(known: IRI.ngsildNamespace + $0) })
        if !isLocal, filter.types == nil, filter.query == nil, filter.geo == nil, let attributes = filter.attributes,
            attributes.allSatisfy(system.contains)
        {
            throw .badRequestData("attrs: names no attribute that would narrow the query (clause 5.7.4.4)")
        }
        return filter
    }

    /// Temporal evolutions are ordered by identifier or not at all (clause 5.7.4.4).
    func order(_ orderBy: String?, collation: String?, _ context: Context) throws(CityError) -> HistorySearch.Order? {
        if let collation { _ = try Collation(parsing: collation) }
        guard let orderBy else { return nil }
        let ordering = try Ordering(parsing: orderBy, expand: context.expand)
        guard let first = ordering.terms.first, ordering.terms.allSatisfy({ $0.path.isPlain && $0.path.entityMember == .id && !$0.direction.isByDistance })
        else { throw .badRequestData("orderBy: temporal evolutions are ordered by id only (clause 5.7.4.4)") }
        return first.direction == .descending ? .descending : .ascending
    }

    /// - Parameter parts: the texts of the filter, one for each alternative.
    private func answer(
        _ filter: EntityFilter, _ parts: [FilterTerms], _ order: HistorySearch.Order?, _ representation: TemporalRepresentation, _ request: DoorRequest,
        _ access: ReadAccess, body: QueryBody? = nil
    ) async throws -> Response {
        let wantsCount = try request.query.wantsCount()
        let limit = try request.query.integer("limit", in: 0...limits.pageCountMax) ?? limits.pageCountDefault
        let offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw CityError.badRequestData("limit: 0 is possible with count=true only") }
        let terms = try EntityMapTerms(request, body)
        let map = try await entityMap(terms, access, request) {
            try await broker.makeEntityMap(
                of: filter, representation.selection.temporal, order: order, lifetime: terms.lifetime, access, at: request.now)
        }
        if map == nil {
            let query = EntityQuery(filter: filter, offset: offset, limit: limit, wantsCount: wantsCount)
            if let response = try await distributedQuery(query, parts, isOrdered: order != nil, representation, request, access) { return response }
        }
        let page = try await broker.queryEvolutions(
            filter, representation.selection, order: order, offset: offset, limit: limit, wantsCount: wantsCount, limits: limits.evolution,
            through: map?.map, access, at: request.now)
        var response = answer(page, isArray: true, representation)
        map?.mark(&response, isQuery: true)
        if let count = page.count { response.headers[.ngsildResultsCount] = String(count) }
        let links = PageLinks(
            request, representation.mediaType.rawValue, offset: offset, limit: limit, pageCount: page.visitedCount, hasMore: page.hasMore)
        for link in links.values { response.headers.append(HTTPField(name: .link, value: link)) }
        return response
    }
}
