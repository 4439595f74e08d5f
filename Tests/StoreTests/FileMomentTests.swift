import CityModel
import Synchronization
import Testing

@testable import Store

/// Whether a municipality's file still holds what it held.
@Suite struct FileMomentTests {
    private let folder: TemporaryStore
    private let file: MunicipalityFile

    init() throws {
        folder = try TemporaryStore()
        file = try folder.file()
    }

    @Test func `reads end no moment, writes do, and so does what is rolled back`() async throws {
        let first = try #require(file.moment)
        _ = try await file.read { try $0.lastChangeNumber() }
        #expect(first.isCurrent)
        try await file.write { try $0.execute("CREATE TABLE pair (value INTEGER)") }
        #expect(!first.isCurrent)
        let second = try #require(file.moment)
        file.endMoment()
        #expect(!second.isCurrent && file.moment?.isCurrent == true)
        withExtendedLifetime(folder) {}
    }

    @Test func `a moment that includes what others are told after a commit begins when they were told`() async throws {
        let before = try #require(file.moment)
        let seen = Mutex<[Bool]>([])
        let file = file
        try await file.write { transaction in
            try transaction.execute("CREATE TABLE pair (value INTEGER)")
            // Not yet: nothing of it can be seen by others.
            seen.withLock { $0.append(before.isCurrent) }
            transaction.onCommit { seen.withLock { $0.append(file.moment == nil && !before.isCurrent) } }
        }
        #expect(seen.withLock { $0 } == [true, true])
        #expect(file.moment?.isCurrent == true)
        withExtendedLifetime(folder) {}
    }

    @Test func `of a file that was closed there is no moment, whatever another opening of it does`() throws {
        let moment = try #require(file.moment)
        try file.close()
        #expect(!moment.isCurrent && file.moment == nil)
        withExtendedLifetime(folder) {}
    }
}
