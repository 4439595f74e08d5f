internal import CityModel
internal import OrderedCollections
internal import Store
internal import Trust

/// Writes what was gathered. Others may have written since: of the current state the later observation stays, whoever made it;
/// and where the past was written to, instances are recorded one by one instead of as planned.
struct BulkWriting: Sendable {
    let file: MunicipalityFile
    let access: WriteAccess
    let recording: Recording
    let policy: SealingPolicy
    let now: Instant
    /// How long one write goes on; then others have their turn.
    let turn: Duration

    /// Of what is planned together: entities, and values that are packed.
    private static let targetCountMax = 250, packedCountMax = 1 << 16
    /// Rows between two looks at the clock.
    private static let rowCountBetweenLooks = 32

    /// An entity with the number of its history; nil when it had none when that was looked for.
    private struct Numbered: Sendable {
        let target: Recording.Target
        let number: Int64?
    }

    /// A run of an entity with what becomes of it.
    private struct PlannedRun: Sendable {
        let run: InstanceRun
        let plan: RunPlan
    }

    /// Rows that are still to be written.
    private struct Rows: Sendable {
        let run: InstanceRun
        let entity: Int64
        var entries: ArraySlice<Int>
        /// Whether nothing is recorded of their moments.
        let areAlone: Bool
    }

    func write() async throws -> [RecordingOutcome] {
        let ids = recording.targets.map(\.id)
        let numbers = try await file.read { snapshot in
            try ids.reduce(into: [:]) { numbers, id in numbers[id] = try snapshot.storedEntity(id)?.number ?? snapshot.historicEntity(id, .special)?.number }
        }
        let watch = try await file.watchHistory(of: Set(numbers.values), before: policy.before)
        var tags: [Int] = []
        var rest = recording.targets[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.prefixCount(of: rest))
            rest = rest.dropFirst(part.count)
            tags += try await write(part.map { Numbered(target: $0, number: numbers[$0.id]) }, watch)
        }
        return recording.outcomes(recorded: tags)
    }

    private static func prefixCount(of targets: ArraySlice<Recording.Target>) -> Int {
        var (count, keptCount) = (0, 0)
        for target in targets.prefix(targetCountMax) {
            keptCount += target.runs.reduce(0) { $0 + $1.count }
            guard count == 0 || keptCount <= packedCountMax else { break }
            count += 1
        }
        return count
    }

    private func write(_ targets: [Numbered], _ watch: HistoryWatch) async throws -> [Int] {
        let (policy, recording, now) = (policy, recording, now)
        let planned = try await file.read { snapshot in
            try targets.map { target in
                try target.target.wholeRuns(since: recording.now).map {
                    PlannedRun(run: $0, plan: try snapshot.plan($0, of: target.number, policy, .lastStays, at: now))
                }
            }
        }
        var (tags, rows, rest) = ([Int](), [Rows](), zip(targets, planned).map { $0 }[...])
        while !rest.isEmpty {
            let (waiting, turn, access) = (rest, turn, access)
            let settled = try await file.write { transaction in
                transaction.watch = watch
                let settled = try Self.settle(waiting, until: .now + turn, recording, watch, transaction, at: now)
                try transaction.recordReleases(run: recording.provenance.run, access, at: now)
                return settled
            }
            tags += settled.tags
            rows += settled.rows
            rest = rest.dropFirst(settled.count)
        }
        while !rows.isEmpty {
            let (waiting, turn) = (rows, turn)
            let written = try await file.write { transaction in
                transaction.watch = watch
                return try Self.record(waiting, until: .now + turn, watch, transaction, at: now)
            }
            tags += written.tags
            rows = written.rest
        }
        return tags
    }

    /// Settles entities, one at least, until a moment.
    private static func settle(
        _ targets: ArraySlice<(Numbered, [PlannedRun])>, until end: ContinuousClock.Instant, _ recording: Recording, _ watch: HistoryWatch,
        _ transaction: WriteTransaction, at now: Instant
    ) throws -> (tags: [Int], rows: [Rows], count: Int) {
        var (tags, rows, count) = ([Int](), [Rows](), 0)
        for (target, runs) in targets {
            guard count == 0 || ContinuousClock.now < end else { break }
            let (number, isAsPlanned) = try transaction.settle(target.target, target.number, runs.map { ($0.run, $0.plan) }, recording, watch, at: now)
            for planned in runs { rows += Self.rows(planned, number, isAsPlanned: isAsPlanned) }
            if isAsPlanned { tags += runs.flatMap(\.plan.newTags) }
            count += 1
        }
        return (tags, rows, count)
    }

    private static func rows(_ planned: PlannedRun, _ number: Int64, isAsPlanned: Bool) -> [Rows] {
        guard isAsPlanned else { return [Rows(run: planned.run, entity: number, entries: planned.run.others[...], areAlone: false)] }
        return [
            Rows(run: planned.run, entity: number, entries: planned.plan.plain[...], areAlone: true),
            Rows(run: planned.run, entity: number, entries: planned.plan.left[...], areAlone: false),
        ].filter { !$0.entries.isEmpty }
    }

    /// Records rows, some at least, until a moment.
    private static func record(
        _ rows: [Rows], until end: ContinuousClock.Instant, _ watch: HistoryWatch, _ transaction: WriteTransaction, at now: Instant
    ) throws -> (tags: [Int], rest: [Rows]) {
        var (tags, rest, used) = ([Int](), rows, 0)
        repeat {
            let part = rest[used].entries.prefix(rowCountBetweenLooks)
            tags += try record(part, of: rest[used], watch, transaction, at: now)
            rest[used].entries = rest[used].entries.dropFirst(part.count)
            if rest[used].entries.isEmpty { used += 1 }
        } while used < rest.count && ContinuousClock.now < end
        return (tags, Array(rest.dropFirst(used)))
    }

    private static func record(
        _ entries: ArraySlice<Int>, of rows: Rows, _ watch: HistoryWatch, _ transaction: WriteTransaction, at now: Instant
    ) throws -> [Int] {
        guard rows.areAlone, watch.isUntouched(rows.entity) else { return try transaction.record(entries, of: rows.run, rows.entity, at: now) }
        try transaction.recordAlone(entries, of: rows.run, rows.entity, at: now)
        return []
    }
}

