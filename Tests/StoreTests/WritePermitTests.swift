import CityModel
import LinkedData
import OrderedCollections
import Policy
@testable import Store
import Testing

/// What whoever writes may change, border by border: what is permitted is done, and what is not is refused and leaves everything as it was.
@Suite struct WritePermitTests {
    private let file: MunicipalityFile
    private let permit: WritePermit?
    /// Keeps the file on the disk.
    private let folder: TemporaryStore

    /// Lamps are written in two attributes, of which one is erased; posts are erased whole; benches and posts are seen, persons are not.
    private static let rules = """
        rules:
          - {id: seen, effect: permit, who: anyone, actions: read, what: {types: [https://example.org/Lamp, https://example.org/Bench, https://example.org/Post]}}
          - id: written
            effect: permit
            who: anyone
            actions: write
            what: {types: [https://example.org/Lamp], classifications: {upTo: internal}}
            narrow: {attributes: {only: [https://example.org/level, https://example.org/lux]}}
          - id: erased
            effect: permit
            who: anyone
            actions: erase
            what: {types: [https://example.org/Lamp]}
            narrow: {attributes: {only: [https://example.org/level]}}
          - {id: removed, effect: permit, who: anyone, actions: erase, what: {types: [https://example.org/Post]}}
        """

    private static let kinds: [(number: Int, type: String, classification: Classification)] = [
        (1, "Lamp", .open), (2, "Bench", .open), (3, "Person", .open), (4, "Lamp", .personal), (5, "Post", .open),
    ]

    init() async throws {
        folder = try TemporaryStore()
        file = try folder.file()
        let policies = try Policies(files: [.init(name: "rules", text: Self.rules)], purposes: ShippedPolicy.purposes(), expand: Context.core.expand)
        func sight(_ action: AccessAction) -> Sight { Sight(policies.ruling(.anonymous, action, now: noon)) }
        permit = WritePermit(reading: sight(.read), writing: sight(.write), erasing: sight(.erase))
        try await file.write { transaction in
            for (number, type, classification) in Self.kinds {
                let attributes: Attributes = [iri("level"): property(1), iri("lux"): property(1), iri("name"): property("old")]
                try transaction.insert(entity(number, type: type, attributes: attributes), provenance: .init(classification: classification), at: noon)
            }
        }
    }

    // MARK: Trying

    /// - Returns: why it was refused, after which everything is as it was; nil where it was done.
    private func refusal(
        by permit: WritePermit?, _ change: @escaping @Sendable (WriteTransaction) throws -> Void
    ) async throws -> CityError? {
        let before = try await state()
        do { try await file.written(by: permit).write(change) } catch let error as CityError {
            #expect(try await state() == before, "\(error) leaves a trace")
            return error
        }
        return nil
    }

    private func refusal(_ change: @escaping @Sendable (WriteTransaction) throws -> Void) async throws -> CityError? {
        try await refusal(by: permit, change)
    }

    private func updateRefusal(
        _ number: Int, _ provenance: Provenance = .init(), _ edit: @escaping @Sendable (inout Entity) -> Void
    ) async throws -> CityError? {
        try await refusal { try Self.update($0, number, provenance, edit) }
    }

    private static func update(_ transaction: WriteTransaction, _ number: Int, _ provenance: Provenance, _ edit: (inout Entity) -> Void) throws {
        let stored = try #require(try transaction.storedEntity(entityID(number)))
        let old = try transaction.entity(stored)
        var new = old
        edit(&new)
        try transaction.update(stored, from: old, to: new, provenance: provenance, at: noon)
    }

    private func deletionRefusal(_ number: Int) async throws -> CityError? {
        try await refusal { transaction in
            let stored = try #require(try transaction.storedEntity(entityID(number)))
            try transaction.delete(stored, transaction.entity(stored), at: noon)
        }
    }

    /// - Parameter attributes: nil for all of it.
    private func historyRefusal(_ number: Int, _ attributes: [IRI]?, isErasing: Bool) async throws -> CityError? {
        try await refusal { transaction in
            let historic = try #require(try transaction.historicEntity(entityID(number), .special, evenIfEmpty: true))
            try transaction.checkHistory(of: historic, attributes: attributes, isErasing: isErasing)
        }
    }

    private struct State: Equatable { let lastChange: Int64, entities: [Entity?] }

    private func state() async throws -> State {
        try await file.read { snapshot in
            let entities = try (1...6).map { try snapshot.storedEntity(entityID($0)).map(snapshot.entity) }
            return State(lastChange: try snapshot.lastChangeNumber(), entities: entities)
        }
    }

    private func forbidden(_ number: Int) -> CityError { .forbidden("no rule of access permits this with entity \(entityID(number))") }

    private func forbidden(_ attribute: String, _ number: Int) -> CityError {
        .forbidden("no rule of access permits this with attribute \(iri(attribute)) of entity \(entityID(number))")
    }

    private func absent(_ number: Int) -> CityError { .resourceNotFound("there is no entity \(entityID(number))") }

    // MARK: What holds

