import CityModel
import GRDB
import OrderedCollections
@testable import Store
import Testing

/// The runs of a source that is fed for years.
@Suite struct ImportRunTests {
    private func run(_ source: String, _ folder: TemporaryStore, rejecting: Int64 = 0, isFinished: Bool = true, at now: Instant = noon) async throws -> Int64 {
        try await folder.file().write { transaction in
            let number = try transaction.beginImportRun(source: source, version: "1", at: now)
            if isFinished { try transaction.finishImportRun(number, report: ["rejected": .integer(rejecting)], at: now) }
            return number
        }
    }

    private func runs(_ source: String, _ folder: TemporaryStore) async throws -> [Int64] {
        try await folder.file().read { try Int64.fetchAll($0.db, sql: "SELECT id FROM import_run WHERE source = ? ORDER BY id", arguments: [source]) }
    }

    @Test func `the newest runs are kept, those that entities came from, and the last that rejected something`() async throws {
        let folder = try TemporaryStore()
        let other = try await run("other", folder)
        var numbers: [Int64] = []
        for index in 0..<250 {
            numbers.append(try await run("air", folder, rejecting: [10, 20].contains(index) ? 3 : 0))
            if index == 5 {
                let feeding = numbers[5]
                try await folder.file().write { try $0.insert(entity(1), provenance: .init(run: feeding), at: noon) }
            }
        }
        #expect(try await runs("air", folder) == [numbers[5], numbers[20]] + numbers.suffix(ImportRun.keptCount))
        #expect(try await runs("other", folder) == [other])
        // Another that rejects takes the place of the one before.
        numbers.append(try await run("air", folder, rejecting: 1))
        numbers.append(try await run("air", folder))
        #expect(try await runs("air", folder) == [numbers[5]] + numbers.suffix(ImportRun.keptCount))
        #expect(try await folder.file().verify().faults == [])
    }

    @Test(arguments: [(86_399.0, true), (86_401, false)])
    func `a run without an end is kept for a day`(seconds: Double, isKept: Bool) async throws {
        let folder = try TemporaryStore()
        let cutOff = try await run("air", folder, isFinished: false)
        for _ in 0..<ImportRun.keptCount { _ = try await run("air", folder, at: noon.adding(seconds: seconds)) }
        #expect(try await runs("air", folder).contains(cutOff) == isKept)
    }

    @Test func `removing a run looks at no entity that it did not feed`() async throws {
        let folder = try TemporaryStore()
        let plan = try await folder.file().read { snapshot in
            try String.fetchAll(
                snapshot.db, sql: "EXPLAIN QUERY PLAN SELECT 1 FROM entity WHERE run = 5", adapter: SuffixRowAdapter(fromIndex: 3)).joined()
        }
        #expect(plan.contains("entity_run"))
    }
}
