import CityModel
import Foundation
import GRDB
import OrderedCollections
@testable import Store
import Testing

/// Whom entities are about, as the file keeps it.
@Suite struct SubjectTests {
    private func about(_ subject: String?, _ number: Int) -> Entity {
        entity(number, attributes: subject.map { [.dataSubject: property(.string($0))] } ?? [:])
    }

    private func known(_ folder: TemporaryStore, _ subject: String) async throws -> [String] {
        try await folder.file().read { try $0.entities(about: subject, limit: 100).map(\.id.text) }
    }

    @Test func `who an entity is about is known as long as anything is kept of it`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            try transaction.insert(about("ada", 1), provenance: .init(), at: noon)
            try transaction.insert(about("grace", 2), provenance: .init(), at: noon)
            try transaction.insert(about(nil, 3), provenance: .init(), at: noon)
        }
        #expect(try await known(folder, "ada") == [entityID(1).text])
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(3)))
            try transaction.update(stored, from: transaction.entity(stored), to: about("ada", 3), provenance: .init(), at: noon.adding(seconds: 1))
            let first = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(first, transaction.entity(first), at: noon.adding(seconds: 2))
        }
        let held = try await file.read { try $0.entities(about: "ada", limit: 100) }
        #expect(held.map(\.id) == [entityID(1), entityID(3)] && held.map(\.isCurrent) == [false, true])
        try await file.write { transaction in
            let past = try #require(try transaction.historicEntity(entityID(1), .special))
            try transaction.eraseHistory(of: past, at: noon.adding(seconds: 3))
        }
        #expect(try await known(folder, "ada") == [entityID(3).text])
        #expect(try await known(folder, "grace") == [entityID(2).text])
    }

    @Test func `a file from before knows whom its entities are about, also those that are gone`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0016-consents")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO term (id, iri) VALUES (1, '\(IRI.dataSubject.text)'), (2, 'https://example.org/Thing');
                    INSERT INTO entity (id, iri, version, classification, document) VALUES (7, 'urn:x:7', 1, 1, x'7B7D');
                    INSERT INTO entity_value (attribute, type, value, entity) VALUES (1, 2, 'ada', 7);
                    INSERT INTO past (id, iri, classification, created_us, modified_us, deleted_us, types) VALUES (8, 'urn:x:8', 1, 0, 0, 0, '2');
                    INSERT INTO instance (entity, attribute, dataset, at_us, late_us, form, value) VALUES (8, 1, '', 0, 0, 0, 'ada');
                    """)
        }
        try queue.close()
        #expect(try await known(folder, "ada") == ["urn:x:7", "urn:x:8"])
    }

    @Test func `looking up whom an entity is about, and what is about somebody, takes an index`() async throws {
        let queue = try DatabaseQueue()
        try Schema.migrator().migrate(queue)
        let plans = try await queue.read { db in
            try ["subject = 'a'", "entity = 1"].map { condition in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT * FROM subject_entity WHERE \(condition)").map { $0["detail"] as String }
            }
        }
        #expect(plans.allSatisfy { $0.allSatisfy { $0.contains("SEARCH") } })
    }

    @Test func `entities are taken out of notifications that wait, and no others`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let record = SubscriptionRecord(
            id: "urn:s:1", body: [:], interest: Interest(wantsEveryEntity: true, operations: [.created]), endpoint: "http://a", classificationMax: .special,
            isActive: true, expiresAt: nil, since: 0, due: nil)
        let bodies = [
            #"{"data":[{"id":"urn:x:1","a":1},{"id":"urn:x:2","a":2}]}"#, #"{"data":[{"id":"urn:x:1"}]}"#, #"{"data":[{"id":"urn:x:3","to":{"id":"urn:x:1"}},{"id":"urn:x:4"}]}"#,
            #"{"data":{"type":"FeatureCollection","features":[{"id":"urn:x:1"},{"id":"urn:x:5"}]}}"#, #"{"data":[{"a":1}]}"#, "no JSON",
        ]
        try await file.write { transaction in
            try transaction.insert(record)
            for body in bodies { try transaction.append(NewMessage(subscription: "urn:s:1", headers: [], body: Array(body.utf8)), at: noon) }
            try transaction.takeBack(["urn:x:1"])
        }
        let (left, size) = try await file.read { snapshot in
            (try snapshot.outbox(of: "urn:s:1", limit: 10, byteCountMax: 1 << 20).map { String(decoding: $0.body, as: UTF8.self) }, try snapshot.outboxSize(of: "urn:s:1"))
        }
        #expect(
            left == [
                #"{"data":[{"id":"urn:x:2","a":2}]}"#, #"{"data":[{"id":"urn:x:4"}]}"#, #"{"data":{"type":"FeatureCollection","features":[{"id":"urn:x:5"}]}}"#,
            ])
        #expect(size?.count == 3 && size?.byteCount == left.reduce(0) { $0 + $1.utf8.count })
    }

    @Test func `what is remembered as recorded is bounded, and forgotten with the hour`() {
        let memory = UseMemory(countMax: 3)
        memory.note(["a", "b"], at: noon)
        #expect(memory.knows("a", at: noon.adding(seconds: 3599)) && !memory.knows("a", at: noon.adding(seconds: 3600)) && !memory.knows("c", at: noon))
        memory.note(["c", "d"], at: noon)
        #expect(!memory.knows("a", at: noon) && memory.knows("d", at: noon), "full: recorded again rather than not at all")
    }
}