    @Test func `an entity is created by whoever may write it, and in the attributes that may be written`() async throws {
        func refusal(_ type: String, _ attributes: [String], _ classification: Classification = .open) async throws -> CityError? {
            let new = entity(6, type: type, attributes: Attributes(uniqueKeysWithValues: attributes.map { (iri($0), property(2)) }))
            return try await self.refusal { try $0.insert(new, provenance: .init(classification: classification), at: noon) }
        }
        #expect(try await refusal("Lamp", ["level", "name"]) == forbidden("name", 6))
        #expect(try await refusal("Lamp", ["level"], .personal) == forbidden(6))
        #expect(try await refusal("Bench", ["level"]) == forbidden(6))
        #expect(try await refusal("Person", []) == forbidden(6), "what is not there yet is nobody's secret")
        #expect(try await refusal("Lamp", ["level", "lux"], .internalUse) == nil)
    }

    @Test func `attributes are written by whoever may write them`() async throws {
        #expect(try await updateRefusal(1) { $0.attributes[iri("name")] = property("new") } == forbidden("name", 1))
        #expect(try await updateRefusal(1) { entity in
            (entity.attributes[iri("level")], entity.attributes[iri("name")]) = (property(2), property("new"))
        } == forbidden("name", 1))
        #expect(try await updateRefusal(1) { entity in
            (entity.attributes[iri("level")], entity.attributes[iri("lux")]) = (property(2), property(2))
        } == nil)
        #expect(try await state().entities[0]?.attributes[iri("lux")] == property(2))
    }

    @Test func `what may not be changed cannot be made what may`() async throws {
        #expect(try await updateRefusal(2) { $0.types = [iri("Lamp")] } == forbidden(2))
        #expect(try await updateRefusal(4, .init(classification: .open)) { $0.attributes[iri("level")] = property(2) } == forbidden(4))
        #expect(try await updateRefusal(1, .init(classification: .internalUse)) { $0.types.append(iri("Bench")) } == nil)
    }

    @Test func `what may be changed cannot be made what may not`() async throws {
        for type in ["Bench", "Person"] {
            #expect(try await updateRefusal(1) { $0.types = [iri(type)] } == forbidden(1), "\(type)")
        }
        #expect(try await updateRefusal(1, .init(classification: .personal)) { $0.attributes[iri("level")] = property(2) } == forbidden(1))
        #expect(try await updateRefusal(1, .init(classification: .internalUse)) { $0.attributes[iri("level")] = property(2) } == nil)
    }

    @Test func `an attribute is removed by whoever may erase it, though others may write it`() async throws {
        #expect(try await updateRefusal(1) { $0.attributes[iri("lux")] = nil } == forbidden("lux", 1))
        #expect(try await updateRefusal(1) { $0.attributes[iri("name")] = nil } == forbidden("name", 1))
        #expect(try await updateRefusal(5) { $0.attributes[iri("lux")] = nil } == forbidden(5), "who may erase it need not be one who may change it")
        #expect(try await updateRefusal(1) { $0.attributes[iri("level")] = nil } == nil)
        #expect(try await state().entities[0].map { Set($0.attributes.keys) } == [iri("lux"), iri("name")])
    }

    @Test func `an entity is deleted by whoever may erase all of it`() async throws {
        #expect(try await deletionRefusal(1) == forbidden(1))
        #expect(try await deletionRefusal(2) == forbidden(2))
        #expect(try await deletionRefusal(5) == nil)
        #expect(try await state().entities[4] == nil)
    }

    @Test func `a history is changed by whoever may write what it is of, and erased by whoever may erase that`() async throws {
        #expect(try await historyRefusal(1, [iri("level"), iri("lux")], isErasing: false) == nil)
        #expect(try await historyRefusal(1, [iri("level"), iri("name")], isErasing: false) == forbidden("name", 1))
        #expect(try await historyRefusal(1, [iri("level")], isErasing: true) == nil)
        #expect(try await historyRefusal(1, [iri("lux")], isErasing: true) == forbidden("lux", 1))
        #expect(try await historyRefusal(1, nil, isErasing: true) == forbidden(1))
        #expect(try await historyRefusal(5, nil, isErasing: true) == nil)
        #expect(try await historyRefusal(2, [iri("level")], isErasing: false) == forbidden(2))
    }

    @Test func `of what is hidden a refusal says that it is not there`() async throws {
        #expect(try await updateRefusal(3) { $0.attributes[iri("level")] = property(2) } == absent(3))
        #expect(try await updateRefusal(3) { $0.types = [iri("Bench")] } == absent(3), "whatever it is to be")
        #expect(try await deletionRefusal(3) == absent(3))
        #expect(try await historyRefusal(3, [iri("level")], isErasing: false) == absent(3))
        #expect(try await historyRefusal(3, nil, isErasing: true) == absent(3))
    }

    @Test func `a key that is held to identifiers writes no others`() async throws {
        let everything = Sight.upTo(.special)
        let permit = WritePermit(reading: everything, writing: everything, erasing: everything, identifierPrefix: entityID(1).text)
        let refused = CityError.forbidden("this key is for entities whose identifiers begin with \(entityID(1)), and \(entityID(2)) does not")
        for (number, expected) in [(1, nil), (2, refused)] as [(Int, CityError?)] {
            let outcome = try await refusal(by: permit) { try Self.update($0, number, .init()) { $0.attributes[iri("name")] = property("new") } }
            #expect(outcome == expected)
        }
        let (longer, other) = (entity(11), entity(21))
        #expect(try await refusal(by: permit) { try $0.insert(longer, provenance: .init(), at: noon) } == nil)
        #expect(try await refusal(by: permit) { try $0.insert(other, provenance: .init(), at: noon) } != nil)
    }
}
