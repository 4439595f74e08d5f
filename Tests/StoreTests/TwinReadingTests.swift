import CityModel
@testable import Store
import Synchronization
import Testing

/// Reads that are shared between two connections.
@Suite struct TwinReadingTests {
    @Test func `both shares see one moment, however often others commit meanwhile`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try folder.file()
        try await file.write { try $0.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)") }
        try await file.write { try $0.execute("INSERT INTO pair VALUES (0, 0), (1, 0)") }
        let isDone = Atomic(false)
        let writing = Task {
            var count = 0
            while !isDone.load(ordering: .relaxed) {
                try await file.write { try $0.execute("UPDATE pair SET value = value + 1") }
                count += 1
            }
            return count
        }
        var seen: Set<Int> = []
        for _ in 0..<400 {
            let values = try await file.readShares { snapshot, share in
                try #require(try snapshot.row("SELECT value FROM pair WHERE id = ?", [share == .even ? 0 : 1])).decode(Int.self, atIndex: 0)
            }
            #expect(values.count == 2 && values[0] == values[1], "\(values)")
            seen.formUnion(values)
        }
        isDone.store(true, ordering: .relaxed)
        #expect(try await writing.value > 1 && seen.count > 1)
    }

    @Test func `each share is read once, and a fault of one ends both`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try folder.file()
        for _ in 0..<50 {
            let shares = try await file.readShares { _, share in share }
            #expect(shares.count == 2 && Set(shares) == [.even, .odd])
        }
        await #expect(throws: CityError.self) {
            _ = try await file.readShares { _, share -> Int in
                guard share == .even else { throw CityError.tooComplexQuery("odd") }
                return 0
            }
        }
        #expect(ReadShare.even.holds(4) && !ReadShare.even.holds(5) && ReadShare.odd.holds(-3) && !ReadShare.odd.holds(0))
    }
}
