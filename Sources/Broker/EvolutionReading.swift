internal import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store

/// Reads evolutions one after the other and cuts them all at one moment: where a series has more instances than an answer
/// holds, no series is answered beyond the last of them, so that a client can go on from there (clause 6.3.10). Instances of
/// one moment are answered together, and never only those of the first moment: or a client that goes on from the last one
/// would not get on.
struct EvolutionReading {
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
    private var dropped = DroppedTimes()

    /// - Parameter duration: how long reading may take.
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
        let (entity, window) = (match.entity, window(match))
        let scopes = try scopes(of: entity, window)
        let wanted = try wantedSeries(of: entity)
        if let aggregation = selection.aggregation {
            let aggregating = EvolutionAggregating(snapshot: snapshot, request: aggregation, limits: limits, window: window)
            let (aggregates, dropped) = try aggregating.aggregates(of: entity, wanted, requested: selection.projection.listedAttributes ?? [])
            self.dropped.add(dropped.all)
            guard !isEmpty(attributeCount: aggregates.count, scopes) else { return }
            gathered.append((entity, scopes, [], aggregates))
            return
        }
        var all: [(series: Series, records: [RecordedInstance])] = []
        for series in wanted {
            let records = try records(of: entity, series, window, seriesCount: wanted.count)
            if !records.isEmpty { all.append((series, records)) }
            // The most recent are those that were asked for, whatever was before.
            if records.count < selection.lastN ?? .max { try noteDropped(series, of: entity, window) }
        }
        guard !isEmpty(attributeCount: all.count, scopes) else { return }
        gathered.append((entity, scopes, all, [:]))
    }

    private mutating func noteDropped(_ series: Series, of entity: HistoricEntity, _ window: HistoryWindow) throws {
        for span in try snapshot.thinnedSpans(of: entity.number, series, window) { dropped.add(series.attribute, span.times, span.kept) }
    }

    /// Notes what was dropped of an entity of which therefore nothing is answered.
    mutating func noteDropped(_ match: HistoryMatch) throws {
        let window = window(match)
        for series in try wantedSeries(of: match.entity) { try noteDropped(series, of: match.entity, window) }
    }

    /// Whether `read` will find something to be answered of a match.
    func answers(_ match: HistoryMatch) throws -> Bool {
        let (entity, window) = (match.entity, window(match))
        let hasAttribute = try wantedSeries(of: entity).contains { series in
            guard let aggregation = selection.aggregation else { return try snapshot.hasRecord(of: entity.number, series, window) }
            return try EvolutionAggregating(snapshot: snapshot, request: aggregation, limits: limits, window: window).hasResult(entity, series)
        }
        return try hasAttribute || !isEmpty(attributeCount: 0, scopes(of: entity, window))
    }

    private func window(_ match: HistoryMatch) -> HistoryWindow {
        HistoryWindow(
            selection.temporal, validity: match.validity, isBackwards: isBackwards, now: now, classificationMax, deadline: deadline)
    }

    private func scopes(of entity: HistoricEntity, _ window: HistoryWindow) throws -> [RecordedInstance] {
        selection.projection.keepsScopes ? try snapshot.scopeRecords(of: entity, window) : []
    }

    private func wantedSeries(of entity: HistoricEntity) throws -> [Series] {
        try snapshot.series(of: entity.number, classificationMax).filter { series in
            selection.projection.keeps(series.attribute) && selection.datasets?.datasets.contains(series.datasetID) ?? true
        }
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
        let readMax = min(selection.lastN ?? .max, max(limits.totalCountMax, countMax) + 1)
        var records: [RecordedInstance] = []
        var hasMore = false
        try snapshot.visitRecords(of: entity.number, series, window, limit: readMax) { record in
            if records.count >= countMax, let first = records.first?.time, let last = records.last?.time {
                hasMore = record.time != last && last != first
                guard hasMore || records.count < limits.totalCountMax else {
                    throw CityError.tooManyResults(
                        "more than \(limits.totalCountMax) instances of \(series.attribute) have one moment; ask by another timestamp or interval")
                }
            }
            if !hasMore { records.append(record) }
            return !hasMore
        }
        if hasMore, let last = records.last?.time { cut = cut.map { isBackwards ? max($0, last) : min($0, last) } ?? last }
        totalCount += records.count
        return records
    }

    func page() -> EvolutionPage {
        var page = EvolutionPage(visitedCount: visitedCount, isPartial: cut != nil)
        page.dropped = dropped.all
        for (entity, scopes, series, aggregates) in gathered {
            snapshot.show(entity.number, entity.classification)
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
            if entity.classification == .open { page.open.insert(entity.id) }
        }
        return page
    }

    private func isWithinCut(_ record: RecordedInstance) -> Bool {
        guard let cut else { return true }
        return isBackwards ? record.time >= cut : record.time <= cut
    }
}
