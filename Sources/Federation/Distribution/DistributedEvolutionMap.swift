internal import Broker
internal import CityModel
internal import LinkedData
package import Query

/// Entity maps of temporal queries that are distributed (clauses 4.3.6.7, 5.5.14 and 5.14.5).
extension Federation {
    /// Every source is asked for a map of its own. One that makes none is asked for its evolutions, page by page.
    /// - Parameter lifetime: as a period and as it was given.
    /// - Returns: nil when no source matches.
    /// - Throws: `tooManyResults` when more match than a map holds, `badRequestData` when they are to be put in order.
    package func makeEntityMap(
        of wanted: DistributedEvolutionQuery, lifetime: (period: PeriodDuration, text: String)?, _ origin: Origin
    ) async throws -> DistributedMap? {
        guard let matching = try await matching(wanted, origin) else { return nil }
        let query = wanted.query
        let found = await askAll(matching.sources, origin) { source in await entities(of: source, wanted, lifetime?.text, origin) }
        let map = try await broker.makeEntityMap(
            of: query.isSplit ? query.filter.selection : query.filter, wanted.selection.temporal, remote: matching.remote(found),
            lifetime: lifetime?.period, origin.access, at: origin.asker.now)
        return DistributedMap(map: map, warnings: matching.loopWarnings + found.flatMap(\.warnings))
    }

    private func entities(
        of source: MatchedSource, _ wanted: DistributedEvolutionQuery, _ lifetime: String?, _ origin: Origin
    ) async -> NamedEntities {
        if source.registration.operations.contains(.createEntityMapQueryTemporal),
            let named = await mapped(
                source, lifetime, origin, { context in source.forward(wanted, ids: nil, limit: nil, context, origin.context) })
        { return named }
        return await paged(source, wanted, origin)
    }

    /// Of each evolution the last instances only: which evolutions match does not depend on `lastN`.
    private func paged(_ source: MatchedSource, _ wanted: DistributedEvolutionQuery, _ origin: Origin) async -> NamedEntities {
        var asked = wanted
        (asked.selection.lastN, asked.selection.aggregation) = (1, nil)
        var (named, seen, offset) = (NamedEntities(), Set<IRI>(), 0)
        while seen.count <= broker.entityMapCountMax {
            let page = await ask(source, asked, ids: nil, offset: offset, limit: limits.gatheredCountMax, origin)
            let fresh = page.entities.map(\.id).filter { seen.insert($0).inserted }
            named.ids += fresh
            named.warnings += page.warnings
            offset += page.answeredCount
            guard page.isCut, !fresh.isEmpty else { break }
        }
        return named
    }
}
