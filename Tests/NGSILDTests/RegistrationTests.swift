internal import CityModel
internal import Door
internal import HTTPTypes
internal import OrderedCollections
internal import Testing

/// `/csourceRegistrations` over HTTP (clauses 5.9, 5.10, 6.8, 6.9).
@Suite struct RegistrationTests {
    private func document(_ number: Int, _ more: String = "", information: String = #"[{"entities":[{"type":"Bus"}],"propertyNames":["line"]}]"#) -> String {
        #"{"id":"urn:ngsi-ld:ContextSourceRegistration:\#(number)","type":"ContextSourceRegistration","#
            + #""information":\#(information),"endpoint":"http://source.example:1026"\#(more.isEmpty ? "" : "," + more)}"#
    }

    /// Clauses 6.8.3.1 and 6.9.3.1 to 6.9.3.3.
    @Test func `a registration is created, answered, changed and deleted (clauses 5.9.2 to 5.9.4 and 5.10.1)`() async throws {
        let city = try Installation()
        let link = Installation.link(Installation.transport)
        let path = "csourceRegistrations/urn:ngsi-ld:ContextSourceRegistration:1"
        let created = try await city.ask(.post, "csourceRegistrations", document(1), link)
        #expect(created.status == 201)
        #expect(created.headers[.location] == "/ngsi-ld/v1/" + path)
        #expect(try await city.ask(.post, "csourceRegistrations", document(1), link).status == 409)
        #expect(try await city.ask(.get, path, nil, link).json["information"] == [["entities": [["type": "Bus"]], "propertyNames": ["line"]]])
        // Names are those of the reader's context (clause 5.5.7).
        #expect(try await city.ask(.get, path).json["information"]?.arrayValue?.first?["propertyNames"] == ["https://city.example/line"])
        #expect(try await city.ask(.patch, path, #"{"description":"buses"}"#).status == 204)
        #expect(try await city.ask(.get, path).json["description"] == "buses")
        #expect(try await city.ask(.delete, path).status == 204)
        #expect(try await city.ask(.get, path).status == 404)
    }

    @Test(arguments: [
        #""mode":"sometimes""#, #""operations":["fly"]"#, #""contextSourceInfo":[{"key":"a"}]"#, #""management":{"timeout":0}"#,
        #""management":{"cacheDuration":"soon"}"#, #""location":{"type":"Point"}"#, #""observationInterval":{"endAt":"2026-01-01T00:00:00Z"}"#,
        #""expiresAt":"2001-01-01T00:00:00Z""#, #""mode":"exclusive""#, #""mode":"auxiliary","operations":["updateOps"]"#, #""scope":"a b""#,
        #""datasetId":["x"]"#, #""tenant":"""#, #""contextSourceInfo":[{"key":"Authorization","value":"urn:ngsi-ld:request"}]"#,
        #""contextSourceInfo":[{"key":"accept","value":"text/html"}]"#,
    ])
    func `a member that breaks a rule is refused by its name (clauses 5.2.9, 5.2.34 and 5.9.2.4)`(member: String) async throws {
        let answer = try await Installation().ask(.post, "csourceRegistrations", document(1, member))
        #expect(answer.status == 400)
        #expect(answer.problem == "BadRequestData")
    }

