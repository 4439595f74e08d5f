import CityModel
import Door
import Federation
import HTTPTypes
import NIOCore
import Store
import Testing
import Trust

/// Which answers may be given again, and until when.
@Suite struct AnswerReuseTests {
    private static let lamp = #"{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":{"type":"Property","value":50}}"#
    private static let page = "entities?type=Lamp"

    private func city() async throws -> Installation {
        let city = try Installation()
        try await city.create(Self.lamp)
        return city
    }

    /// Whether an answer may be given again, and still may now.
    private func isReusable(
        _ city: Installation, _ target: String, _ headers: HTTPFields = [:], as credential: Credential = .none
    ) async throws -> Bool {
        let reuse = AnswerReuse()
        let answer = try await city.ask(.get, target, nil, headers, as: credential, reuse: reuse)
        #expect(answer.status < 500)
        return reuse.allowance?.isCurrent() ?? false
    }

    @Test(arguments: [page, "entities/urn:ngsi-ld:Lamp:1", page + "&options=keyValues&count=true", page + "&q=level>10"])
    func `a page and an entity may be, until something is written`(_ target: String) async throws {
        let city = try await city()
        let reuse = AnswerReuse()
        _ = try await city.ask(.get, target, reuse: reuse)
        let condition = try #require(reuse.allowance?.isCurrent)
        #expect(condition())
        #expect(try await isReusable(city, target))
        #expect(condition())
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Lamp:1/attrs", #"{"level":{"type":"Property","value":51}}"#)
        #expect(!condition())
        #expect(try await isReusable(city, target))
    }

    @Test(arguments: [Credential.bearer("x"), .session("x"), .controlSocket, .program])
    func `what is answered to somebody may not`(_ credential: Credential) async throws {
        #expect(try await !isReusable(try await city(), Self.page, as: credential))
    }

    @Test func `what is not there may not, nor what is refused, nor what makes a map of entities`() async throws {
        let city = try await city()
        #expect(try await !isReusable(city, "entities/urn:ngsi-ld:Lamp:2"))
        #expect(try await !isReusable(city, "entities?limit=-1"))
        #expect(try await !isReusable(city, Self.page + "&entityMap=true"))
        #expect(try await !isReusable(city, "entities/urn:ngsi-ld:Lamp:1?entityMap=true"))
    }

    @Test func `what belongs to a snapshot may not`() async throws {
        let city = try await city()
        let query = #"{"type":"Snapshot","snapshotQueries":[{"type":"Query","entities":[{"type":"Lamp"}]}]}"#
        let made = try await city.ask(.post, "snapshots", query)
        try #require(made.status == 201, "\(made.text)")
        try await city.prepareSnapshots()
        let id = try #require(made.headers[.location]?.split(separator: "/").last)
        #expect(try await city.ask(.get, Self.page, nil, [.ngsildSnapshot: String(id)]).json.arrayValue?.count == 1)
        #expect(try await !isReusable(city, Self.page, [.ngsildSnapshot: String(id)]))
    }

    @Test func `what a source was asked for may not`() async throws {
        let city = try Installation { _ in .failed("away") }
        try await city.create(Self.lamp)
        let registration = #"{"type":"ContextSourceRegistration","information":[{"entities":[{"type":"Lamp"}]}],"endpoint":"http://source.example"}"#
        #expect(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        #expect(try await !isReusable(city, Self.page))
        #expect(try await !isReusable(city, "entities/urn:ngsi-ld:Lamp:1"))
        #expect(try await isReusable(city, Self.page + "&local=true"))
    }

    @Test func `where a source has one entity no other tells how it is answered`() async throws {
        let city = try Installation { _ in .failed("away") }
        try await city.create(Self.lamp)
        #expect(try await sibling(city) != nil)
        let registration = #"{"type":"ContextSourceRegistration","information":[{"entities":[{"id":"urn:ngsi-ld:Lamp:2","type":"Lamp"}]}],"endpoint":"http://source.example"}"#
        #expect(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        // The first that looks at it writes down how this broker is called among sources.
        _ = try await city.ask(.get, "entities/urn:ngsi-ld:Lamp:1")
        #expect(try await isReusable(city, "entities/urn:ngsi-ld:Lamp:1"))
        #expect(try await sibling(city) == nil)
        #expect(try await sibling(city, "?local=true") != nil)
    }

