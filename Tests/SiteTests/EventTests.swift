internal import CityModel
internal import HTTPTypes
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site
internal import Trust

@Suite struct EventPositionTests {
    @Test func `a position survives being written and read`() throws {
        var position = EventPosition()
        for index in 0..<EventPosition.countMax { position["municipality-\(index)"] = Int64(index) * 1_000_003 }
        #expect(position.text.utf8.count <= EventPosition.byteCountMax)
        let read = try #require(EventPosition(position.text))
        #expect(read == position)
        #expect(read["municipality-7"] == 7_000_021)
        #expect(read["elsewhere"] == nil)
    }

    @Test(arguments: ["", "x", "1:2:3", "a:-1", "a:1,", "!:1", "a:", String(repeating: "a:1,", count: 600) + "a:1"])
    func `what is no position is refused`(text: String) { #expect(EventPosition(text) == nil) }
}

@Suite struct EventReaderTests {
    private func reader(_ installation: Installation, after: String?, keys: Set<String>? = nil) async throws -> EventReader {
        let catalogue = try await installation.door.city.catalogue(for: .everybody, at: Installation.now)
        return EventReader(
            streams: installation.door.streams, catalogue: catalogue, followed: catalogue.municipalities.map(\.access), keys: keys, after: after)
    }

    private func id(_ event: String) throws -> String {
        let line = try #require(event.split(separator: "\n").first { $0.hasPrefix("id: ") })
        return String(line.dropFirst(4))
    }

    private func changes(_ event: String?) throws -> [JSON] {
        let line = try #require(event?.split(separator: "\n").first { $0.hasPrefix("data: ") })
        return try JSON(parsing: String(line.dropFirst(6))).arrayValue ?? []
    }

    @Test func `a stream goes on after the last event that was seen, in all municipalities`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        try await installation.write([Sample.station("1", name: "One there", 1)], in: "hautbois")
        var first = try await reader(installation, after: nil)
        let start = try id(first.opening(at: Installation.now))
        #expect(try await first.news(at: Installation.now) == nil)
        try await installation.write([Sample.station("2", name: "Two", 2)])
        try await installation.write([Sample.station("2", name: "Two there", 2)], in: "hautbois")

        let seen = try #require(try await first.news(at: Installation.now))
        var second = try await reader(installation, after: start)
        #expect(!second.opening(at: Installation.now).contains("gap"))
        let again = try #require(try await second.news(at: Installation.now))
        #expect(try changes(again) == changes(seen))
        #expect(try Set(changes(seen).compactMap { $0["n"]?.stringValue }) == ["Two", "Two there"])
        #expect(try Set(changes(seen).compactMap { $0["m"]?.stringValue }) == ["valmere", "hautbois"])
        var third = try await reader(installation, after: try id(seen))
        #expect(try await third.news(at: Installation.now) == nil)
    }

    @Test func `a stream that begins after a time without streams hears of changes, and of no gap`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        var early = try await reader(installation, after: nil)
        try await installation.write([Sample.station("2", name: "Two", 2)])
        #expect(try changes(try await early.news(at: Installation.now)).count == 1)
        try await installation.write([Sample.station("3", name: "Three", 3)])
        var late = try await reader(installation, after: nil)
        try await installation.write([Sample.station("4", name: "Four", 4)])
        #expect(try changes(try await late.news(at: Installation.now)).map { $0["n"] } == ["Four"])
        #expect(try Set(changes(try await early.news(at: Installation.now)).compactMap { $0["n"]?.stringValue }) == ["Three", "Four"])
    }

    @Test func `several changes of one entity are one, with all that changed`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        var reader = try await reader(installation, after: nil)
        try await installation.write([Sample.station("1", name: "One", 2, observedAt: Installation.now.adding(seconds: 1))])
        try await installation.write([Sample.station("1", name: "One", 3, at: (3.3, 48.7), observedAt: Installation.now.adding(seconds: 2))])
        let changes = try changes(try await reader.news(at: Installation.now))
        #expect(changes.count == 1)
        #expect(changes.first?["v"] == ["pm25": 3.0])
        #expect(changes.first?["p"] == [3.3, 48.7])
        #expect(changes.first?["n"] == nil)
        #expect(changes.first?["k"] == "AirQualityObserved")
        #expect(changes.first?["t"]?.integerValue == Installation.now.milliseconds + 2000)
    }

    @Test func `a deleted entity is said to be gone`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1), Sample.station("2", name: "Two", 1)])
        var reader = try await reader(installation, after: nil)
        let access = try await installation.gatekeeper.writing(try installation.name("valmere"), .program)
        try await installation.broker.delete(IRI(known: "urn:ngsi-ld:AirQualityObserved:1"), access, at: Installation.now)
        let changes = try changes(try await reader.news(at: Installation.now))
        #expect(changes.map { $0["x"] } == [true])
        #expect(changes.map { $0["v"] } == [nil])
    }

    @Test func `other layers than the wanted ones stay silent but move the position`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        var reader = try await reader(installation, after: nil, keys: ["Vehicle"])
        let start = try id(reader.opening(at: Installation.now))
        try await installation.write([Sample.station("2", name: "Two", 2)])
        #expect(try await reader.news(at: Installation.now) == nil)
        #expect(try id(reader.opening(at: Installation.now)) != start)
    }

    @Test(arguments: ["nonsense", "zzz:5"])
    func `a position that cannot be read or is of another installation is a gap`(after: String) async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        var reader = try await reader(installation, after: after)
        #expect(reader.opening(at: Installation.now).contains("event: gap"))
    }

    @Test func `who is too far behind is told to load anew, and goes on from now`() async throws {
        var limits = SiteLimits()
        limits.changesBehindMax = 3
        let installation = try Installation(limits: limits)
        try await installation.write([Sample.station("1", name: "One", 1)])
        var reader = try await reader(installation, after: nil)
        try await installation.write((10..<14).map { Sample.station("\($0)", name: "More", 1) })
        let gap = try #require(try await reader.news(at: Installation.now))
        #expect(gap.contains("event: gap"))
        #expect(try await reader.news(at: Installation.now) == nil)
        try await installation.write([Sample.station("99", name: "After", 1)])
        #expect(try changes(try await reader.news(at: Installation.now)).count == 1)
    }

    @Test func `many changes come in events of at most 500, and none is lost between them`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "One", 1)])
        var reader = try await reader(installation, after: nil)
        let start = try id(reader.opening(at: Installation.now))
        try await installation.write((0..<700).map { Sample.station("n\($0)", name: "More", 1) })
        let first = try #require(try await reader.news(at: Installation.now))
        #expect(try changes(first).count == 500)
        #expect(try id(first) == start, "the position moves when all that was read has been sent")
        let second = try #require(try await reader.news(at: Installation.now))
        #expect(try changes(second).count == 200)
        #expect(try id(second) != start)
    }

    @Test func `no more streams than allowed`() async throws {
        var limits = SiteLimits()
        limits.streamCountMax = 1
        let installation = try Installation(limits: limits)
        #expect(installation.door.streams.open())
        #expect(!installation.door.streams.open())
        let refused = try await installation.get("/live/events").response
        #expect(refused.status == .serviceUnavailable)
        #expect(refused.headers[.retryAfter] != nil)
        installation.door.streams.close()
        #expect(installation.door.streams.hasRoom)
    }
}