    @Test(arguments: ["[]", "null", "[{}]", #"[{"entities":[]}]"#, #"[{"entities":[{"id":"x"}]}]"#, #"[{"propertyNames":[]}]"#, #"[{"more":1}]"#])
    func `information that says nothing right is refused (clauses 5.2.8 and 5.2.10)`(information: String) async throws {
        #expect(try await Installation().ask(.post, "csourceRegistrations", document(1, information: information)).problem == "BadRequestData")
    }

    @Test func `what is claimed or held can't be claimed exclusively (clause 5.9.2.4)`() async throws {
        let city = try Installation()
        try await city.create(#"{"id":"urn:x:1","type":"Bus","line":{"type":"Property","value":1}}"#)
        func claim(_ id: String, _ number: Int, mode: String) -> String {
            document(number, #""mode":"\#(mode)""#, information: #"[{"entities":[{"id":"\#(id)","type":"Bus"}],"propertyNames":["line"]}]"#)
        }
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:1", 1, mode: "exclusive")).problem == "Conflict")
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:1", 1, mode: "redirect")).problem == "Conflict")
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:2", 1, mode: "exclusive")).status == 201)
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:2", 2, mode: "exclusive")).status == 409)
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:2", 2, mode: "redirect")).status == 409)
        #expect(try await city.ask(.post, "csourceRegistrations", claim("urn:x:2", 2, mode: "inclusive")).status == 201)
    }

    /// Clause 6.8.3.2.
    @Test(arguments: [
        ("type=Bus", 2), ("type=Tram", 1), ("attrs=line", 2), ("attrs=stop", 1), ("type=Bus&id=urn:x:1", 2), ("type=Bus&id=urn:x:7", 1),
        ("q=line==4", 2), ("type=Bus&timerel=after&timeAt=2026-01-01T00:00:00Z", 1), ("type=Bus&timerel=before&timeAt=2019-01-01T00:00:00Z", 0),
        ("type=Bus&csf=owner==%22TAM%22", 1), ("type=Bus&csf=owner==%22other%22", 0),
    ])
    func `sources are found by what they may have (clauses 5.10.2 and 5.12)`(query: String, count: Int) async throws {
        let city = try Installation()
        let documents = [
            document(1, #""owner":"TAM""#),
            document(2, information: #"[{"entities":[{"type":"Bus","id":"urn:x:1"}]},{"entities":[{"type":"Tram"}],"relationshipNames":["stop"]}]"#),
            document(3, #""observationInterval":{"startAt":"2020-01-01T00:00:00Z"}"#),
        ]
        for document in documents { #expect(try await city.ask(.post, "csourceRegistrations", document).status == 201) }
        #expect(try await city.ask(.get, "csourceRegistrations?" + query).json.arrayValue?.count == count)
        #expect(try await city.ask(.get, "csourceRegistrations").status == 400)
        #expect(try await city.ask(.get, "csourceRegistrations?id=urn:x:1").problem == "BadRequestData")
    }

    @Test func `only the elements that match are answered`() async throws {
        let city = try Installation()
        let information = #"[{"entities":[{"type":"Bus"}]},{"entities":[{"type":"Tram"}]}]"#
        _ = try await city.ask(.post, "csourceRegistrations", document(1, information: information))
        let found = try await city.ask(.get, "csourceRegistrations?type=Tram").json.arrayValue?.first
        #expect(found?["information"] == [["entities": [["type": "Tram"]]]])
    }

    @Test func `subscriptions to registrations and to entities are apart (clauses 5.11.4.4 and 5.11.5.4)`() async throws {
        let city = try Installation()
        let subscription =
            #"{"id":"urn:x:s","type":"Subscription","entities":[{"type":"Bus"}],"temporalQ":{"timerel":"after","timeAt":"2026-01-01T00:00:00Z"},"#
            + #""notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        #expect(try await city.ask(.post, "subscriptions", subscription).status == 400)
        #expect(try await city.ask(.post, "csourceSubscriptions", subscription).status == 201)
        #expect(try await city.ask(.get, "csourceSubscriptions/urn:x:s").status == 200)
        #expect(try await city.ask(.get, "csourceSubscriptions").json.arrayValue?.count == 1)
        #expect(try await city.ask(.get, "subscriptions").json == [])
        #expect(try await city.ask(.get, "subscriptions/urn:x:s").status == 404)
        #expect(try await city.ask(.delete, "subscriptions/urn:x:s").status == 404)
        #expect(try await city.ask(.delete, "csourceSubscriptions/urn:x:s").status == 204)
    }

    @Test func `each subscription has one to registrations, which is listed and goes with it (clauses 5.8.1.4, 5.8.2.4, 5.8.5.4, 5.11.5.4)`() async throws {
        let city = try Installation()
        let link = Installation.link(Installation.transport)
        let receiver = #""endpoint":{"uri":"http://receiver.example/","receiverInfo":[{"key":"Authorization","value":"secret"}]}"#
        func subscription(_ id: String, _ more: String = "") -> String {
            #"{"id":"\#(id)","type":"Subscription","entities":[{"type":"Bus"}]\#(more),"notification":{"attributes":["line"],\#(receiver)}}"#
        }
        let more = #","q":"line>5","scopeQ":"/North","csf":"owner==1","throttling":5,"isActive":false,"expiresAt":"2035-01-01T00:00:00Z""#
        try #require(try await city.ask(.post, "subscriptions", subscription("urn:x:z", more), link).status == 201)
        try #require(try await city.ask(.post, "csourceSubscriptions", subscription("urn:x:made"), link).status == 201)
        let id = "urn:ngsi-ld:Subscription:registrations-for:urn:x:z"
        let one = try await city.ask(.get, "csourceSubscriptions/" + id, nil, link)
        #expect(one.status == 200)
        #expect(
            try one.json == [
                "id": .string(id), "type": "Subscription", "description": "which context sources subscription urn:x:z concerns",
                "entities": [["type": "Bus"]], "scopeQ": "/North", "csf": "owner==1", "expiresAt": "2035-01-01T00:00:00Z",
                "jsonldContext": .string(Installation.transport),
                "notification": ["endpoint": ["uri": "conurb:default", "accept": "application/json"], "attributes": ["line"]], "status": "active",
            ])
        let list = try await city.ask(.get, "csourceSubscriptions?count=true&options=sysAttrs")
        #expect(try list.json.arrayValue?.map { $0["id"] } == ["urn:x:made", .string(id)])
        #expect(list.headers[.ngsildResultsCount] == "2")
        #expect(try list.json.arrayValue?.allSatisfy { $0["createdAt"] != nil } ?? false)
        for (page, ids) in [("limit=1", ["urn:x:made"]), ("limit=1&offset=1", [id]), ("offset=2", [])] as [(String, [String])] {
            #expect(try await city.ask(.get, "csourceSubscriptions?" + page).json.arrayValue?.compactMap { $0["id"]?.stringValue } == ids)
        }
        // It is nobody's to change, and no subscription to entities.
        #expect(try await city.ask(.patch, "csourceSubscriptions/" + id, #"{"isActive":false}"#).status == 422)
        #expect(try await city.ask(.delete, "csourceSubscriptions/" + id).status == 422)
        #expect(try await city.ask(.get, "subscriptions/" + id).status == 404)
        #expect(try await city.ask(.post, "csourceSubscriptions", subscription(id)).status == 400)
        #expect(try await city.ask(.get, "csourceSubscriptions/urn:ngsi-ld:Subscription:registrations-for:urn:x:made").status == 404)

        #expect(try await city.ask(.patch, "subscriptions/urn:x:z", #"{"entities":[{"type":"Tram"}]}"#).status == 204)
        #expect(try await city.ask(.get, "csourceSubscriptions/" + id).json["entities"] == [["type": "Tram"]])
        try await city.damage(subscription: "urn:x:z")
        #expect(try await city.ask(.get, "csourceSubscriptions").json.arrayValue?.map { $0["id"] } == ["urn:x:made"])
        #expect(try await city.ask(.delete, "subscriptions/urn:x:z").status == 204)
        #expect(try await city.ask(.get, "csourceSubscriptions/" + id).status == 404)
        #expect(try await city.ask(.get, "csourceSubscriptions").json.arrayValue?.count == 1)
    }

    @Test func `a subscription that can't be read keeps nobody from registering (clause 5.11.7)`() async throws {
        let city = try Installation()
        let subscription =
            #"{"id":"urn:x:s","type":"Subscription","entities":[{"type":"Bus"}],"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        try #require(try await city.ask(.post, "csourceSubscriptions", subscription).status == 201)
        try await city.damage(subscription: "urn:x:s")
        let registration = #"{"id":"urn:x:r","type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"endpoint":"http://source.example"}"#
        #expect(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        #expect(try await city.ask(.delete, "csourceRegistrations/urn:x:r").status == 204)
    }

    @Test func `a registration's times are in UTC (clause 4.6.3)`() async throws {
        let city = try Installation()
        for (moment, status) in [("2030-01-01T00:00:00+01:00", 400), ("2030-01-01T00:00:00Z", 201)] {
            let registration =
                #"{"type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"endpoint":"http://source.example","expiresAt":"\#(moment)"}"#
            #expect(try await city.ask(.post, "csourceRegistrations", registration).status == status)
        }
    }
}
