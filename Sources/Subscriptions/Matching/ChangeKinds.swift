package import CityModel
internal import OrderedCollections
internal import Query
package import Store

/// What happened to the attributes of one entity in one change: by content, for a new time stamp alone is no change
/// (clause 5.8.6).
package struct ChangeKinds: Sendable {
    package let operation: Change.Operation
    package private(set) var created: [IRI] = []
    package private(set) var updated: [IRI] = []
    /// Those of which an instance is gone; of a deleted entity all it had.
    package private(set) var deleted: [IRI] = []

    package init(_ change: WatchedChange) {
        operation = change.operation
        switch change.operation {
        case .created: created = Array(change.entity.attributes.keys)
        case .deleted: deleted = Array(change.entity.attributes.keys)
        case .updated: compare(change.previous?.attributes ?? [:], change.entity.attributes)
        }
    }

    private mutating func compare(_ before: Attributes, _ after: Attributes) {
        for (name, instances) in after {
            guard let old = before[name] else {
                created.append(name)
                continue
            }
            let oldDatasets = Set(old.map(\.datasetID)), newDatasets = Set(instances.map(\.datasetID))
            if !oldDatasets.isSubset(of: newDatasets) { deleted.append(name) }
            if !newDatasets.isSubset(of: oldDatasets) { created.append(name) }
            let isUpdated = instances.contains { instance in
                old.contains { $0.datasetID == instance.datasetID && !$0.hasSameContent(as: instance) }
            }
            if isUpdated { updated.append(name) }
        }
        deleted += before.keys.filter { after[$0] == nil }
    }

    /// Whether the change is of a kind that one of the triggers names, for one of the watched attributes.
    /// - Parameter watched: nil watches all.
    package func fire(_ triggers: Set<NotificationTrigger>, watched: [IRI]?) -> Bool {
        func touches(_ names: [IRI]) -> Bool { watched.map { names.contains(where: $0.contains) } ?? !names.isEmpty }
        let hasUpdate = triggers.contains(.entityUpdated) && operation == .updated
        if triggers.contains(.entityCreated), operation == .created, watched == nil || touches(created) { return true }
        if triggers.contains(.entityDeleted), operation == .deleted, watched == nil || touches(deleted) { return true }
        if triggers.contains(.attributeCreated) || hasUpdate, touches(created) { return true }
        if triggers.contains(.attributeUpdated) || hasUpdate, touches(updated) { return true }
        if triggers.contains(.attributeDeleted) || hasUpdate, touches(deleted) { return true }
        return false
    }
}

extension Subscription {
    /// Which changes may fire the subscription, for the index of the file.
    package var interest: Interest {
        var operations: Set<Change.Operation> = []
        if !triggers.isDisjoint(with: [.entityCreated, .attributeCreated]) { operations.insert(.created) }
        if !triggers.isDisjoint(with: [.entityUpdated, .attributeCreated, .attributeUpdated, .attributeDeleted]) { operations.insert(.updated) }
        if !triggers.isDisjoint(with: [.entityDeleted, .attributeDeleted]) { operations.insert(.deleted) }
        var interest = Interest(attributes: watchedAttributes.map(Set.init), operations: operations, keys: Interest.Key.keys(query: query, geo: geo))
        for selector in selectors ?? [] {
            if let ids = selector.ids {
                interest.ids.formUnion(ids)
            } else if selector.types == .any {
                interest.wantsEveryEntity = true
            } else {
                interest.types.formUnion(selector.types.types)
            }
        }
        if selectors == nil { interest.wantsEveryEntity = true }
        return interest
    }
}
