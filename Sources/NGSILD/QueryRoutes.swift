internal import Broker
internal import CityModel
internal import Store
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import Query
internal import Trust

/// Queries by GET and POST, and purge (clauses 6.4.3.2, 6.4.3.3, 6.23).
extension NGSILDDoor {
    var queryRoutes: [Route] {
        [
            Route(
                .get, Self.base + "/entities", "Query entities", tag: Self.consumption,
                parameters: Self.common + Self.filterParameters + Self.readParameters + Self.pageParameters + Self.entityMapParameters,
                responses: [Self.manyEntities, Self.manyEntitiesOfNewMap], handler: queryEntities),
            Route(
                .delete, Self.base + "/entities", "Purge entities: delete those that match", tag: Self.provision,
                parameters: Self.common + Self.filterParameters + [
                    .init("attrs", in: .query, "Attributes of which an entity has at least one"), .init("drop", in: .query, "Remove only these attributes"), .init("keep", in: .query, "Remove all attributes but these"),
                    Self.localParameter, Self.entityMapHeader,
                ], responses: [Self.noContent], handler: purgeEntities),
            Route(
                .post, Self.base + "/entityOperations/query", "Query entities by POST", tag: Self.consumption,
                parameters: Self.common + Self.pageParameters + Self.readParameters + Self.entityMapParameters,
                body: .init(Self.jsonTypes, schema: ["$ref": "#/components/schemas/Query"]),
                responses: [Self.manyEntities, Self.manyEntitiesOfNewMap], handler: queryEntitiesByPost),
        ]
    }

    static let filterNames: Set<String> = [
        "id", "idPattern", "type", "q", "csf", "georel", "geometry", "coordinates", "geoproperty", "scopeQ", "expandValues", "jsonKeys",
    ]
    static let pageNames: Set<String> = [
        "limit", "offset", "count", "orderBy", "orderFrom", "orderGeometry", "collation", "entityMap", "entityMapLifetime",
        "splitEntities",
    ]

