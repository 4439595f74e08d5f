internal import CityModel
internal import OrderedCollections
internal import Store

/// What observations make of entities, worked out in memory, so that a run of observations of one entity writes its document,
/// its indexes and its journal entry once.
struct Recording: Sendable {
    let provenance: Provenance
    /// Instances that were taken here are modified at this moment.
    let now: Instant
    private(set) var targets: [Target] = []
    private var places: [IRI: Int] = [:]
    /// One for each observation. `unchanged` is to be held against history: it may not have what was kept of that observation.
    private(set) var outcomes: [RecordingOutcome] = []
    /// Values that were kept for history, and the bytes of their texts and documents.
    private(set) var keptCount = 0
    private(set) var keptByteCount = 0
    /// What the entities take, as they were and as they are now, about.
    private(set) var documentByteCount = 0

    struct Target: Sendable {
        let id: IRI
        /// As it was found in the file; nil when it was not there.
        let stored: StoredEntity?
        /// Whether there is no such entity yet.
        let isMissing: Bool
        let original: Entity
        var entity: Entity
        /// What its past values are classified as.
        let classification: Classification
        var isChanged = false
        /// Whether types or scopes are others than before.
        var hasNewFrame = false
        /// Values that are past, or were current only within this write.
        var runs: [InstanceRun] = []
        fileprivate var kept = Kept()
        /// What its attributes take that are not as they were found.
        fileprivate var grownByteCount = 0

        init(id: IRI, stored: StoredEntity?, isMissing: Bool, original: Entity, classification: Classification) {
            (self.id, self.stored, self.isMissing, self.classification) = (id, stored, isMissing, classification)
            (self.original, entity) = (original, original)
        }
    }

    fileprivate struct Kept { var count = 0, byteCount = 0 }

    init(provenance: Provenance, now: Instant) { (self.provenance, self.now) = (provenance, now) }

    func knows(_ id: IRI) -> Bool { places[id] != nil }

    mutating func add(_ target: Target) {
        places[target.id] = targets.count
        targets.append(target)
        documentByteCount += target.original.approximateByteCount + (target.stored?.document.bytes.count ?? 0) + target.grownByteCount
    }

    /// - Parameter observation: of an entity that was added.
    mutating func record(_ observation: ObservedEntity) {
        guard let place = places[observation.id] else { return }
        let (before, grown) = (targets[place].kept, targets[place].grownByteCount)
        outcomes.append(targets[place].take(observation, tag: outcomes.count, at: now))
        let after = targets[place].kept
        keptCount += after.count - before.count
        keptByteCount += after.byteCount - before.byteCount
        documentByteCount += targets[place].grownByteCount - grown
    }

    /// The outcomes, once it is known of which observations history got something new.
    func outcomes(recorded tags: [Int]) -> [RecordingOutcome] {
        var outcomes = outcomes
        for tag in tags where outcomes[tag] == .unchanged { outcomes[tag] = .historic }
        return outcomes
    }
}

extension Recording.Target {
    fileprivate mutating func take(_ observation: ObservedEntity, tag: Int, at now: Instant) -> RecordingOutcome {
        let isNew = isMissing && !isChanged
        if isNew { (entity.types, entity.scopes, hasNewFrame) = (observation.types, observation.scopes, true) }
        let isOld = observation.isOlder(than: entity)
        var changes = isNew || isReclassified
        if !isOld, entity.takeFrame(types: observation.types, scopes: observation.scopes) { (changes, hasNewFrame) = (true, true) }
        for (name, instances) in observation.attributes {
            for instance in instances {
                if isOld, instance.observedAt == nil, entity.instance(of: name, datasetID: instance.datasetID) != nil { continue }
                let known = entity.instance(of: name, datasetID: instance.datasetID).flatMap { $0.modifiedAt == now ? $0 : nil }
                switch entity.take(instance, name, at: now) {
                case .unchanged: break
                case .current(let displaced):
                    changes = true
                    grownByteCount += instance.approximateByteCount - (known?.approximateByteCount ?? 0)
                    // Of what has no time, or was corrected for the same time, the last of one write stays.
                    guard let displaced, displaced.observedAt != instance.observedAt else { break }
                    keep(displaced, name, tag)
                    if displaced.observedAt == nil || instance.observedAt == nil { removeKept(name, instance) }
                case .historic: keep(instance, name, tag)
                }
            }
        }
        if changes { isChanged = true }
        return isNew ? .created : changes ? .updated : .unchanged
    }

