import Broker
import CityModel
import LinkedData
import OrderedCollections
import Query
import RandomEntities
import Store
import Testing
import Trust

/// What is answered of histories, against computations that keep everything.
@Suite struct EvolutionTests {
    /// Values at distinct moments within a year from noon on.
    private func series(_ generator: inout SplitMix) -> [(at: Instant, value: Double)] {
        let minutes = Set((0..<60).map { _ in Int.random(in: 0..<525_600, using: &generator) })
        return minutes.sorted().map { (noon.adding(seconds: Double($0) * 60), Double(Int.random(in: -50...50, using: &generator)) / 4) }
    }

    private func record(_ series: [(at: Instant, value: Double)], _ folder: TemporaryBroker) async throws -> WriteAccess {
        let access = try await folder.writing()
        var fragment = TemporalFragment()
        fragment.types = [iri("Lamp")]
        fragment.attributes[iri("level")] = series.map { Attribute(kind: .property, value: .number($0.value), observedAt: $0.at) }
        let whole = fragment
        #expect(try await folder.broker.createEvolution(whole, of: lamp, access, at: noon))
        return access
    }

    /// Clause 4.5.19.
    @Test(arguments: UInt64(0)..<12)
    func `aggregates by period are those of a naive grouping`(seed: UInt64) async throws {
        var generator = SplitMix(seed: seed)
        let series = series(&generator)
        let period = try #require(PeriodDuration(["P1M", "PT36H", "P1W", "P2M3D"][Int(seed % 4)]))
        let begin = noon.adding(seconds: Double(Int.random(in: 0..<20_000_000, using: &generator)))
        let folder = try TemporaryBroker()
        let access = try await record(series, folder)
        let selection = EvolutionSelection(
            temporal: TemporalQuery(.after(begin)), aggregation: AggregationRequest(methods: [.sum, .max, .totalCount], period: period))
        let inside = series.filter { $0.at >= begin }
        try #require(!inside.isEmpty)
        let page = try await folder.broker.retrieveEvolution(of: lamp, selection, limits: .init(), access.reading, at: noon)
        guard case .aggregates(let attributes)? = page.entities.first?.content, let level = attributes[iri("level")]?.first else {
            return #expect(Bool(false), "no aggregates")
        }
        let groups = Dictionary(grouping: inside) { period.period(of: $0.at, from: begin) }.sorted { $0.key < $1.key }
        #expect(level.methods["totalCount"]?.map(\.value) == groups.map { .integer(Int64($0.value.count)) })
        #expect(level.methods["max"]?.map(\.value.doubleValue) == groups.map { $0.value.map(\.value).max() })
        #expect(level.methods["sum"]?.map(\.value.doubleValue) == groups.map { $0.value.map(\.value).reduce(0, +) })
        #expect(level.methods["sum"]?.map(\.start) == groups.map { period.start(ofPeriod: $0.key, from: begin) })
        #expect(level.methods["sum"]?.map(\.end) == groups.map { period.start(ofPeriod: $0.key + 1, from: begin) })
    }

