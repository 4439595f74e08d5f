import CityModel
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// Corrections of history touch the instance that they speak of and no other.
@Suite struct HistoryEditingTests {
    private let level = iri("level")

    private func write(_ folder: TemporaryStore, _ body: @escaping @Sendable (WriteTransaction) throws -> Void) async throws {
        try await folder.file().write(body)
    }

    private func records(_ folder: TemporaryStore) async throws -> [RecordedInstance] {
        try await folder.file().read { [self] snapshot in
            guard let entity = try snapshot.historicEntity(entityID(1), .special) else { return [] }
            var records: [RecordedInstance] = []
            for series in try snapshot.series(of: entity.number, attributes: [level], .special) {
                try snapshot.visitRecords(of: entity.number, series, HistoryWindow(nil, now: noon, .special)) { record in
                    records.append(record)
                    return true
                }
            }
            return records
        }
    }

    private static func observation(_ value: Int64, second: Double) -> Attribute {
        Attribute(kind: .property, value: .integer(value), observedAt: noon.adding(seconds: second))
    }

    /// A history of observations that were all recorded at one moment.
    private func folder(_ count: Int64) async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        try await write(folder) { transaction in
            let target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
            for number in 0..<count {
                try transaction.add(Self.observation(number, second: Double(number)), iri("level"), to: target, at: noon.adding(seconds: 60))
            }
        }
        return folder
    }

    @Test func `an instance that is moved to the moment of another takes nothing from it`() async throws {
        let folder = try await folder(3)
        let ids = try await records(folder).map(\.instanceID)
        for id in [ids[0], ids[1]] {
            try await write(folder) { transaction in
                let target = try #require(try transaction.historicEntity(entityID(1), .special))
                let moved = Self.observation(id == ids[0] ? 10 : 11, second: 2)
                #expect(try transaction.replace(instance: id, iri("level"), of: target, with: moved, at: noon.adding(seconds: 90)))
            }
        }
        let moved = try await records(folder)
        #expect(moved.map(\.attribute.value) == [2, 10, 11])
        #expect(moved.map(\.instanceID) == [ids[2], ids[0], ids[1]])
        #expect(moved.map(\.attribute.createdAt) == (0..<3).map { Instant(microseconds: noon.adding(seconds: 60).microseconds + Int64($0)) })
        #expect(try await folder.file().verify().faults == [])
        for (id, left) in [(ids[1], [2, 10]), (ids[2], [10]), (ids[0], [])] as [(String, [JSON])] {
            try await write(folder) { transaction in
                let target = try #require(try transaction.historicEntity(entityID(1), .special))
                #expect(try transaction.erase(instance: id, iri("level"), of: target))
                #expect(try !transaction.erase(instance: id, iri("level"), of: target))
            }
            #expect(try await records(folder).map(\.attribute.value) == left)
        }
    }

    @Test func `a correction of an observation that was moved keeps its identifier`() async throws {
        let folder = try await folder(2)
        let id = try #require(try await records(folder).first?.instanceID)
        try await write(folder) { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            #expect(try transaction.replace(instance: id, iri("level"), of: target, with: Self.observation(5, second: 30), at: noon))
            try transaction.add(Self.observation(6, second: 30), iri("level"), to: target, at: noon.adding(seconds: 99))
        }
        #expect(try await records(folder).map(\.attribute.value) == [1, 6])
        #expect(try await records(folder).last?.instanceID == id)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `instances recorded at one moment stand after one another, whoever brought them`() async throws {
        let folder = try TemporaryStore()
        let later = Instant(microseconds: noon.microseconds + 1)
        try await write(folder) { transaction in
            let target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
            for (value, now) in [(1, noon), (2, later), (3, noon), (4, noon), (5, later)] {
                try transaction.add(Attribute(kind: .property, value: .integer(Int64(value))), iri("level"), to: target, at: now)
            }
        }
        #expect(try await records(folder).map(\.attribute.value) == [1, 2, 3, 4, 5])
        #expect(Set(try await records(folder).map(\.instanceID)).count == 5)
    }

    @Test func `a deletion and a value of one moment are both kept`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): property(1)]), provenance: .init(), at: noon) }
        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon.adding(seconds: 1))
            try transaction.insert(entity(1, attributes: [iri("level"): property(2)]), provenance: .init(), at: noon.adding(seconds: 1))
        }
        #expect(try await records(folder).map(\.attribute.value) == [1, .string(Attribute.nullText), 2])
    }

    @Test func `with an attribute that expires goes the identifier of what was moved`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) { transaction in
            var brief = Self.observation(1, second: 0)
            brief.expiresAt = noon.adding(seconds: 10)
            let old = entity(1, attributes: [iri("level"): [brief]])
            try transaction.insert(old, provenance: .init(), at: noon)
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            let key = InstanceKey(
                entity: target.number, attribute: try transaction.intern(iri("level")), dataset: "", atMicroseconds: noon.microseconds,
                lateMicroseconds: 0)
            brief.observedAt = noon.adding(seconds: 5)
            #expect(try transaction.replace(instance: key.instanceID, iri("level"), of: target, with: brief, at: noon))
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.update(stored, from: old, to: entity(1), provenance: .init(), at: noon.adding(seconds: 11))
            #expect(try !transaction.erase(instance: key.instanceID, iri("level"), of: target))
        }
        #expect(try await folder.file().read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM instance_name") } == 0)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `the number of an entity whose history was erased is not used again`() async throws {
        let folder = try await folder(1)
        let id = try #require(try await records(folder).first?.instanceID)
        try await write(folder) { transaction in
            let first = try #require(try transaction.historicEntity(entityID(1), .special))
            try transaction.eraseHistory(of: first, at: noon)
            let second = try transaction.insertHistoric(entityID(2), types: [iri("Thing")], classification: .open, at: noon)
            try transaction.add(Self.observation(7, second: 0), iri("level"), to: second, at: noon.adding(seconds: 60))
            #expect(second.number > first.number)
            #expect(try !transaction.erase(instance: id, iri("level"), of: second))
            try transaction.insert(entity(3), provenance: .init(), at: noon)
            #expect(try #require(try transaction.storedEntity(entityID(3))).number > second.number)
        }
    }

    @Test(arguments: [
        ("INSERT INTO instance_name (entity, name, attribute, dataset, at_us, late_us) VALUES (1, 'urn:x', 1, '', 0, 0)", "instance_name"),
        ("DELETE FROM instance_name", "instance_name"),
        ("UPDATE instance_name SET at_us = at_us + 1", "instance_name"),
        ("DELETE FROM past_type", "past by type"),
        ("INSERT INTO past_type (type, past) VALUES (999, 1)", "past_type"),
    ])
    func `a check of the file sees what is wrong with the identifiers of instances and the types of the past`(
        damage: String, word: String
    ) async throws {
        let folder = try await folder(2)
        let id = try #require(try await records(folder).first?.instanceID)
        try await write(folder) { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            #expect(try transaction.replace(instance: id, iri("level"), of: target, with: Self.observation(5, second: 30), at: noon))
        }
        #expect(try await folder.file().verify().faults == [])
        try await write(folder) { try $0.execute(damage) }
        let faults = try await folder.file().verify().faults
        #expect(faults.contains { $0.contains(word) }, "\(faults)")
    }
}