    /// Whether the source says that the entity is more or less confidential than it is.
    private var isReclassified: Bool { stored.map { !isChanged && classification != $0.classification } ?? false }

    private mutating func keep(_ instance: Attribute, _ name: IRI, _ tag: Int) {
        let place =
            runs.firstIndex { $0.name == name && $0.datasetID == instance.datasetID }
            ?? {
                runs.append(InstanceRun(name: name, datasetID: instance.datasetID))
                return runs.count - 1
            }()
        let before = runs[place].byteCount
        runs[place].append(instance, classification, tag: tag)
        kept = Recording.Kept(count: kept.count + 1, byteCount: kept.byteCount + runs[place].byteCount - before)
    }
}

extension Recording.Target {
    /// What was kept of a current instance's own moment is no past of it.
    private mutating func removeKept(_ name: IRI, _ instance: Attribute) {
        guard let place = runs.firstIndex(where: { $0.name == name && $0.datasetID == instance.datasetID }) else { return }
        runs[place].remove(observedAt: instance.observedAt)
    }
}

extension ReadSnapshot {
    /// An entity that is about to be observed.
    func target(_ id: IRI, _ provenance: Provenance) throws -> Recording.Target {
        guard let stored = try storedEntity(id) else {
            return Recording.Target(
                id: id, stored: nil, isMissing: true, original: Entity(id: id, types: []),
                classification: provenance.classification ?? .internalUse)
        }
        return Recording.Target(
            id: id, stored: stored, isMissing: false, original: try entity(stored),
            classification: provenance.classification ?? stored.classification)
    }
}

extension WriteTransaction {
    /// Writes what was recorded of entities that this transaction found.
    func finish(_ recording: Recording) throws -> [RecordingOutcome] {
        var tags: [Int] = []
        let now = recording.now
        for target in recording.targets {
            let number = try target.stored?.number ?? insertNumbered(target.entity.created(at: now), provenance: recording.provenance, at: now)
            for run in target.runs { tags += try record(run.others, of: run, number, at: now) }
            guard target.isChanged, let stored = target.stored else { continue }
            var entity = target.entity
            entity.modifiedAt = now
            try update(stored, from: target.original, to: entity, provenance: recording.provenance, at: now)
        }
        return recording.outcomes(recorded: tags)
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
    mutating func takeFrame(types: [IRI], scopes: [Scope]) -> Bool {
        let newTypes = types.filter { !self.types.contains($0) }
        let newScopes = scopes.isEmpty || scopes == self.scopes ? self.scopes : scopes
        guard !newTypes.isEmpty || newScopes != self.scopes else { return false }
        self.types += newTypes
        self.scopes = newScopes
        return true
    }

    /// Makes an observed instance the current one unless the current one was observed later.
    mutating func take(_ instance: Attribute, _ name: IRI, at now: Instant) -> Taken {
        guard let place = attributes.index(forKey: name) else {
            attributes[name] = [instance.observed(since: nil, at: now)]
            return .current(displaced: nil)
        }
        guard let index = attributes.values[place].firstIndex(where: { $0.datasetID == instance.datasetID }) else {
            attributes.values[place].append(instance.observed(since: nil, at: now))
            return .current(displaced: nil)
        }
        let current = attributes.values[place][index]
        if current.hasSameContent(as: instance) { return .unchanged }
        if let known = current.observedAt, let observed = instance.observedAt, observed < known { return .historic }
        attributes.values[place][index] = instance.observed(since: current, at: now)
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
