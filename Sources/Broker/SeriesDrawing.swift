package import CityModel
package import Query
internal import Store
package import Trust

/// A series as a chart draws it: no spike is lost where many observations become one point.
package struct DrawnSeries: Sendable {
    package struct Point: Hashable, Sendable {
        /// Of the observation, or the beginning of the period.
        package let at: Instant
        package let mean: Double
        package let min: Double
        package let max: Double
    }

    /// The length of the periods in ISO 8601; nil when each point is an observation.
    package let every: String?
    /// Oldest first. A period without an observation has none.
    package let points: [Point]
    package let observationCount: Int
    /// Where points are observations, some just outside of the interval: lines lead on to them. Oldest first; none where what lies between is
    /// not kept.
    package var before: [Point] = []
    package var after: [Point] = []

    /// On each side: enough to see how far apart they usually are.
    fileprivate static let neighbourCount = 3
}

/// What is usual at each hour of the week.
package struct UsualWeek: Sendable {
    package struct Hour: Hashable, Sendable {
        /// One for each of `UsualWeek.percents`.
        package let percentiles: [Double]
        package let count: Int
    }

    package static let percents: [Double] = [10, 25, 50, 75, 90]

    /// From Monday at midnight on; nil for an hour without observations.
    package let hours: [Hour?]
    package let observationCount: Int
}

extension Broker {
    /// The numbers of an attribute within an interval, in at most `countMax` points; those of the default instance, or else of the first.
    /// - Throws: `tooComplexQuery` when it takes too long.
    package func drawnSeries(
        of id: IRI, attribute: IRI, in interval: Range<Instant>, countMax: Int, zone: CivilZone, _ access: ReadAccess, at now: Instant
    ) async throws -> DrawnSeries {
        var (grid, every) = try PeriodGrid.charting(interval, countMax: countMax, zone: zone)
        func ask(_ grid: PeriodGrid) async throws -> SeriesAnswer {
            let question = SeriesQuestion(
                filter: EntityFilter(ids: [id]), attributes: [attribute], grid: grid, functions: [.avg, .min, .max], limit: 1)
            return try await answer(question, access, at: now)
        }
        var answered = try await ask(grid)
        // Where no more than hours or days are kept, they are drawn.
        let coarsest = [ThinnedSpan.Kept.daily, .hourly].first { kept in answered.dropped.contains { $0.kept == kept } }
        if let length = coarsest?.length, let kept = PeriodDuration(length),
            let chosen = PeriodDuration(every), chosen.months == 0, chosen.microseconds < kept.microseconds
        {
            (grid, every) = (try PeriodGrid(interval, every: kept, zone: zone, countMax: countMax), length)
            answered = try await ask(grid)
        }
        func observations(_ points: [DrawnSeries.Point]) async throws -> DrawnSeries {
            var drawn = DrawnSeries(every: nil, points: points, observationCount: points.count)
            guard answered.dropped.isEmpty else { return drawn }
            (drawn.before, drawn.after) = try await neighbours(of: id, attribute: attribute, around: interval, access, at: now)
            return drawn
        }
        guard let group = answered.groups.first, group.observationCount > 0 else { return try await observations([]) }
        if group.observationCount <= countMax, group.datasetID == nil {
            let points = try await livePoints(of: id, attribute: attribute, in: interval, countMax: countMax, access, at: now)
            // What was summed up is no observation any more.
            if points.count == group.observationCount {
                return try await observations(points.map { DrawnSeries.Point(at: $0.at, mean: $0.value, min: $0.value, max: $0.value) })
            }
        }
        let points = (0..<grid.count).compactMap { index -> DrawnSeries.Point? in
            guard let mean = group.values[0][index], let min = group.values[1][index], let max = group.values[2][index] else { return nil }
            return DrawnSeries.Point(at: grid.bounds[index], mean: mean, min: min, max: max)
        }
        return DrawnSeries(every: every, points: points, observationCount: group.observationCount)
    }

    /// Those of the default instance, or else of the first.
    private func neighbours(
        of id: IRI, attribute: IRI, around interval: Range<Instant>, _ access: ReadAccess, at now: Instant
    ) async throws -> (before: [DrawnSeries.Point], after: [DrawnSeries.Point]) {
        let duration = configuration.searchLimits.duration
        let found = try await show(access, at: now) { snapshot -> (before: [Sample], after: [Sample]) in
            guard let found = try snapshot.liveEntity(id, access.classificationMax, at: now) else { return ([], []) }
            snapshot.show(found.number, found.classification)
            let all = try snapshot.series(of: found.number, attributes: [attribute], access.classificationMax)
            guard let series = all.first(where: { $0.datasetID == nil }) ?? all.first else { return ([], []) }
            let window = HistoryWindow(nil, now: now, access.classificationMax, deadline: .now + duration)
            return try snapshot.neighbours(of: found.number, series, around: interval, countMax: DrawnSeries.neighbourCount, window)
        }
        func points(_ samples: [Sample]) -> [DrawnSeries.Point] {
            samples.compactMap { sample in sample.value.map { DrawnSeries.Point(at: sample.at, mean: $0, min: $0, max: $0) } }
        }
        return (points(found.before), points(found.after))
    }

    /// What is usual of an attribute at each hour of the week, by what was observed within an interval.
    /// - Throws: `resourceNotFound`; `tooComplexQuery` when it takes too long or there are too many observations.
    package func usualWeek(
        of id: IRI, attribute: IRI, in interval: Range<Instant>, zone: CivilZone, _ access: ReadAccess, at now: Instant
    ) async throws -> UsualWeek {
        let duration = configuration.searchLimits.duration
        return try await show(access, at: now) { snapshot in
            guard let found = try snapshot.liveEntity(id, access.classificationMax, at: now) else { throw Broker.notFound(id) }
            snapshot.show(found.number, found.classification)
            let window = HistoryWindow(nil, now: now, access.classificationMax, deadline: .now + duration)
            var fold = WeekFold(zone)
            let all = try snapshot.series(of: found.number, attributes: [attribute], access.classificationMax)
            if let series = all.first(where: { $0.datasetID == nil }) ?? all.first {
                try snapshot.visitSamples(of: found.number, series, in: interval, window, isWhole: { _, _ in false }) { fold.add($0) }
            }
            guard fold.keptCount <= SeriesLimits.keptCountMax else {
                throw CityError.tooComplexQuery("from: more than \(SeriesLimits.keptCountMax) different observations; ask for a shorter span")
            }
            let hours = fold.percentiles(UsualWeek.percents).map { $0.map { UsualWeek.Hour(percentiles: $0.values, count: $0.count) } }
            return UsualWeek(hours: hours, observationCount: fold.count)
        }
    }
}

extension ThinnedSpan.Kept {
    /// How long what is kept is of, in ISO 8601.
    fileprivate var length: String? {
        switch self {
        case .hourly: "PT1H"
        case .daily: "P1D"
        case .nothing: nil
        }
    }
}

extension WeekFold {
    fileprivate mutating func add(_ span: SampleSpan) {
        // Those beyond are not kept; whoever asked is told.
        guard keptCount <= SeriesLimits.keptCountMax else { return }
        switch span {
        case .one(let sample): if let value = sample.value { add(value, at: sample.at) }
        case .numbers(let times, let values): for index in times.indices { add(values[index], at: Instant(microseconds: times[index])) }
        // Nothing that was summed up is asked for.
        case .block: break
        }
    }
}