    private func queryEntities(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.filterNames, Self.pageNames, Self.representationParameters)
        let access = try await reading(request)
        let context = try await linkContext(request)
        let representation = try representation(request, context: context)
        let terms = FilterTerms(request.query)
        let filter = try filter(terms, representation, isLocal: isLocal(request, terms))
        return try await answer(filter, [terms], representation, request, access)
    }

    private func queryEntitiesByPost(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.pageNames, Self.representationParameters)
        let access = try await reading(request)
        let body = try await body(request)
        let query = try QueryBody(body.json)
        let representation = try representation(request, context: body.context, parameters: query.readParameters(request.query))
        let filter = try query.filter { terms in try self.filter(terms, representation, isLocal: isLocal(request, terms)) }
        return try await answer(filter, query.alternatives, representation, request, access, body: query)
    }

    /// - Parameter parts: the texts of the filter, one for each alternative.
    private func answer(
        _ filter: EntityFilter, _ parts: [FilterTerms], _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess, body: QueryBody? = nil
    ) async throws -> Response {
        let wantsCount = try request.query.wantsCount()
        let limit = try request.query.integer("limit", in: 0...limits.pageCountMax) ?? limits.pageCountDefault
        let offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw CityError.badRequestData("limit: 0 is possible with count=true only") }
        let query = EntityQuery(
            filter: filter, ordering: try ordering(request, body, representation.context), offset: offset, limit: limit,
            wantsCount: wantsCount)
        let terms = try EntityMapTerms(request, body)
        if terms.isMapUsed {
            var map = usable(terms, access, request)
            if map == nil { map = try await newEntityMap(of: query, parts, terms, representation, request, access) }
            if let map { return try await answer(query, parts, through: map, representation, request, access) }
        }
        if let answer = try await distributedQuery(query, parts, representation, request, access) { return answer }
        let page = try await broker.query(query, access, at: request.now)
        var response = try await answer(page, representation, request, access)
        if let count = page.count { response.headers[.ngsildResultsCount] = String(count) }
        for link in PageLinks(request, representation.mediaType.rawValue, offset: offset, limit: limit, hasMore: page.hasMore).values {
            response.headers.append(HTTPField(name: .link, value: link))
        }
        if !terms.isMapUsed { request.reuse?.allow() }
        return response
    }

    func ordering(_ request: DoorRequest, _ body: QueryBody?, _ context: Context) throws(CityError) -> Ordering? {
        guard let orderBy = body?.orderBy ?? request.query["orderBy"] else { return nil }
        return try Ordering(
            parsing: orderBy, orderFrom: body?.orderFrom ?? request.query["orderFrom"],
            orderGeometry: body?.orderGeometry ?? request.query["orderGeometry"], collation: body?.collation ?? request.query["collation"],
            defaultCollation: .codePoint, expand: context.expand)
    }

    /// Whether a request may be as wide as only the local scope lets it be. A snapshot is local whatever is said (clause 5.5.15).
    func isLocal(_ request: DoorRequest, _ terms: FilterTerms) throws(CityError) -> Bool {
        if request.headers[.ngsildSnapshot] != nil { return true }
        let local = try request.query.bool("local")
        guard terms.type == "*" else { return local ?? false }
        guard local != false else { throw .badRequestData("local: type=* is possible in the local scope only") }
        return true
    }

    private func purgeEntities(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.filterNames, ["attrs", "drop", "keep", "local", "geometryProperty"])
        let access = try await writing(request)
        let context = try await linkContext(request)
        let terms = FilterTerms(request.query)
        let projection = try Projection(attrs: request.query["attrs"], expand: context.expand)
        var filter = try Self.filter(
            terms, context: context, projection: projection, requiresListed: true, linkDepthMax: 0, isLocal: isLocal(request, terms))
        let map = try purgedEntityMap(access.reading, request)
        if let ids = map?.map.ids { filter.ids = filter.ids.map(ids.intersection) ?? ids }
        let (attributes, purged) = (try purgedAttributes(request, context), filter)
        let local = { [broker] in try await broker.purge(purged, attributes: attributes, access, at: request.now) }
        if let answer = try await distributedPurge(purged, terms, attributes, request, access, context, local: local) { return answer }
        try await local()
        var response = Response(status: .noContent)
        map?.mark(&response, isQuery: false)
        return response
    }

    private func purgedAttributes(_ request: DoorRequest, _ context: Context) throws(CityError) -> PurgedAttributes? {
        func names(_ parameter: String) throws(CityError) -> Set<IRI>? {
            guard request.query[parameter] != nil else { return nil }
            var names: Set<IRI> = []
            for text in request.query.list(parameter) {
                guard let name = context.expand(text) else { throw .badRequestData("\(parameter): \(text) is not an attribute's name") }
                names.insert(name)
            }
            return names
        }
        let (drop, keep) = (try names("drop"), try names("keep"))
        guard drop == nil || keep == nil else { throw .badRequestData("keep: can't come with drop") }
        return drop.map(PurgedAttributes.drop) ?? keep.map(PurgedAttributes.keep)
    }
}

/// The texts of a request that say which entities it wants.
struct FilterTerms {
    var ids: String?, idPattern: String?, type: String?
    var q: String?, scopeQ: String?, csf: String?
    var georel: String?, geometry: String?, coordinates: JSON?, geoproperty: String?
    var expandValues: [String] = []
    /// What the body of a query says of split entities.
    var isSplit: Bool?

    init() {}

    init(_ query: QueryParameters) {
        (ids, idPattern, type) = (query["id"], query["idPattern"], query["type"])
        (q, csf) = (query["q"], query["csf"])
        // A "+" that was not escaped arrives as a space, which no scope contains.
        scopeQ = query["scopeQ"]?.replacing(" ", with: "+")
        (georel, geometry, geoproperty) = (query["georel"], query["geometry"], query["geoproperty"])
        coordinates = query["coordinates"].map(JSON.string)
        expandValues = query.list("expandValues")
    }
}

extension NGSILDDoor {
    func filter(_ terms: FilterTerms, _ representation: Representation, isLocal: Bool) throws(CityError) -> EntityFilter {
        try Self.filter(
            terms, context: representation.context, projection: representation.projection,
            requiresListed: representation.requiresListed, linkDepthMax: representation.join?.level ?? 0, isLocal: isLocal)
    }

