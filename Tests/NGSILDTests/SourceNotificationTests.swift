internal import CityModel
internal import Door
@testable internal import Federation
internal import HTTPTypes
internal import OrderedCollections
internal import Subscriptions
internal import Synchronization
internal import Testing

/// What context sources may make this broker do by what they tell (clause 5.8.6).
@Suite struct SourceNotificationTests {
    private static let path = "/ngsi-ld/ex/remote-notify/default/token"

    private func passOn(_ city: Installation, _ more: String = "") async throws {
        let registration = #"{"id":"urn:x:r","type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"endpoint":"http://source.example"}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        let subscription =
            #"{"id":"urn:x:s","type":"Subscription","entities":[{"type":"Bus"}]\#(more),"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        try #require(try await city.ask(.post, "subscriptions", subscription).status == 201)
        try await city.passOn("urn:x:s", to: "urn:x:r", id: "urn:x:copy", token: "token")
    }

    private func notification(_ range: Range<Int> = 0..<1) -> String {
        let buses = range.map { #"{"id":"urn:x:\#($0)","type":"Bus","line":{"type":"Property","value":1}}"# }.joined(separator: ",")
        return #"{"id":"urn:x:n","type":"Notification","subscriptionId":"urn:x:copy","data":[\#(buses)]}"#
    }

    @Test func `sources fill three quarters of a queue, the rest is for changes here`() async throws {
        let city = try Installation(notifications: NotificationLimits(queuedCountMax: 4))
        try await passOn(city)
        for _ in 0..<3 { #expect(try await city.ask(.post, Self.path, notification()).status == 200) }
        let refused = try await city.ask(.post, Self.path, notification())
        #expect(refused.status == 503 && refused.headers[.retryAfter] != nil)
        #expect(try await city.queue(of: "urn:x:s").count == 3)
        #expect(try await city.ask(.get, "subscriptions/urn:x:s").json["notification"]?["timesFailed"] == nil, "the source keeps it")
    }

    @Test func `a notification has a hundred entities when all sources are asked for each of them`() async throws {
        let city = try Installation()
        try await passOn(city, #","splitEntities":true"#)
        #expect(try await city.ask(.post, Self.path, notification(0..<101)).status == 400)
        // All of them are asked for, which takes longer than there is time where many tests run.
        #expect([200, 503].contains(try await city.ask(.post, Self.path, notification(0..<100)).status))
    }

    @Test func `what there is no time to complete is refused, not told in part`() async throws {
        let city = try Installation()
        try await passOn(city, #","splitEntities":true"#)
        let refused = try await Allowance.$inheritedDeadline.withValue(.now) { try await city.ask(.post, Self.path, notification()) }
        #expect(refused.status == 503)
        #expect(try await city.queue(of: "urn:x:s") == [])
    }

    @Test func `two notifications of a copy are under way at a time`() throws {
        let intake = NotificationIntake()
        try intake.enter("a")
        try intake.enter("a")
        #expect(throws: CityError.self) { try intake.enter("a") }
        try intake.enter("b")
        intake.leave("a")
        try intake.enter("a")
    }

    @Test func `a notification is no larger than 4 MiB`() async throws {
        let city = try Installation()
        try await passOn(city)
        #expect(try await city.ask(.post, Self.path, notification() + String(repeating: " ", count: 4 << 20)).status == 413)
    }

    @Test func `the path says for whom it is, whatever tenant the source is (clause 6.3.14)`() async throws {
        let city = try Installation()
        try await passOn(city)
        #expect(try await city.ask(.post, Self.path, notification(), [.ngsildTenant: "the tenant at the source"]).status == 200)
        #expect(try await city.queue(of: "urn:x:s").count == 1)
    }

    @Test func `for whoever does not know the token nothing is read or fetched`() async throws {
        let city = try Installation()
        try await passOn(city)
        let link = Installation.link("https://nowhere.example/context.jsonld")
        #expect(try await city.ask(.post, "/ngsi-ld/ex/remote-notify/default/other", "no JSON", link).status == 404)
        #expect(try await city.ask(.post, "/ngsi-ld/ex/remote-notify", notification().replacing("copy", with: "other"), link).status == 404)
        #expect(try await city.ask(.post, Self.path, notification(), link).problem == "LdContextNotAvailable")
        #expect(try await city.ask(.post, Self.path, notification(), Installation.link(Installation.transport)).status == 200)
    }
}
