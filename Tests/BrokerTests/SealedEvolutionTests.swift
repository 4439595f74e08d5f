import Broker
import CityModel
import LinkedData
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// What is answered of the evolution of an entity whose past is sealed, beside one whose past is not.
@Suite struct SealedEvolutionTests {
    private static let kinds = ["level", "count", "state"]

    private static func value(_ kind: String, _ minute: Int) -> JSON {
        switch kind {
        case "level": .number(Double((minute * 7919) % 400) / 10 - 10)
        case "count": .integer(Int64((minute * 31) % 17))
        default: minute % 5 == 0 ? "free" : .bool(minute % 2 == 0)
        }
    }

    private static func observation(_ minute: Int, late: Bool = false) -> ObservedEntity {
        var attributes: Attributes = [:]
        for kind in kinds { attributes[iri(kind)] = observed(late ? 5 : value(kind, minute), minute: Double(minute) + (late ? 0.25 : 0)) }
        return ObservedEntity(id: lamp, types: [iri("Lamp")], attributes: attributes)
    }

    /// Two brokers that were told the same, a minute at a time; the past of the second is sealed.
    private func brokers(minutes: Int) async throws -> (plain: TemporaryBroker, sealed: TemporaryBroker) {
        let (plain, sealed) = (try TemporaryBroker(), try TemporaryBroker())
        for broker in [plain, sealed] {
            _ = try await broker.broker.record(
                (0..<minutes).map { Self.observation($0) }, provenance: .init(), broker.writing(), at: noon.adding(seconds: Double(minutes) * 60))
        }
        var sealing = HistorySealing(broker: sealed.broker, ageSeconds: 0, rowCountMin: 100)
        var rowCount = 0
        while let step = try await sealing.step(at: noon.adding(seconds: Double(minutes) * 60)) { rowCount += step.rowCount }
        #expect(rowCount == 3 * minutes)
        return (plain, sealed)
    }

    private func page(
        _ broker: TemporaryBroker, _ temporal: TemporalQuery?, _ period: PeriodDuration?, methods: [AggregationMethod] = AggregationMethod.allCases
    ) async throws -> EvolutionPage {
        try await broker.broker.retrieveEvolution(
            of: lamp, EvolutionSelection(temporal: temporal, aggregation: period.map { AggregationRequest(methods: methods, period: $0) }),
            limits: EvolutionLimits(), broker.writing().reading, at: noon.adding(seconds: 10_000_000))
    }

    @Test(arguments: ["PT0S", "PT20H", "PT7M"])
    func `aggregates of blocks are those of their instances, to the last digit`(text: String) async throws {
        let (plain, sealed) = try await brokers(minutes: 2300)
        let period = try #require(PeriodDuration(text))
        for broker in [plain, sealed] {
            // Late ones lie between the instances of a block.
            _ = try await broker.broker.record([Self.observation(2100, late: true)], provenance: .init(), broker.writing(), at: noon.adding(seconds: 999_999))
        }
        let relations: [TemporalQuery.Relation?] = [nil, .after(noon.adding(seconds: 30_000)), .between(noon.adding(seconds: 3600), noon.adding(seconds: 110_000))]
        for relation in relations {
            for methods in [AggregationMethod.allCases, AggregationMethod.allCases.filter { $0 != .distinctCount }] {
                let expected = try await page(plain, TemporalQuery(relation), period, methods: methods)
                let found = try await page(sealed, TemporalQuery(relation), period, methods: methods)
                #expect("\(found.entities)" == "\(expected.entities)")
            }
        }
    }

    @Test func `instances of a sealed past are answered as they were, and an answer ends where it would`() async throws {
        let (plain, sealed) = try await brokers(minutes: 1500)
        for relation in [nil, TemporalQuery.Relation.after(noon.adding(seconds: 6000))] {
            let (expected, found) = (try await page(plain, TemporalQuery(relation), nil), try await page(sealed, TemporalQuery(relation), nil))
            #expect("\(found.entities)" == "\(expected.entities)" && found.isPartial && found.times == expected.times)
        }
    }

    @Test(arguments: [["count", "sum", "avg", "min", "max", "stddev", "first", "last"], ["p95", "avg"], ["timeAvg", "increase", "sum"]])
    func `figures of a sealed past are those of its instances, to the last digit`(names: [String]) async throws {
        let (plain, sealed) = try await brokers(minutes: 2300)
        for broker in [plain, sealed] {
            _ = try await broker.broker.record([Self.observation(1100, late: true)], provenance: .init(), broker.writing(), at: noon.adding(seconds: 999_999))
        }
        let functions = try names.map { try #require(SeriesFunction($0)) }
        for (from, to) in [(0, 200_000), (30_030, 110_000)] {
            for every in [nil, "PT7M", "PT20H"] as [String?] {
                let grid = try PeriodGrid(
                    noon.adding(seconds: Double(from))..<noon.adding(seconds: Double(to)), every: every.flatMap(PeriodDuration.init), zone: .utc,
                    countMax: 1000)
                let question = SeriesQuestion(
                    filter: EntityFilter(types: .type(iri("Lamp"))), attributes: Self.kinds.map(iri), grid: grid, functions: functions,
                    grouping: .all, limit: 100)
                let expected = try await plain.broker.answer(question, plain.writing().reading, at: noon.adding(seconds: 10_000_000))
                let found = try await sealed.broker.answer(question, sealed.writing().reading, at: noon.adding(seconds: 10_000_000))
                #expect("\(found.groups)" == "\(expected.groups)" && found.groupCount == expected.groupCount)
            }
        }
    }
}