extension Recording.Target {
    /// The instances that were taken since the entity was found.
    fileprivate func fresh(since moment: Instant) -> [(name: IRI, instance: Attribute)] {
        entity.attributes.flatMap { name, instances in instances.filter { $0.modifiedAt == moment }.map { (name, $0) } }
    }

    /// The entity as it is written.
    fileprivate func written(since moment: Instant, at now: Instant) -> Entity {
        var written = entity
        for (place, instances) in entity.attributes.values.enumerated() {
            written.attributes.values[place] = instances.map { instance in
                guard instance.modifiedAt == moment else { return instance }
                var instance = instance
                instance.modifiedAt = now
                if instance.createdAt == moment { instance.createdAt = now }
                return instance
            }
        }
        written.modifiedAt = now
        return written
    }

    /// The runs, with those instances at their end.
    fileprivate func wholeRuns(since moment: Instant) -> [InstanceRun] {
        var runs = runs
        // The times of what belongs to an attribute are set with the entity's.
        for (name, instance) in fresh(since: moment) where instance.subattributes.isEmpty {
            // What the entity said before it said something else is no news to its history.
            if let known = original.instance(of: name, datasetID: instance.datasetID), known.hasSameContent(as: instance) { continue }
            guard let place = runs.firstIndex(where: { $0.name == name && $0.datasetID == instance.datasetID }) else { continue }
            runs[place].append(instance, classification, tag: InstanceRun.currentTag)
        }
        return runs
    }
}

extension WriteTransaction {
    /// Gives an entity its new state and packs of its past what is planned.
    /// - Parameter planned: the number for which the plans were made.
    /// - Returns: its number, and whether everything is still as it was then.
    fileprivate func settle(
        _ target: Recording.Target, _ planned: Int64?, _ runs: [(run: InstanceRun, plan: RunPlan)], _ recording: Recording, _ watch: HistoryWatch, at now: Instant
    ) throws -> (number: Int64, isAsPlanned: Bool) {
        let stored = try storedEntity(target.id)
        let known = try stored?.number ?? historicEntity(target.id, .special)?.number
        let isAsPlanned = known == planned && known.map(watch.isUntouched) ?? true
        let packed = isAsPlanned ? Set(runs.filter(\.plan.packsCurrent).map { SeriesName(attribute: $0.run.name, datasetID: $0.run.datasetID) }) : []
        let number: Int64
        if let known, stored != nil || !target.isChanged {
            number = known
        } else {
            var entity = Entity(id: target.id, types: target.entity.types, scopes: target.entity.scopes)
            for (name, instance) in target.fresh(since: recording.now) { entity.attributes[name, default: []].append(instance) }
            number = try insertNumbered(entity.created(at: now), provenance: recording.provenance, recorded: packed, at: now)
        }
        if planned == nil, isAsPlanned { watch.add(number) }
        if isAsPlanned { for (run, plan) in runs { try pack(plan, of: run, number) } }
        if let stored, target.isChanged { try renew(stored, target, packed, recording, at: now) }
        return (number, isAsPlanned)
    }

    /// Takes over what was observed of an entity that is there.
    private func renew(
        _ stored: StoredEntity, _ target: Recording.Target, _ packed: Set<SeriesName>, _ recording: Recording, at now: Instant
    ) throws {
        if stored.version == target.stored?.version {
            let written = target.written(since: recording.now, at: now)
            return try update(stored, from: target.original, to: written, provenance: recording.provenance, recorded: packed, at: now)
        }
        let original = try entity(stored)
        var (entity, past) = (original, [(IRI, Attribute)]())
        var isChanged = target.hasNewFrame && entity.takeFrame(types: target.entity.types, scopes: target.entity.scopes)
        if let classification = recording.provenance.classification, classification != stored.classification { isChanged = true }
        for (name, instance) in target.fresh(since: recording.now) {
            switch entity.take(instance, name, at: now) {
            case .unchanged: break
            case .current: isChanged = true
            // Somebody else told of a later one meanwhile.
            case .historic where !packed.contains(SeriesName(attribute: name, datasetID: instance.datasetID)): past.append((name, instance))
            case .historic: break
            }
        }
        if isChanged {
            entity.modifiedAt = now
            try update(stored, from: original, to: entity, provenance: recording.provenance, recorded: packed, at: now)
        }
        for (name, instance) in past { try appendHistory(instance, name: name, of: stored.number, target.classification, at: now) }
    }
}