    /// Clause 5.7.3.4.
    @Test(arguments: UInt64(0)..<12)
    func `a window holds what a filter leaves, and the last of it`(seed: UInt64) async throws {
        var generator = SplitMix(seed: seed &+ 100)
        let series = series(&generator)
        let folder = try TemporaryBroker()
        let access = try await record(series, folder)
        let (first, second) = (series[series.count / 4].at, series[series.count * 3 / 4].at)
        for relation in [TemporalQuery.Relation.before(second), .after(first), .between(first, second)] {
            let temporal = TemporalQuery(relation)
            let inside = series.filter { temporal.matches($0.at) }
            for lastN in [nil, 1, 5, 1000] {
                let page = try await folder.broker.retrieveEvolution(
                    of: lamp, EvolutionSelection(temporal: temporal, lastN: lastN), limits: .init(), access.reading, at: noon)
                guard case .instances(let attributes)? = page.entities.first?.content else { return #expect(Bool(false)) }
                #expect(attributes[iri("level")]?.map(\.time) == inside.suffix(lastN ?? .max).map(\.at))
                #expect(!page.isPartial)
            }
        }
    }

    @Test(arguments: [(periodCountMax: 3, isAnswered: true), (periodCountMax: 2, isAnswered: false)])
    func `periods with values are bounded`(periodCountMax: Int, isAnswered: Bool) async throws {
        let folder = try TemporaryBroker()
        let access = try await record((0..<3).map { (noon.adding(seconds: Double($0) * 60), 1) }, folder)
        let selection = EvolutionSelection(
            temporal: nil, aggregation: AggregationRequest(methods: [.avg], period: PeriodDuration(months: 0, microseconds: 1)))
        let limits = EvolutionLimits(periodCountMax: periodCountMax)
        let answer = Task { try await folder.broker.retrieveEvolution(of: lamp, selection, limits: limits, access.reading, at: noon) }
        switch await answer.result {
        case .success: #expect(isAnswered)
        case .failure(let error):
            guard case CityError.tooComplexQuery = error else { throw error }
            #expect(!isAnswered)
        }
    }

    /// Clause 5.5.9.1.
    @Test func `a page of entities ends early when it holds enough, and says where to go on`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        for number in 1...3 {
            let id = try #require(IRI("urn:ngsi-ld:Lamp:\(number)"))
            var fragment = TemporalFragment()
            fragment.types = [iri("Lamp")]
            fragment.attributes[iri("level")] = (0..<4).map { Attribute(kind: .property, value: 1, observedAt: noon.adding(seconds: Double($0))) }
            let whole = fragment
            _ = try await folder.broker.createEvolution(whole, of: id, access, at: noon)
        }
        let page = try await folder.broker.queryEvolutions(
            EntityFilter(types: .type(iri("Lamp"))), EvolutionSelection(temporal: TemporalQuery(.after(noon))), offset: 0, limit: 3,
            wantsCount: true, limits: EvolutionLimits(instanceCountMax: 10, totalCountMax: 5), access.reading, at: noon)
        #expect(page.entities.count == 2)
        #expect(page.visitedCount == 2)
        #expect(page.hasMore)
        #expect(page.count == 3)
        #expect(!page.isPartial)
    }

    @Test func `what has expired takes no place in an answer, and the sweeper erases it`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        var fragment = TemporalFragment()
        fragment.types = [iri("Lamp")]
        fragment.attributes[iri("level")] = (0..<20).map { second in
            var instance = Attribute(kind: .property, value: .integer(Int64(second)), observedAt: noon.adding(seconds: Double(second)))
            if second < 5 || second >= 15 { instance.expiresAt = noon.adding(seconds: 30) }
            return instance
        }
        let whole = fragment
        _ = try await folder.broker.createEvolution(whole, of: lamp, access, at: noon)
        func answer(_ selection: EvolutionSelection, countMax: Int = 10) async throws -> (content: TemporalEntity.Content?, isPartial: Bool) {
            let limits = EvolutionLimits(instanceCountMax: countMax)
            let page = try await folder.broker.retrieveEvolution(of: lamp, selection, limits: limits, access.reading, at: noon.adding(seconds: 60))
            return (page.entities.first?.content, page.isPartial)
        }
        for isSwept in [false, true] {
            if isSwept { await folder.broker.sweep(at: noon.adding(seconds: 60)) { Issue.record($1, "\($0)") } }
            for (lastN, countMax, expected) in [(nil, 10, 5..<15), (1, 10, 14..<15), (3, 10, 12..<15), (nil, 4, 5..<9)] as [(Int?, Int, Range<Int>)] {
                let (content, isPartial) = try await answer(EvolutionSelection(temporal: nil, lastN: lastN), countMax: countMax)
                guard case .instances(let attributes)? = content else { return #expect(Bool(false)) }
                #expect(attributes[iri("level")]?.map(\.attribute.value) == expected.map { .integer(Int64($0)) })
                #expect(isPartial == (countMax == 4))
            }
            let request = AggregationRequest(methods: [.totalCount], period: PeriodDuration(months: 0, microseconds: 0))
            let (content, _) = try await answer(EvolutionSelection(temporal: nil, aggregation: request))
            guard case .aggregates(let attributes)? = content, let count = attributes[iri("level")]?.first?.methods["totalCount"]?.first else {
                return #expect(Bool(false))
            }
            #expect(count.value == 10)
            #expect(count.start == noon.adding(seconds: 5) && count.end == noon.adding(seconds: 14))
        }
        #expect(try await folder.store.file(TemporaryBroker.name).read { try $0.instanceCount() } == 10)
    }
}

