internal import CityModel
internal import HTTPTypes
internal import OrderedCollections
internal import Testing

/// Registrations that were stored by an earlier version, or are damaged.
@Suite struct UnreadableRegistrationTests {
    private static let id = "urn:x:r"

    private func register(_ city: Installation, _ more: String = "", information: String = #"[{"entities":[{"type":"Bus"}]}]"#) async throws {
        let registration = #"{"id":"\#(Self.id)","type":"ContextSourceRegistration","information":\#(information),"endpoint":"http://source.example"\#(more)}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
    }

    @Test func `one that was stored with a time of another zone is understood; new ones say UTC (clause 4.6.3)`() async throws {
        let city = try Installation()
        try await register(city)
        try await city.damage(registration: Self.id, "expiresAt", "2030-01-01T00:00:00+01:00")
        #expect(try await city.ask(.get, "entities?type=Bus").status == 200)
        #expect(try await city.ask(.patch, "csourceRegistrations/" + Self.id, #"{"description":"buses"}"#).status == 204)
        #expect(try await city.ask(.patch, "csourceRegistrations/" + Self.id, #"{"expiresAt":"2031-01-01T00:00:00+01:00"}"#).status == 400)
        #expect(city.passedOver.isEmpty)
    }

    @Test func `one that can't be read fails no request, is reported and can be deleted`() async throws {
        let city = try Installation()
        let subscription =
            #"{"id":"urn:x:s","type":"Subscription","entities":[{"type":"Bus"}],"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        try #require(try await city.ask(.post, "csourceSubscriptions", subscription).status == 201)
        try await register(city)
        try await city.damage(registration: Self.id, "mode", "sometimes")
        #expect(try await city.ask(.get, "entities?type=Bus").status == 200)
        try await city.create(#"{"id":"urn:x:1","type":"Bus"}"#)
        #expect(try await city.ask(.get, "csourceRegistrations?type=Bus").json == [])
        #expect(city.passedOver.count == 1 && city.passedOver.allSatisfy { $0.contains(Self.id) })
        #expect(try await city.ask(.delete, "csourceRegistrations/" + Self.id).status == 204)
        #expect(try await city.ask(.get, "csourceRegistrations/" + Self.id).status == 404)
    }

    @Test func `what a proxied one has is written nowhere while it can't be read (clause 4.3.6.3)`() async throws {
        let city = try Installation()
        try await register(city, #","mode":"redirect""#)
        try await city.damage(registration: Self.id, "endpoint", 5)
        let bus = #"{"id":"urn:x:1","type":"Bus"}"#
        let refused = try await city.ask(.post, "entities", bus)
        #expect(refused.status == 409 && refused.text.contains(Self.id))
        #expect(try await city.ask(.post, "entityOperations/create", "[\(bus)]").status != 201)
        #expect(try await city.ask(.get, "entities?type=Bus").json == [])
        try await city.create(#"{"id":"urn:x:2","type":"Tram"}"#)
        let evolution = #"{"id":"urn:x:1","type":"Bus","line":[{"type":"Property","value":1,"observedAt":"2026-01-01T00:00:00Z"}]}"#
        #expect(try await city.ask(.post, "temporal/entities", evolution).status == 409)
        #expect(try await city.ask(.delete, "csourceRegistrations/" + Self.id).status == 204)
        try await city.create(bus)
    }

    @Test func `one of which not even the information can be read may have anything (clause 4.3.6.3)`() async throws {
        let city = try Installation()
        try await register(city, #","mode":"redirect""#)
        try await city.damage(registration: Self.id, "information", 5)
        #expect(try await city.ask(.post, "entities", #"{"id":"urn:x:2","type":"Tram"}"#).status == 409)
    }
}
