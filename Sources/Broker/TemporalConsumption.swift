package import CityModel
package import LinkedData
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
    /// Those of the entities that everybody may know of.
    package var open: Set<IRI> = []
    /// What would have needed more than is kept.
    package var dropped: [DroppedTime] = []

    package init(visitedCount: Int = 0, isPartial: Bool = false) { (self.visitedCount, self.isPartial) = (visitedCount, isPartial) }
}

extension Broker {
    /// - Throws: `resourceNotFound` when there is no history of the entity, none that may be seen, or nothing of it left.
    package func retrieveEvolution(
        of id: IRI, _ selection: EvolutionSelection, limits: EvolutionLimits, _ access: ReadAccess, at now: Instant
    ) async throws -> EvolutionPage {
        let duration = configuration.searchLimits.duration
        return try await show(access, at: now) { snapshot in
            guard let entity = try snapshot.historicEntity(id, access.classificationMax) else {
                throw CityError.resourceNotFound("there is no temporal evolution of an entity \(id)")
            }
            var reading = EvolutionReading(
                snapshot: snapshot, selection: selection, limits: limits, duration: duration, now: now, access.classificationMax)
            try reading.read(HistoryMatch(entity: entity))
            let page = reading.page()
            guard !page.entities.isEmpty else {
                let why = page.dropped.isEmpty ? "" : "; not all of it is kept any more (retention)"
                throw CityError.resourceNotFound("the temporal evolution of \(id) has nothing of what was asked for\(why)")
            }
            return page
        }
    }

    /// The types of an entity of which there is a history; none when there is no such entity, or it may not be seen.
    package func typesOfEvolution(of id: IRI, _ access: ReadAccess) async throws -> [IRI] {
        do {
            return try await file(toRead: access).read { try $0.historicEntity(id, access.classificationMax, evenIfEmpty: true)?.types ?? [] }
        } catch CityError.nonexistentTenant { return [] }
    }

    /// - Parameter map: the entities that are answered, in its order; `offset` is then a position in it (clause 5.5.9.3).
    package func queryEvolutions(
        _ filter: EntityFilter, _ selection: EvolutionSelection, order: HistorySearch.Order? = nil, offset: Int, limit: Int,
        wantsCount: Bool, limits: EvolutionLimits, through map: EntityMap? = nil, _ access: ReadAccess, at now: Instant
    ) async throws -> EvolutionPage {
        guard let temporal = selection.temporal else { throw CityError.badRequestData("timerel: a temporal query is needed (clause 5.7.4.4)") }
        let search = HistorySearch(
            filter: filter, temporal: temporal, classificationMax: access.classificationMax, order: order, offset: offset, limit: limit,
            wantsCount: wantsCount, now: now,
            limits: SearchLimits(
                duration: configuration.searchLimits.duration, orderedCountMax: configuration.searchLimits.orderedCountMax))
        return try await show(access, at: now) { snapshot in
            var reading = EvolutionReading(
                snapshot: snapshot, selection: selection, limits: limits, duration: search.limits.duration, now: now, access.classificationMax)
            var conditions = reading
            func isAnswered(_ match: HistoryMatch) throws -> Bool {
                let isAnswered = try conditions.answers(match)
                if !isAnswered { try conditions.noteDropped(match) }
                return isAnswered
            }
            var unmatched = DroppedTimes()
            func note(_ attribute: IRI, _ span: ThinnedSpan) { unmatched.add(attribute, span.times, span.kept) }
            let listed = try map.map { try snapshot.searchHistory(search, among: $0.entries.map { $0?.id }, noting: note, where: isAnswered) }
            let found = try listed?.page ?? snapshot.searchHistory(search, noting: note, where: isAnswered)
            for match in found.matches {
                guard !reading.isFull else { break }
                try reading.read(match)
            }
            var page = reading.page()
            page.dropped = page.dropped.joined(conditions.page().dropped).joined(unmatched.all)
            page.count = found.count
            page.hasMore = found.hasMore || page.visitedCount < found.matches.count
            // Of a map the page dealt with all positions before that of the next match.
            if page.hasMore, let listed { page.visitedCount = listed.positions[page.visitedCount] - offset }
            return page
        }
    }
}
