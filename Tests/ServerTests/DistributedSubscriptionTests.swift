import CityModel
import HTTPTypes
import NIOHTTP1
import OrderedCollections
@testable import Server
import Testing
import Trust

/// Subscriptions that reach context sources (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4 and 5.8.6).
@Suite(.serialized, .timeLimit(.minutes(10))) struct DistributedSubscriptionTests {
    private static let id = "urn:ngsi-ld:Subscription:1"

    private func subscription(_ receiver: String, _ more: String = "") -> String {
        #"{"id":"\#(Self.id)","type":"Subscription","entities":[{"type":"Lamp"}]\#(more.isEmpty ? "" : "," + more),"#
            + #""notification":{"endpoint":{"uri":"\#(receiver)/told"}}}"#
    }

    /// Runs `body` with a broker that has registered a stand-in, which takes all that it is asked.
    private func withStandIn(_ more: String = "", information: String? = nil, _ body: (RunningServer, StandIn) async throws -> Void) async throws {
        let broker = try await RunningServer()
        let source = try await StandIn { asked in .init(status: asked.method == .post ? (asked.target == "/told" ? 200 : 201) : 204) }
        let made = information.map { registration(source.address, more, information: $0) } ?? registration(source.address, more)
        try await broker.create("csourceRegistrations", made)
        let result: Result<Void, any Error>
        do { result = .success(try await body(broker, source)) } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    private func isCopy(_ asked: StandIn.Asked) -> Bool { asked.target.hasPrefix("/ngsi-ld/v1/subscriptions") }
    private func isTold(_ asked: StandIn.Asked) -> Bool { asked.target == "/told" }

    @Test func `a change at a source is told to the subscriber, under the subscription that he knows (clause 5.8.6)`() async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        let receiver = try await StandIn { _ in .init() }
        try await broker.create("csourceRegistrations", registration(source.address))
        try await broker.create("subscriptions", subscription(receiver.address, #""q":"level>10""#))
        while try await source.ask(.GET, "subscriptions").json == [] { await Task.yield() }
        try await source.create("entities", lamp(1, property("level", "42")))
        let told = try #require(await receiver.next()).json
        #expect(told["subscriptionId"]?.stringValue == Self.id)
        #expect(told["data"]?.arrayValue?.count == 1)
        #expect(told["data"]?.arrayValue?.first?["level"]?["value"] == 42)
        #expect(told["data"]?.arrayValue?.first?["modifiedAt"] == nil)
        try await source.ask(.PATCH, "entities/urn:ngsi-ld:Lamp:1/attrs", #"{"level":{"type":"Property","value":5}}"#)
        try await source.ask(.PATCH, "entities/urn:ngsi-ld:Lamp:1/attrs", #"{"level":{"type":"Property","value":50}}"#)
        #expect(try await receiver.next()?.json["data"]?.arrayValue?.first?["level"]?["value"] == 50, "what does not match is not told")
        #expect(try await broker.ask(.DELETE, "subscriptions/" + Self.id).status == 204)
        while try await source.ask(.GET, "subscriptions").json != [] { await Task.yield() }
        try await broker.close()
        try await source.close()
        try await receiver.close()
    }

    @Test func `a copy is no wider than the registration, and goes to this broker (clause 5.8.1.4)`() async throws {
        let information = #"[{"entities":[{"type":"Lamp","idPattern":"urn:ngsi-ld:Lamp:.*"}],"propertyNames":["level","lux"]}]"#
        try await withStandIn(information: information) { broker, source in
            let more = #""watchedAttributes":["level","secret"],"q":"level>10;lux<5","throttling":5"#
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1", more))
            let asked = try #require(await source.next(where: isCopy))
            #expect(asked.method == .post)
            let copy = try asked.json
            #expect(copy["id"]?.stringValue != Self.id)
            #expect(copy["entities"] == [["type": "Lamp", "idPattern": "urn:ngsi-ld:Lamp:.*"]])
            #expect(copy["watchedAttributes"] == ["level"])
            #expect(copy["notification"]?["attributes"] == ["level", "lux"])
            #expect(copy["q"] == "level>10;lux<5" && copy["throttling"] == 5)
            let receiver = try #require(copy["notification"]?["endpoint"]?["uri"]?.stringValue)
            #expect(receiver.hasPrefix(broker.address + "/ngsi-ld/ex/remote-notify/"))
            #expect(asked.headers[.via] != nil)
        }
    }

    @Test(arguments: [nil, "https://city.example/broker"])
    func `sources are told where this program is as its configuration says, whatever a client calls it (clause 5.8.1.4)`(address: String?) async throws {
        let broker = try await RunningServer(publicAddress: address)
        let source = try await StandIn { _ in .init(status: 201) }
        try await broker.create("csourceRegistrations", registration(source.address))
        let made = try await broker.ask(.POST, "subscriptions", subscription("http://127.0.0.1:1"), headers: [("Host", "somebody.example")])
        #expect(made.status == 201)
        let copy = try #require(await source.next(where: isCopy)).json
        let receiver = try #require(copy["notification"]?["endpoint"]?["uri"]?.stringValue)
        #expect(receiver.hasPrefix((address ?? broker.address) + "/ngsi-ld/ex/remote-notify/"))
        // A context that is stored here is named so too, where the configuration says it.
        let stored = #"{"@context":[{"Lamp":"https://city.example/Lamp"}],"type":"Subscription","entities":[{"type":"Lamp"}],"notification":{"endpoint":{"uri":"http://127.0.0.1:1"}}}"#
        let other = try await broker.ask(
            .POST, "subscriptions", stored, headers: [("Host", "somebody.example"), ("Content-Type", "application/ld+json")])
        let context = try await broker.ask(.GET, try #require(other.headers["Location"].first)).json["jsonldContext"]?.stringValue
        #expect(context?.hasPrefix((address ?? "http://somebody.example") + "/ngsi-ld/v1/jsonldContexts/") ?? false)
        try await broker.close()
        try await source.close()
    }

    @Test func `sources are told when this program is somewhere else (clause 5.8.1.4)`() async throws {
        let source = try await StandIn { _ in .init(status: 201) }
        let first = try await RunningServer(publicAddress: "https://old.example")
        try await first.create("csourceRegistrations", registration(source.address))
        try await first.create("subscriptions", subscription("http://127.0.0.1:1"))
        func receiver(_ asked: StandIn.Asked?) throws -> String? { try asked?.json["notification"]?["endpoint"]?["uri"]?.stringValue }
        let old = try #require(try receiver(await source.next(where: isCopy)))
        try await first.close(keepingFiles: true)
        let second = try await RunningServer(publicAddress: "https://new.example", after: first)
        let told = try #require(await source.next(where: isCopy))
        #expect(try receiver(told) == old.replacing("https://old.example", with: "https://new.example"))
        #expect(try await second.ask(.GET, "csourceSubscriptions").json.arrayValue?.count == 1)
        try await second.close()
        try await source.close()
    }

    @Test func `changes and the end of a subscription are passed on (clauses 5.8.2.4, 5.8.5.4)`() async throws {
        try await withStandIn { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1", #""q":"level>10""#))
            let id = try #require(await source.next(where: isCopy)?.json["id"]?.stringValue)
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"q":null,"isActive":false}"#).status == 204)
            let changed = try #require(await source.next(where: isCopy))
            #expect(changed.method == .patch && changed.target == "/ngsi-ld/v1/subscriptions/" + id)
            #expect(try changed.json == ["isActive": false, "q": "urn:ngsi-ld:null"])
            #expect(try await broker.ask(.DELETE, "subscriptions/" + Self.id).status == 204)
            let ended = try #require(await source.next(where: isCopy))
            #expect(ended.method == .delete && ended.target == "/ngsi-ld/v1/subscriptions/" + id)
        }
    }

    @Test func `registrations that come, move and go are followed (clause 5.8.1.4)`() async throws {
        let broker = try await RunningServer()
        let sources = (try await StandIn { _ in .init(status: 201) }, try await StandIn { _ in .init(status: 201) })
        try await broker.create("subscriptions", subscription("http://127.0.0.1:1"))
        let made = registration(sources.0.address)
        let id = try #require(JSON(parsing: made)["id"]?.stringValue)
        try await broker.create("csourceRegistrations", made)
        #expect(await sources.0.next(where: isCopy)?.method == .post)
        #expect(try await broker.ask(.PATCH, "csourceRegistrations/" + id, #"{"endpoint":"\#(sources.1.address)"}"#).status == 204)
        #expect(await sources.0.next(where: isCopy)?.method == .delete)
        #expect(await sources.1.next(where: isCopy)?.method == .post)
        #expect(try await broker.ask(.DELETE, "csourceRegistrations/" + id).status == 204)
        #expect(await sources.1.next(where: isCopy)?.method == .delete)
        try await broker.close()
        try await sources.0.close()
        try await sources.1.close()
    }

    @Test func `a source that refuses fails no subscription, and is asked again`() async throws {
        let broker = try await RunningServer()
        let source = try await StandIn { _ in .init(status: 503) }
        try await broker.create("csourceRegistrations", registration(source.address))
        try await broker.create("subscriptions", subscription("http://127.0.0.1:1"))
        let first = try #require(await source.next(where: isCopy)).json
        let second = try #require(await source.next(where: isCopy)).json
        #expect(first["id"] == second["id"])
        try await broker.close()
        try await source.close()
    }

    /// Runs `body` with a broker that has registered a stand-in, which answers copies so.
    private func withSource(
        _ more: String = "", _ answer: @escaping @Sendable (StandIn.Asked) async throws -> StandIn.Said,
        _ body: (RunningServer, StandIn) async throws -> Void
    ) async throws {
        let (broker, source) = (try await RunningServer(), try await StandIn(answer))
        try await broker.create("csourceRegistrations", registration(source.address, more))
        let result: Result<Void, any Error>
        do { result = .success(try await body(broker, source)) } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    @Test func `what a source may have taken is taken back, though it never said so (clause 5.8.5.4)`() async throws {
        try await withSource { asked in .init(status: asked.method == .post ? 504 : 204) } _: { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1"))
            let id = try #require(await source.next(where: isCopy)?.json["id"]?.stringValue)
            #expect(try await broker.ask(.DELETE, "subscriptions/" + Self.id).status == 204)
            let ended = try #require(await source.next { isCopy($0) && $0.method == .delete })
            #expect(ended.target == "/ngsi-ld/v1/subscriptions/" + id)
        }
    }

    @Test func `what a source has already is made what it should be (clauses 5.8.1.4, 5.8.2.4)`() async throws {
        try await withSource { asked in .init(status: asked.method == .post ? 409 : 204) } _: { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1", #""q":"level>10""#))
            let made = try #require(await source.next(where: isCopy)).json
            let changed = try #require(await source.next(where: isCopy))
            #expect(changed.method == .patch)
            let copy = try changed.json
            #expect(copy["q"] == made["q"] && copy["entities"] == made["entities"] && copy["notification"] == made["notification"])
            #expect(changed.target == "/ngsi-ld/v1/subscriptions/" + (made["id"]?.stringValue ?? ""))
        }
    }

    @Test func `a change whose answer was lost is taken back when the subscription is what it was (clause 5.8.2.4)`() async throws {
        try await withSource { asked in
            if asked.method == .post { return .init(status: 201) }
            return .init(status: try asked.json["q"] == "level>20" ? 504 : 204)
        } _: { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1", #""q":"level>10""#))
            #expect(await source.next(where: isCopy)?.method == .post)
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"q":"level>20","throttling":5}"#).status == 204)
            #expect(await source.next(where: isCopy)?.method == .patch)
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"q":"level>10","throttling":null}"#).status == 204)
            let again = try #require(await source.next { isCopy($0) && (try? $0.json["q"]) == "level>10" }).json
            #expect(again["throttling"]?.stringValue == "urn:ngsi-ld:null" && again["entities"] == [["type": "Lamp"]])
        }
    }

    @Test func `a registration that moves while its source is asked leaves nothing behind (clause 5.8.5.4)`() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let broker = try await RunningServer()
        let old = try await StandIn { asked in
            if asked.method == .post { for await _ in gate {} }
            return .init(status: asked.method == .post ? 201 : 204)
        }
        let new = try await StandIn { _ in .init(status: 201) }
        let made = registration(old.address)
        let id = try #require(JSON(parsing: made)["id"]?.stringValue)
        try await broker.create("csourceRegistrations", made)
        try await broker.create("subscriptions", subscription("http://127.0.0.1:1"))
        let copy = try #require(await old.next(where: isCopy)?.json["id"]?.stringValue)
        #expect(try await broker.ask(.PATCH, "csourceRegistrations/" + id, #"{"endpoint":"\#(new.address)"}"#).status == 204)
        opener.finish()
        let ended = try #require(await old.next { isCopy($0) && $0.method == .delete })
        #expect(ended.target == "/ngsi-ld/v1/subscriptions/" + copy)
        #expect(await new.next(where: isCopy)?.method == .post)
        try await broker.close()
        try await old.close()
        try await new.close()
    }

    @Test func `a source that will not have a copy is asked for others, and again for this one when it is another (clause 5.8.1.4)`() async throws {
        try await withSource(#""management":{"cooldown":600000}"#) { _ in .init(status: 403) } _: { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1"))
            #expect(await source.next(where: isCopy)?.method == .post)
            let other = #"{"type":"Subscription","entities":[{"type":"Lamp"}],"q":"lux<5","notification":{"endpoint":{"uri":"http://127.0.0.1:1/"}}}"#
            try await broker.create("subscriptions", other)
            #expect(try await source.next(where: isCopy)?.json["q"] == "lux<5")
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"q":"level>10"}"#).status == 204)
            #expect(try await source.next(where: isCopy)?.json["q"] == "level>10")
            #expect(source.asked.filter(isCopy).count == 3)
        }
    }

    @Test(arguments: [
        (#""localOnly":true"#, ""), ("", #""mode":"auxiliary""#), ("", #""operations":["retrieveOps"]"#),
    ])
    func `what is local, auxiliary or not offered is not passed on (clause 5.8.1.4)`(more: String, registered: String) async throws {
        try await withStandIn(registered) { broker, source in
            try await broker.create("subscriptions", subscription("http://127.0.0.1:1", more))
            // One that is passed on comes after it.
            try await broker.create("csourceRegistrations", registration(source.address, information: #"[{"entities":[{"type":"Mast"}]}]"#))
            let other = #"{"type":"Subscription","entities":[{"type":"Mast"}],"notification":{"endpoint":{"uri":"http://127.0.0.1:1/"}}}"#
            try await broker.create("subscriptions", other)
            let first = try #require(await source.next(where: isCopy)).json
            #expect(first["entities"] == [["type": "Mast"]])
        }
    }

    @Test func `two that registered each other do not send a subscription round (clause 4.3.6.4)`() async throws {
        let (one, other) = (try await RunningServer(), try await RunningServer())
        try await one.create("csourceRegistrations", registration(other.address))
        try await other.create("csourceRegistrations", registration(one.address))
        try await one.create("subscriptions", subscription("http://127.0.0.1:1"))
        while try await other.ask(.GET, "subscriptions").json == [] { await Task.yield() }
        let id = try #require(try await other.ask(.GET, "csourceRegistrations?type=Lamp").json.arrayValue?.first?["id"]?.stringValue)
        // It has tried, and was sent away.
        while try await other.ask(.GET, "csourceRegistrations/" + id).json["timesFailed"] == nil { await Task.yield() }
        #expect(try await one.ask(.GET, "subscriptions").json.arrayValue?.count == 1)
        #expect(try await other.ask(.GET, "subscriptions").json.arrayValue?.count == 1)
        try await one.close()
        try await other.close()
    }

    @Test func `of split entities the subscriber is told the whole, when the whole matches (clause 5.8.6)`() async throws {
        try await withStandIn { broker, source in
            try await broker.create("entities", lamp(1, property("mast", "\"A\"")))
            try await broker.create("subscriptions", subscription(source.address, #""q":"level>10;mast==\"A\"","splitEntities":true"#))
            let copy = try #require(await source.next(where: isCopy)).json
            #expect(copy["q"] == nil && copy["splitEntities"] == true && copy["notification"]?["attributes"] == nil)
            let id = try #require(copy["id"]?.stringValue)
            for level in ["5", "50"] {
                #expect(try await tell(broker, copy, id, "[" + lamp(1, property("level", level)) + "]") == 200)
            }
            let told = try #require(await source.next(where: isTold)).json
            #expect(told["data"]?.arrayValue?.first?["level"]?["value"] == 50)
            #expect(told["data"]?.arrayValue?.first?["mast"]?["value"] == "A")
            #expect(told["subscriptionId"]?.stringValue == Self.id)
        }
    }

    /// Sends a notification where a copy says.
    private func tell(_ broker: RunningServer, _ copy: JSON, _ id: String, _ data: String) async throws -> Int {
        let uri = try #require(copy["notification"]?["endpoint"]?["uri"]?.stringValue)
        return try await broker.ask(.POST, String(uri.dropFirst(broker.address.count)), #"{"id":"urn:x:n","type":"Notification","subscriptionId":"\#(id)","data":\#(data)}"#).status
    }

    @Test func `what was not registered or not subscribed to is not told, nor what nobody can have been asked for (clause 4.3.6.1)`() async throws {
        let information = #"[{"entities":[{"type":"Lamp"}],"propertyNames":["level"]}]"#
        try await withStandIn(information: information) { broker, source in
            try await broker.create("subscriptions", subscription(source.address))
            let copy = try #require(await source.next(where: isCopy)).json
            let id = try #require(copy["id"]?.stringValue)
            #expect(try await tell(broker, copy, "urn:ngsi-ld:Subscription:other", "[" + lamp(1, property("level", "1")) + "]") == 404)
            #expect(try await tell(broker, copy, Self.id, "[" + lamp(1, property("level", "1")) + "]") == 404)
            #expect(try await tell(broker, copy, id, "{}") == 400)
            #expect(try await tell(broker, copy, id, "[1]") == 400)
            #expect(try await tell(broker, copy, id, "[" + String(repeating: "1,", count: 1000) + "1]") == 400)
            #expect(try await tell(broker, copy, id, #"[{"id":"urn:ngsi-ld:Mast:1","type":"Mast","level":{"type":"Property","value":2}}]"#) == 200)
            let body = #"{"type":"Notification","subscriptionId":"\#(id)","data":[]}"#
            #expect(try await broker.ask(.POST, "/ngsi-ld/ex/remote-notify/default/0123456789abcdef", body).status == 404)
            #expect(try await broker.ask(.POST, "/ngsi-ld/ex/remote-notify/no%20name/x", body).status == 404)
            #expect(try await tell(broker, copy, id, "[" + lamp(1, property("level", "3") + "," + property("secret", "4")) + "]") == 200)
            let told = try #require(await source.next(where: isTold)).json
            #expect(told["data"] == [["id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "level": ["type": "Property", "value": 3]]])
        }
    }

    @Test func `a deletion at a source is told as one (clause 5.8.6)`() async throws {
        try await withStandIn { broker, source in
            try await broker.create("subscriptions", subscription(source.address, #""notificationTrigger":["entityDeleted","attributeDeleted"]"#))
            let copy = try #require(await source.next(where: isCopy)).json
            let id = try #require(copy["id"]?.stringValue)
            #expect(try await tell(broker, copy, id, #"[{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","deletedAt":"2026-05-01T00:00:00Z"}]"#) == 200)
            let told = try #require(await source.next(where: isTold)).json["data"]?.arrayValue?.first
            #expect(told == ["id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "deletedAt": "2026-05-01T00:00:00Z"])
            #expect(try await tell(broker, copy, id, #"[{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":"urn:ngsi-ld:null"}]"#) == 200)
            let gone = try #require(await source.next(where: isTold)).json["data"]?.arrayValue?.first
            #expect(gone?["level"] != nil && gone?["deletedAt"] == nil)
        }
    }

    @Test func `nothing is told of a subscription that is paused or gone (clause 5.8.6)`() async throws {
        try await withStandIn { broker, source in
            try await broker.create("subscriptions", subscription(source.address))
            let copy = try #require(await source.next(where: isCopy)).json
            let id = try #require(copy["id"]?.stringValue)
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"isActive":false}"#).status == 204)
            #expect(try await tell(broker, copy, id, "[" + lamp(1, property("level", "1")) + "]") == 200)
            #expect(try await broker.ask(.PATCH, "subscriptions/" + Self.id, #"{"isActive":true}"#).status == 204)
            #expect(try await tell(broker, copy, id, "[" + lamp(1, property("level", "2")) + "]") == 200)
            let told = try #require(await source.next(where: isTold)).json
            #expect(told["data"]?.arrayValue?.first?["level"]?["value"] == 2)
            #expect(try await broker.ask(.DELETE, "subscriptions/" + Self.id).status == 204)
            #expect(try await tell(broker, copy, id, "[" + lamp(1, property("level", "3")) + "]") == 404)
        }
    }
}

extension HTTPField.Name {
    fileprivate static let via = HTTPField.Name("Via")!
}
