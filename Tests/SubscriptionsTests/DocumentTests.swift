import CityModel
import LinkedData
import OrderedCollections
import Store
import Subscriptions
import Testing

@Suite(.timeLimit(.minutes(10))) struct DocumentTests {
    private static func document(_ members: String) -> String {
        #"{"type":"Subscription","entities":[{"type":"Lamp"}],"notification":{"endpoint":{"uri":"http://a.example/"}}"#
            + (members.isEmpty ? "" : ",") + members + "}"
    }

    private static func notification(_ members: String) -> String { #""notification":{"endpoint":{"uri":"http://a.example/"},"# + members + "}" }
    private static func endpoint(_ members: String) -> String { #""notification":{"endpoint":{"# + members + "}}" }

    /// Clauses 5.2.13, 5.2.14, 5.2.15, 5.2.33, 5.8.1.4.
    @Test(arguments: [
        #""entities":[]"#, #""entities":[{"id":"urn:x:1"}]"#, #""entities":[{"type":"Lamp","id":"no URI"}]"#, #""watchedAttributes":[]"#,
        #""watchedAttributes":[1]"#, #""notificationTrigger":["entityChanged"]"#, #""q":"((""#, #""geoQ":{"georel":"near"}"#,
        #""scopeQ":"/a b""#, #""csf":"((""#, #""timeInterval":0"#, #""throttling":-1"#, #""timeInterval":5,"throttling":1"#,
        #""timeInterval":5,"watchedAttributes":["a"]"#, #""expiresAt":"2026-13-45T00:00:00Z""#, #""expiresAt":"2026-06-01T12:00:00Z""#,
        #""isActive":"yes""#, #""temporalQ":{}"#, #""ngsildConformance":"2.0""#, #""id":"no URI""#, #""notification":{}"#,
        notification(#""format":"xml""#), notification(#""format":"keyValues","showChanges":true"#), notification(#""attributes":[]"#),
        notification(#""pick":[]"#), notification(#""pick":["a"],"attributes":["a"]"#), notification(#""pick":["a"],"omit":["a"]"#),
        notification(#""join":"deep""#), notification(#""join":"flat","joinLevel":0"#), endpoint(#""uri":"ftp://a/""#), endpoint(#""uri":"mqtt://host""#),
        endpoint(#""uri":"http://a/","accept":"text/html""#), endpoint(#""uri":"mqtt://a/t","accept":"application/geo+json""#),
        endpoint(#""uri":"http://a/","timeout":0"#), endpoint(#""uri":"http://a/","receiverInfo":[{"key":"K"}]"#),
        endpoint(#""uri":"http://a/","receiverInfo":[{"key":"K","value":1}]"#), endpoint(#""uri":"http://a/","receiverInfo":[{"key":"Host","value":"b"}]"#),
        endpoint(#""uri":"http://a/","receiverInfo":[{"key":"K","value":"a\r\nB: c"}]"#),
        endpoint(#""uri":"mqtt://a/t","notifierInfo":[{"key":"MQTT-QoS","value":"3"}]"#),
        endpoint(#""uri":"mqtt://a/t","notifierInfo":[{"key":"MQTT-Version","value":"mqtt4"}]"#),
    ])
    func `what clause 5.2.12 does not allow is BadRequestData`(members: String) async throws {
        let city = try City()
        await #expect {
            try await city.subscribe(Self.document(members))
        } throws: { error in
            if case CityError.badRequestData = error { true } else { false }
        }
        try await city.close()
    }

    @Test(arguments: [
        (#""lang":"""#, "lang: "), (#""lang":5"#, "lang: "), (#""entities":["Lamp"]"#, "entities: "),
        (#""geoQ":{"georel":"on","geometry":"Point","coordinates":[1,2]}"#, "geoQ.georel: "),
        (#""geoQ":{"georel":"within","geometry":"Point","coordinates":[1]}"#, "geoQ.coordinates: "),
        (#""geoQ":{"georel":"within","geometry":"Point","coordinates":[1,2],"geoproperty":7}"#, "geoQ.geoproperty: "),
        (notification(#""pick":["a b"]"#), "notification.pick"), (endpoint(#""uri":"http://:80/""#), "notification.endpoint.uri: "),
        (#""datasetId":["no URI"]"#, "datasetId: "), (#""scopeQ":"/a b""#, "scopeQ, "), (#""q":"((""#, "q, "),
    ])
    func `what is wrong with a document is said at creation, and which member it is`(members: String, member: String) async throws {
        let city = try City()
        await #expect {
            try await city.subscribe(Self.document(members))
        } throws: { error in
            if case CityError.badRequestData(let detail) = error { detail.hasPrefix(member) } else { false }
        }
        try await city.close()
    }

    @Test func `an identifier that is known is refused, and one is made up where there is none (clause 5.8.1.4)`() async throws {
        let city = try City()
        #expect(try await city.subscribe(Self.document("")).text.hasPrefix("urn:"))
        try await city.subscribe(Self.document(#""id":"urn:s:1""#))
        await #expect(throws: CityError.alreadyExists("subscription urn:s:1 exists already")) {
            try await city.subscribe(Self.document(#""id":"urn:s:1""#))
        }
        try await city.close()
    }

    @Test func `more subscriptions than a municipality may have are refused`() async throws {
        let city = try City()
        for _ in 0..<100 { try await city.subscribe(Self.document("")) }
        await #expect(throws: CityError.tooManyResults("a municipality has at most 100 subscriptions")) { try await city.subscribe(Self.document("")) }
        try await city.close()
    }

    /// Clauses 5.2.12, 5.2.14.2.
    @Test func `what the broker makes itself is passed over in requests and stands in answers (table 5.2.12-2)`() async throws {
        let city = try City()
        let id = try await city.subscribe(Self.document(#""status":"expired","secret":1,"#
            + #""notification":{"endpoint":{"uri":"http://a.example/"},"timesSent":42}"#))
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        while try await city.state(of: id).timesSent < 1 { await Task.yield() }
        let answer = try await city.record(of: id).answer(.core, includesSystemMembers: true, at: city.clock.now)
        #expect(answer["status"] == "active")
        #expect(answer["secret"] == nil)
        #expect(answer["notification"]?["timesSent"] == 1)
        #expect(answer["notification"]?["status"] == "ok")
        #expect(answer["notification"]?["lastSuccess"] == .string(noon.description))
        #expect(answer["notification"]?["timesFailed"] == nil)
        #expect(answer["createdAt"] == .string(noon.description))
        #expect(answer["notificationTrigger"] == ["attributeCreated", "attributeUpdated"])
        try await city.close()
    }

    /// Clause 5.8.2.
    @Test func `a fragment replaces the members it has and removes those that are null (clause 5.5.8)`() async throws {
        let city = try City()
        let id = try await city.subscribe(Self.document(#""description":"old","q":"level>5","throttling":3"#))
        try await city.subscriptions.update(
            id, with: ["q": "level<5", "description": "urn:ngsi-ld:null", "throttling": .null], .core, city.access(), at: noon)
        let answer = try await city.record(of: id).answer(.core, includesSystemMembers: false, at: noon)
        #expect(answer["q"] == "level<5")
        #expect(answer["description"] == nil && answer["throttling"] == nil)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 9)
        try await city.set("urn:ngsi-ld:Lamp:1", level: 1)
        #expect(try await city.receivers.wait(for: 1)[0].value("level") == 1)
        await #expect(throws: CityError.self) { try await city.subscriptions.update(id, with: ["notification": ["format": "concise"]], .core, city.access(), at: noon) }
        try await city.close()
    }

    @Test func `the status follows isActive and expiresAt (clause 5.8.2.4)`() async throws {
        let city = try City()
        let id = try await city.subscribe(Self.document(#""isActive":false,"expiresAt":"2026-06-01T12:00:10Z""#))
        func status() async throws -> String { try await city.record(of: id).status(at: city.clock.now) }
        func update(_ members: JSONObject) async throws {
            try await city.subscriptions.update(id, with: members, .core, city.access(), at: city.clock.now)
        }
        #expect(try await status() == "paused")
        try await update(["isActive": true])
        #expect(try await status() == "active")
        try await update(["isActive": false])
        city.clock.advance(seconds: 10)
        #expect(try await status() == "expired")
        try await update(["isActive": true])
        #expect(try await status() == "expired")
        try await update(["isActive": false])
        try await update(["expiresAt": "2026-06-01T13:00:00Z"])
        #expect(try await status() == "active")
        await #expect(throws: CityError.self) { try await update(["expiresAt": "2026-06-01T11:00:00Z", "isActive": true]) }
        try await city.close()
    }
}
