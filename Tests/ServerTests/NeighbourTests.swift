import Broker
import CityModel
import NIOHTTP1
import OrderedCollections
@testable import Server
import Store
import Testing
import Trust

/// Registrations that point at another municipality on the same installation: `conurb:NAME`.
@Suite(.serialized, .timeLimit(.minutes(10))) struct NeighbourTests {
    @Test func `a neighbour answers what he shows to whoever asks, and no more`() async throws {
        let server = try await RunningServer(isOpen: false)
        let (alder, _) = (try await server.token(.administer, in: "alder"), try await server.token(.administer, in: "birch"))
        try await server.create("entities", lamp(1, property("level", "1")), tenant: "alder", token: alder)
        try await server.record(2, .open, in: "birch")
        try await server.create("csourceRegistrations", registration("conurb:birch"), tenant: "alder", token: alder)

        let both = try await server.ask(.GET, "entities?type=Lamp", tenant: "alder", token: alder).json.arrayValue
        #expect(both?.count == 2, "what is open in birch is seen from alder")
        // The token of alder is worth nothing in birch.
        let write = try await server.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:2", tenant: "birch", token: alder)
        #expect(write.status == 401)
        try await server.close()
    }

    @Test func `what a neighbour keeps for himself is not seen by this way either`() async throws {
        let server = try await RunningServer(isOpen: false)
        let (alder, birch) = (try await server.token(.administer, in: "alder"), try await server.token(.administer, in: "birch"))
        try await server.record(2, .open, in: "birch")
        try await server.record(3, .internalUse, in: "birch")
        try await server.create("csourceRegistrations", registration("conurb:birch"), tenant: "alder", token: alder)
        let seen = try await server.ask(.GET, "entities?type=Lamp&count=true", tenant: "alder", token: alder)
        #expect(try seen.json.arrayValue?.compactMap { $0["id"] } == ["urn:ngsi-ld:Lamp:2"])
        #expect(seen.headers["NGSILD-Results-Count"] == ["1"])
        let own = try await server.ask(.GET, "entities?type=Lamp", tenant: "birch", token: birch).json.arrayValue
        #expect(own?.count == 2)
        try await server.close()
    }

    @Test func `two neighbours that point at each other make no circle (clause 4.3.6.4)`() async throws {
        let server = try await RunningServer()
        try await server.create("entities", lamp(1, property("level", "1")), tenant: "alder")
        try await server.create("entities", lamp(1, property("lux", "2")), tenant: "birch")
        try await server.create("csourceRegistrations", registration("conurb:birch"), tenant: "alder")
        try await server.create("csourceRegistrations", registration("conurb:alder"), tenant: "birch")
        let whole = try await server.ask(.GET, "entities/urn:ngsi-ld:Lamp:1", tenant: "alder")
        #expect(try whole.json["level"]?["value"] == 1)
        #expect(try whole.json["lux"]?["value"] == 2)
        try await server.close()
    }

    @Test(arguments: ["conurb:nowhere", "conurb:alder", "conurb:", "ftp://a.example", "http://a.example/?x=1", "http://a:b@c.example"])
    func `an endpoint that leads nowhere is refused`(endpoint: String) async throws {
        let server = try await RunningServer()
        try await server.create("entities", lamp(1, property("level", "1")), tenant: "alder")
        #expect(try await server.ask(.POST, "csourceRegistrations", registration(endpoint), tenant: "alder").status == 400)
        try await server.close()
    }
}
