package import CityModel
internal import OrderedCollections
package import Store
package import Trust

/// The past of entities, as far as pages and imports need it. The temporal API of NGSI-LD builds on the same rows.
extension Broker {
    /// The values of one attribute in a half-open interval, oldest first.
    /// - Throws: `resourceNotFound` when the entity is not there or may not be seen.
    package func history(
        of id: IRI, attribute: IRI, in interval: Range<Instant>, limit: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> [HistoryInstance] {
        try await file(toRead: access).read { snapshot in
            guard let stored = try snapshot.storedEntity(id), stored.classification <= access.classificationMax else {
                throw Broker.notFound(id)
            }
            return try snapshot.history(of: stored.number, attribute: attribute, in: interval, limit: limit, access.classificationMax, at: now)
        }
    }
}

/// Observations of one entity at one moment: current values, past values, or both.
package struct ObservedEntity: Sendable {
    package var id: IRI
    package var types: [IRI]
    package var scopes: [Scope]
    package var attributes: Attributes
    /// The time of the observation as a whole: of what has none of its own.
    package var observedAt: Instant?

    package init(id: IRI, types: [IRI], scopes: [Scope] = [], attributes: Attributes, observedAt: Instant? = nil) {
        (self.id, self.types, self.scopes, self.attributes, self.observedAt) = (id, types, scopes, attributes, observedAt)
    }
}

/// What became of one observation.
package enum RecordingOutcome: Hashable, Sendable {
    case created
    case updated
    /// Older than the current value: it became history only.
    case historic
    /// It said nothing that was not known.
    case unchanged
}

extension Broker {
    /// Records observations in one write. Each attribute instance becomes history at its `observedAt`; it becomes the
    /// current value unless the current one was observed later. What has no time of its own is taken from the newest
    /// observation. Saying the same twice changes nothing.
    /// - Returns: one outcome for each observation.
    package func record(
        _ observations: [ObservedEntity], provenance: Provenance, _ access: WriteAccess, at now: Instant
    ) async throws -> [RecordingOutcome] {
        try await file(toWrite: access).write { transaction in
            var recorder = Recorder(transaction: transaction, provenance: provenance, now: now)
            let outcomes = try observations.map { try recorder.record($0) }
            try recorder.finish()
            return outcomes
        }
    }
}

/// Applies observations to entities. Entities stay in memory until `finish`, so that a run of observations of one entity
/// writes its document, its indexes and its journal entry once.
private struct Recorder {
    private struct Target {
        let stored: StoredEntity?
        let original: Entity
        var entity: Entity
        var isChanged: Bool
    }

    let transaction: WriteTransaction
    let provenance: Provenance
    let now: Instant
    private var targets: [IRI: Target] = [:]
    /// Past values of entities that are created only in `finish` and have no number before.
    private var pending: [(id: IRI, name: IRI, instance: Attribute)] = []

    init(transaction: WriteTransaction, provenance: Provenance, now: Instant) {
        (self.transaction, self.provenance, self.now) = (transaction, provenance, now)
    }

    mutating func record(_ observation: ObservedEntity) throws -> RecordingOutcome {
        var target = try target(of: observation)
        let isNew = target.stored == nil && !target.isChanged
        let isOld = observation.isOlder(than: target.entity)
        var isChanged = isNew || isReclassified(target) || (!isOld && target.entity.takeFrame(of: observation))
        var isHistoric = false
        for (name, instances) in observation.attributes {
            for instance in instances {
                if isOld, instance.observedAt == nil, target.entity.instance(of: name, datasetID: instance.datasetID) != nil { continue }
                switch target.entity.take(instance, name, at: now) {
                case .unchanged: break
                case .current(let displaced):
                    isChanged = true
                    // Of what has no time, or was corrected for the same time, the last of one write stays.
                    if let displaced, displaced.observedAt != instance.observedAt { try keep(displaced, name, &target) }
                case .historic: if try keep(instance, name, &target) { isHistoric = true }
                }
            }
        }
        if isChanged { target.isChanged = true }
        targets[observation.id] = target
        return isNew ? .created : isChanged ? .updated : isHistoric ? .historic : .unchanged
    }

