package import CityModel
internal import Query

/// Histories of a list of entities that was fixed before (clause 5.5.9.3).
extension ReadSnapshot {
    /// Listed entities that are looked at together, at least.
    private static var listedCountMin: Int { 50 }

    /// The histories of listed entities, in the order of the list, from its position `search.offset` on. Those that the search
    /// does not match, and those of which nothing is answered, are passed over.
    /// - Parameter ids: nil holds the position of one that is listed no more.
    /// - Returns: the page, and the positions of its matches, with that of the match after it where there is one.
    package func searchHistory(
        _ search: HistorySearch, among ids: [IRI?], noting noteThinned: (IRI, ThinnedSpan) -> Void, where isAnswered: (HistoryMatch) throws -> Bool
    ) throws -> (page: HistoryPage, positions: [Int]) {
        var (page, positions, count) = (HistoryPage(), [Int](), 0)
        var position = search.wantsCount ? 0 : min(search.offset, ids.count)
        while position < ids.count, search.wantsCount || !page.hasMore {
            let chunk = position..<min(position + max(search.limit + 1, Self.listedCountMin), ids.count)
            for (position, match) in try matches(search, ids, chunk, noteThinned, isAnswered) {
                count += 1
                guard position >= search.offset, !page.hasMore else { continue }
                page.hasMore = page.matches.count == search.limit
                positions.append(position)
                if !page.hasMore { page.matches.append(match) }
            }
            position = chunk.upperBound
        }
        if search.wantsCount { page.count = count }
        return (page, positions)
    }

    private func matches(
        _ search: HistorySearch, _ ids: [IRI?], _ chunk: Range<Int>, _ noteThinned: (IRI, ThinnedSpan) -> Void,
        _ isAnswered: (HistoryMatch) throws -> Bool
    ) throws -> [(position: Int, match: HistoryMatch)] {
        var positions: [IRI: Int] = [:]
        for position in chunk { if let id = ids[position] { positions[id] = position } }
        var part = search
        part.filter.ids = search.filter.ids.map(Set(positions.keys).intersection) ?? Set(positions.keys)
        (part.order, part.offset, part.limit, part.wantsCount) = (nil, 0, chunk.count, false)
        let found = try searchHistory(part, noting: noteThinned, where: isAnswered).matches
        return found.compactMap { match in positions[match.entity.id].map { ($0, match) } }.sorted { $0.0 < $1.0 }
    }
}
