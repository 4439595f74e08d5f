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
}
