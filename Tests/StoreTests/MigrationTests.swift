import CityModel
import Foundation
import GRDB
import OrderedCollections
@testable import Store
import Testing

@Suite struct MigrationTests {
    @Test func `a file of the first version opens with what it holds, and takes subscriptions`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0001-entities")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO change (seq, operation, at_us, entity, iri, classification, types, attributes)
                    VALUES (7, 3, 0, 1, 'urn:x:1', 1, '', '');
                    INSERT INTO document (kind, id, body, modified_us) VALUES ('setting', 'a', x'226B65707422', 0);
                    """)
        }
        try queue.close()
        let record = SubscriptionRecord(
            id: "urn:s:1", body: [:], interest: Interest(wantsEveryEntity: true, operations: [.created]), endpoint: "http://a",
            classificationMax: .special, isActive: true, expiresAt: nil, since: 7, due: nil)
        try await folder.file().write { try $0.insert(record) }
        try await folder.file().write { try $0.insert(entity(1), provenance: .init(), at: noon) }
        let (setting, watched) = try await folder.file().read { snapshot in
            (try snapshot.document(.setting, "a")?.body, try snapshot.watchedChanges(limit: 9, byteCountMax: 1 << 20).map(\.seq))
        }
        #expect(setting == "kept")
        #expect(watched == [8])
    }

    @Test func `a file without registrations keeps its subscriptions and takes registrations`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0003-subscriptions")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO subscription (id, revision, body, interest, endpoint, classification_max, active, since)
                    VALUES ('urn:s:1', 1, x'7B7D', x'7B7D', 'http://a.example', 0, 1, 0)
                    """)
        }
        try queue.close()
        let revision = try folder.file().registrations.revision
        try await folder.file().write { try $0.put(RegistrationRecord(id: "urn:r:1", body: ["a": 1], expiresAt: noon)) }
        let (isAboutSources, registrations) = try await folder.file().read { snapshot in
            (try snapshot.subscription("urn:s:1")?.isAboutSources, try snapshot.registrations().map(\.id))
        }
        #expect(isAboutSources == false)
        #expect(registrations == ["urn:r:1"])
        #expect(try folder.file().registrations.revision != revision)
        #expect(try await folder.file().read { try $0.expiredRegistrations(at: noon, limit: 9).count } == 1)
    }
}
