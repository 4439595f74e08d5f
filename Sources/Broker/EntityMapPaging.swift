package import CityModel
internal import Query
package import Store
package import Trust

/// A page of the entities of a map.
package struct EntityMapPage: Sendable {
    package var page: EntityPage
    /// Positions of the map that the page passed over: where the next one begins, from where it began.
    package var visitedCount = 0
}

/// Paging with entity maps (clause 5.5.9.3): which entities there are was fixed when the map was made, whether they still
/// match is looked at when they are answered. An offset is a position in the map.
extension Broker {
    /// - Parameter query: as for the query that made the map; it can narrow it, and does not put it in another order.
    /// - Complexity: as many entities as the page shows, and those passed over that match no more; all with `wantsCount`.
    package func query(_ query: EntityQuery, through map: EntityMap, _ access: ReadAccess, at now: Instant) async throws -> EntityMapPage {
        var wanted = search(query, access, at: now)
        (wanted.ordering, wanted.wantsCount) = (nil, false)
        var original = wanted
        // Whether an entity still belongs to the map does not depend on who asks.
        original.classificationMax = .special
        if let filter = map.filter { original.filter = filter }
        let reading = MapReading(map: map, original: original, wanted: wanted, countsAll: query.wantsCount)
        let read = try await show(access, at: now) { snapshot in
            var reading = reading
            try reading.read(snapshot, offset: query.offset, limit: query.limit)
            for found in reading.page.page.entities { snapshot.show(found.stored) }
            return reading
        }
        if !read.gone.isEmpty { entityMaps.withLock { $0.removeEntries(at: read.gone, of: map.id) } }
        return read.page
    }
}

private struct MapReading: Sendable {
    let map: EntityMap
    let original: EntitySearch
    let wanted: EntitySearch
    /// Whether the whole map is looked at, to count what matches.
    let countsAll: Bool
    private(set) var page = EntityMapPage(page: EntityPage(entities: [], count: nil, hasMore: false))
    /// Positions of entities that match no more.
    private(set) var gone: [Int] = []
    private static let chunkCountMin = 50

    init(map: EntityMap, original: EntitySearch, wanted: EntitySearch, countsAll: Bool) {
        (self.map, self.original, self.wanted, self.countsAll) = (map, original, wanted, countsAll)
    }

    mutating func read(_ snapshot: ReadSnapshot, offset: Int, limit: Int) throws {
        let deadline = ContinuousClock.now + wanted.limits.duration
        var (position, count) = (countsAll ? 0 : min(offset, map.entries.count), 0)
        while position < map.entries.count, countsAll || !page.page.hasMore {
            guard ContinuousClock.now <= deadline else {
                throw CityError.tooComplexQuery("going through the EntityMap takes longer than \(wanted.limits.duration)")
            }
            let chunk = position..<min(position + max(limit + 1, Self.chunkCountMin), map.entries.count)
            for (position, found) in try matches(snapshot, chunk) {
                count += 1
                guard position >= offset, !page.page.hasMore else { continue }
                if page.page.entities.count < limit {
                    page.page.entities.append(found)
                } else {
                    page.page.hasMore = true
                    page.visitedCount = position - offset
                }
            }
            position = chunk.upperBound
        }
        if countsAll { page.page.count = count }
        if !page.page.hasMore { page.visitedCount = max(0, map.entries.count - offset) }
    }

    /// The entities of a part of the map that are to be answered, in its order. Those held elsewhere are for whoever asks the
    /// context sources.
    private mutating func matches(_ snapshot: ReadSnapshot, _ chunk: Range<Int>) throws -> [(position: Int, found: FoundEntity)] {
        var positions: [IRI: Int] = [:]
        for position in chunk {
            // Which ones are asked for by name is known without a look into the file.
            if let entry = map.entries[position], entry.holders.contains(.here), wanted.filter.ids?.contains(entry.id) ?? true {
                positions[entry.id] = position
            }
        }
        guard !positions.isEmpty else { return [] }
        if map.filter != nil {
            let matching = Set(try found(snapshot, original, Set(positions.keys)).map(\.stored.id))
            for (id, position) in positions where !matching.contains(id) {
                gone.append(position)
                positions[id] = nil
            }
        }
        return try found(snapshot, wanted, Set(positions.keys)).compactMap { found in positions[found.stored.id].map { ($0, found) } }
            .sorted { $0.0 < $1.0 }
    }

    private func found(_ snapshot: ReadSnapshot, _ search: EntitySearch, _ ids: Set<IRI>) throws -> [FoundEntity] {
        var search = search
        search.filter.ids = search.filter.ids.map(ids.intersection) ?? ids
        var all: [FoundEntity] = []
        try snapshot.visitMatches(search) { found in
            all.append(found)
            return true
        }
        return all
    }
}
