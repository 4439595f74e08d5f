import CityModel
import GRDB
import OrderedCollections
import Query
@testable import Store
import Testing

/// What is recorded of changes, and how it is found again.
@Suite struct HistoryTests {
    private let level = iri("level")

    private func write(_ folder: TemporaryStore, _ body: @escaping @Sendable (WriteTransaction) throws -> Void) async throws {
        try await folder.file().write(body)
    }

    private func change(
        _ folder: TemporaryStore, at now: Instant, _ body: @escaping @Sendable (inout Entity) -> Void
    ) async throws {
        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            let old = try transaction.entity(stored)
            var new = old
            body(&new)
            try transaction.update(stored, from: old, to: new, provenance: .init(), at: now)
        }
    }

    /// The records of one attribute, or of the scopes.
    private func records(
        _ folder: TemporaryStore, _ name: IRI, _ temporal: TemporalQuery? = nil, now: Instant = noon,
        seeing classificationMax: Classification = .special
    ) async throws -> [RecordedInstance] {
        try await folder.file().read { snapshot in
            guard let entity = try snapshot.historicEntity(entityID(1), classificationMax) else { return [] }
            var records: [RecordedInstance] = []
            for series in try snapshot.series(of: entity.number, attributes: [name], classificationMax) {
                try snapshot.visitRecords(of: entity.number, series, HistoryWindow(temporal, now: now, classificationMax)) { record in
                    records.append(record)
                    return true
                }
            }
            return records
        }
    }

    /// Clause 4.5.6.
    @Test func `each change of a value is one record, and an attribute that stays as it is has none`() async throws {
        let folder = try TemporaryStore()
        let name = iri("name")
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): property(1), name: property("a")]), provenance: .init(), at: noon)
        }
        try await change(folder, at: noon.adding(seconds: 1)) { $0.attributes[iri("level")] = property(2) }
        try await change(folder, at: noon.adding(seconds: 2)) { $0.scopes = [Scope("/A")!] }
        let levels = try await records(folder, level)
        #expect(levels.map(\.attribute.value) == [1, 2])
        #expect(levels.map(\.time) == [noon, noon.adding(seconds: 1)])
        #expect(levels.allSatisfy { $0.attribute.observedAt == nil && $0.attribute.createdAt == $0.time })
        #expect(try await records(folder, name).count == 1)
        #expect(try await records(folder, .scopeMember).map(\.attribute.value) == ["/A"])
    }

    @Test func `an observation that is said again is recorded once, a new value of the same moment is a record of its own and holds`() async throws {
        let folder = try TemporaryStore()
        func observed(_ value: JSON, modifiedAt: Instant) -> [Attribute] {
            var instance = Attribute(kind: .property, value: value, observedAt: noon)
            instance.modifiedAt = modifiedAt
            return [instance]
        }
        let first = observed(1, modifiedAt: noon)
        try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): first]), provenance: .init(), at: noon) }
        for (second, value) in [(1.0, JSON.integer(1)), (2, 1), (3, 2)] {
            let now = noon.adding(seconds: second)
            let said = observed(value, modifiedAt: now)
            try await change(folder, at: now) { $0.attributes[iri("level")] = said }
        }
        #expect(try await records(folder, level).map(\.attribute.value) == [1, 2])
        for property in [TemporalQuery.Property.createdAt, .modifiedAt] {
            let all = try await records(folder, level, TemporalQuery(nil, of: property))
            #expect(all.map(\.attribute.value) == [1, 2])
            #expect(Set(all.map(\.instanceID)).count == 2)
        }
        for relation in [nil, TemporalQuery.Relation.after(noon), .between(noon, noon.adding(seconds: 1))] {
            #expect(try await records(folder, level, TemporalQuery(relation)).map(\.attribute.value) == [2])
        }
        try await write(folder) { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for second in [1800.0, 3000] {
                let instance = Attribute(kind: .property, value: 4, observedAt: noon.adding(seconds: second))
                try transaction.add(instance, iri("level"), to: target, at: noon.adding(seconds: 3600))
            }
        }
        for (countMax, expected) in [(9, [2, 4, 4]), (2, [3, 4])] as [(Int, [Double])] {
            let chart = try await folder.file().read { [level] snapshot in
                let number = try #require(try snapshot.historicEntity(entityID(1), .special)).number
                let hour = noon..<noon.adding(seconds: 3600)
                return try snapshot.livePoints(of: number, attribute: level, in: hour, countMax: countMax, .special, at: noon).map(\.value)
            }
            #expect(chart == expected)
        }
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `everything an instance says comes back`() async throws {
        let folder = try TemporaryStore()
        var instance = Attribute(kind: .property, value: ["a": [1, 2.5, true]], datasetID: iri("d"), observedAt: noon, unitCode: "CEL")
        instance.valueType = iri("T")
        instance.expiresAt = noon.adding(seconds: 3600)
        instance.subattributes = [iri("accuracy"): [Attribute(kind: .property, value: 0.5, unitCode: "P1")]]
        let stored = instance
        try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): [stored]]), provenance: .init(), at: noon.adding(seconds: 5)) }
        let record = try #require(try await records(folder, level).first)
        #expect(record.attribute.hasSameContent(as: instance))
        #expect(record.attribute.createdAt == noon.adding(seconds: 5))
        #expect(record.time == noon)
    }

    /// Clauses 4.5.7, 4.5.8.
    @Test func `a deletion leaves its trace, of the attribute and of the entity`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) {
            var lamp = entity(1, attributes: [iri("level"): property(1), iri("name"): property("a")])
            lamp.scopes = [Scope("/A")!]
            try $0.insert(lamp, provenance: .init(classification: .partner), at: noon)
        }
        try await change(folder, at: noon.adding(seconds: 1)) { $0.attributes[iri("level")] = nil }
        let deleted = try await records(folder, level, TemporalQuery(nil, of: .deletedAt))
        #expect(deleted.map(\.deletedAt) == [noon.adding(seconds: 1)])
        #expect(deleted.map(\.attribute.value) == [.string(Attribute.nullText)])
        #expect(try await records(folder, level, TemporalQuery(nil, of: .modifiedAt)).map(\.attribute.value) == [1])

        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon.adding(seconds: 2))
        }
        #expect(try await records(folder, iri("name")).map(\.deletedAt) == [nil, noon.adding(seconds: 2)])
        #expect(try await records(folder, .scopeMember).map(\.deletedAt) == [nil, noon.adding(seconds: 2)])
        let (hidden, past) = try await folder.file().read { snapshot in
            (try snapshot.historicEntity(entityID(1), .internalUse), try snapshot.historicEntity(entityID(1), .partner))
        }
        #expect(hidden == nil)
        #expect(past?.deletedAt == noon.adding(seconds: 2))
        #expect(past?.types == [iri("Thing")])
        #expect(try await folder.file().verify().faults == [])
    }

    /// What becomes of an attribute that has expired, though one of its instances was to stay longer.
    enum End: CaseIterable { case itGoes, theEntityGoes, itIsGivenAnew }

    private static func flash(_ value: Int64, until second: Double) -> [Attribute] {
        var flash = Attribute(kind: .property, value: .integer(value))
        flash.expiresAt = noon.adding(seconds: second)
        return [flash]
    }

    /// Clause 4.22.
    @Test(arguments: End.allCases)
    func `with an attribute that has expired goes what was recorded of it, whatever removes it`(end: End) async throws {
        let folder = try TemporaryStore(), now = noon.adding(seconds: 11)
        try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): Self.flash(1, until: 100), iri("name"): property("a")]), provenance: .init(), at: noon) }
        try await change(folder, at: noon.adding(seconds: 1)) { $0.attributes[iri("level")] = Self.flash(2, until: 10) }
        switch end {
        case .itGoes: try await change(folder, at: now) { $0 = $0.unexpired(at: now) ?? $0 }
        case .itIsGivenAnew: try await change(folder, at: now) { $0.attributes[iri("level")] = property(3) }
        case .theEntityGoes:
            try await write(folder) { transaction in
                let stored = try #require(try transaction.storedEntity(entityID(1)))
                try transaction.delete(stored, transaction.entity(stored), at: now)
            }
        }
        let values = try await records(folder, level).map(\.attribute.value)
        #expect(values == [end == .itIsGivenAnew ? 3 : .string(Attribute.nullText)])
    }

    @Test func `an entity that comes back goes on with its history, and nobody inherits another's`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): property(1)]), provenance: .init(), at: noon) }
        try await write(folder) { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(1)))
            try transaction.delete(stored, transaction.entity(stored), at: noon.adding(seconds: 1))
        }
        try await write(folder) { try $0.insert(entity(2), provenance: .init(), at: noon.adding(seconds: 2)) }
        try await write(folder) {
            try $0.insert(entity(1, attributes: [iri("level"): property(2)]), provenance: .init(), at: noon.adding(seconds: 3))
        }
        #expect(try await records(folder, level).map(\.attribute.value) == [1, .string(Attribute.nullText), 2])
        let other = try await folder.file().read { try $0.historicEntity(entityID(2), .special) }
        #expect(other == nil)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `an instance is found by its identifier, also after it was moved`() async throws {
        let folder = try TemporaryStore()
        try await write(folder) {
            let values = [Attribute(kind: .property, value: 1, datasetID: iri("réseau/eau"), observedAt: noon)]
            try $0.insert(entity(1, attributes: [iri("level"): values]), provenance: .init(), at: noon.adding(seconds: 9))
        }
        let id = try #require(try await records(folder, level).first?.instanceID)
        for minute in [1.0, 2] {
            try await write(folder) { transaction in
                let target = try #require(try transaction.historicEntity(entityID(1), .special))
                let moved = Attribute(kind: .property, value: .number(minute), observedAt: noon.adding(seconds: minute * 60))
                #expect(try transaction.replace(instance: id, iri("level"), of: target, with: moved, at: noon.adding(seconds: 100)))
                #expect(try !transaction.replace(instance: id + "0", iri("level"), of: target, with: moved, at: noon))
                #expect(try !transaction.erase(instance: id, iri("name"), of: target))
            }
            let record = try #require(try await records(folder, level).first)
            #expect(record.instanceID == id)
            #expect(record.attribute.value == .number(minute))
            #expect(record.attribute.datasetID == nil)
            #expect(record.attribute.createdAt == noon.adding(seconds: 9))
            #expect(record.attribute.modifiedAt == noon.adding(seconds: 100))
        }
        try await write(folder) { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            #expect(try transaction.erase(instance: id, iri("level"), of: target))
            #expect(try !transaction.erase(instance: id, iri("level"), of: target))
        }
        #expect(try await records(folder, level).isEmpty)
    }

    @Test func `a window of observations is read along the primary key and sorts nothing`() async throws {
        let folder = try TemporaryStore()
        let plan = try await folder.file().read { snapshot in
            try String.fetchAll(
                snapshot.db,
                sql: """
                    EXPLAIN QUERY PLAN SELECT value FROM instance WHERE entity = 1 AND attribute = 1 AND dataset = ''
                    AND form & 8 <> 0 AND at_us >= 1 AND at_us < 2 ORDER BY at_us DESC, late_us DESC LIMIT 1
                    """, adapter: SuffixRowAdapter(fromIndex: 3))
        }
        #expect(plan.joined().contains("USING PRIMARY KEY"))
        #expect(!plan.joined().contains("TEMP B-TREE"))
    }

    @Test func `texts come back whole, with U+0000 in them and with the code points that they were written with`() async throws {
        let folder = try TemporaryStore()
        let values: [JSON] = ["a\u{0}b", "\u{0}", ["a\u{0}b"], "caf\u{e9}", "cafe\u{301}"]
        var instance = Attribute(kind: .property, value: 0, unitCode: "C\u{0}EL")
        for (second, value) in values.enumerated() {
            instance.value = value
            let stored = instance
            if second == 0 {
                try await write(folder) { try $0.insert(entity(1, attributes: [iri("level"): [stored]]), provenance: .init(), at: noon) }
            } else {
                try await change(folder, at: noon.adding(seconds: Double(second))) { $0.attributes[iri("level")] = [stored] }
            }
        }
        #expect(try await records(folder, level).map(\.attribute.value) == values)
        #expect(try await records(folder, level).map(\.attribute.unitCode) == Array(repeating: "C\u{0}EL", count: values.count))
        let list = try await folder.file().read { [level] snapshot in
            let number = try #require(try snapshot.historicEntity(entityID(1), .special)).number
            return try snapshot.history(of: number, attribute: level, in: noon..<noon.adding(seconds: 60), limit: 9, .special, at: noon).map(\.value)
        }
        #expect(list == values)
        #expect(try await folder.file().verify().faults == [])
    }
}
