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
    }

    /// One line of the journal.
    struct Row: Hashable {
        let operation: Change.Operation
        let at: Instant
        let id: IRI
        var attributes: Set<IRI> = []
        /// Whether a subscription wants it.
        let isWatched: Bool
    }

    private(set) var entities: [IRI: Entity] = [:]
    private(set) var history: [IRI: [SeriesName: [Record]]] = [:]
    /// Entities that are gone, or never were, and have a history.
    private(set) var pasts: Set<IRI> = []
    private(set) var journal: [Row] = []

    /// What an operation would add to the journal, and what it would answer.
    func trying(_ operation: ModelOperation, at now: Instant) -> (result: ModelResult, rows: [Row]) {
        var city = self
        let result = city.perform(operation, at: now)
        return (result, Array(city.journal[journal.count...]))
    }
}

// MARK: What becomes of an operation

extension ModelCity {
    mutating func perform(_ operation: ModelOperation, at now: Instant) -> ModelResult {
        switch operation {
        case .create(let entity, _): create(entity, now) ? .done : .refused
        case .replace(let entity): edit(entity.id, now) { $0 = Self.replaced($0, by: entity, now) } ? .done : .refused
        case .append(let change, let id, let overwriting): append(change, to: id, overwriting, now).map { .partly($0) } ?? .refused
        case .update(let change, let id): edit(id, now) { Self.update(&$0, change, now) } ? .done : .refused
        case .merge(let change, let id): edit(id, now) { Self.merge(&$0, change, now) } ? .done : .refused
        case .deleteAttribute(let name, let id, let dataset): deleteAttribute(name, of: id, dataset, now) ? .done : .refused
        case .delete(let id): delete(id, now) ? .done : .refused
        case .batch(let kind, let entries): batch(kind, entries, now)
        case .addHistory(let id, let name, let instances): addHistory(instances, name, to: id, now)
        case .deleteInstance(let id, let name, let pick): editInstance(of: id, name, pick) { _ in nil } ? .done : .refused
        case .replaceInstance(let id, let name, let pick, let instance): replaceInstance(of: id, name, pick, with: instance, now) ? .done : .refused
        case .eraseSeries(let id, let name): eraseSeries(name, of: id) ? .done : .refused
        case .eraseHistory(let id): eraseHistory(of: id) ? .done : .refused
        case .failing: .refused
        }
    }

