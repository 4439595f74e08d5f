import Broker
import CityModel
import LinkedData
import Query
import OrderedCollections
import Store
import Testing
import Trust

/// What an access does not let be seen is nowhere: not in an answer, a count, a list of types, a change or an error.
@Suite struct VisibilityTests {
    private func folder() async throws -> TemporaryBroker {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        for (number, classification) in Classification.allCases.enumerated() {
            guard let id = IRI("urn:ngsi-ld:Lamp:\(number)") else { continue }
            let entity = Entity(id: id, types: [iri("Lamp"), iri("Kind\(number)")], attributes: [iri("a\(number)"): [Attribute(kind: .property, value: 1)]])
            try await folder.broker.create(entity, access, at: noon, provenance: Provenance(classification: classification))
        }
        return folder
    }

    @Test func `without a credential only open data is seen`() async throws {
        let folder = try await folder()
        let access = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let query = EntityQuery(filter: EntityFilter(types: .type(iri("Lamp"))), limit: 10, wantsCount: true)
        let page = try await folder.broker.query(query, access, at: noon)
        #expect(page.entities.map(\.stored.id.text) == ["urn:ngsi-ld:Lamp:0"])
        #expect(page.count == 1)
        #expect(try await folder.broker.types(access) == [iri("Kind0"), iri("Lamp")])
        #expect(try await folder.broker.attributes(access) == [iri("a0")])
        #expect(try await folder.broker.typeInfo(iri("Lamp"), access).entityCount == 1)
        #expect(try await folder.broker.changes(after: 0, limit: 100, access).changes.map(\.entityID.text) == ["urn:ngsi-ld:Lamp:0"])
        #expect(try await folder.broker.entities(after: 0, limit: 100, access, at: .now).entities.count == 1)
        #expect(try await folder.broker.summary(access).entityCount == 1)
    }

    @Test func `what is hidden is not found in the same words as what is not there`() async throws {
        let folder = try await folder()
        let access = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let hidden = try #require(IRI("urn:ngsi-ld:Lamp:1"))
        let absent = try #require(IRI("urn:ngsi-ld:Lamp:99"))
        for id in [hidden, absent] {
            await #expect(throws: CityError.resourceNotFound("there is no entity \(id)")) { try await folder.broker.retrieve(id, access, at: noon) }
            await #expect(throws: CityError.resourceNotFound("there is no entity \(id)")) {
                try await folder.broker.history(of: id, attribute: iri("a1"), in: noon..<noon.adding(seconds: 1), limit: 1, access, at: noon)
            }
        }
        await #expect(throws: CityError.self) { try await folder.broker.typeInfo(iri("Kind1"), access) }
        await #expect(throws: CityError.self) { try await folder.broker.attributeInfo(iri("a1"), access) }
    }

    @Test func `a municipality that is not there is said to be so`() async throws {
        let folder = try TemporaryBroker(createsMunicipalities: false)
        let name = try #require(MunicipalityName("nowhere"))
        let access = try await folder.gatekeeper.reading(name, .none)
        await #expect(throws: CityError.nonexistentTenant("there is no municipality nowhere")) { try await folder.broker.types(access) }
        let writing = try await folder.gatekeeper.writing(name, .program)
        await #expect(throws: CityError.nonexistentTenant("there is no municipality nowhere")) {
            try await folder.broker.create(Entity(id: lamp, types: [iri("Lamp")]), writing, at: noon)
        }
    }
}

/// The same of what was: histories, also of entities that are gone.
@Suite struct HistoryVisibilityTests {
    private let anyTime = TemporalQuery(.after(noon.adding(seconds: -1)), of: .createdAt)

    private func seen(_ folder: TemporaryBroker, _ access: ReadAccess) async throws -> EvolutionPage {
        try await folder.broker.queryEvolutions(
            EntityFilter(types: .type(iri("Lamp"))), EvolutionSelection(temporal: anyTime), offset: 0, limit: 10, wantsCount: true,
            limits: .init(), access, at: noon.adding(seconds: 60))
    }

    @Test(arguments: [false, true])
    func `a history is seen by those who may see the entity, also when it is gone`(isGone: Bool) async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        for classification in Classification.allCases {
            let id = try #require(IRI("urn:ngsi-ld:Lamp:\(classification.rank)"))
            let entity = Entity(id: id, types: [iri("Lamp")], attributes: [iri("level"): [Attribute(kind: .property, value: 1)]])
            try await folder.broker.create(entity, access, at: noon, provenance: Provenance(classification: classification))
            if isGone { try await folder.broker.delete(id, access, at: noon.adding(seconds: 1)) }
        }
        let open = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let page = try await seen(folder, open)
        #expect(page.entities.map(\.id.text) == ["urn:ngsi-ld:Lamp:0"])
        #expect(page.count == 1)
        #expect(try await seen(folder, access.reading).count == Classification.allCases.count)
        let (hidden, absent) = (try #require(IRI("urn:ngsi-ld:Lamp:1")), try #require(IRI("urn:ngsi-ld:Lamp:99")))
        for id in [hidden, absent] {
            await #expect(throws: CityError.resourceNotFound("there is no temporal evolution of an entity \(id)")) {
                try await folder.broker.retrieveEvolution(
                    of: id, EvolutionSelection(temporal: nil), limits: .init(), open, at: noon.adding(seconds: 60))
            }
        }
    }

    /// Clause 5.6.16.
    @Test func `an erased history is gone and begins anew with the next change`() async throws {
        let folder = try TemporaryBroker()
        let access = try await folder.writing()
        try await folder.broker.create(
            Entity(id: lamp, types: [iri("Lamp")], attributes: [iri("level"): [Attribute(kind: .property, value: 1)]]), access, at: noon)
        try await folder.broker.deleteEvolution(of: lamp, access, at: noon)
        #expect(try await seen(folder, access.reading).count == 0)
        await #expect(throws: CityError.self) { try await folder.broker.deleteEvolution(of: lamp, access, at: noon) }
        try await folder.broker.deleteAttribute(iri("level"), of: lamp, access, at: noon.adding(seconds: 1))
        let page = try await folder.broker.retrieveEvolution(
            of: lamp, EvolutionSelection(temporal: nil), limits: .init(), access.reading, at: noon.adding(seconds: 2))
        guard case .instances(let attributes)? = page.entities.first?.content else { return #expect(Bool(false)) }
        #expect(attributes[iri("level")]?.map(\.deletedAt) == [noon.adding(seconds: 1)])
        #expect(try await folder.store.file(TemporaryBroker.name).verify().faults == [])
    }
}
