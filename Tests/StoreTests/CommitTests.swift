import CityModel
import Store
import Synchronization
import Testing

@Suite struct CommitTests {
    struct Refused: Error {}
    private final class Counts: Sendable {
        let begun = Atomic(0), answered = Atomic(0)
    }

    @Test func `writes that come together are each there afterwards`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask { try await file.write { try $0.insert(entity(number), provenance: .init(), at: noon) } }
            }
            try await group.waitForAll()
        }
        #expect(try await file.read { try $0.entityCount() } == 500)
        #expect(try await file.verify().faults == [])
    }

    /// Each of them takes longer than a transaction may.
    @Test func `a transaction ends after its time, and those in it are answered while others work`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let counts = Counts()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let wasInTime = try await file.write { transaction in
                        let place = counts.begun.add(1, ordering: .sequentiallyConsistent).newValue
                        try transaction.insert(entity(number), provenance: .init(), at: noon)
                        let start = ContinuousClock.now
                        while ContinuousClock.now - start < .milliseconds(110) {}
                        // Those before the last one are on disk; that they hear of it takes a moment.
                        while counts.answered.load(ordering: .sequentiallyConsistent) < place - 2, ContinuousClock.now - start < .seconds(20) {}
                        return counts.answered.load(ordering: .sequentiallyConsistent) >= place - 2
                    }
                    counts.answered.add(1, ordering: .sequentiallyConsistent)
                    return wasInTime
                }
            }
            for try await wasInTime in group { #expect(wasInTime) }
        }
        #expect(try await file.read { try $0.entityCount() } == 8)
    }

    @Test func `a write that throws leaves nothing and disturbs no other`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask {
                    do {
                        try await file.write { transaction in
                            try transaction.insert(entity(number, type: "Kind\(number)"), provenance: .init(), at: noon)
                            if number % 3 == 0 { throw Refused() }
                        }
                        return true
                    } catch { return false }
                }
            }
            var succeeded = 0
            for await success in group where success { succeeded += 1 }
            #expect(succeeded == 200)
        }
        let types = try await file.read { try $0.types(.special) }
        #expect(types.count == 200)
        #expect(!types.contains(iri("Kind0")))
        let report = try await file.verify()
        #expect((report.entityCount, report.changeCount) == (200, 200))
        #expect(report.faults == [])
    }

    @Test func `a name that a rolled-back write brought can come again`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        await #expect(throws: Refused.self) {
            try await file.write { transaction in
                try transaction.insert(entity(1, type: "Fresh"), provenance: .init(), at: noon)
                throw Refused()
            }
        }
        #expect(file.terms.number(of: iri("Fresh")) == nil)
        try await file.write { try $0.insert(entity(1, type: "Fresh"), provenance: .init(), at: noon) }
        #expect(try await file.read { try $0.types(.special) } == [iri("Fresh")])
    }

    @Test func `an attempt that throws undoes only itself`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.insert(entity(1), provenance: .init(), at: noon)
            #expect(throws: Refused.self) {
                try transaction.attempt {
                    try transaction.insert(entity(2, type: "Lost"), provenance: .init(), at: noon)
                    throw Refused()
                }
            }
            try transaction.insert(entity(3), provenance: .init(), at: noon)
        }
        let changes = try await file.read { try $0.changes(after: 0, limit: 10) }
        #expect(changes.map(\.entityID) == [entityID(1), entityID(3)])
        #expect(changes.map(\.seq) == [1, 2])
        #expect(try await file.verify().faults == [])
    }
}
