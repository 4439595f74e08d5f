internal import Broker
internal import CityModel
internal import Trust

/// The newest changes of one municipality, read once for all who follow. Whoever is further behind reads from the file.
actor ChangeWindow {
    private let broker: Broker
    private var items: [FeedItem] = []
    /// The items are those after `first` and up to `last`.
    private var first: Int64
    private var last: Int64

    static let itemCountMax = 4000
    static let readCountMax = 1000

    struct Page: Sendable {
        let items: [FeedItem]
        let position: Int64
        let hasGap: Bool
    }

    init(broker: Broker, position: Int64) {
        self.broker = broker
        (first, last) = (position, position)
    }

    /// Changes after a position, at most `readCountMax` of them looked at.
    func items(after position: Int64, _ access: ReadAccess, at now: Instant) async throws -> Page {
        guard position >= first else {
            let page = try await broker.liveChanges(after: position, limit: Self.readCountMax, access, at: now)
            return Page(items: page.changes.map(FeedItem.init), position: page.position, hasGap: page.hasGap)
        }
        // While nobody followed, nobody read: the window begins anew where the first to come stands.
        if position > last { (items, first, last) = ([], position, position) }
        if position == last { try await readMore(access, at: now) }
        // Another reader may have moved the window meanwhile; the next look finds it in order.
        guard position >= first, position <= last else { return Page(items: [], position: position, hasGap: false) }
        let start = items.partitioningIndex { $0.sequence > position }
        let part = items[start...].prefix(Self.readCountMax)
        // Hidden changes have no item, so that the end of the window may lie beyond the last one.
        let end = start + part.count == items.count ? last : part.last?.sequence ?? last
        return Page(items: Array(part), position: end, hasGap: false)
    }

    private func readMore(_ access: ReadAccess, at now: Instant) async throws {
        let start = last
        let page = try await broker.liveChanges(after: start, limit: Self.readCountMax, access, at: now)
        // Another reader may have been here meanwhile.
        guard last == start, page.position > start else { return }
        if page.hasGap {
            items = []
            first = page.position
        }
        items += page.hasGap ? [] : page.changes.map(FeedItem.init)
        last = page.position
        guard items.count > Self.itemCountMax else { return }
        let dropped = items.count - Self.itemCountMax / 2
        first = items[dropped - 1].sequence
        items.removeFirst(dropped)
    }
}

extension Array {
    /// The first index whose element satisfies `isAfter`, which holds for a tail of the array; the count when none does.
    func partitioningIndex(where isAfter: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
