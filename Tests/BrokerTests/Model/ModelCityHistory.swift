import CityModel
import OrderedCollections
import Store

/// What an operation makes of history.
extension ModelCity {
    mutating func record(since old: Entity?, _ new: Entity, _ now: Instant) {
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
    mutating func insert(_ record: Record, _ id: IRI, _ series: SeriesName, mayBeLate: Bool = false) {
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

    mutating func addHistory(_ instances: [Attribute], _ name: IRI, to id: IRI, _ one: ModelRun.Asked) -> ModelResult {
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
    mutating func editInstance(of id: IRI, _ name: IRI, _ pick: Int, with instance: Attribute?, _ one: ModelRun.Asked) -> Bool {
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

    mutating func eraseSeries(_ name: IRI, of id: IRI, _ one: ModelRun.Asked) -> Bool {
        let doomed = Set([history, erased].flatMap { ($0[id] ?? [:]).keys }).filter { $0.attribute == name }
        let isThere = doomed.contains { series in isSurelyKnown(history[id]?[series] ?? []) }
        guard isThere || !doomed.isEmpty && one.result == .done else { return false }
        for series in doomed {
            history[id]?[series] = nil
            erased[id]?[series] = nil
        }
        return true
    }

    mutating func eraseHistory(of id: IRI, _ one: ModelRun.Asked) -> Bool {
        let all = history[id] ?? [:], isThere = pasts.contains(id) || all.values.contains(where: isSurelyKnown)
        guard isThere || !(all.isEmpty && (erased[id] ?? [:]).isEmpty) && one.result == .done else { return false }
        (history[id], erased[id]) = (nil, nil)
        if pasts.remove(id) != nil { ruled.remove(id) }
        return true
    }
}
