import CityModel
import OrderedCollections
import Store

/// What a municipality's file has to hold, worked out in the plainest way: dictionaries and arrays, one operation after the other. It shares with the
/// program the values that it is compared by, and none of the code that makes them.
///
/// Attributes are properties without sub-attributes; what else an attribute can be is for the tests of editing.
struct ModelCity {
    /// One line of an entity's history.
    struct Record: Hashable {
        /// Of an observation when it was made, else when it was recorded.
        var at: Int64
        /// By how much later it was recorded.
        var late: Int64
        var isObserved = false
        /// Nil for the trace of a deletion.
        var value: JSON?
        /// When it took the place of another.
        var modifiedAt: Int64?
        var expiresAt: Instant?
        /// Whether it may have come too late: where history is thinned, an update of the entity is done and may leave no record.
        var isUnsure = false
        var recordedAt: Int64 { at + late }
    }

    /// One line of the journal.
    struct Row: Hashable {
        let operation: Change.Operation
        let at: Instant
        let id: IRI
        let type: IRI?
        var attributes: Set<IRI> = []
        /// Whether it is told to who subscribes to the type.
        let isWatched: Bool
    }

    var entities: [IRI: Entity] = [:]
    var history: [IRI: [SeriesName: [Record]]] = [:]
    /// Entities that are gone, or never were, and have a history.
    var pasts: Set<IRI> = []
    private(set) var journal: [Row] = []
    let retention: ModelRetention
    /// What was recorded and corrected or erased of entities whose history is thinned: it counts for what could be thinned then.
    var erased: [IRI: [SeriesName: [Record]]] = [:]
    /// Entities that a source with a rule made.
    var ruled: Set<IRI> = []
    /// The time by which history may have been thinned when the operation was answered.
    private(set) var thinnedAt: Instant?

    init(_ retention: ModelRetention) { self.retention = retention }

    /// What an operation would add to the journal, and what it would answer.
    func trying(_ one: ModelRun.Asked) -> (result: ModelResult, rows: [Row]) {
        var city = self
        let result = city.perform(one)
        return (result, Array(city.journal[journal.count...]))
    }
}

// MARK: What becomes of an operation

extension ModelCity {
    /// Of history that is thinned nobody knows what was done first, so there the answer that was given is the model's wherever it may be given.
    mutating func perform(_ one: ModelRun.Asked) -> ModelResult {
        let now = one.now
        thinnedAt = one.thinnedAt
        return switch one.operation {
        case .create(let entity, _): create(entity, now) ? .done : .refused
        case .replace(let entity): edit(entity.id, now) { $0 = Self.replaced($0, by: entity, now) } ? .done : .refused
        case .append(let change, let id, let overwriting): append(change, to: id, overwriting, now).map { .partly($0) } ?? .refused
        case .update(let change, let id): edit(id, now) { Self.update(&$0, change, now) } ? .done : .refused
        case .merge(let change, let id): edit(id, now) { Self.merge(&$0, change, now) } ? .done : .refused
        case .deleteAttribute(let name, let id, let dataset): deleteAttribute(name, of: id, dataset, now) ? .done : .refused
        case .delete(let id): delete(id, now) ? .done : .refused
        case .batch(let kind, let entries): batch(kind, entries, now)
        case .addHistory(let id, let name, let instances): addHistory(instances, name, to: id, one)
        case .deleteInstance(let id, let name, let pick): editInstance(of: id, name, pick, with: nil, one) ? .done : .refused
        case .replaceInstance(let id, let name, let pick, let instance): editInstance(of: id, name, pick, with: instance, one) ? .done : .refused
        case .eraseSeries(let id, let name): eraseSeries(name, of: id, one) ? .done : .refused
        case .eraseHistory(let id): eraseHistory(of: id, one) ? .done : .refused
        case .failing: .refused
        case .sweep: sweep(now)
        }
    }

