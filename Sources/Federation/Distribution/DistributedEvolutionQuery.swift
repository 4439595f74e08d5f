package import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// A query of temporal evolutions that may be distributed (clause 5.7.4).
package struct DistributedEvolutionQuery: Sendable {
    package var query: DistributedQuery
    package var selection: EvolutionSelection
    package var limits: EvolutionLimits
    /// Whether it is to be put in order, which can't be done with what sources have.
    let isOrdered: Bool

    package init(_ query: DistributedQuery, _ selection: EvolutionSelection, limits: EvolutionLimits, isOrdered: Bool) {
        (self.query, self.selection, self.limits, self.isOrdered) = (query, selection, limits, isOrdered)
        (self.query.specification.temporal, self.query.specification.isOfHistory) = (selection.temporal, true)
    }
}

/// A page of evolutions of several sources.
package struct DistributedEvolutions: Sendable {
    package var page: EvolutionPage
    package var warnings: [SourceWarning]
}

extension Federation {
    static let queryingEvolutions: Set<SourceOperation> = [.queryTemporal]

    /// - Returns: nil when no source matches.
    /// - Throws: `badRequestData` when one does and the query is to be put in order.
    func matching(_ wanted: DistributedEvolutionQuery, _ origin: Origin) async throws -> Matching? {
        let matching = try await matching(wanted.query.matched, Self.queryingEvolutions, origin)
        guard !matching.isEmpty else { return nil }
        guard !wanted.isOrdered else {
            throw CityError.badRequestData("orderBy: a query that is distributed can't be put in order; local=true limits it (clause 5.7.4.4)")
        }
        return matching
    }

    /// Asks this broker and all sources that may have something, as a query of current state does.
    ///
    /// Whoever has too many instances ends early: then the page ends there too, so that the next one begins with what follows.
    /// - Returns: nil when no source matches.
    package func queryEvolutions(_ wanted: DistributedEvolutionQuery, _ origin: Origin) async throws -> DistributedEvolutions? {
        let query = wanted.query
        guard let matching = try await matching(wanted, origin) else { return nil }
        let end = query.offset + query.limit
        guard end <= limits.gatheredCountMax else {
            throw CityError.tooManyResults(
                "offset: a distributed query reaches \(limits.gatheredCountMax) entities deep; narrow it, or ask each source with local=true")
        }
        let depth = query.isSplit ? limits.gatheredCountMax : min(end + 1, limits.gatheredCountMax)
        var gathering = Gathering<TemporalEntity>(matching, at: origin.asker.now)
        var assembly = EvolutionAssembly(selection: wanted.selection, limits: wanted.limits)
        let local = try await locally(wanted, ids: nil, limit: depth, origin)
        gathering.add(local.entities, at: 0, isCut: local.hasMore, count: local.count, open: local.open)
        let answers = await askAll(matching.sources, origin) { source in await ask(source, wanted, ids: nil, limit: depth, origin) }
        for (index, answer) in answers.enumerated() {
            let isOpen = origin.access.seesOpenOnly || matching.sources[index].isOpen
            gathering.add(
                answer.entities, at: index + 1, isCut: answer.isCut, count: answer.count, open: isOpen ? answer.entities.map(\.id) : [])
        }
        assembly.ends = (answers.map(\.end) + [local.end(of: wanted.selection)]).compactMap { $0 }
        assembly.dropped = local.dropped
        var warnings = matching.loopWarnings + answers.flatMap(\.warnings)
        if query.isSplit {
            guard !gathering.isCut, assembly.ends.isEmpty else {
                throw CityError.tooComplexQuery("splitEntities: more of one source than it answers at once would have to be put together; narrow the query")
            }
            let whole = gathering.order.compactMap(gathering.entity).filter { query.filter.matches(evolution: $0) }
            var page = try assembly.page(Array(whole.dropFirst(query.offset).prefix(query.limit)))
            (page.hasMore, page.count) = (whole.count > end, query.wantsCount ? whole.count : nil)
            return DistributedEvolutions(page: page, warnings: warnings)
        }
        var early = answers.filter(\.endsEarly).map(\.entities.count)
        if local.hasMore, local.entities.count < depth { early.append(local.entities.count) }
        let order = gathering.order
        var ids = Array(gathering.order(upTo: early.min() ?? .max).dropFirst(query.offset).prefix(query.limit))
        // One that always ends before the page begins holds up nobody else.
        if ids.isEmpty { ids = Array(order.dropFirst(query.offset).prefix(query.limit)) }
        let more = order.count > query.offset + ids.count || (gathering.isCut && !ids.isEmpty && (depth == end || !early.isEmpty))
        assembly.ends += try await complete(ids, &gathering, matching, wanted, origin, &warnings)
        var page = try assembly.page(ids.compactMap(gathering.entity))
        (page.hasMore, page.count, page.visitedCount) = (more, query.wantsCount ? gathering.count : nil, ids.count)
        return DistributedEvolutions(page: page, warnings: warnings)
    }

