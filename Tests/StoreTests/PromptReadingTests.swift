import CityModel
import OrderedCollections
import Store
import Synchronization
import Testing

@Suite struct PromptReadingTests {
    private static func city(_ folder: TemporaryStore, count: Int) async throws -> MunicipalityFile {
        let file = try folder.file()
        try await file.write { transaction in
            for number in 0..<count { try transaction.insert(entity(number, attributes: [iri("turn"): property(0)]), provenance: .init(), at: noon) }
        }
        return file
    }

    @Test func `what takes longer than a moment is broken off and read again from its beginning`() async throws {
        let folder = try TemporaryStore()
        let file = try await Self.city(folder, count: 500)
        let begun = Mutex(0)
        let counted = try await file.readPromptly { snapshot in
            begun.withLock { $0 += 1 }
            let end = ContinuousClock.now + .milliseconds(50)
            // Whoever takes the fault for something else, and goes on, has no say.
            var count: Int? = 0
            while count != nil, ContinuousClock.now < end { count = try? snapshot.entityCount(.special) }
            return count
        }
        #expect(counted == 500)
        #expect(begun.withLock { $0 } == 2)
    }

    /// SQLite looks at the clock every thousand steps of a statement, those of earlier runs with them: among so many reads each statement of a read is looked at several times.
    @Test func `one that has no time at all is read elsewhere, whatever it did when its time was over`() async throws {
        let folder = try TemporaryStore(limits: StoreLimits(promptReadMax: .zero))
        let file = try await Self.city(folder, count: 1)
        for _ in 0..<3000 { #expect(try await file.readPromptly { try $0.storedEntity(entityID(0))?.id } == entityID(0)) }
    }

    @Test func `a fault of its own is thrown, and the connection serves others`() async throws {
        struct Refused: Error {}
        let folder = try TemporaryStore()
        let file = try await Self.city(folder, count: 3)
        for _ in 0..<20 {
            await #expect(throws: Refused.self) {
                try await file.readPromptly { snapshot -> Int in
                    _ = try snapshot.entityCount(.special)
                    throw Refused()
                }
            }
            #expect(try await file.readPromptly { try $0.entityCount(.special) } == 3)
        }
    }

    @Test func `many read at once, each what one commit left`() async throws {
        let folder = try TemporaryStore()
        let file = try await Self.city(folder, count: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for turn in 1...40 {
                group.addTask {
                    try await file.write { transaction in
                        for number in 0..<2 {
                            guard let stored = try transaction.storedEntity(entityID(number)) else { continue }
                            let old = try transaction.entity(stored)
                            try transaction.update(
                                stored, from: old, to: entity(number, attributes: [iri("turn"): property(.integer(Int64(turn)))]), provenance: .init(),
                                at: noon)
                        }
                    }
                }
                for _ in 0..<5 {
                    group.addTask {
                        let turns = try await file.readPromptly { snapshot in
                            try (0..<2).map { number in
                                try snapshot.storedEntity(entityID(number)).map { try snapshot.entity($0).attributes[iri("turn")]?.first?.value }
                            }
                        }
                        #expect(turns[0] != nil && turns[0] == turns[1])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