    private mutating func batch(_ kind: ModelOperation.Batch, _ entries: [ModelOperation.Entry], _ now: Instant) -> ModelResult {
        var (created, changed, errors) = ([IRI](), [IRI](), [IRI]())
        for entry in entries {
            let change = ModelChange(entry.entity)
            switch kind {
            case .create: if create(entry.entity, now) { created.append(entry.id) } else { errors.append(entry.id) }
            case .upsert(let replaces):
                if create(entry.entity, now) { created.append(entry.id) } else {
                    _ = edit(entry.id, now) { if replaces { $0 = Self.replaced($0, by: entry.entity, now) } else { Self.update(&$0, change, now) } }
                    changed.append(entry.id)
                }
            case .update(let overwriting):
                let left = append(change, to: entry.id, overwriting, now)
                if left == [] { changed.append(entry.id) } else { errors.append(entry.id) }
            case .merge: if edit(entry.id, now, { Self.merge(&$0, change, now) }) { changed.append(entry.id) } else { errors.append(entry.id) }
            case .delete: if delete(entry.id, now) { changed.append(entry.id) } else { errors.append(entry.id) }
            }
        }
        return .batch(created: created, changed: changed, errors: errors)
    }
}

// MARK: Entities

extension ModelCity {
    private mutating func create(_ entity: Entity, _ now: Instant) -> Bool {
        guard entities[entity.id]?.living(at: now) == nil else { return false }
        remove(entity.id, now)
        var new = entity
        (new.createdAt, new.modifiedAt) = (now, now)
        for (name, instances) in entity.attributes { new.attributes[name] = instances.map { Self.stamped($0, since: nil, now) } }
        pasts.remove(entity.id)
        if ModelDraw.isAging(entity.id) { ruled.insert(entity.id) }
        entities[entity.id] = new
        record(since: nil, new, now)
        note(.created, new, Set(new.attributes.keys), now)
        return true
    }

    private mutating func edit(_ id: IRI, _ now: Instant, _ body: (inout Entity) -> Void) -> Bool {
        guard var new = entities[id]?.living(at: now) else { return false }
        body(&new)
        new.modifiedAt = now
        put(new, now)
        return true
    }

    private mutating func put(_ new: Entity, _ now: Instant) {
        guard let old = entities.updateValue(new, forKey: new.id) else { return }
        let changed = Set(old.attributes.keys).union(new.attributes.keys).filter { old.attributes[$0] ?? [] != new.attributes[$0] ?? [] }
        record(since: old, new, now)
        note(.updated, new, changed, now)
    }

    private mutating func delete(_ id: IRI, _ now: Instant) -> Bool {
        guard entities[id]?.living(at: now) != nil else { return false }
        remove(id, now)
        return true
    }

    private mutating func remove(_ id: IRI, _ now: Instant) {
        guard let old = entities.removeValue(forKey: id) else { return }
        record(since: old, Entity(id: id, types: old.types), now)
        pasts.insert(id)
        note(.deleted, old, [], now)
    }

    /// What has expired goes, first what expired first.
    private mutating func sweep(_ now: Instant) -> ModelResult {
        let expiring = entities.values.compactMap { entity in entity.firstExpiry.map { (entity, $0) } }.filter { $0.1 <= now }
        for (entity, _) in expiring.sorted(by: { $0.1 < $1.1 }) { if let living = entity.living(at: now) { put(living, now) } else { remove(entity.id, now) } }
        return .done
    }

    /// - Returns: what was left as it was; nil without such an entity.
    private mutating func append(_ change: ModelChange, to id: IRI, _ overwriting: Bool, _ now: Instant) -> [IRI]? {
        var left: [IRI] = []
        let isThere = edit(id, now) { entity in
            entity.expiresAt = change.expiresAt ?? entity.expiresAt
            for (name, instances) in change.attributes {
                for instance in instances {
                    if overwriting || entity.instance(of: name, datasetID: instance.datasetID) == nil { Self.put(instance, name, in: &entity, now) } else { left.append(name) }
                }
            }
        }
        return isThere ? left : nil
    }