    private mutating func batch(_ kind: ModelOperation.Batch, _ entries: [ModelOperation.Entry], _ now: Instant) -> ModelResult {
        var (created, changed, errors) = ([IRI](), [IRI](), [IRI]())
        for entry in entries {
            let change = ModelChange(entry.entity.attributes)
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
        guard entities[entity.id] == nil else { return false }
        var new = entity
        (new.createdAt, new.modifiedAt) = (now, now)
        for (name, instances) in entity.attributes { new.attributes[name] = instances.map { Self.stamped($0, since: nil, now) } }
        pasts.remove(entity.id)
        entities[entity.id] = new
        record(since: nil, new, now)
        note(.created, new, Set(new.attributes.keys), now)
        return true
    }

    private mutating func edit(_ id: IRI, _ now: Instant, _ body: (inout Entity) -> Void) -> Bool {
        guard let old = entities[id] else { return false }
        var new = old
        body(&new)
        new.modifiedAt = now
        entities[id] = new
        let changed = Set(old.attributes.keys).union(new.attributes.keys).filter { old.attributes[$0] ?? [] != new.attributes[$0] ?? [] }
        record(since: old, new, now)
        note(.updated, new, changed, now)
        return true
    }

    private mutating func delete(_ id: IRI, _ now: Instant) -> Bool {
        guard let old = entities.removeValue(forKey: id) else { return false }
        record(since: old, Entity(id: id, types: old.types), now)
        pasts.insert(id)
        note(.deleted, old, [], now)
        return true
    }

    /// - Returns: what was left as it was; nil without such an entity.
    private mutating func append(_ change: ModelChange, to id: IRI, _ overwriting: Bool, _ now: Instant) -> [IRI]? {
        var left: [IRI] = []
        let isThere = edit(id, now) { entity in
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
        for (name, instance) in change.each {
            if instance.isNull { remove(name, instance.datasetID, from: &entity) } else { put(instance, name, in: &entity, now) }
        }
    }

    private static func merge(_ entity: inout Entity, _ change: ModelChange, _ now: Instant) {
        for (name, instance) in change.each {
            guard !instance.isNull else {
                remove(name, instance.datasetID, from: &entity)
                continue
            }
            let old = entity.instance(of: name, datasetID: instance.datasetID)
            var new = instance
            new.value = patched(old?.value, with: instance.value)
            new.observedAt = instance.observedAt ?? old?.observedAt
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
        let isWatched = entity.types == [ModelOperation.watchedType] && (operation != .updated || !attributes.isEmpty)
        journal.append(Row(operation: operation, at: now, id: entity.id, attributes: attributes, isWatched: isWatched))
    }
}

// MARK: History

extension ModelCity {
    private mutating func record(since old: Entity?, _ new: Entity, _ now: Instant) {
        for (name, instances) in new.attributes {
            for instance in instances {
                let known = old?.instance(of: name, datasetID: instance.datasetID)
                // Said again of the same moment it is the same observation.
                let isRepeated = instance.observedAt != nil && known?.value == instance.value && known?.observedAt == instance.observedAt
                if known != instance, !isRepeated { insert(Self.record(of: instance, now), new.id, SeriesName(attribute: name, datasetID: instance.datasetID)) }
            }
        }
        for (name, instances) in old?.attributes ?? [:] {
            for instance in instances where new.instance(of: name, datasetID: instance.datasetID) == nil {
                insert(Record(at: now.microseconds, late: 0), new.id, SeriesName(attribute: name, datasetID: instance.datasetID))
            }
        }
    }

    private static func record(of instance: Attribute, _ now: Instant) -> Record {
        let at = instance.observedAt ?? now
        return Record(at: at.microseconds, late: now.microseconds - at.microseconds, isObserved: instance.observedAt != nil, value: instance.value)
    }

    /// Where another record stands, it is put a microsecond later.
    private mutating func insert(_ record: Record, _ id: IRI, _ series: SeriesName) {
        var (record, records) = (record, history[id]?[series] ?? [])
        while records.contains(where: { $0.at == record.at && $0.late == record.late }) {
            if record.isObserved { record.late += 1 } else { record.at += 1 }
        }
        records.append(record)
        records.sort { ($0.at, $0.late) < ($1.at, $1.late) }
        history[id, default: [:]][series] = records
    }

    private mutating func addHistory(_ instances: [Attribute], _ name: IRI, to id: IRI, _ now: Instant) -> ModelResult {
        let isNew = entities[id] == nil && pasts.insert(id).inserted
        var unobservedCount: Int64 = 0
        for instance in instances {
            let series = SeriesName(attribute: name, datasetID: instance.datasetID)
            let now = Instant(microseconds: now.microseconds + unobservedCount)
            if instance.observedAt == nil { unobservedCount += 1 }
            let place = history[id]?[series]?.lastIndex { $0.isObserved && $0.at == instance.observedAt?.microseconds }
            guard let place else {
                insert(Self.record(of: instance, now), id, series)
                continue
            }
            // An observation of a moment that has one corrects it.
            guard history[id]?[series]?[place].value != instance.value else { continue }
            history[id]?[series]?[place].value = instance.value
            history[id]?[series]?[place].modifiedAt = now.microseconds
        }
        return .began(isNew)
    }

    private mutating func editInstance(of id: IRI, _ name: IRI, _ pick: Int, _ body: (Record) -> Record?) -> Bool {
        let series = SeriesName(attribute: name, datasetID: nil)
        guard var records = history[id]?[series], !records.isEmpty else { return false }
        let gone = records.remove(at: pick % records.count)
        history[id]?[series] = records.isEmpty ? nil : records
        if let new = body(gone) { insert(new, id, series) }
        return true
    }

    private mutating func replaceInstance(of id: IRI, _ name: IRI, _ pick: Int, with instance: Attribute, _ now: Instant) -> Bool {
        editInstance(of: id, name, pick) { gone in
            var new = Self.record(of: instance, Instant(microseconds: gone.at + gone.late))
            new.modifiedAt = now.microseconds
            return new
        }
    }

    private mutating func eraseSeries(_ name: IRI, of id: IRI) -> Bool {
        let doomed = (history[id] ?? [:]).keys.filter { $0.attribute == name }
        for series in doomed { history[id]?[series] = nil }
        return !doomed.isEmpty
    }

    private mutating func eraseHistory(of id: IRI) -> Bool {
        guard pasts.contains(id) || !(history[id] ?? [:]).isEmpty else { return false }
        pasts.remove(id)
        history[id] = nil
        return true
    }
}
