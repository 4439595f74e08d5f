package import CityModel
internal import OrderedCollections
package import Store

/// One entity of a notification with what became of it (clause 5.8.6).
package struct NotifiedEntity: Sendable {
    /// What is told: the entity after the change, with those attributes that are gone as NGSI-LD Null.
    package var entity: Entity
    /// Attribute instances before the change, where there were any; empty unless changes are to be shown.
    package private(set) var previous: Attributes = [:]
    /// The instances that are gone, by attribute.
    package private(set) var gone: [IRI: Set<IRI?>] = [:]
    /// When they went.
    package private(set) var deletedAt: Instant?
    /// Whether the entity itself is gone.
    package private(set) var isDeleted = false
    /// Whether it is about people, so that telling of it has to be accounted for.
    package private(set) var isPersonal = false

    /// An entity that is told of without a change: periodically.
    package init(_ entity: Entity, isPersonal: Bool) { (self.entity, self.isPersonal) = (entity, isPersonal) }

    /// What a context source told of an entity: attributes that are gone as null.
    /// - Parameter deletedAt: when the entity itself went, where it did.
    package init(_ entity: Entity, deletedAt: Instant?, isPersonal: Bool, at now: Instant) {
        (self.entity, self.isPersonal) = (entity, isPersonal)
        for (name, instances) in entity.attributes {
            let missing = instances.filter(\.isNull)
            if !missing.isEmpty { gone[name] = Set(missing.map(\.datasetID)) }
        }
        isDeleted = deletedAt != nil
        self.deletedAt = deletedAt ?? (gone.isEmpty ? nil : now)
    }

    package init(_ change: WatchedChange, _ kinds: ChangeKinds, for subscription: Subscription) {
        let parameters = subscription.notification
        (entity, isPersonal) = (change.entity, change.classification.isPersonal)
        switch change.operation {
        case .created: return
        case .updated:
            guard let before = change.previous else { return }
            tellGone(kinds.deleted, of: before, parameters)
            if parameters.showsChanges { previous = before.attributes.filter { (kinds.updated + kinds.deleted).contains($0.key) } }
            if !gone.isEmpty { deletedAt = change.at }
        case .deleted:
            isDeleted = true
            deletedAt = change.at
            let before = change.entity
            entity.attributes = [:]
            entity.scopes = []
            entity.expiresAt = nil
            // Without more that is asked for, the time of the deletion is all that is told.
            if parameters.showsChanges {
                previous = before.attributes
                tellGone(kinds.deleted, of: before, parameters)
            } else if subscription.triggers.contains(.attributeDeleted) {
                let watched = subscription.watchedAttributes
                tellGone(kinds.deleted.filter { watched?.contains($0) ?? true }, of: before, parameters)
            }
        }
    }

    /// Puts back what is gone, as null. An attribute of which nothing is left is one null, whatever instances it had, unless
    /// each is to be shown as it was.
    private mutating func tellGone(_ names: [IRI], of before: Entity, _ parameters: NotificationParams) {
        for name in names {
            let remaining = entity.attributes[name] ?? []
            var missing = (before.attributes[name] ?? []).filter { old in !remaining.contains { $0.datasetID == old.datasetID } }
            if remaining.isEmpty, !parameters.showsChanges, var whole = missing.first(where: { $0.datasetID == nil }) ?? missing.first {
                whole.datasetID = nil
                missing = [whole]
            }
            entity.attributes[name] = remaining + missing.map { $0.asGone(isSimplified: parameters.isPlain) }
            gone[name] = Set(missing.map(\.datasetID))
        }
    }
}

extension NotificationParams {
    /// Whether a deleted attribute is its name with null and nothing more.
    fileprivate var isPlain: Bool { format == .simplified || (format == .concise && !includesSystemMembers && !showsChanges) }
}

extension Attribute {
    /// What tells that this instance is gone: its kind with NGSI-LD Null, its dataset and its system times.
    fileprivate func asGone(isSimplified: Bool) -> Attribute {
        var null = Attribute(kind: isSimplified ? .property : kind, value: .string(Attribute.nullText), datasetID: datasetID)
        if null.kind == .languageProperty { null.value = ["@none": .string(Attribute.nullText)] }
        (null.createdAt, null.modifiedAt) = (createdAt, modifiedAt)
        return null
    }
}
