import CityModel
import NIOHTTP1
import OrderedCollections
@testable import Server
import Testing

/// Types and attributes of several brokers, put together (clause 5.7.11).
@Suite(.serialized, .timeLimit(.minutes(10))) struct DistributedDiscoveryTests {
    @Test func `types and attributes of sources are listed, as far as they are registered (clauses 4.5.10, 4.5.11, 4.5.12, 4.5.13, 4.5.14)`() async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        try await broker.create("entities", lamp(1, property("level", "1")))
        try await source.create("entities", lamp(2, property("lux", "1") + "," + property("secret", "1")))
        try await source.create("entities", #"{"id":"urn:ngsi-ld:Mast:1","type":"Mast","height":{"type":"Property","value":1}}"#)
        let information = #"[{"entities":[{"type":"Lamp"}],"propertyNames":["lux","level"]}]"#
        try await broker.create("csourceRegistrations", registration(source.address, information: information))
        #expect(try await broker.ask(.GET, "types").json["typeList"] == ["Lamp"])
        #expect(try await broker.ask(.GET, "types?details=true").json.arrayValue?.first?["attributeNames"] == ["level", "lux"])
        let type = try await broker.ask(.GET, "types/Lamp").json
        #expect(type["entityCount"] == 2)
        #expect(type["attributeDetails"]?.arrayValue?.compactMap { $0["attributeName"] } == ["level", "lux"])
        #expect(try await broker.ask(.GET, "types/Lamp?local=true").json["entityCount"] == 1)
        #expect(try await broker.ask(.GET, "types/Mast").status == 404)
        #expect(try await broker.ask(.GET, "attributes").json["attributeList"] == ["level", "lux"])
        let details = try await broker.ask(.GET, "attributes?details=true").json.arrayValue
        #expect(details?.last == ["id": "https://uri.etsi.org/ngsi-ld/default-context/lux", "type": "Attribute", "attributeName": "lux", "typeNames": ["Lamp"]])
        let lux = try await broker.ask(.GET, "attributes/lux").json
        #expect(lux["attributeCount"] == 1 && lux["attributeTypes"] == ["Property"] && lux["typeNames"] == ["Lamp"])
        #expect(try await broker.ask(.GET, "attributes/secret").status == 404)
        try await broker.close()
        try await source.close()
    }

    @Test(arguments: ["garbage", "[]", "{}", #"{"typeList":7}"#, #"{"typeList":[7,"","@x"]}"#])
    func `an answer that is none lists nothing, and what is here is listed (clause 6.3.17)`(body: String) async throws {
        let broker = try await RunningServer()
        let source = try await StandIn { _ in .init(body: body) }
        try await broker.create("entities", lamp(1, property("level", "1")))
        try await broker.create("csourceRegistrations", registration(source.address, information: #"[{"propertyNames":["level"]}]"#))
        let answer = try await broker.ask(.GET, "types")
        #expect(try answer.json["typeList"] == ["Lamp"])
        #expect(answer.warnings.isEmpty == body.hasPrefix(#"{"typeList":["#))
        let count = try await broker.ask(.GET, "types/Lamp").json["entityCount"]
        #expect(count == 1)
        try await broker.close()
        try await source.close()
    }
}
