internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// What a request says of entity maps (clause 5.5.14): in parameters, in the members of a Query, in the header that names one.
struct EntityMapTerms {
    let wantsMap: Bool
    let lifetime: PeriodDuration?
    /// The same as it was given.
    let lifetimeText: String?
    /// Whether it is answered with a map.
    var isMapUsed: Bool { wantsMap || reference != nil }
    /// The map that the request names. What is no identifier of a map names one that can't be found.
    let reference: String?

    /// - Throws: `badRequestData` for a lifetime that is no duration (table 6.4.3.2-1).
    init(_ request: DoorRequest, _ body: QueryBody? = nil) throws(CityError) {
        let isAsked = try request.query.bool("entityMap") ?? false
        wantsMap = body?.wantsEntityMap ?? isAsked
        reference = request.headers[.ngsildEntityMap]
        guard let text = body?.entityMapLifetime ?? request.query["entityMapLifetime"] else {
            (lifetime, lifetimeText) = (nil, nil)
            return
        }
        guard let duration = PeriodDuration(text), !duration.isWholeRange else {
            throw .badRequestData("entityMapLifetime: \(text.prefix(100)) is no duration such as PT10M")
        }
        (lifetime, lifetimeText) = (duration, text)
    }

    /// As sources are told it, too.
    var passedOnLifetime: (period: PeriodDuration, text: String)? { lifetime.flatMap { period in lifetimeText.map { (period, $0) } } }

    /// The identifier at the end of the map's location, or the identifier alone.
    fileprivate var referencedID: IRI? {
        guard let last = reference?.split(separator: "/").last else { return nil }
        return PercentEncoding.decode(last).flatMap(IRI.init)
    }
}

/// The map that is used to answer a request.
struct UsedEntityMap {
    let map: EntityMap
    let isNew: Bool
    /// What went wrong while it was made.
    var warnings: [SourceWarning] = []

    static func location(_ id: IRI) -> String { NGSILDDoor.base + "/entityMaps/" + PercentEncoding.encode(id.text) }

    /// Says which map was used, and that a query made one (table 6.4.3.2-3).
    /// - Parameter isQuery: retrievals answer 200 whether or not they made one (table 6.5.3.1-3).
    func mark(_ response: inout Response, isQuery: Bool) {
        response.headers[.ngsildEntityMap] = Self.location(map.id)
        NGSILDDoor.warn(warnings, &response)
        if isNew, isQuery, response.status == .ok { response.status = .created }
    }
}

extension NGSILDDoor {
    /// The map that a request names and that can be used: where there is none, and a map is wanted, a new one is made (clauses
    /// 5.7.1.4, 5.7.2.4).
    func usable(_ terms: EntityMapTerms, _ access: ReadAccess, _ request: DoorRequest) -> UsedEntityMap? {
        terms.referencedID.flatMap { broker.usableEntityMap($0, access, at: request.now) }.map { UsedEntityMap(map: $0, isNew: false) }
    }

    /// The map to answer a query of current state with: also of what sources have, where there are any to ask (clause 5.14.4.4).
    /// - Parameter parts: the texts of the filter, one for each alternative.
    func newEntityMap(
        of query: EntityQuery, _ parts: [FilterTerms], _ terms: EntityMapTerms, _ representation: Representation, _ request: DoorRequest,
        _ access: ReadAccess
    ) async throws -> UsedEntityMap {
        if let (distributed, origin) = try await distributed(query, parts, representation, request, access),
            let made = try await federation.makeEntityMap(of: distributed, lifetime: terms.passedOnLifetime, origin)
        { return UsedEntityMap(map: made.map, isNew: true, warnings: made.warnings) }
        return UsedEntityMap(map: try await broker.makeEntityMap(of: query, lifetime: terms.lifetime, access, at: request.now), isNew: true)
    }

