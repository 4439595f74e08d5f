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

    private(set) var entities: [IRI: Entity] = [:]
    private(set) var history: [IRI: [SeriesName: [Record]]] = [:]
    /// Entities that are gone, or never were, and have a history.
    private(set) var pasts: Set<IRI> = []
    private(set) var journal: [Row] = []
    let retention: ModelRetention
    /// What was recorded and corrected or erased of entities whose history is thinned: it counts for what could be thinned then.
    private(set) var erased: [IRI: [SeriesName: [Record]]] = [:]
    /// Entities that a source with a rule made.
    private(set) var ruled: Set<IRI> = []
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
        guard entities[id]?.instance(of: name, datasetID: dataset) != nil else { return false }
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

// MARK: History

extension ModelCity {
    private mutating func record(since old: Entity?, _ new: Entity, _ now: Instant) {
        // With what was to last for a while, and has expired, goes what was recorded of it.
        for (name, instances) in old?.attributes ?? [:] {
            for instance in instances where instance.expiresAt.map({ $0 <= now }) ?? false {
                forget(new.id, SeriesName(attribute: name, datasetID: instance.datasetID)) { $0.expiresAt != nil }
            }
        }
        for (name, instances) in new.attributes {
            for instance in instances {
                let known = old?.instance(of: name, datasetID: instance.datasetID)
                // Said again of the same moment it is the same observation.
                let isSaid = known?.value == instance.value && known?.observedAt == instance.observedAt && known?.expiresAt == instance.expiresAt
                if known != instance, !(isSaid && instance.observedAt != nil) {
                    insert(Self.record(of: instance, now), new.id, SeriesName(attribute: name, datasetID: instance.datasetID), mayBeLate: true)
                }
            }
        }
        for (name, instances) in old?.attributes ?? [:] {
            for instance in instances where new.instance(of: name, datasetID: instance.datasetID) == nil {
                insert(Record(at: now.microseconds, late: 0), new.id, SeriesName(attribute: name, datasetID: instance.datasetID))
            }
        }
    }

    private static func record(of instance: Attribute, _ now: Instant) -> Record {
        let at = (instance.observedAt ?? now).microseconds
        return Record(at: at, late: now.microseconds - at, isObserved: instance.observedAt != nil, value: instance.value, expiresAt: instance.expiresAt)
    }

    /// Where another record stands, it is put a microsecond later.
    private mutating func insert(_ record: Record, _ id: IRI, _ series: SeriesName, mayBeLate: Bool = false) {
        var (record, records) = (record, history[id]?[series] ?? [])
        record.isUnsure = mayBeLate && mayBeClosed(record, id, series)
        while records.contains(where: { $0.at == record.at && $0.late == record.late }) {
            if record.isObserved { record.late += 1 } else { record.at += 1 }
        }
        records.append(record)
        records.sort { ($0.at, $0.late) < ($1.at, $1.late) }
        history[id, default: [:]][series] = records
    }

    private mutating func forget(_ id: IRI, _ series: SeriesName, _ isGone: (Record) -> Bool) {
        guard let records = history[id]?[series] else { return }
        let rest = records.filter { !isGone($0) }
        history[id]?[series] = rest.isEmpty ? nil : rest
        if ModelDraw.isAging(id) { erased[id, default: [:]][series, default: []] += records.filter(isGone) }
    }

    private mutating func addHistory(_ instances: [Attribute], _ name: IRI, to id: IRI, _ one: ModelRun.Asked) -> ModelResult {
        func series(_ instance: Attribute) -> SeriesName { SeriesName(attribute: name, datasetID: instance.datasetID) }
        if one.result == .refused, instances.contains(where: { mayBeClosed(Self.record(of: $0, one.now), id, series($0)) }) { return .refused }
        let isNew = entities[id] == nil && pasts.insert(id).inserted
        var unobservedCount: Int64 = 0
        for instance in instances {
            let now = Instant(microseconds: one.now.microseconds + unobservedCount)
            if instance.observedAt == nil { unobservedCount += 1 }
            let place = history[id]?[series(instance)]?.lastIndex { $0.isObserved && $0.at == instance.observedAt?.microseconds }
            guard let place else {
                insert(Self.record(of: instance, now), id, series(instance))
                continue
            }
            // An observation of a moment that has one corrects it; so it is there.
            history[id]?[series(instance)]?[place].isUnsure = false
            guard history[id]?[series(instance)]?[place].value != instance.value else { continue }
            history[id]?[series(instance)]?[place].value = instance.value
            history[id]?[series(instance)]?[place].modifiedAt = now.microseconds
        }
        return .began(isNew)
    }

    /// - Parameter instance: what is put in its place.
    private mutating func editInstance(of id: IRI, _ name: IRI, _ pick: Int, with instance: Attribute?, _ one: ModelRun.Asked) -> Bool {
        let series = SeriesName(attribute: name, datasetID: nil)
        let records = history[id]?[series] ?? []
        var old = records.isEmpty ? nil : records[pick % records.count]
        if ModelDraw.isAging(id) {
            // What was picked was there then.
            old = one.picked.flatMap { picked in records.first { $0.at == picked.at && $0.recordedAt == picked.recordedAt } }
            let new = old.flatMap { old in instance.map { Self.record(of: $0, Instant(microseconds: old.recordedAt)) } }
            let mayMove = new.map { !mayBeClosed($0, id, series) } ?? true
            if one.result == .refused, !mayMove || old.map({ mayBeThinned($0, id) }) ?? records.allSatisfy({ mayBeThinned($0, id) }) { return false }
        }
        guard let old else { return false }
        forget(id, series) { $0 == old }
        if let instance {
            var new = Self.record(of: instance, Instant(microseconds: old.recordedAt))
            new.modifiedAt = one.now.microseconds
            insert(new, id, series)
        }
        return true
    }

    private mutating func eraseSeries(_ name: IRI, of id: IRI, _ one: ModelRun.Asked) -> Bool {
        let doomed = Set([history, erased].flatMap { ($0[id] ?? [:]).keys }).filter { $0.attribute == name }
        let isThere = doomed.contains { series in isSurelyKnown(history[id]?[series] ?? []) }
        guard isThere || !doomed.isEmpty && one.result == .done else { return false }
        for series in doomed {
            history[id]?[series] = nil
            erased[id]?[series] = nil
        }
        return true
    }

    private mutating func eraseHistory(of id: IRI, _ one: ModelRun.Asked) -> Bool {
        let all = history[id] ?? [:], isThere = pasts.contains(id) || all.values.contains(where: isSurelyKnown)
        guard isThere || !(all.isEmpty && (erased[id] ?? [:]).isEmpty) && one.result == .done else { return false }
        (history[id], erased[id]) = (nil, nil)
        if pasts.remove(id) != nil { ruled.remove(id) }
        return true
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
