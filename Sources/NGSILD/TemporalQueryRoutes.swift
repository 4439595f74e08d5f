internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import Query
internal import Store
internal import Policy
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

    private static let evolutionNames = names(temporalParameters + temporalReadParameters)
    static let evolutionPageNames = names(temporalReadParameters + temporalPageParameters)
    static let evolutionQueryNames = names(filterParameters + temporalParameters).union(evolutionPageNames)

    private func retrieveEvolution(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.evolutionNames)
        let access = try await reading(request, to: .history)
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
        try request.query.check(known: Self.evolutionQueryNames)
        let access = try await reading(request, to: .history)
        return try await answer(try await evolutionQuery(request), request, access)
    }

    private func queryEvolutionsByPost(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.evolutionPageNames)
        let access = try await reading(request, to: .history)
        let body = try await body(request)
        return try await answer(try evolutionQuery(request, body), request, access)
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

    private func answer(_ query: EvolutionQuery, _ request: DoorRequest, _ access: ReadAccess) async throws -> Response {
        let part = try EvolutionPageTerms(request, limits)
        let terms = try EntityMapTerms(request, query.body)
        var map = usable(terms, access, request)
        if map == nil, terms.isMapUsed { map = try await newEntityMap(of: query, terms, request, access) }
        let page: EvolutionPage
        var warnings: [SourceWarning] = []
        if let found = try await distributedQuery(query, part, through: map?.map, request, access) {
            (page, warnings) = (found.page, found.warnings)
        } else {
            page = try await broker.queryEvolutions(
                query.filter, query.representation.selection, order: query.order, offset: part.offset, limit: part.limit,
                wantsCount: part.wantsCount, limits: limits.evolution, through: map?.map, access, at: request.now)
        }
        var response = answer(page, isArray: true, query.representation)
        map?.mark(&response, isQuery: true)
        if let count = page.count { response.headers[.ngsildResultsCount] = String(count) }
        let links = PageLinks(
            request, query.representation.mediaType.rawValue, offset: part.offset, limit: part.limit, pageCount: page.visitedCount,
            hasMore: page.hasMore)
        for link in links.values { response.headers.append(HTTPField(name: .link, value: link)) }
        Self.warn(warnings, &response)
        return response
    }
}

/// Which page of a query is wanted (clause 5.5.9).
struct EvolutionPageTerms {
    var offset = 0
    var limit = 0
    var wantsCount = false

    /// None of them: where a map is made of all.
    init() {}

    init(_ request: DoorRequest, _ limits: NGSILDLimits) throws(CityError) {
        wantsCount = try request.query.wantsCount()
        limit = try request.query.integer("limit", in: 0...limits.pageCountMax) ?? limits.pageCountDefault
        offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw .badRequestData("limit: 0 is possible with count=true only") }
    }
}
