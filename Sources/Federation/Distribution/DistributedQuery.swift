internal import Broker
internal import Store
package import CityModel
internal import LinkedData
internal import OrderedCollections
package import Query
internal import Trust

/// A query of entities that may be distributed (clause 5.7.2).
package struct DistributedQuery: Sendable {
    package var specification: SourceSpecification
    /// What the broker is asked.
    package var filter: EntityFilter
    /// The attributes that an entity has at least one of (`attrs`).
    package var attributes: Set<IRI>?
    /// Parameters that sources get as they were given, with names of the request's context: `q`, `georel` and so on.
    package var conditions: [(name: String, value: JSON)] = []
    package var datasetID: String?
    /// Whether entities lie in parts at several sources, so that conditions hold of what was put together (clause 4.3.6.7).
    package var isSplit = false
    package var offset: Int
    package var limit: Int
    package var wantsCount: Bool

    package init(
        specification: SourceSpecification, filter: EntityFilter, attributes: Set<IRI>?, offset: Int, limit: Int, wantsCount: Bool
    ) {
        (self.specification, self.filter, self.attributes) = (specification, filter, attributes)
        (self.offset, self.limit, self.wantsCount) = (offset, limit, wantsCount)
    }
}

/// A page of entities of several sources.
package struct DistributedPage: Sendable {
    package var entities: [Entity]
    package var hasMore: Bool
    /// How many match; where more match at a source than were looked at, an upper bound, for some may be counted twice.
    package var count: Int?
    package var warnings: [SourceWarning]
}

extension Federation {
    static let querying: Set<SourceOperation> = [.queryEntity, .queryBatch]

    /// Whether a query would be distributed.
    package func distributes(_ query: DistributedQuery, _ origin: Origin) async throws -> Bool {
        try await !matching(query.matched, Self.querying, origin).sources.isEmpty
    }

    /// Asks this broker and all sources that may have something.
    ///
    /// Every source is asked for its first entities, as many as the page ends with. What stands at the same place of their answers
    /// is interleaved: so a page is the same whatever follows it, and none is missed. Then those sources that had more are asked
    /// for what is still missing of the page's entities.
    /// - Returns: nil when no source matches.
    package func query(_ query: DistributedQuery, _ origin: Origin) async throws -> DistributedPage? {
        let matching = try await matching(query.matched, Self.querying, origin)
        guard !matching.isEmpty else { return nil }
        let end = query.offset + query.limit
        guard end <= limits.gatheredCountMax else {
            throw CityError.tooManyResults(
                "offset: a distributed query reaches \(limits.gatheredCountMax) entities deep; narrow it, or ask each source with local=true")
        }
        let depth = query.isSplit ? limits.gatheredCountMax : min(end + 1, limits.gatheredCountMax)
        var gathering = Gathering<Entity>(matching, at: origin.asker.now)
        let local = try await locally(query, ids: nil, limit: depth, origin)
        gathering.add(local.entities, at: 0, isCut: local.hasMore, count: local.count, open: local.open)
        let answers = await askAll(matching.sources, origin) { source in await ask(source, query, ids: nil, limit: depth, origin) }
        for (index, answer) in answers.enumerated() {
            let isOpen = origin.access.seesOpenOnly || matching.sources[index].isOpen
            gathering.add(
                answer.entities, at: index + 1, isCut: answer.isCut, count: answer.count, open: isOpen ? answer.entities.map(\.id) : [])
        }
        var warnings = matching.loopWarnings + answers.flatMap(\.warnings)
        if query.isSplit {
            guard !gathering.isCut else {
                throw CityError.tooComplexQuery("splitEntities: more than \(depth) entities of one source would have to be put together; narrow the query")
            }
            let whole = gathering.order.compactMap(gathering.entity).filter { query.filter.matches($0) }
            return DistributedPage(
                entities: Array(whole.dropFirst(query.offset).prefix(query.limit)), hasMore: whole.count > end,
                count: query.wantsCount ? whole.count : nil, warnings: warnings)
        }
        let order = gathering.order
        let page = Array(order.dropFirst(query.offset).prefix(query.limit))
        try await complete(page, &gathering, matching, query, origin, &warnings)
        return DistributedPage(
            entities: page.compactMap(gathering.entity), hasMore: order.count > end || (depth == end && gathering.isCut),
            count: query.wantsCount ? gathering.count : nil,
            warnings: warnings)
    }

