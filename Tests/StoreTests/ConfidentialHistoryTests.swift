import CityModel
import Foundation
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// What was recorded while an entity was confidential stays so, whatever becomes of the entity.
@Suite struct ConfidentialHistoryTests {
    private let level = iri("level")
    private let always = noon.adding(seconds: -3600)..<noon.adding(seconds: 3600)

    private func write(_ folder: TemporaryStore, _ body: @escaping @Sendable (WriteTransaction) throws -> Void) async throws {
        try await folder.file().write(body)
    }

    private func change(
        _ folder: TemporaryStore, as classification: Classification? = nil, at now: Instant, _ body: @escaping @Sendable (inout Entity) -> Void
    ) async throws {
        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            let old = try transaction.entity(stored)
            var new = old
            body(&new)
            try transaction.update(stored, from: old, to: new, provenance: .init(classification: classification), at: now)
        }
    }

    /// Everything that a reader finds, whichever way.
    private struct Seen: Equatable {
        var values: [IRI: [JSON]] = [:]
        var scopes: [JSON] = []
        var chart: [Double] = []
        var list: [JSON] = []
        var before: JSON?
        var isFound = false
    }

    private func seen(_ folder: TemporaryStore, _ classificationMax: Classification) async throws -> Seen {
        try await folder.file().read { [self] snapshot in
            var seen = Seen()
            guard let entity = try snapshot.historicEntity(entityID(1), classificationMax) else { return seen }
            for series in try snapshot.series(of: entity.number, classificationMax) {
                try snapshot.visitRecords(of: entity.number, series, HistoryWindow(nil, now: noon, classificationMax)) { record in
                    seen.values[series.attribute, default: []].append(record.attribute.value)
                    return true
                }
            }
            seen.scopes = try snapshot.scopeRecords(of: entity, HistoryWindow(nil, now: noon, classificationMax)).map(\.attribute.value)
            seen.chart = try snapshot.livePoints(of: entity.number, attribute: level, in: always, countMax: 9, classificationMax, at: noon).map(\.value)
            seen.list = try snapshot.history(of: entity.number, attribute: level, in: always, limit: 9, classificationMax, at: noon).map(\.value)
            seen.before = try snapshot.value(of: entity.number, attribute: level, at: noon.adding(seconds: 1), classificationMax, now: noon)?.value
            let search = HistorySearch(
                filter: EntityFilter(query: try QueryExpression(parsing: "level==1", expand: { iri($0) })),
                temporal: TemporalQuery(nil, of: .createdAt), classificationMax: classificationMax, limit: 9, wantsCount: true, now: noon)
            seen.isFound = try snapshot.searchHistory(search).count == 1
            return seen
        }
    }

    private static func secret() -> Entity {
        var entity = entity(1, attributes: [iri("level"): property(1), iri("secret"): property("s")])
        entity.scopes = [Scope("/Hidden")!]
        return entity
    }

    @Test func `an entity that comes back as open shows nothing of what it was`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) { try $0.insert(Self.secret(), provenance: .init(classification: .special), at: noon) }
        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon.adding(seconds: 1))
        }
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): property(2)]), provenance: .init(classification: .open), at: noon.adding(seconds: 2))
        }
        for classificationMax in [Classification.open, .internalUse, .personal] {
            #expect(try await seen(folder, classificationMax) == Seen(values: [level: [2]], chart: [2], list: [2]))
        }
        let whole = try await seen(folder, .special)
        #expect(whole.values[level] == [1, .string(Attribute.nullText), 2])
        #expect(whole.values[iri("secret")] == ["s", .string(Attribute.nullText)])
        #expect(whole.scopes == ["/Hidden", .string(Attribute.nullText)])
        #expect(whole.isFound)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `an entity that is released shows what it is from then on`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) { try $0.insert(Self.secret(), provenance: .init(classification: .partner), at: noon) }
        try await change(folder, as: .open, at: noon.adding(seconds: 2)) {
            $0.attributes[iri("level")] = property(2)
            $0.attributes[iri("secret")] = nil
            $0.scopes = []
        }
        #expect(try await seen(folder, .internalUse) == Seen(values: [level: [2]], chart: [2], list: [2]))
        let whole = try await seen(folder, .partner)
        #expect(whole.values == [level: [1, 2], iri("secret"): ["s", .string(Attribute.nullText)]])
        #expect(whole.before == 1)
    }

    @Test func `what was open before an entity became confidential is open again with it`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): property(1)]), provenance: .init(classification: .open), at: noon)
        }
        for (second, value, classification) in [(1.0, 2, Classification.personal), (2, 3, .personal), (3, 4, .open)] {
            try await change(folder, as: classification, at: noon.adding(seconds: second)) { $0.attributes[iri("level")] = property(.integer(Int64(value))) }
            if classification == .personal { #expect(try await seen(folder, .partner) == Seen()) }
        }
        #expect(try await seen(folder, .open).values == [level: [1, 4]])
        #expect(try await seen(folder, .personal).values == [level: [1, 2, 3, 4]])
    }

    @Test func `a correction of a confidential instance is as confidential as that`() async throws {
        let folder = try TemporaryStore()
        let first = [Attribute(kind: .property, value: 1, observedAt: noon)]
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): first]), provenance: .init(classification: .special), at: noon)
        }
        try await change(folder, as: .open, at: noon.adding(seconds: 1)) { $0.attributes[iri("level")] = nil }
        try await write(folder) { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            try transaction.add(Attribute(kind: .property, value: 5, observedAt: noon), iri("level"), to: target, at: noon.adding(seconds: 2))
            try transaction.add(Attribute(kind: .property, value: 6, observedAt: noon.adding(seconds: 9)), iri("level"), to: target, at: noon.adding(seconds: 3))
        }
        #expect(try await seen(folder, .open).values == [level: [6]])
        #expect(try await seen(folder, .special).values[level] == [5, .string(Attribute.nullText), 6])
    }

    @Test func `a confidential correction hides nothing from those who may not see it`() async throws {
        let folder = try TemporaryStore()
        let values = [1, 2].map { [Attribute(kind: .property, value: .integer($0), observedAt: noon)] }
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): values[0]]), provenance: .init(classification: .open), at: noon)
        }
        try await change(folder, as: .special, at: noon.adding(seconds: 1)) { $0.attributes[iri("level")] = values[1] }
        try await change(folder, as: .open, at: noon.adding(seconds: 2)) { $0.attributes[iri("level")] = nil }
        for (classificationMax, expected) in [(Classification.open, 1), (.special, 2)] as [(Classification, JSON)] {
            let found = try await folder.file().read { [level] snapshot in
                let entity = try #require(try snapshot.historicEntity(entityID(1), classificationMax))
                let series = try #require(try snapshot.series(of: entity.number, attributes: [level], classificationMax).first)
                var values: [JSON] = []
                try snapshot.visitRecords(of: entity.number, series, HistoryWindow(TemporalQuery(nil), now: noon, classificationMax)) { record in
                    values.append(record.attribute.value)
                    return true
                }
                return values
            }
            #expect(found == [expected])
        }
    }

    @Test func `followers of a released entity are told nothing of what it was`() async throws {
        let folder = try TemporaryStore()
        let interest = Interest(wantsEveryEntity: true, operations: [.created, .updated, .deleted])
        let record = SubscriptionRecord(
            id: "urn:s:1", body: [:], interest: interest, endpoint: "http://a", classificationMax: .open, isActive: true, expiresAt: nil,
            since: 0, due: nil)
        try await write(folder) { try $0.insert(record) }
        try await write(folder) { try $0.insert(Self.secret(), provenance: .init(classification: .internalUse), at: noon) }
        try await change(folder, as: .open, at: noon.adding(seconds: 1)) {
            $0.attributes[iri("level")] = property(2)
            $0.attributes[iri("secret")] = nil
        }
        try await change(folder, at: noon.adding(seconds: 2)) { $0.attributes[iri("level")] = property(3) }
        let (watched, changes) = try await folder.file().read { snapshot in
            (try snapshot.watchedChanges(limit: 9, byteCountMax: 1 << 20).map { try $0.change.get() }, try snapshot.changes(after: 0, limit: 9))
        }
        #expect(watched.map(\.classification) == [.internalUse, .open, .open])
        #expect(watched.map { $0.previous?.attributes[level]?[0].value } == [nil, nil, 2])
        #expect(changes.filter { $0.classification == .open }.map(\.attributes) == [[level], [level]])
    }

    @Test func `instances of earlier versions are as confidential as their entity`() async throws {
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
                    INSERT INTO instance (entity, attribute, dataset, at_us, late_us, form, value) VALUES (1, 1, '', 0, 0, 8, 1);
                    """)
        }
        try queue.close()
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): property(2)]), provenance: .init(classification: .open), at: noon)
        }
        #expect(try await seen(folder, .open).values == [level: [2]])
        #expect(try await seen(folder, .partner).values == [level: [1, 2]])
    }
}
