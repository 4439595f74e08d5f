import Broker
import CityModel
import OrderedCollections
import Query
import Store
import Testing
import Trust

/// Who knows an entity map, and how many there are (clause 5.5.14).
@Suite struct EntityMapKeepingTests {
    private let lamps = EntityQuery(filter: EntityFilter(types: .type(iri("Lamp"))), limit: 10)

    private func folder(count: Int, _ limits: EntityMapLimits = .init()) async throws -> TemporaryBroker {
        let folder = try TemporaryBroker(entityMapLimits: limits)
        for number in 0..<count {
            let id = try #require(IRI("urn:ngsi-ld:Lamp:\(number)"))
            try await folder.broker.create(
                Entity(id: id, types: [iri("Lamp")]), try await folder.writing(), at: noon,
                provenance: Provenance(classification: number == 0 ? .open : .internalUse))
        }
        return folder
    }

    @Test func `a map holds what its maker may see, and nobody else knows it`() async throws {
        let folder = try await folder(count: 3)
        let (open, inside) = (
            try await folder.gatekeeper.reading(TemporaryBroker.name, .none), try await folder.writing().reading
        )
        let map = try await folder.broker.makeEntityMap(of: lamps, open, at: noon)
        #expect(map.ids.count == 1)
        let whole = try await folder.broker.makeEntityMap(of: lamps, inside, at: noon)
        #expect(whole.ids.count == 3)
        #expect(folder.broker.usableEntityMap(whole.id, open, at: noon) == nil)
        #expect(folder.broker.usableEntityMap(map.id, inside, at: noon) == nil)
        await #expect(throws: CityError.self) { try await folder.broker.retrieveEntityMap(whole.id, open, at: noon) }
    }

    @Test func `an entity that became confidential is shown neither in the map nor through it`() async throws {
        let folder = try await folder(count: 1)
        let open = try await folder.gatekeeper.reading(TemporaryBroker.name, .none)
        let map = try await folder.broker.makeEntityMap(of: lamps, open, at: noon)
        let id = try #require(map.ids.first)
        try await folder.store.file(TemporaryBroker.name).write { transaction in
            let stored = try #require(try transaction.storedEntity(id))
            let entity = try transaction.entity(stored)
            try transaction.update(stored, from: entity, to: entity, provenance: Provenance(classification: .personal), at: noon)
        }
        #expect(try await folder.broker.query(lamps, through: map, open, at: noon).page.entities.isEmpty)
        #expect(try await folder.broker.retrieveEntityMap(map.id, open, at: noon).ids.isEmpty)
    }

    @Test(arguments: [(limit: 3, isMade: true), (limit: 2, isMade: false)])
    func `a map holds so many entities and no more`(limit: Int, isMade: Bool) async throws {
        let folder = try await folder(count: 3, EntityMapLimits(entityCountMax: limit))
        let access = try await folder.writing().reading
        if isMade {
            #expect(try await folder.broker.makeEntityMap(of: lamps, access, at: noon).ids.count == 3)
        } else {
            await #expect(throws: CityError.tooManyResults("an EntityMap holds at most 2 entities; narrow the query")) {
                try await folder.broker.makeEntityMap(of: lamps, access, at: noon)
            }
        }
    }

    @Test(arguments: [EntityMapLimits(countMax: 2), EntityMapLimits(totalCountMax: 4)])
    func `of too many maps the one that was longest not used goes`(limits: EntityMapLimits) async throws {
        let folder = try await folder(count: 2, limits)
        let access = try await folder.writing().reading
        var maps: [EntityMap] = []
        for _ in 0..<2 { maps.append(try await folder.broker.makeEntityMap(of: lamps, access, at: noon)) }
        #expect(folder.broker.usableEntityMap(maps[0].id, access, at: noon) != nil)
        maps.append(try await folder.broker.makeEntityMap(of: lamps, access, at: noon))
        #expect(maps.map { folder.broker.usableEntityMap($0.id, access, at: noon) != nil } == [true, false, true])
    }

    @Test func `entities of context sources are held by their registrations, and their maps are linked (clause 5.14.4.4)`() async throws {
        let folder = try await folder(count: 1)
        let access = try await folder.writing().reading
        let (here, there) = (try #require(IRI("urn:ngsi-ld:Lamp:0")), try #require(IRI("urn:ngsi-ld:Lamp:77")))
        let (registration, linked) = (try #require(IRI("urn:ngsi-ld:Registration:1")), try #require(IRI("urn:ngsi-ld:EntityMap:theirs")))
        let map = try await folder.broker.makeEntityMap(
            of: lamps, remote: [RemoteEntities(registration: registration, ids: [here, there], map: linked)], access, at: noon)
        #expect(map.entries.map { $0?.id } == [here, there])
        #expect(map.entries.map { $0?.holders } == [[.here, .registration(registration)], [.registration(registration)]])
        #expect(map.linkedMaps == [registration: linked])
        #expect(try await folder.broker.query(lamps, through: map, access, at: noon).page.entities.map(\.stored.id) == [here])
    }
}
