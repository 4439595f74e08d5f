internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Series
internal import Store

/// Aggregates of an entity's series (clause 4.5.19), each read once and kept nowhere.
struct EvolutionAggregating {
    let snapshot: ReadSnapshot
    let request: AggregationRequest
    let limits: EvolutionLimits
    let window: HistoryWindow

    /// Periods begin where the temporal query does, else with the entity's first instance; those without values are left out.
    /// - Parameter requested: attributes that were named: it is an error when no method applies to one (clause 5.7.4.4).
    func aggregates(
        of entity: HistoricEntity, _ series: [Series], requested: [IRI]
    ) throws -> (aggregates: OrderedDictionary<IRI, [AggregatedAttribute]>, dropped: DroppedTimes) {
        var dropped = DroppedTimes()
        var aggregates: OrderedDictionary<IRI, [AggregatedAttribute]> = [:]
        guard let range = try range(of: entity, series) else { return ([:], dropped) }
        for series in series {
            guard let (kind, methods, isMissing) = try methods(of: entity, series, range, &dropped) else { continue }
            guard !methods.isEmpty else {
                guard isMissing || !requested.contains(series.attribute) else {
                    throw CityError.invalidRequest("aggrMethods: none of them applies to the values of \(series.attribute)")
                }
                continue
            }
            aggregates[series.attribute, default: []].append(
                AggregatedAttribute(kind: kind, datasetID: series.datasetID, methods: methods))
        }
        return (aggregates, dropped)
    }

    /// Whether one of the methods applies to a value of the series.
    func hasResult(_ entity: HistoricEntity, _ series: Series) throws -> Bool {
        var found = false
        try snapshot.visitRecords(of: entity.number, series, window) { record in
            guard record.deletedAt == nil else { return true }
            var alone = Aggregation(countsDistinct: request.methods.contains(.distinctCount))
            try alone.add(record.attribute.value, kind: record.attribute.kind)
            found = request.methods.contains { alone.result($0) != nil }
            return !found
        }
        guard !found, let range = try range(of: entity, [series]) else { return found }
        let kept = try snapshot.keptSummaries(of: entity.number, series, window)
        var periods = PeriodFilling(request, range, limits, kept: kept)
        return try periods.finished().map { !$0.1.isEmpty } ?? false
    }

    /// The time range of the query, or of the instances where it is open.
    private func range(of entity: HistoricEntity, _ series: [Series]) throws -> ClosedRange<Instant>? {
        let (from, to) = (window.temporal?.lowerBound, window.temporal?.upperBound)
        if let from, let to { return from...max(from, to) }
        var (first, last): (Instant?, Instant?)
        for isBackwards in [false, true] {
            var outermost = window
            outermost.isBackwards = isBackwards
            for series in series {
                try snapshot.visitRecords(of: entity.number, series, outermost, limit: 1) { record in
                    if isBackwards { last = max(last ?? record.time, record.time) } else { first = min(first ?? record.time, record.time) }
                    return false
                }
            }
        }
        for series in series {
            for (kept, _) in try snapshot.keptSummaries(of: entity.number, series, window) {
                (first, last) = (min(first ?? kept.first, kept.first), max(last ?? kept.last, kept.last))
            }
        }
        guard let first, let last else { return nil }
        let start = from ?? first
        return start...max(start, to ?? last)
    }

    /// Summaries tell of when numbers were observed, and not of when they were recorded.
    private var isByRecording: Bool {
        switch window.temporal?.property {
        case .createdAt?, .modifiedAt?: true
        case .observedAt?, .deletedAt?, nil: false
        }
    }

    /// Nil when the series has no values within the window. What is missing is left out of the periods.
    private func methods(
        of entity: HistoricEntity, _ series: Series, _ range: ClosedRange<Instant>, _ dropped: inout DroppedTimes
    ) throws -> (kind: AttributeKind, methods: OrderedDictionary<String, AggregatedPeriods>, isMissing: Bool)? {
        let kept = try snapshot.keptSummaries(of: entity.number, series, window)
        var periods = PeriodFilling(request, range, limits, kept: kept)
        for (times, kept) in periods.missing { dropped.add(series.attribute, times, kept) }
        // Of numbers that are gone with a summary it stands there; of all else there is nothing.
        for span in try snapshot.thinnedSpans(of: entity.number, series, window) where span.kept == .nothing || isByRecording {
            dropped.add(series.attribute, span.times, span.kept)
        }
        var forwards = window
        forwards.isBackwards = false
        func add(_ record: RecordedInstance) throws -> Bool {
            if record.deletedAt == nil { try periods.add(record.attribute, at: record.time) }
            return true
        }
        // Distinct values are counted one by one.
        if request.methods.contains(.distinctCount) {
            try snapshot.visitRecords(of: entity.number, series, forwards) { try add($0) }
        } else {
            try snapshot.visitSpans(of: entity.number, series, forwards, isWhole: { periods.holdsTogether($0, $1) }) { span in
                switch span {
                case .record(let record): return try add(record)
                case .numbers(let times, let numbers): try periods.add(numbers, at: times)
                case .measures(let measures, let first, _): try periods.add(measures, at: first)
                }
                return true
            }
        }
        let isMissing = !periods.missing.isEmpty
        return try periods.finished().map { ($0, $1, isMissing) }
    }
}
