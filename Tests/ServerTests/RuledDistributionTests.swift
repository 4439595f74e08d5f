import CityModel
import NIOHTTP1
import OrderedCollections
import Policy
@testable import Server
import Store
import Testing
import Trust

/// What context sources have passes the rules of whoever asks, as what is here does; and what is written to them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RuledDistributionTests {
    private static let rules = """
        rules:
          - {id: readers, effect: permit, who: {roles: [token-reader, token-writer]}, actions: all, what: {classifications: {upTo: internal}}}
          - {id: no-benches, effect: forbid, who: {roles: token-reader}, actions: all, what: {types: Bench}}
          - {id: no-lux, effect: forbid, who: {roles: token-reader}, actions: all, what: {types: Lamp, attributes: lux}}
          - {id: lux-stays, effect: forbid, who: {roles: token-writer}, actions: [write, erase], what: {types: Lamp, attributes: lux}}
        """

    /// Runs `body` with a broker under rules and a source that is open to everybody.
    private func withSource(_ more: String = "", _ body: (RunningServer, RunningServer) async throws -> Void) async throws {
        let (broker, source) = (try await RunningServer(isOpen: false), try await RunningServer())
        func run() async throws {
            let token = try await broker.token(.administer, in: "alder")
            try await source.create("entities", lamp(1, property("level", "7", #","observedAt":"2026-01-01T00:00:00Z""#) + "," + property("lux", "9", #","observedAt":"2026-01-01T00:00:00Z""#)))
            try await source.create("entities", #"{"id":"urn:ngsi-ld:Bench:2","type":"Bench",\#(property("level", "3", #","observedAt":"2026-01-01T00:00:00Z""#))}"#)
            let information = #"[{"entities":[{"type":"Lamp"},{"type":"Bench"}]}]"#
            try await broker.create("csourceRegistrations", registration(source.address, more, information: information), tenant: "alder", token: token)
            let access = try await broker.server.gatekeeper.administering(try #require(MunicipalityName("alder")), .program)
            try await broker.server.gatekeeper.setPolicies(access, [.init(name: "rules", text: Self.rules)], now: .now)
            try await body(broker, source)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await run()) } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    @Test func `what rules hide comes from no source either`() async throws {
        try await withSource(#""operations":["federationOps","retrieveTemporal","queryTemporal"]"#) { broker, _ in
            let (reader, writer) = (try await broker.token(.read, in: "alder"), try await broker.token(.write, in: "alder"))
            func ask(_ target: String, _ token: String) async throws -> JSON { try await broker.ask(.GET, target, tenant: "alder", token: token).json }
            func ids(_ target: String, _ token: String) async throws -> [String] {
                try await ask(target, token).arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            }
            let (lampID, benchID) = ("urn:ngsi-ld:Lamp:1", "urn:ngsi-ld:Bench:2")
            #expect(Set(try await ids("entities?type=Lamp,Bench", writer)) == [lampID, benchID], "the source answers")
            let lamps = try await ask("entities?type=Lamp,Bench", reader).arrayValue
            #expect(lamps?.compactMap { $0["id"] } == [.string(lampID)])
            #expect(lamps?.first?["level"]?["value"] == 7 && lamps?.first?["lux"] == nil)
            let counted = try await broker.ask(.GET, "entities?type=Lamp,Bench&count=true", tenant: "alder", token: reader)
            #expect(counted.headers.first(name: "NGSILD-Results-Count") == "1")
            #expect(try await ids("entities?type=Lamp&q=lux%3E5", writer) == [lampID])
            #expect(try await ids("entities?type=Lamp&q=lux%3E5", reader) == [], "what is found by what is hidden tells it")
            #expect(try await ids("entities?type=Lamp&q=level%3E5", reader) == [lampID])
            #expect(try await broker.ask(.GET, "entities/\(benchID)", tenant: "alder", token: reader).status == 404)
            #expect(try await ask("entities/\(lampID)", reader)["lux"] == nil)

            let past = "temporal/entities?type=Lamp,Bench&timerel=after&timeAt=2020-01-01T00:00:00Z"
            #expect(Set(try await ids(past, writer)) == [lampID, benchID])
            let told = try await ask(past, reader).arrayValue
            #expect(told?.compactMap { $0["id"] } == [.string(lampID)])
            #expect(told?.first?["level"] != nil && told?.first?["lux"] == nil)
            #expect(try await ids(past + "&q=lux%3E5", reader) == [])
            #expect(try await ask("temporal/entities/\(lampID)", reader)["lux"] == nil)

            #expect(try await ask("types", reader)["typeList"] == ["Lamp"])
            #expect(Set(try await ask("types", writer)["typeList"]?.arrayValue ?? []) == ["Lamp", "Bench"])
            let details = try await ask("types/Lamp", reader)["attributeDetails"]?.arrayValue?.compactMap { $0["attributeName"]?.stringValue }
            #expect(details == ["level"])
        }
    }

    @Test func `nothing is written to a source that rules do not let be written`() async throws {
        try await withSource(#""mode":"redirect","operations":["redirectionOps"]"#) { broker, source in
            let (reader, writer) = (try await broker.token(.read, in: "alder"), try await broker.token(.write, in: "alder"))
            func patch(_ attributes: String, _ token: String) async throws -> Int {
                try await broker.ask(.PATCH, "entities/urn:ngsi-ld:Lamp:1/attrs", "{\(attributes),\"type\":\"Lamp\"}", tenant: "alder", token: token).status
            }
            #expect(try await patch(property("level", "8"), writer) == 204)
            #expect(try await patch(property("lux", "1"), writer) == 403)
            #expect(try await broker.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:1/attrs/lux?type=Lamp", tenant: "alder", token: writer).status == 403)
            #expect(try await broker.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:1?type=Lamp", tenant: "alder", token: writer).status == 403)
            #expect(try await broker.ask(.DELETE, "entities?type=Lamp", tenant: "alder", token: writer).status != 204)
            let batch = "[\(lamp(1, property("lux", "2"))),{\"id\":\"urn:ngsi-ld:Bench:2\",\"type\":\"Bench\",\(property("level", "4"))}]"
            let answer = try await broker.ask(.POST, "entityOperations/upsert?options=update", batch, tenant: "alder", token: writer)
            #expect(answer.status == 207)
            #expect(try answer.json["errors"]?.arrayValue?.compactMap { $0["entityId"] } == ["urn:ngsi-ld:Lamp:1"])
            #expect(try await patch(property("level", "9"), reader) == 403)
            let access = try await broker.server.gatekeeper.administering(try #require(MunicipalityName("alder")), .program)
            var scope = TokenScope(right: .write)
            scope.types = [IRI(known: IRI.defaultContextNamespace + "Bench")]
            let order = TokenOrder(name: "benches", scope: scope, expiresAt: nil)
            let benches = try await broker.server.gatekeeper.createToken(access, order, now: .now).text
            #expect(try await patch(property("level", "9"), benches) == 403, "what a token is held to holds there too")
            let there = try await source.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").json
            #expect(there["lux"]?["value"] == 9 && there["level"]?["value"] == 8)
            #expect(try await source.ask(.GET, "entities/urn:ngsi-ld:Bench:2").json["level"]?["value"] == 4)
        }
    }

    @Test func `a source is asked for those who see its class whole, and for nobody else`() async throws {
        let broker = try await RunningServer(isOpen: false)
        let open = try await StandIn { _ in .init(body: "[\(lamp(1, property("level", "1")))]") }
        let confidential = try await StandIn { _ in .init(body: "[\(lamp(2, property("level", "2")))]") }
        let rules = """
            rules:
              - {id: everybody, effect: permit, who: anyone, actions: all, what: {classifications: open}}
              - {id: some, effect: permit, who: {roles: token-reader}, actions: all, what: {types: Lamp, classifications: internal}}
              - {id: whole, effect: permit, who: {roles: [token-writer, token-administrator]}, actions: all, what: {classifications: {upTo: internal}}}
            """
        let administrator = try await broker.token(.administer, in: "alder")
        let access = try await broker.server.gatekeeper.administering(try #require(MunicipalityName("alder")), .program)
        try await broker.server.gatekeeper.setPolicies(access, [.init(name: "rules", text: rules)], now: .now)
        // What is had with a key that the municipality was given is internal.
        let key = #""contextSourceInfo":[{"key":"X-Key","value":"secret"}]"#
        for made in [registration(open.address), registration(confidential.address, key)] {
            try await broker.create("csourceRegistrations", made, tenant: "alder", token: administrator)
        }
        func asked(of source: StandIn) -> Int { source.asked.count { $0.target.hasPrefix("/ngsi-ld/v1/entities") } }
        let (reader, writer) = (try await broker.token(.read, in: "alder"), try await broker.token(.write, in: "alder"))
        let expected: [(token: String?, shown: [String])] = [
            (nil, ["urn:ngsi-ld:Lamp:1"]), (reader, ["urn:ngsi-ld:Lamp:1"]), (writer, ["urn:ngsi-ld:Lamp:1", "urn:ngsi-ld:Lamp:2"]),
        ]
        for (token, shown) in expected {
            let (openCount, confidentialCount) = (asked(of: open), asked(of: confidential))
            let answer = try await broker.ask(.GET, "entities?type=Lamp", tenant: "alder", token: token)
            #expect(try answer.json.arrayValue?.compactMap { $0["id"]?.stringValue }.sorted() == shown && answer.warnings == [])
            #expect(asked(of: open) == openCount + 1)
            #expect(asked(of: confidential) == confidentialCount + shown.count - 1, "\(shown)")
        }
        try await broker.close()
        try await open.close()
        try await confidential.close()
    }
}
