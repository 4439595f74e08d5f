package import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// Paging with the map of a temporal query that was distributed (clauses 4.3.6.7, 5.5.9.3 and 5.7.4.4): only the sources that the map
/// names for an entity are asked, and for nothing but the entities that they named.
extension Federation {
    /// What matches no more is passed over and stays in the map: the temporal query of the next request may be another (clause 5.5.14).
    /// - Parameter wanted: as for the query that made the map; its offset is a position in the map. It may name fewer entities.
    package func queryEvolutions(
        _ wanted: DistributedEvolutionQuery, through map: EntityMap, _ origin: Origin
    ) async throws -> DistributedEvolutions {
        let query = wanted.query
        let sources = try await sources(of: map, offering: Self.queryingEvolutions, origin)
        var assembly = EvolutionAssembly(selection: wanted.selection, limits: wanted.limits)
        var warned = OrderedSet(sources.warnings)
        var (kept, instanceCount, hasEnded) = ([TemporalEntity](), 0, false)
        let start = min(query.offset, map.entries.count)
        var position = start
        func isWanted(_ entry: EntityMap.Entry?) -> Bool { entry.map { query.filter.ids?.contains($0.id) ?? true } ?? false }
        // A page is full as long as there are entities (clause 5.5.9.3) and room for their instances.
        while kept.count < query.limit, position < map.entries.count, !hasEnded, instanceCount < wanted.limits.totalCountMax {
            guard origin.allowance.secondsLeft != nil else {
                guard !kept.isEmpty else { throw CityError.tooComplexQuery("going through the EntityMap takes too long") }
                break
            }
            var next = Array(map.entries.indices[position...].lazy.filter { isWanted(map.entries[$0]) }.prefix(query.limit - kept.count))
            guard !next.isEmpty else {
                position = map.entries.count
                break
            }
            var parts = try await parts(of: next.compactMap { map.entries[$0] }, wanted, map, sources.matched, origin)
            // What somebody left for a later page, the next page of the map begins with.
            while let countMax = parts.countMax, next.count > 1, countMax < next.count {
                (next, hasEnded) = (Array(next.prefix(max(1, countMax))), true)
                parts = try await self.parts(of: next.compactMap { map.entries[$0] }, wanted, map, sources.matched, origin)
            }
            guard !query.isSplit || parts.ends.isEmpty else {
                throw CityError.tooComplexQuery("splitEntities: a source has more instances than it answers at once; narrow the interval")
            }
            assembly.ends += parts.ends
            assembly.dropped = assembly.dropped.joined(parts.dropped)
            warned.append(contentsOf: parts.warnings)
            for id in next.compactMap({ map.entries[$0]?.id }) {
                guard let entity = parts.entity(id), !query.isSplit || query.filter.matches(evolution: entity), try assembly.answers(entity)
                else { continue }
                kept.append(entity)
                instanceCount += entity.instances.values.reduce(0) { $0 + $1.count }
            }
            position = (next.last ?? position) + 1
        }
        var page = try assembly.page(kept)
        page.visitedCount = position - start
        page.hasMore = map.entries[position...].contains(where: isWanted)
        if query.wantsCount { page.count = map.entries.count(where: isWanted) }
        return DistributedEvolutions(page: page, warnings: Array(warned))
    }

    private struct Asking: Sendable {
        let source: MatchedSource
        let ids: Set<IRI>
    }

    private func parts(
        of entries: [EntityMap.Entry], _ wanted: DistributedEvolutionQuery, _ map: EntityMap, _ sources: [IRI: MatchedSource], _ origin: Origin
    ) async throws -> EvolutionParts {
        var wanted = wanted
        wanted.query.wantsCount = false
        var parts = EvolutionParts()
        let here = Set(entries.filter { $0.holders.contains(.here) }.map(\.id))
        if !here.isEmpty {
            let page = try await locally(wanted, ids: here, limit: here.count, origin)
            for entity in page.entities { parts.local[entity.id] = entity }
            parts.dropped = page.dropped
            if page.hasMore { parts.limit(to: page.visitedCount) }
            if let end = page.end(of: wanted.selection) { parts.ends.append(end) }
        }
        var asked: [Asking] = []
        for source in sources.values.sorted(by: { $0.registration.id.text < $1.registration.id.text }) {
            // A later request may want attributes that this source has none of.
            if !wanted.query.isSplit, source.narrowed(wanted.query.attributes)?.isEmpty ?? false { continue }
            let ids = entries.filter { $0.holders.contains(.registration(source.registration.id)) }.map(\.id)
            asked += ids.inAddresses.map { Asking(source: source, ids: $0) }
        }
        let answers = await askAll(asked, origin) { [wanted] part in
            await ask(part.source, wanted, ids: part.ids, limit: part.ids.count, through: map.linkedMaps[part.source.registration.id], origin)
        }
        for (part, answer) in zip(asked, answers) {
            let isAuxiliary = part.source.registration.mode == .auxiliary
            for entity in answer.entities where part.ids.contains(entity.id) { parts.foreign[entity.id, default: []].append((entity, isAuxiliary)) }
            if answer.endsEarly { parts.limit(to: answer.answeredCount) }
            if let end = answer.end { parts.ends.append(end) }
            parts.warnings += answer.warnings
            link(map, part.source, to: answer.entityMap)
        }
        return parts
    }
}

/// What this broker and the sources have of some evolutions of a map.
private struct EvolutionParts {
    var local: [IRI: TemporalEntity] = [:]
    var foreign: [IRI: [(part: TemporalEntity, isAuxiliary: Bool)]] = [:]
    /// Where answers end that have more instances.
    var ends: [Instant] = []
    var warnings: [SourceWarning] = []
    /// What would have needed more than is kept here.
    var dropped: [DroppedTime] = []
    /// The least number of entities that somebody answered who has more of those that it was asked for; nil where nobody has.
    private(set) var countMax: Int?

    mutating func limit(to count: Int) { countMax = min(countMax ?? .max, count) }

    func entity(_ id: IRI) -> TemporalEntity? {
        var merge = EvolutionMerge(local[id])
        for isAuxiliary in [false, true] {
            for part in foreign[id] ?? [] where part.isAuxiliary == isAuxiliary {
                if isAuxiliary { merge.supplement(part.part) } else { merge.add(part.part) }
            }
        }
        return merge.entity
    }
}
