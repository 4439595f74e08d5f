import CityModel
import Foundation
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// What was recorded with an `expiresAt` is gone when that has passed, before anybody sweeps (clause 4.22).
@Suite struct ExpiredHistoryTests {
    private let level = iri("level")
    private let always = noon..<noon.adding(seconds: 3600)
    /// Of ten instances, one a second, the first nine have expired.
    private let now = noon.adding(seconds: 60)

    private static func instance(_ second: Int) -> Attribute {
        var instance = Attribute(kind: .property, value: .integer(Int64(second)), observedAt: noon.adding(seconds: Double(second)))
        instance.expiresAt = noon.adding(seconds: second < 9 ? 30 : 90)
        return instance
    }

    private func folder() async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            try transaction.insert(entity(1, attributes: [iri("level"): [Self.instance(0)]]), provenance: .init(), at: noon)
            for second in 1..<10 {
                let stored = try #require(try transaction.storedEntity(entityID(1)))
                let old = try transaction.entity(stored)
                var new = old
                new.attributes[iri("level")] = [Self.instance(second)]
                try transaction.update(stored, from: old, to: new, provenance: .init(), at: noon.adding(seconds: Double(second)))
            }
        }
        return folder
    }

    private func values(_ folder: TemporaryStore, _ property: TemporalQuery.Property?, limit: Int, isBackwards: Bool = false) async throws -> [JSON] {
        try await folder.file().read { [self] snapshot in
            let entity = try #require(try snapshot.historicEntity(entityID(1), .special))
            let window = HistoryWindow(property.map { TemporalQuery(nil, of: $0) }, isBackwards: isBackwards, now: now, .special)
            var values: [JSON] = []
            for series in try snapshot.series(of: entity.number, .special) {
                try snapshot.visitRecords(of: entity.number, series, window, limit: limit) { record in
                    values.append(record.attribute.value)
                    return true
                }
            }
            return values
        }
    }

    @Test func `of a window as many are read as are asked for, whatever has expired before them`() async throws {
        let folder = try await folder()
        for property in [nil, TemporalQuery.Property.observedAt, .createdAt, .modifiedAt] {
            #expect(try await values(folder, property, limit: 1) == [9])
            #expect(try await values(folder, property, limit: 3, isBackwards: true) == [9])
        }
    }

    @Test func `charts and looks at a moment pass over it`() async throws {
        let folder = try await folder()
        try await folder.file().read { [self] snapshot in
            let number = try #require(try snapshot.historicEntity(entityID(1), .special)).number
            for (countMax, before) in [(10, 10), (3, 1)] {
                #expect(try snapshot.livePoints(of: number, attribute: level, in: always, countMax: countMax, .special, at: now).map(\.value) == [9])
                #expect(try snapshot.livePoints(of: number, attribute: level, in: always, countMax: countMax, .special, at: noon).count == before)
            }
            #expect(try snapshot.history(of: number, attribute: level, in: always, limit: 1, .special, at: now).map(\.value) == [9])
            #expect(try snapshot.value(of: number, attribute: level, at: noon.adding(seconds: 5), .special, now: now) == nil)
            #expect(try !snapshot.hasLiveHistory(of: number, attribute: level, .special, at: now))
            #expect(try snapshot.hasLiveHistory(of: number, attribute: level, .special, at: noon))
        }
    }

    @Test func `it is erased a few at a time, by an index, with the identifiers of what was moved`() async throws {
        let folder = try await folder()
        let file = try folder.file()
        try await file.write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            let series = try #require(try transaction.series(of: target.number, .special).first)
            var first: RecordedInstance?
            try transaction.visitRecords(of: target.number, series, HistoryWindow(nil, now: noon, .special)) { record in
                first = record
                return false
            }
            var moved = Self.instance(0)
            moved.observedAt = noon.adding(seconds: 20)
            #expect(try transaction.replace(instance: #require(first).instanceID, iri("level"), of: target, with: moved, at: noon))
        }
        for left in [6, 2, 1, 1] {
            try await file.write { [self] in try $0.eraseExpiredInstances(at: now, limit: 4) }
            #expect(try await file.read { try $0.instanceCount() } == left)
        }
        #expect(try await file.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM instance_name") } == 0)
        let plan = try await file.read { snapshot in
            try String.fetchAll(
                snapshot.db, sql: "EXPLAIN QUERY PLAN SELECT at_us FROM instance WHERE expires_us <= 1 ORDER BY expires_us LIMIT 1",
                adapter: SuffixRowAdapter(fromIndex: 3))
        }
        #expect(plan.joined().contains("instance_expires"))
        #expect(!plan.joined().contains("TEMP B-TREE"))
    }

    @Test func `instances of earlier versions expire as they were to`() async throws {
        let folder = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/alder", withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: "\(folder.path)/alder/\(MunicipalityFile.fileName)")
        try Schema.migrator().migrate(queue, upTo: "0003-subscriptions")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO term (id, iri) VALUES (1, 'https://example.org/level'), (2, 'https://example.org/Thing');
                    INSERT INTO past (id, iri, classification, created_us, modified_us, types) VALUES (1, 'urn:ngsi-ld:Thing:1', 2, 0, 0, '2');
                    INSERT INTO past_type (type, past) VALUES (2, 1);
                    """)
            for (second, expiresAt) in [(1, "2026-06-01T12:00:30Z"), (2, "2026-06-01T12:01:30Z")] {
                let rest = #"{"type":"Property","value":0,"expiresAt":"\#(expiresAt)"}"#
                try db.execute(
                    sql: "INSERT INTO instance (entity, attribute, dataset, at_us, late_us, form, value, rest) VALUES (1, 1, '', ?, 0, 40, ?, ?)",
                    arguments: [second, second, Data(rest.utf8)])
            }
        }
        try queue.close()
        #expect(try await values(folder, nil, limit: 9) == [2])
        let forms = try await folder.file().read { try Int.fetchAll($0.db, sql: "SELECT form FROM instance") }
        #expect(forms.map { InstanceForm(number: $0) } == Array(repeating: InstanceForm(kind: .property, .partner, isObserved: true), count: 2))
    }
}
