package import Broker
internal import CityModel
internal import OrderedCollections

/// All that context sources have of a query, not a page of it: what a snapshot freezes (clause 5.16.1.4).
extension Federation {
    /// Asks every source that matches for all it has, page by page.
    /// - Parameter countMax: entities of all sources together.
    /// - Returns: nil when no source matches.
    /// - Throws: `tooManyResults`.
    package func everything(_ query: DistributedQuery, countMax: Int, _ origin: Origin) async throws -> (found: FoundElsewhere, warnings: [SourceWarning])? {
        let matching = try await matching(query.matched, Self.querying, origin)
        guard !matching.isEmpty else { return nil }
        let answers = await askAll(matching.sources, origin) { source in
            var gathered = ForeignEntities()
            await visitPages(of: source, query, countMax: countMax, origin) { page in
                gathered.entities += page.entities
                gathered.warnings += page.warnings
            }
            return gathered
        }
        guard answers.reduce(0, { $0 + $1.entities.count }) <= countMax else {
            throw CityError.tooManyResults("context sources have more than \(countMax) entities; narrow the query")
        }
        var parts: OrderedDictionary<IRI, [ForeignPart]> = [:]
        for (source, answer) in zip(matching.sources, answers) {
            for entity in answer.entities {
                parts[entity.id, default: []].append(
                    ForeignPart(
                        entity: entity, isAuxiliary: source.registration.mode == .auxiliary, classification: source.registration.classification))
            }
        }
        let (gathered, now) = (parts, origin.asker.now)
        let found = FoundElsewhere(
            ids: Array(parts.keys), filter: query.isSplit ? query.filter.selection : query.filter, wholeFilter: query.isSplit ? query.filter : nil
        ) { id, local in
            guard let parts = gathered[id] else { return nil }
            var merge = EntityMerge(local, at: now)
            for part in parts where !part.isAuxiliary { merge.add(part.entity) }
            for part in parts where part.isAuxiliary { merge.supplement(part.entity) }
            return merge.entity.map { ($0, parts.map(\.classification).max() ?? .open) }
        }
        return (found, matching.loopWarnings + answers.flatMap(\.warnings))
    }

    /// Goes through all pages of a source, until it has no more, fails, gives nothing new or has given more than is wanted.
    func visitPages(
        of source: MatchedSource, _ query: DistributedQuery, countMax: Int, _ origin: Origin, _ visit: (ForeignEntities) -> Void
    ) async {
        var (seen, offset) = (Set<IRI>(), 0)
        while seen.count <= countMax {
            let limit = limits.gatheredCountMax
            var page = await ask(source, query, ids: nil, offset: offset, limit: limit, origin)
            // What changes places while it is gone through may come twice.
            page.entities.removeAll { !seen.insert($0.id).inserted }
            visit(page)
            offset += limit
            guard page.isCut, !page.hasFailed, !page.entities.isEmpty else { break }
        }
    }
}

private struct ForeignPart: Sendable {
    let entity: Entity
    let isAuxiliary: Bool
    let classification: Classification
}
