package import CityModel
internal import OrderedCollections
internal import Synchronization

/// Which changes a subscription may want, said coarsely: whoever is not found by this does not match, whoever is may.
package struct Interest: Hashable, Sendable {
    /// These entities.
    package var ids: Set<IRI>
    /// Entities of one of these types.
    package var types: Set<IRI>
    /// Entities of all kinds.
    package var wantsEveryEntity: Bool
    /// Changes to one of these attributes; nil for changes to any.
    package var attributes: Set<IRI>?
    package var operations: Set<Change.Operation>

    package init(
        ids: Set<IRI> = [], types: Set<IRI> = [], wantsEveryEntity: Bool = false, attributes: Set<IRI>? = nil,
        operations: Set<Change.Operation>
    ) {
        (self.ids, self.types, self.wantsEveryEntity) = (ids, types, wantsEveryEntity)
        (self.attributes, self.operations) = (attributes, operations)
    }
}

/// Finds the subscriptions that may want a change, by entity, type and attribute: what a look-up costs follows the number
/// of those it finds, not of those there are.
package struct WatchIndex: Sendable {
    private enum Place: Hashable { case id(IRI), type(IRI), everywhere }

    private struct Bucket {
        var everyAttribute: Set<String> = []
        var byAttribute: [IRI: Set<String>] = [:]
        var isEmpty: Bool { everyAttribute.isEmpty && byAttribute.isEmpty }
    }

    private var buckets: [Place: Bucket] = [:]
    private var interests: [String: Interest] = [:]

    package init() {}

    package var isEmpty: Bool { interests.isEmpty }

    /// Puts what a subscription wants in the place of what it wanted; nil wants nothing more.
    package mutating func put(_ interest: Interest?, of subscription: String) {
        if let old = interests.removeValue(forKey: subscription) {
            for place in Self.places(of: old) { remove(subscription, old.attributes, at: place) }
        }
        guard let interest else { return }
        interests[subscription] = interest
        for place in Self.places(of: interest) { insert(subscription, interest.attributes, at: place) }
    }

    /// The subscriptions that may want a change.
    /// - Parameter attributes: those that changed; of a deleted entity all it had.
    package func watchers(
        of id: IRI, types: [IRI], attributes: some Sequence<IRI>, operation: Change.Operation
    ) -> Set<String> {
        guard !interests.isEmpty else { return [] }
        var found: Set<String> = []
        for place in [.id(id), .everywhere] + types.map(Place.type) {
            guard let bucket = buckets[place] else { continue }
            found.formUnion(bucket.everyAttribute)
            guard !bucket.byAttribute.isEmpty else { continue }
            for attribute in attributes { if let watching = bucket.byAttribute[attribute] { found.formUnion(watching) } }
        }
        return found.filter { interests[$0]?.operations.contains(operation) ?? false }
    }

    private static func places(of interest: Interest) -> [Place] {
        interest.ids.map(Place.id) + interest.types.map(Place.type) + (interest.wantsEveryEntity ? [.everywhere] : [])
    }

    private mutating func insert(_ subscription: String, _ attributes: Set<IRI>?, at place: Place) {
        guard let attributes else {
            buckets[place, default: Bucket()].everyAttribute.insert(subscription)
            return
        }
        for attribute in attributes { buckets[place, default: Bucket()].byAttribute[attribute, default: []].insert(subscription) }
    }

    private mutating func remove(_ subscription: String, _ attributes: Set<IRI>?, at place: Place) {
        guard var bucket = buckets.removeValue(forKey: place) else { return }
        bucket.everyAttribute.remove(subscription)
        for attribute in attributes ?? [] {
            bucket.byAttribute[attribute]?.remove(subscription)
            if bucket.byAttribute[attribute]?.isEmpty ?? false { bucket.byAttribute[attribute] = nil }
        }
        if !bucket.isEmpty { buckets[place] = bucket }
    }
}

/// The index of one file's active subscriptions, kept in memory. Only the writer changes it.
package final class WatchTable: Sendable {
    private let index: Mutex<WatchIndex>

    init(_ index: WatchIndex) { self.index = Mutex(index) }

    package func watchers(
        of id: IRI, types: [IRI], attributes: some Sequence<IRI>, operation: Change.Operation
    ) -> Set<String> {
        index.withLock { $0.watchers(of: id, types: types, attributes: attributes, operation: operation) }
    }

    func apply(_ changes: [(subscription: String, interest: Interest?)]) {
        guard !changes.isEmpty else { return }
        index.withLock { index in
            for change in changes { index.put(change.interest, of: change.subscription) }
        }
    }

    func replace(with new: WatchIndex) { index.withLock { $0 = new } }
}

extension Interest {
    /// As the file keeps it.
    var json: JSON {
        var members: JSONObject = [
            "ids": Self.json(ids), "types": Self.json(types), "everyEntity": .bool(wantsEveryEntity),
            "operations": .array(operations.map(\.rawValue).sorted().map { .integer(Int64($0)) }),
        ]
        if let attributes { members["attributes"] = Self.json(attributes) }
        return .object(members)
    }

    init(_ json: JSON) {
        func names(_ member: String) -> Set<IRI> { Set(json[member]?.arrayValue?.compactMap { $0.stringValue.map(IRI.init(known:)) } ?? []) }
        let operations = json["operations"]?.arrayValue?.compactMap { $0.integerValue.flatMap { Change.Operation(rawValue: Int($0)) } } ?? []
        self.init(
            ids: names("ids"), types: names("types"), wantsEveryEntity: json["everyEntity"]?.boolValue ?? false,
            attributes: json["attributes"] == nil ? nil : names("attributes"), operations: Set(operations))
    }

    private static func json(_ names: Set<IRI>) -> JSON { .array(names.map(\.text).sorted().map(JSON.string)) }
}
