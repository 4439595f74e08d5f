internal import CityModel
internal import Door
internal import HTTPTypes
internal import OrderedCollections
internal import Testing

/// `/subscriptions` over HTTP (clauses 6.10, 6.11).
@Suite struct SubscriptionTests {
    private func document(_ number: Int, _ more: String = "") -> String {
        #"{"id":"urn:ngsi-ld:Subscription:\#(number)","type":"Subscription","entities":[{"type":"Bus"}],"#
            + #""watchedAttributes":["line"],\#(more)"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
    }

    /// Clauses 5.8.1, 5.8.2, 5.8.3, 5.8.4, 5.8.5, 6.10, 6.11.
    @Test func `a subscription is created, answered, changed and deleted`() async throws {
        let city = try Installation()
        let link = Installation.link(Installation.transport)
        let created = try await city.ask(.post, "subscriptions", document(1), link)
        #expect(created.status == 201)
        #expect(created.headers[.location] == "/ngsi-ld/v1/subscriptions/urn:ngsi-ld:Subscription:1")
        #expect(try await city.ask(.post, "subscriptions", document(1), link).status == 409)

        let answer = try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1", nil, link)
        #expect(answer.status == 200)
        #expect(try answer.json["entities"] == [["type": "Bus"]])
        #expect(try answer.json["watchedAttributes"] == ["line"])
        #expect(try answer.json["status"] == "active")
        #expect(try answer.json["jsonldContext"]?.stringValue == Installation.transport)
        #expect(answer.headers[.link]?.contains(Installation.transport) ?? false)

        #expect(try await city.ask(.patch, "subscriptions/urn:ngsi-ld:Subscription:1", #"{"isActive":false}"#).status == 204)
        #expect(try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1").json["status"] == "paused")
        #expect(try await city.ask(.delete, "subscriptions/urn:ngsi-ld:Subscription:1").status == 204)
        #expect(try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1").status == 404)
    }

