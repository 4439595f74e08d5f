import Broker
import CityModel
import LinkedData
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// Answers about a past of which summaries alone are kept, beside those about one that is whole; and what is said of the difference.
@Suite struct ThinnedAnswerTests {
    private let now = noon.adding(seconds: 10 * 86_400)

    private static func observation(_ number: Int) -> ObservedEntity {
        let attributes: Attributes = [
            iri("level"): observed(.number(Double((number * 7919) % 400) / 10 - 10), minute: Double(number) * 10),
            iri("state"): observed(.string(number % 2 == 0 ? "free" : "taken"), minute: Double(number) * 10),
        ]
        return ObservedEntity(id: lamp, types: [iri("Lamp")], attributes: attributes)
    }

    private func rule(_ raw: String, _ hourly: String? = nil, _ daily: String? = nil) throws -> RetentionRule {
        try RetentionRule { ["raw": raw, "hourly": hourly, "daily": daily][$0] ?? nil }
    }

    private func thin(_ broker: TemporaryBroker, _ rule: RetentionRule?) async throws -> Int {
        var retention = HistoryRetention(broker: broker.broker, standard: rule, zone: "UTC", settlingSeconds: 0)
        var count = 0
        while let step = try await retention.step(at: now) {
            #expect(step.faults == [])
            count += step.count
        }
        return count
    }

    /// Two brokers that were told the same of ten days, an observation each ten minutes; of the second the past is thinned.
    private func brokers(_ rule: RetentionRule) async throws -> (plain: TemporaryBroker, thinned: TemporaryBroker) {
        let (plain, thinned) = (try TemporaryBroker(), try TemporaryBroker())
        for broker in [plain, thinned] {
            _ = try await broker.broker.record(
                (0..<1440).map { Self.observation($0) }, provenance: Provenance(classification: .open), broker.writing(), at: now.adding(seconds: -60))
        }
        var sealing = HistorySealing(broker: thinned.broker, ageSeconds: 86_400, rowCountMin: 100)
        while try await sealing.step(at: now) != nil {}
        #expect(try await thin(thinned, rule) > 1000)
        return (plain, thinned)
    }

