internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Store
internal import Trust

/// What was packed of a request's instances before the writer took it: those that are old, and enough of one series. It holds as
/// long as nobody writes to the entity's past.
struct EvolutionPlan: Sendable {
    /// That of the entity's history; nil when it had none.
    let number: Int64?
    let classification: Classification
    let watch: HistoryWatch
    let runs: [SeriesName: PlannedRun]

    struct PlannedRun: Sendable {
        let run: InstanceRun
        let plan: RunPlan
    }

    func holds(for entity: HistoricEntity, isNew: Bool) -> Bool {
        guard entity.classification == classification else { return false }
        return isNew ? number == nil : entity.number == number && watch.isUntouched(entity.number)
    }

    /// Records the instances of an attribute that were planned for.
    /// - Returns: the others, in their order.
    func record(
        _ instances: [Attribute], _ name: IRI, to entity: HistoricEntity, _ transaction: WriteTransaction, at now: Instant
    ) throws -> [Attribute] {
        var isDone = [Bool](repeating: false, count: instances.count)
        for planned in runs.filter({ $0.key.attribute == name }).values {
            try transaction.pack(planned.plan, of: planned.run, entity.number)
            try transaction.recordAlone(planned.plan.plain, of: planned.run, entity.number, at: now)
            for place in planned.run.tags { isDone[place] = true }
            for place in planned.run.tags(of: planned.plan.left) { isDone[place] = false }
        }
        return zip(instances, isDone).filter { !$1 }.map(\.0)
    }
}

extension Broker {
    /// Packs what can be packed of instances that are about to be added to an entity's history.
    /// - Returns: nil when there are too few of each series.
    func plan(_ fragment: TemporalFragment, of id: IRI, _ access: WriteAccess, at now: Instant) async throws -> EvolutionPlan? {
        guard let policy = configuration.packing?.policy(at: now) else { return nil }
        let attributes = fragment.attributes.filter { _, instances in
            // Where one has no `observedAt` the others are recorded later by their places.
            instances.count >= policy.rowCountMin && instances.allSatisfy { $0.observedAt != nil }
        }
        guard !attributes.isEmpty else { return nil }
        let file = try file(toWrite: access)
        let entity = try await file.read { try $0.historicEntity(id, access.reading.classificationMax, evenIfEmpty: true) }
        let watch = try await file.watchHistory(of: Set([entity?.number].compactMap(\.self)), before: policy.before)
        let classification = entity?.classification ?? .internalUse
        let runs = attributes.flatMap { name, instances in Self.runs(instances, name, classification) }.filter { $0.count >= policy.rowCountMin }
        let planned = try await file.read { snapshot in
            try runs.map { EvolutionPlan.PlannedRun(run: $0, plan: try snapshot.plan($0, of: entity?.number, policy, .isLeft, at: now)) }
        }
        return EvolutionPlan(
            number: entity?.number, classification: classification, watch: watch,
            runs: Dictionary(uniqueKeysWithValues: planned.map { (SeriesName(attribute: $0.run.name, datasetID: $0.run.datasetID), $0) }))
    }

    /// One for each dataset; the tags are the instances' places.
    private static func runs(_ instances: [Attribute], _ name: IRI, _ classification: Classification) -> [InstanceRun] {
        var runs: OrderedDictionary<IRI?, InstanceRun> = [:]
        for (place, instance) in instances.enumerated() {
            runs[instance.datasetID, default: InstanceRun(name: name, datasetID: instance.datasetID)].append(instance, classification, tag: place)
        }
        return Array(runs.values)
    }
}