    private mutating func deleteAttribute(_ name: IRI, of id: IRI, _ dataset: IRI?, _ now: Instant) -> Bool {
        let series = SeriesName(attribute: name, datasetID: dataset)
        if entities[id] == nil, history[id]?[series]?.last?.value != nil {
            // Of what is gone the deletion is recorded, where history does not end with one.
            insert(Record(at: now.microseconds, late: 0), id, series)
            return true
        }
        guard entities[id]?.living(at: now)?.instance(of: name, datasetID: dataset) != nil else { return false }
        return edit(id, now) { Self.remove(name, dataset, from: &$0) }
    }

    private static func replaced(_ old: Entity, by entity: Entity, _ now: Instant) -> Entity {
        var new = entity
        new.createdAt = old.createdAt
        for (name, instances) in entity.attributes {
            new.attributes[name] = instances.map { stamped($0, since: old.instance(of: name, datasetID: $0.datasetID), now) }
        }
        return new
    }

    private static func update(_ entity: inout Entity, _ change: ModelChange, _ now: Instant) {
        entity.expiresAt = change.expiresAt ?? entity.expiresAt
        for (name, instance) in change.each {
            if instance.isNull { remove(name, instance.datasetID, from: &entity) } else { put(instance, name, in: &entity, now) }
        }
    }

    private static func merge(_ entity: inout Entity, _ change: ModelChange, _ now: Instant) {
        entity.expiresAt = change.expiresAt ?? entity.expiresAt
        for (name, instance) in change.each {
            guard !instance.isNull else {
                remove(name, instance.datasetID, from: &entity)
                continue
            }
            let old = entity.instance(of: name, datasetID: instance.datasetID)
            var new = instance
            new.value = patched(old?.value, with: instance.value)
            new.observedAt = instance.observedAt ?? old?.observedAt
            new.expiresAt = instance.expiresAt ?? old?.expiresAt
            put(new, name, in: &entity, now)
        }
    }

    /// RFC 7396, with the text that stands for null.
    private static func patched(_ old: JSON?, with patch: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = old?.objectValue ?? [:]
        for (name, change) in changes { members[name] = change == .string(Attribute.nullText) ? nil : patched(members[name], with: change) }
        return .object(members)
    }

    private static func put(_ instance: Attribute, _ name: IRI, in entity: inout Entity, _ now: Instant) {
        var instances = entity.attributes[name] ?? []
        let place = instances.firstIndex { $0.datasetID == instance.datasetID }
        let new = stamped(instance, since: place.map { instances[$0] }, now)
        if let place { instances[place] = new } else { instances.append(new) }
        entity.attributes[name] = instances
    }

    private static func remove(_ name: IRI, _ dataset: IRI?, from entity: inout Entity) {
        let rest = (entity.attributes[name] ?? []).filter { $0.datasetID != dataset }
        entity.attributes[name] = rest.isEmpty ? nil : rest
    }

    private static func stamped(_ instance: Attribute, since old: Attribute?, _ now: Instant) -> Attribute {
        var new = instance
        (new.createdAt, new.modifiedAt) = (old?.createdAt ?? now, now)
        return new
    }

    private mutating func note(_ operation: Change.Operation, _ entity: Entity, _ attributes: Set<IRI>, _ now: Instant) {
        let isWatched = operation != .updated || !attributes.isEmpty
        journal.append(Row(operation: operation, at: now, id: entity.id, type: entity.types.first, attributes: attributes, isWatched: isWatched))
    }
}

extension Entity {
    /// Without what has expired; nil when it has itself.
    func living(at now: Instant) -> Entity? {
        guard expiresAt.map({ $0 > now }) ?? true else { return nil }
        var entity = self
        for (name, instances) in attributes {
            let rest = instances.filter { $0.expiresAt.map { $0 > now } ?? true }
            entity.attributes[name] = rest.isEmpty ? nil : rest
        }
        return entity
    }

    fileprivate var firstExpiry: Instant? { ([expiresAt] + attributes.values.joined().map(\.expiresAt)).compactMap(\.self).min() }
}
