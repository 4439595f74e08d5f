package import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
package import Query

/// Making entity maps of queries that are distributed (clauses 4.3.6.7, 5.5.14 and 5.14.4): which entities there are, each with the
/// sources that named it.
package struct DistributedMap: Sendable {
    package let map: EntityMap
    package let warnings: [SourceWarning]
}

/// What a source named of a query: its entities, and the map that it made of them.
struct NamedEntities: Sendable {
    var ids: [IRI] = []
    var map: IRI?
    var warnings: [SourceWarning] = []
}

extension Federation {
    /// Every source is asked for a map of its own. One that makes none is asked for its entities, page by page.
    /// - Parameter lifetime: as a period and as it was given.
    /// - Returns: nil when no source matches.
    /// - Throws: `tooManyResults` when more match than a map holds.
    package func makeEntityMap(
        of query: DistributedQuery, lifetime: (period: PeriodDuration, text: String)?, _ origin: Origin
    ) async throws -> DistributedMap? {
        let matching = try await matching(query.matched, Self.querying, origin)
        guard !matching.isEmpty else { return nil }
        let found = await askAll(matching.sources, origin) { source in await entities(of: source, query, lifetime?.text, origin) }
        let filter = query.isSplit ? query.filter.selection : query.filter
        let map = try await broker.makeEntityMap(
            of: EntityQuery(filter: filter, limit: 0), remote: matching.remote(found), queryKey: query.key, lifetime: lifetime?.period, origin.access, at: origin.asker.now)
        return DistributedMap(map: map, warnings: matching.loopWarnings + found.flatMap(\.warnings))
    }

    private func entities(of source: MatchedSource, _ query: DistributedQuery, _ lifetime: String?, _ origin: Origin) async -> NamedEntities {
        if source.registration.operations.contains(.createEntityMapQueryEntity),
            let named = await mapped(
                source, lifetime, origin,
                { context in
                    let selectors = query.specification.selectors.isEmpty ? [.init()] : query.specification.selectors
                    var forward = source.forward(query, selectors, ids: nil, limit: nil, asBatch: selectors.count > 1, context, origin.context)
                    forward.path = "entityMaps"
                    return forward
                })
        { return named }
        return await paged(source, query, origin)
    }

    /// - Parameter build: makes what is asked, with the names of a context.
    /// - Returns: nil when the source declines to make a map (clause 5.5.14).
    func mapped(_ source: MatchedSource, _ lifetime: String?, _ origin: Origin, _ build: (Context) -> Forward) async -> NamedEntities? {
        let reply = await ask(source.registration, origin) { context in
            var forward = build(context)
            if let lifetime { forward.query.append(("entityMapLifetime", lifetime)) }
            return forward
        }
        guard case .answer(200...201, let headers, let body, _) = reply, let json = try? JSON(parsing: body),
            let id = json["id"]?.stringValue.flatMap({ IRI($0) }), let entities = json["entityMap"]?.objectValue
        else { return nil }
        let ids = entities.keys.lazy.compactMap { IRI($0) }.filter { source.admits($0, types: []) }
        return NamedEntities(
            ids: Array(ids.prefix(broker.entityMapCountMax + 1)), map: id, warnings: SourceWarning.handedOn(headers, source.registration.id))
    }

    private func paged(_ source: MatchedSource, _ query: DistributedQuery, _ origin: Origin) async -> NamedEntities {
        var named = NamedEntities()
        await visitPages(of: source, query, countMax: broker.entityMapCountMax, origin) { page in
            named.ids += page.entities.map(\.id)
            named.warnings += page.warnings
        }
        return named
    }
}

extension Matching {
    /// - Parameter named: what each source named, in their order.
    func remote(_ named: [NamedEntities]) -> [RemoteEntities] {
        zip(sources, named).map { source, named in RemoteEntities(registration: source.registration.id, ids: named.ids, map: named.map) }
    }
}

extension DistributedQuery {
    /// What decides whether an entity matches, but for identifiers, which later requests may narrow (clause 5.5.14).
    var key: String {
        var parts = specification.selectors.map { "\($0.types?.text(\.text) ?? "") \($0.idPattern.map { "\($0)" } ?? "")" }
        parts += conditions.map { "\($0.name)=\($0.value)" }
        parts.append((attributes ?? []).map(\.text).sorted().joined(separator: ","))
        parts.append("\(isSplit) \(datasetID ?? "")")
        return parts.joined(separator: "\n")
    }
}
