package import CityModel
package import LinkedData
internal import OrderedCollections
package import Query
package import Store
package import Trust

/// What is answered of the temporal evolution of each entity (clauses 5.7.3 and 5.7.4).
package struct EvolutionSelection: Sendable {
    /// Nil answers all instances.
    package var temporal: TemporalQuery?
    /// Only so many of each series, the most recent.
    package var lastN: Int?
    package var projection: Projection
    package var datasets: DatasetSelection?
    package var aggregation: AggregationRequest?

    package init(
        temporal: TemporalQuery?, lastN: Int? = nil, projection: Projection = .everything, datasets: DatasetSelection? = nil,
        aggregation: AggregationRequest? = nil
    ) {
        (self.temporal, self.lastN, self.projection) = (temporal, lastN, projection)
        (self.datasets, self.aggregation) = (datasets, aggregation)
    }
}

/// Which aggregates of which periods (clause 4.5.19).
package struct AggregationRequest: Hashable, Sendable {
    package var methods: [AggregationMethod]
    package var period: PeriodDuration
    package init(methods: [AggregationMethod], period: PeriodDuration) { (self.methods, self.period) = (methods, period) }
}

/// How much of a history one answer may hold.
package struct EvolutionLimits: Sendable {
    /// Instances of one series.
    package var instanceCountMax: Int
    /// Instances after which no further entity is begun.
    package var totalCountMax: Int
    /// Periods of one series that have values.
    package var periodCountMax: Int
    package init(instanceCountMax: Int = 1_000, totalCountMax: Int = 50_000, periodCountMax: Int = 10_000) {
        (self.instanceCountMax, self.totalCountMax, self.periodCountMax) = (instanceCountMax, totalCountMax, periodCountMax)
    }
}

/// Temporal evolutions as they are answered.
package struct EvolutionPage: Sendable {
    package var entities: [TemporalEntity] = []
    /// All matches, when they were asked to be counted.
    package var count: Int?
    /// Matches that the page dealt with; more than `entities` where nothing of some was left.
    package var visitedCount = 0
    package var hasMore = false
    /// Whether there are instances beyond those that are answered, in the order in which they are read.
    package var isPartial = false
    /// The timestamps of the instances that are answered; nil when there are none.
    package var times: ClosedRange<Instant>?
}

extension Broker {
    /// - Throws: `resourceNotFound` when there is no history of the entity, none that may be seen, or nothing of it left.
    package func retrieveEvolution(
        of id: IRI, _ selection: EvolutionSelection, limits: EvolutionLimits, _ access: ReadAccess, at now: Instant
    ) async throws -> EvolutionPage {
        let duration = configuration.searchLimits.duration
        return try await file(toRead: access).read { snapshot in
            guard let entity = try snapshot.historicEntity(id, access.classificationMax) else {
                throw CityError.resourceNotFound("there is no temporal evolution of an entity \(id)")
            }
            var reading = EvolutionReading(
                snapshot: snapshot, selection: selection, limits: limits, duration: duration, now: now, access.classificationMax)
            try reading.read(HistoryMatch(entity: entity))
            let page = reading.page()
            guard !page.entities.isEmpty else {
                throw CityError.resourceNotFound("the temporal evolution of \(id) has nothing of what was asked for")
            }
            return page
        }
    }

    package func queryEvolutions(
        _ filter: EntityFilter, _ selection: EvolutionSelection, order: HistorySearch.Order? = nil, offset: Int, limit: Int,
        wantsCount: Bool, limits: EvolutionLimits, _ access: ReadAccess, at now: Instant
    ) async throws -> EvolutionPage {
        guard let temporal = selection.temporal else { throw CityError.badRequestData("timerel: a temporal query is needed (clause 5.7.4.4)") }
        let search = HistorySearch(
            filter: filter, temporal: temporal, classificationMax: access.classificationMax, order: order, offset: offset, limit: limit,
            wantsCount: wantsCount, now: now,
            limits: SearchLimits(
                duration: configuration.searchLimits.duration, orderedCountMax: configuration.searchLimits.orderedCountMax))
        return try await file(toRead: access).read { snapshot in
            let found = try snapshot.searchHistory(search)
            var reading = EvolutionReading(
                snapshot: snapshot, selection: selection, limits: limits, duration: search.limits.duration, now: now, access.classificationMax)
            for match in found.matches {
                guard !reading.isFull else { break }
                try reading.read(match)
            }
            var page = reading.page()
            page.count = found.count
            page.hasMore = found.hasMore || page.visitedCount < found.matches.count
            return page
        }
    }
}

/// Reads evolutions one after the other and cuts them all at one moment: where a series has more instances than an answer
/// holds, no series is answered beyond the last of them, so that a client can go on from there (clause 6.3.10).
private struct EvolutionReading {
    private typealias Gathered = (
        entity: HistoricEntity, scopes: [RecordedInstance], series: [(series: Series, records: [RecordedInstance])],
        aggregates: OrderedDictionary<IRI, [AggregatedAttribute]>
    )

