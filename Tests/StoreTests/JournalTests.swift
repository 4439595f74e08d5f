import CityModel
import OrderedCollections
import Store
import Testing

@Suite struct JournalTests {
    @Test func `changes are told in order with what they changed`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let before = entity(1, attributes: [iri("a"): property(1), iri("b"): property(2)])
        let after = entity(1, attributes: [iri("a"): property(1), iri("c"): property(3)])
        try await file.write { try $0.insert(before, provenance: .init(), at: noon) }
        try await file.write { transaction in
            guard let stored = try transaction.storedEntity(entityID(1)) else { return }
            try transaction.update(stored, from: before, to: after, provenance: .init(), at: noon)
        }
        try await file.write { transaction in
            guard let stored = try transaction.storedEntity(entityID(1)) else { return }
            try transaction.delete(stored, after, at: noon)
        }
        let changes = try await file.read { try $0.changes(after: 0, limit: 10) }
        #expect(changes.map(\.seq) == [1, 2, 3])
        #expect(changes.map(\.operation) == [.created, .updated, .deleted])
        #expect(Set(changes[1].attributes) == [iri("b"), iri("c")])
        #expect(try await file.verify().faults == [])
    }

    @Test func `a follower wakes with the newest number and misses none`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let numbers = file.journal.numbers()
        for number in 0..<10 { try await file.write { try $0.insert(entity(number), provenance: .init(), at: noon) } }
        for await newest in numbers where newest == 10 { break }
        #expect(try await file.read { try $0.changes(after: 0, limit: 100) }.count == 10)
    }

    @Test func `the journal keeps what a follower has not passed`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        for number in 0..<20 { try await file.write { try $0.insert(entity(number), provenance: .init(), at: noon) } }
        try await file.write { try $0.moveCursor(of: "slow", to: 5) }
        try await file.write { try $0.moveCursor(of: "fast", to: 18) }
        try await file.write { try $0.trimJournal(keeping: 1, atMost: 100) }
        #expect(try await file.read { try $0.firstChangeNumber() } == 6)
        try await file.write { try $0.moveCursor(of: "slow", to: 20) }
        try await file.write { try $0.trimJournal(keeping: 0, atMost: 100) }
        #expect(try await file.read { try $0.changes(after: 0, limit: 10) }.map(\.seq) == [19, 20])
        #expect(try await file.read { try $0.cursor(of: "slow") } == 20)
    }

    @Test func `numbers go on after the journal was trimmed and the file opened again`() async throws {
        let folder = try TemporaryStore()
        for number in 0..<3 { try await folder.file().write { try $0.insert(entity(number), provenance: .init(), at: noon) } }
        try await folder.file().write { try $0.trimJournal(keeping: 0, atMost: 100) }
        try folder.store.close()
        try await folder.file().write { try $0.insert(entity(9), provenance: .init(), at: noon) }
        #expect(try await folder.file().read { try $0.lastChangeNumber() } == 4)
    }
}
