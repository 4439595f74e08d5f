internal import Broker
internal import CityModel
internal import Door
internal import LinkedData
internal import Query
internal import Store

/// A query of current state as a request has it, however it is going to be answered.
struct CurrentQuery {
    let query: EntityQuery
    /// The texts of its filter, one for each alternative.
    let parts: [FilterTerms]
    let body: QueryBody?
    let representation: Representation
}

/// The same of a query of temporal evolutions.
struct EvolutionQuery {
    let filter: EntityFilter
    /// The texts of its filter, one for each alternative.
    let parts: [FilterTerms]
    let order: HistorySearch.Order?
    let body: QueryBody?
    let representation: TemporalRepresentation
}

extension NGSILDDoor {
    /// From the query string.
    func currentQuery(_ request: DoorRequest) async throws -> CurrentQuery {
        let context = try await linkContext(request)
        let representation = try representation(request, context: context)
        let terms = FilterTerms(request.query)
        let filter = try filter(terms, representation, isLocal: isLocal(request, terms))
        return CurrentQuery(
            query: EntityQuery(filter: filter, ordering: try ordering(request, nil, context), limit: 0), parts: [terms], body: nil,
            representation: representation)
    }

    /// From a body of type Query.
    func currentQuery(_ request: DoorRequest, _ body: ContextualBody) throws -> CurrentQuery {
        let query = try QueryBody(body.json)
        let representation = try representation(request, context: body.context, parameters: query.readParameters(request.query))
        let filter = try query.filter { terms in try self.filter(terms, representation, isLocal: isLocal(request, terms)) }
        return CurrentQuery(
            query: EntityQuery(filter: filter, ordering: try ordering(request, query, body.context), limit: 0), parts: query.alternatives,
            body: query, representation: representation)
    }

    /// From the query string.
    func evolutionQuery(_ request: DoorRequest) async throws -> EvolutionQuery {
        let context = try await linkContext(request)
        let representation = try temporalRepresentation(
            request, context: context, terms: TemporalTerms(request.query), parameters: ReadParameters(request.query))
        let terms = FilterTerms(request.query)
        return EvolutionQuery(
            filter: try filter(terms, representation, isLocal: isLocal(request, terms)), parts: [terms],
            order: try order(request.query["orderBy"], collation: request.query["collation"], context), body: nil,
            representation: representation)
    }

    /// From a body of type Query.
    func evolutionQuery(_ request: DoorRequest, _ body: ContextualBody) throws -> EvolutionQuery {
        let query = try QueryBody(body.json, isTemporal: true)
        guard let terms = query.temporal else { throw CityError.badRequestData("temporalQ: is missing") }
        let representation = try temporalRepresentation(
            request, context: body.context, terms: terms, parameters: query.readParameters(request.query), isBody: true)
        return EvolutionQuery(
            filter: try query.evolutionFilter { terms in try self.filter(terms, representation, isLocal: isLocal(request, terms)) },
            parts: query.alternatives,
            order: try order(
                query.orderBy ?? request.query["orderBy"], collation: query.collation ?? request.query["collation"], body.context),
            body: query, representation: representation)
    }
}

extension QueryBody {
    /// One filter of all alternatives.
    func filter(_ make: (FilterTerms) throws -> EntityFilter) throws -> EntityFilter {
        let filters = try alternatives.map(make)
        guard let first = filters.first else { throw CityError.badRequestData("entities: an empty array selects nothing") }
        guard filters.count > 1 else { return first }
        var filter = EntityFilter()
        filter.alternatives = filters
        return filter
    }

    /// The same for a query of evolutions, which asks for values and places once: they are the same in every alternative.
    func evolutionFilter(_ make: (FilterTerms) throws -> EntityFilter) throws -> EntityFilter {
        let filters = try alternatives.map(make)
        guard var filter = filters.first else { throw CityError.badRequestData("entities: an empty array selects nothing") }
        guard filters.count > 1 else { return filter }
        (filter.ids, filter.idPattern, filter.types, filter.alternatives) = (nil, nil, nil, filters)
        return filter
    }
}
