import CityModel
import LinkedData
import OrderedCollections
import Query
@testable import Store
import Testing

/// Histories that a snapshot holds, of the file and of context sources (clauses 4.3.7 and 5.16.1.4).
@Suite struct FrozenHistoryTests {
    private let level = iri("level")

    private func instance(
        _ value: JSON, observed: Instant? = noon, created: Instant? = noon, modified: Instant? = noon, deleted: Instant? = nil, id: String = "urn:x:1"
    ) throws -> TemporalInstance {
        var attribute = Attribute(kind: .property, value: value, observedAt: observed)
        (attribute.createdAt, attribute.modifiedAt) = (created, modified)
        return TemporalInstance(attribute: attribute, deletedAt: deleted, time: try #require(observed ?? created ?? deleted ?? modified), instanceID: id)
    }

    private func evolution(_ number: Int, _ instances: [TemporalInstance]) -> TemporalEntity {
        TemporalEntity(
            id: entityID(number), types: [iri("Thing")], createdAt: nil, modifiedAt: noon, deletedAt: nil, content: .instances([level: instances]))
    }

    private func snapshot(_ folder: TemporaryStore, _ file: MunicipalityFile, _ histories: HistoryToFreeze...) async throws -> MunicipalityFile {
        try await frozenFile(folder, file) { transaction, whole in for history in whole { try transaction.freeze(history) } } reading: { view in
            try histories.map(view.withRecords)
        }
    }

    private func records(
        _ file: MunicipalityFile, _ number: Int = 1, _ temporal: TemporalQuery? = nil, _ classificationMax: Classification = .special
    ) async throws -> [RecordedInstance] {
        try await file.read { view in
            var records: [RecordedInstance] = []
            guard let entity = try view.historicEntity(entityID(number), classificationMax) else { return [] }
            for series in try view.series(of: entity.number, classificationMax) {
                try view.visitRecords(of: entity.number, series, HistoryWindow(temporal, now: noon, classificationMax)) { record in
                    records.append(record)
                    return true
                }
            }
            return records
        }
    }

    private func foreign(_ evolution: TemporalEntity, _ classification: Classification = .open) throws -> HistoryToFreeze {
        try HistoryToFreeze(evolution, nil, foreign: classification, number: nil)
    }

    @Test func `an instance of a source has the times that the source said, in whichever window it is found`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let moments: [Instant?] = [nil] + [-100, 0, 100].map { noon.adding(seconds: $0) }
        var given: [TemporalInstance] = []
        for observed in moments {
            for created in moments {
                for modified in moments {
                    for deleted in moments where [observed, created, modified, deleted].contains(where: { $0 != nil }) {
                        given.append(
                            try instance(.integer(Int64(given.count)), observed: observed, created: created, modified: modified, deleted: deleted, id: ""))
                    }
                }
            }
        }
        let frozen = try await snapshot(folder, file, foreign(evolution(1, given)))
        #expect(try await frozen.verify().faults == [])
        let back = try await records(frozen)
        #expect(back.count == given.count && back.allSatisfy { $0.instanceID.isEmpty })
        for record in back {
            let one = given[Int(try #require(record.attribute.value.integerValue))]
            #expect(record.attribute == one.attribute && record.deletedAt == one.deletedAt)
        }
        func found(_ property: TemporalQuery.Property) async throws -> Set<Int64?> {
            Set(try await records(frozen, 1, TemporalQuery(.after(noon.adding(seconds: 50)), of: property)).map(\.attribute.value.integerValue))
        }
        func expected(_ time: (TemporalInstance) -> Instant?) -> Set<Int64?> {
            Set(given.filter { time($0).map { $0 > noon } ?? false }.map(\.attribute.value.integerValue))
        }
        #expect(try await found(.createdAt) == expected { $0.attribute.createdAt })
        // What was never modified counts as modified when it was recorded.
        #expect(try await found(.modifiedAt) == expected { $0.attribute.modifiedAt ?? $0.attribute.createdAt })
    }

    @Test func `what a source gave twice is held once, and two instances of one moment are held both`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let twice = [try instance(1), try instance(1), try instance(2, id: "urn:x:2"), try instance(3, id: "")]
        let frozen = try await snapshot(folder, file, foreign(evolution(1, twice)), foreign(evolution(1, twice)))
        #expect(try await records(frozen).map(\.instanceID) == ["urn:x:1", "urn:x:2", ""])
        #expect(try await records(frozen).allSatisfy { $0.attribute.createdAt == noon })
    }

    @Test func `of one moment a source may give so many instances and no more`() throws {
        let many = try (0..<HistoryToFreeze.momentCountMax).map { try instance(.integer(Int64($0))) }
        #expect(try foreign(evolution(1, many)).instanceCount == HistoryToFreeze.momentCountMax)
        #expect(throws: CityError.self) { try foreign(evolution(1, many + [try instance(0)])) }
    }

    @Test func `entities of sources have numbers of their own, the same in all queries of a snapshot`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { try $0.insert(entity(3, attributes: [level: property(5)]), provenance: .init(), at: noon) }
        let frozen = try await snapshot(
            folder, file, foreign(evolution(1, [instance(1)])), foreign(evolution(2, [instance(2)])), foreign(evolution(1, [instance(3, id: "urn:x:3")])))
        #expect(try await records(frozen, 1).map(\.attribute.value) == [1, 3])
        #expect(try await records(frozen, 2).map(\.attribute.value) == [2])
        let numbers = try await frozen.read { view in try [1, 2].map { try view.historicEntity(entityID($0), .special)?.number } }
        #expect(numbers[0] != numbers[1] && numbers.allSatisfy { $0.map { $0 > 1 << 48 } ?? false })
        #expect(try await file.read { try $0.number(of: entityID(3)) } == 1)
        #expect(try await file.read { try $0.number(of: entityID(1)) } == nil)
    }