    private func figures(
        _ broker: TemporaryBroker, _ names: [String], every: String?, from: Double = 0, filling: GapFilling = .none
    ) async throws -> SeriesAnswer {
        let grid = try PeriodGrid(noon.adding(seconds: from)..<now, every: every.flatMap(PeriodDuration.init), zone: .utc, countMax: 2000)
        let question = SeriesQuestion(
            filter: EntityFilter(types: .type(iri("Lamp"))), attributes: [iri("level")], grid: grid,
            functions: try names.map { try #require(SeriesFunction($0)) }, filling: filling, grouping: .all, limit: 100)
        return try await broker.broker.answer(question, broker.writing().reading, at: now)
    }

    private static let together = ["count", "sum", "avg", "min", "max", "stddev", "first", "last"]

    @Test(arguments: ["PT1H", "P1D", nil]) func `figures of whole hours and days are what they were`(every: String?) async throws {
        let rule = every == "PT1H" ? try rule("P3D") : try rule("P3D", "P5D")
        let (plain, thinned) = try await brokers(rule)
        let (expected, found) = (try await figures(plain, Self.together, every: every), try await figures(thinned, Self.together, every: every))
        #expect(found.groups.map(\.values) == expected.groups.map(\.values))
        #expect(found.dropped == [] && expected.dropped == [])
        #expect(found.groups.map(\.observationCount) == [1440])
    }

    @Test func `what is not known of a period is not answered, and it is said what is kept`() async throws {
        let (plain, thinned) = try await brokers(rule("P3D", "P5D", "P8D"))
        let expected = try await figures(plain, ["p95", "timeAvg", "increase", "avg", "count"], every: "PT6H", filling: .last)
        let found = try await figures(thinned, ["p95", "timeAvg", "increase", "avg", "count"], every: "PT6H", filling: .last)
        let (values, others) = (try #require(found.groups.first?.values), try #require(expected.groups.first?.values))
        // Twelve days of quarters: two are gone, three are daily, two are hourly, three are whole.
        let whole = 7 * 4..<10 * 4, hourly = Int(4.5 * 4)..<7 * 4
        for function in 0..<5 {
            #expect(values[function][whole] == others[function][whole], "\(function)")
            #expect(values[function][..<hourly.lowerBound].allSatisfy { $0 == nil })
        }
        for function in 0..<3 { #expect(values[function][hourly].allSatisfy { $0 == nil }) }
        for function in 3..<5 { #expect(values[function][hourly] == others[function][hourly]) }
        #expect(found.dropped.map(\.kept) == [.nothing, .daily, .hourly])
        #expect(found.dropped.map(\.times.lowerBound) == [noon, noon.adding(seconds: 1.5 * 86_400), noon.adding(seconds: 4.5 * 86_400)])
        #expect(found.dropped.first?.warning("level") == "199 - \"level from 2026-06-01T12:00:00Z to 2026-06-03T00:00:00Z: not everything is kept\"")
        // What is asked of the whole part alone needs nothing that is gone.
        #expect(try await figures(thinned, ["p95", "timeAvg"], every: "PT6H", from: 7 * 86_400).dropped == [])
    }

    @Test func `charts of what is no longer whole are drawn by the hour or the day`() async throws {
        for (rule, every) in [(try rule("P3D"), "PT1H"), (try rule("P3D", "P5D"), "P1D")] {
            let (_, thinned) = try await brokers(rule)
            let access = try await thinned.writing().reading
            func drawn(_ range: Range<Instant>) async throws -> DrawnSeries {
                try await thinned.broker.drawnSeries(of: lamp, attribute: iri("level"), in: range, countMax: 2000, zone: .utc, access, at: now)
            }
            let all = try await drawn(noon..<now)
            #expect(all.every == every && all.observationCount == 1440 && all.points.count == (every == "P1D" ? 11 : 240))
            let recent = try await drawn(noon.adding(seconds: 8 * 86_400)..<now)
            #expect(recent.every == nil && recent.points.count == 288)
        }
    }

    private func evolution(
        _ broker: TemporaryBroker, _ temporal: TemporalQuery?, _ period: String? = nil, _ methods: [AggregationMethod] = AggregationMethod.allCases, lastN: Int? = nil
    ) async throws -> EvolutionPage {
        let request = try period.map { AggregationRequest(methods: methods, period: try #require(PeriodDuration($0))) }
        return try await broker.broker.retrieveEvolution(
            of: lamp, EvolutionSelection(temporal: temporal, lastN: lastN, aggregation: request), limits: EvolutionLimits(instanceCountMax: 5000),
            broker.writing().reading, at: now)
    }

    @Test(arguments: ["PT1H", "PT3H", "PT0S"]) func `aggregates of whole hours are what they were, but for distinct values`(period: String) async throws {
        let (plain, thinned) = try await brokers(rule("P3D"))
        let methods = AggregationMethod.allCases.filter { $0 != .distinctCount }
        for relation in [nil, TemporalQuery.Relation.after(noon.adding(seconds: 86_400)), .between(noon, noon.adding(seconds: 6 * 86_400))] {
            func level(_ page: EvolutionPage) -> String {
                guard case .aggregates(let all)? = page.entities.first?.content else { return "none" }
                return "\(String(describing: all[iri("level")]))"
            }
            let (expected, found) = (
                try await evolution(plain, TemporalQuery(relation), period, methods), try await evolution(thinned, TemporalQuery(relation), period, methods)
            )
            #expect(level(found) == level(expected) && level(found) != "nil")
            // Texts have no summaries.
            #expect(Set(found.dropped.map(\.attribute)) == [iri("state")] && expected.dropped == [])
            let distinct = try await evolution(thinned, TemporalQuery(relation), period, [.distinctCount, .max])
            #expect(distinct.dropped.contains { $0.attribute == iri("level") && $0.kept == .hourly })
        }
        // Of what is gone no method says anything, which is no fault of the methods.
        let quarters = AggregationRequest(methods: [.avg], period: try #require(PeriodDuration("PT15M")))
        let projection = try Projection(attrs: "level", expand: { iri($0) })
        let page = try await thinned.broker.queryEvolutions(
            EntityFilter(types: .type(iri("Lamp"))),
            EvolutionSelection(temporal: TemporalQuery(.before(noon.adding(seconds: 86_400))), projection: projection, aggregation: quarters),
            offset: 0, limit: 9, wantsCount: false, limits: EvolutionLimits(), thinned.writing().reading, at: now)
        #expect(page.entities.isEmpty && !page.dropped.isEmpty)
    }

    @Test func `instances that are gone are told of, unless the most recent were asked for`() async throws {
        let (_, thinned) = try await brokers(rule("P3D"))
        let all = try await evolution(thinned, TemporalQuery(nil))
        #expect(Set(all.dropped.map(\.attribute)) == [iri("level"), iri("state")])
        #expect(all.dropped.map(\.kept) == [.hourly, .nothing])
        #expect(try await evolution(thinned, TemporalQuery(.after(noon.adding(seconds: 8 * 86_400)))).dropped == [])
        #expect(try await evolution(thinned, TemporalQuery(nil), lastN: 5).dropped == [])
        #expect(try await !evolution(thinned, TemporalQuery(nil), lastN: 2000).dropped.isEmpty)
        // A query that finds nothing whole says why.
        let early = TemporalQuery(.before(noon.adding(seconds: 86_400)))
        let access = try await thinned.writing().reading
        for aggregation in [nil, AggregationRequest(methods: [.avg], period: try #require(PeriodDuration("P1D")))] {
            let page = try await thinned.broker.queryEvolutions(
                EntityFilter(types: .type(iri("Lamp"))), EvolutionSelection(temporal: early, aggregation: aggregation), offset: 0, limit: 10,
                wantsCount: true, limits: EvolutionLimits(), access, at: now)
            #expect(page.entities.count == (aggregation == nil ? 0 : 1) && page.count == page.entities.count && !page.dropped.isEmpty)
        }
    }

    @Test func `a query over values that are gone says so where it found none, and only there`() async throws {
        let (plain, thinned) = try await brokers(rule("P3D"))
        func page(_ broker: TemporaryBroker, _ q: String, after seconds: Double? = nil, through map: EntityMap? = nil) async throws -> EvolutionPage {
            var filter = EntityFilter(types: .type(iri("Lamp")))
            filter.query = try QueryExpression(parsing: q, expand: { iri($0) })
            let relation = seconds.map { TemporalQuery.Relation.after(noon.adding(seconds: $0)) }
            return try await broker.broker.queryEvolutions(
                filter, EvolutionSelection(temporal: TemporalQuery(relation), lastN: 1), offset: 0, limit: 9, wantsCount: true, limits: EvolutionLimits(),
                through: map, broker.writing().reading, at: now)
        }
        // Numbers up to 29.9 came again and again; none was 40. Texts were "free" or "taken".
        for (q, attributes) in [("level>40", ["level"]), ("state==\"gone\"", ["state"]), ("level>40|state==\"gone\"", ["level", "state"])] {
            let found = try await page(thinned, q)
            #expect(found.entities.isEmpty && found.count == 0)
            #expect(Set(found.dropped.map(\.attribute)) == Set(attributes.map(iri)), "\(q)")
            #expect(try await page(plain, q).dropped == [])
            // Of what was whole enough to be found nothing is missing.
            #expect(try await page(thinned, q, after: 8 * 86_400).dropped == [])
        }
        let found = try await page(thinned, "level>0")
        #expect(found.entities.count == 1 && found.dropped == [])
    }

    @Test func `a source's rule holds for what it wrote, also when that is gone, and for nothing else`() async throws {
        let folder = try TemporaryBroker()
        let administering = try await folder.gatekeeper.administering(TemporaryBroker.name, .program)
        let rules: JSON = ["retention": [iri("level").text: ["raw": "P3D"]] as JSON]
        try await folder.broker.putSource("sensors", rules, administering, at: noon)
        let access = try await folder.writing()
        let run = try await folder.broker.beginImport(of: "sensors", version: "1", access, at: noon)
        for (number, run) in [(1, run), (2, run), (3, nil)] as [(Int, Int64?)] {
            let observations = (0..<20).map { index -> ObservedEntity in
                var one = Self.observation(index)
                one.id = IRI(known: "urn:ngsi-ld:Lamp:\(number)")
                return one
            }
            _ = try await folder.broker.record(observations, provenance: Provenance(classification: .open, run: run), access, at: noon.adding(seconds: 90_000))
        }
        try await folder.broker.delete(IRI(known: "urn:ngsi-ld:Lamp:2"), access, at: noon.adding(seconds: 100_000))
        // Of each of the two the last stays, for it held; but not where its deletion followed.
        #expect(try await thin(folder, nil) == 19 + 20)
        #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
        try await folder.broker.removeSource("sensors", administering, at: noon)
        #expect(try await thin(folder, nil) == 0)
        #expect(try await thin(folder, rule("P3D")) > 0)
    }
}
