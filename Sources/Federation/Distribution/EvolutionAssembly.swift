internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query

/// Makes the answer of evolutions that were put together: what was asked for of them, the last instances, aggregates, as much as
/// one answer holds. All of that is said of the whole and not of what each source has (clauses 5.7.3.4 and 5.7.4.4).
struct EvolutionAssembly {
    let selection: EvolutionSelection
    let limits: EvolutionLimits
    /// The moments at which answers of sources end that have more.
    var ends: [Instant] = []
    /// What would have needed more than is kept here.
    var dropped: [DroppedTime] = []

    private var isBackwards: Bool { selection.lastN != nil }

    /// - Throws: `tooComplexQuery` when aggregates would lack something, `invalidRequest` when none applies.
    func page(_ entities: [TemporalEntity]) throws(CityError) -> EvolutionPage {
        if selection.aggregation != nil, !ends.isEmpty {
            throw .tooComplexQuery("aggrMethods: a source has more instances than it answers at once; narrow the interval")
        }
        let wanted = entities.map(self.wanted)
        var page = EvolutionPage(visitedCount: entities.count)
        page.dropped = dropped
        if let aggregation = selection.aggregation {
            for entity in wanted {
                let aggregates = try aggregates(of: entity, aggregation)
                if !isEmpty(attributeCount: aggregates.count, entity) { page.entities.append(entity.with(.aggregates(aggregates))) }
            }
            return page
        }
        let cut = cut(wanted)
        page.isPartial = cut != nil
        for entity in wanted where !isEmpty(attributeCount: entity.instances.count, entity) {
            let kept = entity.instances.mapValues { instances in instances.filter { isWithin(cut, $0.time) } }
            for time in kept.values.joined().map(\.time) {
                page.times = page.times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
            }
            page.entities.append(entity.with(.instances(kept)))
        }
        return page
    }

    /// Whether `page` will have something to answer of an evolution.
    func answers(_ entity: TemporalEntity) throws(CityError) -> Bool {
        let wanted = wanted(entity)
        guard let aggregation = selection.aggregation else { return !isEmpty(attributeCount: wanted.instances.count, wanted) }
        return try !isEmpty(attributeCount: aggregates(of: wanted, aggregation).count, wanted)
    }

    /// Attributes and instances that were asked for, oldest first, of each series the last.
    private func wanted(_ entity: TemporalEntity) -> TemporalEntity {
        var attributes: OrderedDictionary<IRI, [TemporalInstance]> = [:]
        for (name, all) in entity.instances where selection.projection.keeps(name) {
            var kept: [TemporalInstance] = []
            for (dataset, instances) in OrderedDictionary(grouping: all, by: \.attribute.datasetID) {
                guard selection.datasets?.datasets.contains(dataset) ?? true else { continue }
                let ordered = instances.sorted { $0.time < $1.time }
                kept += selection.aggregation == nil ? ordered.suffix(selection.lastN ?? .max) : ordered[...]
            }
            if !kept.isEmpty { attributes[name] = kept }
        }
        var wanted = entity.with(.instances(attributes))
        wanted.scopes = selection.projection.keepsScopes ? entity.scopes.sorted { $0.time < $1.time } : []
        return wanted
    }

    /// The last moment that is answered, in the order of reading; nil where everything is (clause 6.3.10).
    private func cut(_ entities: [TemporalEntity]) -> Instant? {
        var cuts = ends
        for instances in entities.flatMap(\.instances.values) {
            for series in OrderedDictionary(grouping: instances, by: \.attribute.datasetID).values where series.count > limits.instanceCountMax {
                // Instances of one moment are answered together, and never only those of the first moment.
                let times = isBackwards ? series.reversed().map(\.time) : series.map(\.time)
                let last = times[limits.instanceCountMax - 1]
                cuts.append(last == times[0] ? times.first { $0 != last } ?? last : last)
            }
        }
        return isBackwards ? cuts.max() : cuts.min()
    }

    private func isWithin(_ cut: Instant?, _ time: Instant) -> Bool { cut.map { isBackwards ? time >= $0 : time <= $0 } ?? true }

    /// Whether nothing is left that was asked for, as it is of what is held here alone.
    private func isEmpty(attributeCount: Int, _ entity: TemporalEntity) -> Bool {
        let projection = selection.projection
        guard attributeCount == 0 else { return false }
        if selection.datasets != nil || projection.isAttributesOnly { return true }
        if projection == .everything, selection.temporal != nil { return entity.scopes.isEmpty }
        return entity.scopes.isEmpty && !projection.keepsID && !projection.keepsTypes
    }

    private func aggregates(
        of entity: TemporalEntity, _ request: AggregationRequest
    ) throws(CityError) -> OrderedDictionary<IRI, [AggregatedAttribute]> {
        let times = entity.instances.values.joined().map(\.time)
        guard let first = times.min(), let last = times.max() else { return [:] }
        let start = selection.temporal?.lowerBound ?? first
        let range = start...max(start, selection.temporal?.upperBound ?? last)
        var aggregates: OrderedDictionary<IRI, [AggregatedAttribute]> = [:]
        for (name, all) in entity.instances {
            for (dataset, instances) in OrderedDictionary(grouping: all.filter { $0.deletedAt == nil }, by: \.attribute.datasetID) {
                var aggregation = PeriodAggregation(request, over: range, limits: limits)
                for instance in instances { try aggregation.add(instance.attribute, at: instance.time) }
                let methods = aggregation.finished()
                guard !methods.isEmpty else {
                    guard !(selection.projection.listedAttributes ?? []).contains(name) else {
                        throw .invalidRequest("aggrMethods: none of them applies to the values of \(name)")
                    }
                    continue
                }
                let kind = instances.last?.attribute.kind ?? .property
                aggregates[name, default: []].append(AggregatedAttribute(kind: kind, datasetID: dataset, methods: methods))
            }
        }
        return aggregates
    }
}

extension TemporalEntity {
    fileprivate func with(_ content: Content) -> TemporalEntity {
        var entity = self
        entity.content = content
        return entity
    }
}