    @Test func `what a source gave is as confidential as the source, beside what is here and is not`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        try await file.write { try $0.insert(entity(1, attributes: [level: property(5)]), provenance: Provenance(classification: .open), at: noon) }
        let history = try await file.read { view in
            let match = HistoryMatch(entity: try #require(try view.historicEntity(entityID(1), .special)))
            let temporal = TemporalQuery(.after(noon), of: .createdAt)
            let recorded = try view.recordedHistory(
                match, HistoryWindow(temporal, now: noon, .special), lastN: nil, countMax: 10, byteCountMax: 10_000
            ) { _ in true }
            guard case .instances(let attributes) = recorded.evolution.content, let own = attributes[level] else { return HistoryToFreeze(recorded) }
            let whole = evolution(1, own + [try instance(6)])
            return try HistoryToFreeze(whole, recorded, foreign: .personal, number: match.entity.number)
        }
        #expect(history.keys.count == 1 && history.foreign.count == 1)
        let frozen = try await snapshot(folder, file, history)
        #expect(try await records(frozen).count == 2)
        #expect(try await records(frozen, 1, nil, .open).isEmpty, "as a whole it counts as confidential as its most confidential part")
        let open = try await frozen.read { view in
            let entity = try #require(try view.historicEntity(entityID(1), .special))
            return try view.series(of: entity.number, .open).map { series in
                var values: [JSON] = []
                try view.visitRecords(of: entity.number, series, HistoryWindow(nil, now: noon, .open)) { record in
                    values.append(record.attribute.value)
                    return true
                }
                return values
            }
        }
        #expect(open == [[5]])
    }

    @Test func `a history that is frozen in parts is whole`() async throws {
        let folder = try TemporaryStore()
        let file = try folder.file()
        let many = try (0..<25).map { try instance(.integer(Int64($0)), observed: noon.adding(seconds: Double($0)), id: "") }
        let parts = try foreign(evolution(1, many)).parts(of: 10)
        #expect(parts.map(\.instanceCount) == [10, 10, 5])
        let frozen = try await snapshot(folder, file, parts[0], parts[1], parts[2])
        #expect(try await records(frozen).map(\.attribute.value.integerValue) == (0..<25).map(Int64.init))
    }
}