    /// Whether the source says that the entity is more or less confidential than it is.
    private func isReclassified(_ target: Target) -> Bool {
        guard let stored = target.stored, !target.isChanged else { return false }
        return provenance.classification ?? stored.classification != stored.classification
    }

    private func target(of observation: ObservedEntity) throws -> Target {
        if let known = targets[observation.id] { return known }
        if let stored = try transaction.storedEntity(observation.id) {
            let entity = try transaction.entity(stored)
            return Target(stored: stored, original: entity, entity: entity, isChanged: false)
        }
        let entity = Entity(id: observation.id, types: observation.types, scopes: observation.scopes)
        return Target(stored: nil, original: entity, entity: entity, isChanged: false)
    }

    /// Keeps a past value. One that was current for a while within this write is history too.
    /// - Returns: whether history did not hold it already.
    @discardableResult
    private mutating func keep(_ instance: Attribute, _ name: IRI, _ target: inout Target) throws -> Bool {
        guard let stored = target.stored else {
            pending.append((target.entity.id, name, instance))
            return true
        }
        let classification = provenance.classification ?? stored.classification
        return try transaction.appendHistory(instance, name: name, of: stored.number, classification, at: now)
    }

    mutating func finish() throws {
        for target in targets.values where target.isChanged {
            if let stored = target.stored {
                var entity = target.entity
                entity.modifiedAt = now
                try transaction.update(stored, from: target.original, to: entity, provenance: provenance, at: now)
            } else {
                try transaction.insert(target.entity.created(at: now), provenance: provenance, at: now)
            }
        }
        for past in pending {
            guard let stored = try transaction.storedEntity(past.id) else { continue }
            try transaction.appendHistory(past.instance, name: past.name, of: stored.number, stored.classification, at: now)
        }
    }
}

extension ObservedEntity {
    /// Whether something of the entity was observed later.
    fileprivate func isOlder(than entity: Entity) -> Bool {
        guard let observedAt else { return false }
        return entity.attributes.values.contains { $0.contains { $0.observedAt.map { $0 > observedAt } ?? false } }
    }
}

extension Entity {
    /// What became of an observed instance.
    enum Taken {
        case unchanged
        /// It is the current value now; the one before it, when that was taken in the same write.
        case current(displaced: Attribute?)
        case historic
    }

    /// Takes types and scopes over.
    /// - Returns: whether they differ from those that were there.
    mutating func takeFrame(of observation: ObservedEntity) -> Bool {
        let newTypes = observation.types.filter { !types.contains($0) }
        let newScopes = observation.scopes.isEmpty || observation.scopes == scopes ? scopes : observation.scopes
        guard !newTypes.isEmpty || newScopes != scopes else { return false }
        types += newTypes
        scopes = newScopes
        return true
    }

    /// Makes an observed instance the current one unless the current one was observed later.
    mutating func take(_ instance: Attribute, _ name: IRI, at now: Instant) -> Taken {
        var instances = attributes[name] ?? []
        guard let index = instances.firstIndex(where: { $0.datasetID == instance.datasetID }) else {
            instances.append(instance.observed(since: nil, at: now))
            attributes[name] = instances
            return .current(displaced: nil)
        }
        let current = instances[index]
        if current.hasSameContent(as: instance) { return .unchanged }
        if let known = current.observedAt, let observed = instance.observedAt, observed < known { return .historic }
        instances[index] = instance.observed(since: current, at: now)
        attributes[name] = instances
        let isFresh = current.modifiedAt == now
        return .current(displaced: isFresh ? current : nil)
    }
}

extension Attribute {
    fileprivate func observed(since old: Attribute?, at now: Instant) -> Attribute {
        var attribute = self
        attribute.createdAt = old?.createdAt ?? now
        attribute.modifiedAt = now
        return attribute
    }
}
