package import CityModel
internal import OrderedCollections
internal import Synchronization

/// Finds the subscriptions that may want a change: by entity, type and attribute, and within these by what their queries ask
/// of a value or a place. What a look-up costs follows the number of those it finds, not of those there are.
package struct WatchIndex: Sendable {
    private enum Place: Hashable { case id(IRI), type(IRI), everywhere }

    /// Subscriptions at one place, by the attributes that they watch.
    fileprivate struct Bucket {
        var everyAttribute = WatchShelf()
        var byAttribute: [IRI: WatchShelf] = [:]
        var isEmpty: Bool { everyAttribute.isEmpty && byAttribute.isEmpty }
    }

    /// Where a subscription stands, so that it can be taken away from there again.
    private struct Watch {
        let subscription: String
        let interest: Interest
        let attributes: [IRI]?
        let keys: [Interest.Key]
    }

    private var buckets: [Place: Bucket] = [:]
    private var numbers: [String: Int] = [:]
    private var watches: [Int: Watch] = [:]
    private var nextNumber = 0

    /// Entries of one subscription. One that would have more stands under fewer and is found more often than it need be.
    private static let entryCountMax = 256

    package init() {}

    package var isEmpty: Bool { watches.isEmpty }

    /// Puts what a subscription wants in the place of what it wanted; nil wants nothing more.
    package mutating func put(_ interest: Interest?, of subscription: String) {
        if let number = numbers.removeValue(forKey: subscription) { remove(number) }
        guard let interest else { return }
        let watch = Self.watch(subscription, interest)
        let number = nextNumber
        nextNumber += 1
        (numbers[subscription], watches[number]) = (number, watch)
        for place in Self.places(of: interest) {
            change(place) { bucket in bucket.change(watch.attributes) { $0.insert(number, watch.keys) } }
        }
    }

    private mutating func remove(_ number: Int) {
        guard let watch = watches.removeValue(forKey: number) else { return }
        for place in Self.places(of: watch.interest) {
            change(place) { bucket in bucket.change(watch.attributes) { $0.remove(number, watch.keys) } }
        }
    }

    /// The subscriptions that may want a change.
    /// - Parameter entity: as the change left it; one that was deleted as it was.
    /// - Parameter attributes: those that changed; of a deleted entity all it had.
    package mutating func watchers(
        of entity: Entity, attributes: some Sequence<IRI>, operation: Change.Operation, at moment: Instant
    ) -> Set<String> {
        guard !watches.isEmpty else { return [] }
        let values = WatchedValues(entity)
        let changed = Set(attributes)
        var found: Set<Int> = []
        for place in [.id(entity.id), .everywhere] + entity.types.map(Place.type) {
            buckets[place]?.find(values, changed) { found.insert($0) }
        }
        var watchers: Set<String> = []
        for number in found {
            guard let watch = watches[number], watch.interest.operations.contains(operation) else { continue }
            if let expiresAt = watch.interest.expiresAt, expiresAt <= moment {
                // Swept by who finds it: one that is never found costs nothing but its room.
                put(nil, of: watch.subscription)
                continue
            }
            if let wanted = watch.interest.attributes, wanted.isDisjoint(with: changed) { continue }
            watchers.insert(watch.subscription)
        }
        return watchers
    }

    /// Attributes and keys to stand under, so that there are not too many entries.
    private static func watch(_ subscription: String, _ interest: Interest) -> Watch {
        let placeCount = max(1, interest.ids.count + interest.types.count)
        var attributes = interest.attributes.map(Array.init)
        var keys = interest.keys ?? []
        if placeCount * (attributes?.count ?? 1) * max(1, keys.count) > entryCountMax { keys = [] }
        if placeCount * (attributes?.count ?? 1) > entryCountMax { attributes = nil }
        return Watch(subscription: subscription, interest: interest, attributes: attributes, keys: keys)
    }

    private static func places(of interest: Interest) -> [Place] {
        interest.ids.map(Place.id) + interest.types.map(Place.type) + (interest.wantsEveryEntity ? [.everywhere] : [])
    }

    private mutating func change(_ place: Place, _ body: (inout Bucket) -> Void) {
        var bucket = buckets.removeValue(forKey: place) ?? Bucket()
        body(&bucket)
        if !bucket.isEmpty { buckets[place] = bucket }
    }
}

extension WatchIndex.Bucket {
    fileprivate mutating func change(_ attributes: [IRI]?, _ body: (inout WatchShelf) -> Void) {
        guard let attributes else { return body(&everyAttribute) }
        for attribute in attributes {
            var shelf = byAttribute.removeValue(forKey: attribute) ?? WatchShelf()
            body(&shelf)
            if !shelf.isEmpty { byAttribute[attribute] = shelf }
        }
    }

    fileprivate mutating func find(_ values: WatchedValues, _ changed: Set<IRI>, _ found: (Int) -> Void) {
        everyAttribute.find(values, found)
        guard !byAttribute.isEmpty else { return }
        for attribute in changed { byAttribute[attribute]?.find(values, found) }
    }
}

/// The index of one file's active subscriptions, kept in memory. Only the writer puts anything into it.
package final class WatchTable: Sendable {
    private let index: Mutex<WatchIndex>
    /// Changes since the oldest that waits to be matched.
    let lagMax: Int64

    init(_ index: WatchIndex, lagMax: Int64) {
        self.index = Mutex(index)
        self.lagMax = lagMax
    }

    package func watchers(
        of entity: Entity, attributes: some Sequence<IRI>, operation: Change.Operation, at moment: Instant
    ) -> Set<String> {
        index.withLock { $0.watchers(of: entity, attributes: attributes, operation: operation, at: moment) }
    }

    func apply(_ changes: [(subscription: String, interest: Interest?)]) {
        guard !changes.isEmpty else { return }
        index.withLock { index in
            for change in changes { index.put(change.interest, of: change.subscription) }
        }
    }

    func replace(with new: WatchIndex) { index.withLock { $0 = new } }
}
