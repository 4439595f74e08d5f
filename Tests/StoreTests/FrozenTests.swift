import CityModel
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// What a snapshot holds, and that reading it is reading the state (clauses 4.3.7 and 5.5.15).
@Suite struct FrozenTests {
    /// A file with a snapshot of its entities.
    private func frozen(_ entities: [Entity], classification: Classification = .open) async throws -> (TemporaryStore, MunicipalityFile, Int64) {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let number = try await file.write { transaction in
            for entity in entities { try transaction.insert(entity, provenance: Provenance(classification: classification), at: noon) }
            let number = try transaction.insert(record("urn:ngsi-ld:Snapshot:1"))
            for entity in entities {
                let stored = try #require(try transaction.storedEntity(entity.id))
                try transaction.freeze(EntityToFreeze(entity, classification: stored.classification, number: stored.number), in: number)
            }
            return number
        }
        return (folder, file, number)
    }

    private func record(_ id: String) -> SnapshotRecord {
        SnapshotRecord(id: id, body: [:], classificationMax: .special, priority: 5, createdAt: noon, expiresAt: noon.adding(seconds: 60))
    }

    private func ids(_ file: MunicipalityFile, _ filter: EntityFilter, _ classificationMax: Classification = .special) async throws -> [IRI] {
        try await file.read { snapshot in
            try snapshot.search(EntitySearch(filter: filter, classificationMax: classificationMax, limit: 100, now: noon)).entities.map(\.stored.id)
        }
    }

    private let place = Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [2.35, 48.85]])

    @Test func `frozen tables have the columns of those whose state they hold`() async throws {
        let (_, file, _) = try await frozen([])
        try await file.read { snapshot in
            for (table, _) in FrozenSchema.columns where table != "entity_place" {
                let live = Set(try snapshot.db.columns(in: table).map(\.name)).subtracting(["run"])
                #expect(Set(try snapshot.db.columns(in: "frozen_" + table).map(\.name)) == live.union(["snapshot"]), "\(table)")
            }
        }
    }

    @Test func `a snapshot stays as it was while the state changes`() async throws {
        let (folder, file, number) = try await frozen([entity(1, attributes: [iri("level"): property(5)]), entity(2)])
        _ = folder
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            let old = try transaction.entity(stored)
            try transaction.update(stored, from: old, to: entity(1, attributes: [iri("level"): property(9)]), provenance: .init(), at: noon)
            let other = try #require(try transaction.storedEntity(entityID(2)))
            try transaction.delete(other, transaction.entity(other), at: noon)
            try transaction.insert(entity(3), provenance: .init(), at: noon)
        }
        let snapshot = try file.frozen(number)
        #expect(try await ids(snapshot, EntityFilter(types: .type(iri("Thing")))) == [entityID(1), entityID(2)])
        let level = try await snapshot.read { view in
            try view.entity(try #require(try view.storedEntity(entityID(1)))).attributes[iri("level")]?.first?.value
        }
        #expect(level == 5)
        #expect(try await ids(file, EntityFilter(types: .type(iri("Thing")))) == [entityID(1), entityID(3)])
    }

    @Test func `every index of a snapshot finds what that of the state finds`() async throws {
        var lit = entity(1, attributes: [iri("level"): property(5), .location: [place]])
        lit.scopes = [try #require(Scope("/north/east"))]
        let (folder, file, number) = try await frozen([lit, entity(2, type: "Other", attributes: [iri("level"): property(7)])])
        _ = folder
        let filters = [
            EntityFilter(ids: [entityID(1)]), EntityFilter(types: .type(iri("Thing"))), EntityFilter(attributes: [iri("level")]),
            EntityFilter(query: try QueryExpression(parsing: "level==5", expand: { iri($0) })),
            EntityFilter(query: try QueryExpression(parsing: "level>5", expand: { iri($0) })),
            EntityFilter(scopes: try ScopeQuery(parsing: "/north/#")),
            EntityFilter(
                geo: try GeoQuery(
                    georel: "near;maxDistance==1000", geometry: "Point", coordinates: [2.35, 48.85], geoproperty: nil,
                    expand: { _ in .location })),
        ]
        for filter in filters {
            let found = try await ids(file, filter)
            #expect(!found.isEmpty)
            #expect(try await ids(file.frozen(number), filter) == found)
        }
    }

    @Test func `a look-up by type uses the index of the snapshot`() async throws {
        let (folder, file, number) = try await frozen([entity(1)])
        _ = folder
        let plan = try await file.frozen(number).read { snapshot in
            try Row.fetchAll(snapshot.db, sql: "EXPLAIN QUERY PLAN SELECT entity FROM entity_type WHERE type = 1")
                .compactMap { try? $0.decode(String.self, forColumn: "detail") }
        }
        #expect(plan == ["SEARCH frozen USING PRIMARY KEY (snapshot=? AND type=?)"])
    }

    @Test func `what became more confidential since is hidden from those who may not see it now`() async throws {
        let (folder, file, number) = try await frozen([entity(1), entity(2)])
        _ = folder
        let all = EntityFilter(types: .type(iri("Thing")))
        #expect(try await ids(file.frozen(number), all, .open).count == 2)
        try await file.write { transaction in
            for number in 1...2 {
                let stored = try #require(try transaction.storedEntity(entityID(number)))
                let entity = try transaction.entity(stored)
                try transaction.update(stored, from: entity, to: entity, provenance: Provenance(classification: .personal), at: noon)
            }
        }
        #expect(try await ids(file.frozen(number), all, .open) == [])
        // Also when it is gone since.
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon)
        }
        #expect(try await ids(file.frozen(number), all, .open) == [])
        #expect(try await ids(file.frozen(number), all, .personal).count == 2)
    }

    @Test func `a snapshot can't be written to`() async throws {
        let (folder, file, number) = try await frozen([entity(1)])
        _ = folder
        await #expect(throws: CityError.operationNotSupported("a snapshot can't be changed")) {
            try await file.frozen(number).write { try $0.insert(entity(2), provenance: .init(), at: noon) }
        }
    }

    @Test func `a copy holds what its original holds, and stays when that is erased`() async throws {
        let (folder, file, number) = try await frozen([entity(1, attributes: [.location: [place], iri("level"): property(5)])])
        _ = folder
        let copy = try await file.write { transaction in
            let copy = try transaction.insert(record("urn:ngsi-ld:Snapshot:2"))
            try transaction.copyFrozen(from: number, to: copy)
            try transaction.removeSnapshot(number)
            try transaction.eraseFrozen(number)
            return copy
        }
        #expect(try await ids(file.frozen(copy), EntityFilter(types: .type(iri("Thing")))) == [entityID(1)])
        #expect(try await ids(file.frozen(number), EntityFilter(types: .type(iri("Thing")))) == [])
        let left = try await file.read { snapshot in
            try FrozenSchema.columns.map { try Int.fetchOne(snapshot.db, sql: "SELECT count(*) FROM frozen_\($0.table) WHERE snapshot = \(number)") }
        }
        #expect(left.allSatisfy { $0 == 0 })
    }

    @Test func `the number of a removed snapshot is not used again`() async throws {
        let (folder, file, number) = try await frozen([])
        _ = folder
        let next = try await file.write { transaction in
            try transaction.removeSnapshot(number)
            return try transaction.insert(record("urn:ngsi-ld:Snapshot:1"))
        }
        #expect(next > number)
    }
}
