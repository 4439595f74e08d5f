import CityModel
import Foundation
import GRDB
import OrderedCollections
import Store
import Testing

@Suite struct LifeCycleTests {
    @Test func `what was written is there when the store is opened again`() async throws {
        let folder = try TemporaryStore()
        let attributes: Attributes = [iri("level"): property(3.5), iri("name"): property("Lamp")]
        try await folder.file().write { try $0.insert(entity(7, attributes: attributes), provenance: .init(classification: .open, run: nil), at: noon) }
        try folder.store.close()
        let stored = try await folder.file().read { snapshot in
            try snapshot.storedEntity(entityID(7)).map { ($0.classification, try snapshot.entity($0)) }
        }
        #expect(stored?.0 == .open)
        #expect(stored?.1.attributes == attributes)
    }

    @Test func `a second process is kept out`() throws {
        let folder = try TemporaryStore()
        #expect(throws: StoreError.locked(directory: folder.path)) { try Store(directory: folder.path) }
    }

    @Test func `a file from a newer version is refused`() async throws {
        let folder = try TemporaryStore()
        _ = try folder.file()
        try folder.store.close()
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999-later')") }
        try queue.close()
        #expect(throws: StoreError.newerVersion(TemporaryStore.name)) { try folder.file() }
    }

    @Test func `as many municipalities as one likes work with few open files`() async throws {
        let folder = try TemporaryStore(limits: StoreLimits(openFileCountMax: 4))
        let names = (0..<60).compactMap { MunicipalityName("m\($0)") }
        for round in 0..<2 {
            for name in names {
                try await folder.file(name).write { try $0.insert(entity(round), provenance: .init(), at: noon) }
                #expect(folder.store.openFileCount <= 4)
            }
        }
        for name in names { #expect(try await folder.file(name).read { try $0.entityCount() } == 2) }
        #expect(try folder.store.municipalities().count == 60)
    }

    @Test func `a backup restored elsewhere holds the same`() async throws {
        let here = try TemporaryStore()
        let there = try TemporaryStore()
        for number in 0..<50 {
            try await here.file().write { try $0.insert(entity(number, attributes: [iri("n"): property(.integer(Int64(number)))]), provenance: .init(), at: noon) }
        }
        let backup = here.path + "/backup.sqlite"
        try await here.file().copy(to: backup)
        try await there.store.restore(TemporaryStore.name, from: backup)
        let original = try await here.file().read { try $0.entities(after: 0, limit: 100).map(\.document) }
        #expect(try await there.file().read { try $0.entities(after: 0, limit: 100).map(\.document) } == original)
        #expect(try await there.file().verify().faults == [])
        await #expect(throws: StoreError.alreadyExists(TemporaryStore.name)) { try await there.store.restore(TemporaryStore.name, from: backup) }
    }

    @Test func `what is no municipality's file is not restored`() async throws {
        let folder = try TemporaryStore()
        let path = folder.path + "/other.sqlite"
        try await DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE t (x)") }
        await #expect(throws: StoreError.notAMunicipality(path: path)) { try await folder.store.restore(TemporaryStore.name, from: path) }
        #expect(!folder.store.exists(TemporaryStore.name))
    }

    @Test(arguments: [
        ("DELETE FROM entity_type", "type"), ("DELETE FROM entity_value", "value"), ("DELETE FROM entity_place", "place"),
        ("DELETE FROM entity_scope", "scope"), ("UPDATE entity SET version = 99", "version"),
        ("UPDATE entity SET document = x'7B'", "document"), ("INSERT INTO entity_type VALUES (1, 99)", "not there"),
    ])
    func `verification finds what does not agree`(damage: String, word: String) async throws {
        let folder = try TemporaryStore()
        var thing = entity(1, attributes: [
            iri("n"): property(1), .location: [Attribute(kind: .geoProperty, value: try Geometry(longitude: 3.8, latitude: 43.6).json)],
        ])
        thing.scopes = [try #require(Scope("/A/B"))]
        let stored = thing
        try await folder.file().write { try $0.insert(stored, provenance: .init(), at: noon) }
        #expect(try await folder.file().verify().faults == [])
        try folder.store.close()
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try await queue.write { try $0.execute(sql: damage) }
        try queue.close()
        let faults = try await folder.file().verify().faults
        #expect(faults.contains { $0.contains(word) }, "\(faults)")
    }
}
