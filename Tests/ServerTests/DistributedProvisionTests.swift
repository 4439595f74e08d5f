import Broker
import CityModel
import NIOHTTP1
import OrderedCollections
@testable import Server
import Store
import Testing
import Trust

/// Writes that two brokers take part in, over HTTP (clauses 5.6 and 6.3.17).
@Suite(.serialized, .timeLimit(.minutes(10))) struct DistributedProvisionTests {
    private static let allOperations = #""operations":["redirectionOps","createBatch","upsertBatch","updateBatch","deleteBatch","mergeBatch"]"#

    private func withTwo(_ body: (RunningServer, RunningServer) async throws -> Void) async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        let result: Result<Void, any Error>
        do { result = .success(try await body(broker, source)) } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    @Test func `what is exclusive goes to its source and is not held here (clauses 4.3.6.3 and 5.6.1.4)`() async throws {
        try await withTwo { broker, source in
            let information = #"[{"entities":[{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp"}],"propertyNames":["lux"]}]"#
            try await broker.create(
                "csourceRegistrations", registration(source.address, #""mode":"exclusive",\#(Self.allOperations)"#, information: information))
            try await broker.create("entities", lamp(1, property("level", "1") + "," + property("lux", "2")))
            let here = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1?local=true").json
            #expect(here["level"] != nil && here["lux"] == nil)
            let there = try await source.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").json
            #expect(there["level"] == nil && there["lux"] != nil)
            let patch = try await broker.ask(.PATCH, "entities/urn:ngsi-ld:Lamp:1/attrs", "{\(property("level", "3")),\(property("lux", "4"))}")
            #expect(patch.status == 204)
            let whole = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").json
            #expect(whole["level"]?["value"] == 3)
            #expect(whole["lux"]?["value"] == 4)
        }
    }

    @Test func `a source that does not offer the operation is a conflict, and nothing is done (clause 5.6.1.4)`() async throws {
        try await withTwo { broker, source in
            try await broker.create("csourceRegistrations", registration(source.address, #""mode":"redirect","operations":["retrieveOps"]"#))
            let answer = try await broker.ask(.POST, "entities", lamp(1, property("level", "1")))
            #expect(answer.status == 409)
            #expect(try answer.json["type"]?.stringValue?.hasSuffix("/Conflict") ?? false)
            #expect(try await source.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").status == 404)
            #expect(try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1?local=true").status == 404)
        }
    }

    @Test func `an inclusive source that fails is said beside what succeeded here (clauses 5.2.17 and 6.3.17)`() async throws {
        try await withTwo { broker, source in
            try await source.create("entities", lamp(1, property("level", "1")))
            try await broker.create("csourceRegistrations", registration(source.address, Self.allOperations))
            let answer = try await broker.ask(.POST, "entities", lamp(1, property("level", "2")))
            #expect(answer.status == 207)
            #expect(try answer.json["success"] == ["urn:ngsi-ld:Lamp:1"])
            #expect(try answer.json["errors"]?.arrayValue?.first?["error"]?["status"] == 409)
            #expect(try answer.json["errors"]?.arrayValue?.first?["registrationId"] != nil)
            #expect(try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1?local=true").status == 200)
            let onlyHere = try await broker.ask(.POST, "entities?local=true", lamp(2, property("level", "2")))
            #expect(onlyHere.status == 201)
            #expect(try await source.ask(.GET, "entities/urn:ngsi-ld:Lamp:2").status == 404)
        }
    }

    @Test(arguments: [("loop", 508), ("gone", 502)])
    func `a redirect to one source that can't be reached says why (clause 6.3.17)`(why: String, status: Int) async throws {
        let broker = try await RunningServer()
        try await broker.create("csourceRegistrations", registration("http://127.0.0.1:1", #""mode":"redirect",\#(Self.allOperations)"#))
        let alias = try #require(try await broker.ask(.GET, "info/sourceIdentity").json["contextSourceAlias"]?.stringValue)
        let headers = why == "loop" ? [("Via", "1.1 \(alias)")] : []
        #expect(try await broker.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:1", headers: headers).status == status)
        try await broker.close()
    }

    @Test func `a batch goes to a source in one request, and each entry is said once (clause 5.6.7)`() async throws {
        try await withTwo { broker, source in
            try await source.create("entities", lamp(2, property("level", "1")))
            try await broker.create("csourceRegistrations", registration(source.address, Self.allOperations))
            let batch = "[\(lamp(1, property("level", "1"))),\(lamp(2, property("level", "1")))]"
            let answer = try await broker.ask(.POST, "entityOperations/create", batch)
            #expect(answer.status == 207)
            #expect(try answer.json["success"] == ["urn:ngsi-ld:Lamp:1"])
            #expect(try answer.json["errors"]?.arrayValue?.compactMap { $0["entityId"] } == ["urn:ngsi-ld:Lamp:2"])
            let deleted = try await broker.ask(.POST, "entityOperations/delete", #"["urn:ngsi-ld:Lamp:1","urn:ngsi-ld:Lamp:2"]"#)
            #expect(deleted.status == 204)
            #expect(try await source.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").status == 404)
        }
    }

    @Test func `a token for one municipality writes nothing at its neighbour`() async throws {
        let server = try await RunningServer(isOpen: false)
        let (alder, birch) = (try await server.token(.administer, in: "alder"), try await server.token(.administer, in: "birch"))
        try await server.create("entities", lamp(9, property("level", "1")), tenant: "birch", token: birch)
        try await server.create(
            "csourceRegistrations", registration("conurb:birch", #""mode":"redirect",\#(Self.allOperations)"#), tenant: "alder", token: alder)
        let refused = try await server.ask(.POST, "entities", lamp(1, property("level", "1")), tenant: "alder", token: alder)
        #expect(refused.status == 403)
        #expect(try await server.ask(.GET, "entities/urn:ngsi-ld:Lamp:1", tenant: "birch", token: birch).status == 404)
        #expect(try await server.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:9", tenant: "alder", token: alder).status == 403)
        #expect(try await server.ask(.GET, "entities/urn:ngsi-ld:Lamp:9", tenant: "birch", token: birch).status == 200)
        try await server.close()
    }
}
