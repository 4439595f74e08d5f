internal import Broker
package import CityModel
internal import OrderedCollections
package import Query
internal import Store
package import Trust

/// Which figures of a measure somebody asks for.
package struct MeasureQuestion: Hashable, Sendable {
    package let measure: Measure
    package let today: CivilDay
    package let zone: CivilZone
    /// As whom cases are read; the access of the question itself is for the figures of sensors.
    package let reading: ReadAccess
    /// As whom examples are chosen: what they lead to is for everybody.
    package let everybody: ReadAccess

    package init(_ measure: Measure, today: CivilDay, zone: CivilZone, reading: ReadAccess, everybody: ReadAccess) {
        (self.measure, self.today, self.zone, self.reading, self.everybody) = (measure, today, zone, reading, everybody)
    }
}

extension CaseDesk {
    private static let exampleCount = 5

    package func figures(_ question: MeasureQuestion, _ aggregate: ReadAccess, at now: Instant) async throws -> MeasureFigures {
        let (measure, reading) = (question.measure, question.reading)
        let windows = MeasureWindows(measure, today: question.today)
        let (before, after) = (measure.reports(windows.reportsBefore, question.zone), measure.reports(windows.reportsAfter, question.zone))
        let countBefore = try await count(before, reading, at: now), countAfter = try await count(after, reading, at: now)
        var tally: ReportTally?
        if countBefore + countAfter <= limits.tallyCountMax {
            tally = ReportTally(windows, zone: question.zone, at: now)
            for query in [before, after] { tally = try await self.tally(query, into: tally, reading, at: now) }
        }
        return MeasureFigures(
            windows: windows, countBefore: countBefore, countAfter: countAfter, reports: tally,
            indicator: try await indicator(measure, windows, question.zone, reading, aggregate, at: now),
            examples: countBefore <= limits.tallyCountMax ? try await examples(before, question.everybody, at: now) : [])
    }

    /// Nil: none are asked for, for their days are not there yet.
    private func count(_ query: CaseQuery?, _ access: ReadAccess, at now: Instant) async throws -> Int {
        guard let query else { return 0 }
        return try await count(query, access, at: now)
    }

    private func tally(_ query: CaseQuery?, into tally: ReportTally?, _ access: ReadAccess, at now: Instant) async throws -> ReportTally? {
        guard let query, let tally else { return tally }
        return try await broker.fold(try query.filter, keeping: CountedCase.attributes, into: tally, access, at: now) { tally, entity in
            if let one = CountedCase(entity) { try tally.add(one) }
        }
    }

    private func examples(_ query: CaseQuery?, _ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        guard var query else { return [] }
        (query.order, query.limit) = (.newest, Self.exampleCount)
        return try await cases(query, access, at: now).cases
    }

    // MARK: Sensors

    private func indicator(
        _ measure: Measure, _ windows: MeasureWindows, _ zone: CivilZone, _ reading: ReadAccess, _ aggregate: ReadAccess, at now: Instant
    ) async throws -> IndicatorAnswer? {
        guard let indicator = measure.indicator, let before = windows.indicatorBefore, let after = windows.indicatorAfter else { return nil }
        var filter = EntityFilter(types: .type(indicator.type), attributes: [indicator.attribute])
        if let metres = indicator.metres, let place = measure.place {
            filter.geo = GeoQuery(relation: .nearMax(metres), reference: try PreparedGeometry(place))
        } else {
            switch measure.area {
            case .municipality: break
            case .around(let metres):
                guard let place = measure.place else { return .noSensors }
                filter.geo = GeoQuery(relation: .nearMax(metres), reference: try PreparedGeometry(place))
            case .district(let name):
                guard let area = try await districtArea(name, reading, at: now) else { return .noArea(name) }
                filter.geo = GeoQuery(relation: .intersects, reference: try PreparedGeometry(area))
            }
        }
        let count = try await broker.query(EntityQuery(filter: filter, limit: 0, wantsCount: true), reading, at: now).count ?? 0
        guard count > 0 else { return .noSensors }
        guard count <= limits.sensorCountMax else { return .tooManySensors(count, countMax: limits.sensorCountMax) }
        let first = try await window(before, indicator, filter, zone, aggregate, at: now)
        let second = try await window(after, indicator, filter, zone, aggregate, at: now)
        let units = Set([first.unitCode, second.unitCode].compactMap { $0 })
        return .compared(
            IndicatorComparison(before: first.window, after: second.window, sensorCount: count, unitCode: units.count == 1 ? units.first : units.isEmpty ? indicator.unitCode : nil))
    }

    /// The numbers of some days, as `/history` has them.
    private func window(
        _ days: DaySpan, _ indicator: Measure.Indicator, _ filter: EntityFilter, _ zone: CivilZone, _ access: ReadAccess, at now: Instant
    ) async throws -> (window: IndicatorWindow, unitCode: String?) {
        guard !days.isEmpty else { return (IndicatorWindow(days, sums: [], sensorCount: 0), nil) }
        let grid = try PeriodGrid(days.interval(zone), every: PeriodDuration("P1D"), zone: zone, countMax: Measure.Indicator.dayCounts.upperBound + 2)
        let question = SeriesQuestion(filter: filter, attributes: [indicator.attribute], grid: grid, functions: [.sum, .count], grouping: .all, limit: 1)
        guard let group = try await broker.answer(question, access, at: now).groups.first else { return (IndicatorWindow(days, sums: Self.nothing(days), sensorCount: 0), nil) }
        let sums = zip(group.values[0], group.values[1]).map { sum, count in sum.flatMap { sum in count.map { (sum, Int($0)) } } ?? (0, 0) }
        return (IndicatorWindow(days, sums: sums, sensorCount: group.seriesCount), group.unitCode)
    }

    private static func nothing(_ days: DaySpan) -> [(sum: Double, count: Int)] { Array(repeating: (0, 0), count: days.dayCount) }
}

extension Measure {
    /// The reports of some days that are about the same, where they are; nil where there are no days.
    fileprivate func reports(_ days: DaySpan, _ zone: CivilZone) -> CaseQuery? {
        guard !days.isEmpty else { return nil }
        var query = CaseQuery()
        let interval = days.interval(zone)
        query.services = services
        query.requested = interval.lowerBound...Instant(microseconds: interval.upperBound.microseconds - 1)
        switch area {
        case .municipality: break
        case .around(let metres): query.near = place.map { ($0, metres) }
        case .district(let name): query.districts = [name]
        }
        return query
    }
}