    /// The same for a query of temporal evolutions (clause 5.14.5.4).
    func newEntityMap(
        of query: EvolutionQuery, _ terms: EntityMapTerms, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> UsedEntityMap {
        if let (distributed, origin) = try distributed(query, EvolutionPageTerms(), request, access),
            let made = try await federation.makeEntityMap(of: distributed, lifetime: terms.passedOnLifetime, origin)
        { return UsedEntityMap(map: made.map, isNew: true, warnings: made.warnings) }
        let map = try await broker.makeEntityMap(
            of: query.filter, query.representation.selection.temporal, order: query.order, lifetime: terms.lifetime, access, at: request.now)
        return UsedEntityMap(map: map, isNew: true)
    }

    /// The map of one entity.
    /// - Parameter remote: the sources that have some of it.
    func newEntityMap(
        of id: IRI, remote: [RemoteEntities] = [], isHere: Bool = true, _ terms: EntityMapTerms, _ request: DoorRequest, _ access: ReadAccess
    ) throws -> UsedEntityMap {
        UsedEntityMap(
            map: try broker.makeEntityMap(of: id, remote: remote, isHere: isHere, lifetime: terms.lifetime, access, at: request.now), isNew: true)
    }

    /// Says which map goes with the retrieval of one entity (clauses 5.7.1.4 and 5.7.3.4).
    func markEntityMap(of id: IRI, _ access: ReadAccess, _ request: DoorRequest, _ response: inout Response) async throws {
        let terms = try EntityMapTerms(request)
        guard terms.isMapUsed else { return }
        let used = usable(terms, access, request)
        try (used ?? newEntityMap(of: id, terms, request, access)).mark(&response, isQuery: false)
    }

    /// The map that a purge is restricted to. Where it is gone nothing is purged: without it, more would be.
    /// - Throws: `resourceNotFound`.
    func purgedEntityMap(_ access: ReadAccess, _ request: DoorRequest) throws -> UsedEntityMap? {
        let terms = try EntityMapTerms(request)
        guard let reference = terms.reference else { return nil }
        guard let map = terms.referencedID.flatMap({ broker.usableEntityMap($0, access, at: request.now) }) else {
            throw CityError.resourceNotFound("NGSILD-EntityMap: there is no EntityMap \(reference.prefix(200))")
        }
        return UsedEntityMap(map: map, isNew: false)
    }

    /// A page of a map. Links count positions of the map, so that what is taken out of it moves nothing (clause 5.5.9.3).
    /// - Parameter parts: the texts of the filter, one for each alternative.
    func answer(
        _ query: EntityQuery, _ parts: [FilterTerms], through used: UsedEntityMap, _ representation: Representation, _ request: DoorRequest,
        _ access: ReadAccess
    ) async throws -> Response {
        var (response, count, visitedCount, hasMore): (Response, Int?, Int, Bool)
        if used.map.isDistributed, let (distributed, origin) = try await distributed(query, parts, representation, request, access) {
            let page = try await federation.query(distributed, through: used.map, origin)
            response = try await self.response(
                page.entities.compactMap(representation.view.selected), isArray: true, representation, access, request.now)
            (count, visitedCount, hasMore) = (query.wantsCount ? page.count : nil, page.visitedCount, page.hasMore)
            Self.warn(page.warnings, &response)
        } else {
            let mapped = try await broker.query(query, through: used.map, access, at: request.now)
            response = try await answer(mapped.page, representation, request, access)
            (count, visitedCount, hasMore) = (mapped.page.count, mapped.visitedCount, mapped.page.hasMore)
        }
        if let count { response.headers[.ngsildResultsCount] = String(count) }
        let links = PageLinks(
            request, representation.mediaType.rawValue, offset: query.offset, limit: query.limit, pageCount: visitedCount, hasMore: hasMore)
        for link in links.values { response.headers.append(HTTPField(name: .link, value: link)) }
        used.mark(&response, isQuery: true)
        return response
    }
}

extension EntityMap {
    /// The form of clause 5.2.39.
    var json: JSON {
        var members: JSONObject = [:]
        for case let entry? in entries {
            members[entry.id.text] = .array(
                entry.holders.map { holder in
                    switch holder {
                    case .here: "@none"
                    case .registration(let id): .string(id.text)
                    }
                })
        }
        var linked: JSONObject = [:]
        for (registration, map) in linkedMaps { linked[registration.text] = .string(map.text) }
        return [
            "id": .string(id.text), "type": "EntityMap", "expiresAt": .string(expiresAt.description), "entityMap": .object(members),
            "linkedMaps": .object(linked),
        ]
    }
}