    /// - Throws: `badRequestData` for a query that is too wide or follows more links than it says (clause 5.7.2.4).
    static func filter(
        _ terms: FilterTerms, context: Context, projection: Projection, requiresListed: Bool = false, linkDepthMax: Int, isLocal: Bool
    ) throws(CityError) -> EntityFilter {
        var filter = EntityFilter()
        filter.ids = try terms.ids.map { text throws(CityError) in try EntityFilter.ids(parsing: text) }
        filter.idPattern = try terms.idPattern.map { text throws(CityError) in try IDPattern(text) }
        filter.types = try terms.type.map { text throws(CityError) in try TypeSelection(parsing: text, expand: context.expand) }
        if requiresListed { filter.attributes = projection.listedAttributes }
        let expanded = Set(terms.expandValues.compactMap(context.expand))
        filter.query = try terms.q.map { text throws(CityError) in
            try QueryExpression(parsing: text, expand: context.expand, expandValues: expanded)
        }
        // It holds of sources and not of entities, but what is no query is an error (clause 5.7.2.4).
        if let csf = terms.csf { _ = try QueryExpression(parsing: csf, expand: context.expand) }
        filter.scopes = try terms.scopeQ.map { text throws(CityError) in try ScopeQuery(parsing: text) }
        filter.geo = try geo(terms, context)
        try check(projection, linkDepthMax: linkDepthMax)
        guard (filter.query?.linkDepth ?? 0) <= linkDepthMax else {
            throw .badRequestData("q: members of linked entities need join and a joinLevel of \(filter.query?.linkDepth ?? 0)")
        }
        guard filter.isNarrowEnough || isLocal || !(projection.listedAttributes ?? []).isEmpty else {
            throw .badRequestData("type: a query names a type, attributes, a q or a georel, or is local=true (clause 5.7.2.4)")
        }
        return filter
    }

    static func check(_ projection: Projection, linkDepthMax: Int) throws(CityError) {
        guard projection.linkDepth <= linkDepthMax else {
            throw .badRequestData("pick: members of linked entities need join and a joinLevel of \(projection.linkDepth)")
        }
    }

    private static func geo(_ terms: FilterTerms, _ context: Context) throws(CityError) -> GeoQuery? {
        if terms.georel == nil, terms.geometry == nil, terms.coordinates == nil { return nil }
        guard let georel = terms.georel else { throw .badRequestData("georel: is missing") }
        guard let geometry = terms.geometry else { throw .badRequestData("geometry: is missing") }
        guard let coordinates = terms.coordinates else { throw .badRequestData("coordinates: is missing") }
        return try GeoQuery(
            georel: georel, geometry: geometry, coordinates: coordinates, geoproperty: terms.geoproperty, expand: context.expand)
    }
}

/// Links to the pages before and after (clause 6.3.10), with their parameters in alphabetical order.
struct PageLinks {
    private(set) var values: [String] = []
    private let mediaType: String

    /// - Parameter pageCount: entities of this page where it ended before the limit, which clause 5.5.9.1 allows.
    init(_ request: DoorRequest, _ mediaType: String, offset: Int, limit: Int, pageCount: Int? = nil, hasMore: Bool) {
        self.mediaType = mediaType
        guard limit > 0 else { return }
        if offset > 0 { values.append(link(request, offset: max(0, offset - limit), limit: limit, relation: "prev")) }
        if hasMore { values.append(link(request, offset: offset + (pageCount ?? limit), limit: limit, relation: "next")) }
    }

    private func link(_ request: DoorRequest, offset: Int, limit: Int, relation: String) -> String {
        var pairs = request.query.pairs.filter { $0.name != "offset" && $0.name != "limit" }
        pairs.append(("limit", String(limit)))
        pairs.append(("offset", String(offset)))
        pairs.sort { $0.name < $1.name }
        var link = "<"
        link += request.path.utf8.last == UInt8(ascii: "/") ? String(request.path.dropLast()) : request.path
        for (index, pair) in pairs.enumerated() {
            link += index == 0 ? "?" : "&"
            link += PercentEncoding.encode(pair.name)
            link += "="
            link += PercentEncoding.encode(pair.value)
        }
        for part in [">; rel=\"", relation, "\"; type=\"", mediaType, "\""] { link += part }
        return link
    }
}