/// Going through what is too much for one answer, and being told how much there is.
@Suite struct EvolutionPagingTests {
    /// Thirty observations, recorded ten at a time.
    private func folder() async throws -> TemporaryBroker {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        for request in 0..<3 {
            var fragment = TemporalFragment()
            fragment.types = [iri("Lamp")]
            fragment.attributes[iri("level")] = (0..<10).map { number in
                Attribute(kind: .property, value: .integer(Int64(request * 10 + number)), observedAt: noon.adding(seconds: Double(number * 3 + request)))
            }
            let whole = fragment
            _ = try await folder.broker.createEvolution(whole, of: lamp, access, at: noon.adding(seconds: Double(request) * 100))
        }
        return folder
    }

    private func values(_ page: EvolutionPage) -> [Int64] {
        guard case .instances(let attributes)? = page.entities.first?.content else { return [] }
        return attributes[iri("level")]?.compactMap(\.attribute.value.integerValue) ?? []
    }

    @Test(arguments: [TemporalQuery.Property.createdAt, .modifiedAt, .observedAt], [1, 4, 10, 11])
    func `whoever goes on from the last moment comes to the end and has seen everything`(property: TemporalQuery.Property, countMax: Int) async throws {
        let folder = try await folder()
        let access = try await folder.writing().reading
        for lastN in [nil, 100] as [Int?] {
            var relation = lastN == nil ? TemporalQuery.Relation.after(noon) : .before(noon.adding(seconds: 1000))
            var seen: Set<Int64> = []
            for turn in 0...40 {
                let page = try await folder.broker.retrieveEvolution(
                    of: lamp, EvolutionSelection(temporal: TemporalQuery(relation, of: property), lastN: lastN),
                    limits: EvolutionLimits(instanceCountMax: countMax), access, at: noon)
                seen.formUnion(values(page))
                guard page.isPartial, let times = page.times else { break }
                relation = lastN == nil ? .after(times.upperBound) : .before(times.lowerBound)
                #expect(turn < 40)
            }
            #expect(seen == Set(0..<30))
        }
    }

    @Test(arguments: [(totalCountMax: 10, isAnswered: true), (totalCountMax: 9, isAnswered: false)])
    func `more of one moment than an answer holds is an error and not cut off`(totalCountMax: Int, isAnswered: Bool) async throws {
        let folder = try await folder()
        let access = try await folder.writing().reading
        let selection = EvolutionSelection(temporal: TemporalQuery(.before(noon.adding(seconds: 50)), of: .createdAt))
        let limits = EvolutionLimits(instanceCountMax: 4, totalCountMax: totalCountMax)
        do {
            let page = try await folder.broker.retrieveEvolution(of: lamp, selection, limits: limits, access, at: noon)
            #expect(isAnswered && values(page).count == 10)
        } catch CityError.tooManyResults {
            #expect(!isAnswered)
        }
    }

    @Test func `as many are counted as are answered`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        let other = try #require(IRI("urn:d:1"))
        for (number, value, dataset) in [(1, 1, nil), (2, "on", nil), (3, 3, other)] as [(Int, JSON, IRI?)] {
            let id = try #require(IRI("urn:ngsi-ld:Lamp:\(number)"))
            let instance = Attribute(kind: .property, value: value, datasetID: dataset, observedAt: noon)
            let entity = Entity(id: id, types: [iri("Lamp")], attributes: [iri("level"): [instance], iri("name"): [Attribute(kind: .property, value: "n")]])
            try await folder.broker.create(entity, access, at: noon)
        }
        let always = TemporalQuery(.after(noon), of: .createdAt), observed = TemporalQuery(.after(noon))
        let averages = AggregationRequest(methods: [.avg], period: PeriodDuration(months: 0, microseconds: 0))
        let level = try Projection(pick: "id,level", expand: { iri($0) })
        let selections: [(EvolutionSelection, Int)] = [
            (EvolutionSelection(temporal: observed), 3), (EvolutionSelection(temporal: observed, lastN: 1), 3),
            (EvolutionSelection(temporal: always, projection: level, datasets: try DatasetSelection(parsing: "urn:d:1")), 1),
            (EvolutionSelection(temporal: always, datasets: try DatasetSelection(parsing: "@none")), 3),
            (EvolutionSelection(temporal: observed, datasets: try DatasetSelection(parsing: "@none")), 2),
            (EvolutionSelection(temporal: observed, aggregation: averages), 2),
        ]
        for (selection, expected) in selections {
            for order in [nil, HistorySearch.Order.ascending] {
                let page = try await folder.broker.queryEvolutions(
                    EntityFilter(types: .type(iri("Lamp"))), selection, order: order, offset: 0, limit: 10, wantsCount: true, limits: .init(),
                    access.reading, at: noon)
                #expect(page.entities.count == expected)
                #expect(page.count == expected)
            }
        }
    }
}
