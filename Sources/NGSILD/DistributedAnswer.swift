internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// Readings that other context sources take part in (clause 4.3.6).
extension NGSILDDoor {
    func origin(_ request: DoorRequest, _ access: WriteAccess, _ context: Context) -> Origin {
        origin(request, access.reading, context, permit: access.permit)
    }

    func origin(_ request: DoorRequest, _ access: ReadAccess, _ context: Context, permit: WritePermit? = nil) -> Origin {
        let headers = request.headers
        return Origin(
            access: access, permit: permit, asker: Asker(now: request.now, credential: request.credential), context: context, via: headers[values: .via]
        ) { name in HTTPField.Name(name).flatMap { headers[$0] } }
    }

    /// Whether a request is for this broker alone (clauses 5.5.15 and 6.3.18).
    func isLocalOnly(_ request: DoorRequest) throws(CityError) -> Bool {
        if request.headers[.ngsildSnapshot] != nil { return true }
        return try request.query.bool("local") ?? false
    }

    /// What sources have of an entity, put together with what is here. A map that the request names says which sources these are.
    /// - Returns: nil when there is nobody to ask.
    func distributedRetrieval(
        _ id: IRI, _ types: TypeSelection?, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> Response? {
        guard try !isLocalOnly(request), try await federation.hasSources(access) else { return nil }
        let terms = try EntityMapTerms(request)
        var used = usable(terms, access, request)
        let wanted = representation.requiresListed ? representation.projection.listedAttributes.map { Set($0) } : nil
        guard
            let found = try await federation.retrieve(
                id, selecting: types, attributes: wanted, datasetID: request.query["datasetId"], through: used?.map,
                origin(request, access, representation.context))
        else { return nil }
        var response: Response
        if let entity = found.entity.flatMap(representation.view.selected) {
            response = try await self.response([entity], isArray: false, representation, access, request.now)
            if used == nil, terms.isMapUsed { used = try newEntityMap(of: id, remote: found.remote, isHere: found.isHere, terms, request, access) }
            used?.mark(&response, isQuery: false)
        } else {
            response = Problem(.resourceNotFound("there is no entity \(id), or it has none of the members asked for")).response()
        }
        Self.warn(found.warnings, &response)
        return response
    }

    /// A query as it may be distributed.
    /// - Parameter parts: the texts of the filter, one for each alternative.
    /// - Returns: nil when it is for this broker alone.
    /// - Throws: `badRequestData` when it would be distributed and is to be put in order (clause 5.7.2.4).
    func distributed(
        _ query: EntityQuery, _ parts: [FilterTerms], _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> (DistributedQuery, Origin)? {
        guard try !isLocalOnly(request), parts.first?.type != "*" else { return nil }
        // What is said of sources is looked at all the same.
        if try await !federation.hasSources(access), parts.first?.csf == nil, request.query["splitEntities"] == nil { return nil }
        var specification = try specification(query.filter, parts, representation.context, access.principal)
        specification.datasets = representation.datasets?.datasets
        var distributed = DistributedQuery(
            specification: specification, filter: query.filter,
            attributes: representation.requiresListed ? representation.projection.listedAttributes.map { Set($0) } : nil, offset: query.offset,
            limit: query.limit, wantsCount: query.wantsCount)
        distributed.isSplit = try request.query.bool("splitEntities") ?? parts.first?.isSplit ?? false
        distributed.conditions = parts.first?.conditions ?? []
        distributed.datasetID = request.query["datasetId"]
        let origin = origin(request, access, representation.context)
        if query.ordering != nil {
            guard try await federation.distributes(distributed, origin) else { return nil }
            throw CityError.badRequestData("orderBy: a query that is distributed can't be put in order; local=true limits it (clause 5.7.2.4)")
        }
        return (distributed, origin)
    }

    /// A page of what this broker and sources have.
    /// - Parameter parts: the texts of the filter, one for each alternative.
    /// - Returns: nil when there is nobody to ask.
    func distributedQuery(
        _ query: EntityQuery, _ parts: [FilterTerms], _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> Response? {
        guard let (distributed, origin) = try await distributed(query, parts, representation, request, access),
            let page = try await federation.query(distributed, origin)
        else { return nil }
        let entities = page.entities.compactMap(representation.view.selected)
        var response = try await self.response(entities, isArray: true, representation, access, request.now)
        if let count = page.count { response.headers[.ngsildResultsCount] = String(count) }
        let links = PageLinks(
            request, representation.mediaType.rawValue, offset: query.offset, limit: query.limit, hasMore: page.hasMore)
        for link in links.values { response.headers.append(HTTPField(name: .link, value: link)) }
        Self.warn(page.warnings, &response)
        return response
    }

    func specification(
        _ filter: EntityFilter, _ parts: [FilterTerms], _ context: Context, _ principal: Principal
    ) throws -> SourceSpecification {
        var specification = SourceSpecification(filter)
        // It asks of what registrations say, which is not for everybody to look at.
        guard parts.first?.csf == nil || principal != .anonymous else {
            throw CityError.unauthenticated("csf: choosing among context sources needs a bearer token with the right to read")
        }
        specification.sourceFilter = try parts.first?.csf.map { text throws(CityError) in
            try QueryExpression(parsing: text, expand: context.expand, parameter: "csf")
        }
        return specification
    }

    /// Of one answer: more headers than that few clients read.
    private static let warningCountMax = 50

    static func warn(_ warnings: [SourceWarning], _ response: inout Response) {
        let said = Set(response.headers[values: .ngsildWarning])
        let room = max(0, warningCountMax - said.count)
        for header in OrderedSet(warnings.lazy.map(\.header).filter { !said.contains($0) }).prefix(room) {
            response.headers.append(HTTPField(name: .ngsildWarning, value: header))
        }
    }
}

extension FilterTerms {
    /// What sources are asked beside identifiers and types, as it was given.
    var conditions: [(name: String, value: JSON)] {
        var conditions: [(String, JSON)] = []
        for (name, text) in [("q", q), ("scopeQ", scopeQ), ("georel", georel), ("geometry", geometry), ("geoproperty", geoproperty)] {
            if let text { conditions.append((name, .string(text))) }
        }
        if let coordinates { conditions.append(("coordinates", coordinates)) }
        if !expandValues.isEmpty { conditions.append(("expandValues", .string(expandValues.joined(separator: ",")))) }
        return conditions
    }
}

extension HTTPField.Name {
    static let via = HTTPField.Name("Via")!
    static let ngsildWarning = HTTPField.Name("NGSILD-Warning")!
}
