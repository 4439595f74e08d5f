import Broker
import CityModel
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// Time-stamped observations: the latest is current, all are history, and saying it twice changes nothing.
@Suite struct RecordingTests {
    private func observation(_ value: JSON, minute: Double?) -> ObservedEntity {
        ObservedEntity(id: lamp, types: [iri("Lamp")], attributes: [iri("level"): observed(value, minute: minute)])
    }

    private func current(_ folder: TemporaryBroker) async throws -> JSON? {
        let access = try await folder.writing().reading
        return try folder.broker.entity(try await folder.broker.retrieve(lamp, access, at: noon), access).attributes[iri("level")]?.first?.value
    }

    private func history(_ folder: TemporaryBroker) async throws -> [JSON] {
        let access = try await folder.writing().reading
        let day = noon.adding(seconds: -86_400)..<noon.adding(seconds: 86_400)
        return try await folder.broker.history(of: lamp, attribute: iri("level"), in: day, limit: 100, access, at: noon).map(\.value)
    }

    @Test(arguments: [[0.0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [0, 3, 1, 2]])
    func `whatever the order, the latest is current and all are history`(minutes: [Double]) async throws {
        for groupCount in [1, 2, 4] {
            let folder = try TemporaryBroker()
            let access = try await folder.writing()
            let all = minutes.map { observation(.number($0 * 10 + 0.5), minute: $0) }
            for start in stride(from: 0, to: 4, by: groupCount) {
                let group = Array(all[start..<(start + groupCount)])
                _ = try await folder.broker.record(group, provenance: .init(), access, at: .now)
            }
            #expect(try await current(folder) == 30.5)
            #expect(try await history(folder) == [0.5, 10.5, 20.5, 30.5])
            let again = try await folder.broker.record(all, provenance: .init(), access, at: .now)
            #expect(again == Array(repeating: .unchanged, count: 4))
            #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
        }
    }

    @Test func `the outcome says what became of each observation`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        let outcomes = try await folder.broker.record(
            [observation(1, minute: 1), observation(2, minute: 2), observation(0, minute: 0), observation(2, minute: 2)], provenance: .init(), access,
            at: .now)
        #expect(outcomes == [.created, .updated, .historic, .unchanged])
    }

    @Test func `without a time a new value replaces the old and the same changes nothing`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        var outcomes: [RecordingOutcome] = []
        for value: JSON in ["on", "on", "off"] {
            outcomes += try await folder.broker.record([observation(value, minute: nil)], provenance: .init(), access, at: .now)
        }
        #expect(outcomes == [.created, .unchanged, .updated])
        #expect(try await history(folder).isEmpty)  // recorded now, which is not the day of the test's data
    }

    @Test func `what has no time of its own is taken from the newest observation, however often it is said`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        let moves = [(2.0, "after"), (0, "before"), (1, "between")].map { minute, place in
            ObservedEntity(
                id: lamp, types: [iri("Lamp")],
                attributes: [iri("level"): observed(.number(minute), minute: minute), iri("place"): observed(.string(place), minute: nil)],
                observedAt: noon.adding(seconds: minute * 60))
        }
        for expected in [[RecordingOutcome.created, .historic, .historic], [.unchanged, .unchanged, .unchanged]] {
            #expect(try await folder.broker.record(moves, provenance: .init(), access, at: .now) == expected)
            let found = try await folder.broker.retrieve(lamp, access.reading, at: noon)
            #expect(try folder.broker.entity(found, access.reading).instance(of: iri("place"))?.value == "after")
        }
    }

    @Test(arguments: [nil, 0.0], [true, false])
    func `of several values for one moment in one write the last stays`(minute: Double?, isKnown: Bool) async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        let begin = noon.adding(seconds: -3600), now = noon.adding(seconds: 3600)
        if isKnown { _ = try await folder.broker.record([observation(9, minute: -120)], provenance: .init(), access, at: begin) }
        let values = [1, 2, 3, 4].map { observation(.integer($0), minute: minute) }
        _ = try await folder.broker.record(values, provenance: .init(), access, at: now)
        #expect(try await current(folder) == 4)
        #expect(try await history(folder) == (isKnown ? [9, 4] : [4]))
        // Late ones, of a moment before the newest.
        _ = try await folder.broker.record([observation(5, minute: -30), observation(6, minute: -30)], provenance: .init(), access, at: now)
        if minute != nil { #expect(try await history(folder) == (isKnown ? [9, 6, 4] : [6, 4])) }
        #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
    }

    @Test func `what a source says again under another classification is classified so`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        let open = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        for (classification, outcome) in [(Classification.open, RecordingOutcome.created), (.special, .updated), (.special, .unchanged), (.open, .updated)] {
            let outcomes = try await folder.broker.record(
                [observation(1, minute: 1)], provenance: .init(classification: classification), access, at: .now)
            #expect(outcomes == [outcome])
            let query = EntityQuery(filter: EntityFilter(types: .type(iri("Lamp"))), limit: 1, wantsCount: true)
            #expect(try await folder.broker.query(query, open, at: .now).count == (classification == .open ? 1 : 0))
        }
        #expect(try await history(folder) == [1])
    }

    @Test func `a correction of the same moment replaces what history held`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        for value: JSON in [1, 2] {
            _ = try await folder.broker.record([observation(value, minute: 0)], provenance: .init(), access, at: .now)
        }
        #expect(try await current(folder) == 2)
        #expect(try await history(folder) == [2])
    }
}
