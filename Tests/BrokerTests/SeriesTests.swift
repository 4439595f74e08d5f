import Broker
import CityModel
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// Figures over time, of what an access lets be seen.
@Suite struct SeriesTests {
    private let level = iri("level")

    private func answer(
        _ folder: TemporaryBroker, _ access: ReadAccess, _ names: [String] = ["count", "sum"], grouping: SeriesGrouping = .all, every: String? = nil
    ) async throws -> SeriesAnswer {
        let grid = try PeriodGrid(
            noon..<noon.adding(seconds: 3600), every: every.flatMap(PeriodDuration.init), zone: .utc, countMax: 100)
        let question = SeriesQuestion(
            filter: EntityFilter(types: .type(iri("Lamp"))), attributes: [level], grid: grid, functions: try names.map { try #require(SeriesFunction($0)) },
            grouping: grouping, limit: 100)
        return try await folder.broker.answer(question, access, at: noon.adding(seconds: 7200))
    }

    private func add(_ number: Int, _ values: [(Double, JSON)], _ classification: Classification, to folder: TemporaryBroker) async throws {
        let id = try #require(IRI("urn:ngsi-ld:Lamp:\(number)"))
        let access = try await folder.writing()
        for (index, (minute, value)) in values.enumerated() {
            let attributes: Attributes = [level: observed(value, minute: minute)]
            if index == 0 {
                let entity = Entity(id: id, types: [iri("Lamp")], attributes: attributes)
                try await folder.broker.create(entity, access, at: noon, provenance: Provenance(classification: classification))
            } else {
                let again = ObservedEntity(id: id, types: [iri("Lamp")], attributes: attributes)
                _ = try await folder.broker.record([again], provenance: Provenance(classification: classification), access, at: noon.adding(seconds: Double(index)))
            }
        }
    }

    @Test func `what may not be seen is in no figure and no group`() async throws {
        let folder = try TemporaryBroker()
        try await add(1, [(1, 10)], .open, to: folder)
        try await add(2, [(2, 500)], .internalUse, to: folder)
        let stranger = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        #expect(try await answer(folder, stranger).groups.map(\.values) == [[[1], [10]]])
        #expect(try await answer(folder, stranger, grouping: .entity).groupCount == 1)
        let staff = try await folder.writing().reading
        #expect(try await answer(folder, staff).groups.map(\.values) == [[[2], [510]]])
    }

    @Test func `an entity that is gone is in the figures of when it was there`() async throws {
        let folder = try TemporaryBroker()
        try await add(1, [(1, 10)], .open, to: folder)
        try await folder.broker.delete(lamp, folder.writing(), at: noon.adding(seconds: 1800))
        let access = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let found = try await answer(folder, access, ["sum", "timeAvg"], grouping: .entity, every: "PT15M").groups
        #expect(found.map(\.key) == [lamp.text])
        // Its deletion ends what its last value holds.
        #expect(found.map(\.values) == [[[10, nil, nil, nil], [10, 10, nil, nil]]])
    }

    @Test func `of several records of one moment the last counts`() async throws {
        let folder = try TemporaryBroker()
        try await add(1, [(1, 10), (1, 20), (2, "none"), (3, 5)], .open, to: folder)
        let access = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        #expect(try await answer(folder, access).groups.map(\.values) == [[[2], [25]]])
    }

    @Test(arguments: ["PT1M", "PT10M", nil], [["count", "sum", "avg", "min", "max", "stddev", "first", "last"], ["p95", "timeAvg", "increase", "sum"]])
    func `what was sealed comes to the same`(every: String?, names: [String]) async throws {
        let folder = try TemporaryBroker()
        for part in Self.parts { try await add(part, to: folder) }
        let access = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let before = try await answer(folder, access, names, every: every).groups
        let file = try folder.store.file(TemporaryBroker.name)
        var sealedCount = 0
        for end in [20.0, 40, 60] { sealedCount += try await file.seal(SealingPolicy(before: noon.adding(seconds: end * 60), rowCountMin: 100)).rowCount }
        #expect(sealedCount > 1000)
        try await add([(10.05, 77), (33.3, 5)], to: folder)
        let late = try await answer(folder, access, names, every: every).groups
        let unsealed = try TemporaryBroker()
        for part in Self.parts { try await add(part, to: unsealed) }
        try await add([(10.05, 77), (33.3, 5)], to: unsealed)
        let open = try await unsealed.gatekeeper.reading(TemporaryBroker.name, .none)
        #expect(try await answer(unsealed, open, names, every: every).groups.map(\.values) == late.map(\.values))
        #expect(before.map(\.values) != late.map(\.values))
    }

    /// An hour of a value each second or so, more than one block; some of one moment, for they correct others, and texts between.
    private static let parts: [[(Double, JSON)]] = (0..<3).map { part in
        (0..<500).map { index in
            let second = Double(part * 500 + index) * 2.2
            let value = index % 50 == 9 ? JSON.string("none") : .number(Double((index * 37) % 101) / 10)
            return ((second / (index % 20 == 0 ? 60 : 1)).rounded(.down) / (index % 20 == 0 ? 1 : 60), value)
        }
    }

    /// Observations of one lamp, in one write.
    private func add(_ values: [(Double, JSON)], to folder: TemporaryBroker) async throws {
        let observations = values.map { ObservedEntity(id: lamp, types: [iri("Lamp")], attributes: [level: observed($0.1, minute: $0.0)]) }
        _ = try await folder.broker.record(observations, provenance: Provenance(classification: .open), folder.writing(), at: noon.adding(seconds: 7000))
    }
}
