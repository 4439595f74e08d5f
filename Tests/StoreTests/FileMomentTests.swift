import CityModel
import OrderedCollections
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
        let first = file.moment
        _ = try await file.read { try $0.lastChangeNumber() }
        #expect(first.isCurrent)
        try await file.write { try $0.execute("CREATE TABLE pair (value INTEGER)") }
        #expect(!first.isCurrent)
        let second = file.moment
        file.endMoment()
        #expect(!second.isCurrent && file.moment.isCurrent)
        withExtendedLifetime(folder) {}
    }

    @Test func `a moment that includes what others are told after a commit begins when they were told`() async throws {
        let before = file.moment
        let seen = Mutex<[Bool]>([])
        let file = file
        try await file.write { transaction in
            try transaction.execute("CREATE TABLE pair (value INTEGER)")
            // Not yet: nothing of it can be seen by others.
            seen.withLock { $0.append(before.isCurrent) }
            transaction.onCommit { seen.withLock { $0.append(!file.moment.isCurrent && !before.isCurrent) } }
        }
        #expect(seen.withLock { $0 } == [true, true])
        #expect(file.moment.isCurrent)
        withExtendedLifetime(folder) {}
    }

    @Test func `a moment that begins while a commit is under way never is current`() async throws {
        let during = Mutex(FileMoment?.none)
        let file = file
        try await file.write { transaction in
            try transaction.execute("CREATE TABLE pair (value INTEGER)")
            transaction.onCommit { during.withLock { $0 = file.moment } }
        }
        let moment = try #require(during.withLock { $0 })
        #expect(!moment.isCurrent && moment.hasItsSettings)
        withExtendedLifetime(folder) {}
    }

    @Test func `settings are what they were until rules, consents, registrations or what is remembered besides change`() async throws {
        let file = file
        func endsSettings(_ body: @escaping @Sendable (WriteTransaction) throws -> Void) async throws -> Bool {
            let before = file.moment
            try await file.write(body)
            #expect(!before.isCurrent)
            return !before.hasItsSettings
        }
        #expect(try await !endsSettings { try $0.insert(entity(1, attributes: [iri("a"): property(1)]), provenance: .init(), at: noon) })
        #expect(try await endsSettings { try $0.put(.policy, "rules", ["text": ""], at: noon) })
        #expect(try await endsSettings { _ = try $0.removeDocument(.policy, "rules") })
        #expect(try await endsSettings { try $0.put(RegistrationRecord(id: "urn:r", body: [:], expiresAt: nil)) })
        #expect(try await endsSettings { _ = try $0.removeRegistration("urn:r") })
        let before = file.moment
        file.endMoment()
        #expect(!before.hasItsSettings && file.moment.hasItsSettings)
        // What is undone changed nothing.
        struct Refused: Error {}
        let kept = file.moment
        await #expect(throws: Refused.self) {
            try await file.write { transaction -> Void in
                try transaction.put(.policy, "rules", ["text": ""], at: noon)
                throw Refused()
            }
        }
        #expect(kept.hasItsSettings)
        withExtendedLifetime(folder) {}
    }

    @Test func `of a file that was closed no moment is current, whatever another opening of it does`() throws {
        let moment = file.moment
        try file.close()
        #expect(!moment.isCurrent && !moment.hasItsSettings && !file.moment.isCurrent)
        withExtendedLifetime(folder) {}
    }
}