    @Test func `what was answered with a context may not once that is gone`() async throws {
        let city = try await city()
        let made = try await city.ask(.post, "jsonldContexts", #"{"@context":{"Lantern":"https://uri.etsi.org/ngsi-ld/default-context/Lamp"}}"#)
        let path = try #require(made.headers[.location])
        let link = Installation.link("http://localhost" + path)
        let reuse = AnswerReuse()
        #expect(try await city.ask(.get, "entities?type=Lantern", nil, link, reuse: reuse).json.arrayValue?.count == 1)
        #expect(reuse.allowance?.isCurrent() == true)
        #expect(try await city.ask(.delete, path).status == 204)
        #expect(reuse.allowance?.isCurrent() == false)
    }

    /// How others are answered, as an answer to the first lamp says it.
    private func sibling(_ city: Installation, _ parameters: String = "", _ headers: HTTPFields = [:]) async throws -> AnswerReuse.Siblings.Body? {
        let reuse = AnswerReuse()
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Lamp:1" + parameters, nil, headers, reuse: reuse).status == 200)
        return reuse.allowance?.siblings?.body
    }

    @Test(arguments: ["", "?options=keyValues", "?options=sysAttrs", "?type=Lamp", "?format=simplified&type=Lamp,Pole"], ["application/json", "application/ld+json"])
    func `other entities are answered as if they were asked for`(_ parameters: String, _ accept: String) async throws {
        let city = try await city()
        try await city.create(#"{"id":"urn:ngsi-ld:Lamp:2","type":["Lamp","Pole"],"level":[{"type":"Property","value":1},{"type":"Property","value":2,"datasetId":"urn:d"}]}"#)
        try await city.create(#"{"id":"urn:ngsi-ld:Lamp:3","type":"Lamp","name":{"type":"Property","value":"é \" ☂","expiresAt":"2999-01-01T00:00:00Z"}}"#)
        try await city.create(#"{"id":"urn:ngsi-ld:Bench:4","type":"Bench"}"#)
        let sibling = try #require(try await sibling(city, parameters, [.accept: accept]))
        var answeredCount = 0
        for id in ["Lamp:1", "Lamp:2", "Lamp:3", "Bench:4", "Lamp:5", ""].map({ "urn:ngsi-ld:" + $0 }) + ["x", ""] {
            guard let body = sibling(id)?.bytes else { continue }
            let asked = try await city.ask(.get, "entities/\(id)" + parameters, nil, [.accept: accept])
            #expect(asked.status == 200)
            #expect(asked.text == String(buffer: body))
            answeredCount += 1
        }
        // The lamps; the one of datasets takes the long way where values alone are asked for.
        #expect(answeredCount >= 2)
        #expect(sibling("urn:ngsi-ld:Lamp:5") == nil && sibling("x") == nil && sibling("") == nil)
        #expect((sibling("urn:ngsi-ld:Bench:4") == nil) == parameters.contains("type=Lamp"))
    }

    @Test(arguments: ["?attrs=level", "?lang=en", "?options=concise", "?join=inline"])
    func `what takes more than to copy a document is answered for itself`(_ parameters: String) async throws {
        #expect(try await sibling(try await city(), parameters) == nil)
    }

    @Test func `who may not see an entity does not, and who may see what is about people is asked for`() async throws {
        let city = try await city()
        try await city.record("urn:ngsi-ld:Bus:1", .open)
        let sibling = try #require(try await sibling(city))
        #expect(sibling("urn:ngsi-ld:Bus:1") != nil)
        for (number, classification) in [Classification.internalUse, .partner, .personal, .special].enumerated() {
            try await city.record("urn:ngsi-ld:Bus:1\(number)", classification)
            let isSeen = try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1\(number)").status == 200
            #expect((sibling("urn:ngsi-ld:Bus:1\(number)") != nil) == (isSeen && !classification.isPersonal), "\(classification)")
        }
    }

    @Test func `what has expired is not there`() async throws {
        let city = try await city()
        let sibling = try #require(try await sibling(city))
        try await city.create(#"{"id":"urn:ngsi-ld:Lamp:2","type":"Lamp","expiresAt":"2999-01-01T00:00:00Z"}"#)
        #expect(sibling("urn:ngsi-ld:Lamp:2") != nil)
        // For the clock of the test that is to come; for that of those who read it was days ago.
        let soon = "2026-11-21T12:00:00Z"
        try await city.create(#"{"id":"urn:ngsi-ld:Lamp:3","type":"Lamp","expiresAt":"\#(soon)"}"#)
        try await city.create(#"{"id":"urn:ngsi-ld:Lamp:4","type":"Lamp","level":{"type":"Property","value":1,"expiresAt":"\#(soon)"}}"#)
        for id in ["urn:ngsi-ld:Lamp:3", "urn:ngsi-ld:Lamp:4"] {
            #expect(try await city.ask(.get, "entities/\(id)").status == 200)
            #expect(sibling(id) == nil)
        }
    }

    @Test func `how others are answered holds while entities are written, until rules, registrations or contexts change`() async throws {
        let city = try await city()
        func allowance() async throws -> AnswerReuse.Allowance? {
            let reuse = AnswerReuse()
            _ = try await city.ask(.get, "entities/urn:ngsi-ld:Lamp:1", reuse: reuse)
            return reuse.allowance
        }
        let first = try #require(try await allowance()), siblings = try #require(first.siblings)
        let before = try #require(siblings.body("urn:ngsi-ld:Lamp:1"))
        #expect(before.isCurrent())
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Lamp:1/attrs", #"{"level":{"type":"Property","value":51}}"#)
        #expect(!first.isCurrent() && !before.isCurrent() && siblings.areCurrent())
        let after = try #require(siblings.body("urn:ngsi-ld:Lamp:1"))
        #expect(after.isCurrent() && String(buffer: after.bytes).contains("51"))
        let registration = #"{"type":"ContextSourceRegistration","information":[{"entities":[{"type":"Lamp"}]}],"endpoint":"http://source.example"}"#
        #expect(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        #expect(!siblings.areCurrent())
        #expect(try await allowance() == nil)
    }
}