    /// Asks the sources that had more than they answered for the entities of a page.
    private func complete(
        _ page: [IRI], _ gathering: inout Gathering<Entity>, _ matching: Matching, _ query: DistributedQuery, _ origin: Origin,
        _ warnings: inout [SourceWarning]
    ) async throws {
        if let missing = gathering.missing(of: page, at: 0) {
            gathering.complete(try await locally(query, ids: missing, limit: missing.count, origin).entities, at: 0)
        }
        var open: [(place: Int, source: MatchedSource, ids: Set<IRI>)] = []
        for (index, source) in matching.sources.enumerated() {
            // What is not for everybody is not named to others either.
            let ids = (gathering.missing(of: page, at: index + 1) ?? []).filter { id in
                source.admits(id, types: []) && (!source.registration.endpoint.isOnWeb || gathering.isOpen(id))
            }
            if !ids.isEmpty { open.append((index, source, ids)) }
        }
        let answers = await askAll(open, origin) { part in
            await ask(part.source, query, ids: part.ids, limit: part.ids.count, origin)
        }
        for ((index, _, _), answer) in zip(open, answers) {
            gathering.complete(answer.entities, at: index + 1)
            warnings += answer.warnings
        }
    }

    func locally(
        _ query: DistributedQuery, ids: Set<IRI>?, limit: Int, _ origin: Origin
    ) async throws -> (entities: [Entity], hasMore: Bool, count: Int?, open: [IRI]) {
        var filter = query.isSplit ? query.filter.selection : query.filter
        if let ids { filter = EntityFilter(ids: ids, alternatives: [filter]) }
        let page = try await broker.query(
            EntityQuery(filter: filter, limit: limit, wantsCount: query.wantsCount), origin.access, at: origin.asker.now)
        let entities = try page.entities.map { try broker.entity($0, origin.access) }
        let open = zip(page.entities, entities).filter { $0.0.stored.classification == .open }.map(\.1.id)
        return (entities, page.hasMore, page.count, open)
    }

    /// - Parameter map: the map that the source made for its part.
    func ask(
        _ source: MatchedSource, _ query: DistributedQuery, ids: Set<IRI>?, offset: Int = 0, limit: Int, through map: IRI? = nil, _ origin: Origin
    ) async -> ForeignEntities {
        let isBatch = !source.registration.operations.contains(.queryEntity)
        let selectors = query.specification.selectors.isEmpty ? [.init()] : query.specification.selectors
        if isBatch || selectors.count == 1 {
            return await ask(source, query, selectors, ids: ids, offset: offset, limit: limit, through: map, asBatch: isBatch, origin)
        }
        // What GET can't say at once is asked for one after the other.
        var gathered = ForeignEntities()
        for selector in selectors {
            let answer = await ask(source, query, [selector], ids: ids, offset: offset, limit: limit, through: map, asBatch: false, origin)
            let known = Set(gathered.entities.map(\.id))
            gathered.entities += answer.entities.filter { !known.contains($0.id) }
            gathered.isCut = gathered.isCut || answer.isCut
            gathered.hasFailed = gathered.hasFailed || answer.hasFailed
            gathered.entityMap = answer.entityMap ?? gathered.entityMap
            gathered.warnings += answer.warnings
        }
        return gathered
    }

    private func ask(
        _ source: MatchedSource, _ query: DistributedQuery, _ selectors: [SourceSpecification.Selector], ids: Set<IRI>?, offset: Int, limit: Int,
        through map: IRI?, asBatch: Bool, _ origin: Origin
    ) async -> ForeignEntities {
        let reply = await ask(source.registration, origin) { context in
            var forward = source.forward(query, selectors, ids: ids, limit: limit, asBatch: asBatch, context, origin.context)
            if offset > 0 { forward.query.append(("offset", String(offset))) }
            forward.entityMap = map
            return forward
        }
        var foreign = await read(reply, of: source, isMany: true, limit: limit, origin)
        foreign.hold(query)
        return foreign
    }
}

extension ReadAccess {
    var seesOpenOnly: Bool { classificationMax <= .open }
}

extension MatchedSource {
    /// Whether everybody is answered the same by it. A neighbour answers what he shows to whoever asks.
    var isOpen: Bool { registration.endpoint.isOnWeb && registration.classification <= .open }
}

extension DistributedQuery {
    /// Of split entities a source may match that has no attribute of the conditions.
    var matched: SourceSpecification {
        guard isSplit else { return specification }
        var specification = specification
        (specification.attributes, specification.geo, specification.scopes) = (nil, nil, nil)
        return specification
    }
}

extension EntityFilter {
    fileprivate init(ids: Set<IRI>, alternatives: [EntityFilter]) {
        self.init(ids: ids)
        self.alternatives = alternatives
    }

    /// Without what holds of whole entities only (clause 5.7.2.4).
    var selection: EntityFilter {
        var selection = EntityFilter(ids: ids, idPattern: idPattern, types: types)
        selection.alternatives = alternatives?.map(\.selection)
        return selection
    }
}