    private let snapshot: ReadSnapshot
    private let selection: EvolutionSelection
    private let limits: EvolutionLimits
    private let now: Instant
    private let classificationMax: Classification
    private let deadline: ContinuousClock.Instant
    private var gathered: [Gathered] = []
    private var visitedCount = 0
    private var totalCount = 0
    /// The last moment that is answered in the direction of reading; nil where everything is.
    private var cut: Instant?

    /// - Parameter duration: how long aggregating may take.
    init(
        snapshot: ReadSnapshot, selection: EvolutionSelection, limits: EvolutionLimits, duration: Duration, now: Instant,
        _ classificationMax: Classification
    ) {
        (self.snapshot, self.selection, self.limits) = (snapshot, selection, limits)
        (self.now, self.classificationMax) = (now, classificationMax)
        deadline = .now + duration
    }

    var isFull: Bool { totalCount >= limits.totalCountMax }
    private var isBackwards: Bool { selection.lastN != nil }

    mutating func read(_ match: HistoryMatch) throws {
        visitedCount += 1
        let window = HistoryWindow(
            selection.temporal, validity: match.validity, isBackwards: isBackwards, now: now, classificationMax)
        let entity = match.entity
        let scopes = selection.projection.keepsScopes ? try snapshot.scopeRecords(of: entity, window) : []
        let wanted = try snapshot.series(of: entity.number, classificationMax).filter { series in
            selection.projection.keeps(series.attribute) && selection.datasets?.datasets.contains(series.datasetID) ?? true
        }
        if let aggregation = selection.aggregation {
            let aggregating = EvolutionAggregating(snapshot: snapshot, request: aggregation, limits: limits, window: window, deadline: deadline)
            let aggregates = try aggregating.aggregates(of: entity, wanted, requested: selection.projection.listedAttributes ?? [])
            guard !isEmpty(attributeCount: aggregates.count, scopes) else { return }
            gathered.append((entity, scopes, [], aggregates))
            return
        }
        var all: [(series: Series, records: [RecordedInstance])] = []
        for series in wanted {
            let records = try records(of: entity, series, window, seriesCount: wanted.count)
            if !records.isEmpty { all.append((series, records)) }
        }
        guard !isEmpty(attributeCount: all.count, scopes) else { return }
        gathered.append((entity, scopes, all, [:]))
    }

    /// Whether nothing is left that was asked for. What is asked for by its time needs an instance; `attrs` and `datasetId`
    /// need an attribute.
    private func isEmpty(attributeCount: Int, _ scopes: [RecordedInstance]) -> Bool {
        guard attributeCount == 0 else { return false }
        if selection.datasets != nil || selection.projection.isAttributesOnly { return true }
        let hasFrame = selection.projection.keepsID || selection.projection.keepsTypes
        if selection.projection == .everything, selection.temporal != nil { return scopes.isEmpty }
        return scopes.isEmpty && !hasFrame
    }

    private mutating func records(
        of entity: HistoricEntity, _ series: Series, _ window: HistoryWindow, seriesCount: Int
    ) throws -> [RecordedInstance] {
        let countMax = max(1, min(limits.instanceCountMax, limits.totalCountMax / seriesCount))
        let wantedCount = selection.lastN ?? Int.max
        var records: [RecordedInstance] = []
        var hasMore = false
        try snapshot.visitRecords(of: entity.number, series, window, limit: min(wantedCount, countMax + 1)) { record in
            hasMore = records.count == countMax
            if !hasMore { records.append(record) }
            return !hasMore
        }
        if hasMore, let last = records.last?.time { cut = cut.map { isBackwards ? max($0, last) : min($0, last) } ?? last }
        totalCount += records.count
        return records
    }

    func page() -> EvolutionPage {
        var page = EvolutionPage(visitedCount: visitedCount, isPartial: cut != nil)
        for (entity, scopes, series, aggregates) in gathered {
            var attributes: OrderedDictionary<IRI, [TemporalInstance]> = [:]
            for (series, records) in series {
                let kept = records.filter(isWithinCut)
                for time in kept.map(\.time) {
                    page.times = page.times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
                }
                attributes[series.attribute, default: []] += (isBackwards ? kept.reversed() : kept).map(TemporalInstance.init)
            }
            var answered = TemporalEntity(
                id: entity.id, types: entity.types, createdAt: entity.createdAt, modifiedAt: entity.modifiedAt, deletedAt: entity.deletedAt,
                content: selection.aggregation == nil ? .instances(attributes) : .aggregates(aggregates))
            answered.scopes = scopes.map(TemporalInstance.init)
            page.entities.append(answered)
        }
        return page
    }

    private func isWithinCut(_ record: RecordedInstance) -> Bool {
        guard let cut else { return true }
        return isBackwards ? record.time >= cut : record.time <= cut
    }
}

extension TemporalInstance {
    fileprivate init(_ record: RecordedInstance) {
        self.init(attribute: record.attribute, deletedAt: record.deletedAt, time: record.time, instanceID: record.instanceID)
    }
}