    @Test(arguments: ["subscriptions", "csourceSubscriptions"])
    func `one that can't be read takes no other from the list, is reported and can be deleted`(collection: String) async throws {
        let city = try Installation()
        for number in 1...3 { #expect(try await city.ask(.post, collection, document(number)).status == 201) }
        try await city.damage(subscription: "urn:ngsi-ld:Subscription:2")
        let list = try await city.ask(.get, collection + "?count=true")
        #expect(list.status == 200)
        #expect(try list.json.arrayValue?.compactMap { $0["id"]?.stringValue?.last } == ["1", "3"])
        #expect(list.headers[.ngsildResultsCount] == "3")
        #expect(city.passedOver.contains { $0.hasPrefix("subscription urn:ngsi-ld:Subscription:2 is passed over") })
        for (offset, count) in [1, 0, 1].enumerated() {
            let page = try await city.ask(.get, collection + "?limit=1&offset=\(offset)")
            #expect(try page.json.arrayValue?.count == count, "it keeps its place among the pages")
        }
        #expect(try await city.ask(.delete, collection + "/urn:ngsi-ld:Subscription:2").status == 204)
        #expect(try await city.ask(.get, collection + "?count=true").headers[.ngsildResultsCount] == "2")
    }

    @Test func `a subscription's end is a time in UTC (clause 4.6.3)`() async throws {
        let city = try Installation()
        #expect(try await city.ask(.post, "subscriptions", document(1, #""expiresAt":"2035-01-01T00:00:00+01:00","#)).status == 400)
        #expect(try await city.ask(.post, "subscriptions", document(1, #""expiresAt":"2035-01-01T00:00:00Z","#)).status == 201)
        let one = "subscriptions/urn:ngsi-ld:Subscription:1"
        #expect(try await city.ask(.patch, one, #"{"expiresAt":"2036-01-01T00:00:00-01:00"}"#).status == 400)
        #expect(try await city.ask(.patch, one, #"{"expiresAt":"urn:ngsi-ld:null"}"#).status == 204)
        #expect(try await city.ask(.get, one).json["expiresAt"] == nil)
    }

    @Test func `names are answered as the reader's context writes them (clause 5.5.7)`() async throws {
        let city = try Installation()
        _ = try await city.ask(.post, "subscriptions", document(1), Installation.link(Installation.transport))
        let answer = try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1")
        #expect(try answer.json["entities"] == [["type": "https://city.example/Bus"]])
        #expect(try answer.json["watchedAttributes"] == ["https://city.example/line"])
    }

    @Test func `a page has links to those before and after (clause 6.3.10)`() async throws {
        let city = try Installation()
        for number in 1...3 { _ = try await city.ask(.post, "subscriptions", document(number)) }
        let page = try await city.ask(.get, "subscriptions?limit=1&offset=1&count=true")
        #expect(try page.json.arrayValue?.map { $0["id"] } == ["urn:ngsi-ld:Subscription:2"])
        #expect(page.headers[.ngsildResultsCount] == "3")
        #expect(page.pageLinks.count == 2)
        #expect(try await city.ask(.get, "subscriptions?limit=2&offset=1").pageLinks.count == 1)
    }

    @Test func `GeoJSON is no form of a subscription (clause 6.3.4)`() async throws {
        let city = try Installation()
        _ = try await city.ask(.post, "subscriptions", document(1))
        let path = "subscriptions/urn:ngsi-ld:Subscription:1"
        #expect(try await city.ask(.get, path, nil, [.accept: "application/geo+json"]).status == 406)
        let linked = try await city.ask(.get, path, nil, [.accept: "application/geo+json;q=0.9, application/ld+json;q=0.1"])
        #expect(linked.headers[.contentType] == "application/ld+json")
        #expect(try linked.json["@context"] != nil)
    }

    @Test(arguments: ["ngsi-ld=1.0", "NGSI-LD=1.0", "ngsi-ld=\"1.0\"", "respond-async, ngsi-ld=1.0;q=0.1"])
    func `an earlier version that is preferred is said to be applied (RFC 7240)`(preference: String) async throws {
        let city = try Installation()
        _ = try await city.ask(.post, "subscriptions", document(1))
        let answer = try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1", nil, [.prefer: preference])
        #expect(answer.headers[.preferenceApplied] == "ngsi-ld=1.0")
    }

    @Test func `a context that is not one URL is stored and served for receivers (clause 5.13.1)`() async throws {
        let city = try Installation()
        for number in 1...2 {
            let body = document(number, #""@context":["\#(Installation.transport)",{"stop":"https://city.example/stop"}],"#)
            #expect(try await city.ask(.post, "subscriptions", body, [.contentType: "application/ld+json"]).status == 201)
        }
        let listed = try await city.ask(.get, "jsonldContexts?kind=ImplicitlyCreated").json
        #expect(listed.arrayValue?.count == 1, "equal contexts are stored once")
        let address = try await city.ask(.get, "subscriptions/urn:ngsi-ld:Subscription:1").json["jsonldContext"]
        #expect(address == listed.arrayValue?.first)
        let id = try #require(address?.stringValue?.split(separator: "/").last)
        #expect(try await city.ask(.get, "jsonldContexts/\(id)").json["@context"] == [.string(Installation.transport), ["stop": "https://city.example/stop"]])
        #expect(try await city.ask(.delete, "jsonldContexts/\(id)?reload=true").status == 400)
        #expect(try await city.ask(.delete, "jsonldContexts/\(id)").status == 204)
    }

    /// Clauses 5.8.1, 6.10.3.1.
    @Test(arguments: [("subscriptions?unknown=1", "InvalidRequest"), ("subscriptions/no-URI", "BadRequestData"), ("subscriptions?limit=0", "BadRequestData")])
    func `what a request says wrongly is refused`(target: String, problem: String) async throws {
        let answer = try await Installation().ask(.get, target)
        #expect(answer.status == 400)
        #expect(answer.problem == problem)
    }
}
