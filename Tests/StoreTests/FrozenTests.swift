import CityModel
import Foundation
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// What a snapshot holds, and that it is a file like that of its municipality (clauses 4.3.7 and 5.5.15).
@Suite struct FrozenTests {
    /// A file with a snapshot of its entities.
    private func frozen(
        _ entities: [Entity], classification: Classification = .open
    ) async throws -> (TemporaryStore, MunicipalityFile, MunicipalityFile) {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            for entity in entities { try transaction.insert(entity, provenance: Provenance(classification: classification), at: noon) }
        }
        let snapshot = try await frozenFile(folder, file) { transaction, found in for one in found { try transaction.freeze(one) } } reading: { view in
            try entities.map { entity -> EntityToFreeze in
                let stored = try #require(try view.storedEntity(entity.id))
                return EntityToFreeze(entity, classification: stored.classification, number: stored.number)
            }
        }
        return (folder, file, snapshot)
    }

    private func ids(_ file: MunicipalityFile, _ filter: EntityFilter, _ classificationMax: Classification = .special) async throws -> [IRI] {
        try await file.read { snapshot in
            try snapshot.search(EntitySearch(filter: filter, classificationMax: classificationMax, limit: 100, now: noon)).entities.map(\.stored.id)
        }
    }

    private let place = Attribute(kind: .geoProperty, value: ["type": "Point", "coordinates": [2.35, 48.85]])
    private let things = EntityFilter(types: .type(iri("Thing")))

    private func classify(_ file: MunicipalityFile, _ number: Int, _ classification: Classification) async throws {
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(number)))
            let entity = try transaction.entity(stored)
            try transaction.update(stored, from: entity, to: entity, provenance: Provenance(classification: classification), at: noon)
        }
    }

    /// Numbers that the snapshot gave lie far beyond those of the file, and don't fall together with them in the index by place.
    @Test func `what only a context source has is found by its place, beside what is here`() async throws {
        let (folder, _, snapshot) = try await frozen([entity(1, attributes: [.location: [place]])])
        defer { withExtendedLifetime(folder) {} }
        var there = place
        there.value = ["type": "Point", "coordinates": [3.5, 43.6]]
        try await snapshot.write { [place, there] transaction in
            for (number, place) in [(7, there), (8, place), (9, there)] {
                try transaction.freeze(EntityToFreeze(entity(number, attributes: [.location: [place]]), classification: .open, number: nil))
            }
        }
        func near(_ longitude: Double, _ latitude: Double) throws -> EntityFilter {
            EntityFilter(geo: try GeoQuery(
                georel: "near;maxDistance==100", geometry: "Point", coordinates: [.number(longitude), .number(latitude)], geoproperty: nil, expand: { _ in .location }))
        }
        #expect(try await Set(ids(snapshot, near(3.5, 43.6))) == [entityID(7), entityID(9)])
        #expect(try await Set(ids(snapshot, near(2.35, 48.85))) == [entityID(1), entityID(8)])
        try await snapshot.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(7)))
            #expect(stored.number > WriteTransaction.foreignNumberMin)
            try transaction.delete(stored, transaction.entity(stored), at: noon)
        }
        #expect(try await ids(snapshot, near(3.5, 43.6)) == [entityID(9)])
        #expect(try await snapshot.verify().faults == [])
    }

    @Test func `a snapshot stays as it was while the state changes, and the state while the snapshot does`() async throws {
        let (folder, file, snapshot) = try await frozen([entity(1, attributes: [iri("level"): property(5)]), entity(2)])
        defer { withExtendedLifetime(folder) {} }
        func change(_ file: MunicipalityFile, level: JSON, new: Int) async throws {
            try await file.write { transaction in
                let stored = try #require(try transaction.storedEntity(entityID(1)))
                let old = try transaction.entity(stored)
                try transaction.update(stored, from: old, to: entity(1, attributes: [iri("level"): property(level)]), provenance: .init(), at: noon)
                let other = try #require(try transaction.storedEntity(entityID(2)))
                try transaction.delete(other, transaction.entity(other), at: noon)
                try transaction.insert(entity(new), provenance: .init(), at: noon)
            }
        }
        func level(_ file: MunicipalityFile) async throws -> JSON? {
            try await file.read { view in try view.entity(try #require(try view.storedEntity(entityID(1)))).attributes[iri("level")]?.first?.value }
        }
        try await change(file, level: 9, new: 3)
        #expect(try await ids(snapshot, things) == [entityID(1), entityID(2)])
        #expect(try await level(snapshot) == 5)
        try await change(snapshot, level: 7, new: 4)
        #expect(try await ids(file, things) == [entityID(1), entityID(3)])
        #expect(try await ids(snapshot, things) == [entityID(1), entityID(4)])
        #expect(try await level(file) == 9)
        #expect(try await level(snapshot) == 7)
        for each in [file, snapshot] { #expect(try await each.verify().faults.isEmpty) }
    }

    @Test func `every index of a snapshot finds what that of the state finds`() async throws {
        var lit = entity(1, attributes: [iri("level"): property(5), .location: [place]])
        lit.scopes = [try #require(Scope("/north/east"))]
        let (folder, file, snapshot) = try await frozen([lit, entity(2, type: "Other", attributes: [iri("level"): property(7)])])
        defer { withExtendedLifetime(folder) {} }
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
            #expect(try await ids(snapshot, filter) == found)
        }
    }

    @Test func `what became more confidential since is hidden in a snapshot from those who may not see it now`() async throws {
        let (folder, file, snapshot) = try await frozen([entity(1), entity(2)])
        #expect(try await ids(snapshot, things, .open).count == 2)
        for number in 1...2 { try await classify(file, number, .personal) }
        try await folder.store.followClassifications(in: snapshot.name)
        #expect(try await ids(snapshot, things, .open) == [])
        // Also when it is gone since, or open again: who may see the copy is not for a later source to say.
        try await file.write { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon)
        }
        try await classify(file, 2, .open)
        try await folder.store.followClassifications(in: snapshot.name)
        #expect(try await ids(snapshot, things, .open) == [])
        #expect(try await ids(snapshot, things, .personal).count == 2)
    }

    @Test func `a snapshot follows the classification of what comes back as confidential, and of any number`() async throws {
        let (folder, file, snapshot) = try await frozen((0..<1_201).map { entity($0) })
        try await file.write { transaction in
            for number in 0..<1_201 {
                let stored = try #require(try transaction.storedEntity(entityID(number)))
                try transaction.delete(stored, transaction.entity(stored), at: noon)
            }
            for number in 0..<1_201 where number != 7 {
                try transaction.insert(entity(number), provenance: Provenance(classification: .internalUse), at: noon)
            }
        }
        try await folder.store.followClassifications(in: snapshot.name)
        #expect(try await ids(snapshot, things, .open) == [entityID(7)])
        try await classify(file, 1, .special)
        try await folder.store.followClassifications(in: snapshot.name)
        #expect(try await ids(snapshot, EntityFilter(ids: [entityID(1)]), .personal) == [])
    }

    @Test func `classifications are noted for snapshots alone`() async throws {
        let (folder, file, snapshot) = try await frozen([entity(1)])
        defer { withExtendedLifetime((folder, snapshot)) {} }
        for classification in [Classification.partner, .personal] { try await classify(file, 1, classification) }
        let notes = { try await file.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM reclassified") } }
        #expect(try await notes() == 1)
        let last = try await file.read { try $0.lastReclassification() }
        try await file.write { try $0.removeSnapshot(snapshot.name.snapshot ?? 0) }
        try await file.write { try $0.insert(entity(2), provenance: Provenance(classification: .special), at: noon) }
        #expect(try await notes() == 1)
        #expect(try await file.read { try $0.lastReclassification() } == last, "no number is given twice")
    }

    @Test func `what a source fed is known as its own in a snapshot too`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { transaction in
            let run = try transaction.beginImportRun(source: "lamps", version: "1", at: noon)
            try transaction.insert(entity(1), provenance: Provenance(classification: .open, run: run), at: noon)
            try transaction.insert(entity(2), provenance: Provenance(classification: .open), at: noon)
        }
        let frozen = try await frozenFile(folder, file) { transaction, found in for one in found { try transaction.freeze(one) } } reading: { view in
            try (1...2).map { number -> EntityToFreeze in
                let stored = try #require(try view.storedEntity(entityID(number)))
                return EntityToFreeze(entity(number), classification: .open, number: stored.number, source: try view.source(of: stored.number))
            }
        }
        let sources = try await frozen.read { view in try (1...2).map { try view.storedEntity(entityID($0)).flatMap { try view.source(of: $0.number) } } }
        #expect(sources == ["lamps", nil])
        #expect(try await frozen.verify().faults == [])
    }

    @Test func `a copy holds what its original holds, and stays when that is gone`() async throws {
        let (folder, _, snapshot) = try await frozen([entity(1, attributes: [.location: [place], iri("level"): property(5)])])
        let name = snapshot.name.city.snapshot(2)
        try folder.store.adoptSnapshot(name, from: try await folder.store.copySnapshot(snapshot, id: "urn:ngsi-ld:Snapshot:2"))
        let copy = try folder.store.file(name)
        #expect(copy.snapshotID == "urn:ngsi-ld:Snapshot:2")
        try folder.store.removeSnapshot(snapshot.name)
        #expect(try await ids(copy, things) == [entityID(1)])
        #expect(throws: StoreError.notFound(snapshot.name)) { try folder.store.file(snapshot.name) }
        #expect(folder.store.snapshots(of: TemporaryStore.name) == [name])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/alder/snapshots").allSatisfy { $0.hasPrefix("2.sqlite") })
    }

    @Test func `files of snapshots that the municipality does not know are removed, and copies that were broken off`() async throws {
        let (folder, file, snapshot) = try await frozen([entity(1)])
        let stray = try folder.store.makeSnapshot(
            TemporaryStore.name.snapshot(9), SnapshotBeginning(id: "urn:x:stray", of: file, reclassifiedUntil: 0))
        try await folder.store.removeStraySnapshots(of: file)
        #expect(folder.store.snapshots(of: TemporaryStore.name) == [snapshot.name])
        #expect(throws: StoreError.self) { try folder.store.file(stray.name) }
        _ = try await folder.store.copySnapshot(snapshot, id: "urn:x:copy")
        folder.store.removeLeftCopies(of: TemporaryStore.name)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/alder/snapshots").allSatisfy { $0.hasPrefix("1.sqlite") })
    }

    @Test func `a backup holds no snapshot, and what is put back from one has none`() async throws {
        let (folder, file, _) = try await frozen([entity(1)])
        let backup = folder.path + "-backup.sqlite"
        defer { try? FileManager.default.removeItem(atPath: backup) }
        try await file.copy(to: backup)
        let name = try #require(MunicipalityName("birch"))
        try await folder.store.restore(name, from: backup)
        #expect(try await folder.store.file(name).read { try $0.snapshots().count } == 0)
        #expect(try await ids(folder.store.file(name), things) == [entityID(1)])
    }

    @Test func `a municipality goes with its snapshots`() async throws {
        let (folder, _, snapshot) = try await frozen([entity(1)])
        try folder.store.remove(TemporaryStore.name)
        #expect(throws: StoreError.self) { try folder.store.file(snapshot.name) }
        #expect(try folder.store.municipalitiesAndSnapshots() == [])
    }

    @Test func `the number of a removed snapshot is not used again`() async throws {
        let (folder, file, snapshot) = try await frozen([])
        defer { withExtendedLifetime(folder) {} }
        let next = try await file.write { transaction in
            let record = try #require(try transaction.snapshot("urn:ngsi-ld:Snapshot:1", at: noon))
            try transaction.removeSnapshot(record.number)
            return try transaction.insert(record)
        }
        #expect(next > snapshot.name.snapshot ?? 0)
    }
}
