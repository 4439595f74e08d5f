import CityModel
import Door
import Federation
import HTTPTypes
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
        return reuse.condition?() ?? false
    }

    @Test(arguments: [page, "entities/urn:ngsi-ld:Lamp:1", page + "&options=keyValues&count=true", page + "&q=level>10"])
    func `a page and an entity may be, until something is written`(_ target: String) async throws {
        let city = try await city()
        let reuse = AnswerReuse()
        _ = try await city.ask(.get, target, reuse: reuse)
        let condition = try #require(reuse.condition)
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

    @Test func `what was answered with a context may not once that is gone`() async throws {
        let city = try await city()
        let made = try await city.ask(.post, "jsonldContexts", #"{"@context":{"Lantern":"https://uri.etsi.org/ngsi-ld/default-context/Lamp"}}"#)
        let path = try #require(made.headers[.location])
        let link = Installation.link("http://localhost" + path)
        let reuse = AnswerReuse()
        #expect(try await city.ask(.get, "entities?type=Lantern", nil, link, reuse: reuse).json.arrayValue?.count == 1)
        #expect(reuse.condition?() == true)
        #expect(try await city.ask(.delete, path).status == 204)
        #expect(reuse.condition?() == false)
    }
}
