package import Broker
package import CityModel
internal import OrderedCollections
internal import Query

/// A page of the entities of a map.
package struct DistributedMapPage: Sendable {
    package fileprivate(set) var entities: [Entity] = []
    /// Positions of the map that the page passed over: where the next one begins, from where it began.
    package fileprivate(set) var visitedCount = 0
    package fileprivate(set) var hasMore = false
    /// How many entities are still in the map.
    package fileprivate(set) var count = 0
    fileprivate(set) var warned: OrderedSet<SourceWarning> = []
    package var warnings: [SourceWarning] { Array(warned) }
}

/// Paging with the map of a query that was distributed (clauses 4.3.6.7, 5.5.9.3 and 5.7.2.4): only the sources that the map names for
/// an entity are asked, and for nothing but the entities that they named.
extension Federation {
    /// - Parameter query: as for the query that made the map; its offset is a position in the map. It may name fewer entities.
    package func query(_ query: DistributedQuery, through map: EntityMap, _ origin: Origin) async throws -> DistributedMapPage {
        let sources = try await sources(of: map, offering: Self.querying, origin)
        var page = DistributedMapPage()
        var gone: [Int] = []
        let start = min(query.offset, map.entries.count)
        var position = start
        func isWanted(_ entry: EntityMap.Entry?) -> Bool { entry.map { query.filter.ids?.contains($0.id) ?? true } ?? false }
        page.warned.append(contentsOf: sources.warnings)
        // A page is full as long as there are entities (clause 5.5.9.3).
        while page.entities.count < query.limit, position < map.entries.count {
            guard origin.allowance.secondsLeft != nil else {
                guard !page.entities.isEmpty else { throw CityError.tooComplexQuery("going through the EntityMap takes too long") }
                break
            }
            var wanted: [(position: Int, entry: EntityMap.Entry)] = []
            while position < map.entries.count, wanted.count < query.limit - page.entities.count {
                if let entry = map.entries[position], isWanted(entry) { wanted.append((position, entry)) }
                position += 1
            }
            let parts = try await parts(of: wanted.map(\.entry), query, map, sources.matched, origin)
            page.warned.append(contentsOf: parts.warnings)
            for (position, entry) in wanted {
                if let entity = parts.entity(entry, at: origin.asker.now), !query.isSplit || query.filter.matches(entity) {
                    page.entities.append(entity)
                } else if parts.isKnown(entry) {
                    gone.append(position)
                }
            }
        }
        page.visitedCount = position - start
        page.hasMore = map.entries[position...].contains(where: isWanted)
        page.count = map.entries.count(where: isWanted) - gone.count
        // A query that asks for less than the one that made the map takes nothing out of it.
        if map.queryKey == query.key, !gone.isEmpty { broker.removeEntries(at: gone, of: map.id) }
        return page
    }

    /// The sources that a map names, with what of their registration matches; those that are gone meanwhile are left out.
    func sources(
        of map: EntityMap, offering operations: Set<SourceOperation>, _ origin: Origin
    ) async throws -> (matched: [IRI: MatchedSource], warnings: [SourceWarning]) {
        let candidates = try await candidates(origin)
        // The map has found out already which sources match (clause 5.12).
        let matching = candidates.all(offering: operations)
        let named = Set(map.entries.lazy.compactMap { $0 }.flatMap(\.holders))
        let matched = matching.sources.filter { named.contains(.registration($0.registration.id)) }
        return (
            Dictionary(matched.map { ($0.registration.id, $0) }, uniquingKeysWith: { first, _ in first }),
            Matching(looping: matching.looping.filter { named.contains(.registration($0.registration.id)) }).loopWarnings
        )
    }

    private struct Asking: Sendable {
        let source: MatchedSource
        let ids: Set<IRI>
    }

    private func parts(
        of entries: [EntityMap.Entry], _ query: DistributedQuery, _ map: EntityMap, _ sources: [IRI: MatchedSource], _ origin: Origin
    ) async throws -> MapParts {
        var parts = MapParts()
        let here = Set(entries.filter { $0.holders.contains(.here) }.map(\.id))
        if !here.isEmpty {
            for entity in try await locally(query, ids: here, limit: here.count, origin).entities { parts.local[entity.id] = entity }
        }
        var asked: [Asking] = []
        for source in sources.values.sorted(by: { $0.registration.id.text < $1.registration.id.text }) {
            // A later request may want attributes that this source has none of.
            if !query.isSplit, source.narrowed(query.attributes)?.isEmpty ?? false { continue }
            let ids = entries.filter { $0.holders.contains(.registration(source.registration.id)) }.map(\.id)
            asked += ids.inAddresses.map { Asking(source: source, ids: $0) }
        }
        let answers = await askAll(asked, origin) { part in
            await ask(part.source, query, ids: part.ids, limit: part.ids.count, through: map.linkedMaps[part.source.registration.id], origin)
        }
        for (part, answer) in zip(asked, answers) {
            let id = part.source.registration.id
            parts.foreign[id, default: .init(isAuxiliary: part.source.registration.mode == .auxiliary)].add(answer, of: part.ids)
            link(map, part.source, to: answer.entityMap)
            parts.warnings += answer.warnings
        }
        return parts
    }
}

/// What this broker and the sources have of some entities of a map.
private struct MapParts: Sendable {
    struct Foreign: Sendable {
        let isAuxiliary: Bool
        var entities: [IRI: Entity] = [:]
        /// Entities that the source has answered about, also that it has them no more.
        var known: Set<IRI> = []

        mutating func add(_ answer: ForeignEntities, of ids: Set<IRI>) {
            for entity in answer.entities where ids.contains(entity.id) { entities[entity.id] = entity }
            if !answer.hasFailed { known.formUnion(ids) }
        }
    }

    var local: [IRI: Entity] = [:]
    var foreign: OrderedDictionary<IRI, Foreign> = [:]
    var warnings: [SourceWarning] = []

    func entity(_ entry: EntityMap.Entry, at now: Instant) -> Entity? {
        var merge = EntityMerge(local[entry.id], at: now)
        for part in foreign.values where !part.isAuxiliary { if let entity = part.entities[entry.id] { merge.add(entity) } }
        for part in foreign.values where part.isAuxiliary { if let entity = part.entities[entry.id] { merge.supplement(entity) } }
        return merge.entity
    }

    /// Whether all that hold the entity have said what they have of it.
    func isKnown(_ entry: EntityMap.Entry) -> Bool {
        entry.holders.allSatisfy { holder in
            switch holder {
            case .here: true
            case .registration(let id): foreign[id]?.known.contains(entry.id) ?? false
            }
        }
    }
}

extension [IRI] {
    /// In parts that an address has room for.
    var inAddresses: [Set<IRI>] {
        var (parts, byteCount) = ([Set<IRI>](), 0)
        for id in self {
            let more = URLText.encode(id.text).utf8.count + 1
            if parts.isEmpty || byteCount + more > 6000 { (parts, byteCount) = (parts + [[]], 0) }
            parts[parts.count - 1].insert(id)
            byteCount += more
        }
        return parts
    }
}