    /// Asks the sources that had more than they answered for the entities of a page.
    /// - Returns: where their answers end.
    private func complete(
        _ page: [IRI], _ gathering: inout Gathering<TemporalEntity>, _ matching: Matching, _ query: DistributedEvolutionQuery, _ origin: Origin,
        _ warnings: inout [SourceWarning]
    ) async throws -> [Instant] {
        var ends: [Instant?] = []
        if let missing = gathering.missing(of: page, at: 0) {
            let more = try await locally(query, ids: missing, limit: missing.count, origin)
            gathering.complete(more.entities, at: 0)
            ends.append(more.end(of: query.selection))
        }
        var asked: [(place: Int, source: MatchedSource, ids: Set<IRI>)] = []
        for (index, source) in matching.sources.enumerated() {
            // What is not for everybody is not named to others either.
            let ids = (gathering.missing(of: page, at: index + 1) ?? []).filter { id in
                source.admits(id, types: []) && (!source.registration.endpoint.isOnWeb || gathering.isOpen(id))
            }
            if !ids.isEmpty { asked.append((index, source, ids)) }
        }
        let answers = await askAll(asked, origin) { part in await ask(part.source, query, ids: part.ids, limit: part.ids.count, origin) }
        for ((index, _, _), answer) in zip(asked, answers) {
            gathering.complete(answer.entities, at: index + 1)
            ends.append(answer.end)
            warnings += answer.warnings
        }
        return ends.compactMap { $0 }
    }

    func locally(_ wanted: DistributedEvolutionQuery, ids: Set<IRI>?, limit: Int, _ origin: Origin) async throws -> EvolutionPage {
        var filter = wanted.query.isSplit ? wanted.query.filter.selection : wanted.query.filter
        if let ids {
            filter.ids = filter.ids.map(ids.intersection) ?? ids
        }
        do {
            return try await broker.queryEvolutions(
                filter, wanted.selection.ofInstances, offset: 0, limit: limit, wantsCount: wanted.query.wantsCount,
                limits: wanted.limits.ofInstances(for: wanted.selection), origin.access, at: origin.asker.now)
        } catch CityError.nonexistentTenant { return EvolutionPage() }
    }

    /// - Parameter map: the map that the source made for its part.
    func ask(
        _ source: MatchedSource, _ query: DistributedEvolutionQuery, ids: Set<IRI>?, offset: Int = 0, limit: Int, through map: IRI? = nil,
        _ origin: Origin
    ) async -> ForeignEvolutions {
        let reply = await ask(source.registration, origin) { context in
            var forward = source.forward(query, ids: ids, limit: limit, context, origin.context)
            if offset > 0 { forward.query.append(("offset", String(offset))) }
            forward.entityMap = map
            return forward
        }
        var foreign = await readEvolutions(reply, of: source, isMany: true, limit: limit, query.selection, origin)
        foreign.hold(query.query)
        return foreign
    }
}

extension EntityFilter {
    /// Whether an evolution that was put together meets what holds of whole entities: an attribute that is there, and conditions
    /// that hold of any of the values that it had (clause 5.7.4.4, S5 to S7).
    func matches(evolution: TemporalEntity) -> Bool {
        var entity = Entity(id: evolution.id, types: evolution.types)
        (entity.createdAt, entity.modifiedAt) = (evolution.createdAt, evolution.modifiedAt)
        for (name, instances) in evolution.instances {
            let values = instances.filter { $0.deletedAt == nil }.map(\.attribute)
            if !values.isEmpty { entity.attributes[name] = values }
        }
        let scopes = evolution.scopes.map { instance in
            (instance.attribute.value.arrayValue ?? [instance.attribute.value]).compactMap { $0.stringValue.flatMap { Scope($0) } }
        }
        guard scopes.count > 1, holdsScopes else {
            entity.scopes = scopes.first ?? []
            return matches(entity)
        }
        return scopes.contains { held in
            entity.scopes = held
            return matches(entity)
        }
    }

    private var holdsScopes: Bool { scopes != nil || alternatives?.contains(where: \.holdsScopes) ?? false }
}
