internal import CityModel
internal import GRDB
internal import Query
internal import Synchronization

/// Matches in their order that are asked for again and again, such as the queue that staff work on: kept with the change up to which they hold,
/// so that whoever asks next pays for what changed since.
final class KeptOrders: Sendable {
    /// What an order is of: who sees it, and which filter and ordering, as the one who asks calls them.
    struct Key: Hashable {
        let sight: Sight?
        /// Where consents decide what is shown: up to which it holds.
        let consents: Int64?
        let classificationMax: Classification
        let name: String
    }

    struct Match {
        let key: OrderingKey
        let entity: Int64
    }

    struct Order {
        /// The newest change that it knows of.
        var change: Int64
        /// The first comes first.
        var matches: [Match]
    }

    private struct State {
        var orders: [Key: (order: Order, use: Int)] = [:]
        var uses = 0
    }

    private let state = Mutex(State())
    /// Orders of one file, and their matches together; those that were used longest ago go first.
    private static let countMax = 64
    private static let matchCountMax = 100_000

    subscript(key: Key) -> Order? {
        state.withLock { state in
            guard let kept = state.orders[key] else { return nil }
            state.uses += 1
            state.orders[key]?.use = state.uses
            return kept.order
        }
    }

    /// Keeps an order, unless a newer one is kept.
    func keep(_ order: Order, as key: Key) {
        state.withLock { state in
            if let kept = state.orders[key], kept.order.change > order.change { return }
            state.uses += 1
            state.orders[key] = (order, state.uses)
            var matchCount = state.orders.values.reduce(0) { $0 + $1.order.matches.count }
            while state.orders.count > Self.countMax || matchCount > Self.matchCountMax, let oldest = state.orders.min(by: { $0.value.use < $1.value.use }) {
                matchCount -= oldest.value.order.matches.count
                state.orders[oldest.key] = nil
            }
        }
    }
}

extension ReadSnapshot {
    /// Changes since an order was kept up to which it is looked at one by one what they changed.
    private static var followedCountMax: Int64 { 1000 }

    /// All matches of a search in their order: those that were kept, brought up to date, or those that are found now.
    /// - Throws: as `search`.
    func order(_ search: EntitySearch, _ ordering: Ordering) throws -> [KeptOrders.Match] {
        guard let name = search.keptAs, let orders, try isKeepable(search) else { return try orderNow(search, ordering) }
        let key = KeptOrders.Key(sight: seen?.current, consents: seen?.consentsAsked, classificationMax: search.classificationMax, name: name)
        let newest = try lastChangeNumber()
        var order: KeptOrders.Order
        if let kept = orders[key], let changed = try changedEntities(since: kept.change, until: newest) {
            guard !changed.isEmpty else { return kept.matches }
            order = try self.order(kept, without: changed, search, ordering)
        } else {
            order = KeptOrders.Order(change: newest, matches: try orderNow(search, ordering))
        }
        order.change = newest
        orders.keep(order, as: key)
        return order.matches
    }

    /// Whether nothing but changes of the entities themselves can change what matches.
    private func isKeepable(_ search: EntitySearch) throws -> Bool {
        guard search.share == nil, search.filter.isOfEntitiesAlone else { return false }
        return try !hasExpired(search.now)
    }

    /// The order again, in which entities that changed are where they belong now, or no more.
    private func order(_ kept: KeptOrders.Order, without changed: Set<Int64>, _ search: EntitySearch, _ ordering: Ordering) throws -> KeptOrders.Order {
        var order = kept
        order.matches.removeAll { changed.contains($0.entity) }
        let test = EntityTest(search.filter, terms: terms)
        for number in changed {
            guard let stored = try storedEntity(number: number), stored.classification <= search.classificationMax,
                let found = try match(stored, search, test)
            else { continue }
            let match = try KeptOrders.Match(key: key(of: found, ordering), entity: number)
            order.matches.insert(match, at: order.matches.firstPlace { match.key < $0.key })
        }
        try checkOrderable(order.matches.count, search)
        return order
    }

    /// The entities that changed between two moments; nil where the journal does not tell, or too many did.
    private func changedEntities(since change: Int64, until newest: Int64) throws -> Set<Int64>? {
        guard change != newest else { return [] }
        guard change < newest, newest - change <= Self.followedCountMax,
            let first = try row("SELECT min(seq) FROM main.change")?.decode(Int64?.self, atIndex: 0), first <= change + 1
        else { return nil }
        var changed: Set<Int64> = []
        let cursor = try rows("SELECT entity FROM main.change WHERE seq > ?", [change])
        while let row = try cursor.next() { changed.insert(try row.decode(Int64.self, atIndex: 0)) }
        return changed
    }

    /// Of each match no more is read than the filter and the ordering ask for.
    private func orderNow(_ search: EntitySearch, _ ordering: Ordering) throws -> [KeptOrders.Match] {
        var matches: [KeptOrders.Match] = []
        try visitMatches(search) { found in
            try checkOrderable(matches.count + 1, search)
            matches.append(KeptOrders.Match(key: try key(of: found, ordering), entity: found.stored.number))
            return true
        }
        matches.sort { $0.key < $1.key }
        return matches
    }

    private func key(of found: FoundEntity, _ ordering: Ordering) throws -> OrderingKey {
        ordering.key(for: try found.entity ?? decoder.entity(found.stored.document, keeping: ordering.attributesRead))
    }

    private func checkOrderable(_ count: Int, _ search: EntitySearch) throws(CityError) {
        guard count > search.limits.orderedCountMax else { return }
        throw .tooManyResults("orderBy: more than \(search.limits.orderedCountMax) entities match; narrow the query")
    }
}

extension [KeptOrders.Match] {
    /// The place of the first match for which a condition holds, that holds for all behind it too.
    fileprivate func firstPlace(where holds: (KeptOrders.Match) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
